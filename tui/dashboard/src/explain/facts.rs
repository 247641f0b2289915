//! The figures of a card, by the labels that stand there.

use control::State;

use super::{Entry, Idea, Topic, entry};
use crate::drops::DropReason;
use crate::screens::nodes::Column;

/// A figure that is no column of the table of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// How it ended last.
    LastExit,
    /// Its key.
    Key,
    /// The address of a client.
    Address,
    /// Whether it reports to the directory.
    Rates,
    /// How late packets leave.
    LateBy,
    /// How far back it remembers packets.
    Replays,
    /// Clients that are connected.
    Online,
    /// Packets stored.
    Stored,
    /// Packets that clients confirmed.
    Delivered,
    /// Packets that wait for clients.
    Waiting,
    /// Packets with a part of a message.
    Real,
    /// Packets sent again.
    SentAgain,
    /// Packets without a message.
    Cover,
    /// Cover that came back.
    CoverBack,
    /// Acknowledgements that came back.
    AcksBack,
    /// Parts of messages that wait for a slot.
    Queued,
    /// Packets given up.
    Dropped,
}

impl Fact {
    /// All of them.
    pub(crate) const ALL: [Self; 17] = [
        Self::LastExit,
        Self::Key,
        Self::Address,
        Self::Rates,
        Self::LateBy,
        Self::Replays,
        Self::Online,
        Self::Stored,
        Self::Delivered,
        Self::Waiting,
        Self::Real,
        Self::SentAgain,
        Self::Cover,
        Self::CoverBack,
        Self::AcksBack,
        Self::Queued,
        Self::Dropped,
    ];

    /// What a label on a card is about.
    #[cfg(test)]
    pub(crate) fn topic(label: &str) -> Option<Topic> {
        if let Some(fact) = Self::ALL.into_iter().find(|fact| fact.entry().title == label) {
            return Some(Topic::Fact(fact));
        }
        Some(match label {
            "pid" => Topic::Column(Column::Pid),
            "up" => Topic::Column(Column::Up),
            "restarts" => Topic::Column(Column::Restarts),
            "cpu" => Topic::Column(Column::Cpu),
            "memory" => Topic::Column(Column::Memory),
            "http" | "packets" | "clients" | "app" | "and app" => Topic::Column(Column::Address),
            "presence" => Topic::Idea(Idea::Presence),
            "in" => Topic::Column(Column::Received),
            "out" | "acks out" => Topic::Column(Column::Sent),
            "pool" => Topic::Column(Column::Pool),
            "keys" => Topic::Fact(Self::Key),
            _ => return None,
        })
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    pub(super) fn entry(self) -> Entry {
        use Topic::{Column as C, Fact as F, Idea as I};
        match self {
            Self::LastExit => entry(
                "last exit",
                "How the process before this one ended: by itself, with which code, or by which \
                 signal. SIGKILL is what a crash looks like to others: no goodbye, and all that was \
                 only in memory is lost.",
                &[Topic::State(State::BackingOff), C(Column::Restarts)],
            ),
            Self::Key => entry(
                "key",
                "Its public key, by which the network knows it. Senders seal for a node's key the \
                 layer of a packet that only this node shall open; a client's key stands in its \
                 address.",
                &[I(Idea::Sphinx), F(Self::Address)],
            ),
            Self::Address => entry(
                "address",
                "Where to send to: the client's key and its provider's. Who knows it can write to the \
                 client, and learns which provider keeps its messages, not where it is.",
                &[I(Idea::ReplyBlock), F(Self::Key)],
            ),
            Self::Rates => entry(
                "rates",
                "This mixnode does not report its packets to the directory, so its rates are unknown. \
                 Reports are convenient for those who run a network, and tell everybody who reads the \
                 directory how busy each link is.",
                &[C(Column::Received), I(Idea::Link)],
            ),
            Self::LateBy => entry(
                "late by",
                "How much later packets left than their headers asked: half of them by no more than \
                 the first figure, one in a hundred by more than the second. Lateness that is small \
                 against the mean wait of {delay} does no harm; a large one means that the machine is \
                 too busy.",
                &[I(Idea::Delay), C(Column::Cpu)],
            ),
            Self::Replays => entry(
                "replays",
                "How far back the node remembers every packet, so that a copy of one is refused. An \
                 attacker who may send a packet twice sees two alike come out at the end. A restart \
                 forgets all.",
                &[Topic::Drop(DropReason::Replay), C(Column::Up)],
            ),
            Self::Online => entry(
                "online",
                "Clients that are connected now, of those registered here. For one that is away \
                 packets are kept; senders cannot tell which it is.",
                &[F(Self::Waiting), F(Self::Stored)],
            ),
            Self::Stored => entry(
                "stored",
                "Packets that the provider has written to disk since it started. Each was \
                 acknowledged only after that, so nothing that a sender was told of can be lost by a \
                 crash.",
                &[F(Self::Delivered), I(Idea::Ack)],
            ),
            Self::Delivered => entry(
                "delivered",
                "Packets that clients have confirmed since it started. Only then the provider deletes \
                 them. Messages, loops and acknowledgements all count: the provider keeps whatever is \
                 for its clients.",
                &[F(Self::Stored), F(Self::Waiting)],
            ),
            Self::Waiting => entry(
                "waiting",
                "Packets that are stored and that their clients have not fetched yet. It grows while \
                 clients are away; beyond a bound more are refused, and their senders hear no \
                 acknowledgement.",
                &[Topic::Drop(DropReason::MailboxFull), F(Self::Online)],
            ),
            Self::Real => entry(
                "real",
                "Packets with a part of a message, sent for the first time. Each took the place of a \
                 cover packet, so they add nothing to what an observer sees.",
                &[F(Self::Cover), I(Idea::Slots)],
            ),
            Self::SentAgain => entry(
                "sent again",
                "Packets with a part of a message that went before and was not acknowledged in time. \
                 They go on another route and take slots too: many of them mean that packets are lost \
                 somewhere, or that acknowledgements are late.",
                &[F(Self::Dropped), I(Idea::Ack)],
            ),
            Self::Cover => entry(
                "cover",
                "Packets without a message, in slots that had nothing to carry and in the stream of \
                 loops beside them. They are most of all traffic, and what hides the rest.",
                &[I(Idea::Cover), F(Self::CoverBack)],
            ),
            Self::CoverBack => entry(
                "cover back",
                "Cover that came back to its sender: all of it is addressed to itself. What stays out \
                 for long was lost, so this shows how much of everything is lost, with no message \
                 sent.",
                &[F(Self::Cover), F(Self::Dropped)],
            ),
            Self::AcksBack => entry(
                "acks back",
                "Acknowledgements that came back. Cover is acknowledged as messages are, else the \
                 number of acknowledgements would tell how much of it was real. {acks}",
                &[I(Idea::Ack), F(Self::SentAgain)],
            ),
            Self::Queued => entry(
                "queued",
                "Parts of messages that wait for a slot, of which there is one every {slot} on \
                 average. A client does not send faster because there is more to say: that would show \
                 on its line.",
                &[I(Idea::Slots), Topic::Letter(super::Letter::Queued)],
            ),
            Self::Dropped => entry(
                "dropped",
                "Packets given up since the start, by reason. Nobody is told of it: an answer would \
                 help those who try. The sender of a message notices that no acknowledgement comes, \
                 and sends it again.",
                &[
                    Topic::Drop(DropReason::Mac),
                    Topic::Drop(DropReason::Replay),
                    Topic::Drop(DropReason::Queue),
                ],
            ),
        }
    }
}
