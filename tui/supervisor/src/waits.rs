//! How long packets really waited at each mixnode: for whoever wants to know whether that is as random
//! as everything that is said about anonymity supposes.
//!
//! A histogram would not do. Where four buckets make an octave, as in those of transits, a bucket holds
//! up to 6.4 % of an exponential distribution: two that differ by as much can have the same counts, and
//! of 256 packets a distance of 8.5 % is found by chance once in twenty times.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use contract::Time;

use crate::journeys::Record;

/// How often a node's waits are told.
const INTERVAL: Duration = Duration::from_secs(5);

/// How many of the latest are told: in twenty seconds 256, and of a hundred mixnodes 9 kB a second.
const MAX_WAITS: usize = 64;

/// Waits that are to be told, by node.
#[derive(Debug, Default)]
pub(crate) struct Waits(HashMap<String, Collected>);

#[derive(Debug)]
struct Collected {
    since: Time,
    waits_us: VecDeque<u64>,
}

impl Waits {
    /// A node told what became of packets. Its latest waits, when it is time to tell them.
    pub(crate) fn hear(&mut self, now: Time, node: &str, records: &[Record]) -> Option<Vec<u64>> {
        let mut waits = records.iter().filter_map(|record| match record {
            // A probe is not to wait.
            Record::Passed(passed) if passed.asked_us > 0 => {
                Some(passed.left.saturating_since(passed.came))
            }
            _ => None,
        });
        let first = waits.next()?;
        if !self.0.contains_key(node) {
            let nothing = Collected { since: now, waits_us: VecDeque::with_capacity(MAX_WAITS) };
            self.0.insert(node.to_owned(), nothing);
        }
        let collected = self.0.get_mut(node)?;
        for wait in std::iter::once(first).chain(waits) {
            if collected.waits_us.len() == MAX_WAITS {
                collected.waits_us.pop_front();
            }
            collected.waits_us.push_back(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
        }
        (now.saturating_since(collected.since) >= INTERVAL).then(|| {
            collected.since = now;
            collected.waits_us.drain(..).collect()
        })
    }

    /// The node is gone.
    pub(crate) fn forget(&mut self, node: &str) {
        self.0.remove(node);
    }
}

#[cfg(test)]
mod tests {
    use contract::{PacketTrace, Print};

    use super::*;
    use crate::journeys::Batch;

    fn at(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    fn passed(waited_ms: u64, asked_us: u64) -> PacketTrace {
        let print = Print { header: [1; 8], first: [1; 16] };
        PacketTrace::Passed {
            came: at(1000),
            left: at(1000 + waited_ms),
            asked_us,
            before: print,
            after: print,
            to: "127.0.0.1:1".into(),
            pool: 0,
        }
    }

    fn records(packets: Vec<PacketTrace>) -> Vec<Record> {
        Batch::new(packets, 0).packets
    }

    #[test]
    fn the_latest_are_told_every_five_seconds_and_probes_are_not_among_them() {
        let mut waits = Waits::default();
        let mut hear = |ms, node, packets| waits.hear(at(ms), node, &records(packets));
        assert_eq!(hear(0, "mix-1-1", vec![passed(7, 6_900)]), None);
        let dropped = PacketTrace::Dropped {
            t: at(0),
            before: Print { header: [2; 8], first: [2; 16] },
            reason: "mac".into(),
        };
        assert_eq!(hear(4999, "mix-1-1", vec![passed(9, 0), passed(8, 7_900), dropped]), None);
        assert_eq!(hear(5000, "mix-2-1", vec![passed(1, 900)]), None, "each has its own time");
        assert_eq!(hear(5000, "mix-1-1", vec![passed(9, 0)]), None, "nothing new");
        let told = hear(5100, "mix-1-1", vec![passed(6, 5_900)]);
        assert_eq!(told, Some(vec![7_000, 8_000, 6_000]));
        assert_eq!(hear(10_000, "mix-1-1", vec![passed(5, 4_900)]), None);
        let many = (0..1000).map(|ms| passed(ms, 1)).collect();
        let told = hear(10_100, "mix-1-1", many).expect("it is time");
        assert_eq!((told.len(), told[0]), (MAX_WAITS, 936_000), "the newest");
        waits.forget("mix-1-1");
        assert_eq!(waits.0.len(), 1);
    }
}
