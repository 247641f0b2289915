//! Means over time: for a figure of the last seconds, and for a curve.

use std::collections::VecDeque;
use std::time::Duration;

use crate::numbers::real_u64;

/// What a step of a series covers: as fine as a curve on a screen can show.
pub const STEP: Duration = Duration::from_secs(1);

/// Steps of a series of the whole network: what the longest curve shows, an hour. 115 kB.
pub const LONG: usize = 3600;

/// Steps of a series that each node has: the longest window over which a node is averaged. 4 kB.
pub const SHORT: usize = 120;

/// The weighted mean of something, step by step.
#[derive(Clone, Debug)]
pub struct Series {
    keeps: usize,
    /// Oldest first, without gaps.
    steps: VecDeque<Step>,
    /// Number of the first of them, since the start of time.
    first: u64,
}

/// What was measured in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Measurements.
    pub count: u64,
    weight: f64,
    sum: f64,
    squares: f64,
}

impl Step {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.weight += other.weight;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// None without measurements.
    pub fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    /// Standard deviation of the measurements; none without any.
    pub fn deviation(&self) -> Option<f64> {
        let mean = self.mean()?;
        Some((self.squares / self.weight - mean * mean).max(0.0).sqrt())
    }

    /// What the measurements weigh together; seconds where they are weighted by time.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Standard error of the mean if measurements are independent. Those of neighbouring packets are
    /// not, so that it is a lower bound.
    pub fn error(&self) -> Option<f64> {
        Some(self.deviation()? / real_u64(self.count.max(1)).sqrt())
    }
}

impl Series {
    /// Keeps so many steps.
    pub(crate) fn new(keeps: usize) -> Self {
        Self { keeps, steps: VecDeque::new(), first: 0 }
    }

    /// Takes in a value that counts `weight` times. What is older than the series is left out.
    pub(crate) fn add(&mut self, t: Duration, value: f64, weight: f64) {
        let number = number_of(t);
        let end = self.first.saturating_add(self.steps.len() as u64);
        if self.steps.is_empty() || number >= end.saturating_add(self.keeps as u64) {
            self.steps.clear();
            self.first = number;
        }
        while self.steps.len() as u64 <= number.saturating_sub(self.first) {
            self.steps.push_back(Step::default());
        }
        while self.steps.len() > self.keeps {
            self.steps.pop_front();
            self.first += 1;
        }
        if let Some(step) = self.index(number).and_then(|index| self.steps.get_mut(index)) {
            let sum = weight * value;
            step.add(&Step { count: 1, weight, sum, squares: sum * value });
        }
    }

    /// All that was measured in the `window` before `now`, of whose steps the last has just begun.
    pub fn over(&self, now: Duration, window: Duration) -> Step {
        let mut all = Step::default();
        for step in self.curve(now, window) {
            all.add(&step);
        }
        all
    }

    /// Measurements per second in the `window` before `now`, of which nothing was watched before `began`. The
    /// step in which that was does not count: part of it may be somebody else's.
    pub fn rate(&self, now: Duration, window: Duration, began: Duration) -> f64 {
        let steps = number_of(window).clamp(1, self.keeps as u64);
        let last = number_of(now);
        let began = number_of(began.saturating_add(STEP).saturating_sub(Duration::from_nanos(1)));
        let first = last.saturating_sub(steps - 1).max(began);
        let watched = now.saturating_sub(Duration::from_secs(first)).as_secs_f64();
        let steps = (first..=last).filter_map(|number| self.steps.get(self.index(number)?));
        let count = real_u64(steps.map(|step| step.count).sum());
        if watched > 0.0 { count / watched } else { 0.0 }
    }

    /// The steps of the `window` before `now`, oldest first, without gaps. The last has begun.
    pub fn curve(&self, now: Duration, window: Duration) -> impl Iterator<Item = Step> {
        let last = number_of(now);
        let steps = number_of(window).clamp(1, self.keeps as u64);
        let numbers = last.saturating_sub(steps - 1)..=last;
        numbers.map(|number| {
            let step = self.index(number).and_then(|index| self.steps.get(index));
            step.copied().unwrap_or_default()
        })
    }

    fn index(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first)?).ok()
    }
}

/// Which step since the start of time.
fn number_of(t: Duration) -> u64 {
    t.as_secs() / STEP.as_secs()
}

/// When the step ends in which this is. The last step of all ends with time.
pub(crate) fn end_of_step(t: Duration) -> Duration {
    let end = number_of(t).checked_add(1).and_then(|next| next.checked_mul(STEP.as_secs()));
    end.map_or(Duration::MAX, Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::assert_near;

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn means_are_weighted_and_of_the_window() {
        let mut series = Series::new(LONG);
        series.add(seconds(10), 1.0, 1.0);
        series.add(seconds(12), 4.0, 1.0);
        series.add(seconds(12), 7.0, 0.5);
        let all = series.over(seconds(12), seconds(3));
        assert_eq!(all.count, 3);
        assert_near(all.mean().expect("three"), 8.5 / 2.5, 1e-12);
        let last = series.over(seconds(12), seconds(2));
        assert_near(last.mean().expect("two"), 5.0, 1e-12);
        assert_near(last.deviation().expect("two"), 2.0_f64.sqrt(), 1e-12);
        assert_eq!(series.over(seconds(20), seconds(3)).mean(), None);
        let curve: Vec<_> = series.curve(seconds(12), seconds(4)).map(|step| step.count).collect();
        assert_eq!(curve, [0, 1, 0, 2]);
    }

    #[test]
    fn rates_count_what_was_watched() {
        let mut series = Series::new(SHORT);
        for s in 100..110 {
            for _ in 0..4 {
                series.add(seconds(s), 1.0, 1.0);
            }
        }
        assert_near(series.rate(seconds(110), seconds(60), seconds(100)), 4.0, 1e-12);
        assert_near(series.rate(seconds(110), seconds(6), seconds(0)), 4.0, 1e-12);
        assert_near(series.rate(seconds(100), seconds(60), seconds(100)), 0.0, 0.0);
        // Who comes in the middle gets nothing of what was counted before.
        let (came, now) = (Duration::from_millis(105_300), seconds(107));
        assert_near(series.rate(now, seconds(60), came), 8.0, 1e-12);
        let soon = Duration::from_millis(105_400);
        assert_near(series.rate(soon, seconds(60), came), 0.0, 0.0);
    }

    #[test]
    fn an_hour_is_kept() {
        let mut series = Series::new(LONG);
        for s in 0..2 * LONG as u64 {
            series.add(seconds(s), 1.0, 1.0);
        }
        assert_eq!(series.steps.len(), LONG);
        // Too old.
        series.add(seconds(5), 1.0, 1.0);
        assert_eq!(series.over(seconds(2 * 3600), seconds(1_000_000)).count, LONG as u64 - 1);
        // A pause that is longer than the series leaves nothing of it.
        series.add(seconds(1_000_000), 1.0, 1.0);
        assert_eq!(series.steps.len(), 1);
    }
}
