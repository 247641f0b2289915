//! Times as people write them: `200ms`, `1s 500ms`, `2m`.
//!
//! `humantime` reads them. It adds up what is written without looking whether the sum fits, and ends
//! the program where it does not; what is let through here always fits.

use std::fmt;
use std::time::Duration;

/// The longest text that is read, in bytes: all units once, with spaces between them.
const MAX_BYTES: usize = 64;

/// The most digits in a row. A text of the greatest length with as many years as that is a hundredth of
/// what a [`Duration`] holds.
const MAX_DIGITS: usize = 9;

/// Why a text is no time.
#[derive(Clone, Debug, PartialEq)]
pub enum DurationError {
    /// It has more than 64 bytes.
    Long,
    /// A number in it has more than nine digits.
    Digits,
    /// It is not written like one.
    Unreadable(humantime::DurationError),
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Long => write!(f, "a time has at most {MAX_BYTES} characters"),
            Self::Digits => write!(f, "a number of a time has at most {MAX_DIGITS} digits"),
            Self::Unreadable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DurationError {}

/// The time that is written there.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text.len() > MAX_BYTES {
        return Err(DurationError::Long);
    }
    if text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > MAX_DIGITS) {
        return Err(DurationError::Digits);
    }
    humantime::parse_duration(text).map_err(DurationError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_and_no_text_ends_the_program() {
        assert_eq!(parse_duration("1s 500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        // The sum is one second more than there can be.
        let overflow = "18446744073709551615s 1000ms";
        assert_eq!(parse_duration(overflow), Err(DurationError::Digits));
        assert_eq!(parse_duration(&"1s".repeat(33)), Err(DurationError::Long));
        let most = "999999999y".repeat(6);
        assert!(parse_duration(&most).is_ok_and(|time| time.as_secs() < u64::MAX / 90), "{most}");
        for wrong in ["", "5", "5 parsecs", "s", "-1s", "ß"] {
            let error = parse_duration(wrong).expect_err(wrong);
            assert!(matches!(error, DurationError::Unreadable(_)), "{error}");
        }
    }
}
