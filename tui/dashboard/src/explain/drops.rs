//! Why packets are given up, in the words of the nodes' counters.

use super::{Entry, Fact, Idea, Topic, entry};

/// A reason that some node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum DropReason {
    /// No Sphinx packet, or its routing makes no sense.
    Malformed,
    /// The MAC of the header is wrong.
    Mac,
    /// It came before.
    Replay,
    /// A version that nobody knows.
    Version,
    /// Too long a delay.
    Delay,
    /// It ends at a mixnode.
    FinalHop,
    /// The pool is full.
    PoolFull,
    /// Its next hop is in the wrong layer.
    Layer,
    /// Nobody knows its next hop.
    UnknownHop,
    /// No room in front of a link.
    Queue,
    /// It wants to go on from a provider.
    ForwardHop,
    /// Nobody of that key is registered.
    UnknownClient,
    /// As much waits for the client as may.
    MailboxFull,
    /// As much waits for all clients as may.
    ProviderFull,
    /// The mailbox could not write.
    Storage,
    /// The acknowledgement's first hop is no mixnode of layer 1.
    AckHop,
    /// A fragment that the client has.
    Duplicate,
    /// No route to send on.
    NoRoute,
    /// Cover that came too late to be sent.
    Overload,
    /// A node whose key is no key.
    NodeKey,
    /// An acknowledgement of nothing that is waited for.
    UnknownAck,
}

impl DropReason {
    /// All of them.
    pub(crate) const ALL: [Self; 21] = [
        Self::Malformed,
        Self::Mac,
        Self::Replay,
        Self::Version,
        Self::Delay,
        Self::FinalHop,
        Self::PoolFull,
        Self::Layer,
        Self::UnknownHop,
        Self::Queue,
        Self::ForwardHop,
        Self::UnknownClient,
        Self::MailboxFull,
        Self::ProviderFull,
        Self::Storage,
        Self::AckHop,
        Self::Duplicate,
        Self::NoRoute,
        Self::Overload,
        Self::NodeKey,
        Self::UnknownAck,
    ];

