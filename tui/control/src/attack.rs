//! Attacks that somebody runs on his own devnet, to see what its defences answer: what can be asked for,
//! and what came of it.
//!
//! The adversary sits on links, behind the sockets of nodes, or is a client that makes packets as no
//! client should. Nodes know nothing of it; what they do about it is what they always do.

mod words;

use contract::{PacketPart, Print, Time};
use serde::{Deserialize, Serialize};

/// How many attacks can be underway at once.
pub const MAX_ATTACKS: usize = 4;

/// How many of those that are over are remembered.
pub const REMEMBERED_ATTACKS: usize = 32;

/// The bit of a header that is changed if none is named: the first of the routing information, behind
/// 32 bytes of a point and 16 of a MAC.
pub const HEADER_BIT: u32 = 8 * (32 + 16);

/// The one bit of a header that nobody checks: the highest of the point, in its last byte. RFC 7748 has
/// it ignored. The next hop gets another point, so the change goes no further than one link.
pub const IGNORED_HEADER_BIT: u32 = 8 * 31;

/// Run an attack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttackRequest {
    /// Which.
    pub plan: AttackPlan,
    /// How long to wait for a packet to come along the link at most, in milliseconds; a minute is the
    /// most that is waited.
    #[serde(default = "usual_wait")]
    pub wait_ms: u64,
}

fn usual_wait() -> u64 {
    15_000
}

/// What an attack does, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "attack", rename_all = "kebab-case")]
pub enum AttackPlan {
    /// Send the next packet of a link again.
    Replay {
        /// Name of the node that sends on the link.
        from: String,
        /// Name of the next hop.
        to: String,
        /// How many copies: 1 to 16.
        #[serde(default = "once")]
        times: u32,
    },
    /// Change a bit of the next packet of a link.
    Flip {
        /// Name of the node that sends on the link.
        from: String,
        /// Name of the next hop.
        to: String,
        /// In which part of the packet.
        part: PacketPart,
        /// Which bit of it; number 0 is the highest of the first byte. Without it, one that matters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bit: Option<u32>,
    },
    /// Let a client send a packet over a route that leaves out a layer.
    Skip {
        /// Name of the client.
        client: String,
        /// The layer, from 1. Without it the second, or the only one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layer: Option<u8>,
    },
    /// Hold back what everybody but one client sends to a mixnode of the first layer, until that has only
    /// packets of this client: the n−1 attack.
    Isolate {
        /// Name of the mixnode.
        mix: String,
        /// Name of the client.
        target: String,
        /// For how long, in milliseconds: 100 to 5000.
        #[serde(default = "usual_hold")]
        for_ms: u64,
    },
}

fn once() -> u32 {
    1
}

fn usual_hold() -> u64 {
    2000
}

/// An attack, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttackStatus {
    /// Counts up within a devnet's life.
    pub id: u64,
    /// What was asked for, with everything that was left open.
    pub plan: AttackPlan,
    /// When it was asked for.
    pub t: Time,
    /// The same by the wall clock: milliseconds since 1970.
    pub unix_ms: u64,
    /// Whether nodes tell what became of packets. If not, only their counters speak.
    pub trace: bool,
    /// What was done; none as long as nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<AttackDeed>,
    /// What nodes did with the packet, hop by hop. Of a replayed one what its next hop did with it and
    /// with its copies.
    #[serde(default)]
    pub seen: Vec<Sighting>,
    /// What isolating came to; only of that, when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// Counters of dropped packets that have risen since.
    #[serde(default)]
    pub counted: Vec<DropsCounted>,
    /// Names of nodes whose process ended meanwhile. What they knew of the packet is lost.
    #[serde(default)]
    pub ended: Vec<String>,
    /// How it ended; none as long as it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<AttackEnd>,
}

