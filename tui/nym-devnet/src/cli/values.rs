//! Values of options that are more than a word or a number.

use std::time::Duration;

use regex::Regex;

/// The longest time to wait for something, which is also the longest that a supervisor holds an
/// answer back.
const MAX_TIME: Duration = Duration::from_secs(3600);

/// A time that something can be done in.
pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    let time = contract::parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() {
        return Err("nothing is done within no time; expected a time such as `30s`".into());
    }
    if time > MAX_TIME {
        let most = humantime::format_duration(MAX_TIME);
        return Err(format!("it is too long; expected at most {most}, such as `30s`"));
    }
    Ok(time)
}

/// A time that lies back.
pub(super) fn parse_span(text: &str) -> Result<Duration, String> {
    contract::parse_duration(text).map_err(|error| format!("{error}; expected a time such as `5m`"))
}

/// The most messages a second that can be asked for: more than a client accepts.
const MAX_RATE: f64 = 10_000.0;

/// The fewest: one in an hour.
const MIN_RATE: f64 = 1.0 / 3600.0;

/// Messages a second.
pub(super) fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| (MIN_RATE..=MAX_RATE).contains(rate));
    rate.ok_or_else(|| {
        format!("expected messages a second, up to {MAX_RATE}, such as `0.5` or `20`")
    })
}

/// A regular expression. The parser of the command line cuts and shows what is wrong with it.
pub(super) fn parse_pattern(text: &str) -> Result<Regex, String> {
    // Compiled it takes more memory than it has letters, in bounds that the library has of itself.
    Regex::new(text).map_err(|error| match error {
        regex::Error::Syntax(text) => {
            // The library draws the place with a line of its own; what is wrong stands in the last.
            let last = text.lines().last().unwrap_or_default();
            let why = last.strip_prefix("error: ").unwrap_or(last);
            format!("it is no regular expression: {why}; `\\` takes a character as it is")
        }
        _ => "it is no regular expression: it is too large".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_done_within_no_time() {
        assert_eq!(parse_time("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("1h"), Ok(MAX_TIME));
        for long in ["1h 1ms", "900years"] {
            let error = parse_time(long).expect_err("too long");
            assert!(error.contains("at most 1h"), "{error}");
        }
        assert!(
            parse_time("0").is_err() && parse_time("0ms").is_err() && parse_time("-1").is_err()
        );
    }

    #[test]
    fn what_is_no_regular_expression_is_told_in_one_line() {
        assert!(parse_pattern("^a.*b$").is_ok());
        let error = parse_pattern("a(b").expect_err("not closed");
        assert_eq!(
            error,
            "it is no regular expression: unclosed group; `\\` takes a character as it is"
        );
        let error = parse_pattern("(x{1000}){1000}").expect_err("a million");
        assert!(error.contains("too large"), "{error}");
    }

    #[test]
    fn rates_are_above_nothing_and_below_what_is_possible() {
        assert_eq!(parse_rate("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "nan", "inf", "1e9", "x", ""] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }
}
