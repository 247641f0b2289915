//! The clocks. Only drivers read them; engines are told the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contract::Time;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The machine's monotonic clock. All processes share its origin.
pub fn now() -> Time {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).expect("the monotonic clock starts at zero");
    let nanos = u64::try_from(time.tv_nsec).expect("nanoseconds are not negative");
    Time::from_nanos(seconds * 1_000_000_000 + nanos)
}

/// A regular tick for reports. One that comes late is followed by the next at its own time, not by all
/// that were missed.
pub fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

/// The wall clock: nanoseconds since 1970.
pub fn wall_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
