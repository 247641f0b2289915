//! Means over time of what the observer knows: for "now", and for curves.

use std::time::Duration;

use crate::posterior::Posterior;
use crate::series::{LONG, Series};

/// Entropy takes a logarithm for each source. With more sources than this only every second packet that
/// comes out is measured, every third with twice as many, and so on: the mean stays what it is, and the
/// cost too. A thousand senders are still measured 180 times a second at the classic rates.
const ALL_MEASURED: usize = 64;

/// Below so many bits a sender is as good as certain: another one with one chance in a thousand is more.
const CERTAIN_BITS: f64 = 0.01;

/// Means over time. An adversary who sees one link has only [`sent`](Self::sent).
#[derive(Clone, Debug)]
pub struct Figures {
    /// Bits of who sent a packet that came out, each counted with the probability that it was a sender's.
    pub sender_bits: Series,
    /// The same in the worst case: −log2 of the likeliest sender's probability.
    pub worst_bits: Series,
    /// Probability of the likeliest sender: how often naming it is right.
    pub most: Series,
    /// Whether the sender is as good as certain, 1 or 0: the mean is how often that is.
    pub certain: Series,
    /// What the observer expects to give the true sender: Σ p².
    pub collision: Series,
    /// Bits of where a packet came out, of packets that were followed to the end.
    pub packet_bits: Series,
    /// The part of what came out of which nothing is known.
    pub unknown: Series,
    /// Packets of senders, each 1: their count is the rate.
    pub sent: Series,
    /// Packets that providers sent, each 1.
    pub acknowledged: Series,
    /// Packets that came out.
    came_out: usize,
}

impl Default for Figures {
    fn default() -> Self {
        let long = || Series::new(LONG);
        Self {
            sender_bits: long(),
            worst_bits: long(),
            most: long(),
            certain: long(),
            collision: long(),
            packet_bits: long(),
            unknown: long(),
            sent: long(),
            acknowledged: long(),
            came_out: 0,
        }
    }
}

impl Figures {
    pub(crate) fn came_out(&mut self, t: Duration, posterior: &Posterior<'_>) {
        self.unknown.add(t, posterior.unknown(), 1.0);
        self.came_out += 1;
        if !self.came_out.is_multiple_of(1 + posterior.sources.len() / ALL_MEASURED) {
            return;
        }
        if let Some(anonymity) = posterior.anonymity() {
            let share = posterior.sent_share();
            self.sender_bits.add(t, anonymity.bits, share);
            self.worst_bits.add(t, anonymity.worst_bits(), share);
            self.most.add(t, anonymity.most, share);
            let is_certain = anonymity.bits < CERTAIN_BITS;
            self.certain.add(t, f64::from(u8::from(is_certain)), share);
            self.collision.add(t, anonymity.collision, share);
        }
    }
}
