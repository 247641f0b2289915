//! Attacks that no pool is large enough for: sending order, and watching for long.

/// P(the first of two packets that are sent `gap` seconds apart, over `hops` hops of mean `delay`
/// seconds, is also the first to come out).
///
/// For one hop 1 − ½·e^{−gap/θ}. For more: the first is late when it has not finished its hops by the
/// time the second has. Seen in steps of mean θ, those that it takes while the second takes its `hops`
/// are a negative binomial number (each step of either is a fair coin), and those in the gap a Poisson
/// number; it is late when they are fewer than `hops`. That order survives continuous mixing is the
/// attack of Das, Diaz, Kiayias and Zacharias (2024).
pub fn order_kept(gap: f64, hops: u8, delay: f64) -> f64 {
    if delay <= 0.0 {
        return 1.0;
    }
    let gap = gap.max(0.0) / delay;
    let hops = u32::from(hops.max(1));
    let mut late = 0.0;
    let mut in_gap = (-gap).exp();
    for steps in 0..hops {
        let mut meanwhile = 0.5_f64.powf(f64::from(hops));
        for more in 0..hops - steps {
            late += in_gap * meanwhile;
            meanwhile *= 0.5 * f64::from(hops + more) / f64::from(more + 1);
        }
        in_gap *= gap / f64::from(steps + 1);
    }
    1.0 - late
}

/// Rounds of watching after which statistical disclosure tells the `friends` of a sender, who writes to
/// one of them each round, from `recipients` − `friends` others: in each round `batch` messages arrive,
/// all but hers at random; `sigmas` standard deviations apart on each side.
///
/// Danezis, *Statistical Disclosure Attacks* (2003). A friend's count has mean 1/m + (b−1)/N and
/// variance (m−1)/m² + (b−1)(N−1)/N² a round, a stranger's (b−1)/N and (b−1)(N−1)/N²; after t rounds
/// the means are t/m apart, which has to be `sigmas` deviations of each.
pub fn disclosure_rounds(friends: u32, batch: u32, recipients: u32, sigmas: f64) -> f64 {
    let (m, b, n) = (f64::from(friends), f64::from(batch), f64::from(recipients));
    let others = (b - 1.0) * (n - 1.0) / (n * n);
    let of_friend = (m - 1.0) / (m * m) + others;
    (m * sigmas * (of_friend.sqrt() + others.sqrt())).powi(2)
}

/// The seconds that stand for a round in a network without rounds: five times the mean way through,
/// in which all but 0.2 % of three hops have come out.
pub fn round_length(hops: u8, delay: f64) -> f64 {
    5.0 * f64::from(hops) * delay
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::{assert_near, assert_rounds};

    #[test]
    fn order_over_one_hop_and_three() {
        for (gap, one, three) in [(0.05, 0.611, 0.548), (0.1, 0.697, 0.593), (0.5, 0.959, 0.863)] {
            assert_rounds(order_kept(gap, 1, 0.2), one, 3);
            // Simulated figures, rounded there.
            assert_near(order_kept(gap, 3, 0.2), three, 0.003);
        }
        assert_near(order_kept(0.0, 3, 0.2), 0.5, 1e-12);
        assert_near(order_kept(1.0, 3, 0.0), 1.0, 0.0);
    }

    #[test]
    fn rounds_of_disclosure() {
        assert_rounds(disclosure_rounds(2, 5, 20, 2.0), 19.3, 1);
        assert_rounds(disclosure_rounds(1, 5, 20, 2.0), 3.04, 2);
        assert_rounds(disclosure_rounds(5, 10, 100, 2.0), 63.6, 1);
        assert_near(round_length(3, 0.2), 3.0, 1e-12);
    }
}
