//! The figures of Anonymity and of the adversary's view.

use super::{Entry, Header, Idea, Topic, entry};
use crate::drops::DropReason;
use crate::screens::Screen;
use crate::screens::traffic::Pane;

/// A figure, or a pane of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insight {
    /// Bits about the sender of a packet.
    Sender,
    /// The same in the worst case.
    Worst,
    /// What theory expects.
    Expected,
    /// Packets that wait at a mixnode, as they are counted from outside.
    Pools,
    /// What keeps the figures from being better.
    Limit,
    /// Whether to believe them.
    Trust,
    /// The bits over time.
    Curve,
    /// What can be turned.
    Knobs,
    /// Who watches.
    Observer,
    /// Who writes to somebody.
    Suspects,
    /// Packets on links.
    Ticker,
    /// One packet that came out.
    One,
    /// Mixnodes that work for an observer.
    Corrupt,
    /// Whether somebody is sending.
    Sending,
    /// What can be done to packets.
    Attacks,
    /// The truth beside the guess.
    Truth,
}

impl Insight {
    /// All of them.
    pub(crate) const ALL: [Self; 16] = [
        Self::Sender,
        Self::Worst,
        Self::Expected,
        Self::Pools,
        Self::Limit,
        Self::Trust,
        Self::Curve,
        Self::Knobs,
        Self::Observer,
        Self::Suspects,
        Self::Ticker,
        Self::One,
        Self::Corrupt,
        Self::Sending,
        Self::Attacks,
        Self::Truth,
    ];

