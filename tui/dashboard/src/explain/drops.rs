//! Why packets are given up, in the words of the nodes' counters.

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
}
