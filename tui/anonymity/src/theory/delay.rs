//! How long packets take: exponential hops one after the other, and waiting for a slot.
//!
//! Loopix (Piotrowska et al., USENIX Security 2017), section 5: the delays of a route of equal hops add
//! up to an Erlang (gamma) distribution.

use super::MAX_HOPS;
use crate::numbers::ln_gamma;

/// Steps of a bisection: enough for the last bit of a quantile.
const BISECTIONS: u32 = 64;

/// Terms of the Poisson sum that stands for the matrix exponential: with a mean of 400 the rest is
/// below 1e-15.
const MAX_TERMS: u32 = 700;

/// The largest mean of that sum: its first term must not underflow.
const MAX_STEPS: f64 = 400.0;

/// A hop that is so many times shorter than the longest changes nothing that could be seen, and would
/// cost as many times more.
const SHORTEST: f64 = 1e-3;

/// After so many times the mean less than 1e-17 of the packets are missing.
const ALL_CAME: f64 = 40.0;

/// The delays of a route of equal hops, added up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Erlang {
    hops: u8,
    delay: f64,
}

impl Erlang {
    /// Of `hops` hops (1 to [`MAX_HOPS`]; others are taken for the nearest) with a mean `delay` in
    /// seconds each.
    pub fn new(hops: u8, delay: f64) -> Self {
        Self { hops: hops.clamp(1, MAX_HOPS), delay: delay.max(0.0) }
    }

    /// In seconds.
    pub fn mean(&self) -> f64 {
        f64::from(self.hops) * self.delay
    }

    /// Standard deviation in seconds.
    pub fn deviation(&self) -> f64 {
        self.delay * f64::from(self.hops).sqrt()
    }

    /// Density at `t` seconds, per second. Without delay there is none: zero.
    pub fn density(&self, t: f64) -> f64 {
        if t < 0.0 || self.delay <= 0.0 {
            return 0.0;
        }
        let x = t / self.delay;
        let powers = x.powi(i32::from(self.hops) - 1);
        powers * (-x - ln_gamma(self.hops)).exp() / self.delay
    }

    /// The share of packets that took at most `t` seconds.
    pub fn share_within(&self, t: f64) -> f64 {
        if t < 0.0 {
            return 0.0;
        }
        if self.delay <= 0.0 {
            return 1.0;
        }
        let share = 1.0 - poisson_below(self.hops, t / self.delay);
        // Far out nothing times infinity is left.
        if share.is_nan() { 1.0 } else { share.clamp(0.0, 1.0) }
    }

    /// The time in seconds within which this share of packets (0 to 1) has come.
    pub fn quantile(&self, share: f64) -> f64 {
        // Of twenty hops all but one in 10^12 have come after three times the mean and 30 delays.
        bisect(3.0 * self.mean() + 30.0 * self.delay, |t| self.share_within(t) < share)
    }

    /// Differential entropy of the delay in bits, against a second. Minus infinity without delay.
    ///
    /// `[L + ln θ + ln Γ(L) + (1 − L)·ψ(L)] / ln 2`, a property of the gamma distribution.
    pub fn entropy(&self) -> f64 {
        super::entropy::of_erlang(self.hops, self.delay)
    }
}

/// P(a Poisson number with mean `x` is below `hops`).
fn poisson_below(hops: u8, x: f64) -> f64 {
    let mut term = (-x).exp();
    let mut sum = 0.0;
    for i in 1..=hops {
        sum += term;
        term *= x / f64::from(i);
    }
    sum
}

fn bisect(longest: f64, is_too_short: impl Fn(f64) -> bool) -> f64 {
    let (mut short, mut long) = (0.0, longest);
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(short, long);
        if is_too_short(middle) { short = middle } else { long = middle }
    }
    f64::midpoint(short, long)
}

/// The delays of a route whose hops have different means (hypoexponential).
#[derive(Clone, Debug, PartialEq)]
pub struct UnequalHops {
    delays: Vec<f64>,
}

