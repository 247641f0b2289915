//! History: what every mixnode reported in the last hour, second by second, in bounded memory.
//!
//! Two clocks, as everywhere in the registry. The monotonic one decides which second a report
//! belongs to and how old it is. The wall clock only labels those seconds, and always as it stands
//! now: the second that was 90 seconds ago is labelled with the wall clock's present time less 90
//! seconds. So a clock that is set moves the labels of everything that is kept, and no report gets
//! lost, counted twice, or into the future.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use directory_api::{MetricsHistory, MixMetric, NodeHistory};

use crate::Now;
use crate::limits::MAX_MIXNODES;

/// Seconds that are kept: the last hour, the present second being its last.
const KEPT_SECONDS: i64 = 3600;

/// The same as a length.
const KEPT_BUCKETS: usize = 3600;

/// Length of a step in seconds when none is asked for: 360 steps an hour, which fill a wide screen.
const DEFAULT_STEP: u64 = 10;

/// Steps in an answer: more than any screen has columns for. A hundred mixnodes make 0.7 MB of JSON
/// of them; the most nodes with the longest numbers 15 MB, which our client takes.
const MAX_STEPS: i64 = 600;

/// Buckets that a node begins with; they double until there are [`KEPT_SECONDS`] of them.
const FIRST_BUCKETS: usize = 16;

const NANOS: i64 = 1_000_000_000;

/// The last hour of every mixnode's reports, and their sums since each was first heard.
///
/// At worst, with [`MAX_MIXNODES`] that report for an hour, the buckets take 8 bytes × 3600 × 1024 =
/// 29.5 MB. The hundred mixnodes of a large devnet take 2.9 MB, those of the usual one 0.1 MB.
///
/// A node that was silent for an hour is forgotten together with its sums. If there are too many
/// nodes, the one that was silent for longest makes room for a new one. Whoever was forgotten begins
/// at zero again.
#[derive(Debug, Default)]
pub(crate) struct History {
    nodes: BTreeMap<String, Node>,
    /// None before the first report.
    calendar: Option<Calendar>,
}

/// What a mixnode reported since it was first heard, or heard again after it was forgotten. Reports of more than 2⁶⁴ packets saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Packets taken.
    pub(crate) received: u64,
    /// Packets passed on, to all next hops together.
    pub(crate) sent: u64,
}

/// Why there is no such history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// Steps without a length, or longer than everything there is.
    #[error("a `step` of {step} s is not possible: take one of 1 to {KEPT_SECONDS} s")]
    Step {
        /// What was asked for, in seconds.
        step: u64,
    },
    /// The answer would be too long.
    #[error(
        "a `step` of {step} s makes {steps} steps, and at most {MAX_STEPS} are given: take a `step` of at \
         least {least} s, or a later `since`"
    )]
    TooManySteps {
        /// What was asked for, in seconds.
        step: u64,
        /// How many there would be.
        steps: u64,
        /// What would do, in seconds.
        least: u64,
    },
    /// Nothing has happened yet.
    #[error(
        "`since` is {} s in the future: it counts nanoseconds since 1970, and the directory's clock \
         shows {now}", ahead.as_secs_f32()
    )]
    Future {
        /// How far.
        ahead: Duration,
        /// The directory's wall clock: nanoseconds since 1970.
        now: i64,
    },
}

impl History {
    /// Adds a report to the present second.
    pub(crate) fn record(&mut self, now: Now, metric: &MixMetric) {
        let calendar = self.calendar.get_or_insert_with(|| Calendar::starting(now));
        let before = calendar.present;
        calendar.advance(now);
        let second = calendar.present;
        if second > before {
            self.nodes.retain(|_, node| !node.is_forgotten(second));
        }
        let sent = metric.sent.values().fold(0, |sum: u64, sent| sum.saturating_add(*sent));
        if let Some(node) = self.nodes.get_mut(&metric.pub_key) {
            node.record(second, metric.received, sent);
            return;
        }
        if self.nodes.len() >= MAX_MIXNODES {
            let silent = self.nodes.iter().min_by_key(|(_, node)| node.last);
            if let Some(pub_key) = silent.map(|(pub_key, _)| pub_key.clone()) {
                self.nodes.remove(&pub_key);
            }
        }
        let node = self.nodes.entry(metric.pub_key.clone()).or_insert_with(|| Node::new(second));
        node.record(second, metric.received, sent);
    }