/// What an attack did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "deed", rename_all = "kebab-case")]
pub enum AttackDeed {
    /// A packet was sent again.
    Replayed {
        /// When the packet itself went.
        t: Time,
        /// Its print.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        packet: Print,
        /// How many copies were sent.
        copies: u32,
        /// When the last of them was.
        last: Time,
    },
    /// A bit was changed.
    Flipped {
        /// When the packet went.
        t: Time,
        /// Its print as its node sent it.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        before: Print,
        /// Its print as it went. That is of the header alone.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        after: Print,
    },
    /// A packet left out a layer.
    Skipped {
        /// When it was sent.
        t: Time,
        /// Its print.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        packet: Print,
        /// Names of its hops.
        route: Vec<String>,
    },
    /// Packets were held back.
    Held {
        /// When all others were cut off.
        from: Time,
        /// Until when.
        until: Time,
        /// Names of the nodes whose packets were held back.
        nodes: Vec<String>,
        /// How many packets waited at the end, and went then.
        packets: u64,
        /// How many found no place and were dropped.
        lost: u64,
        /// Names of nodes that were not cut off, because they do not run or do not take it.
        not_held: Vec<String>,
    },
}

/// What a node did with a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "sighting", rename_all = "kebab-case")]
pub enum Sighting {
    /// A mixnode passed it on.
    Passed {
        /// The mixnode.
        node: String,
        /// When it came.
        came: Time,
        /// When it left.
        left: Time,
        /// Where to.
        to: String,
    },
    /// A node gave it up.
    Dropped {
        /// The node.
        node: String,
        /// When.
        t: Time,
        /// Why, in the word of the node's counters.
        reason: String,
    },
    /// A provider stored it.
    Kept {
        /// The provider.
        node: String,
        /// When.
        t: Time,
        /// For this client.
        client: String,
    },
    /// A client took it for the acknowledgement that it was.
    Acknowledged {
        /// The client, or the crowd.
        node: String,
        /// When.
        t: Time,
    },
}

/// What isolating a mixnode came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Isolation {
    /// Packets that waited in the mixnode when the others were cut off, as far as they have left since.
    pub pool: u32,
    /// How long it took until the last of them had left, in microseconds.
    pub drained_us: u64,
    /// Packets that the client sent to the mixnode meanwhile.
    pub sent: u32,
    /// Packets that came to the mixnode meanwhile.
    pub came: u32,
    /// The first packet that came when nothing else waited there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<Alone>,
}

/// A packet that was alone in a mixnode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alone {
    /// When it came.
    pub came: Time,
    /// When it left.
    pub left: Time,
    /// Where to.
    pub to: String,
}

/// A counter of dropped packets that has risen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DropsCounted {
    /// Name of the node.
    pub node: String,
    /// Its word.
    pub reason: String,
    /// By how much.
    pub packets: u64,
}

/// How an attack ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttackEnd {
    /// When.
    pub t: Time,
    /// In one word.
    pub verdict: Verdict,
    /// Why nothing was done, or why nothing is known, as a sentence without a full stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How an attack ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A node noticed, and gave the packet up.
    Stopped,
    /// Nobody noticed, because there was nothing that could be damaged or recognised.
    Harmless,
    /// It went through.
    Through,
    /// What came of it is not known.
    Unknown,
    /// It was not carried out.
    NotDone,
}

impl Verdict {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Harmless => "harmless",
            Self::Through => "through",
            Self::Unknown => "unknown",
            Self::NotDone => "not done",
        }
    }
}

impl AttackStatus {
    /// How it ended, if it has.
    pub fn verdict(&self) -> Option<Verdict> {
        self.end.as_ref().map(|end| end.verdict)
    }

    /// Whether it came to what is to be expected: a defence answered, or the attack is one that nothing
    /// stands against and it showed that.
    pub fn is_as_expected(&self) -> bool {
        match self.verdict() {
            Some(Verdict::Stopped | Verdict::Harmless) => true,
            Some(Verdict::Through) => matches!(self.plan, AttackPlan::Isolate { .. }),
            Some(Verdict::Unknown | Verdict::NotDone) | None => false,
        }
    }
}
