//! Text for cells: what came from elsewhere made harmless, numbers and ages made short.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::state::{as_f64, as_ms};
use crate::symbols::Symbols;
use crate::wrap;

/// What a number that is not known looks like. Zero is `0`.
pub(crate) const UNKNOWN: &str = "-";

/// Text from the network or a log with everything that a terminal would obey made visible: control
/// characters, and the marks that turn the direction of writing.
pub(crate) fn visible(text: &str, symbols: &Symbols) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        let before = before.replace(c);
        match c {
            // Terminals do not agree on how wide joined signs are, so they stand side by side.
            JOINER if before.is_some_and(is_sign) && chars.peek().copied().is_some_and(is_sign) => {
            }
            '\t' => out.push_str("  "),
            '\n' if symbols.unicode => out.push('↵'),
            '\0'..='\x1f' if symbols.unicode => out.extend(char::from_u32(0x2400 + u32::from(c))),
            '\x7f' if symbols.unicode => out.push('␡'),
            '\0'..='\x1f' | '\x7f' => {
                out.push('^');
                out.push(char::from(c as u8 ^ 0x40));
            }
            c if !symbols.unicode && !c.is_ascii() => out.push('?'),
            c if c.is_control() || is_invisible(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Makes one sign of two.
const JOINER: char = '\u{200d}';

/// Whether it is of those that a joiner is meant for: emoji, their skin tones, and the mark that gives a
/// sign its colours.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// What stands for a character that must not reach the terminal.
pub(crate) const HIDDEN: &str = "\u{fffd}";

/// Whether a terminal would obey something in the text of a cell, or draw it in another place.
pub(crate) fn would_be_obeyed(symbol: &str) -> bool {
    match symbol.as_bytes() {
        [byte] => byte.is_ascii_control(),
        _ => symbol.chars().any(|c| c.is_control() || is_invisible(c)),
    }
}

/// Characters without a shape that change how others are shown.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text cut to at most this many columns, with a mark where something was left out.
pub(crate) fn fit(text: &str, columns: usize, symbols: &Symbols) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        out.push(c);
    }
    if columns > 0 {
        out.push_str(symbols.ellipsis);
    }
    out
}

/// The text in rows of at most this many columns, broken between words where that is possible.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    wrap::shown(text, columns).map(str::to_owned).collect()
}

/// The text without its first columns.
pub(crate) fn skip(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        if used >= columns {
            return &text[index..];
        }
        used += c.width().unwrap_or(0);
    }
    ""
}

/// A key or an address whose ends are enough to recognise it.
pub(crate) fn short_key(key: &str, symbols: &Symbols) -> String {
    const HEAD: usize = 8;
    const TAIL: usize = 3;
    let key = visible(key, symbols);
    let chars: Vec<char> = key.chars().collect();
    if chars.len() <= HEAD + TAIL + 1 {
        return key;
    }
    let part = |chars: &[char]| chars.iter().collect::<String>();
    let (head, tail) = (part(&chars[..HEAD]), part(&chars[chars.len() - TAIL..]));
    format!("{head}{}{tail}", symbols.ellipsis)
}

