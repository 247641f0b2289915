//! What is wrong with a layout, where, and what would be right.

use std::sync::Arc;

/// How much of what a file says is repeated in a fault, in characters.
const SHOWN_CHARS: usize = 64;

/// How alike two names must be for the one to be offered for the other, from 0 to 1. `mix1` is 0.87
/// like `mix-1-1`.
const ALIKE: f64 = 0.75;

/// What is wrong with a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {message}")]
pub struct LayoutFault {
    /// Where: `wide.toml:14:9` (line and column, from 1), or the flag or variable that says it.
    pub origin: String,
    /// What was found, and what is allowed.
    pub message: String,
    /// What the reader can do.
    pub hint: Option<String>,
}

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the file, at this byte.
    File(usize),
    /// By a flag or a variable of the environment.
    Given(Arc<str>),
}

/// What is wrong, not yet put into a sentence about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Where, once known.
    pub(crate) place: Option<Place>,
    /// Keys on the way to it.
    pub(crate) path: Vec<String>,
    /// What is wrong there.
    pub(crate) kind: WrongKind,
}

/// Kinds of what can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WrongKind {
    /// A key that does not exist.
    UnknownKey { key: String, known: &'static [&'static str] },
    /// A word that is not one of those that are allowed.
    UnknownWord { word: String, known: &'static [&'static str] },
    /// Something else than is expected.
    Value { found: String, expected: String },
    /// Anything else, as a sentence, and what to do about it.
    Other { message: String, hint: Option<String> },
}

impl Wrong {
    pub(crate) fn new(kind: WrongKind) -> Self {
        Self { place: None, path: Vec::new(), kind }
    }

    /// Something that has a sentence of its own.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self::new(WrongKind::Other { message: message.into(), hint: None })
    }

    /// With something that the reader can do. What has a hint of its own keeps it.
    #[must_use]
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        if let WrongKind::Other { hint, .. } = &mut self.kind {
            *hint = Some(text.into());
        }
        self
    }

    /// At this place, if no closer one is known.
    #[must_use]
    pub(crate) fn at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| place.clone());
        self
    }

    /// Below this key.
    #[must_use]
    pub(crate) fn below(mut self, key: &str) -> Self {
        self.path.insert(0, shown(key));
        self
    }

    /// The whole sentence. `name` and `text` are the file's.
    pub(crate) fn fault(self, name: &str, text: &str) -> LayoutFault {
        let origin = match self.place {
            Some(Place::Given(origin)) => origin.to_string(),
            Some(Place::File(at)) => {
                let (line, column) = line_and_column(text, at);
                format!("{name}:{line}:{column}")
            }
            None => name.into(),
        };
        let path = self.path.join(".").replace(".[", "[");
        let (message, hint) = match self.kind {
            WrongKind::UnknownKey { key, known } => {
                let within = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
                let message = format!("unknown key `{}`{within}", shown(&key));
                (message, Some(allowed(&key, known)))
            }
            WrongKind::UnknownWord { word, known } => {
                let message = format!("`{path}` is \"{}\"", shown(&word));
                (message, Some(allowed(&word, known)))
            }
            WrongKind::Value { found, expected } if path.is_empty() => {
                (format!("it is {found}, and must be {expected}"), None)
            }
            WrongKind::Value { found, expected } => {
                (format!("`{path}` is {found}, and must be {expected}"), None)
            }
            WrongKind::Other { message, hint } if path.is_empty() => (message, hint),
            WrongKind::Other { message, hint } => (format!("`{path}`: {message}"), hint),
        };
        LayoutFault { origin, message, hint }
    }
}

/// What is allowed, the nearest first.
fn allowed(found: &str, known: &[&str]) -> String {
    let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match nearest(found, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? allowed are {list}"),
        None => format!("allowed are {list}"),
    }
}

/// The name that was probably meant.
pub fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // What is longer than this is no mistyped name; comparing takes time of its square.
    if found.chars().nth(SHOWN_CHARS).is_some() {
        return None;
    }
    known
        .map(|name| match strsim::osa_distance(found, name) {
            ..=1 => (1.0, name),
            _ => (strsim::jaro_winkler(found, name), name),
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// What a file says, as a fault repeats it: cut, and with nothing in it that moves a cursor.
pub(crate) fn shown(text: &str) -> String {
    let plain = |c: char| match c {
        '"' | '\'' | '\\' => c.to_string(),
        _ => c.escape_debug().to_string(),
    };
    match text.char_indices().nth(SHOWN_CHARS) {
        None => text.chars().map(plain).collect(),
        Some((end, _)) => text[..end].chars().map(plain).chain(["…".into()]).collect(),
    }
}

/// Line and column of a byte, both from 1; a column is a character.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_line_and_a_column_of_characters() {
        let text = "a = 1\nbü = \"ß\" # x\n";
        let place = |at| Wrong::other("no").at(&Place::File(at)).fault("f.toml", text).origin;
        assert_eq!(place(0), "f.toml:1:1");
        assert_eq!(place(text.find('ß').expect("there")), "f.toml:2:7");
        assert_eq!(place(text.len()), "f.toml:3:1");
        assert_eq!(place(usize::MAX), "f.toml:3:1", "past the end is the end");
    }

    #[test]
    fn what_a_file_says_is_repeated_safely_and_in_bounds() {
        assert_eq!(shown("\u{1b}[2J\n\u{202e}"), "\\u{1b}[2J\\n\\u{202e}");
        assert_eq!(shown(&"x".repeat(1_000_000)).chars().count(), SHOWN_CHARS + 1);
        assert_eq!(shown("größer \"x\""), "größer \"x\"");
    }

    #[test]
    fn the_nearest_name_is_offered_and_nothing_far_from_it() {
        let near = |found| nearest(found, ["width", "widths", "layers", "crowd"].into_iter());
        assert_eq!(near("widht"), Some("width"));
        assert_eq!(near("layer"), Some("layers"));
        assert_eq!(near("zzz"), None);
        assert_eq!(near(&"width".repeat(100_000)), None);
    }
}
