//! The latest packets on links: all that an observer has, one line each.

use std::collections::VecDeque;

use contract::Time;
use serde::Serialize;

/// How many are kept: more than the highest terminal shows.
pub const MAX_TICKS: usize = 128;

/// One packet on one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tick {
    /// When it left.
    pub t: Time,
    /// Who sent it.
    pub src: String,
    /// To whom.
    pub dst: String,
    /// On the link.
    pub bytes: u32,
}

/// The latest of them, in the order in which they were told: processes tell ten times a second.
#[derive(Debug, Default)]
pub(crate) struct Ticker(VecDeque<Tick>);

impl Ticker {
    pub(crate) fn add(&mut self, tick: Tick) {
        if self.0.len() == MAX_TICKS {
            self.0.pop_front();
        }
        // Sorted as they come: only the last tenth of a second can be out of order.
        let later = self.0.iter().rev().take_while(|other| other.t > tick.t).count();
        self.0.insert(self.0.len() - later, tick);
    }

    /// Oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Tick> {
        self.0.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_in_order() {
        let mut ticker = Ticker::default();
        let tick =
            |t| Tick { t: Time::from_nanos(t), src: "a".into(), dst: "b".into(), bytes: 2396 };
        for t in [5, 3, 9, 7] {
            ticker.add(tick(t));
        }
        let times: Vec<u64> = ticker.iter().map(|tick| tick.t.as_nanos()).collect();
        assert_eq!(times, [3, 5, 7, 9]);
        (10..10 + MAX_TICKS as u64).for_each(|t| ticker.add(tick(t)));
        assert_eq!(ticker.iter().count(), MAX_TICKS);
        assert_eq!(ticker.iter().next().map(|tick| tick.t.as_nanos()), Some(10));
    }
}
