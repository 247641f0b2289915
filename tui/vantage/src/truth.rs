//! What only the devnet knows, beside what the observer thought. Nothing of it goes back to the observer.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use anonymity::{Calibrated, Calibration, Fit, HopGauge, NodeId, Posterior, Sighting};
use contract::Time;
use control::{Carried, Origin};
use serde::Serialize;

use crate::names::Names;

/// How many packets are kept of which guess and truth are known: a screen of them.
pub const MAX_REVEALED: usize = 64;

/// Suspects that are named of each.
const NAMED: usize = 5;

/// Origins that wait for the observer to see their packets come out: two seconds of what is told.
const MAX_WAITING: usize = 256;

/// A packet that came out at a provider: what the observer thought, and what was true.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Revealed {
    /// When it left the last mixnode.
    pub t: Time,
    /// Which mixnode.
    pub mix: String,
    /// To which provider.
    pub provider: String,
    /// To whom it was pushed, if the observer could tell.
    pub recipient: Option<String>,
    /// Bits of uncertainty about its sender.
    pub bits: f64,
    /// The likeliest senders with their probabilities, the likeliest first.
    pub suspects: Vec<(String, f64)>,
    /// Who sent it.
    pub sender: String,
    /// What it was.
    pub carried: Carried,
    /// The probability that was given to that sender.
    pub given: f64,
}

/// The truth, as far as the stream told it.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    waiting: HashMap<Sighting, (NodeId, Carried)>,
    calibration: Calibration,
    gauge: HopGauge,
    revealed: VecDeque<(Sighting, Revealed)>,
    /// Who really wrote to whom, of all that was revealed.
    messages: u64,
}

impl Truth {
    /// Whose packets they were was told.
    pub(crate) fn told(&mut self, packets: &[Origin], names: &Names) {
        for packet in packets {
            // An acknowledgement has no sender whom anybody looks for.
            if packet.carried == Carried::Ack {
                continue;
            }
            let (mix, provider) = (names.find(&packet.mix), names.find(&packet.provider));
            let (Some(src), Some(dst), Some(sender)) = (mix, provider, names.find(&packet.origin))
            else {
                continue;
            };
            if self.waiting.len() == MAX_WAITING {
                // Of packets that the observer never saw.
                self.waiting.clear();
            }
            let t = Duration::from_nanos(packet.left.as_nanos());
            self.waiting.insert(Sighting { t, src, dst }, (sender, packet.carried));
        }
    }

    /// How long packets really waited was told.
    pub(crate) fn waited(&mut self, waits_us: &[u64]) {
        let seconds: Vec<f64> =
            waits_us.iter().map(|us| Duration::from_micros(*us).as_secs_f64()).collect();
        self.gauge.add(&seconds);
    }

    /// Delays are other ones from now on.
    pub(crate) fn forget_waits(&mut self) {
        self.gauge.clear();
    }

    /// Somebody else guesses from now on. What that one before thought was not this one's.
    pub(crate) fn forget_guesses(&mut self) {
        self.revealed.clear();
        self.calibration = Calibration::default();
    }

    /// A packet came out, of which the observer thinks this.
    pub(crate) fn came_out(&mut self, came: Sighting, posterior: &Posterior<'_>, names: &Names) {
        let Some((sender, carried)) = self.waiting.remove(&came) else { return };
        let Some(anonymity) = posterior.anonymity() else { return };
        self.calibration.reveal(came.t, posterior, anonymity::Truth { sender });
        self.messages += u64::from(carried == Carried::Message);
        if self.revealed.len() == MAX_REVEALED {
            self.revealed.pop_front();
        }
        let suspects = posterior.likeliest(NAMED).into_iter();
        let revealed = Revealed {
            t: Time::from_nanos(u64::try_from(came.t.as_nanos()).unwrap_or(u64::MAX)),
            mix: names.name(came.src).to_owned(),
            provider: names.name(came.dst).to_owned(),
            recipient: None,
            bits: anonymity.bits,
            suspects: suspects.map(|(node, p)| (names.name(node).to_owned(), p)).collect(),
            sender: names.name(sender).to_owned(),
            carried,
            given: posterior.of(sender),
        };
        self.revealed.push_back((came, revealed));
    }

    /// The observer saw for whom it was.
    pub(crate) fn delivered(&mut self, came: Sighting, recipient: &str) {
        let found = self.revealed.iter_mut().rev().find(|(sighting, _)| *sighting == came);
        if let Some((_, revealed)) = found {
            revealed.recipient = Some(recipient.to_owned());
        }
    }

    /// Guess beside truth, oldest first.
    pub fn revealed(&self) -> impl DoubleEndedIterator<Item = &Revealed> {
        self.revealed.iter().map(|(_, revealed)| revealed)
    }

    /// Packets of messages among all that was ever revealed.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Whether the observer knows as much as it thinks; none before anything was revealed.
    pub fn calibrated(&self, now: Duration, window: Duration) -> Option<Calibrated> {
        self.calibration.over(now, window)
    }

    /// Whether delays are as random as all figures suppose; none with too few of them.
    pub fn delays(&self) -> Option<Fit> {
        self.gauge.fit()
    }
}
