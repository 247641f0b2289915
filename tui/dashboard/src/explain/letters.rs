//! How far a message has come.

use super::{Entry, Fact, Idea, Topic, entry};

/// How far a message has come, as its glyph and word on the screen say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letter {
    /// Accepted.
    Queued,
    /// Accepted by a client that cannot send now.
    Held,
    /// A packet has left.
    Sent,
    /// The recipient's provider has all of it.
    Stored,
    /// The recipient has it.
    Delivered,
    /// And all of it was acknowledged.
    Acknowledged,
    /// The sender gave up.
    Failed,
}

impl Letter {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Queued,
        Self::Held,
        Self::Sent,
        Self::Stored,
        Self::Delivered,
        Self::Acknowledged,
        Self::Failed,
    ];

    /// The one with this word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|letter| letter.entry().title == word)
    }

    pub(super) fn entry(self) -> Entry {
        match self {
            Self::Queued => entry(
                "queued",
                "The client has it on disk, and no packet of it has left. It waits for its turn: \
                 there is a slot every {slot} on average, at random moments, and other messages take \
                 turns with it.",
                &[Topic::Idea(Idea::Slots), Topic::Letter(Self::Sent)],
            ),
            Self::Held => entry(
                "held",
                "Its sender has it on disk and cannot send now: a layer has no mixnode, or a provider \
                 is away. It goes as soon as there is a route, also after a restart.",
                &[Topic::State(control::State::Present), Topic::Letter(Self::Queued)],
            ),
            Self::Sent => entry(
                "sent",
                "A packet of it has left, at least one. It waits {mixing} on average at the mixnodes; \
                 if its acknowledgement does not come in time it goes again, on another route. Nobody \
                 on the way knows that it is a message.",
                &[Topic::Journey, Topic::Idea(Idea::Delay), Topic::Fact(Fact::SentAgain)],
            ),
            Self::Stored => entry(
                "stored",
                "The recipient's provider has all of it on disk and has acknowledged it; the \
                 recipient has not come for it. It waits there, and its sender need not stay online.",
                &[Topic::Fact(Fact::Waiting), Topic::Letter(Self::Delivered)],
            ),
            Self::Delivered => entry(
                "delivered",
                "The recipient has all of it. The sender does not know that yet: the acknowledgement \
                 is on its way back through the layers.",
                &[Topic::Idea(Idea::Ack), Topic::Letter(Self::Acknowledged)],
            ),
            Self::Acknowledged => entry(
                "acknowledged",
                "The recipient has it, and the sender knows that every packet reached the recipient's \
                 provider. The delay shown is from accepting the message to its arrival; the way back \
                 takes about as long again.",
                &[Topic::Journey, Topic::Idea(Idea::Ack)],
            ),
            Self::Failed => entry(
                "failed",
                "The sender gave up: a packet was sent many times without an acknowledgement, the \
                 recipient's provider was away for too long, or there is no such recipient. A network \
                 that loses packets can only try again, and not for ever.",
                &[Topic::Fact(Fact::SentAgain), Topic::Fact(Fact::Dropped)],
            ),
        }
    }
}
