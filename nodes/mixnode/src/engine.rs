//! The mixnode itself: takes packets, lets them wait, says where they go. No sockets, no clock.

mod hops;

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Print, Time};
use runtime::{Frame, FrameStore, Network, Passing, Traces};
use sphinx::{BATCH, HopProcessor, UnwrapError, Unwrapped, print_of};
use wire::NodeAddress;

pub use self::hops::UNKNOWN_HOP_HOLD;
use self::hops::{Hops, Look};
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
    /// What is to be told of it once it has left; none where tracing is off.
    pub passing: Option<Box<Passing>>,
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
    /// Takes what became of packets that it gave up; none where tracing is off.
    traces: Option<Traces>,
}

/// A packet that waits.
#[derive(Debug)]
struct Waiting {
    to: NodeAddress,
    frame: Frame,
    passing: Option<Box<Passing>>,
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
            traces: None,
        }
    }

    /// The same where tracing is on, if it is: tells of packets that it gives up, and lets those that
    /// leave say what is to be told of them.
    #[must_use]
    pub fn tracing(self, traces: Option<Traces>) -> Self {
        Self { traces, ..self }
    }

    /// Takes packets that came now, and changes their bytes.
    pub fn take(&mut self, now: Time, packets: &mut [&mut [u8]], frames: &mut FrameStore) {
        self.counters.received += packets.len() as u64;
        for packets in packets.chunks_mut(BATCH) {
            let mut outcomes = [const { None }; BATCH];
            let mut prints = [None; BATCH];
            if self.traces.is_some() {
                // Now: taking off a layer changes them.
                for (print, packet) in prints.iter_mut().zip(&*packets) {
                    *print = Some(print_of(packet));
                }
            }
            self.processor.unwrap_batch(
                packets,
                |tag| self.replays.as_ref().is_none_or(|replays| replays.insert(now, tag)),
                |index, outcome| outcomes[index] = Some(outcome),
            );
            let outcomes = outcomes.into_iter().flatten().zip(prints);
            for (packet, (outcome, before)) in packets.iter().zip(outcomes) {
                self.take_unwrapped(now, packet, before, outcome, frames);
            }
        }
    }

    fn take_unwrapped(
        &mut self,
        now: Time,
        packet: &[u8],
        before: Option<Print>,
        outcome: Result<Unwrapped, UnwrapError>,
        frames: &mut FrameStore,
    ) {
        match outcome {
            Ok(Unwrapped::Forward { delay, .. }) if delay > MAX_DELAY => {
                self.give_up(now, DropReason::Delay, before);
            }
            Ok(Unwrapped::Forward { next, delay }) => {
                self.sequence += 1;
                let passing = before.map(|before| {
                    let (after, pool) = (print_of(packet), self.pool());
                    Box::new(Passing { came: now, asked: delay, before, after, pool })
                });
                self.insert(now, (now + delay, self.sequence), next, packet, passing, frames);
            }
            Ok(Unwrapped::Final { .. }) => self.give_up(now, DropReason::FinalHop, before),
            Err(error) => self.give_up(now, error.into(), before),
        }
    }

    /// Lets a packet wait. If there is no room, the one that would stay longest goes: whoever fills the
    /// pool with long delays must not keep the others out.
    fn insert(
        &mut self,
        now: Time,
        key: (Time, u64),
        to: NodeAddress,
        packet: &[u8],
        passing: Option<Box<Passing>>,
        frames: &mut FrameStore,
    ) {
        if self.pool() >= MAX_POOL || frames.is_full() {
            match self.pool.last_entry() {
                Some(longest) if *longest.key() > key => {
                    let longest = longest.remove();
                    self.release(now, DropReason::PoolFull, longest, frames);
                }
                _ => {
                    let before = passing.map(|passing| passing.before);
                    return self.give_up(now, DropReason::PoolFull, before);
                }
            }
        }
        let frame = frames.put(packet).expect("there is room, or was just made");
        self.pool.insert(key, Waiting { to, frame, passing });
    }

    /// Takes a new view of the network.
    pub fn set_network(&mut self, now: Time, network: &Network) {
        self.hops.set_network(now, network);
    }

    /// The next packet that leaves now, until there is none.
    pub fn next_departure(&mut self, now: Time, frames: &mut FrameStore) -> Option<Departure> {
        if let Some(held) = self.hops.next_known(now) {
            return Some(self.leave(held, None));
        }
        while let Some((reason, held)) = self.hops.next_refused(now) {
            self.release(now, reason, held, frames);
        }
        while let Some(first) = self.pool.first_entry() {
            let due = first.key().0;
            if due > now {
                break;
            }
            let packet = first.remove();
            match self.hops.look(now, packet.to) {
                Look::Allowed => return Some(self.leave(packet, Some(due))),
                Look::Unsure => self.hops.hold(now, packet),
                Look::Refused(reason) => self.release(now, reason, packet, frames),
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

    fn leave(&mut self, packet: Waiting, due: Option<Time>) -> Departure {
        let Waiting { to, frame, passing } = packet;
        self.counters.sent(to.0);
        Departure { to, frame, due, passing }
    }

    /// Gives up a packet that waited.
    fn release(&mut self, now: Time, reason: DropReason, packet: Waiting, frames: &mut FrameStore) {
        frames.release(packet.frame);
        self.give_up(now, reason, packet.passing.map(|passing| passing.before));
    }

    /// Counts a packet that goes no further.
    fn give_up(&mut self, now: Time, reason: DropReason, before: Option<Print>) {
        *self.counters.dropped.entry(reason).or_default() += 1;
        if let (Some(traces), Some(before)) = (&self.traces, before) {
            traces.dropped(now, before, reason.word());
        }
    }
}
