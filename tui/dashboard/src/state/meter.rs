//! Rates out of counts: what was counted, over the time in which it was counted.

use std::collections::VecDeque;
use std::time::Duration;

use contract::Time;

use super::as_f64;

/// The window of every rate on the screen. Long enough that a Poisson stream of a few packets a
/// second does not jump about, short enough to see a node die.
pub(crate) const WINDOW: Duration = Duration::from_secs(5);

/// Reports come once a second; after three missing ones the rate is unknown, not zero.
const UNKNOWN_AFTER: Duration = Duration::from_millis(3500);

/// How much is kept for the small curves: one report a second for a minute.
const HISTORY: usize = 60;

/// The interval of a report that has no report before it.
const REPORT_INTERVAL: Duration = directory_api::METRICS_INTERVAL;
const REPORT_INTERVAL_NANOS: u64 = REPORT_INTERVAL.as_secs() * 1_000_000_000;

/// Two reports that arrive in a bunch would make a spike: no interval counts as shorter, and over
/// less than this there is no rate.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Time,
    over: Duration,
    count: u64,
}

/// A rate from reports that say how much was counted since the one before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    /// Since when everything was counted, without a gap.
    since: Option<Time>,
    latest: Option<Time>,
    samples: VecDeque<Sample>,
    /// As of the latest report: many more are drawn than reported.
    rate: Option<f64>,
}

impl Meter {
    /// One for something that is counted together with `other` and was zero until now.
    pub(crate) fn beside(other: &Self) -> Self {
        Self { since: other.since, latest: other.latest, ..Self::default() }
    }

    /// A report arrived.
    pub(crate) fn add(&mut self, at: Time, count: u64) {
        let over = self.interval(at).unwrap_or_else(|| {
            // What is known begins with the interval of this report.
            let begin = at.as_nanos().saturating_sub(REPORT_INTERVAL_NANOS);
            self.since = Some(Time::from_nanos(begin));
            REPORT_INTERVAL
        });
        self.latest = Some(at);
        if self.samples.len() == HISTORY {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample { at, over, count });
        self.rate = self.over_window(at);
    }

    /// Per second over [`WINDOW`] before a report, or since counting began.
    fn over_window(&self, newest: Time) -> Option<f64> {
        let over = newest.saturating_since(self.since?).min(WINDOW);
        let recent = self
            .samples
            .iter()
            .rev()
            .take_while(|sample| newest.saturating_since(sample.at) < over);
        let count: f64 = recent.map(|sample| as_f64(sample.count)).sum();
        (over >= SHORTEST_INTERVAL).then(|| count / over.as_secs_f64())
    }

    /// Since the report before; none if that is too long ago.
    fn interval(&self, at: Time) -> Option<Duration> {
        let gap = at.saturating_since(self.latest?);
        (gap < UNKNOWN_AFTER).then_some(gap)
    }

    /// Counting begins here; nothing is known about what was before.
    pub(crate) fn begin(&mut self, at: Time) {
        self.since = Some(at);
        self.latest = Some(at);
        self.rate = None;
    }

    /// What counted has ended: the rate is unknown until the next report.
    pub(crate) fn end(&mut self) {
        self.since = None;
        self.latest = None;
        self.rate = None;
    }

    /// Per second, over [`WINDOW`] before the latest report; none if there is no recent report.
    pub(crate) fn rate(&self, now: Time) -> Option<f64> {
        let newest = self.samples.back()?.at;
        self.rate.filter(|_| now.saturating_since(newest) <= UNKNOWN_AFTER)
    }

    /// When it was told last, if everything was counted for this long before: without a gap.
    pub(crate) fn told_for(&self, over: Duration) -> Option<Time> {
        let latest = self.latest?;
        (latest.saturating_since(self.since?) >= over).then_some(latest)
    }

    /// What was counted in the time before a moment, as far as it was.
    pub(crate) fn counted(&self, until: Time, over: Duration) -> f64 {
        let is_within =
            |sample: &&Sample| sample.at <= until && until.saturating_since(sample.at) < over;
        self.samples.iter().filter(is_within).map(|sample| as_f64(sample.count)).sum()
    }

