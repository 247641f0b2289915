//! The latest packets on links: all that an observer has, one line each.

use std::collections::VecDeque;

use anonymity::LinkEvent;
use contract::Time;
use serde::Serialize;

use crate::names::Names;

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

/// The latest of them, in the order in which they left: processes tell ten times a second. Numbers are kept
/// and not names, for of thousands a second a screen shows the last few.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticker(VecDeque<LinkEvent>);

impl Ticker {
    pub(crate) fn add(&mut self, link: LinkEvent) {
        if self.0.len() == MAX_TICKS {
            self.0.pop_front();
        }
        // Sorted as they come: only the last tenth of a second can be out of order.
        let later = self.0.iter().rev().take_while(|other| other.t > link.t).count();
        self.0.insert(self.0.len() - later, link);
    }

    /// Oldest first.
    pub(crate) fn iter(&self, names: &Names) -> impl DoubleEndedIterator<Item = Tick> {
        self.0.iter().map(move |link| Tick {
            t: Time::from_nanos(u64::try_from(link.t.as_nanos()).unwrap_or(u64::MAX)),
            src: names.name(link.src).to_owned(),
            dst: names.name(link.dst).to_owned(),
            bytes: link.bytes,
        })
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_latest_are_kept_in_order() {
        let mut names = Names::default();
        let (src, dst) = (names.number("a").expect("room"), names.number("b").expect("room"));
        let mut ticker = Ticker::default();
        let link = |t| LinkEvent { t: Duration::from_nanos(t), src, dst, bytes: 2396 };
        for t in [5, 3, 9, 7] {
            ticker.add(link(t));
        }
        let times = |ticker: &Ticker| -> Vec<u64> {
            ticker.iter(&names).map(|tick| tick.t.as_nanos()).collect()
        };
        assert_eq!(times(&ticker), [3, 5, 7, 9]);
        let last = ticker.iter(&names).next_back().expect("four");
        assert_eq!((last.src.as_str(), last.dst.as_str()), ("a", "b"));
        (10..10 + MAX_TICKS as u64).for_each(|t| ticker.add(link(t)));
        assert_eq!(times(&ticker).len(), MAX_TICKS);
        assert_eq!(times(&ticker)[0], 10);
    }
}
