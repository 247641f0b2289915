//! Values of options that are more than a word or a number.

use std::time::Duration;

use layouts::{Ports, Profile, Restart};

pub(super) fn parse_ports(text: &str) -> Result<Ports, String> {
    match text {
        "preferred" => Ok(Ports::Preferred),
        "auto" => Ok(Ports::Auto),
        _ => text
            .strip_prefix("base:")
            .and_then(|port| port.parse().ok())
            .filter(|&port| port != 0)
            .map(Ports::Base)
            .ok_or_else(|| "expected `preferred`, `auto` or `base:PORT`".into()),
    }
}

/// The longest time to wait for something, which is also the longest that a supervisor holds an
/// answer back.
const MAX_TIME: Duration = Duration::from_secs(3600);

/// A time that something can be done in.
pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() {
        return Err("nothing is done within no time; expected a time such as `30s`".into());
    }
    if time > MAX_TIME {
        let most = humantime::format_duration(MAX_TIME);
        return Err(format!("it is too long; expected at most {most}, such as `30s`"));
    }
    Ok(time)
}

pub(super) fn parse_restart(text: &str) -> Result<Restart, String> {
    match text {
        "no" => Ok(Restart::No),
        "on-failure" => Ok(Restart::OnFailure),
        "always" => Ok(Restart::Always),
        _ => Err("expected `no`, `on-failure` or `always`".into()),
    }
}

pub(super) fn parse_profile(text: &str) -> Result<Profile, String> {
    [Profile::Classic, Profile::Current, Profile::Fast]
        .into_iter()
        .find(|profile| profile.name() == text)
        .ok_or_else(|| "expected `classic`, `current` or `fast`".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_done_within_no_time() {
        assert_eq!(parse_time("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("1h"), Ok(MAX_TIME));
        for long in ["1h 1ms", "500000000000years"] {
            let error = parse_time(long).expect_err("too long");
            assert!(error.contains("at most 1h"), "{error}");
        }
        assert!(
            parse_time("0").is_err() && parse_time("0ms").is_err() && parse_time("-1").is_err()
        );
    }

    #[test]
    fn ports_are_read_as_they_are_written() {
        assert_eq!(parse_ports("base:10080"), Ok(Ports::Base(10_080)));
        for wrong in ["", "base:", "base:0", "base:70000", "10080", "Auto"] {
            assert!(parse_ports(wrong).is_err(), "{wrong}");
        }
    }
}
