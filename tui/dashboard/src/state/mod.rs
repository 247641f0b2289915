//! What the event stream has said so far. Knows nothing of the screen.

mod attacks;
mod devnet;
mod health;
mod journeys;
pub(crate) mod lessons;
mod letters;
mod link;
mod logs;
mod meter;
mod names;
mod node;
mod presence;
mod problems;
pub(crate) mod traffic;
mod underway;
mod waits;
mod watch;

pub(crate) use attacks::Attacks;
pub(crate) use devnet::Devnet;
pub(crate) use health::{Health, Mark};
pub(crate) use journeys::{Course, Fate, Journeys, Part, Stop, StopId, Whereabouts};
pub(crate) use letters::{Body, Inbox, Letter, Letters, MAX_TEXT_BYTES};
pub(crate) use link::{CROSSING, Link, MOST_SHOWN};
pub(crate) use logs::{Entry, Found, Level, Logs, Wanted};
pub(crate) use meter::{Counter, Meter, WINDOW};
pub(crate) use node::Node;
pub(crate) use presence::{Announcer, Beat, BeatKind, Presence, Standing};
pub(crate) use problems::{Finding, Lint, Problem, ProblemId, Problems, Severity};
pub(crate) use traffic::Traffic;
pub(crate) use underway::{Cargo, Place};
pub(crate) use watch::{Change, Watch};

use std::time::Duration;

use contract::Time;

/// A moment of the devnet's own clocks. A recording has its own too, so no age is ever taken
/// against the clock of the machine that shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The supervisor's monotonic clock.
    pub(crate) t: Time,
    /// The supervisor's wall clock: milliseconds since 1970.
    pub(crate) unix_ms: u64,
}

impl Moment {
    /// The moment this much later.
    pub(crate) fn after(self, elapsed: Duration) -> Self {
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        Self { t: self.t + elapsed, unix_ms: self.unix_ms.saturating_add(millis) }
    }

    /// How long ago a wall-clock moment was; zero for one to come.
    pub(crate) fn since_unix_ms(self, unix_ms: u64) -> Duration {
        Duration::from_millis(self.unix_ms.saturating_sub(unix_ms))
    }
}

/// A count to reckon with. None on screen comes near 2^52, where this would begin to round.
#[expect(clippy::cast_precision_loss, reason = "what is shown is rounded to a few digits anyway")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

/// In milliseconds.
pub(crate) fn as_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