impl UnequalHops {
    /// Mean delays in seconds. Hops past [`MAX_HOPS`] are left out, and those that are a thousand times
    /// shorter than the longest.
    pub fn new(delays: &[f64]) -> Self {
        let longest = delays.iter().copied().fold(0.0, f64::max);
        let counts = |&delay: &f64| delay > 0.0 && delay >= SHORTEST * longest;
        let delays = delays.iter().copied().filter(counts);
        Self { delays: delays.take(usize::from(MAX_HOPS)).collect() }
    }

    /// In seconds.
    pub fn mean(&self) -> f64 {
        self.delays.iter().sum()
    }

    /// Standard deviation in seconds.
    pub fn deviation(&self) -> f64 {
        self.delays.iter().map(|delay| delay * delay).sum::<f64>().sqrt()
    }

    /// The share of packets that took at most `t` seconds.
    ///
    /// By uniformisation (Jensen 1953): all hops are watched at the rate of the fastest, at each look
    /// the packet moves on with the probability that makes up for it. Unlike the textbook's sum over
    /// partial fractions this is as good for equal means as for others.
    pub fn share_within(&self, t: f64) -> f64 {
        if t < 0.0 {
            return 0.0;
        }
        let fastest = self.delays.iter().copied().fold(f64::INFINITY, f64::min);
        let looks = t / fastest;
        if self.delays.is_empty() || t > ALL_CAME * self.mean() {
            return 1.0;
        }
        // A large number of looks is cut into parts whose Poisson weights do not underflow.
        let parts = (looks / MAX_STEPS).ceil().max(1.0);
        let mut at = vec![0.0; self.delays.len()];
        at[0] = 1.0;
        let mut done = 0.0;
        let mut part = 0.0;
        while part < parts {
            at = self.step(&at, looks / parts, fastest);
            done = 1.0 - at.iter().sum::<f64>();
            part += 1.0;
        }
        done.clamp(0.0, 1.0)
    }

    /// Where the packet is after a Poisson number of looks.
    fn step(&self, at: &[f64], looks: f64, fastest: f64) -> Vec<f64> {
        let mut now = at.to_vec();
        let mut after = vec![0.0; at.len()];
        let mut weight = (-looks).exp();
        for look in 1..=MAX_TERMS {
            for (after, now) in after.iter_mut().zip(&now) {
                *after += weight * now;
            }
            for hop in (0..now.len()).rev() {
                let moves = fastest / self.delays[hop];
                let come =
                    if hop == 0 { 0.0 } else { now[hop - 1] * fastest / self.delays[hop - 1] };
                now[hop] = now[hop] * (1.0 - moves) + come;
            }
            weight *= looks / f64::from(look);
        }
        after
    }

    /// The time in seconds within which this share of packets (0 to 1) has come.
    pub fn quantile(&self, share: f64) -> f64 {
        bisect(ALL_CAME * self.mean(), |t| self.share_within(t) < share)
    }
}

/// Mean seconds from client to client: the wait for a slot of a Poisson stream of `slot_rate`, the
/// hops, and what links, processors and polling add.
pub fn mean_latency(slot_rate: f64, hops: u8, delay: f64, rest: f64) -> f64 {
    slot_rate.recip() + Erlang::new(hops, delay).mean() + rest
}

/// Mean seconds that a message waits before it is sent, when messages come at random at rate `offered`
/// and each takes a slot of a Poisson stream of rate `slots`: the time in an M/M/1 queue, which has no
/// end where at least as many come as slots.
pub fn mean_wait_for_slot(offered: f64, slots: f64) -> Option<f64> {
    (offered < slots).then(|| (slots - offered).recip())
}

