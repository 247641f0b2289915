//! The connection to the supervisor: losing it is a condition to show, not an error to end with.

use std::time::Duration;

use contract::Time;

/// Wait before the first attempt to connect again. Doubles with each that fails.
const FIRST_RETRY: Duration = Duration::from_millis(250);

/// Longest wait between attempts: nobody wants to watch a longer countdown.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// A running devnet says something every second. After twice that, what is shown is old.
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(2);

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// The first attempt is underway.
    Connecting,
    /// Events come.
    Live,
    /// Not connected; trying again.
    Lost {
        /// Why.
        reason: String,
        /// When it was lost, or last tried in vain.
        since: Time,
        /// When to try again.
        retry_at: Time,
        /// How many attempts have failed in a row.
        attempts: u32,
    },
}

impl Connection {
    /// It was lost, or an attempt failed. Returns how long to wait before the next one.
    pub(crate) fn lose(&mut self, reason: String, now: Time) -> Duration {
        let (attempts, since) = match self {
            Self::Lost { attempts, since, .. } => (attempts.saturating_add(1), *since),
            Self::Connecting | Self::Live => (0, now),
        };
        let wait = FIRST_RETRY.saturating_mul(1 << attempts.min(16)).min(LONGEST_RETRY);
        *self = Self::Lost { reason, since, retry_at: now + wait, attempts };
        wait
    }

    /// How long ago it was lost.
    pub(crate) fn lost_since(&self) -> Option<Time> {
        match self {
            Self::Lost { since, .. } => Some(*since),
            Self::Connecting | Self::Live => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_up_to_a_bound_and_begin_anew_after_success() {
        let mut connection = Connection::Connecting;
        let waits: Vec<u128> = (0..7)
            .map(|_| connection.lose("refused".into(), Time::default()).as_millis())
            .collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        connection = Connection::Live;
        assert_eq!(connection.lose("ended".into(), Time::default()).as_millis(), 250);
    }
}