/// So many of something whose plural ends in `s`.
pub(crate) fn plural<N: Copy + From<u8> + PartialEq + fmt::Display>(
    count: N,
    what: &str,
) -> String {
    if count == N::from(1) { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A rate without its unit: two significant digits below ten, then whole.
pub(crate) fn rate(rate: Option<f64>) -> String {
    match rate {
        None => UNKNOWN.into(),
        Some(rate) if rate < 0.05 => "0".into(),
        Some(rate) if rate < 9.95 => format!("{rate:.1}"),
        Some(rate) if rate < 99_999.5 => format!("{rate:.0}"),
        Some(rate) => format!("{:.0}k", rate / 1000.0),
    }
}

/// A rate with its unit.
pub(crate) fn per_second(value: Option<f64>) -> String {
    match value {
        None => UNKNOWN.into(),
        Some(_) => format!("{}/s", rate(value)),
    }
}

/// How long something took, from microseconds, as milliseconds.
pub(crate) fn micros(us: u64) -> String {
    format!("{:.2} ms", as_f64(us) / 1000.0)
}

/// How long something took, from milliseconds.
pub(crate) fn millis(ms: f64) -> String {
    if ms < 999.5 {
        format!("{ms:.0} ms")
    } else if ms < 99_995.0 {
        format!("{:.2} s", ms / 1000.0)
    } else {
        age(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default())
    }
}

/// How long something took.
pub(crate) fn took(duration: Duration) -> String {
    millis(as_ms(duration))
}

/// How long something took that may be less than some milliseconds: tenths of one while it is.
pub(crate) fn took_short(duration: Duration) -> String {
    let ms = as_ms(duration);
    if ms < 9.95 { format!("{ms:.1} ms") } else { millis(ms) }
}

/// An age: tenths of a second while young, then the two largest units.
pub(crate) fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..10 => format!("{seconds}.{} s", age.subsec_millis() / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {:02} m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Bytes, in decimal units.
pub(crate) fn bytes(bytes: u64) -> String {
    let bytes_f = as_f64(bytes);
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.0} kB", bytes_f / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes_f / 1e6),
        _ => format!("{:.1} GB", bytes_f / 1e9),
    }
}

/// A whole number in groups of three digits: `20 000`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// The time of day, to the second.
pub(crate) fn clock(unix_ms: u64, zone: &TimeZone) -> String {
    time_of_day(unix_ms, zone, "%H:%M:%S")
}

/// The time of day, to the millisecond.
pub(crate) fn clock_ms(unix_ms: u64, zone: &TimeZone) -> String {
    time_of_day(unix_ms, zone, "%H:%M:%S%.3f")
}

fn time_of_day(unix_ms: u64, zone: &TimeZone, format: &str) -> String {
    let moment = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    match moment {
        Some(moment) => moment.to_zoned(zone.clone()).strftime(format).to_string(),
        None => UNKNOWN.into(),
    }
}

/// A curve of the latest values in this many columns, scaled so that its own highest value leaves
/// a little room above: a steady rate then looks like a band and not like a full bar.
pub(crate) fn curve(values: &[f64], columns: usize, symbols: &Symbols) -> String {
    const HEADROOM: f64 = 4.0 / 3.0;
    let highest = values.iter().copied().fold(0.0, f64::max) * HEADROOM;
    let skip = values.len().saturating_sub(columns);
    let last = symbols.curve.len() - 1;
    let step = |value: f64| {
        if highest <= 0.0 {
            return 0;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a handful of steps"
        )]
        let step = (value / highest * last as f64).round() as usize;
        step.min(last)
    };
    values.iter().skip(skip).map(|&value| symbols.curve[step(value)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::{ASCII, UNICODE};

    #[test]
    fn nothing_from_outside_commands_the_terminal() {
        assert_eq!(visible("\x1b[31mred\x07\r\n", &UNICODE), "␛[31mred␇␍↵");
        assert_eq!(visible("\x1b[31mred\x7f é", &ASCII), "^[[31mred^? ?");
        assert_eq!(visible("a\u{202e}b\u{9b}c\u{200d}", &UNICODE), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(visible("tab\there", &UNICODE), "tab  here");
    }

    #[test]
    fn joined_signs_stand_side_by_side_and_a_joiner_between_letters_is_seen() {
        let shown = |text| visible(text, &UNICODE);
        assert_eq!(shown("a 👩🏽\u{200d}🚀 b"), "a 👩🏽🚀 b");
        assert_eq!(shown("❤\u{fe0f}\u{200d}🔥"), "❤\u{fe0f}🔥");
        assert_eq!(shown("ali\u{200d}ce 🚀\u{200d}"), "ali\u{fffd}ce 🚀\u{fffd}");
        assert_eq!(shown("🚀\u{200d}\u{200d}🚀"), "🚀\u{fffd}\u{fffd}🚀");
        assert_eq!(visible("👩\u{200d}🚀", &ASCII), "??");
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(fit("漢字漢字", 8, &UNICODE), "漢字漢字");
        assert_eq!(fit("漢字漢字", 6, &UNICODE), "漢字…");
        assert_eq!(fit("abc", 0, &UNICODE), "");
        assert_eq!(skip("漢字abc", 4), "abc");
        assert_eq!(skip("abc", 9), "");
    }

    #[test]
    fn rows_break_between_words_and_only_words_that_fit_nowhere_are_cut() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a longword b", 4), ["a", "long", "word", "b"]);
        assert_eq!(wrap("漢字漢 b", 4), ["漢字", "漢 b"]);
        assert_eq!(wrap("漢", 1), ["漢"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn numbers_are_short_and_unknown_is_not_zero() {
        let of = |value| rate(Some(value));
        assert_eq!(
            [of(0.0), of(0.04), of(6.24), of(9.96), of(62.4), of(123_456.0)],
            ["0", "0", "6.2", "10", "62", "123k"]
        );
        assert_eq!(rate(None), "-");
        assert_eq!(per_second(Some(6.0)), "6.0/s");
        assert_eq!(
            [millis(711.7), millis(1432.0), millis(200_000.0)],
            ["712 ms", "1.43 s", "3 m 20 s"]
        );
        assert_eq!(
            [grouped(0), grouped(999), grouped(1_000), grouped(1_234_567)],
            ["0", "999", "1 000", "1 234 567"]
        );
        assert_eq!([bytes(999), bytes(24_000), bytes(1_234_567)], ["999 B", "24 kB", "1.2 MB"]);
    }

    #[test]
    fn ages_keep_their_two_largest_units() {
        let of = |ms| age(Duration::from_millis(ms));
        assert_eq!(
            [of(4149), of(59_999), of(192_000), of(7_500_000), of(180_000_000)],
            ["4.1 s", "59 s", "3 m 12 s", "2 h 05 m", "2 d 02 h"]
        );
    }

    #[test]
    fn a_curve_is_scaled_to_its_highest_value() {
        assert_eq!(curve(&[0.0, 5.0, 10.0], 8, &UNICODE), "▁▄▆");
        assert_eq!(curve(&[9.0, 0.0, 10.0], 2, &UNICODE), "▁▆");
        assert_eq!(curve(&[0.0, 0.0], 8, &UNICODE), "▁▁");
        assert_eq!(curve(&[0.0, 10.0], 8, &ASCII), "_*");
    }
}