/// Mean seconds until the last of so many packets that were queued at once has left.
pub fn mean_wait_of_fragments(fragments: u32, slots: f64) -> f64 {
    f64::from(fragments) / slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::{assert_near, assert_rounds};

    #[test]
    fn three_classic_hops() {
        let delay = Erlang::new(3, 0.2);
        assert_rounds(delay.mean(), 0.6, 3);
        assert_rounds(delay.deviation(), 0.3464, 4);
        for (share, t) in [(0.5, 0.5348), (0.95, 1.2592), (0.99, 1.6812), (0.999, 2.2458)] {
            assert_rounds(delay.quantile(share), t, 4);
            assert_near(delay.share_within(delay.quantile(share)), share, 1e-12);
        }
        assert_rounds(delay.share_within(delay.mean()), 0.5768, 4);
    }

    #[test]
    fn three_short_hops() {
        let newest = Erlang::new(3, 0.015);
        assert_rounds(newest.deviation(), 0.0260, 4);
        for (share, t) in [(0.5, 0.0401), (0.95, 0.0944), (0.99, 0.1261)] {
            assert_rounds(newest.quantile(share), t, 4);
        }
        let middle = Erlang::new(3, 0.05);
        for (share, t) in [(0.5, 0.1337), (0.95, 0.3148), (0.99, 0.4203)] {
            assert_rounds(middle.quantile(share), t, 4);
        }
    }

    #[test]
    fn the_density_is_the_slope_of_the_share() {
        let delay = Erlang::new(4, 0.3);
        let step = 1e-5;
        for t in [0.1, 0.9, 2.5] {
            let slope =
                (delay.share_within(t + step) - delay.share_within(t - step)) / (2.0 * step);
            assert_near(delay.density(t), slope, 1e-7);
        }
        assert_near(delay.density(-1.0), 0.0, 0.0);
    }

    #[test]
    fn without_delay_everything_is_there_at_once() {
        let none = Erlang::new(3, 0.0);
        assert_near(none.share_within(0.0), 1.0, 0.0);
        assert_near(none.quantile(0.99), 0.0, 0.0);
    }

    #[test]
    fn strange_numbers_have_shares() {
        for delay in [f64::NAN, -1.0, f64::INFINITY, f64::MIN_POSITIVE] {
            let erlang = Erlang::new(3, delay);
            for t in [-1.0, 0.0, 1.0, f64::INFINITY] {
                assert!((0.0..=1.0).contains(&erlang.share_within(t)), "{delay} {t}");
            }
        }
    }

    #[test]
    fn equal_hops_are_a_case_of_unequal_ones() {
        let (equal, general) = (Erlang::new(3, 0.2), UnequalHops::new(&[0.2; 3]));
        for t in [0.01, 0.3, 0.6, 2.0, 30.0] {
            assert_near(general.share_within(t), equal.share_within(t), 1e-12);
        }
        assert_near(general.quantile(0.95), equal.quantile(0.95), 1e-9);
    }

    /// Two hops by hand: `1 − (b·e^{−t/b} − a·e^{−t/a}) / (b − a)`.
    #[test]
    fn two_unequal_hops() {
        let (a, b) = (0.05_f64, 0.4_f64);
        let route = UnequalHops::new(&[a, b]);
        assert_near(route.mean(), 0.45, 1e-12);
        assert_near(route.deviation(), (a * a + b * b).sqrt(), 1e-12);
        for t in [0.02, 0.2, 0.45, 3.0] {
            let by_hand = 1.0 - (b * (-t / b).exp() - a * (-t / a).exp()) / (b - a);
            assert_near(route.share_within(t), by_hand, 1e-11);
        }
    }

    #[test]
    fn hops_a_thousand_times_apart() {
        let route = UnequalHops::new(&[0.001, 1.0]);
        let by_hand = 1.0 - ((-2.0_f64).exp() - 0.001 * (-2000.0_f64).exp()) / 0.999;
        assert_near(route.share_within(2.0), by_hand, 1e-9);
    }

    #[test]
    fn waiting_for_a_slot() {
        for (offered, wait) in [(0.5, 0.6667), (1.0, 1.0), (1.5, 2.0)] {
            assert_rounds(mean_wait_for_slot(offered, 2.0).expect("stable"), wait, 4);
        }
        assert_eq!(mean_wait_for_slot(2.0, 2.0), None);
        assert_near(mean_wait_of_fragments(7, 2.0), 3.5, 1e-12);
        // The classic client: half a second for a slot, three hops, half a second until the next poll.
        assert_near(mean_latency(2.0, 3, 0.2, 0.5), 1.6, 1e-12);
    }
}
