//! What nodes have counted.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::{Time, Transits};

/// Counters of a node. All count from the start of the process, so that a lost event loses nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeMetrics {
    /// When they were read.
    pub t: Time,
    /// Packets read from links (clients: delivered by the provider).
    pub received: u64,
    /// Packets written to links (providers: acknowledgements sent into layer 1).
    pub sent: u64,
    /// Packets given up, by reason: `malformed`, `mac`, `layer`, `unknown-hop`, `queue`, …
    pub dropped: BTreeMap<String, u64>,
    /// Mixnodes: packets waiting out their delay right now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<u64>,
    /// Mixnodes: how late packets left since the last report; none if none left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness: Option<Lateness>,
    /// Mixnodes and providers: how many seconds back every packet is remembered, so that a replay is
    /// known. A restart forgets all. None if replays are not looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_window: Option<u64>,
    /// Mixnodes: whether they report their packets to the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reports_metrics: Option<bool>,
    /// Clients and crowds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<TrafficCounters>,
    /// Clients and crowds: how long cover took from leaving until it came back. Packets by bucket: the
    /// one of number `n` begins at 2^(n/4) ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<BTreeMap<String, u64>>))]
    pub transits: Option<Transits>,
    /// Providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<MailboxCounters>,
}

/// By how much packets left later than their headers asked, since the last report, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lateness {
    /// How many left.
    pub packets: u64,
    /// Half of them were no later than this.
    pub median_us: u64,
    /// All but one in a hundred were no later than this.
    pub p99_us: u64,
}

/// What a client sent and got back, in packets since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrafficCounters {
    /// Packets with a fragment of a message, sent for the first time.
    pub real: u64,
    /// Packets with a fragment of a message, sent again.
    pub retransmitted: u64,
    /// Cover packets sent in place of a real one.
    pub cover: u64,
    /// Cover packets of the independent loop stream.
    pub loops: u64,
    /// Cover packets of either kind that came back.
    pub loops_returned: u64,
    /// Acknowledgements that came back.
    pub acks_returned: u64,
    /// Fragments that wait for their slot right now.
    pub queued: u64,
    /// Fragments sent and not yet acknowledged right now.
    pub unacknowledged: u64,
}

impl AddAssign for TrafficCounters {
    fn add_assign(&mut self, other: Self) {
        self.real += other.real;
        self.retransmitted += other.retransmitted;
        self.cover += other.cover;
        self.loops += other.loops;
        self.loops_returned += other.loops_returned;
        self.acks_returned += other.acks_returned;
        self.queued += other.queued;
        self.unacknowledged += other.unacknowledged;
    }
}

/// What a provider holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MailboxCounters {
    /// Registered clients.
    pub clients: u64,
    /// Clients connected right now.
    pub online: u64,
    /// Packets stored since the start.
    pub stored: u64,
    /// Packets that their client confirmed since the start.
    pub delivered: u64,
    /// Packets waiting for their client right now.
    pub waiting: u64,
}
