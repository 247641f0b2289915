//! How many bits to expect, from the network's parameters alone.
//!
//! All of it is the fluid limit: pools so large that their fluctuations do not matter. See
//! [`Expected::is_reliable`]; where it is not, [`simulate`](crate::simulate::simulate) tells.

use std::f64::consts::E;

use super::MAX_HOPS;
use crate::numbers::{bits, digamma, ln_gamma};

/// A pool for which the fluid limit is right to a tenth of a bit: with six packets it promises 0.06 bits
/// too many, with three 0.1, or 0.2 in a layer of two (three layers, simulated).
pub const RELIABLE_POOL: f64 = 5.0;

/// A network as the formulas see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Packets per second of all senders, all their streams together (Λ).
    pub rate: f64,
    /// Packets per second that are no sender's: acknowledgements. They fill pools.
    pub acknowledgements: f64,
    /// Mean delay of a hop in seconds (θ).
    pub delay: f64,
    /// Hops of a route.
    pub layers: u8,
    /// Mixnodes of a layer.
    pub width: u32,
}

/// An expected entropy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// In bits.
    pub bits: f64,
    /// Whether pools are large enough for it, and the network not too wide for its pools.
    pub is_reliable: bool,
}

impl Shape {
    /// The expected number of packets that wait at a mixnode (ρ).
    pub fn pool(&self) -> f64 {
        (self.rate + self.acknowledgements) * self.delay / f64::from(self.width.max(1))
    }

    /// The expected entropy of where a packet came out, counted in packets: log2 Λ + h(Erlang(L, θ)).
    ///
    /// A packet's time of exit has the Erlang density, and each packet that leaves in that time may be
    /// it. With one layer only those of its own mixnode may, hence Λ/W: log2(e·ρ), equation 13 of
    /// Danezis, *The Traffic Analysis of Continuous-Time Mixes* (2004). More layers were derived in the
    /// same way, and agree to a tenth of a bit with the simulations of Ben Guirat and Diaz, *Mixnet
    /// Optimization Methods* (PETS 2022).
    pub fn packet_entropy(&self) -> Expected {
        let rate =
            if self.layers <= 1 { self.rate / f64::from(self.width.max(1)) } else { self.rate };
        let bits = (rate.log2() + of_erlang(self.layers, self.delay)).max(0.0);
        Expected { bits, is_reliable: self.is_reliable() }
    }

    /// The expected entropy of who sent a packet that comes out, counted in senders. `rates` are theirs,
    /// in packets per second; other packets (acknowledgements) blur nothing once they are known as such.
    ///
    /// Each earlier packet is the one with a weight by its age, and the weights squared add up to
    /// C = ∫f²/Λ, the chance that two guesses by weight fall on the same packet (for Erlang delays
    /// C(2L−2, L−1) / (2^{2L−1} θ Λ)). Shares of senders made of such weights are taken for a Dirichlet
    /// distribution of the same total A = 1/C − 1, whose mean entropy is ψ(A + 1) − Σ q ψ(A·q + 1) for
    /// senders with shares q of the traffic. Derived here, and compared with simulations: right to 0.1
    /// bits where pools are large enough.
    pub fn sender_entropy(&self, rates: &[f64]) -> Expected {
        let total: f64 = rates.iter().sum();
        let collision = self.collision(total);
        let nats = if total <= 0.0 || collision >= 1.0 {
            0.0
        } else {
            let weight = collision.recip() - 1.0;
            let of_sender = |rate: &f64| {
                let share = rate / total;
                share * digamma(weight * share + 1.0)
            };
            digamma(weight + 1.0) - rates.iter().map(of_sender).sum::<f64>()
        };
        Expected { bits: bits(nats).max(0.0), is_reliable: self.is_reliable() }
    }

    /// The expected probability that the observer gives the true sender: what it gives the true packet,
    /// and the sender's part of the rest.
    pub fn share_of_true_sender(&self, rates: &[f64]) -> f64 {
        let total: f64 = rates.iter().sum();
        if total <= 0.0 {
            return 1.0;
        }
        let collision = self.collision(total).min(1.0);
        let same: f64 = rates.iter().map(|rate| (rate / total).powi(2)).sum();
        collision + (1.0 - collision) * same
    }

    /// The chance that two guesses by weight fall on the same of the senders' packets.
    fn collision(&self, rate: f64) -> f64 {
        let hops = self.layers.clamp(1, MAX_HOPS);
        let rate = if hops == 1 { rate / f64::from(self.width.max(1)) } else { rate };
        // C(2L−2, L−1) / 2^{2L−2}, the chance of as many heads as tails.
        let even: f64 =
            (1..hops).map(|i| (2.0 * f64::from(i) - 1.0) / (2.0 * f64::from(i))).product();
        let packets = rate * self.delay;
        if packets > 0.0 { even / (2.0 * packets) } else { 1.0 }
    }

    fn is_reliable(&self) -> bool {
        let pool = self.pool();
        // A packet that leaves could be anywhere in its layer only if a pool's entropy covers the layer.
        pool >= RELIABLE_POOL && (self.layers <= 1 || f64::from(self.width) <= E * pool)
    }
}

/// The expected entropy of what leaves one mixnode with so many packets waiting: log2(e·ρ), equation 13
/// of Danezis (2004). Too low below about two packets, where it may even be negative.
pub fn of_one_mix(pool: f64) -> f64 {
    (E * pool).log2()
}