    /// What was reported since that moment of the wall clock, in steps of so many seconds: the last
    /// hour in steps of ten, unless something else is asked for.
    ///
    /// Steps begin at whole multiples of their length, so that a reader who asks again gets the same
    /// ones. An earlier `since` than the history is moved up to the first step that is kept whole.
    pub(crate) fn read(
        &self,
        now: Now,
        since: Option<i64>,
        step: Option<u64>,
    ) -> Result<MetricsHistory, BadQuery> {
        let step = step.unwrap_or(DEFAULT_STEP);
        let Ok(length @ 1..=KEPT_SECONDS) = i64::try_from(step) else {
            return Err(BadQuery::Step { step });
        };
        if let Some(since) = since
            && since > now.unix
        {
            let ahead = Duration::from_nanos(since.abs_diff(now.unix));
            return Err(BadQuery::Future { ahead, now: now.unix });
        }
        let mut calendar = self.calendar.unwrap_or_else(|| Calendar::starting(now));
        calendar.advance(now);
        let steps = Steps::new(calendar, since, length);
        if steps.count > MAX_STEPS {
            let fits = |length: &i64| Steps::new(calendar, since, *length).count <= MAX_STEPS;
            // Of the longest steps there are at most two.
            let least = (length..KEPT_SECONDS).find(fits).unwrap_or(KEPT_SECONDS);
            let (steps, least) = (steps.count.unsigned_abs(), least.unsigned_abs());
            return Err(BadQuery::TooManySteps { step, steps, least });
        }
        let nodes = self.nodes.iter().filter(|(_, node)| node.last >= steps.first);
        let nodes = nodes.map(|(pub_key, node)| node.curves(pub_key, steps)).collect();
        Ok(MetricsHistory { since: calendar.unix(steps.first), step, nodes })
    }

    /// What each mixnode reported since it was first heard, by key.
    pub(crate) fn totals(&self, now: Now) -> BTreeMap<String, Totals> {
        let Some(mut calendar) = self.calendar else { return BTreeMap::new() };
        calendar.advance(now);
        let nodes = self.nodes.iter().filter(|(_, node)| !node.is_forgotten(calendar.present));
        nodes.map(|(pub_key, node)| (pub_key.clone(), node.totals)).collect()
    }
}

/// What came in one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    received: u32,
    sent: u32,
}

impl Bucket {
    /// No report came.
    const SILENT: Self = Self { received: u32::MAX, sent: u32::MAX };

    /// Most packets of a second, where counts saturate: four billion, which no machine mixes.
    const MOST: u32 = u32::MAX - 1;

    fn add(&mut self, received: u64, sent: u64) {
        let before = if *self == Self::SILENT { Self { received: 0, sent: 0 } } else { *self };
        let add = |before: u32, more: u64| {
            let sum = u64::from(before).saturating_add(more).min(u64::from(Self::MOST));
            u32::try_from(sum).unwrap_or(Self::MOST)
        };
        *self = Self { received: add(before.received, received), sent: add(before.sent, sent) };
    }
}

/// The last hour of one mixnode.
#[derive(Debug)]
struct Node {
    /// One for each second, silent ones too. The last one is never silent.
    buckets: VecDeque<Bucket>,
    /// The second of the last bucket.
    last: i64,
    totals: Totals,
}

impl Node {
    /// A node that reports for the first time.
    fn new(second: i64) -> Self {
        let mut node = Self { buckets: VecDeque::new(), last: second, totals: Totals::default() };
        node.push(Bucket::SILENT);
        node
    }

    /// Not before its last report. Who was silent for longer than an hour has been forgotten, so
    /// this fills at most an hour.
    fn record(&mut self, second: i64, received: u64, sent: u64) {
        self.totals.received = self.totals.received.saturating_add(received);
        self.totals.sent = self.totals.sent.saturating_add(sent);
        for _ in self.last..second {
            self.push(Bucket::SILENT);
        }
        self.last = second;
        if let Some(bucket) = self.buckets.back_mut() {
            bucket.add(received, sent);
        }
    }

    /// Grows as a vector does, but never beyond what is kept.
    fn push(&mut self, bucket: Bucket) {
        if self.buckets.len() == KEPT_BUCKETS {
            self.buckets.pop_front();
        }
        if self.buckets.len() == self.buckets.capacity() {
            let more = self.buckets.len().max(FIRST_BUCKETS);
            self.buckets.reserve_exact(more.min(KEPT_BUCKETS - self.buckets.len()));
        }
        self.buckets.push_back(bucket);
    }

    /// Whether nothing of the last hour is left.
    fn is_forgotten(&self, present: i64) -> bool {
        present - self.last >= KEPT_SECONDS
    }

