//! How many packets wait at a mixnode, when they come at random: the queue M/M/∞.
//!
//! Loopix (Piotrowska et al., USENIX Security 2017), lemma 1: in the steady state the number is Poisson
//! with mean ρ = rate · delay, and packets leave as randomly as they came (Burke 1956), so that each
//! layer sees the same.

/// The expected number of packets that wait (ρ): `rate` packets per second at this mixnode, mean
/// `delay` in seconds.
pub fn expected(rate: f64, delay: f64) -> f64 {
    rate * delay
}

/// The expected number that a leaving packet sees, itself included. It is one more than the average
/// over time: a packet is never without itself.
pub fn expected_at_departure(pool: f64) -> f64 {
    pool + 1.0
}

/// P(nothing waits).
pub fn empty(pool: f64) -> f64 {
    (-pool).exp()
}

/// P(at least `n` packets wait).
pub fn at_least(n: u32, pool: f64) -> f64 {
    let mut term = empty(pool);
    let mut below = 0.0;
    for i in 1..=n {
        below += term;
        term *= pool / f64::from(i);
    }
    (1.0 - below).max(0.0)
}

/// P(a packet is alone for its whole stay): it comes to an empty pool and leaves before the next comes.
pub fn alone(pool: f64) -> f64 {
    empty(pool) / (1.0 + pool)
}

/// Mean seconds until `n` packets have left when no more come: θ·(1 + 1/2 + … + 1/n), the longest of
/// `n` exponential times.
pub fn drain_time(n: u32, delay: f64) -> f64 {
    delay * (1..=n).map(|i| f64::from(i).recip()).sum::<f64>()
}

/// Packets between the first mixnode and the last (Little): `rate` of the whole network per second,
/// `layers` hops of mean `delay` seconds.
pub fn underway(rate: f64, layers: u8, delay: f64) -> f64 {
    rate * f64::from(layers) * delay
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::{assert_near, assert_rounds};

    #[test]
    fn twenty_classic_clients_and_two_mixnodes_a_layer() {
        let pool = expected(20.0 * 3.0 / 2.0, 0.2);
        assert_near(pool, 6.0, 1e-12);
        assert_near(expected_at_departure(pool), 7.0, 1e-12);
        assert_rounds(empty(pool), 0.00248, 5);
        assert_rounds(at_least(5, pool), 0.715, 3);
        assert_near(at_least(0, pool), 1.0, 1e-12);
        assert_near(underway(60.0, 3, 0.2), 36.0, 1e-12);
    }

    #[test]
    fn alone_for_a_whole_stay() {
        for (pool, share) in [(0.3, 0.570), (0.6, 0.343), (2.0, 0.045)] {
            assert_rounds(alone(pool), share, 3);
        }
    }

    #[test]
    fn draining() {
        for (n, seconds) in [(5, 0.457), (10, 0.586), (20, 0.720)] {
            assert_rounds(drain_time(n, 0.2), seconds, 3);
        }
        assert_near(drain_time(0, 0.2), 0.0, 0.0);
    }
}
