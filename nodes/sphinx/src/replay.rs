//! Packets that came before.

use std::collections::HashSet;
use std::time::Duration;

use contract::Time;

use crate::ReplayTag;

/// Tags that are remembered at least, once so many have come: the packets of a quarter of a minute of
/// a core that does nothing but unwrap. At most twice as many are, in 36 MB each.
pub const MIN_REMEMBERED: usize = 1_000_000;

/// Parts of a generation. A table that grows moves all that is in it, and nothing else happens
/// meanwhile: 30 ms for a million tags, a tenth of a millisecond in so many parts.
const PARTS: usize = 256;

/// The tags of the last packets, exactly: none is forgotten early, and none is taken for another.
///
/// There are two generations. When the current one is full it becomes the previous one, and what was
/// the previous one is forgotten. Nothing is kept on disk: after a restart every tag is new.
#[derive(Debug)]
pub struct ReplaySet {
    full: usize,
    current: Generation,
    previous: Generation,
}

#[derive(Debug)]
struct Generation {
    parts: Box<[HashSet<ReplayTag>; PARTS]>,
    count: usize,
    since: Time,
}

impl Generation {
    fn new(since: Time) -> Self {
        let parts = Box::new(std::array::from_fn(|_| HashSet::new()));
        Self { parts, count: 0, since }
    }

    /// Whoever makes packets can choose their part, and gains the pause of one large table by it.
    fn contains(&self, tag: &ReplayTag) -> bool {
        self.parts[usize::from(tag.0[0])].contains(tag)
    }

    fn insert(&mut self, tag: ReplayTag) -> bool {
        let is_new = self.parts[usize::from(tag.0[0])].insert(tag);
        self.count += usize::from(is_new);
        is_new
    }

    /// Its memory is kept, so that it need not grow again.
    fn clear(&mut self, since: Time) {
        self.parts.iter_mut().for_each(HashSet::clear);
        (self.count, self.since) = (0, since);
    }
}

impl ReplaySet {
    /// An empty set that remembers at least the last [`MIN_REMEMBERED`] tags.
    pub fn new(now: Time) -> Self {
        Self::with_generation(now, MIN_REMEMBERED)
    }

    /// An empty set that remembers at least so many tags.
    pub fn with_generation(now: Time, generation: usize) -> Self {
        let (current, previous) = (Generation::new(now), Generation::new(now));
        Self { full: generation, current, previous }
    }

    /// Remembers a tag. Says whether it is new; a replayed packet's is not.
    pub fn insert(&mut self, now: Time, tag: ReplayTag) -> bool {
        if self.previous.contains(&tag) || !self.current.insert(tag) {
            return false;
        }
        if self.current.count >= self.full {
            std::mem::swap(&mut self.current, &mut self.previous);
            self.current.clear(now);
        }
        true
    }

    /// How far back it remembers everything.
    pub fn window(&self, now: Time) -> Duration {
        now.saturating_since(self.previous.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(number: u64) -> ReplayTag {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        ReplayTag(bytes)
    }

    #[test]
    fn the_last_tags_are_remembered_exactly_and_older_ones_forgotten() {
        let at = |second| Time::default() + Duration::from_secs(second);
        let mut set = ReplaySet::with_generation(at(0), 100);
        for number in 0..1000 {
            assert!(set.insert(at(number), tag(number)), "{number} is new");
            for earlier in number.saturating_sub(99)..=number {
                assert!(!set.insert(at(number), tag(earlier)), "{earlier} after {number}");
            }
        }
        assert_eq!(set.window(at(1000)), Duration::from_secs(1000 - 899));
        assert!(set.insert(at(1000), tag(0)), "long forgotten");
    }
}