    #[expect(clippy::too_many_lines, reason = "a table")]
    pub(super) fn entry(self) -> Entry {
        use Topic::{Idea as I, Insight as F};
        match self {
            Self::Sender => entry(
                "who sent it?",
                "How unsure an observer is about who sent a packet that comes out, in bits: each is a \
                 doubling of the suspects. The most that is possible is the logarithm of the number \
                 of senders. \"Like\" is among how many equally likely senders one would be as well \
                 hidden. It is an average over packets, and of one packet alone: many to the same \
                 recipient tell more.",
                &[F(Self::Worst), F(Self::Expected), F(Self::Suspects), I(Idea::Bits)],
            ),
            Self::Worst => entry(
                "worst case",
                "The bits that are left if the observer names the likeliest sender. An average over all \
                 suspects flatters where one of them stands out, so this is the figure to rely on: 1 \
                 bit means that the first guess is right half of the time.",
                &[F(Self::Sender), I(Idea::Bits)],
            ),
            Self::Expected => entry(
                "expected",
                "What a formula says before anything is measured: the more packets pass while one is \
                 underway, the more it could be, up to the number of senders. \"As set\" reckons with \
                 the rates that are asked for, \"as measured\" with what really was sent, which is \
                 another where slots are empty or acknowledgements add packets. For an observer for whom no node \
                 works; \"roughly\" where pools are too small for the formula.",
                &[F(Self::Sender), F(Self::Knobs), F(Self::Curve)],
            ),
            Self::Pools => entry(
                "pool per mix",
                "How many packets wait at a mixnode on average, counted from outside: what came in less \
                 what went out. Beside it stands what should wait, packets per second times mean \
                 delay. A packet that leaves is hidden among these, and a pool that is empty hides \
                 nothing.",
                &[I(Idea::Pool), Topic::Traffic(Pane::Pools), F(Self::Limit)],
            ),
            Self::Limit => entry(
                "limited by",
                "What would have to change before senders are hidden better, the worst first: nobody to \
                 hide among, a node that is down, pools that are thin, or simply the number of \
                 senders. More mixnodes never help here; they spread the same packets thinner.",
                &[F(Self::Knobs), F(Self::Sender), I(Idea::Layers)],
            ),
            Self::Trust => entry(
                "trust",
                "The figures are only as good as what they assume. So guesses are compared with the \
                 truth, which the devnet knows: on average the true sender must be given what the \
                 observer expects to give. Delays must be exponential (KS is the largest distance from \
                 that), and no event may be lost. Where something is wrong it is said, and \
                 no figure is sound before that.",
                &[F(Self::Truth), I(Idea::Delay), F(Self::Sender)],
            ),
            Self::Curve => entry(
                "bits over time",
                "The bits about who sent a packet, second by second, with what theory expected as a \
                 line and a mark where somebody changed a setting. After a change packets of before \
                 are still underway, so the curve follows the line with a delay of some times the \
                 way through all layers.",
                &[F(Self::Sender), F(Self::Expected), F(Self::Knobs)],
            ),
            Self::Knobs => entry(
                "knobs",
                "What decides about anonymity and can be changed while the network runs. Turning shows \
                 what theory expects; nothing happens before it is applied. Delays, rates and the crowd \
                 change without a restart; another width starts or removes mixnodes. Nothing is free: \
                 a longer delay is paid with latency, more cover with bytes, and only more people hide \
                 more people.",
                &[F(Self::Expected), I(Idea::Delay), I(Idea::Cover), I(Idea::Layers)],
            ),
            Self::Observer => entry(
                "who watches",
                "Every figure is somebody's. This one sees links: when a packet passed, from whom and \
                 to whom, and its size; on all links, or on one, which shows when somebody sends and \
                 nothing of what comes out. A curious provider tells for whom its packets are. Which packet of \
                 those that went into a mixnode is which of those that came out, only a mixnode knows.",
                &[F(Self::Corrupt), F(Self::Ticker), F(Self::Suspects), F(Self::Attacks)],
            ),
            Self::Suspects => entry(
                "who writes to somebody?",
                "Each packet that somebody gets points at some senders a little more than packets in \
                 general do. One says nothing, hundreds tell: the odds that it is this one and none of \
                 the others, if one of them writes. Of those who are given one in three a third or more \
                 are the one, in simulations of two hundred networks; at first somebody leads by chance. What \
                 is older than a minute is forgotten, so that she who was found can hide again. The \
                 recipient is not listed, for its own cover comes back to it.",
                &[F(Self::One), F(Self::Truth), I(Idea::Cover)],
            ),
            Self::Ticker => entry(
                "packets on links",
                "All that an observer has: a time, two ends and a size. The sizes are the same \
                 for messages, cover and acknowledgements, and the bytes are others on each link, so \
                 there is nothing in a line that says which packet it is.",
                &[I(Idea::Sphinx), F(Self::Observer), Topic::Header(Header::Rate)],
            ),
            Self::One => entry(
                "a packet that came out",
                "Who may have sent the packet that left the last layer a moment ago, each with a \
                 probability. It is reckoned back from mixnode to mixnode: whoever had a packet \
                 in the pool that it left could be its sender. In a good mixnet the bars are all \
                 short and almost alike.",
                &[F(Self::Sender), F(Self::Suspects), I(Idea::Pool)],
            ),
            Self::Corrupt => entry(
                "corrupt mixnodes",
                "They do their work, and tell the observer which packet became which. A packet is \
                 hidden as long as one mixnode on its route is honest; where all of them are corrupt \
                 its sender is known. That share of routes is the product over the layers of corrupt \
                 mixnodes by all, which is why there are layers. Mixnodes really tell here, and only \
                 while you ask.",
                &[F(Self::Observer), F(Self::Sender), I(Idea::Layers)],
            ),
            Self::Sending => entry(
                "is somebody sending?",
                "Whether a client has something to say, from its own link alone: does it send as much \
                 as one that is idle, or as one that fills its slots? Each packet speaks for the one, \
                 each silence for the other; at odds of ninety-nine to one either way it is decided. \
                 Where empty slots carry cover both rates are the same and nobody can tell, however \
                 long he looks.",
                &[F(Self::Knobs), I(Idea::Cover), I(Idea::Slots)],
            ),
            Self::Attacks => entry(
                "attacks",
                "What somebody can do who holds a link, or a client of his own, and what stands against \
                 it: copies are known by their tags, a changed header by its MAC, a changed payload \
                 becomes noise at once. Links are not authenticated, so who leaves out the first layer \
                 is not noticed; nor is who holds back what others send. Only this devnet is attacked.",
                &[
                    Topic::Drop(DropReason::Replay),
                    Topic::Drop(DropReason::Mac),
                    Topic::Drop(DropReason::Layer),
                    I(Idea::Sphinx),
                ],
            ),
            Self::Truth => entry(
                "the truth",
                "Whose packet it really was, as the nodes of the devnet tell when they trace. No observer \
                 has this, and nothing of it goes into a guess. In a real network nobody could show it: \
                 it is here to see how good the guesses are, and whether they know it.",
                &[F(Self::Trust), I(Idea::Tracing), Topic::Screen(Screen::Anonymity)],
            ),
        }
    }
}
