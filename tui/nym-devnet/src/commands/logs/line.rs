//! What a line of a log says about itself: when it was written, and how bad it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::cli::Level;

/// The longest moment that a line can begin with: `2026-11-21T20:54:10.123456789Z`, and some room.
const MAX_STAMP_BYTES: usize = 40;

/// When and how bad: of a line, and of those after it that say neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Since 1970.
    pub(super) at: Duration,
    pub(super) level: Level,
}

impl Head {
    /// What this line says. None if it goes on with what the line before it says, as the lines of a
    /// backtrace do.
    pub(super) fn of(line: &[u8], before: Option<Self>) -> Option<Self> {
        if let Some((at, rest)) = stamp(line) {
            // Other programs than ours may write no level; most of what they say is of no concern.
            return Some(Self { at, level: level(rest).unwrap_or(Level::Info) });
        }
        // A panic is told without time and level, by whatever thread it was in.
        let panicked = line.starts_with(b"thread '") && contains(line, b" panicked at ");
        before.filter(|_| panicked).map(|before| Self { level: Level::Error, ..before })
    }
}

/// The moment that a line begins with, and what follows it.
pub(super) fn stamp(line: &[u8]) -> Option<(Duration, &[u8])> {
    let end = line.iter().take(MAX_STAMP_BYTES).position(|&byte| byte == b' ')?;
    // Cheap, and true of hardly anything else.
    if !line.starts_with(b"2") || line.get(4) != Some(&b'-') {
        return None;
    }
    let text = std::str::from_utf8(&line[..end]).ok()?;
    let time: SystemTime = humantime::parse_rfc3339(text).ok()?;
    Some((time.duration_since(UNIX_EPOCH).ok()?, &line[end..]))
}

fn level(rest: &[u8]) -> Option<Level> {
    let rest = rest.trim_ascii_start();
    let end = rest.iter().take(10).position(|byte| !byte.is_ascii_uppercase());
    Some(match &rest[..end.unwrap_or(rest.len())] {
        b"ERROR" | b"CRITICAL" | b"FATAL" => Level::Error,
        b"WARN" | b"WARNING" => Level::Warn,
        b"INFO" => Level::Info,
        b"DEBUG" => Level::Debug,
        b"TRACE" => Level::Trace,
        _ => return None,
    })
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_when_and_how_bad_or_belongs_to_the_one_before() {
        let of = |line: &str, before| Head::of(line.as_bytes(), before);
        let info = of("2026-11-21T20:54:10.5Z  INFO listening", None).expect("a stamp");
        assert_eq!((info.at.subsec_millis(), info.level), (500, Level::Info));
        let warn = of("2026-11-21T20:54:11.000001Z  WARN late", Some(info)).expect("a stamp");
        let later = info.at + Duration::from_micros(500_001);
        assert_eq!((warn.at, warn.level), (later, Level::Warn));
        for (line, level) in [
            ("2026-11-21T20:54:11Z ERROR x", Level::Error),
            ("2026-11-21T20:54:11Z WARNING x", Level::Warn),
            ("2026-11-21T20:54:11Z INFORMAL x", Level::Info),
            ("2026-11-21T20:54:11Z hello", Level::Info),
        ] {
            assert_eq!(of(line, None).expect(line).level, level, "{line}");
        }
        for line in
            ["", "  at src/x.rs:3", "2", "2026-13-45T99:99:99Z INFO x", "2026-11-21", "\u{fffd}"]
        {
            assert_eq!(of(line, Some(info)), None, "{line}");
        }
        let panic = "thread 'main' (123) panicked at src/x.rs:1:2:";
        let error = Head { level: Level::Error, ..info };
        assert_eq!(of(panic, Some(info)), Some(error));
        assert_eq!(of(panic, None), None);
    }
}
