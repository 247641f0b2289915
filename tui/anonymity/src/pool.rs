//! One mixnode from outside: how many packets wait, and how well its output hides its input.
//!
//! Comings and goings are all that this needs. Where packets came from is for
//! [`Masses`](crate::masses::Masses).

use std::time::Duration;

use crate::numbers::{entropy_of_two, real_u64};
use crate::series::{SHORT, STEP, Series, end_of_step};

/// How many mean delays are watched before counts are compared with Little's law: the comparison is
/// then right to a tenth of the root of the pool, less than half a packet with 20 waiting.
pub(crate) const BALANCE_DELAYS: f64 = 100.0;

/// Counts are wrong when they are off by so many standard deviations: by chance once in 16 000 times.
const BALANCE_SIGMAS: f64 = 4.0;

/// So many mean delays after the first look, hardly a packet is left that was there before: one in 150.
const SETTLED_DELAYS: f64 = 5.0;

/// How many mean delays are then watched before the count is compared for the first and the second time,
/// and how many standard deviations it may be off. What was there before is not known at all, so less
/// certainty will do than later, when a wrong count means that something went wrong.
const FIRST: (f64, f64) = (10.0, 2.0);
const SECOND: (f64, f64) = (30.0, 3.0);

/// Steps that are kept of a pool, and the one that has begun.
const KEPT: Duration = Duration::from_secs(STEP.as_secs() * (SHORT as u64 + 1));

/// A mixnode's pool.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Packets that were there before the last departure and still are.
    old: u32,
    /// Packets that came since.
    new: u32,
    /// Of the last packet that left, in bits.
    entropy: f64,
    /// Up to when the time average is made.
    since: Duration,
    /// Packets that wait and their squares, weighted by time.
    waiting: Series,
    /// Seconds without any, weighted by time: one while empty, else zero.
    empty: Series,
    /// What a packet that leaves sees, itself included.
    seen: Series,
    entropies: Series,
    arrivals: Series,
    look: Look,
    balance: Balance,
}

/// How long a pool has been looked at. Packets that were there before are not counted when it begins, and
/// each of them that leaves takes one away that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Some may still be there.
    Began,
    /// They have left, and the count has not been compared.
    Settled,
    /// It was compared once, too early to be sure.
    Compared,
    Known,
}

/// What the count of a pool should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recount {
    /// What was there before the first look is known by now: nothing went wrong.
    First(u32),
    /// Packets were lost, or are not seen.
    Wrong(u32),
}

/// What is compared with Little's law.
#[derive(Clone, Copy, Debug, Default)]
struct Balance {
    began: Duration,
    came: u32,
    /// Packets times seconds.
    waited: f64,
}

/// Figures of a pool over a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoolFigures {
    /// Packets that wait, on average over time: ρ in theory.
    pub mean: f64,
    /// Variance of that over its mean: 1 in theory, more where packets come in bursts.
    pub dispersion: f64,
    /// Packets that wait when one leaves, itself included: ρ + 1 in theory.
    pub seen: f64,
    /// The share of time without any: e^−ρ in theory.
    pub empty: f64,
    /// Packets per second that came.
    pub rate: f64,
    /// Mean entropy of which packet it was that left, in bits.
    pub entropy: f64,
    /// Packets that left.
    pub departures: u64,
}

impl Pool {
    /// A pool that is empty from `t` on.
    pub(crate) fn new(t: Duration) -> Self {
        let short = || Series::new(SHORT);
        Self {
            old: 0,
            new: 0,
            entropy: 0.0,
            since: t,
            waiting: short(),
            empty: short(),
            seen: short(),
            entropies: short(),
            arrivals: short(),
            look: Look::Began,
            balance: Balance { began: t, ..Balance::default() },
        }
    }

    /// Packets that wait.
    pub fn count(&self) -> u32 {
        self.old + self.new
    }

    /// Entropy of which packet it was that left last, in bits, over all that ever came.
    pub fn entropy(&self) -> f64 {
        self.entropy
    }

    pub(crate) fn arrive(&mut self, t: Duration) {
        self.pass(t);
        self.new += 1;
        self.balance.came += 1;
        self.arrivals.add(t, 1.0, 1.0);
    }

    /// A packet left: says whether there was any.
    ///
    /// The recursion is that of Loopix (Piotrowska et al., USENIX Security 2017), appendix A.1: the one
    /// that left is a new one with probability q, each as likely as the other, or an old one, each of
    /// which is any earlier packet with the same chances as the one that left before. That is exact, as
    /// exponential delays do not tell old packets from new ones.
    pub(crate) fn depart(&mut self, t: Duration) -> bool {
        let new = f64::from(self.new);
        let q = new / f64::from(self.count());
        let entropy = if self.old == 0 {
            new.log2()
        } else if self.new > 0 {
            entropy_of_two(q) + (1.0 - q) * self.entropy + q * new.log2()
        } else {
            self.entropy
        };
        self.depart_with(t, entropy)
    }

