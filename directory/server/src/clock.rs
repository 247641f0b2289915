//! The two clocks that the registry is told the time by.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contract::Time;
use tokio::time::Instant;

use crate::Now;

/// Counts from when it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// A clock that shows zero.
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    /// The time now, by both clocks.
    pub(crate) fn now(self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            time: Time::from_nanos(0) + self.0.elapsed(),
            // 64 bits hold nanoseconds until 2262.
            unix: i64::try_from(unix.as_nanos()).unwrap_or(i64::MAX),
        }
    }

    /// The moment to sleep until.
    pub(crate) fn instant(self, time: Time) -> Instant {
        self.0 + Duration::from_nanos(time.as_nanos())
    }
}
