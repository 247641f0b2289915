//! What theory expects of a devnet's settings, before anything is measured.

use std::time::Duration;

use anonymity::theory::cover;
use anonymity::theory::delay::{Erlang, mean_latency};
use anonymity::theory::entropy::{Expected, Shape};
use control::DevnetInfo;
use serde::Serialize;

/// The parameters of a network that decide about anonymity: the knobs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// Mix layers.
    pub layers: u8,
    /// Mixnodes of a layer; the smallest layer's where they differ.
    pub width: u32,
    /// Everybody who sends: clients and identities of the crowd.
    pub senders: u32,
    /// Mean delay at a mixnode in seconds.
    pub hop_delay_s: f64,
    /// Mean interval of send slots in seconds.
    pub slot_s: f64,
    /// Mean interval of loop cover in seconds.
    pub loop_cover_s: f64,
    /// Whether slots without a message carry cover.
    pub slot_cover: bool,
    /// Whether providers acknowledge packets.
    pub acks: bool,
}

/// What to expect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Expectation {
    /// Packets per second that all senders send, cover included.
    pub rate: f64,
    /// Packets that wait at a mixnode.
    pub pool: f64,
    /// Bits about who sent a packet.
    pub sender_bits: f64,
    /// Bits about which packet it was.
    pub packet_bits: f64,
    /// Whether pools are large enough for the two formulas.
    pub is_reliable: bool,
    /// Mean seconds from sending to arriving, the wait for a slot included.
    pub latency_s: f64,
    /// Bytes per second that a client sends.
    pub cost_bytes_per_s: f64,
}

impl Settings {
    /// Those of a running devnet. Its clients are counted by who is there.
    pub fn of(info: &DevnetInfo, senders: usize) -> Self {
        Self {
            layers: info.layers,
            width: info.widths.iter().copied().min().unwrap_or(1).max(1).into(),
            senders: u32::try_from(senders).unwrap_or(u32::MAX),
            hop_delay_s: info.hop_delay_ms / 1000.0,
            slot_s: info.slot_ms / 1000.0,
            loop_cover_s: info.loop_cover_ms / 1000.0,
            slot_cover: info.slot_cover,
            acks: info.acks,
        }
    }

    /// Packets per second of one client: a slot carries a message or cover, so messages do not matter.
    /// Without cover in slots, those of a client that says nothing.
    pub fn rate_of_one(&self) -> f64 {
        let slots = if self.slot_cover { self.slot_s } else { 0.0 };
        [slots, self.loop_cover_s].into_iter().filter(|s| *s > 0.0).map(f64::recip).sum()
    }

    /// The mean delay of a hop.
    pub fn hop_delay(&self) -> Duration {
        Duration::try_from_secs_f64(self.hop_delay_s).unwrap_or_default()
    }

    /// How long a packet takes through all layers.
    pub fn way(&self) -> Erlang {
        Erlang::new(self.layers, self.hop_delay_s)
    }

    /// What to expect when each sends at the rates that are set.
    pub fn expected(&self, packet_bytes: u32) -> Expectation {
        let rate = f64::from(self.senders) * self.rate_of_one();
        self.expected_at(rate, if self.acks { rate } else { 0.0 }, packet_bytes)
    }

    /// What to expect when all together send so many packets a second, and so many are acknowledged.
    pub fn expected_at(&self, rate: f64, acks: f64, packet_bytes: u32) -> Expectation {
        let shape = Shape {
            rate,
            acknowledgements: acks,
            delay: self.hop_delay_s,
            layers: self.layers,
            width: self.width,
        };
        let senders = usize::try_from(self.senders).unwrap_or(usize::MAX);
        let rates = vec![rate / f64::from(self.senders.max(1)); senders.min(MAX_SENDERS)];
        let Expected { bits, is_reliable } = shape.sender_entropy(&rates);
        Expectation {
            rate,
            pool: shape.pool(),
            sender_bits: bits,
            packet_bits: shape.packet_entropy().bits,
            is_reliable,
            latency_s: mean_latency(self.slot_s.recip(), self.layers, self.hop_delay_s, 0.0),
            cost_bytes_per_s: cover::cost(self.rate_of_one(), packet_bytes),
        }
    }
}

/// More senders than an observer keeps apart.
const MAX_SENDERS: usize = anonymity::MAX_SOURCES;

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty clients at the classic rates in 2×3, from the table of simulations: 4.08 bits.
    #[test]
    fn the_classic_network_is_expected_to_hide_as_it_does() {
        let settings = Settings {
            layers: 3,
            width: 2,
            senders: 20,
            hop_delay_s: 0.2,
            slot_s: 0.5,
            loop_cover_s: 1.0,
            slot_cover: true,
            acks: false,
        };
        let expected = settings.expected(2396);
        assert!((expected.pool - 6.0).abs() < 1e-9, "{expected:?}");
        assert!((expected.sender_bits - 4.08).abs() < 0.1, "{expected:?}");
        assert!((expected.latency_s - 1.1).abs() < 1e-9, "{expected:?}");
        assert!((expected.cost_bytes_per_s - 7188.0).abs() < 1e-6, "{expected:?}");
        let acks = Settings { acks: true, ..settings }.expected(2396);
        assert!((acks.pool - 12.0).abs() < 1e-9, "{acks:?}");
        let lonely = Settings { senders: 1, ..settings }.expected(2396);
        assert!(lonely.sender_bits < 1e-9, "{lonely:?}");
    }
}
