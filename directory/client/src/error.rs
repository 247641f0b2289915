//! What can go wrong between a program and its directory.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be one.
    #[error("`{address}` is no directory: {reason}; write it like `http://127.0.0.1:8080`")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The HTTP client could not be made.
    #[error("cannot set up an HTTP client")]
    Setup(#[source] Cause),
    /// Nobody answered, or the connection broke.
    #[error("cannot {call} at `{url}`")]
    Unreachable {
        /// What was attempted, such as `announce a mixnode`.
        call: &'static str,
        /// On what.
        url: String,
        /// Why.
        #[source]
        cause: Cause,
    },
    /// No whole answer within [`CALL_TIMEOUT`](crate::CALL_TIMEOUT).
    #[error("cannot {call} at `{url}`: no answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// What was attempted.
        call: &'static str,
        /// On what.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The directory said no.
    #[error("cannot {call} at `{url}`: the directory answered {status}: {text}")]
    Refused {
        /// What was attempted.
        call: &'static str,
        /// On what.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the directory said.
        text: String,
    },
    /// The answer is not one that a directory gives.
    #[error("cannot {call} at `{url}`: the answer is not understood: {reason}")]
    Unreadable {
        /// What was attempted.
        call: &'static str,
        /// On what.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
}

/// Why a subscription has no connection.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The connection could not be made.
    #[error("cannot subscribe at `{url}`")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        #[source]
        cause: Cause,
    },
    /// The connection was not there within [`CALL_TIMEOUT`](crate::CALL_TIMEOUT).
    #[error("cannot subscribe at `{url}`: no answer within {} s", after.as_secs_f32())]
    TimedOut {
        /// Where.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The directory said no.
    #[error("cannot subscribe at `{url}`: the directory answered {status}: {text}")]
    Refused {
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the directory said.
        text: String,
    },
    /// The connection broke.
    #[error("lost the events of `{url}`")]
    Lost {
        /// Where.
        url: String,
        /// Why.
        #[source]
        cause: Cause,
    },
    /// The directory closed the connection, as it does when it stops.
    #[error("the directory closed the events of `{url}`")]
    Closed {
        /// Where.
        url: String,
    },
    /// Nothing came for [`SILENCE_LIMIT`](crate::SILENCE_LIMIT), not even a ping.
    #[error("nothing came from `{url}` for {} s", after.as_secs_f32())]
    Silent {
        /// Where.
        url: String,
        /// How long.
        after: Duration,
    },
    /// A number was skipped: something was missed. The next connection begins with a snapshot.
    #[error("event {expected} of `{url}` is missing: {got} came instead")]
    Gap {
        /// Where.
        url: String,
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// A frame is not one that a directory sends.
    #[error("an event of `{url}` is not understood: {reason}")]
    Unreadable {
        /// Where.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What went wrong underneath. It shows the innermost cause only (`Connection refused`), because
/// the layers between say no more than that something failed.
pub struct Cause(Box<dyn StdError + Send + Sync>);

impl Cause {
    pub(crate) fn of(error: impl StdError + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// The innermost cause.
    pub fn root(&self) -> &(dyn StdError + 'static) {
        let mut error: &(dyn StdError + 'static) = self.0.as_ref();
        while let Some(source) = error.source() {
            error = source;
        }
        error
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.root(), f)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Without a source: what it shows is the end of the chain already.
impl StdError for Cause {}
