//! The two clocks: one to subtract, one to show.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contract::Time;
use rustix::time::{ClockId, clock_gettime};

/// The same moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The machine's monotonic clock, which every process of a devnet reports by.
    pub(crate) t: Time,
    /// The wall clock, in nanoseconds since 1970.
    pub(crate) unix_ns: u64,
}

impl Moment {
    pub(crate) fn now() -> Self {
        let monotonic = clock_gettime(ClockId::Monotonic);
        let seconds = u64::try_from(monotonic.tv_sec).unwrap_or_default();
        let nanos = u64::try_from(monotonic.tv_nsec).unwrap_or_default();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            t: Time::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos)),
            unix_ns: u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// Milliseconds since 1970.
    pub(crate) fn unix_ms(self) -> u64 {
        self.unix_ns / 1_000_000
    }

    /// What the wall clock showed at `t`, in milliseconds since 1970.
    pub(crate) fn unix_ms_at(self, t: Time) -> u64 {
        let ago = self.t.saturating_since(t);
        self.unix_ns.saturating_sub(u64::try_from(ago.as_nanos()).unwrap_or(u64::MAX)) / 1_000_000
    }

    /// When the wall clock showed this, in nanoseconds since 1970, if nobody has set it in between.
    pub(crate) fn t_at(self, unix_ns: i64) -> Time {
        let ahead = i128::from(unix_ns) - i128::from(self.unix_ns);
        let t = i128::from(self.t.as_nanos()) + ahead;
        Time::from_nanos(u64::try_from(t.max(0)).unwrap_or(u64::MAX))
    }

    /// From now until `t`; nothing if that is past.
    pub(crate) fn until(self, t: Time) -> Duration {
        t.saturating_since(self.t)
    }
}
