//! The mixnode itself: takes packets, lets them wait, says where they go. No sockets, no clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use contract::Time;
use runtime::{Network, Place};
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

/// How long a next hop is still accepted after it vanished from the topology: packets on their way
/// were made with an older one.
pub const VANISHED_HOP_GRACE: Duration = Duration::from_secs(30);

/// Most vanished next hops that are remembered.
const MAX_VANISHED: usize = 4096;

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
    pool: BinaryHeap<Reverse<Waiting>>,
    /// Packets whose delay is over and whose next hop is unknown, in the order of their deadlines.
    held: VecDeque<Held>,
    places: HashMap<SocketAddr, Place>,
    /// Former next hops with their place and the moment at which they are forgotten.
    vanished: HashMap<SocketAddr, (Place, Time)>,
    /// When the topology was last asked for, if it has not come since.
    refresh_asked: Option<Time>,
    counters: Counters,
    sequence: u64,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    until: Time,
    /// Keeps packets with one deadline in the order in which they came.
    sequence: u64,
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
            pool: BinaryHeap::new(),
            held: VecDeque::new(),
            places: HashMap::new(),
            vanished: HashMap::new(),
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
                } else if self.pool() >= MAX_POOL {
                    self.drop_packet(DropReason::PoolFull);
                } else {
                    self.sequence += 1;
                    let sequence = self.sequence;
                    self.pool.push(Reverse(Waiting {
                        until: now + delay,
                        sequence,
                        to: next,
                        packet,
                    }));
                }
            }
            Ok(Unwrapped::Final { .. }) => self.drop_packet(DropReason::FinalHop),
            Err(sphinx::UnwrapError::Mac) => self.drop_packet(DropReason::Mac),
            Err(_) => self.drop_packet(DropReason::Malformed),
        }
    }

    /// Takes a new view of the network.
    pub fn set_network(&mut self, now: Time, network: &Network) {
        let old = std::mem::replace(&mut self.places, network.places());
        for (address, place) in old {
            if !self.places.contains_key(&address) && self.vanished.len() < MAX_VANISHED {
                self.vanished.insert(address, (place, now + VANISHED_HOP_GRACE));
            }
        }
        self.vanished
            .retain(|address, (_, until)| *until > now && !self.places.contains_key(address));
        self.refresh_asked = None;
    }

    /// Everything that is due.
    pub fn poll(&mut self, now: Time) -> Vec<Output> {
        let mut outputs = Vec::new();
        for held in std::mem::take(&mut self.held) {
            match self.place(now, held.to) {
                Some(place) => outputs.extend(self.leave(place, held.to, held.packet)),
                None if held.until <= now => self.drop_packet(DropReason::UnknownHop),
                None => self.held.push_back(held),
            }
        }
        while let Some(Reverse(first)) = self.pool.peek()
            && first.until <= now
        {
            let Some(Reverse(waiting)) = self.pool.pop() else { break };
            if let Some(place) = self.place(now, waiting.to) {
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
        let waiting = self.pool.peek().map(|Reverse(first)| first.until);
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

    /// Where the next hop is, or was a short while ago.
    fn place(&self, now: Time, address: NodeAddress) -> Option<Place> {
        let vanished = || self.vanished.get(&address.0).filter(|(_, until)| *until > now);
        self.places.get(&address.0).copied().or_else(|| vanished().map(|(place, _)| *place))
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
