//! How long several things took, in a few figures.

use serde::Serialize;

/// In milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Delays {
    pub(super) min: f64,
    pub(super) median: f64,
    /// Ninety-five of a hundred took no longer.
    pub(super) p95: f64,
    pub(super) max: f64,
}

impl Delays {
    /// Of these, if there are any: each figure is one that was measured.
    pub(super) fn of(delays: &[f64]) -> Option<Self> {
        let mut sorted = delays.to_vec();
        sorted.sort_by(f64::total_cmp);
        // The nearest rank: the least that is not below so many percent of all.
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).copied()
        };
        Some(Self { min: at(0)?, median: at(50)?, p95: at(95)?, max: at(100)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_delays_that_were_measured() {
        assert_eq!(Delays::of(&[]), None);
        let one = Delays { min: 7.0, median: 7.0, p95: 7.0, max: 7.0 };
        assert_eq!(Delays::of(&[7.0]), Some(one));
        let all: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let expected = Delays { min: 1.0, median: 50.0, p95: 95.0, max: 100.0 };
        assert_eq!(Delays::of(&all), Some(expected));
    }
}
