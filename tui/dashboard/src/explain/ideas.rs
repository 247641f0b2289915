//! The ideas behind a mixnet that other texts lean on.

use super::{Entry, Fact, Letter, Topic, entry};
use crate::screens::Screen;
use crate::screens::nodes::Column;

/// An idea.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idea {
    /// A network of mixes.
    Mixnet,
    /// Mixnodes in layers.
    Layers,
    /// Waiting.
    Delay,
    /// Who waits together.
    Pool,
    /// Doublings of suspects.
    Bits,
    /// Packets about nothing.
    Cover,
    /// Random moments.
    Slots,
    /// Packets all alike.
    Sphinx,
    /// Telling that a packet arrived.
    Ack,
    /// Answering somebody unknown.
    ReplyBlock,
    /// Announcing oneself.
    Presence,
    /// Who sends to whom.
    Link,
    /// Telling what became of a packet.
    Tracing,
}

impl Idea {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::Mixnet,
        Self::Layers,
        Self::Delay,
        Self::Pool,
        Self::Bits,
        Self::Cover,
        Self::Slots,
        Self::Sphinx,
        Self::Ack,
        Self::ReplyBlock,
        Self::Presence,
        Self::Link,
        Self::Tracing,
    ];

    #[expect(clippy::too_many_lines, reason = "a table")]
    pub(super) fn entry(self) -> Entry {
        use Topic::{Idea as I, Screen as S};
        match self {
            Self::Mixnet => entry(
                "mixnet",
                "Encryption hides what is said; a mixnet hides who talks to whom. A message goes \
                 through mixnodes that each take off a layer of encryption and keep it for a random \
                 while, so that somebody who watches every line cannot tell which of the packets \
                 that go in is which of those that come out.",
                &[I(Self::Layers), I(Self::Delay), I(Self::Cover)],
            ),
            Self::Layers => entry(
                "layers",
                "Mixnodes stand in layers, here {layers} of them, and a packet passes one of each, in order. \
                 So all packets travel equally far, and no mixnode sees both ends of the way. More \
                 layers make it less likely that every mixnode of a route is one that spies; more \
                 mixnodes in a layer share the load, and each then has fewer packets to hide one \
                 among.",
                &[I(Self::Pool), I(Self::Link), S(Screen::Network)],
            ),
            Self::Delay => entry(
                "delay",
                "The sender draws a wait for each mixnode, {delay} on average, and seals it into the \
                 packet's header. The waits are exponential: however long a packet has waited, it is \
                 as likely as any other to leave next, so the order of arrival says nothing. All \
                 hops together take {mixing} on average; a short wait is fast and hides little.",
                &[I(Self::Pool), I(Self::Bits), Topic::Journey],
            ),
            Self::Pool => entry(
                "pool",
                "The packets that wait at a mixnode at one moment are its pool. Whoever leaves could \
                 be any of them, so the pool is what a packet hides in. On average it holds the \
                 packets that come in a second times the mean wait in seconds: more traffic or \
                 longer waits fill it, more mixnodes in a layer thin it out.",
                &[I(Self::Bits), I(Self::Delay), Topic::Column(Column::Pool)],
            ),
            Self::Bits => entry(
                "bits of anonymity",
                "Among how many a packet is hidden, counted in doublings: 1 bit is one of two, 3 bits \
                 one of eight. It holds for somebody who sees every line, knows the mean wait, and \
                 has bribed no mixnode; a figure for one mixnode says nothing of many messages over \
                 days, from which such a watcher learns more.",
                &[S(Screen::Anonymity), I(Self::Pool), I(Self::Cover)],
            ),
            Self::Cover => entry(
                "cover traffic",
                "Packets without a message, which look like all others. A client sends one whenever \
                 it is time to send and there is nothing to say, and further ones in a stream of \
                 their own; all of them come back to it, so they are called loops. They hide whether \
                 somebody speaks at all, and give the messages of others something to hide among.",
                &[I(Self::Slots), Topic::Fact(Fact::Cover), I(Self::Pool)],
            ),
            Self::Slots => entry(
                "send slots",
                "A client sends at random moments, every {slot} on average, and besides a loop every \
                 {loop}: {rate} packets per second on average. A message waits for the next slot; if \
                 none waits, the slot takes cover. So who watches the client's line sees the same \
                 traffic whether it has something to say or not.",
                &[I(Self::Cover), Topic::Letter(Letter::Queued)],
            ),
            Self::Sphinx => entry(
                "Sphinx packet",
                "Each packet on a link has one length, {packet}, message, cover or acknowledgement. \
                 Every hop takes a layer of encryption off, after which no part of it looks as \
                 before, and learns where it goes next and how long it waits, and nothing else. So a packet cannot be \
                 recognised by its looks on two links.",
                &[I(Self::Delay), Topic::Journey],
            ),
            Self::Ack => entry(
                "acknowledgement",
                "A packet that says that another arrived. The sender seals its whole way back into \
                 the packet itself; the recipient's provider sends it when the packet is safely \
                 stored, and learns only its first hop. What is not acknowledged in time goes again \
                 on another route. {acks}",
                &[Topic::Letter(Letter::Acknowledged), I(Self::ReplyBlock)],
            ),
            Self::ReplyBlock => entry(
                "reply block",
                "A way back that somebody has sealed for one packet and sent along, so that the other \
                 side can answer without learning an address. Who replies knows the first mixnode of \
                 it and how many hops it has. Each block is good for one use.",
                &[I(Self::Ack), I(Self::Sphinx)],
            ),
            Self::Presence => entry(
                "presence",
                "Every mixnode and provider tells the directory every {beat} that it is there. The \
                 directory calls it late after {late} without a word and forgets it after \
                 {forgotten}. Clients choose routes from that list, so for as long as a dead node \
                 stands in it, packets are sent to it and lost.",
                &[Topic::Late, Topic::Gone, S(Screen::Presence)],
            ),
            Self::Link => entry(
                "link",
                "Everything that one process sends to another goes over a connection, drawn thicker \
                 the more packets pass. This is what an observer of the network sees: who sends to \
                 whom, when, and how many bytes. A packet on it is one that really passed, a sample \
                 of all.",
                &[I(Self::Sphinx), I(Self::Layers), I(Self::Mixnet)],
            ),
            Self::Tracing => entry(
                "tracing",
                "For teaching, the nodes of a devnet can tell what they saw of each packet, and the \
                 supervisor puts that together to journeys. It gives away all that a mixnet hides, so \
                 no network for real use has it. {trace}",
                &[Topic::Journey, I(Self::Sphinx)],
            ),
        }
    }
}
