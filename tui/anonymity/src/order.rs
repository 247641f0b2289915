//! Puts events in order that come in batches from many processes.
//!
//! Each process tells of its own links ten times a second, say, so that what one tells is older than
//! what another told before. Events wait until none can come that is earlier; those that come later
//! than that are counted and left out.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::Observation;

/// Most events that wait: half a second of 100 000 events a second, 5 MB. What is more than that is
/// taken as it comes, oldest first, so that nothing grows and nothing is lost.
pub const MAX_WAITING: usize = 50_000;

/// Slices of a second. Events are put in order slice by slice, as soon as one may be given out: that is
/// less work than to keep all that wait in order, and what comes is almost in order by itself.
const SLICES: u32 = 64;

const SLICE_NANOS: u32 = 1_000_000_000 / SLICES;

/// Vectors that are kept to use again: as many as there are slices in half a second.
const MAX_SPARE: usize = 32;

/// Waits for what comes late.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// By slice since the start of time, each in the order in which its events came.
    slices: BTreeMap<u64, Vec<Waiting>>,
    /// What is left of the slices before, the first at the end.
    ready: Vec<Waiting>,
    /// The first slice that was not put in order yet.
    unsorted: u64,
    /// To use again.
    spare: Vec<Vec<Waiting>>,
    waiting: usize,
    /// Nothing earlier is taken any more.
    given_out: Duration,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Waits,
    /// Others that are later have counted already.
    TooLate,
}

#[derive(Clone, Debug)]
struct Waiting {
    key: (Duration, u8),
    observation: Observation,
}

impl Order {
    pub(crate) fn add(&mut self, observation: Observation) -> Taken {
        let t = observation.time();
        if t < self.given_out {
            return Taken::TooLate;
        }
        self.waiting += 1;
        let waiting = Waiting { key: (t, observation.rank()), observation };
        let slice = slice_of(t);
        if slice >= self.unsorted {
            let spare = &mut self.spare;
            let slice = self.slices.entry(slice);
            slice.or_insert_with(|| spare.pop().unwrap_or_default()).push(waiting);
        } else {
            // After those of the same time, which came before it.
            let place = self.ready.partition_point(|other| other.key > waiting.key);
            self.ready.insert(place, waiting);
        }
        Taken::Waits
    }

    /// The next event that no later one can precede any more: those until `until`, and those for which
    /// there is no room.
    pub(crate) fn next(&mut self, until: Duration) -> Option<Observation> {
        let is_full = self.waiting > MAX_WAITING;
        if self.ready.is_empty() {
            let slice = *self.slices.first_key_value()?.0;
            if slice > slice_of(until) && !is_full {
                return None;
            }
            let mut events = self.slices.remove(&slice)?;
            events.sort_by_key(|waiting| waiting.key);
            events.reverse();
            let done = std::mem::replace(&mut self.ready, events);
            if self.spare.len() < MAX_SPARE {
                self.spare.push(done);
            }
            self.unsorted = slice.saturating_add(1);
        }
        if self.ready.last()?.key.0 > until && !is_full {
            return None;
        }
        let next = self.ready.pop()?;
        self.waiting -= 1;
        self.given_out = self.given_out.max(next.key.0);
        Some(next.observation)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }
}

/// Which slice since the start of time.
fn slice_of(t: Duration) -> u64 {
    let of_second = u64::from(t.subsec_nanos() / SLICE_NANOS);
    t.as_secs().saturating_mul(SLICES.into()).saturating_add(of_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{LinkEvent, NodeId, Passage};

    fn link(ms: u64, src: u16) -> Observation {
        let t = Duration::from_millis(ms);
        Observation::Link(LinkEvent { t, src: NodeId(src), dst: NodeId(9), bytes: 1 })
    }

    fn all(order: &mut Order, until: u64) -> Vec<Observation> {
        std::iter::from_fn(|| order.next(Duration::from_millis(until))).collect()
    }

    #[test]
    fn batches_of_two_processes_come_out_in_order() {
        let mut order = Order::default();
        for observation in [link(10, 1), link(30, 1), link(5, 2), link(20, 2), link(10, 3)] {
            assert_eq!(order.add(observation), Taken::Waits);
        }
        assert_eq!(all(&mut order, 20), [link(5, 2), link(10, 1), link(10, 3), link(20, 2)]);
        assert_eq!(order.add(link(19, 4)), Taken::TooLate);
        assert_eq!(order.add(link(20, 4)), Taken::Waits);
        assert_eq!(all(&mut order, 40), [link(20, 4), link(30, 1)]);
    }

    /// Also what belongs among events that were put in order before it came.
    #[test]
    fn what_comes_last_is_where_it_belongs() {
        let mut order = Order::default();
        for event in [link(1, 1), link(9, 1), link(300, 1)] {
            order.add(event);
        }
        assert_eq!(all(&mut order, 5), [link(1, 1)]);
        for event in [link(9, 2), link(8, 2), link(6, 2), link(14, 2), link(200, 2)] {
            assert_eq!(order.add(event), Taken::Waits);
        }
        let rest = [link(6, 2), link(8, 2), link(9, 1), link(9, 2), link(14, 2), link(200, 2)];
        assert_eq!(all(&mut order, 250), rest);
        assert_eq!((order.waiting(), order.ready.len()), (1, 0));
        assert_eq!(order.add(link(199, 3)), Taken::TooLate);
        assert_eq!(order.add(link(200, 3)), Taken::Waits);
        assert_eq!(all(&mut order, 300), [link(200, 3), link(300, 1)]);
        assert_eq!(order.add(Observation::Lost { t: Duration::MAX, events: 1 }), Taken::Waits);
    }

    #[test]
    fn a_passage_is_known_when_its_packet_leaves() {
        let Observation::Link(event) = link(10, 1) else { unreachable!("it is one") };
        let passage =
            Observation::Passage(Passage { came: event.sighting(), left: event.sighting() });
        let mut order = Order::default();
        order.add(link(10, 1));
        order.add(passage);
        assert_eq!(all(&mut order, 10), [passage, link(10, 1)]);
    }

    #[test]
    fn there_is_an_end_to_waiting() {
        let mut order = Order::default();
        for ms in 0..MAX_WAITING as u64 + 3 {
            order.add(link(ms, 1));
        }
        assert_eq!(all(&mut order, 0), [link(0, 1), link(1, 1), link(2, 1)]);
        assert_eq!(order.waiting(), MAX_WAITING);
    }
}