    /// Per second for each of the latest reports, oldest first.
    pub(crate) fn history(&self, reports: usize) -> impl Iterator<Item = f64> + '_ {
        let skip = self.samples.len().saturating_sub(reports);
        self.samples
            .iter()
            .skip(skip)
            .map(|sample| as_f64(sample.count) / sample.over.max(SHORTEST_INTERVAL).as_secs_f64())
    }
}

/// A rate from a counter that only grows, and begins again when its process does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter {
    total: Option<u64>,
    meter: Meter,
}

impl Counter {
    /// The counter was read.
    pub(crate) fn read(&mut self, at: Time, total: u64) {
        match self.total {
            Some(before) if before <= total && self.meter.interval(at).is_some() => {
                self.meter.add(at, total - before);
            }
            // A first reading, one of a process started anew, or one after a silence: when it was
            // counted is not known.
            _ => self.meter.begin(at),
        }
        self.total = Some(total);
    }

    /// What counted has ended: the next reading says nothing about what is recent.
    pub(crate) fn end(&mut self) {
        self.total = None;
        self.meter.end();
    }

    /// Its rate.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Time {
        Time::default() + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_rate_is_what_was_counted_over_the_window_and_unknown_without_reports() {
        let mut meter = Meter::default();
        assert_eq!(meter.rate(at(0.0)), None);
        for second in 1..=20_u32 {
            meter.add(at(f64::from(second)), if second > 10 { 60 } else { 10 });
        }
        assert_eq!(meter.rate(at(20.5)), Some(60.0));
        assert_eq!(meter.rate(at(23.4)), Some(60.0));
        assert_eq!(meter.rate(at(24.0)), None);
        meter.end();
        assert_eq!(meter.rate(at(20.5)), None);
        let history: Vec<f64> = meter.history(12).collect();
        assert_eq!(history[..3], [10.0, 10.0, 60.0]);
    }

    #[test]
    fn what_is_seen_for_the_first_time_was_zero_before() {
        let (mut all, mut one) = (Meter::default(), None);
        for second in 1..=10_u32 {
            let at = at(f64::from(second));
            if second == 9 {
                one = Some(Meter::beside(&all));
            }
            all.add(at, 50);
            if let Some(one) = &mut one {
                one.add(at, 5);
            }
        }
        assert_eq!(all.rate(at(10.0)), Some(50.0));
        assert_eq!(one.and_then(|one| one.rate(at(10.0))), Some(2.0));
    }

    #[test]
    fn silence_is_not_averaged_into_the_next_report() {
        let mut meter = Meter::default();
        meter.add(at(1.0), 10);
        meter.add(at(60.0), 30);
        assert_eq!(meter.rate(at(60.0)), Some(30.0));
    }

    #[test]
    fn a_counter_that_begins_again_is_not_negative_and_not_a_spike() {
        let mut counter = Counter::default();
        counter.read(at(0.0), 5000);
        assert_eq!(counter.meter().rate(at(0.0)), None);
        counter.read(at(1.0), 5020);
        assert_eq!(counter.meter().rate(at(1.0)), Some(20.0));
        counter.read(at(2.0), 3);
        counter.read(at(3.0), 23);
        assert_eq!(counter.meter().rate(at(3.0)), Some(20.0));
    }

    #[test]
    fn what_was_counted_during_a_silence_is_no_spike_after_it() {
        let mut counter = Counter::default();
        (0..=5_u32).for_each(|n| counter.read(at(f64::from(n)), 20 * u64::from(n)));
        counter.read(at(65.0), 1300);
        assert_eq!(counter.meter().rate(at(65.0)), None);
        counter.read(at(66.0), 1320);
        assert_eq!(counter.meter().rate(at(66.0)), Some(20.0));
        assert_eq!(counter.meter().history(60).reduce(f64::max), Some(20.0));
    }

    #[test]
    fn a_successor_that_has_counted_more_does_not_go_on_with_the_counter() {
        let mut counter = Counter::default();
        counter.read(at(0.0), 0);
        counter.read(at(1.0), 20);
        counter.end();
        counter.read(at(2.0), 500);
        assert_eq!(counter.meter().rate(at(2.0)), None);
        counter.read(at(3.0), 520);
        assert_eq!(counter.meter().rate(at(3.0)), Some(20.0));
    }
}
