//! Comparing figures.

/// Within `tolerance`.
#[track_caller]
pub(crate) fn assert_near(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{got} is not {expected} ± {tolerance}");
}

/// What a table says that shows so many digits.
#[track_caller]
pub(crate) fn assert_rounds(got: f64, expected: f64, digits: i32) {
    assert_near(got, expected, 0.51 * 10.0_f64.powi(-digits));
}
