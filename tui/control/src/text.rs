//! Text of unknown origin, made safe to show, or to repeat in a command.

use std::borrow::Cow;

/// How much of a name is repeated in a failure, in characters. No name that exists is longer.
pub const SHOWN_NAME_CHARS: usize = 64;

/// How much of any other argument is repeated in a failure, in characters: about a line.
pub const SHOWN_ARGUMENT_CHARS: usize = 80;

/// The text with nothing in it that moves a cursor or reverses what is read: a control character
/// stands as its symbol (`␛` for escape), and a tab as spaces.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => shown.push_str("    "),
            '\u{7f}' => shown.push('␡'),
            '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
            // The second set of control characters begins escape sequences too; characters that
            // change the direction of writing make a line say something else than it does.
            '\u{80}'..='\u{9f}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => shown.push('�'),
            _ => shown.push(c),
        }
    }
    shown
}

/// A name that somebody gave, as a failure repeats it.
pub fn shown_name(name: &str) -> String {
    cut(name, SHOWN_NAME_CHARS)
}

/// Any other argument that somebody gave, as a failure repeats it.
pub fn shown_argument(argument: &str) -> String {
    cut(argument, SHOWN_ARGUMENT_CHARS)
}

/// A text as one word of a shell, in quotes.
pub fn shell_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A name as one word of a shell. Most need no quotes.
pub fn shell_word(name: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let needs_none = !name.is_empty() && name.chars().all(is_plain);
    if needs_none { name.into() } else { shell_text(name).into() }
}

/// Visible, and not longer than this; an ellipsis says that there was more.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => visible(text),
        Some((end, _)) => visible(&text[..end]) + "…",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_a_name_as_one_word() {
        let words = ["mix-1-1", "a b", "it's", ""].map(shell_word);
        assert_eq!(words, ["mix-1-1", "'a b'", r"'it'\''s'", "''"]);
    }

    #[test]
    fn what_somebody_gave_is_repeated_safely_and_in_bounds() {
        assert_eq!(shown_name("\u{1b}[31mred\n"), "␛[31mred␊");
        assert_eq!(shown_name("größer-\u{202e}\u{9b}"), "größer-��");
        let long = "ü".repeat(64);
        assert_eq!(shown_name(&long), long);
        assert_eq!(shown_name(&format!("{long}x")), format!("{long}…"));
        assert_eq!(shown_argument(&"x".repeat(5000)).chars().count(), 81);
    }
}