    /// A packet left of which is known how it came: nothing is uncertain about it.
    pub(crate) fn depart_known(&mut self, t: Duration) {
        self.depart_with(t, 0.0);
    }

    fn depart_with(&mut self, t: Duration, entropy: f64) -> bool {
        self.pass(t);
        let count = self.count();
        if count == 0 {
            return false;
        }
        self.entropy = entropy;
        self.old = count - 1;
        self.new = 0;
        self.seen.add(t, f64::from(count), 1.0);
        self.entropies.add(t, self.entropy, 1.0);
        true
    }

    /// Nothing waits any more.
    pub(crate) fn clear(&mut self, t: Duration) {
        self.set_count(t, 0);
        self.entropy = 0.0;
    }

    /// So many wait, whatever was counted. Who they are is as uncertain as before.
    pub(crate) fn set_count(&mut self, t: Duration, count: u32) {
        self.pass(t);
        self.new = self.new.min(count);
        self.old = count - self.new;
        self.begin_balance(t);
    }

    /// Counts are compared from now on: they, or the delays, have changed.
    pub(crate) fn begin_balance(&mut self, t: Duration) {
        self.pass(t);
        self.balance = Balance { began: t, ..Balance::default() };
    }

    /// What the count should be, if it is another: a packet that dies inside a mixnode is never seen to
    /// leave, one whose coming was lost leaves from nowhere.
    ///
    /// By Little's law packets wait λ·θ on average. Over a time T in which A packets came, the average
    /// differs from A·θ/T as their delays do from their means, with standard deviation θ·√A/T.
    pub(crate) fn balance(&mut self, t: Duration, delay: Duration) -> Option<Recount> {
        let ((wanted, sigmas), next) = match self.look {
            Look::Began => ((SETTLED_DELAYS, f64::INFINITY), Look::Settled),
            Look::Settled => (FIRST, Look::Compared),
            Look::Compared => (SECOND, Look::Known),
            Look::Known => ((BALANCE_DELAYS, BALANCE_SIGMAS), Look::Known),
        };
        let delay = delay.as_secs_f64();
        let time = t.saturating_sub(self.balance.began).as_secs_f64();
        if time < wanted * delay || time <= 0.0 {
            return None;
        }
        self.pass(t);
        let came = f64::from(self.balance.came);
        let off = (self.balance.waited - came * delay) / time;
        let deviation = delay * came.max(1.0).sqrt() / time;
        self.begin_balance(t);
        let look = std::mem::replace(&mut self.look, next);
        if off.abs() < sigmas * deviation || off.abs() < 0.5 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let count = (f64::from(self.count()) - off).round().clamp(0.0, f64::from(u32::MAX)) as u32;
        let recount = if look == Look::Known { Recount::Wrong } else { Recount::First };
        (count != self.count()).then_some(recount(count))
    }

    /// Adds the time until `t` to the averages.
    fn pass(&mut self, t: Duration) {
        let count = f64::from(self.count());
        // Of a longer pause nothing is kept but its sum.
        let kept = t.saturating_sub(KEPT);
        if self.since < kept {
            self.balance.waited += count * kept.saturating_sub(self.since).as_secs_f64();
            self.since = kept;
        }
        // A stay over several steps counts in each.
        while self.since < t {
            let until = end_of_step(self.since).min(t);
            let seconds = until.saturating_sub(self.since).as_secs_f64();
            self.waiting.add(self.since, count, seconds);
            self.empty.add(self.since, if count > 0.0 { 0.0 } else { 1.0 }, seconds);
            self.balance.waited += count * seconds;
            self.since = until;
        }
    }

