//! Whether samples are what a distribution says: the tests of Kolmogorov and Smirnov, and chi-square.
//!
//! Each gives one number that is beyond a critical value in one of a thousand runs if the samples are
//! what they should be. The seeds of all tests are fixed, so that a test passes always or never.
#![allow(dead_code, reason = "each test program uses its own part of this")]

/// What the distance of the Kolmogorov–Smirnov test, scaled as below, exceeds in one of a thousand
/// cases: √(−ln(α/2) / 2) with α = 0.001, from the first term of the asymptotic distribution. Good for
/// more than some 35 samples.
pub(crate) const KS_CRITICAL: f64 = 1.949;

/// What chi-square with 2 degrees of freedom exceeds in one of a thousand cases: −2·ln(0.001).
pub(crate) const CHI_SQUARE_2_CRITICAL: f64 = 13.816;

/// The same with 8 degrees of freedom, from the tables.
pub(crate) const CHI_SQUARE_8_CRITICAL: f64 = 26.124;

/// The same with 26 degrees of freedom, from the tables.
pub(crate) const CHI_SQUARE_26_CRITICAL: f64 = 54.052;

/// How far samples are from the exponential distribution with this mean: D·√n, where D is the largest
/// distance between their distribution and 1 − exp(−x/mean).
pub(crate) fn ks_exponential(samples: &[f64], mean: f64) -> f64 {
    let sorted = sorted(samples);
    let n = count(&sorted);
    let below = |i: usize| count(&sorted[..i]) / n;
    let distance = |(i, sample): (usize, &f64)| {
        let expected = -(-sample / mean).exp_m1();
        (expected - below(i)).abs().max((below(i + 1) - expected).abs())
    };
    sorted.iter().enumerate().map(distance).fold(0.0, f64::max) * n.sqrt()
}

/// How far two samples are from one another: D·√(n·m / (n + m)), where D is the largest distance
/// between their distributions. Where values repeat, as counts do, it is smaller than with values that
/// do not, so that what exceeds the critical value is even less of a coincidence.
pub(crate) fn ks_two_samples(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (sorted(a), sorted(b));
    let (n, m) = (count(&a), count(&b));
    let share = |samples: &[f64], at: f64| {
        count(&samples[..samples.partition_point(|sample| *sample <= at)]) / count(samples)
    };
    let distance = |at: &f64| (share(&a, *at) - share(&b, *at)).abs();
    a.iter().chain(&b).map(distance).fold(0.0, f64::max) * (n * m / (n + m)).sqrt()
}

/// How far counts are from being equally likely: Σ (count − mean)² / mean, with one degree of freedom
/// less than there are counts.
pub(crate) fn chi_square(counts: &[f64]) -> f64 {
    let mean = counts.iter().sum::<f64>() / count(counts);
    counts.iter().map(|count| (count - mean).powi(2) / mean).sum()
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut samples = samples.to_vec();
    samples.sort_by(f64::total_cmp);
    samples
}

fn count<T>(samples: &[T]) -> f64 {
    f64::from(u32::try_from(samples.len()).expect("fewer than 2^32"))
}
