//! Exponential times: the intervals of a Poisson stream, and the delays at mixnodes.

use std::time::Duration;

use rand::{Rng, RngExt};

/// A time drawn from the exponential distribution with this mean.
///
/// By inversion: −mean · ln(1 − u) for u uniform in [0, 1). The largest u that there is gives 36.7
/// times the mean, so nothing overflows.
pub(crate) fn exponential(rng: &mut impl Rng, mean: Duration) -> Duration {
    let uniform: f64 = rng.random();
    mean.mul_f64(-(-uniform).ln_1p())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    /// Mean and the share beyond the mean (1/e) of 20 000 samples, each within five standard errors.
    #[test]
    fn samples_have_the_mean_and_the_shape() {
        let mut rng = StdRng::seed_from_u64(1);
        let n = 20_000_u32;
        let samples: Vec<f64> = (0..n)
            .map(|_| exponential(&mut rng, Duration::from_millis(200)).as_secs_f64())
            .collect();
        let mean = samples.iter().sum::<f64>() / f64::from(n);
        assert!((mean - 0.2).abs() < 5.0 * 0.2 / f64::from(n).sqrt(), "{mean}");
        let beyond =
            samples.iter().map(|&s| if s > 0.2 { 1.0 } else { 0.0 }).sum::<f64>() / f64::from(n);
        let e = 1.0_f64.exp().recip();
        assert!((beyond - e).abs() < 5.0 * (e * (1.0 - e) / f64::from(n)).sqrt(), "{beyond}");
        assert_eq!(exponential(&mut rng, Duration::ZERO), Duration::ZERO);
    }
}