    /// Its word in the counters.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Mac => "mac",
            Self::Replay => "replay",
            Self::Version => "version",
            Self::Delay => "delay",
            Self::FinalHop => "final-hop",
            Self::PoolFull => "pool-full",
            Self::Layer => "layer",
            Self::UnknownHop => "unknown-hop",
            Self::Queue => "queue",
            Self::ForwardHop => "forward-hop",
            Self::UnknownClient => "unknown-client",
            Self::MailboxFull => "mailbox-full",
            Self::ProviderFull => "provider-full",
            Self::Storage => "storage",
            Self::AckHop => "ack-hop",
            Self::Duplicate => "duplicate",
            Self::NoRoute => "no-route",
            Self::Overload => "overload",
            Self::NodeKey => "node-key",
            Self::UnknownAck => "unknown-ack",
        }
    }

    /// The reason of this word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// Why, in a few words.
    pub(crate) fn because(self) -> &'static str {
        match self {
            Self::Malformed => "it is no packet of this network",
            Self::Mac => "it is damaged, or meant for another key",
            Self::Replay => "the same packet came before",
            Self::Version => "its version is not known here",
            Self::Delay => "it asks to wait longer than a node lets it",
            Self::FinalHop => "its way ends at a mixnode, which delivers nothing",
            Self::PoolFull => "the pool was full, and it would have stayed longest",
            Self::Layer => "its next hop is not in the next layer",
            Self::UnknownHop => "nobody knows its next hop",
            Self::Queue => "no room was left in front of a link",
            Self::ForwardHop => "it wants to go on, and a provider is the end",
            Self::UnknownClient => "its client is not registered here",
            Self::MailboxFull => "too much waits for its client",
            Self::ProviderFull => "too much waits for all clients together",
            Self::Storage => "it could not be written to disk",
            Self::AckHop => "its acknowledgement begins at no mixnode of layer 1",
            Self::Duplicate => "the client has this fragment already",
            Self::NoRoute => "a layer has no mixnode, so there is no route",
            Self::Overload => "the client could not keep up with its own rate",
            Self::NodeKey => "the key of a node on its route is no key",
            Self::UnknownAck => "it acknowledges nothing that is waited for",
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    fn text(self) -> &'static str {
        match self {
            Self::Malformed => {
                "It is no packet of this network, or its routing makes no sense: the wrong length, \
                 an address that is none, or at a client a part that fits no message. Somebody \
                 sends rubbish, or an attacker tries what a node does with it: nothing, it drops \
                 it."
            }
            Self::Mac => {
                "Each layer of the header has a checksum that only its node can check (a MAC). \
                 This one was wrong: the packet was damaged on the way, changed by somebody who \
                 wanted to mark it, or sealed for a key that the node no longer has."
            }
            Self::Replay => {
                "The same packet came before, and nodes remember all they have seen since they \
                 started. Who records a packet and sends it again would see twice what comes out, \
                 and so find its way. {faithful}"
            }
            Self::Version => {
                "Its header has a version that this program does not know: it was made by another \
                 program, or an attacker tries what happens."
            }
            Self::Delay => {
                "It asks to wait longer than a mixnode lets any packet wait, which is five \
                 minutes. Senders draw {delay} on average, so an honest one never asks for that; \
                 who could fill pools with packets that stay would run nodes out of memory."
            }
            Self::FinalHop => {
                "Its way ends here, and a mixnode delivers nothing to anybody: only providers do. \
                 The sender built a wrong route, or tries what happens."
            }
            Self::PoolFull => {
                "More packets wait than the mixnode holds, so it gives up the one that would stay \
                 longest. It is flooded: an attacker may do that so that the pool is all his, and \
                 one honest packet stands out."
            }
            Self::Layer => {
                "Its next hop does not stand in the next layer. Layers in order are what makes all \
                 routes alike; a packet that skips one could be told from the others. {faithful}"
            }
            Self::UnknownHop => {
                "Nobody knows the next hop that it names. The node asked for was removed, or got \
                 another address, after the sender chose it; or somebody makes packets up to have \
                 them sent elsewhere."
            }
            Self::Queue => {
                "The next node is down or does not read, and no room was left in front of the link \
                 to it. Packets are not kept for ever: their senders miss the acknowledgement and \
                 send again on another route."
            }
            Self::ForwardHop => {
                "It wants to go on from here, and a provider is the end of every way. The sender \
                 built a wrong route, or tries what happens."
            }
            Self::UnknownClient => {
                "No client of that key is registered with this provider. The client has moved to \
                 another, or the address was wrong; no acknowledgement goes out, so the sender \
                 will fail in the end."
            }
            Self::MailboxFull => {
                "As many packets wait for this client as the provider keeps for one. It was away \
                 for long, or is flooded; the packet is not acknowledged, so its sender tries \
                 again."
            }
            Self::ProviderFull => {
                "As many packets wait for all clients together as the provider keeps. None is \
                 acknowledged until clients have fetched some; senders try again meanwhile."
            }
            Self::Storage => {
                "The provider could not write it to disk, most likely because the disk is full. \
                 What is not stored is not acknowledged, so senders try again, and no message is \
                 believed safe that is not."
            }
            Self::AckHop => {
                "The packet itself was stored; the acknowledgement that it carried begins at no \
                 mixnode of the first layer that the directory lists. A provider sends nowhere \
                 else, else it could be used to send to anybody."
            }
            Self::Duplicate => {
                "The client has this part of the message already: its acknowledgement was lost or \
                 late, so the sender sent it again. That costs a slot and nothing else; the \
                 message arrives once."
            }
            Self::NoRoute => {
                "It was time to send, and no route could be built: a layer has no mixnode, or \
                 there is no provider. The client's line falls silent then, which an observer can \
                 see."
            }
            Self::Overload => {
                "The client was so far behind its own schedule that it left packets out rather \
                 than send them in a burst. The machine is too busy for the rates: fewer clients, \
                 longer intervals or more cores help."
            }
            Self::NodeKey => {
                "The key that a node announced is no key, so nothing can be sealed for it. The \
                 client takes the node for absent until the directory says something new."
            }
            Self::UnknownAck => {
                "An acknowledgement of nothing that the client waits for: it came after the client \
                 had given up waiting, a second time, or from before a restart."
            }
        }
    }

    pub(super) fn entry(self) -> Entry {
        let see: &[Topic] = match self {
            Self::Mac | Self::Malformed | Self::Version | Self::FinalHop | Self::ForwardHop => {
                &[Topic::Idea(Idea::Sphinx), Topic::Fact(Fact::Dropped)]
            }
            Self::Replay => &[Topic::Fact(Fact::Replays), Topic::Fact(Fact::Dropped)],
            Self::Delay | Self::PoolFull => {
                &[Topic::Idea(Idea::Pool), Topic::Idea(Idea::Delay), Topic::Fact(Fact::Dropped)]
            }
            Self::Layer | Self::UnknownHop | Self::Queue | Self::NoRoute | Self::NodeKey => &[
                Topic::Idea(Idea::Layers),
                Topic::Idea(Idea::Presence),
                Topic::Fact(Fact::Dropped),
            ],
            Self::UnknownClient | Self::MailboxFull | Self::ProviderFull | Self::Storage => {
                &[Topic::Fact(Fact::Waiting), Topic::Idea(Idea::Ack), Topic::Fact(Fact::Dropped)]
            }
            Self::AckHop | Self::Duplicate | Self::UnknownAck => {
                &[Topic::Idea(Idea::Ack), Topic::Fact(Fact::SentAgain)]
            }
            Self::Overload => &[Topic::Idea(Idea::Slots), Topic::Fact(Fact::Dropped)],
        };
        entry(self.word(), self.text(), see)
    }
}
