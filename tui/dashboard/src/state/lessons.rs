//! Lessons: how far somebody has come with each, and the one that is being gone through.

mod running;

use contract::Time;
use lessons::{Lesson, Progress};

pub(crate) use running::{Request, Running, Stage};

use crate::Outcome;

/// Everything about lessons. Without one that runs nothing of the stream is looked at.
#[derive(Debug, Default)]
pub(crate) struct Lessons {
    /// How far somebody has come.
    pub(crate) progress: Progress,
    /// The one that is being gone through, or was until a moment ago.
    pub(crate) running: Option<Running>,
    /// One that begins as soon as it is known how the network is.
    pub(crate) beginning: Option<&'static Lesson>,
    /// How the dashboard ends once the network is again what it was, and since when it waits for that.
    pub(crate) quits: Option<(Outcome, Time)>,
}

impl Lessons {
    /// The lesson that is being gone through, and is not over.
    pub(crate) fn going_on(&self) -> Option<&Running> {
        self.running.as_ref().filter(|running| !running.is_over())
    }
}
