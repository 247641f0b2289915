//! Doubts as sentences, for people.

use std::time::Duration;

use anonymity::Doubt;

/// Why not to believe a figure.
pub(crate) fn sentence(doubt: &Doubt, now: Duration) -> String {
    match doubt {
        Doubt::Disturbed { at } => format!(
            "{} s ago events were lost or a node died: packets of before are \
             counted wrongly until they are out",
            now.saturating_sub(*at).as_secs()
        ),
        Doubt::Unknown { share } => {
            format!("of {:.0} % of packets nothing is known", share * 100.0)
        }
        Doubt::Sizes { count } => format!(
            "packets have {count} sizes and can be told apart by them: the bits are upper bounds"
        ),
        Doubt::Delays { distance } => format!(
            "delays at mixnodes are not exponential (distance {distance:.2}): old and new packets \
             can be told apart"
        ),
        Doubt::Uncalibrated { by } => format!(
            "true senders were given {by:+.3} more than expected: the observer is wrong about what \
             it knows"
        ),
    }
}

/// The same of settings that were changed so many seconds ago.
pub(crate) fn changing(ago_s: f64) -> String {
    format!("settings changed {ago_s:.0} s ago: packets of before are still underway")
}
