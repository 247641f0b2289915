//! What stands at the top of every screen.

use contract::Role;
use control::State;

use super::{Entry, Fact, Idea, Topic, entry};
use crate::screens::Screen;

/// Something at the top of every screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Mixnodes per layer and layers.
    Shape,
    /// The rates.
    Profile,
    /// Acknowledgements on or off.
    Acks,
    /// As trusting as in 2020.
    Faithful,
    /// Whether what is shown is current.
    Connection,
    /// Whether the supervisor hears the directory.
    Directory,
    /// How many processes do their work.
    Ready,
    /// What is wrong.
    Problems,
    /// Packets that enter the mixnet.
    Rate,
    /// Named clients and crowd.
    Clients,
    /// Events that were not seen.
    Lost,
    /// The view stands still.
    Paused,
    /// Nothing can be changed.
    ReadOnly,
}

impl Header {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::Shape,
        Self::Profile,
        Self::Acks,
        Self::Faithful,
        Self::Connection,
        Self::Directory,
        Self::Ready,
        Self::Problems,
        Self::Rate,
        Self::Clients,
        Self::Lost,
        Self::Paused,
        Self::ReadOnly,
    ];

    pub(super) fn entry(self) -> Entry {
        match self {
            Self::Shape => entry(
                "shape",
                "How many mixnodes stand in each layer, and how many layers there are. With as many \
                 in each, a packet has that many choices at every layer, so the number of routes is \
                 the one to the power of the other.",
                &[Topic::Idea(Idea::Layers), Topic::Screen(Screen::Network)],
            ),
            Self::Profile => entry(
                "profile",
                "The rates that clients send at and the waits that they draw; this devnet has the \
                 profile {profile}: a wait of {delay} at each mixnode, a send slot every {slot} and a \
                 loop every {loop}, all on average. Every client of a network should have the same, \
                 or its rate tells it from the others.",
                &[Topic::Idea(Idea::Slots), Topic::Idea(Idea::Delay)],
            ),
            Self::Acks => entry(
                "acks",
                "Whether packets carry a way back for an acknowledgement. With them a lost packet is \
                 noticed and sent again; the acknowledgements are traffic too, and hide among the \
                 rest. {acks}",
                &[Topic::Idea(Idea::Ack), Topic::Fact(Fact::AcksBack)],
            ),
            Self::Faithful => entry(
                "faithful",
                "The programs of 2020 refused neither a packet that came a second time nor one that \
                 skipped a layer. A devnet that is faithful to them does the same, to show what an \
                 attacker can make of it: a replayed packet takes the same way out again, and so \
                 gives its route away.",
                &[
                    Topic::Drop(crate::drops::DropReason::Replay),
                    Topic::Drop(crate::drops::DropReason::Layer),
                ],
            ),
            Self::Connection => entry(
                "live",
                "Whether what is shown is current. The dashboard reads the supervisor's stream of \
                 events; while that is interrupted the devnet goes on, and the last that was known \
                 stays on the screen, dimmed, with its age.",
                &[Topic::Header(Self::Directory), Topic::Header(Self::Lost)],
            ),
            Self::Directory => entry(
                "directory not heard",
                "The supervisor cannot read the directory's events, so nobody here knows who \
                 announces itself. Nodes and clients go on with the list that they have; new nodes \
                 are not found, and dead ones stay in use, until the directory is back.",
                &[Topic::Role(Role::Directory), Topic::Idea(Idea::Presence)],
            ),
            Self::Ready => entry(
                "ready",
                "How many processes do their work, out of all. A mixnode or provider counts when the \
                 directory lists it, because only then clients use it; a client when a packet that \
                 it sent through all layers has come back to it.",
                &[Topic::State(State::Ready), Topic::Screen(Screen::Problems)],
            ),
            Self::Problems => entry(
                "problems",
                "How much does not look right in the devnet now, and the worst of it. A mixnet fails \
                 quietly, so it is worth a look even while messages arrive.",
                &[Topic::Screen(Screen::Problems), Topic::Header(Self::Ready)],
            ),
            Self::Rate => entry(
                "pkt/s",
                "Packets that enter the first layer per second: messages, cover and acknowledgements \
                 alike, as nobody on the way can tell them apart. Each client adds {rate} on \
                 average, and with acknowledgements on about as many come from providers. The more \
                 there are, the better each is hidden.",
                &[Topic::Idea(Idea::Slots), Topic::Idea(Idea::Pool)],
            ),
            Self::Clients => entry(
                "clients",
                "Who sends and receives: the named clients, and the crowd that only makes cover. Here \
                 they are {clients}. A sender can be no better hidden than among all clients, however \
                 many mixnodes there are, so one alone has no anonymity at all.",
                &[Topic::Role(Role::Crowd), Topic::Idea(Idea::Bits)],
            ),
            Self::Lost => entry(
                "events lost",
                "Events that somebody did not read fast enough, so they were left out rather than \
                 hold up the network. Counters still add up, because every report has totals; single \
                 log lines, sampled packets or steps of journeys can be missing.",
                &[Topic::Header(Self::Connection)],
            ),
            Self::Paused => entry(
                "PAUSED",
                "The view stands still, and the network goes on: nothing is delayed by it. A \
                 recording is stopped as a whole.",
                &[Topic::Header(Self::Connection)],
            ),
            Self::ReadOnly => entry(
                "read-only",
                "This dashboard shows everything and changes nothing: no message is sent and no \
                 process touched from here. Others may still do both.",
                &[Topic::Screen(Screen::Messages)],
            ),
        }
    }
}
