//! Counts as real numbers, and the few functions of analysis that the theory needs.

use std::f64::consts::LN_2;

/// A count as a real number.
#[expect(clippy::cast_precision_loss, reason = "packets of a devnet are far below 2^52")]
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}

/// A counter as a real number.
#[expect(clippy::cast_precision_loss, reason = "packets of a devnet are far below 2^52")]
pub(crate) fn real_u64(count: u64) -> f64 {
    count as f64
}

/// `−p·log2 p`, which is zero for what cannot be.
pub(crate) fn surprise(p: f64) -> f64 {
    if p > 0.0 { -p * p.log2() } else { 0.0 }
}

/// Entropy of a choice of two, in bits.
pub(crate) fn entropy_of_two(p: f64) -> f64 {
    surprise(p) + surprise(1.0 - p)
}

/// The natural logarithm of Γ(n) for a positive integer: of (n − 1)!.
pub(crate) fn ln_gamma(n: u8) -> f64 {
    (2..n).map(|i| f64::from(i).ln()).sum()
}

/// The digamma function ψ, the derivative of ln Γ, for x > 0.
///
/// Recurrence up to 6, then the asymptotic series (Abramowitz & Stegun 6.3.5 and 6.3.18): right to
/// eight digits.
pub(crate) fn digamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < 6.0 {
        below += x.recip();
        x += 1.0;
    }
    let square = (x * x).recip();
    let series = square * (1.0 / 12.0 - square * (1.0 / 120.0 - square / 252.0));
    x.ln() - 0.5 / x - series - below
}

/// Nats as bits.
pub(crate) fn bits(nats: f64) -> f64 {
    nats / LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digamma_has_the_values_of_the_tables() {
        // ψ(1) = −γ, ψ(1/2) = −γ − 2 ln 2, ψ(3) = 3/2 − γ, ψ(100.5) from ln(100) by its series.
        let gamma = 0.577_215_664_9;
        for (x, expected) in [
            (1.0, -gamma),
            (0.5, -gamma - 2.0 * LN_2),
            (3.0, 1.5 - gamma),
            (100.5, 4.605_174_352_5),
        ] {
            assert!((digamma(x) - expected).abs() < 1e-8, "{x}: {}", digamma(x));
        }
    }

    #[test]
    fn factorials() {
        assert!(ln_gamma(1).abs() < 1e-15 && ln_gamma(2).abs() < 1e-15);
        assert!((ln_gamma(5) - 24.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_has_no_entropy() {
        assert!(surprise(0.0).abs() < 1e-15 && entropy_of_two(1.0).abs() < 1e-15);
        assert!((entropy_of_two(0.5) - 1.0).abs() < 1e-15);
    }
}
