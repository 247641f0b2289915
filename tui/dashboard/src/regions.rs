//! What lies where on the screen, as it was last drawn: this is what the mouse points at.

use ratatui::layout::{Position, Rect};

use crate::action::Action;
use crate::screens::Screen;
use crate::screens::anonymity::Knob;
use crate::screens::logs::Pane as LogsPane;
use crate::screens::messages::Pane as MessagesPane;
use crate::screens::nodes::Column;
use crate::screens::presence::Pane as PresencePane;
use crate::screens::traffic::Pane as TrafficPane;
use crate::state::{ProblemId, StopId};

/// Something that can be pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A tab.
    Screen(Screen),
    /// A process, by name.
    Node(String),
    /// The title of a column of the table of nodes.
    Column(Column),
    /// A client to send from.
    Sender(String),
    /// A client to send to.
    Recipient(String),
    /// A message, by its id.
    Letter(String),
    /// A pane of Messages.
    Messages(MessagesPane),
    /// A heartbeat, by its number.
    Beat(u64),
    /// A node that announces itself, by its key.
    Announcer(String),
    /// A pane of Presence.
    Presence(PresencePane),
    /// The process whose log is shown; none for all.
    Source(Option<String>),
    /// A log line, by its number.
    Line(u64),
    /// A pane of Logs.
    Logs(LogsPane),
    /// A pane of Traffic.
    Traffic(TrafficPane),
    /// A row of the palette.
    Choice(usize),
    /// A stop of a journey.
    Stop(StopId),
    /// A problem.
    Problem(ProblemId),
    /// A knob of Anonymity.
    Knob(Knob),
    /// A lesson, by its number.
    Lesson(u8),
    /// A word of the hint line, or an answer to a question.
    Action(Action),
}

impl Target {
    /// Whether it is a pane rather than something in it.
    pub(crate) fn is_pane(&self) -> bool {
        matches!(self, Self::Messages(_) | Self::Presence(_) | Self::Logs(_) | Self::Traffic(_))
    }
}

/// Everything that can be pointed at. What was added later lies above.
#[derive(Clone, Debug, Default)]
pub(crate) struct Regions(Vec<(Rect, Target)>);

impl Regions {
    /// This is there.
    pub(crate) fn add(&mut self, area: Rect, target: Target) {
        self.0.push((area, target));
    }

    /// Nothing that was drawn before can be reached: something lies over it.
    pub(crate) fn cover(&mut self) {
        self.0.clear();
    }

    /// The pane at a place.
    pub(crate) fn pane_at(&self, column: u16, row: u16) -> Option<&Target> {
        let position = Position::new(column, row);
        let here = self.0.iter().rev().filter(|(area, _)| area.contains(position));
        here.map(|(_, target)| target).find(|target| target.is_pane())
    }

    /// What is at a place.
    pub(crate) fn at(&self, column: u16, row: u16) -> Option<&Target> {
        let position = Position::new(column, row);
        self.0.iter().rev().find(|(area, _)| area.contains(position)).map(|(_, target)| target)
    }
}