    /// Figures of the `window` before `now`; none before anything was watched.
    pub fn figures(&self, now: Duration, window: Duration) -> Option<PoolFigures> {
        let waiting = self.waiting.over(now, window);
        let mean = waiting.mean()?;
        let variance = waiting.deviation()?.powi(2);
        let seen = self.seen.over(now, window);
        Some(PoolFigures {
            mean,
            dispersion: if mean > 0.0 { variance / mean } else { 1.0 },
            seen: seen.mean().unwrap_or(0.0),
            empty: self.empty.over(now, window).mean()?,
            rate: real_u64(self.arrivals.over(now, window).count) / waiting.weight(),
            entropy: self.entropies.over(now, window).mean().unwrap_or(0.0),
            departures: seen.count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::assert_near;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn pool(old: u32, new: u32, entropy: f64) -> Pool {
        Pool { old, new, entropy, ..Pool::new(at(0)) }
    }

    #[test]
    fn entropy_by_hand() {
        let mut pool = Pool::new(at(0));
        for (new, entropy) in [(3, 1.584_963), (1, 1.974_938), (0, 1.974_938)] {
            for _ in 0..new {
                pool.arrive(at(1));
            }
            assert!(pool.depart(at(2)));
            assert_near(pool.entropy(), entropy, 1e-6);
        }
        assert_eq!(pool.count(), 1);
        for _ in 0..3 {
            pool.arrive(at(3));
        }
        pool.depart(at(4));
        assert_near(pool.entropy(), 2.493_734, 1e-6);
    }

    #[test]
    fn what_is_known_is_not_uncertain() {
        let mut pool = Pool::new(at(0));
        for _ in 0..3 {
            pool.arrive(at(1));
        }
        pool.depart(at(2));
        pool.depart_known(at(2));
        assert_near(pool.entropy(), 0.0, 0.0);
        let figures = pool.figures(at(2), Duration::from_secs(1)).expect("watched");
        assert_near(figures.entropy, 3.0_f64.log2() / 2.0, 1e-12);
    }

    /// Theorem 1 of the Loopix paper with 4 earlier packets, 2 of which remain, and 3 new ones: 1/10
    /// for each of the former, 1/5 for each of the latter.
    #[test]
    fn chances_of_old_and_new_packets() {
        let mut pool = pool(2, 3, 2.0);
        pool.depart(at(1));
        let by_hand: f64 = [0.1; 4].iter().chain(&[0.2; 3]).map(|p: &f64| -p * p.log2()).sum();
        assert_near(pool.entropy(), by_hand, 1e-12);
    }

    #[test]
    fn averages_are_over_time() {
        let mut pool = Pool::new(at(0));
        pool.arrive(at(500));
        pool.arrive(at(1500));
        pool.depart(at(2500));
        pool.depart(at(4000));
        // Half a second none, one second one, one second two, one and a half one.
        let figures = pool.figures(at(4000), Duration::from_secs(10)).expect("watched");
        assert_near(figures.mean, 4.5 / 4.0, 1e-9);
        assert_near(figures.empty, 0.5 / 4.0, 1e-9);
        assert_near(figures.seen, 1.5, 1e-9);
        assert_near(figures.rate, 0.5, 1e-9);
        let variance = (2.5 + 4.0) / 4.0 - (4.5_f64 / 4.0).powi(2);
        assert_near(figures.dispersion, variance / (4.5 / 4.0), 1e-9);
        assert_eq!(figures.departures, 2);
    }

    /// Ten packets a second that stay for 200 ms, and three that never leave.
    #[test]
    fn packets_that_never_leave_are_found_out() {
        let mut pool = Pool::new(at(0));
        let delay = at(200);
        for _ in 0..3 {
            pool.arrive(at(0));
        }
        pool.look = Look::Known;
        for i in 0..300 {
            pool.arrive(at(100 * i));
            if i >= 2 {
                pool.depart(at(100 * i));
            }
        }
        assert_eq!(pool.count(), 5);
        assert_eq!(pool.balance(at(30_000), delay), Some(Recount::Wrong(2)));
        pool.set_count(at(30_000), 2);
        assert_eq!(pool.balance(at(30_001), delay), None, "too early to say");
        for i in 300..600 {
            pool.arrive(at(100 * i));
            pool.depart(at(100 * i));
        }
        assert_eq!(pool.balance(at(60_000), delay), None);
        assert_eq!(pool.count(), 2);
    }

    /// Fifty packets a second that stay for 200 ms, looked at while ten are there.
    #[test]
    fn packets_of_before_the_first_look_are_made_up_for_soon() {
        let mut pool = Pool::new(at(0));
        let delay = at(200);
        let pass = |pool: &mut Pool, from: u64, until: u64| {
            for i in from / 20..until / 20 {
                pool.arrive(at(20 * i));
                // Of ten that waited eight are not counted, and never will be.
                if i % 50 != 0 || i >= 100 {
                    pool.depart(at(20 * i));
                }
            }
        };
        pass(&mut pool, 0, 1000);
        assert!(pool.count() < 3, "{}", pool.count());
        assert_eq!(pool.balance(at(1000), delay), None, "some of them may still be there");
        pass(&mut pool, 1000, 3000);
        let counted = pool.count();
        assert_eq!(pool.balance(at(3000), delay), Some(Recount::First(10)), "{counted}");
        pool.set_count(at(3000), 10);
        pass(&mut pool, 3000, 5000);
        assert_eq!(pool.balance(at(5000), delay), None, "from now on it takes longer");
    }

    #[test]
    fn nothing_leaves_an_empty_pool() {
        let mut pool = Pool::new(at(0));
        assert!(!pool.depart(at(1)));
        assert_eq!(pool.count(), 0);
        pool.arrive(at(2));
        pool.clear(at(3));
        assert!(!pool.depart(at(4)));
    }
}
