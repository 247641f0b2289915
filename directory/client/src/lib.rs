//! Speaking to a directory: typed HTTP calls, and a subscription to its events that reconnects.
//!
//! The JSON types are in `directory-api`. Every call gives up after [`CALL_TIMEOUT`]; whoever calls
//! decides whether to try again. A [`Subscription`] tries again by itself, for ever.
//!
//! Connections are plain HTTP, straight to the directory: a devnet lives on one machine, so no
//! TLS is compiled in, and the proxy settings of the environment are not read.

mod address;
mod calls;
mod error;
mod subscription;

use std::time::Duration;

pub use calls::DirectoryClient;
pub use error::{Cause, Error, SubscriptionError};
pub use subscription::{Subscription, SubscriptionEvent};

/// A call that was not answered in whole by then has failed. A directory on the same machine
/// answers in well under a millisecond, and a node is late only after 3.75 s: time for one more try.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest answer that is read, in bytes. The longest that a directory gives is a full window of
/// metrics: 36 MB, with addresses in which every character has to be escaped.
pub const MAX_ANSWER_BYTES: usize = 40 << 20;

/// The longest event that is read, in bytes: a snapshot. Of a thousand mixnodes it has 0.3 MB; a
/// registered client adds 60 bytes to its provider's record.
pub const MAX_EVENT_BYTES: usize = directory_api::MAX_TOPOLOGY_BYTES;

/// How long after a lost connection a subscription tries again for the first time.
pub const FIRST_RETRY: Duration = Duration::from_millis(50);

/// The waiting time doubles with each failure up to this.
pub const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// A connection on which nothing came for this long, not even a ping, is dead. The directory pings
/// every five seconds.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(15);
