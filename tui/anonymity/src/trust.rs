//! What speaks against the figures: events that were lost, nodes that died, counts that were wrong.

use std::time::Duration;

/// Sizes that are told apart. Packets have one; whoever sees more knows what he needs to know.
const MAX_SIZES: usize = 8;

/// Above this share of packets of which nothing is known, figures are of what is left.
const MAX_UNKNOWN: f64 = 0.02;

/// What the observer met that its model has no place for. Counted from the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trust {
    /// Events that were lost before they were told.
    pub lost: u64,
    /// Events that came too late to be put in order.
    pub late: u64,
    /// Packets that left a mixnode in which none were known to be.
    pub from_nowhere: u64,
    /// Packets that went to a node that is not known, or where no packet of the network goes.
    pub astray: u64,
    /// Mixnodes that died or left with packets in them.
    pub deaths: u64,
    /// Packets that waited at those.
    pub died: u64,
    /// Packets that had been counted wrongly, found by Little's law.
    pub recounted: u64,
    /// Packets that left a corrupt mixnode which did not tell how they had come.
    pub untold: u64,
    /// What providers pushed that could not be any packet that had come.
    pub unpaired: u64,
    /// Nodes for which there was no room.
    pub refused: u64,
    /// Sizes of packets between nodes, in bytes, ascending: one, if nothing can be told by size.
    pub sizes: Vec<u32>,
    /// When something last made counts wrong.
    pub disturbed: Option<Duration>,
}

/// A reason not to believe a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// Counts or delays became others at this time, and what waited then may still be underway.
    Disturbed {
        /// Events lost, nodes died, packets miscounted, a delay changed.
        at: Duration,
    },
    /// Of this share of packets nothing is known.
    Unknown {
        /// Of all that came out, 0 to 1.
        share: f64,
    },
    /// Packets can be told apart by size: entropies are upper bounds.
    Sizes {
        /// How many sizes there are, at least.
        count: usize,
    },
    /// Delays are not exponential, so that old packets and new ones can be told apart by time.
    Delays {
        /// The largest distance from the exponential distribution, 0 to 1.
        distance: f64,
    },
    /// The observer thinks that it knows more than it does, or less.
    Uncalibrated {
        /// Probability given to true senders less what it expected to give.
        by: f64,
    },
}

impl Trust {
    pub(crate) fn disturb(&mut self, t: Duration) {
        self.disturbed = self.disturbed.max(Some(t));
    }

    pub(crate) fn see_size(&mut self, bytes: u32) {
        if let Err(place) = self.sizes.binary_search(&bytes)
            && self.sizes.len() < MAX_SIZES
        {
            self.sizes.insert(place, bytes);
        }
    }

    /// What the counts speak of `now`, when packets need `settles` to come out and `unknown` is the share
    /// of those that came from nowhere.
    pub fn doubts(&self, now: Duration, settles: Duration, unknown: f64) -> Vec<Doubt> {
        let disturbed = self.disturbed.filter(|at| now.saturating_sub(*at) < settles);
        let disturbed = disturbed.map(|at| Doubt::Disturbed { at });
        let unknown = (unknown > MAX_UNKNOWN).then_some(Doubt::Unknown { share: unknown });
        let sizes = (self.sizes.len() > 1).then_some(Doubt::Sizes { count: self.sizes.len() });
        [disturbed, unknown, sizes].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_pass_but_sizes_stay() {
        let mut trust = Trust::default();
        let settles = Duration::from_secs(3);
        for bytes in [2413, 2413, 500] {
            trust.see_size(bytes);
        }
        for s in [10, 8] {
            trust.disturb(Duration::from_secs(s));
        }
        let at = Duration::from_secs(10);
        let sizes = Doubt::Sizes { count: 2 };
        assert_eq!(trust.doubts(at, settles, 0.0), [Doubt::Disturbed { at }, sizes]);
        let later = Duration::from_secs(13);
        assert_eq!(trust.doubts(later, settles, 0.5), [Doubt::Unknown { share: 0.5 }, sizes]);
        assert_eq!(Trust::default().doubts(at, settles, 0.01), []);
        for bytes in 0..100 {
            trust.see_size(bytes);
        }
        assert_eq!(trust.sizes.len(), MAX_SIZES);
    }
}
