//! What came to a provider, until it is seen to go on to somebody.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::Sighting;

/// How long a packet may stay at a provider before it is pushed: several commits to disk. What stays
/// longer is for somebody who is not there, and will not be pushed now.
pub const MAX_STAY: Duration = Duration::from_millis(250);

/// Packets at a provider that were not yet pushed: what comes in that time at 4000 a second.
const MAX_WAITING: usize = 1024;

/// Packets at one provider.
///
/// It does not mix: it pushes packets in the order in which they came, so that each push is the oldest
/// packet that has not been pushed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox {
    waiting: VecDeque<Arrived>,
    /// Vectors to use again.
    spare: Vec<Vec<f64>>,
}

/// A packet that came.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) came: Sighting,
    /// What it carried.
    pub(crate) vector: Vec<f64>,
}

impl Inbox {
    pub(crate) fn add(&mut self, came: Sighting, vector: &[f64]) {
        self.expire(came.t);
        if self.waiting.len() >= MAX_WAITING {
            self.pop();
        }
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.clear();
        copy.extend_from_slice(vector);
        self.waiting.push_back(Arrived { came, vector: copy });
    }

    /// The packet that was pushed now.
    pub(crate) fn pushed(&mut self, t: Duration) -> Option<Arrived> {
        self.expire(t);
        self.waiting.pop_front()
    }

    /// The packet that was filed.
    pub(crate) fn filed(&mut self, came: Sighting) -> Option<Arrived> {
        let index = self.waiting.iter().rposition(|arrived| arrived.came == came)?;
        self.waiting.remove(index)
    }

    /// It is done with.
    pub(crate) fn give_back(&mut self, arrived: Arrived) {
        self.spare.push(arrived.vector);
    }

    pub(crate) fn clear(&mut self) {
        while self.pop() {}
    }

    /// A column has become somebody else's.
    pub(crate) fn forget_source(&mut self, column: usize, unknown: usize) {
        for arrived in &mut self.waiting {
            let lost = arrived.vector.get_mut(column).map_or(0.0, std::mem::take);
            arrived.vector[unknown] += lost;
        }
    }

    /// A target's column begins anew.
    pub(crate) fn forget_target(&mut self, column: usize) {
        for arrived in &mut self.waiting {
            arrived.vector[column] = 0.0;
        }
    }

    fn expire(&mut self, t: Duration) {
        while self.waiting.front().is_some_and(|first| t.saturating_sub(first.came.t) > MAX_STAY) {
            self.pop();
        }
    }

    fn pop(&mut self) -> bool {
        let first = self.waiting.pop_front();
        first.map(|first| self.give_back(first)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NodeId;

    fn came(ms: u64) -> Sighting {
        Sighting { t: Duration::from_millis(ms), src: NodeId(1), dst: NodeId(2) }
    }

    fn vector_of(arrived: Option<Arrived>) -> Option<Vec<f64>> {
        arrived.map(|arrived| arrived.vector)
    }

    #[test]
    fn the_oldest_is_pushed_and_what_stays_is_forgotten() {
        let mut inbox = Inbox::default();
        for ms in [0, 200, 240] {
            inbox.add(came(ms), &[f64::from(u32::try_from(ms).expect("small")), 0.0]);
        }
        let t = Duration::from_millis(300);
        assert_eq!(vector_of(inbox.pushed(t)), Some(vec![200.0, 0.0]));
        assert_eq!(vector_of(inbox.filed(came(0))), None);
        inbox.forget_source(0, 1);
        assert_eq!(vector_of(inbox.filed(came(240))), Some(vec![0.0, 240.0]));
        assert_eq!(vector_of(inbox.pushed(t)), None);
    }

    #[test]
    fn there_is_room_for_so_many() {
        let mut inbox = Inbox::default();
        for _ in 0..2 * MAX_WAITING {
            inbox.add(came(5), &[0.0; 2]);
        }
        assert_eq!(inbox.waiting.len(), MAX_WAITING);
        assert!(inbox.spare.len() <= 1);
        inbox.clear();
        assert_eq!(inbox.waiting.len(), 0);
    }
}
