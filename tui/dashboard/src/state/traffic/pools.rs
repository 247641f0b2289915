//! How many packets wait at a mixnode, beside how many should.

use std::collections::{BTreeMap, VecDeque};

use crate::state::as_f64;

/// Readings that are kept of each mixnode: one a second, for a minute.
const READINGS: usize = 60;

/// Over how many seconds pools and rates are averaged.
pub(crate) const AVERAGED: i64 = 60;

/// Fewer readings than this are no average.
const ENOUGH: usize = 5;

/// Readings come once a second. After so many missing ones nothing is known of the pool.
const SILENT: i64 = 5;

/// How many deviations off are no chance.
const DEVIATIONS: f64 = 4.0;

/// Further off than this share of what is expected is far, however certain less would be …
const FAR: f64 = 0.25;

/// … and so is not what is less than this many packets.
const FEW: f64 = 0.5;

/// How many packets waited at each mixnode.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pools {
    readings: BTreeMap<String, VecDeque<(i64, u64)>>,
    /// What was read before was of other delays.
    since: i64,
}

/// A mixnode's pool over the last minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pool {
    /// Packets that waited, on average.
    pub(crate) waiting: f64,
    /// How many should have, by Little's law: packets per second times mean delay. None while the
    /// rate is not known.
    pub(crate) expected: Option<f64>,
    /// What the two have to say about each other.
    pub(crate) level: Level,
}

/// What a pool has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Not known yet.
    Unknown,
    /// As it should be.
    AsExpected,
    /// Packets wait longer than they asked to.
    High,
    /// Packets wait less than they asked to, or are given up.
    Low,
}

impl Pools {
    /// A mixnode told how many packets wait.
    pub(super) fn read(&mut self, node: &str, at: i64, pool: u64) {
        if !self.readings.contains_key(node) {
            self.readings.insert(node.to_owned(), VecDeque::new());
        }
        let Some(readings) = self.readings.get_mut(node) else { return };
        if readings.len() == READINGS {
            readings.pop_front();
        }
        readings.push_back((at, pool));
    }

    pub(super) fn forget(&mut self, node: &str) {
        self.readings.remove(node);
    }

    /// Delays are others from this second on.
    pub(super) fn begin(&mut self, since: i64) {
        self.since = since;
    }

    /// From when on pools and rates are compared, at this moment.
    pub(crate) fn since(&self, now: i64) -> i64 {
        self.since.max(now.saturating_sub(AVERAGED) + 1)
    }

    /// A mixnode's pool; none while it has told nothing since the delays are what they are. `rate` is
    /// what it took per second in the same time, `hop_delay` the mean delay in seconds.
    pub(crate) fn pool(
        &self,
        node: &str,
        now: i64,
        rate: Option<f64>,
        hop_delay: f64,
    ) -> Option<Pool> {
        let since = self.since(now);
        let readings = self.readings.get(node)?;
        if readings.back()?.0 < now.saturating_sub(SILENT) {
            return None;
        }
        let recent = readings.iter().rev().take_while(|(at, _)| *at >= since);
        let (count, sum) =
            recent.fold((0_u32, 0.0), |(count, sum), (_, pool)| (count + 1, sum + as_f64(*pool)));
        if count == 0 {
            return None;
        }
        let waiting = sum / f64::from(count);
        let expected = rate.map(|rate| rate * hop_delay);
        let level = match expected {
            Some(expected) if count as usize >= ENOUGH => {
                level(waiting, expected, f64::from(count), hop_delay)
            }
            _ => Level::Unknown,
        };
        Some(Pool { waiting, expected, level })
    }
}

/// Packets arrive as a Poisson stream and wait independently of each other, so the pool at a moment
/// is Poisson distributed: its variance is its mean `m`. Readings a second apart are as good as
/// independent if delays are shorter; else an average over `T` has the variance `2mθ/T`. That of
/// `λθ` out of packets counted in `T` is `mθ/T`. All of it together is more than there is.
fn level(waiting: f64, expected: f64, readings: f64, hop_delay: f64) -> Level {
    let variance = expected * (1.0 / readings + 3.0 * hop_delay / readings);
    let off = (waiting - expected).abs();
    if off <= DEVIATIONS * variance.sqrt() || off <= FAR * expected || off <= FEW {
        Level::AsExpected
    } else if waiting > expected {
        Level::High
    } else {
        Level::Low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools(readings: impl IntoIterator<Item = u64>) -> Pools {
        let mut pools = Pools::default();
        (1000..).zip(readings).for_each(|(at, pool)| pools.read("m", at, pool));
        pools
    }

    fn level_of(readings: impl IntoIterator<Item = u64>, rate: Option<f64>) -> Option<Level> {
        let mut pools = Pools::default();
        let readings: Vec<u64> = readings.into_iter().collect();
        let begin = 1060 - i64::try_from(readings.len()).expect("few");
        (begin..).zip(readings).for_each(|(at, pool)| pools.read("m", at, pool));
        pools.pool("m", 1059, rate, 0.2).map(|pool| pool.level)
    }

    #[test]
    fn a_pool_is_flagged_when_it_is_far_off_and_chance_cannot_be_blamed() {
        let unrest = || (0..60).map(|n| 10 + n % 5);
        assert_eq!(level_of(unrest(), Some(60.0)), Some(Level::AsExpected));
        assert_eq!(level_of(unrest(), Some(30.0)), Some(Level::High));
        assert_eq!(level_of(unrest(), Some(110.0)), Some(Level::Low));
        assert_eq!(level_of(unrest(), None), Some(Level::Unknown));
        assert_eq!(level_of([12; 4], Some(30.0)), Some(Level::Unknown), "too few readings");
        assert_eq!(level_of([0; 60], Some(2.0)), Some(Level::AsExpected), "less than a packet");
        assert_eq!(level_of([], Some(60.0)), None);
        let pool = pools([12; 60]).pool("m", 1059, Some(60.0), 0.2).expect("readings");
        assert_eq!((pool.waiting, pool.expected), (12.0, Some(12.0)));
    }

    #[test]
    fn what_was_read_before_the_delays_were_changed_does_not_count() {
        let mut pools = pools([40; 30].into_iter().chain([4; 30]));
        assert_eq!(pools.pool("m", 1059, None, 0.2).map(|pool| pool.waiting), Some(22.0));
        pools.begin(1030);
        assert_eq!(pools.pool("m", 1059, None, 0.2).map(|pool| pool.waiting), Some(4.0));
        pools.begin(1060);
        assert_eq!(pools.pool("m", 1059, None, 0.2), None);
        assert_eq!(pools.pool("n", 1059, None, 0.2), None);
        pools.begin(0);
        assert!(pools.pool("m", 1064, None, 0.2).is_some());
        assert_eq!(pools.pool("m", 1065, None, 0.2), None, "it is silent");
    }
}
