//! Metrics in windows of three seconds: one fills while the one before it is shown.

use std::mem;
use std::time::Duration;

use contract::Time;
use directory_api::MixMetric;

use crate::limits::{MAX_WINDOW_ENTRIES, Refusal};

/// Length of a window, as in the original directory.
const WINDOW: Duration = Duration::from_secs(3);

/// The window that fills, and the last whole one.
#[derive(Debug)]
pub(crate) struct Windows {
    /// When the window that fills is whole.
    until: Time,
    filling: Vec<MixMetric>,
    /// Entries of the window that fills: each report, and each next hop in it.
    entries: usize,
    whole: Vec<MixMetric>,
    /// How many there were before it.
    number: u64,
}

impl Windows {
    /// Two empty windows; the first begins now.
    pub(crate) fn new(now: Time) -> Self {
        Self { until: now + WINDOW, filling: Vec::new(), entries: 0, whole: Vec::new(), number: 0 }
    }

    /// Puts a report into the window that fills.
    pub(crate) fn add(&mut self, now: Time, metric: MixMetric) -> Result<(), Refusal> {
        self.advance(now);
        let entries = self.entries + 1 + metric.sent.len();
        if entries > MAX_WINDOW_ENTRIES {
            return Err(Refusal::WindowFull { capacity: MAX_WINDOW_ENTRIES });
        }
        self.entries = entries;
        self.filling.push(metric);
        Ok(())
    }

    /// The reports of the last whole window, in the order in which they came.
    pub(crate) fn last_whole(&mut self, now: Time) -> &[MixMetric] {
        self.advance(now);
        &self.whole
    }

    /// Which window the last whole one is: what was made of it holds until this changes.
    pub(crate) fn number(&mut self, now: Time) -> u64 {
        self.advance(now);
        self.number
    }

    fn advance(&mut self, now: Time) {
        if now < self.until {
            return;
        }
        self.number += 1;
        self.whole = mem::take(&mut self.filling);
        self.entries = 0;
        let late = now.saturating_since(self.until);
        if late >= WINDOW {
            // Nothing came in the window that has just become whole.
            self.whole = Vec::new();
        }
        let into_the_current = late.as_nanos() % WINDOW.as_nanos();
        let rest = WINDOW.as_nanos() - into_the_current;
        let rest = u64::try_from(rest).expect("a part of three seconds");
        self.until = now + Duration::from_nanos(rest);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn at(seconds: f64) -> Time {
        Time::from_nanos(0) + Duration::from_secs_f64(seconds)
    }

    fn metric(received: u64) -> MixMetric {
        MixMetric { pub_key: "k".into(), sent: BTreeMap::new(), received, timestamp: 0 }
    }

    /// Each line: what comes when, and what a read then shows.
    #[test]
    fn a_report_is_shown_in_the_window_after_its_own() {
        enum Step {
            Add(u64),
            Shows(&'static [u64]),
        }
        use Step::{Add, Shows};
        let mut windows = Windows::new(at(100.0));
        for (line, (seconds, step)) in [
            (100.0, Add(1)),
            (100.0, Shows(&[])),
            (102.9, Add(2)),
            (102.999, Shows(&[])),
            (103.0, Shows(&[1, 2])),
            // The original overwrote the shown list here.
            (104.0, Add(3)),
            (105.9, Shows(&[1, 2])),
            (106.0, Shows(&[3])),
            (108.9, Shows(&[3])),
            (109.0, Shows(&[])),
            // Reads and reports that come after several windows.
            (110.0, Add(4)),
            (121.5, Shows(&[])),
            (122.0, Add(5)),
            // The windows did not shift: this one began at 121.
            (124.0, Shows(&[5])),
            (126.9, Shows(&[5])),
            (127.0, Shows(&[])),
        ]
        .into_iter()
        .enumerate()
        {
            match step {
                Add(received) => windows.add(at(seconds), metric(received)).expect("room"),
                Shows(expected) => {
                    let shown: Vec<_> =
                        windows.last_whole(at(seconds)).iter().map(|m| m.received).collect();
                    assert_eq!(shown, expected, "line {line}");
                }
            }
        }
    }

    #[test]
    fn a_window_takes_only_so_much() {
        let mut windows = Windows::new(at(0.0));
        for _ in 0..MAX_WINDOW_ENTRIES {
            windows.add(at(1.0), metric(1)).expect("room");
        }
        let refusal = windows.add(at(2.0), metric(1)).expect_err("full");
        assert!(matches!(refusal, Refusal::WindowFull { .. }));
        windows.add(at(3.0), metric(1)).expect("a new window has room");
    }
}