/// Differential entropy of an Erlang distribution in bits, against a second:
/// `[L + ln θ + ln Γ(L) + (1 − L)·ψ(L)] / ln 2`.
pub(super) fn of_erlang(hops: u8, delay: f64) -> f64 {
    let hops = hops.clamp(1, MAX_HOPS);
    let shape = f64::from(hops);
    bits(shape + delay.ln() + ln_gamma(hops) + (1.0 - shape) * digamma(shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::{assert_near, assert_rounds};

    fn shape(rate: f64, delay: f64, layers: u8, width: u32) -> Shape {
        Shape { rate, acknowledgements: 0.0, delay, layers, width }
    }

    #[test]
    fn bits_of_each_number_of_layers() {
        let known = [std::f64::consts::LOG2_E, 2.2754, 2.6655, 2.9192, 3.1070, 3.2560, 3.3796];
        for (layers, bits) in (1..).zip(known) {
            assert_rounds(of_erlang(layers, 1.0), bits, 4);
        }
    }

    /// Against the points that were published for ten mixnodes a layer and 5000 packets a second.
    #[test]
    fn published_points() {
        for (layers, published) in [(1, 7.111), (5, 12.070), (10, 12.634), (15, 12.933)] {
            let expected = shape(5000.0, 0.1, layers, 10).packet_entropy();
            assert!(expected.is_reliable);
            assert_near(expected.bits, published, 0.1);
        }
        // A second from end to end, of which each link takes 50 ms.
        let published = [
            (1, 10.253),
            (2, 13.296),
            (3, 13.039),
            (4, 12.789),
            (5, 12.552),
            (10, 11.469),
            (18, 7.839),
        ];
        for (layers, published) in published {
            let delay = (1.0 - 0.05 * f64::from(layers + 1)) / f64::from(layers);
            assert_near(shape(5000.0, delay, layers, 10).packet_entropy().bits, published, 0.1);
        }
        for (layers, published) in [(2, 11.970), (3, 11.628), (4, 11.198), (5, 10.751)] {
            let delay = (0.5 - 0.05 * f64::from(layers + 1)) / f64::from(layers);
            assert_near(shape(5000.0, delay, layers, 10).packet_entropy().bits, published, 0.1);
        }
    }

    /// A hundred mixnodes a layer and 13 packets in each: 0.3 bits too many, and it says so.
    #[test]
    fn thin_and_wide_networks_are_not_relied_upon() {
        let wide = shape(5000.0, 0.8 / 3.0, 3, 100).packet_entropy();
        assert!(!wide.is_reliable && wide.bits > 12.73 + 0.2);
        assert!(!shape(100.0, 0.8 / 3.0, 3, 50).packet_entropy().is_reliable);
        assert!(shape(5000.0, 0.8 / 3.0, 3, 50).packet_entropy().is_reliable);
    }

    #[test]
    fn more_hops_of_the_same_whole_delay_blur_less() {
        let known = [(1, 6.613), (2, 6.445), (3, 6.250), (6, 5.841)];
        for (layers, bits) in known {
            let expected = shape(60.0, 0.6 / f64::from(layers), layers, 1).packet_entropy();
            assert_rounds(expected.bits, bits, 3);
        }
    }

    #[test]
    fn ten_clients_of_each_time() {
        for (rate, delay, bits) in
            [(3.0, 0.2, 5.25), (11.0, 0.1, 6.12), (55.0, 0.05, 7.45), (55.0, 0.015, 5.71)]
        {
            assert_rounds(shape(10.0 * rate, delay, 3, 2).packet_entropy().bits, bits, 2);
        }
    }

    /// The parameters of figure 4 of the Loopix paper, which is a drawing; the values were worked out
    /// elsewhere.
    #[test]
    fn one_mixnode_of_many_packets() {
        for (rate, mu, bits) in
            [(100.0, 200.0, 0.44), (300.0, 20.0, 5.35), (500.0, 2.0, 9.41), (100.0, 0.02, 13.73)]
        {
            assert_rounds(of_one_mix(rate / mu), bits, 2);
        }
    }

    /// Simulated: 20 clients, and 50, at three packets a second with 200 ms a hop.
    #[test]
    fn senders_among_whom_to_hide() {
        for (clients, width, bits, share) in
            [(10_u32, 1, 3.10, 0.129), (20, 2, 4.08, 0.066), (50, 2, 5.41, 0.026)]
        {
            let shape = shape(f64::from(clients) * 3.0, 0.2, 3, width);
            let rates = vec![3.0; clients as usize];
            let expected = shape.sender_entropy(&rates);
            assert!(expected.is_reliable);
            assert_near(expected.bits, bits, 0.1);
            assert_near(shape.share_of_true_sender(&rates), share, 0.005);
        }
        let one_hop = shape(60.0, 0.6, 1, 1);
        assert_near(one_hop.sender_entropy(&[3.0; 20]).bits, 4.13, 0.1);
        assert_near(Shape { width: 2, ..one_hop }.sender_entropy(&[3.0; 20]).bits, 3.92, 0.1);
    }

    #[test]
    fn nobody_to_hide_among() {
        let alone = shape(3.0, 0.2, 3, 1);
        assert_near(alone.sender_entropy(&[3.0]).bits, 0.0, 1e-9);
        assert_near(alone.share_of_true_sender(&[3.0]), 1.0, 1e-12);
        assert_near(alone.sender_entropy(&[]).bits, 0.0, 0.0);
        assert_near(shape(3.0, 0.0, 3, 1).sender_entropy(&[1.0, 2.0]).bits, 0.0, 0.0);
    }
}
