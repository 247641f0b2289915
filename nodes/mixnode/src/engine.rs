//! The mixnode itself: takes packets, lets them wait, says where they go. No sockets, no clock.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use contract::Time;
use runtime::{Network, Place, Places};
use sphinx::{HopProcessor, Unwrapped};
use wire::NodeAddress;

/// Most packets that wait at once: 20 MB. At the classic mean delay of 200 ms that is 40 000 packets
/// a second, more than one core unwraps.
pub const MAX_POOL: usize = 8192;

/// The longest delay that a header may ask for. An honest sender with a mean of 10 s exceeds it once
/// in 10^13 packets.
pub const MAX_DELAY: Duration = Duration::from_secs(300);

/// How long a packet for an unknown next hop is held while the topology is fetched.
pub const UNKNOWN_HOP_HOLD: Duration = Duration::from_secs(1);

/// Why a packet was given up. The words are those of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Not a Sphinx packet, or its routing information makes no sense.
    Malformed,
    /// The MAC of the header is wrong.
    Mac,
    /// It asks for a delay beyond [`MAX_DELAY`].
    Delay,
    /// It ends at a mixnode.
    FinalHop,
    /// The pool is full.
    PoolFull,
    /// Its next hop is in the wrong layer: layers cannot be skipped.
    Layer,
    /// Nobody knows its next hop.
    UnknownHop,
}

impl DropReason {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Mac => "mac",
            Self::Delay => "delay",
            Self::FinalHop => "final-hop",
            Self::PoolFull => "pool-full",
            Self::Layer => "layer",
            Self::UnknownHop => "unknown-hop",
        }
    }
}

/// What a mixnode wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this packet.
    Forward {
        /// To this node.
        to: NodeAddress,
        /// The packet.
        packet: Vec<u8>,
    },
    /// Fetch the topology now: a packet waits for a next hop that nobody knows.
    RefreshTopology,
}

/// Packets since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Taken from links, those that are dropped included.
    pub received: u64,
    /// Passed on, by next hop.
    pub sent: BTreeMap<SocketAddr, u64>,
    /// Given up, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
}

/// A mixnode of one layer.
#[derive(Debug)]
pub struct Mixnode {
    processor: HopProcessor,
    layer: u8,
    layers: u8,
    /// By the moment at which they leave, then by the order in which they came.
    pool: BTreeMap<(Time, u64), Waiting>,
    /// Packets whose delay is over and whose next hop is unknown, in the order of their deadlines.
    held: VecDeque<Held>,
    places: Places,
    /// Whether the view of the network is newer than the last look at what is held.
    network_is_new: bool,
    /// When the topology was last asked for.
    refresh_asked: Option<Time>,
    counters: Counters,
    sequence: u64,
}

#[derive(Debug)]
struct Waiting {
    to: NodeAddress,
    packet: Vec<u8>,
}

#[derive(Debug)]
struct Held {
    until: Time,
    to: NodeAddress,
    packet: Vec<u8>,
}

impl Mixnode {
    /// A mixnode of `layer` in a network of `layers`.
    pub fn new(processor: HopProcessor, layer: u8, layers: u8) -> Self {
        Self {
            processor,
            layer,
            layers,
            pool: BTreeMap::new(),
            held: VecDeque::new(),
            places: Places::default(),
            network_is_new: false,
            refresh_asked: None,
            counters: Counters::default(),
            sequence: 0,
        }
    }

    /// Takes a packet that came now.
    pub fn take(&mut self, now: Time, packet: &[u8]) {
        self.counters.received += 1;
        match self.processor.unwrap(packet) {
            Ok(Unwrapped::Forward { next, delay, packet }) => {
                if delay > MAX_DELAY {
                    self.drop_packet(DropReason::Delay);
                } else {
                    self.sequence += 1;
                    self.pool.insert((now + delay, self.sequence), Waiting { to: next, packet });
                    // The one that would stay longest goes: whoever fills the pool with long delays
                    // must not keep the others out.
                    if self.pool() > MAX_POOL {
                        self.pool.pop_last();
                        self.drop_packet(DropReason::PoolFull);
                    }
                }
            }
            Ok(Unwrapped::Final { .. }) => self.drop_packet(DropReason::FinalHop),
            Err(sphinx::UnwrapError::Mac) => self.drop_packet(DropReason::Mac),
            Err(_) => self.drop_packet(DropReason::Malformed),
        }
    }

    /// Takes a new view of the network.
    pub fn set_network(&mut self, now: Time, network: &Network) {
        self.places.update(now, network);
        self.network_is_new = true;
    }

    /// Everything that is due.
    pub fn poll(&mut self, now: Time) -> Vec<Output> {
        let mut outputs = Vec::new();
        if std::mem::take(&mut self.network_is_new) {
            for held in std::mem::take(&mut self.held) {
                match self.places.find(now, held.to.0) {
                    Some(place) => outputs.extend(self.leave(place, held.to, held.packet)),
                    None => self.held.push_back(held),
                }
            }
        }
        while self.held.front().is_some_and(|held| held.until <= now) {
            self.held.pop_front();
            self.drop_packet(DropReason::UnknownHop);
        }
        while let Some(first) = self.pool.first_entry()
            && first.key().0 <= now
        {
            let waiting = first.remove();
            if let Some(place) = self.places.find(now, waiting.to.0) {
                outputs.extend(self.leave(place, waiting.to, waiting.packet));
            } else {
                if self.refresh_asked.is_none_or(|asked| asked + UNKNOWN_HOP_HOLD <= now) {
                    self.refresh_asked = Some(now);
                    outputs.push(Output::RefreshTopology);
                }
                let until = now + UNKNOWN_HOP_HOLD;
                self.held.push_back(Held { until, to: waiting.to, packet: waiting.packet });
            }
        }
        outputs
    }

    /// When to poll next.
    pub fn next_wake(&self) -> Option<Time> {
        let waiting = self.pool.first_key_value().map(|((until, _), _)| *until);
        let held = self.held.front().map(|held| held.until);
        waiting.into_iter().chain(held).min()
    }

    /// Packets waiting right now.
    pub fn pool(&self) -> usize {
        self.pool.len() + self.held.len()
    }

    /// Packets since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Lets a packet leave if its next hop is where a packet of this layer may go.
    fn leave(&mut self, place: Place, to: NodeAddress, packet: Vec<u8>) -> Option<Output> {
        let allowed =
            if self.layer == self.layers { Place::Provider } else { Place::Layer(self.layer + 1) };
        if place != allowed {
            self.drop_packet(DropReason::Layer);
            return None;
        }
        *self.counters.sent.entry(to.0).or_default() += 1;
        Some(Output::Forward { to, packet })
    }

    fn drop_packet(&mut self, reason: DropReason) {
        *self.counters.dropped.entry(reason).or_default() += 1;
    }
}
