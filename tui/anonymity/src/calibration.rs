//! Does the observer know as much as it thinks? Its probabilities beside the truth.
//!
//! This is the only place where the truth comes in, and nothing goes back: an observer cannot be asked
//! with it. If it is right, the true sender is given on average what it expected to give him, Σ p², and
//! naming the likeliest is right as often as its probability says.

use std::time::Duration;

use crate::event::NodeId;
use crate::numbers::real;
use crate::posterior::Posterior;
use crate::series::{LONG, Series};
use crate::trust::Doubt;

/// A difference is one if it is so many standard errors. They are those of independent packets, which
/// neighbours are not: twice what would do for such.
const SIGMAS: f64 = 6.0;

/// With fewer packets nothing can be said.
const MIN_PACKETS: u64 = 200;

/// A smaller difference changes no figure by a tenth of a bit.
const TOLERANCE: f64 = 0.01;

/// Probabilities that differ by less are the same but for rounding.
const EQUAL: f64 = 1e-12;

/// Who really sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Its sender.
    pub sender: NodeId,
}

/// Compares probabilities with the truth.
#[derive(Clone, Debug)]
pub struct Calibration {
    given: Series,
    expected: Series,
    surplus: Series,
    hits: Series,
    most: Series,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrated {
    /// Packets whose senders were told.
    pub packets: u64,
    /// What the true sender was given on average.
    pub given: f64,
    /// What the observer expected to give: Σ p².
    pub expected: f64,
    /// How often the likeliest sender was the true one.
    pub hits: f64,
    /// How often the observer expected that: the largest p.
    pub most: f64,
    /// Standard error of [`given`](Self::given) − [`expected`](Self::expected), at least.
    pub error: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        let long = || Series::new(LONG);
        Self { given: long(), expected: long(), surplus: long(), hits: long(), most: long() }
    }
}

impl Calibration {
    /// Takes in who sent a packet that came out at `t`. Not for acknowledgements: they have no sender.
    pub fn reveal(&mut self, t: Duration, posterior: &Posterior<'_>, truth: Truth) {
        let Some(anonymity) = posterior.anonymity() else { return };
        let given = posterior.of(truth.sender);
        // Of several that are equally likely one is named, by chance.
        let is_named = (given - anonymity.most).abs() < EQUAL;
        let named = posterior.as_likely_as(anonymity.most, EQUAL);
        let hit = if is_named { real(named.max(1)).recip() } else { 0.0 };
        self.given.add(t, given, 1.0);
        self.expected.add(t, anonymity.collision, 1.0);
        self.surplus.add(t, given - anonymity.collision, 1.0);
        self.hits.add(t, hit, 1.0);
        self.most.add(t, anonymity.most, 1.0);
    }

    /// Over the `window` before `now`; none before anything was revealed.
    pub fn over(&self, now: Duration, window: Duration) -> Option<Calibrated> {
        let given = self.given.over(now, window);
        Some(Calibrated {
            packets: given.count,
            given: given.mean()?,
            expected: self.expected.over(now, window).mean()?,
            hits: self.hits.over(now, window).mean()?,
            most: self.most.over(now, window).mean()?,
            error: self.surplus.over(now, window).error()?,
        })
    }
}

impl Calibrated {
    /// Whether the observer is wrong about what it knows.
    pub fn doubt(&self) -> Option<Doubt> {
        let by = self.given - self.expected;
        let is_wrong = by.abs() > SIGMAS * self.error && by.abs() > TOLERANCE;
        (self.packets >= MIN_PACKETS && is_wrong).then_some(Doubt::Uncalibrated { by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posterior::Source;
    use crate::test_help::assert_near;

    fn calibrate(truths: impl Iterator<Item = u16>) -> Calibrated {
        let source = |node| Source {
            node: NodeId(node),
            mailbox: Some(NodeId(9)),
            serial: u32::from(node),
            is_gone: false,
        };
        let sources: Vec<_> = (0..3).map(source).collect();
        let posterior = Posterior { sources: &sources, p: &[0.5, 0.25, 0.25], unknown: 0.0 };
        let mut calibration = Calibration::default();
        for sender in truths {
            calibration.reveal(Duration::ZERO, &posterior, Truth { sender: NodeId(sender) });
        }
        calibration.over(Duration::ZERO, Duration::from_secs(1)).expect("revealed")
    }

    #[test]
    fn who_is_right_gives_what_he_expects() {
        let right = calibrate((0..400).map(|i| [0, 0, 1, 2][i % 4]));
        assert_near(right.given, 0.375, 1e-12);
        assert_near(right.expected, 0.375, 1e-12);
        assert_near(right.hits, 0.5, 1e-12);
        assert_near(right.most, 0.5, 1e-12);
        assert_eq!(right.doubt(), None);
    }

    #[test]
    fn who_is_wrong_is_found_out() {
        let wrong = calibrate((0..400).map(|i| [0, 1, 1, 2, 2][i % 5]));
        assert!(matches!(wrong.doubt(), Some(Doubt::Uncalibrated { by }) if by < -0.05));
        assert_eq!(calibrate((0..100).map(|_| 1)).doubt(), None, "too few");
        // A little off, and by chance: 0.39 instead of 0.375, with a standard error of 0.006.
        let chance = calibrate((0..400).map(|i| u16::from(i % 25 >= 14)));
        assert_near(chance.given, 0.39, 1e-12);
        assert_eq!(chance.doubt(), None);
    }

    /// Who sent is sometimes clear: that is no error of who knows it.
    #[test]
    fn errors_are_of_the_difference() {
        let sources = [0, 1].map(|node| Source {
            node: NodeId(node),
            mailbox: Some(NodeId(9)),
            serial: 0,
            is_gone: false,
        });
        let mut calibration = Calibration::default();
        for p in [[1.0, 0.0], [0.5, 0.5]] {
            let posterior = Posterior { sources: &sources, p: &p, unknown: 0.0 };
            calibration.reveal(Duration::ZERO, &posterior, Truth { sender: NodeId(0) });
        }
        let over = calibration.over(Duration::ZERO, Duration::from_secs(1)).expect("revealed");
        assert_near(over.given, 0.75, 1e-12);
        assert_near(over.error, 0.0, 1e-12);
    }

    #[test]
    fn one_of_several_equals_is_named_by_chance() {
        let source = |node| Source {
            node: NodeId(node),
            mailbox: Some(NodeId(9)),
            serial: 0,
            is_gone: false,
        };
        let sources = [source(0), source(1)];
        let posterior = Posterior { sources: &sources, p: &[0.5, 0.5], unknown: 0.0 };
        let mut calibration = Calibration::default();
        calibration.reveal(Duration::ZERO, &posterior, Truth { sender: NodeId(1) });
        let over = calibration.over(Duration::ZERO, Duration::from_secs(1)).expect("revealed");
        assert_near(over.hits, 0.5, 1e-12);
    }
}
