//! Metrics: how many packets a mixnode took and passed on in its last interval.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a mixnode posts once a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MixMetricReport {
    /// Its key, base58.
    pub pub_key: String,
    /// Packets passed on in this interval, by address of the next hop.
    pub sent: BTreeMap<String, u64>,
    /// Packets taken in this interval.
    pub received: u64,
}

/// The same with the directory's time: what `/ws` and the list carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MixMetric {
    /// Key of the mixnode, base58.
    pub pub_key: String,
    /// Packets passed on in this interval, by address of the next hop.
    pub sent: BTreeMap<String, u64>,
    /// Packets taken in this interval.
    pub received: u64,
    /// When the directory got it: nanoseconds since 1970.
    pub timestamp: i64,
}
