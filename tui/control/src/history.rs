//! What mixnodes carried before somebody looked: the directory's history under the names of a devnet.

use serde::{Deserialize, Serialize};

/// What every mixnode reported in the last seconds, in steps of equal length.
///
/// The counts are packets per step, not rates: they can be added up without an error, and divided by
/// `step_s` they are rates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    /// When the first step begins, by the directory's clock: milliseconds since 1970, a multiple of the
    /// step. The last step is the present one, which still fills.
    pub since_unix_ms: u64,
    /// Length of a step in seconds.
    pub step_s: u64,
    /// Who reported in this time.
    pub nodes: Vec<NodeHistory>,
}

/// What one mixnode reported: two curves of the same length, one entry per step, oldest first.
///
/// An entry is `null` where no report came in that step: a gap in the curve is not a zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeHistory {
    /// Its name; its key if it is not of this devnet, or not any more.
    pub node: String,
    /// Packets taken in each step.
    pub received: Vec<Option<u64>>,
    /// Packets passed on in each step, to all next hops together.
    pub sent: Vec<Option<u64>>,
}
