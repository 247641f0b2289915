//! JSON types of the directory: what nodes post, what everybody reads, and the events of
//! `/ws/events`. Types only, so that a program can speak to a directory without its server.
//!
//! Names and key order are those of the Nym directory of 2020 (v0.5.0 and v0.7.0).

mod events;
mod history;
mod metrics;
mod presence;

pub use events::{Frame, ListName, Topic, Update};
pub use history::{MetricsHistory, NodeHistory};
pub use metrics::{MixMetric, MixMetricReport};
pub use presence::{
    CocoNodePresence, CocoNodeReport, Departure, GatewayPresence, MixNodeKey, MixNodePresence,
    MixNodeReport, MixProviderPresence, MixProviderReport, RegisteredClient, Topology,
};

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often a node announces itself.
pub const PRESENCE_INTERVAL: Duration = Duration::from_millis(1500);

/// A node is *late* when it has missed two announcements and the half of a third.
pub const LATE_AFTER: Duration = Duration::from_millis(3750);

/// The directory forgets a node this long after its last announcement.
pub const PRESENCE_TIMEOUT: Duration = Duration::from_secs(10);

/// Most clients that a provider announces; a record with more is refused. Each is 60 bytes in every
/// topology.
pub const MAX_REGISTERED_CLIENTS: usize = 8192;

/// Most clients of all providers in one list together; an announcement with which there would be more
/// is refused. A devnet has at most 1100, each in the lists of one provider.
pub const MAX_LISTED_CLIENTS: usize = 16_384;

/// Bytes of the topology as JSON, and of a snapshot. The lists of the directory are bounded so that
/// they stay below it, even if every character has to be escaped.
pub const MAX_TOPOLOGY_BYTES: usize = 8 << 20;

/// How often a mixnode reports its packets.
pub const METRICS_INTERVAL: Duration = Duration::from_secs(1);

/// The answer to everything that was accepted, and to the health check: `{"ok":true}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accepted {
    /// Always true.
    pub ok: bool,
}

/// The answer to everything that was refused: `{"error":"…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refused {
    /// What was wrong.
    pub error: String,
}

/// Paths of the directory's routes.
pub mod paths {
    /// GET: is the directory there?
    pub const HEALTHCHECK: &str = "/api/healthcheck";
    /// GET: everything that is present.
    pub const TOPOLOGY: &str = "/api/presence/topology";
    /// POST: a validator is present.
    pub const COCONODES: &str = "/api/presence/coconodes";
    /// POST: a mixnode is present.
    pub const MIXNODES: &str = "/api/presence/mixnodes";
    /// POST: a store-and-forward provider is present (v0.5).
    pub const MIXPROVIDERS: &str = "/api/presence/mixproviders";
    /// POST: a gateway is present (v0.7).
    pub const GATEWAYS: &str = "/api/presence/gateways";
    /// POST: a node says that it leaves. Not in the original.
    pub const LEAVE: &str = "/api/presence/leave";
    /// POST: let a mixnode into the topology again (v0.7).
    pub const ALLOW: &str = "/api/presence/allow";
    /// POST: keep a mixnode out of the topology (v0.7).
    pub const DISALLOW: &str = "/api/presence/disallow";
    /// GET: mixnodes that are present and disallowed (v0.7).
    pub const DISALLOWED: &str = "/api/presence/disallowed";
    /// POST a mixnode's counts, GET those of the last window.
    pub const METRICS: &str = "/api/metrics/mixes";
    /// GET: what mixnodes reported in the last hour. Not in the original.
    pub const HISTORY: &str = "/api/metrics/history";
    /// GET: the state of directory and mixnet for Prometheus. Not in the original.
    pub const PROMETHEUS: &str = "/metrics";
    /// Websocket: the original's metric messages.
    pub const WS: &str = "/ws";
    /// Websocket: numbered events with a snapshot first. Not in the original.
    pub const EVENTS: &str = "/ws/events";
    /// GET: JSON Schema of those events. Not in the original.
    pub const EVENTS_SCHEMA: &str = "/ws/events/schema.json";
}
