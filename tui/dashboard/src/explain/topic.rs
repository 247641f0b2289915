//! Everything that can be asked about.

use contract::Role;
use control::{State, Way};

use super::{Fact, Header, Idea, Insight, Letter, Study};
use crate::drops::DropReason;
use crate::screens::Screen;
use crate::screens::nodes::Column;
use crate::screens::traffic::Pane;
use crate::state::{Lint, Part};

/// Something that can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// A screen.
    Screen(Screen),
    /// The card of a process.
    Card,
    /// The journey of a message.
    Journey,
    /// Something at the top of every screen.
    Header(Header),
    /// A column of the table of nodes.
    Column(Column),
    /// What a process is.
    Role(Role),
    /// The state of a process.
    State(State),
    /// A node that has missed two of its announcements.
    Late,
    /// A node that the directory has forgotten.
    Gone,
    /// How far a message has come.
    Letter(Letter),
    /// Something that can be wrong.
    Lint(Lint),
    /// A pane of Traffic.
    Traffic(Pane),
    /// Why a packet was given up.
    Drop(DropReason),
    /// A stop of a journey.
    Stop(Way, Part),
    /// A figure of a card.
    Fact(Fact),
    /// A figure of Anonymity.
    Insight(Insight),
    /// A part of a lesson.
    Study(Study),
    /// An idea behind mixnets.
    Idea(Idea),
}

/// The roles and states of other crates, which have no list of their own. A variant that is missing here
/// is one that `processes.rs` does not compile without.
const ROLES: [Role; 5] =
    [Role::Directory, Role::Mixnode, Role::Provider, Role::Client, Role::Crowd];
const STATES: [State; 10] = [
    State::Planned,
    State::Starting,
    State::Listening,
    State::Present,
    State::Ready,
    State::Paused,
    State::Stopping,
    State::Stopped,
    State::BackingOff,
    State::Failed,
];

/// The stops that a packet and its acknowledgement have.
const STOPS: [(Way, Part); 8] = [
    (Way::There, Part::Sender),
    (Way::There, Part::Mixnode),
    (Way::There, Part::Mailbox),
    (Way::There, Part::Recipient),
    (Way::Back, Part::AckSource),
    (Way::Back, Part::Mixnode),
    (Way::Back, Part::Mailbox),
    (Way::Back, Part::Acknowledged),
];

impl Topic {
    /// What kind of thing it is, in a word or two.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Screen(_) => "screen",
            Self::Card | Self::Journey => "view",
            Self::Header(_) => "header",
            Self::Column(_) => "column",
            Self::Role(_) => "process",
            Self::State(_) | Self::Late | Self::Gone => "state",
            Self::Letter(_) => "message",
            Self::Lint(_) => "problem",
            Self::Traffic(_) => "pane",
            Self::Drop(_) => "dropped",
            Self::Stop(..) => "stop",
            Self::Fact(_) | Self::Insight(_) => "figure",
            Self::Study(_) => "lesson",
            Self::Idea(_) => "idea",
        }
    }

    /// All of them, in the order of the document: a heading, and what stands below it.
    pub(crate) fn all() -> Vec<(&'static str, Vec<Self>)> {
        let screens = Screen::ALL.map(Self::Screen).into_iter().chain([Self::Card, Self::Journey]);
        let states = STATES.map(Self::State).into_iter().chain([Self::Late, Self::Gone]);
        vec![
            ("Ideas", Idea::ALL.map(Self::Idea).into()),
            ("Screens", screens.collect()),
            ("At the top of every screen", Header::ALL.map(Self::Header).into()),
            ("Processes", ROLES.map(Self::Role).into()),
            ("How a process fares", states.collect()),
            ("Columns of Nodes", Column::ALL.map(Self::Column).into()),
            ("Figures on a card", Fact::ALL.map(Self::Fact).into()),
            ("Panes of Traffic", Pane::ALL.map(Self::Traffic).into()),
            ("Figures of Anonymity", Insight::ALL.map(Self::Insight).into()),
            ("Parts of a lesson", Study::ALL.map(Self::Study).into()),
            ("How far a message has come", Letter::ALL.map(Self::Letter).into()),
            ("Stops of a journey", STOPS.map(|(way, part)| Self::Stop(way, part)).into()),
            ("What can be wrong", Lint::ALL.map(Self::Lint).into()),
            ("Why packets are dropped", DropReason::ALL.map(Self::Drop).into()),
        ]
    }
}
