//! History: what mixnodes reported in the last hour, in steps of equal length.

use serde::{Deserialize, Serialize};

/// What every mixnode reported since some moment: the curves that a dashboard which is opened late
/// would have drawn itself.
///
/// The counts are packets per step, not rates: they can be added up without an error, and divided by
/// `step` they are rates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricsHistory {
    /// When the first step begins: nanoseconds since 1970, a multiple of the step. Step number `n`
    /// begins `n × step` seconds later; the last one is the present one, which still fills.
    pub since: i64,
    /// Length of a step in whole seconds.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub step: u64,
    /// Who reported in this time, sorted by key.
    pub nodes: Vec<NodeHistory>,
}

/// What one mixnode reported: two curves of the same length, one entry per step, oldest first.
///
/// An entry is `null` where no report came in that step: a gap in the curve is not a zero. A report
/// counts in the step in which the directory got it, although it tells of the second before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeHistory {
    /// Key of the mixnode, base58.
    pub pub_key: String,
    /// Packets taken in each step.
    pub received: Vec<Option<u64>>,
    /// Packets passed on in each step, to all next hops together.
    pub sent: Vec<Option<u64>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_null_in_both_curves() {
        let node = NodeHistory {
            pub_key: "m".into(),
            received: vec![Some(0), None, Some(7)],
            sent: vec![Some(1), None, Some(6)],
        };
        let history = MetricsHistory { since: 20_000_000_000, step: 10, nodes: vec![node] };
        let json = serde_json::to_string(&history).expect("JSON");
        assert_eq!(
            json,
            r#"{"since":20000000000,"step":10,"nodes":[{"pubKey":"m","received":[0,null,7],"sent":[1,null,6]}]}"#
        );
        assert_eq!(serde_json::from_str::<MetricsHistory>(&json).expect("history"), history);
    }
}
