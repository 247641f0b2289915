//! Why packets are given up: the words of the nodes' counters, and everything that is said of each. State,
//! screens and explanations ask here.

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

    /// What it means, in a few words: a column is narrow.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Malformed => "no packet at all",
            Self::Mac => "damaged, or for another key",
            Self::Replay => "a copy of an earlier one",
            Self::Version => "of another version",
            Self::Delay => "asks for too long a wait",
            Self::FinalHop => "ends at a mixnode",
            Self::PoolFull => "no room to wait",
            Self::Layer => "skips a layer",
            Self::UnknownHop => "its next hop is unknown",
            Self::Queue => "its next hop takes nothing",
            Self::ForwardHop => "goes on from a provider",
            Self::UnknownClient => "its recipient is unknown",
            Self::MailboxFull => "its mailbox is full",
            Self::ProviderFull => "the provider is full",
            Self::Storage => "cannot be written to disk",
            Self::AckHop => "its receipt leads nowhere",
            Self::Duplicate => "came before",
            Self::NoRoute => "no way to its recipient",
            Self::Overload => "the client is behind",
            Self::NodeKey => "a node's key is none",
            Self::UnknownAck => "acknowledges nothing that waits",
        }
    }

    /// What it means, in a few sentences, with names of [`Figures`](crate::explain::Figures) in braces.
    #[expect(clippy::too_many_lines, reason = "a text for each reason, and nothing else")]
    pub(crate) fn text(self) -> &'static str {
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
                 had given up waiting, a second time, or from before a restart. A packet whose \
                 payload was changed on its way looks the same: both are noise."
            }
        }
    }

    /// What can be done about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Queue => {
                "the next hop does not take packets as fast as they come: see whether it runs"
            }
            Self::UnknownHop | Self::ForwardHop | Self::AckHop => {
                "the next hop is not in the directory: it left, or was started at another address"
            }
            Self::Layer => {
                "somebody sends packets past a layer; a client with an old topology does"
            }
            Self::Replay => "somebody sends packets twice",
            Self::Mac => {
                "packets were made for another key: a node that was started with a new one?"
            }
            Self::Malformed | Self::Version => {
                "something that is no packet of this network is sent there"
            }
            Self::Delay | Self::FinalHop => {
                "packets are made as no client of this network makes them: see who else sends there"
            }
            Self::PoolFull => {
                "more comes than it can hold: make the rates or the delays lower, or add a mixnode \
                 to its layer"
            }
            Self::UnknownClient => "packets are for a client that this provider does not know",
            Self::MailboxFull | Self::ProviderFull => {
                "clients that are away let packets pile up: start them, or remove them"
            }
            Self::UnknownAck => {
                "acknowledgements came after the client had stopped waiting: something held them up, \
                 as a node that stood still does; that ends by itself"
            }
            Self::Duplicate => {
                "messages came twice because their acknowledgements were late or lost: nothing is \
                 missing, and that ends by itself"
            }
            Self::Storage => "its disk does not take what it has to keep: see whether it is full",
            Self::NoRoute => {
                "a layer has no mixnode, or there is no provider: start one, or add one"
            }
            Self::Overload => {
                "the machine is too slow for the rates: make the network smaller or its rates lower"
            }
            Self::NodeKey => "a node announces a key that is none: see on Presence who joined",
        }
    }

    /// Whether what is dropped so carried nothing that is missed: its news had come already, or came too
    /// late for anybody to wait for it.
    pub(crate) fn is_spare(self) -> bool {
        matches!(self, Self::UnknownAck | Self::Duplicate)
    }
}
