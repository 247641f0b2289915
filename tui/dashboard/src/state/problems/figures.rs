//! What was counted in the last minute, for lints that look at how something changes.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use contract::Time;

use crate::state::{Devnet, Moment, Node, as_f64};

/// How far back counters are compared: long enough for a share of a few packets a second, short enough
/// that what was mended is soon mended here.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// How often a sample of the counters is kept.
const STEP: Duration = Duration::from_secs(5);

/// Looks over which the load of the machine is averaged: one a second.
const LOADS: usize = 10;

/// By how much a clock may move against the other before it was set, in milliseconds.
const SET_MS: u64 = 1000;

/// Counters of a process at a moment.
#[derive(Clone, Debug, Default)]
struct Sample {
    at: Time,
    received: u64,
    dropped: BTreeMap<String, u64>,
    real: u64,
    again: u64,
}

impl Sample {
    fn of(node: &Node, at: Time) -> Option<Self> {
        let metrics = node.metrics.as_ref()?;
        let traffic = metrics.traffic.unwrap_or_default();
        Some(Self {
            at,
            received: metrics.received,
            dropped: metrics.dropped.clone(),
            real: traffic.real,
            again: traffic.retransmitted,
        })
    }
}

/// Samples of one process, oldest first.
#[derive(Clone, Debug, Default)]
struct Samples {
    pid: Option<u32>,
    kept: VecDeque<Sample>,
}

/// What a process has counted since the oldest sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Change {
    pub(super) over: Duration,
    pub(super) received: u64,
    /// By reason; only what has grown.
    pub(super) dropped: Vec<(String, u64)>,
    pub(super) real: u64,
    pub(super) again: u64,
}

/// A clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) by_ms: i64,
    pub(super) at_unix_ms: u64,
}

/// How often a process was started again, and when that was seen last.
#[derive(Clone, Copy, Debug)]
struct Restarts {
    count: u32,
    at_unix_ms: Option<u64>,
}

/// What was counted lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    nodes: HashMap<String, Samples>,
    restarts: HashMap<String, Restarts>,
    /// Events lost, by when.
    lost: VecDeque<(Time, u64)>,
    /// Processor time of all processes, in percent of a core.
    cpu: VecDeque<f64>,
    /// By how much all but one in a hundred packets left late, of the median mixnode, in microseconds.
    late: VecDeque<f64>,
    /// The wall clock against the monotonic one, in milliseconds.
    offset_ms: Option<i64>,
    set: Option<Set>,
    directory_ahead_ms: i64,
}

impl Figures {
    /// Takes the counters of now.
    pub(super) fn take(&mut self, devnet: &Devnet, now: Moment) {
        self.nodes.retain(|name, _| devnet.node(name).is_some());
        self.restarts.retain(|name, _| devnet.node(name).is_some());
        for node in &devnet.nodes {
            let count = node.status.restarts;
            let seen = self.restarts.entry(node.name().to_owned());
            let seen = seen.or_insert(Restarts { count, at_unix_ms: None });
            if count > seen.count {
                seen.at_unix_ms = Some(now.unix_ms);
            }
            seen.count = count;
            let Some(sample) = Sample::of(node, now.t) else { continue };
            let samples = self.nodes.entry(node.name().to_owned()).or_default();
            if samples.pid != node.status.pid {
                *samples = Samples { pid: node.status.pid, kept: VecDeque::new() };
            }
            let is_due = |last: &Sample| now.t.saturating_since(last.at) >= STEP;
            if samples.kept.back().is_none_or(is_due) {
                samples.kept.push_back(sample);
            }
            let is_old = |first: &Sample| now.t.saturating_since(first.at) > WINDOW;
            while samples.kept.front().is_some_and(is_old) {
                samples.kept.pop_front();
            }
        }
        let counted = self.lost.back().is_none_or(|(_, lost)| *lost != devnet.lost);
        if counted {
            self.lost.push_back((now.t, devnet.lost));
        }
        // The oldest stays: it says from where the others count.
        while self.lost.get(1).is_some_and(|(at, _)| now.t.saturating_since(*at) > WINDOW) {
            self.lost.pop_front();
        }
        let cpu = devnet.nodes.iter().filter_map(|node| Some(f64::from(node.usage?.cpu_percent)));
        keep(&mut self.cpu, cpu.sum());
        keep(&mut self.late, median_lateness(devnet));
        self.compare_clocks(now);
    }

