//! Is somebody sending? A sequential test between two rates of a Poisson stream.
//!
//! It needs one link: that from a client to the first mixnodes. Who fills his slots with cover sends as
//! much either way, and the two rates are the same: then nothing is ever learned.

use std::time::Duration;

/// Odds to one at which an answer counts as one.
pub const DECIDED: f64 = 99.0;

/// Evidence beyond this, in odds, is not kept: the test must be able to turn when the truth does.
const CAP: f64 = 10_000.0;

/// Wald's sequential probability ratio test, which goes on after it has decided.
#[derive(Clone, Copy, Debug)]
pub struct SendingTest {
    idle: f64,
    active: f64,
    log_odds: f64,
    since: Duration,
}

/// What the test says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    /// Odds are at least [`DECIDED`] to one that it does.
    Yes,
    /// The same that it does not.
    No,
    /// Neither.
    Unclear,
}

impl SendingTest {
    /// Between a stream of `idle` packets per second and one of `active`, from `t` on, at even odds.
    pub fn new(idle: f64, active: f64, t: Duration) -> Self {
        Self { idle, active, log_odds: 0.0, since: t }
    }

    /// A packet was sent.
    pub fn sent(&mut self, t: Duration) {
        self.pass(t);
        if (self.active - self.idle).abs() > 0.0 {
            self.add((self.active / self.idle).ln());
        }
    }

    /// Odds that the stream is the active one at `now`, as a natural logarithm.
    pub fn log_odds(&self, now: Duration) -> f64 {
        let mut later = *self;
        later.pass(now);
        later.log_odds
    }

    /// What that means.
    pub fn answer(&self, now: Duration) -> Sends {
        let log_odds = self.log_odds(now);
        if log_odds >= DECIDED.ln() {
            Sends::Yes
        } else if log_odds <= -DECIDED.ln() {
            Sends::No
        } else {
            Sends::Unclear
        }
    }

    /// Silence speaks for the smaller rate.
    fn pass(&mut self, t: Duration) {
        let silent = t.saturating_sub(self.since).as_secs_f64();
        self.since = self.since.max(t);
        self.add((self.idle - self.active) * silent);
    }

    fn add(&mut self, evidence: f64) {
        self.log_odds = (self.log_odds + evidence).clamp(-CAP.ln(), CAP.ln());
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::test_help::assert_near;

    /// Seconds until it is decided that a stream of `active` is not one of `idle`.
    fn seconds(idle: f64, active: f64, rng: &mut StdRng) -> f64 {
        let mut test = SendingTest::new(idle, active, Duration::ZERO);
        let mut t = 0.0;
        while test.log_odds < DECIDED.ln() {
            t -= (1.0 - rng.random::<f64>()).ln() / active;
            test.sent(Duration::from_secs_f64(t));
        }
        t
    }

    /// Simulated before: 3.84 s on average, 3.08 s in the median; Wald's approximation says 3.55 s.
    #[test]
    fn three_packets_a_second_instead_of_one() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut times: Vec<f64> = (0..20_000).map(|_| seconds(1.0, 3.0, &mut rng)).collect();
        times.sort_by(f64::total_cmp);
        assert_near(times.iter().sum::<f64>() / 20_000.0, 3.84, 0.1);
        assert_near(times[10_000], 3.08, 0.1);
    }

    #[test]
    fn by_hand() {
        let mut test = SendingTest::new(1.0, 3.0, Duration::ZERO);
        test.sent(Duration::from_secs(1));
        assert_near(test.log_odds(Duration::from_secs(1)), 3.0_f64.ln() - 2.0, 1e-12);
        assert_near(test.log_odds(Duration::from_secs(2)), 3.0_f64.ln() - 4.0, 1e-12);
        assert_eq!(test.answer(Duration::from_secs(2)), Sends::Unclear);
        assert_eq!(test.answer(Duration::from_secs(4)), Sends::No);
        // However long it was silent, some packets turn it.
        let late = Duration::from_secs(1000);
        for _ in 0..13 {
            test.sent(late);
        }
        assert_eq!(test.answer(late), Sends::Yes);
    }

    #[test]
    fn cover_tells_nothing() {
        let mut test = SendingTest::new(3.0, 3.0, Duration::ZERO);
        for s in 0..100 {
            test.sent(Duration::from_secs(s));
        }
        assert_near(test.log_odds(Duration::from_secs(500)), 0.0, 0.0);
    }
}