    fn curves(&self, pub_key: &str, steps: Steps) -> NodeHistory {
        // The last bucket is that of `last`.
        let end = self.buckets.len();
        let index = |second: i64| {
            let before_the_end = usize::try_from(self.last + 1 - second).unwrap_or(0);
            end.saturating_sub(before_the_end)
        };
        let sums = (0..steps.count).map(|step| {
            let from = steps.first + step * steps.length;
            let buckets = self.buckets.range(index(from)..index(from + steps.length));
            let mut reported = buckets.filter(|bucket| **bucket != Bucket::SILENT).peekable();
            reported.peek()?;
            Some(reported.fold(Totals::default(), |sum, bucket| Totals {
                received: sum.received + u64::from(bucket.received),
                sent: sum.sent + u64::from(bucket.sent),
            }))
        });
        let (received, sent) =
            sums.map(|sum| (sum.map(|s| s.received), sum.map(|s| s.sent))).unzip();
        NodeHistory { pub_key: pub_key.into(), received, sent }
    }
}

/// Counts seconds by the monotonic clock, and labels them by the wall clock.
#[derive(Clone, Copy, Debug)]
struct Calendar {
    /// Nanoseconds by which the monotonic clock is ahead for us, so that our seconds begin with those
    /// of the wall clock.
    phase: i64,
    /// What makes one of our seconds one of the wall clock, counted since 1970.
    shift: i64,
    /// The second of the first report.
    begun: i64,
    /// The second that fills.
    present: i64,
}

impl Calendar {
    fn starting(now: Now) -> Self {
        let apart = i128::from(now.unix) - i128::from(now.time.as_nanos());
        let phase = apart.rem_euclid(i128::from(NANOS));
        let phase = i64::try_from(phase).expect("a part of a second");
        let mut calendar = Self { phase, shift: 0, begun: 0, present: 0 };
        calendar.advance(now);
        calendar.begun = calendar.present;
        calendar
    }

    /// Goes on to the present second; never back.
    fn advance(&mut self, now: Now) {
        let time = i128::from(now.time.as_nanos()) + i128::from(self.phase);
        let seconds = |nanos: i128| {
            // Both clocks end within 600 years.
            i64::try_from(nanos.div_euclid(i128::from(NANOS))).expect("a count of seconds")
        };
        self.present = self.present.max(seconds(time));
        let apart = i128::from(now.unix) - time;
        // Small differences are none: readers who ask again are to get the same steps.
        if (apart - i128::from(self.shift) * i128::from(NANOS)).abs() >= i128::from(NANOS) {
            self.shift = seconds(apart + i128::from(NANOS / 2));
        }
    }

    /// The beginning of one of our seconds: nanoseconds since 1970.
    fn unix(self, second: i64) -> i64 {
        (second + self.shift).saturating_mul(NANOS)
    }
}

/// The steps of an answer.
#[derive(Clone, Copy, Debug)]
struct Steps {
    /// The second with which the first one begins.
    first: i64,
    /// Seconds of each.
    length: i64,
    count: i64,
}

impl Steps {
    /// Steps of this length, up to the present one.
    fn new(calendar: Calendar, since: Option<i64>, length: i64) -> Self {
        let Calendar { shift, begun, present, .. } = calendar;
        let beginning = |second: i64| second - (second + shift).rem_euclid(length);
        let hour_ago = present - (KEPT_SECONDS - 1);
        let earliest = if begun >= hour_ago {
            beginning(begun)
        } else {
            // Of the step that an hour ago falls into, a part is forgotten.
            beginning(hour_ago + length - 1)
        };
        let first = since.map_or(earliest, |since| {
            beginning(since.div_euclid(NANOS) - shift).clamp(earliest, beginning(present))
        });
        Self { first, length, count: (present - first) / length + 1 }
    }
}

#[cfg(test)]
mod tests {
    use contract::Time;

    use super::*;

    /// So many seconds after the start, by both clocks.
    fn at(seconds: u64) -> Now {
        let time = Time::from_nanos(0) + Duration::from_secs(seconds);
        Now { time, unix: i64::try_from(time.as_nanos()).expect("a small number") }
    }

    fn metric(key: &str, received: u64, sent: &[u64]) -> MixMetric {
        let sent = sent.iter().enumerate().map(|(hop, sent)| (hop.to_string(), *sent)).collect();
        MixMetric { pub_key: key.into(), sent, received, timestamp: 0 }
    }

    impl History {
        /// What the buckets take.
        fn bytes(&self) -> usize {
            let buckets = self.nodes.values().map(|node| node.buckets.capacity());
            buckets.sum::<usize>() * size_of::<Bucket>()
        }
    }

