//! The mixnode itself: takes packets, lets them wait, says where they go. No sockets, no clock.

mod hops;

use std::collections::BTreeMap;
use std::time::Duration;

use contract::Time;
use runtime::{Frame, FrameStore, Network};
use sphinx::{BATCH, HopProcessor, UnwrapError, Unwrapped};
use wire::NodeAddress;

pub use self::hops::UNKNOWN_HOP_HOLD;
use self::hops::{Held, Hops, Look};
use crate::{Counters, DropReason, Replays};

/// Most packets that wait at once: 20 MB. At the classic mean delay of 200 ms that is 40 000 packets
/// a second.
pub const MAX_POOL: usize = 8192;

/// The longest delay that a header may ask for. An honest sender with a mean of 10 s exceeds it once
/// in 10^13 packets.
pub const MAX_DELAY: Duration = Duration::from_secs(300);

/// A packet that leaves.
#[derive(Debug, PartialEq, Eq)]
pub struct Departure {
    /// To this node.
    pub to: NodeAddress,
    /// The packet.
    pub frame: Frame,
    /// When it should have left; none for one that had to wait for its next hop to become known.
    pub due: Option<Time>,
}

/// A mixnode of one layer.
///
/// Its packets wait in a [`FrameStore`] of whoever drives it, which must always be the same.
#[derive(Debug)]
pub struct Mixnode {
    processor: HopProcessor,
    /// None if replays are not looked for.
    replays: Option<Replays>,
    hops: Hops,
    /// By the moment at which they leave, then by the order in which they came.
    pool: BTreeMap<(Time, u64), Waiting>,
    counters: Counters,
    sequence: u64,
}

#[derive(Debug)]
struct Waiting {
    to: NodeAddress,
    frame: Frame,
}

impl Mixnode {
    /// A mixnode of `layer` in a network of `layers`.
    ///
    /// Without a replay set it is as the original mixnodes were: it takes a packet as often as it comes,
    /// and passes it on to whatever address it names.
    pub fn new(processor: HopProcessor, layer: u8, layers: u8, replays: Option<Replays>) -> Self {
        let hops = if replays.is_some() { Hops::new(layer, layers) } else { Hops::unchecked() };
        Self {
            processor,
            replays,
            hops,
            pool: BTreeMap::new(),
            counters: Counters::default(),
            sequence: 0,
        }
    }

    /// Takes packets that came now, and changes their bytes.
    pub fn take(&mut self, now: Time, packets: &mut [&mut [u8]], frames: &mut FrameStore) {
        self.counters.received += packets.len() as u64;
        for packets in packets.chunks_mut(BATCH) {
            let mut outcomes = [const { None }; BATCH];
            self.processor.unwrap_batch(
                packets,
                |tag| self.replays.as_ref().is_none_or(|replays| replays.insert(now, tag)),
                |index, outcome| outcomes[index] = Some(outcome),
            );
            for (packet, outcome) in packets.iter().zip(outcomes.into_iter().flatten()) {
                self.take_unwrapped(now, packet, outcome, frames);
            }
        }
    }

    fn take_unwrapped(
        &mut self,
        now: Time,
        packet: &[u8],
        outcome: Result<Unwrapped, UnwrapError>,
        frames: &mut FrameStore,
    ) {
        match outcome {
            Ok(Unwrapped::Forward { delay, .. }) if delay > MAX_DELAY => {
                self.count(DropReason::Delay);
            }
            Ok(Unwrapped::Forward { next, delay }) => {
                self.sequence += 1;
                self.insert((now + delay, self.sequence), next, packet, frames);
            }
            Ok(Unwrapped::Final { .. }) => self.count(DropReason::FinalHop),
            Err(error) => self.count(error.into()),
        }
    }

    /// Lets a packet wait. If there is no room, the one that would stay longest goes: whoever fills the
    /// pool with long delays must not keep the others out.
    fn insert(
        &mut self,
        key: (Time, u64),
        to: NodeAddress,
        packet: &[u8],
        frames: &mut FrameStore,
    ) {
        if self.pool() >= MAX_POOL || frames.is_full() {
            self.count(DropReason::PoolFull);
            match self.pool.last_entry() {
                Some(longest) if *longest.key() > key => frames.release(longest.remove().frame),
                _ => return,
            }
        }
        let frame = frames.put(packet).expect("there is room, or was just made");
        self.pool.insert(key, Waiting { to, frame });
    }

    /// Takes a new view of the network.
    pub fn set_network(&mut self, now: Time, network: &Network) {
        self.hops.set_network(now, network);
    }

    /// The next packet that leaves now, until there is none.
    pub fn next_departure(&mut self, now: Time, frames: &mut FrameStore) -> Option<Departure> {
        if let Some(held) = self.hops.next_known(now) {
            return Some(self.leave(held.to, held.frame, None));
        }
        while let Some((reason, frame)) = self.hops.next_refused(now) {
            frames.release(frame);
            self.count(reason);
        }
        while let Some(first) = self.pool.first_entry() {
            let due = first.key().0;
            if due > now {
                break;
            }
            let Waiting { to, frame } = first.remove();
            match self.hops.look(now, to) {
                Look::Allowed => return Some(self.leave(to, frame, Some(due))),
                Look::Unsure => self.hops.hold(Held { since: now, to, frame }),
                Look::Refused(reason) => {
                    frames.release(frame);
                    self.count(reason);
                }
            }
        }
        None
    }

    /// Whether the topology should be fetched now: a packet waits for a next hop that is not known
    /// where it should be. To be asked when no more packets leave.
    pub fn wants_topology(&mut self, now: Time) -> bool {
        self.hops.wants_topology(now)
    }

    /// When to ask for departures next.
    pub fn next_wake(&self) -> Option<Time> {
        let waiting = self.pool.first_key_value().map(|((due, _), _)| *due);
        waiting.into_iter().chain(self.hops.next_wake()).min()
    }

    /// Packets waiting right now.
    pub fn pool(&self) -> usize {
        self.pool.len() + self.hops.held()
    }

    /// Packets since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn leave(&mut self, to: NodeAddress, frame: Frame, due: Option<Time>) -> Departure {
        self.counters.sent(to.0);
        Departure { to, frame, due }
    }

    fn count(&mut self, reason: DropReason) {
        *self.counters.dropped.entry(reason).or_default() += 1;
    }
}