    /// See [`Problems::directory_is_ahead`](super::Problems::directory_is_ahead).
    pub(super) fn directory_is_ahead(&mut self, ms: i64) {
        self.directory_ahead_ms = ms;
    }

    fn compare_clocks(&mut self, now: Moment) {
        let as_i64 = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let offset = as_i64(now.unix_ms).saturating_sub(as_i64(now.t.as_nanos() / 1_000_000));
        if let Some(before) = self.offset_ms.replace(offset) {
            let by_ms = offset.saturating_sub(before);
            if by_ms.unsigned_abs() >= SET_MS {
                self.set = Some(Set { by_ms, at_unix_ms: now.unix_ms });
            }
        }
    }

    /// What this process counted within the window. None before it has reported twice.
    pub(super) fn change(&self, node: &Node, now: Time) -> Option<Change> {
        let samples = self.nodes.get(node.name()).filter(|of| of.pid == node.status.pid)?;
        let (first, last) = (samples.kept.front()?, Sample::of(node, now)?);
        let over = now.saturating_since(first.at);
        let grown = last.dropped.into_iter().filter_map(|(reason, count)| {
            let grown = count.saturating_sub(first.dropped.get(&reason).copied().unwrap_or(0));
            (grown > 0).then_some((reason, grown))
        });
        (!over.is_zero()).then(|| Change {
            over,
            received: last.received.saturating_sub(first.received),
            dropped: grown.collect(),
            real: last.real.saturating_sub(first.real),
            again: last.again.saturating_sub(first.again),
        })
    }

    /// When a process was seen to be back after it had ended by itself.
    pub(super) fn came_back(&self, node: &Node) -> Option<u64> {
        self.restarts.get(node.name())?.at_unix_ms
    }

    /// Events that were lost within the window.
    pub(super) fn lost(&self) -> u64 {
        let first = self.lost.front().map_or(0, |(_, lost)| *lost);
        self.lost.back().map_or(0, |(_, lost)| lost.saturating_sub(first))
    }

    /// What all processes use, in percent of a core, on average over some seconds. None before.
    pub(super) fn cpu(&self) -> Option<f64> {
        mean(&self.cpu)
    }

    /// By how much mixnodes are late, in microseconds, on average over some seconds. None before.
    pub(super) fn late_us(&self) -> Option<f64> {
        mean(&self.late)
    }

    /// The last time that the machine's wall clock was set.
    pub(super) fn set(&self) -> Option<Set> {
        self.set
    }

    /// How far the directory's clock is ahead, in milliseconds.
    pub(super) fn directory_ahead_ms(&self) -> i64 {
        self.directory_ahead_ms
    }
}

fn keep(ring: &mut VecDeque<f64>, value: f64) {
    if ring.len() == LOADS {
        ring.pop_front();
    }
    ring.push_back(value);
}

fn mean(ring: &VecDeque<f64>) -> Option<f64> {
    (ring.len() == LOADS).then(|| ring.iter().sum::<f64>() / as_f64(ring.len() as u64))
}

fn median_lateness(devnet: &Devnet) -> f64 {
    let late = devnet.nodes.iter().filter_map(|node| node.metrics.as_ref()?.lateness);
    let mut late: Vec<u64> = late.map(|late| late.p99_us).collect();
    late.sort_unstable();
    late.get(late.len() / 2).map_or(0.0, |late| as_f64(*late))
}
