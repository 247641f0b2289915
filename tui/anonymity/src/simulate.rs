//! A network that runs in no time: packets come and go as in a real one, and the observer watches.
//!
//! It tells what to expect where no formula does, and is what the observer is tested on. Everything in
//! it is a function of its [`Setup`] and a seed.

mod network;

use std::collections::BTreeSet;
use std::time::Duration;

pub use self::network::{Happening, Known, Simulator};
use crate::adversary::Adversary;
use crate::calibration::{Calibrated, Calibration, Truth};
use crate::event::NodeId;
use crate::numbers::real;
use crate::observer::{Finding, Observer, Settings};
use crate::series::Step;

/// A network that is simulated: all senders alike, random routes, exponential delays.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// Hops of a route.
    pub layers: u8,
    /// Mixnodes of a layer.
    pub width: u16,
    /// Providers; each sender has one, in turn.
    pub providers: u16,
    /// Senders.
    pub senders: u16,
    /// Packets per second of each, cover included.
    pub rate: f64,
    /// Mean delay of a hop in seconds.
    pub delay: f64,
    /// Whether providers acknowledge what they get.
    pub acks: bool,
    /// Corrupt mixnodes, by layer (from 1) and by number in it (from 0).
    pub corrupt: Vec<(u8, u16)>,
    /// Two who write to each other's mailbox; all others send loops to themselves.
    pub conversation: Option<Conversation>,
}

/// One sender who writes to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conversation {
    /// Who writes, by number from 0.
    pub from: u16,
    /// To whom.
    pub to: u16,
    /// Messages per second.
    pub rate: f64,
    /// Whether messages take the place of cover, so that the writer sends as much as everybody. If not,
    /// messages are all that he sends.
    pub covered: bool,
}

impl Setup {
    /// A network at the classic rates (three packets a second, 200 ms a hop), with one provider, without
    /// acknowledgements.
    pub fn classic(senders: u16, width: u16, layers: u8) -> Self {
        Self {
            layers,
            width,
            providers: 1,
            senders,
            rate: 3.0,
            delay: 0.2,
            acks: false,
            corrupt: Vec::new(),
            conversation: None,
        }
    }

    /// A mixnode, by layer (from 1) and number in it (from 0).
    pub fn mix(&self, layer: u8, number: u16) -> NodeId {
        NodeId((u16::from(layer) - 1) * self.width + number)
    }

    /// A provider, by number from 0.
    pub fn provider(&self, number: u16) -> NodeId {
        NodeId(u16::from(self.layers) * self.width + number)
    }

    /// A sender, by number from 0.
    pub fn sender(&self, number: u16) -> NodeId {
        NodeId(self.provider(self.providers).0 + number)
    }

    /// A global observer to whom the corrupt mixnodes tell, with no need to wait: a simulator tells in
    /// order.
    pub fn observer(&self) -> Observer {
        let corrupt = self.corrupt.iter().map(|&(layer, number)| self.mix(layer, number)).collect();
        let mut observer = Observer::new(Settings {
            adversary: Adversary::Global { corrupt, curious: BTreeSet::new() },
            reorder: Duration::ZERO,
            delay: Some(Duration::from_secs_f64(self.delay)),
        });
        for observation in network::topology(self) {
            observer.take(observation);
        }
        observer
    }
}

/// What an observer found out about a simulated network.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Bits of who sent a packet.
    pub sender_bits: Step,
    /// Bits of where a packet came out.
    pub packet_bits: Step,
    /// Probabilities beside the truth.
    pub calibrated: Option<Calibrated>,
    /// Packets that wait at a mixnode, on average over time and mixnodes.
    pub pool: f64,
    /// Variance of that over its mean.
    pub dispersion: f64,
    /// Packets that a leaving one sees, itself included.
    pub seen: f64,
    /// The share of time in which a mixnode is empty.
    pub empty: f64,
    /// Entropy of what leaves one mixnode, in bits.
    pub mix_bits: f64,
}

/// Watches a network for so many seconds after `warm_up`. That should be six times the mean way through:
/// the first packets meet an empty network, and by then they have come out.
///
/// At most an hour, warm-up included: figures are kept that long, those of pools [two minutes](crate::SHORT).
pub fn simulate(setup: &Setup, seed: u64, warm_up: u32, seconds: u32) -> Outcome {
    let begin = Duration::from_secs(warm_up.into());
    let window = Duration::from_secs(seconds.into());
    let mut observer = setup.observer();
    let mut calibration = Calibration::default();
    let mut pools = Vec::new();
    for happening in Simulator::new(setup, seed) {
        let t = happening.link.t;
        if t >= begin + window {
            break;
        }
        happening.tell(&mut observer);
        observer.advance(t, &mut |finding| {
            if let Finding::CameOut { came, posterior } = finding
                && !happening.known.is_ack
            {
                let truth = Truth { sender: happening.known.origin };
                calibration.reveal(came.t, &posterior, truth);
            }
        });
    }
    // The last step that was watched whole.
    let last = (begin + window).saturating_sub(Duration::from_nanos(1));
    for (_, _, pool) in observer.mixes() {
        pools.extend(pool.figures(last, window));
    }
    let mean = |of: fn(&crate::pool::PoolFigures) -> f64| {
        pools.iter().map(of).sum::<f64>() / real(pools.len().max(1))
    };
    let figures = observer.figures();
    Outcome {
        sender_bits: figures.sender_bits.over(last, window),
        packet_bits: figures.packet_bits.over(last, window),
        calibrated: calibration.over(last, window),
        pool: mean(|pool| pool.mean),
        dispersion: mean(|pool| pool.dispersion),
        seen: mean(|pool| pool.seen),
        empty: mean(|pool| pool.empty),
        mix_bits: mean(|pool| pool.entropy),
    }
}
