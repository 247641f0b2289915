//! By how much packets leave later than they should.

use std::time::Duration;

use contract::Lateness;

/// Buckets for each doubling: a figure read from the histogram is at most a fifth too large.
const PER_DOUBLING: u32 = 4;

/// Buckets. The first is below 1 µs, the last beyond a second.
const BUCKETS: usize = 1 + (PER_DOUBLING * 20) as usize;

/// Counts delays in buckets that grow by the fourth root of two. What it takes does not depend on how
/// many it counts.
#[derive(Clone, Debug)]
pub struct LatenessHistogram {
    counts: [u64; BUCKETS],
}

impl Default for LatenessHistogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS] }
    }
}

impl LatenessHistogram {
    /// Counts one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 80")]
    pub fn add(&mut self, late: Duration) {
        let micros = late.as_secs_f64() * 1e6;
        let bucket = (micros.log2() * f64::from(PER_DOUBLING)).ceil().max(0.0) as usize;
        self.counts[bucket.min(BUCKETS - 1)] += 1;
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// What it shows; none if nothing was counted.
    pub fn summary(&self) -> Option<Lateness> {
        let packets = self.counts.iter().sum();
        let (median_us, p99_us) = (self.quantile(packets, 2), self.quantile(packets, 100));
        (packets > 0).then_some(Lateness { packets, median_us, p99_us })
    }

    /// The end, in microseconds, of the bucket in which all but one `part` of them are reached.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 2^20")]
    fn quantile(&self, packets: u64, part: u64) -> u64 {
        let wanted = packets - packets / part;
        let mut reached = 0;
        let bucket = self.counts.iter().take_while(|&&count| {
            reached += count;
            reached < wanted
        });
        let bucket = u32::try_from(bucket.count()).expect("there are few buckets");
        (f64::from(bucket) / f64::from(PER_DOUBLING)).exp2().ceil() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_p99_are_at_most_a_fifth_too_large() {
        let mut histogram = LatenessHistogram::default();
        assert_eq!(histogram.summary(), None);
        for micros in 1..=1000 {
            histogram.add(Duration::from_micros(micros));
        }
        let summary = histogram.summary().expect("counted");
        assert_eq!(summary.packets, 1000);
        assert!((500..=600).contains(&summary.median_us), "{summary:?}");
        assert!((990..=1190).contains(&summary.p99_us), "{summary:?}");

        let mut other = LatenessHistogram::default();
        for late in [Duration::ZERO, Duration::from_secs(1000)] {
            other.add(late);
        }
        let ends = other.summary().expect("counted");
        assert_eq!((ends.median_us, ends.p99_us), (1, 1 << 20));
        histogram.merge(&other);
        assert_eq!(histogram.summary().expect("counted").packets, 1002);
    }
}
