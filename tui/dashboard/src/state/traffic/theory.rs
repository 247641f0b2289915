//! How long packets should take: the sum of the delays that their senders drew.

use contract::Transits;

use crate::state::as_ms;

const MS_PER_S: f64 = 1000.0;

/// The delay of a packet that waits at each of some hops for an exponential time of the same mean:
/// an Erlang distribution. That is all of it: nothing waits in a queue, no link takes time, and the
/// wait for a send slot comes before. Reckoned by [`vantage::Erlang`], in the buckets of what is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Erlang {
    /// Mixnodes on the way.
    pub(crate) hops: u8,
    /// Mean delay at each, in milliseconds.
    pub(crate) mean_ms: f64,
}

impl Erlang {
    /// The same in seconds.
    fn in_seconds(&self) -> vantage::Erlang {
        vantage::Erlang::new(self.hops, self.mean_ms / MS_PER_S)
    }

    /// The probability that a packet takes no longer.
    pub(crate) fn at_most(&self, ms: f64) -> f64 {
        // Without a mixnode it takes no time.
        if self.hops == 0 && ms >= 0.0 {
            return 1.0;
        }
        self.in_seconds().share_within(ms / MS_PER_S)
    }

    /// The delay in milliseconds that this share of packets does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        if self.hops == 0 { 0.0 } else { self.in_seconds().quantile(share) * MS_PER_S }
    }

    /// The probability that a packet is counted in this bucket. The first and the last take in what
    /// lies beyond them.
    pub(crate) fn in_bucket(&self, bucket: u8) -> f64 {
        let until = if bucket + 1 >= Transits::BUCKETS { 1.0 } else { self.below(bucket + 1) };
        let from = if bucket == 0 { 0.0 } else { self.below(bucket) };
        (until - from).max(0.0)
    }

    /// The probability that a packet is counted in an earlier bucket.
    pub(crate) fn below(&self, bucket: u8) -> f64 {
        self.at_most(as_ms(Transits::lower_edge(bucket)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-4 * expected.max(1.0), "{got} is not {expected}");
    }

    /// Twice the sum of k exponential times of mean 1 has a chi-square distribution with 2k degrees of
    /// freedom, whose quantiles stand in every book of tables.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (hops, share, chi_square) in [
            (1, 0.50, 1.386_294),
            (1, 0.99, 9.210_340),
            (2, 0.50, 3.356_694),
            (2, 0.99, 13.276_704),
            (3, 0.50, 5.348_121),
            (3, 0.99, 16.811_894),
            (5, 0.50, 9.341_818),
            (5, 0.99, 23.209_251),
        ] {
            let erlang = Erlang { hops, mean_ms: 200.0 };
            assert_near(erlang.quantile(share), chi_square * 100.0);
            assert_near(erlang.at_most(chi_square * 100.0), share);
        }
    }

    #[test]
    fn the_buckets_have_everything() {
        for (hops, mean_ms) in [(1, 0.1), (3, 200.0), (3, 1e9), (255, 30.0), (0, 5.0), (3, 0.0)] {
            let erlang = Erlang { hops, mean_ms };
            let sum: f64 = (0..Transits::BUCKETS).map(|bucket| erlang.in_bucket(bucket)).sum();
            assert_near(sum, 1.0);
        }
        // From 512 to 609 ms: P(3, 3.044) - P(3, 2.56).
        let in_bucket = Erlang { hops: 3, mean_ms: 200.0 }.in_bucket(36);
        assert_near(in_bucket, 0.115_194);
    }

    #[test]
    fn strange_numbers_are_numbers() {
        for mean_ms in [f64::NAN, -1.0, f64::INFINITY, f64::MIN_POSITIVE] {
            let erlang = Erlang { hops: 3, mean_ms };
            for ms in [-1.0, 0.0, 1.0, f64::INFINITY] {
                assert!((0.0..=1.0).contains(&erlang.at_most(ms)), "{mean_ms} {ms}");
            }
        }
    }
}
