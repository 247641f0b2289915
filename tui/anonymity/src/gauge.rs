//! Are delays at hops exponential? If not, figures cannot be trusted.
//!
//! An observer cannot measure a packet's delay at an honest mixnode; this gauge belongs to whoever runs
//! the network and knows. What it is told are seconds and nothing else, so that it gives nothing away.

use std::collections::VecDeque;

use crate::numbers::real;

/// Delays that are looked at: enough to see a distance of 0.05, and those of the last seconds.
const MAX_DELAYS: usize = 2000;

/// With fewer nothing can be said.
const MIN_DELAYS: usize = 100;

/// Up to this distance from the exponential distribution pools mix as well as anybody could tell:
/// timers, links and a busy machine are in there too.
const ALIKE: f64 = 0.05;

/// A scaled distance is larger than this once in a hundred times by chance. Stephens (1974), *EDF
/// Statistics for Goodness of Fit*, for an exponential distribution whose mean is that of the sample.
const CHANCE: f64 = 1.308;

/// Compares delays with the exponential distribution of the same mean.
///
/// Of the same mean, because that is all that matters: packets that have waited and packets that have
/// just come must be equally likely to leave. Which mean they have nobody needs to know.
#[derive(Clone, Debug, Default)]
pub struct HopGauge {
    delays: VecDeque<f64>,
}

/// How alike they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Delays that were compared.
    pub count: usize,
    /// Their mean in seconds.
    pub mean: f64,
    /// The largest distance of the two distribution functions (Kolmogorov and Smirnov), 0 to 1.
    pub distance: f64,
    /// Whether chance makes it that large less than once in a hundred times.
    pub is_significant: bool,
}

impl Fit {
    /// Whether the network mixes as the figures assume.
    pub fn is_exponential(&self) -> bool {
        !self.is_significant || self.distance <= ALIKE
    }
}

impl HopGauge {
    /// Takes in how many seconds packets waited at hops.
    pub fn add(&mut self, delays: &[f64]) {
        let sound = delays.iter().copied().filter(|delay| delay.is_finite() && *delay >= 0.0);
        self.delays.extend(sound);
        let surplus = self.delays.len().saturating_sub(MAX_DELAYS);
        self.delays.drain(..surplus);
    }

    /// Forgets all: the mean delay was changed, and delays of two means are no exponential ones.
    pub fn clear(&mut self) {
        self.delays.clear();
    }

    /// How alike they are; none with too few delays, or if there is no delay at all.
    pub fn fit(&self) -> Option<Fit> {
        let count = self.delays.len();
        let n = real(count);
        let mean = self.delays.iter().sum::<f64>() / n;
        if count < MIN_DELAYS || mean <= 0.0 {
            return None;
        }
        let mut sorted: Vec<f64> = self.delays.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let mut distance = 0.0_f64;
        for (index, delay) in sorted.iter().enumerate() {
            let expected = -(-delay / mean).exp_m1();
            let (below, until) = (real(index) / n, real(index + 1) / n);
            distance = distance.max(expected - below).max(until - expected);
        }
        let scaled = (distance - 0.2 / n) * (n.sqrt() + 0.26 + 0.5 / n.sqrt());
        Some(Fit { count, mean, distance, is_significant: scaled > CHANCE })
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::test_help::assert_near;

    fn exponential(rng: &mut StdRng, mean: f64) -> f64 {
        -(1.0 - rng.random::<f64>()).ln() * mean
    }

    fn fit(delays: &[f64]) -> Fit {
        let mut gauge = HopGauge::default();
        gauge.add(delays);
        gauge.fit().expect("enough")
    }

    #[test]
    fn chance_is_as_often_as_it_says() {
        let mut rng = StdRng::seed_from_u64(1);
        let samples = 4000;
        let significant = (0..samples)
            .filter(|_| {
                let delays: Vec<f64> = (0..200).map(|_| exponential(&mut rng, 0.2)).collect();
                fit(&delays).is_significant
            })
            .count();
        // Forty expected, with a standard deviation of six.
        assert_near(real(significant), 40.0, 25.0);
    }

    #[test]
    fn another_mean_is_no_other_shape() {
        let mut rng = StdRng::seed_from_u64(2);
        let delays: Vec<f64> = (0..MAX_DELAYS).map(|_| exponential(&mut rng, 0.03)).collect();
        let fit = fit(&delays);
        assert!(fit.is_exponential(), "{fit:?}");
        assert_near(fit.mean, 0.03, 0.003);
        assert_eq!(fit.count, MAX_DELAYS);
    }

    #[test]
    fn other_shapes_are_seen() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut draw = |f: fn(&mut StdRng) -> f64| {
            fit(&(0..MAX_DELAYS).map(|_| f(&mut rng)).collect::<Vec<_>>())
        };
        // Everybody waits as long; anything up to twice the mean; a timer of 20 ms for delays of 15 ms;
        // one in ten is held up for two seconds.
        assert!(!draw(|_| 0.2).is_exponential());
        assert!(!draw(RngExt::random::<f64>).is_exponential());
        assert!(!draw(|rng| (exponential(rng, 0.015) / 0.02).ceil() * 0.02).is_exponential());
        let held = draw(|rng| {
            let waits = if rng.random::<f64>() < 0.1 { 2.0 } else { 0.0 };
            exponential(rng, 0.2) + waits
        });
        assert!(!held.is_exponential(), "{held:?}");
        // A millisecond more for each of 200 is nothing.
        assert!(draw(|rng| exponential(rng, 0.2) + 0.001).is_exponential());
    }

    /// Nine in ten leave at once, the others wait for ten seconds: 0.9 of them have left when 0.001 should.
    #[test]
    fn distances_count_on_both_sides() {
        let delays: Vec<f64> = [0.001; 9].into_iter().chain([10.0]).cycle().take(1000).collect();
        let fit = fit(&delays);
        assert_near(fit.distance, 0.9 + (-0.001 / fit.mean).exp_m1(), 1e-9);
    }

    #[test]
    fn the_last_delays_count() {
        let mut gauge = HopGauge::default();
        gauge.add(&[0.2; MIN_DELAYS - 1]);
        assert_eq!(gauge.fit(), None);
        gauge.add(&vec![1.0; 2 * MAX_DELAYS]);
        let fit = gauge.fit().expect("enough");
        assert_near(fit.mean, 1.0, 1e-9);
        assert_near(fit.distance, 1.0 - (-1.0_f64).exp(), 1e-9);
        gauge.clear();
        gauge.add(&[f64::NAN, -1.0]);
        assert_eq!(gauge.fit(), None);
    }
}
