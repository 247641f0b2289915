//! A packet that came out a moment ago, and who may have sent it: one guess to look at.

use std::time::Duration;

use anonymity::{Posterior, Sighting};
use contract::Time;
use serde::Serialize;

use crate::names::Names;

/// How often another packet is taken: nobody reads faster, and to put all senders in order for each of
/// thousands of packets would cost more than all else.
const PAUSE: Duration = Duration::from_millis(250);

/// Suspects that are named.
const NAMED: usize = 8;

/// A packet that came out at a provider, as the observer sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Latest {
    /// When it left the last mixnode.
    pub t: Time,
    /// Which mixnode.
    pub mix: String,
    /// To which provider.
    pub provider: String,
    /// Bits of uncertainty about its sender.
    pub bits: f64,
    /// The likeliest senders with their probabilities, the likeliest first.
    pub suspects: Vec<(String, f64)>,
}

impl Latest {
    /// Takes another packet instead if it is time for one, and if anything is known of it.
    pub(crate) fn renew(
        latest: &mut Option<Self>,
        came: Sighting,
        posterior: &Posterior<'_>,
        names: &Names,
    ) {
        let t = Time::from_nanos(u64::try_from(came.t.as_nanos()).unwrap_or(u64::MAX));
        if latest.as_ref().is_some_and(|latest| t.saturating_since(latest.t) < PAUSE) {
            return;
        }
        let Some(anonymity) = posterior.anonymity() else { return };
        let suspects = posterior.likeliest(NAMED).into_iter();
        *latest = Some(Self {
            t,
            mix: names.name(came.src).to_owned(),
            provider: names.name(came.dst).to_owned(),
            bits: anonymity.bits,
            suspects: suspects.map(|(node, p)| (names.name(node).to_owned(), p)).collect(),
        });
    }
}