    #[test]
    fn an_hour_of_a_node_takes_29_kilobytes_and_more_nodes_than_are_kept_take_no_more() {
        assert_eq!(size_of::<Bucket>(), 8);
        let mut history = History::default();
        for second in 0..10_000 {
            history.record(at(second), &metric("m", 1, &[1]));
        }
        assert_eq!(history.bytes(), 3600 * 8);
        // The same from a node that is heard twice an hour.
        let mut history = History::default();
        for second in (0..30_000).step_by(1800) {
            history.record(at(second), &metric("m", 1, &[1]));
        }
        assert_eq!(history.bytes(), 3600 * 8);

        let mut history = History::default();
        for node in 0..3 * MAX_MIXNODES {
            history.record(at(0), &metric(&node.to_string(), 1, &[1]));
        }
        assert_eq!(history.nodes.len(), MAX_MIXNODES);
        assert_eq!(history.bytes(), MAX_MIXNODES * FIRST_BUCKETS * 8);
        // What is said above: 29.5 MB.
        assert_eq!(MAX_MIXNODES * KEPT_BUCKETS * size_of::<Bucket>(), 29_491_200);
        assert_eq!(i64::try_from(KEPT_BUCKETS), Ok(KEPT_SECONDS));
    }

    #[test]
    fn the_node_that_was_silent_for_longest_makes_room() {
        let mut history = History::default();
        for node in 0..MAX_MIXNODES {
            history.record(at(node as u64), &metric(&node.to_string(), 1, &[]));
        }
        let now = at(MAX_MIXNODES as u64);
        history.record(now, &metric("0", 1, &[]));
        history.record(now, &metric("new", 1, &[]));
        let totals = history.totals(now);
        assert_eq!(totals.len(), MAX_MIXNODES);
        assert!(totals.contains_key("0") && totals.contains_key("new"));
        assert!(!totals.contains_key("1"));
    }

    #[test]
    fn a_node_that_was_silent_for_an_hour_is_forgotten() {
        let mut history = History::default();
        history.record(at(0), &metric("gone", 1, &[2]));
        history.record(at(1), &metric("m", 3, &[4, 5]));
        assert_eq!(history.totals(at(3599)).len(), 2);
        let left = BTreeMap::from([("m".to_owned(), Totals { received: 3, sent: 9 })]);
        assert_eq!(history.totals(at(3600)), left);
        assert_eq!(history.totals(at(3601)), BTreeMap::new());
        // Its memory is free as soon as another one reports.
        history.record(at(3600), &metric("m", 1, &[]));
        assert_eq!(history.nodes.len(), 1);
        // Who comes back begins anew.
        history.record(at(3601), &metric("gone", 1, &[]));
        assert_eq!(history.totals(at(3601))["gone"], Totals { received: 1, sent: 0 });
    }

    /// The numbers come from strangers.
    #[test]
    fn counts_saturate() {
        let mut history = History::default();
        for _ in 0..2 {
            history.record(at(0), &metric("m", u64::MAX, &[u64::MAX, 1]));
        }
        let most = Totals { received: u64::MAX, sent: u64::MAX };
        assert_eq!(history.totals(at(0))["m"], most);
        let read = history.read(at(0), None, None).expect("a history");
        assert_eq!(read.nodes[0].received, [Some(u64::from(u32::MAX) - 1)]);
        assert_eq!(read.nodes[0].sent, [Some(u64::from(u32::MAX) - 1)]);
    }

    /// Neither clock is trusted to be reasonable.
    #[test]
    fn the_ends_of_both_clocks_are_moments_too() {
        let times = [0, 1, u64::MAX / 2, u64::MAX].map(Time::from_nanos);
        let mut history = History::default();
        let mut reports = 0;
        for time in times.into_iter().chain(times) {
            for unix in [0, i64::MIN, i64::MAX, -1] {
                let now = Now { time, unix };
                history.record(now, &metric("m", 1, &[]));
                reports += 1;
                for since in [None, Some(i64::MIN), Some(unix)] {
                    for step in [1, 7, 3600] {
                        // It may have too many steps, which is an answer.
                        let _ = history.read(now, since, Some(step));
                    }
                }
            }
        }
        // The clock went back to zero in between, which is not believed.
        let end = Now { time: Time::from_nanos(u64::MAX), unix: 0 };
        let read = history.read(end, None, Some(3600)).expect("a history");
        let sum: u64 = read.nodes[0].received.iter().flatten().sum();
        assert_eq!(sum, 4 + reports / 2, "what came before the end was an age ago");
    }
}
