//! Puts events in order that come in batches from many processes.
//!
//! Each process tells of its own links ten times a second, say, so that what one tells is older than
//! what another told before. Events wait until none can come that is earlier; those that come later
//! than that are counted and left out.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::event::Observation;

/// Most events that wait: half a second of 100 000 events a second, 3 MB. What is more than that is
/// taken as it comes, oldest first, so that nothing grows and nothing is lost.
pub const MAX_WAITING: usize = 50_000;

/// Waits for what comes late.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    waiting: BinaryHeap<Waiting>,
    /// Counts events, so that those of the same time stay in the order in which they came.
    sequence: u64,
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
    key: (Duration, u8, u64),
    observation: Observation,
}

impl Order {
    pub(crate) fn add(&mut self, observation: Observation) -> Taken {
        let t = observation.time();
        if t < self.given_out {
            return Taken::TooLate;
        }
        self.sequence += 1;
        self.waiting.push(Waiting { key: (t, observation.rank(), self.sequence), observation });
        Taken::Waits
    }

    /// The next event that no later one can precede any more: those until `until`, and those for which
    /// there is no room.
    pub(crate) fn next(&mut self, until: Duration) -> Option<Observation> {
        let next = self.waiting.peek()?;
        if next.key.0 > until && self.waiting.len() <= MAX_WAITING {
            return None;
        }
        let next = self.waiting.pop()?;
        self.given_out = self.given_out.max(next.key.0);
        Some(next.observation)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// The earliest is the greatest: a [`BinaryHeap`] gives the greatest first.
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Waiting {}

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
