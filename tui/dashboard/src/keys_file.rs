//! The user's keys: a file that names actions and what they are to be done with.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::action::{self, ACTIONS, Context, Spec};
use crate::keymap::Keymap;
use crate::keys::Key;

/// How alike two names must be for the one to be offered for the other, from 0 to 1.
const ALIKE: f64 = 0.7;

/// How much of what a file says is repeated, in characters.
const SHOWN_CHARS: usize = 40;

/// Keys that an action may have: nobody remembers more, and a line of the help has room for them.
const MAX_KEYS: usize = 8;

/// The keys of the dashboard: those of its list of actions, or the user's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(pub(crate) Keymap);

/// What is wrong with a file of keys, where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {message}")]
pub struct KeysFault {
    /// Where: `keys.toml:3:1`, line and column from 1.
    pub origin: String,
    /// What was found there.
    pub message: String,
    /// What the reader can do.
    pub hint: String,
}

impl Keys {
    /// Reads what a file of this name says: lines such as `kill-node = ["K", "ctrl-k"]` below
    /// `[keys]`. What it does not name keeps its keys; an empty list takes them away.
    pub fn parse(name: &str, text: &str) -> Result<Self, KeysFault> {
        let file = File { name, text };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(text.len(), |span| span.start);
            file.fault(at, error.message().to_owned(), WHOLE)
        })?;
        let mut own = BTreeMap::new();
        let mut places = BTreeMap::new();
        for (section, value) in table.get_ref() {
            let DeValue::Table(lines) = value.get_ref() else {
                let message = format!("`{}` stands outside of `[keys]`", shown(section.get_ref()));
                return Err(file.fault(section.span().start, message, WHOLE));
            };
            if section.get_ref() != "keys" {
                let message = format!("unknown section `{}`", shown(section.get_ref()));
                return Err(file.fault(section.span().start, message, WHOLE));
            }
            for (name, value) in lines {
                let spec = file.action(name)?;
                own.insert(spec.name, file.keys(spec, value)?);
                places.insert(spec.name, name.span().start);
            }
        }
        let keymap = Keymap::new(own);
        file.check(&keymap, &places)?;
        Ok(Self(keymap))
    }

    /// A file that says what is so without one, with a line for each action.
    #[must_use]
    pub fn document() -> String {
        let mut out = String::from(
            "# Keys of the dashboard. Take the # away from a line and write other keys into it; what is\n\
             # not named here keeps its keys. A key is a character, or one of: enter, esc, tab,\n\
             # shift-tab, space, backspace, delete, left, right, up, down, home, end, pgup, pgdn, f1 to\n\
             # f12; with ctrl- or alt- before it: ctrl-a, alt-enter. No keys at all: [].\n\n[keys]\n",
        );
        for spec in ACTIONS {
            let keys: Vec<String> = spec.keys.iter().map(|key| quoted(&key.word())).collect();
            let line = format!("# {} = [{}]", spec.name, keys.join(", "));
            let _ = writeln!(out, "{line:<44} # {}", spec.description);
        }
        out
    }
}

/// What every fault of the form says.
const WHOLE: &str = "a line is such as `kill-node = [\"K\"]`, below `[keys]`; `nym-devnet keys` \
                     prints a whole file";

/// A key as TOML writes it.
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The file that is read.
struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl File<'_> {
    fn fault(&self, at: usize, message: impl Into<String>, hint: impl Into<String>) -> KeysFault {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let origin = format!("{}:{line}:{column}", self.name);
        KeysFault { origin, message: message.into(), hint: hint.into() }
    }

    fn action(
        &self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
    ) -> Result<&'static Spec, KeysFault> {
        let found = name.get_ref().as_ref();
        ACTIONS.iter().find(|spec| spec.name == found).ok_or_else(|| {
            let message = format!("unknown action `{}`", shown(found));
            let hint = match nearest(found) {
                Some(name) => format!("did you mean `{name}`? `nym-devnet keys` lists all actions"),
                None => "`nym-devnet keys` lists all actions".to_owned(),
            };
            self.fault(name.span().start, message, hint)
        })
    }

    fn keys(&self, spec: &Spec, value: &Spanned<DeValue<'_>>) -> Result<Vec<Key>, KeysFault> {
        let one = |value: &Spanned<DeValue<'_>>| {
            let at = value.span().start;
            let DeValue::String(word) = value.get_ref() else {
                let message = format!("a key of `{}` is not a text", spec.name);
                return Err(self.fault(at, message, KEY));
            };
            self.key(spec, word, at)
        };
        let DeValue::Array(values) = value.get_ref() else { return Ok(vec![one(value)?]) };
        if values.len() > MAX_KEYS {
            let message = format!("`{}` has {} keys", spec.name, values.len());
            let hint = format!("an action has {MAX_KEYS} keys at most");
            return Err(self.fault(value.span().start, message, hint));
        }
        values.iter().map(one).collect()
    }

    fn key(&self, spec: &Spec, word: &str, at: usize) -> Result<Key, KeysFault> {
        let Some(key) = Key::parse(word) else {
            let message = format!("`{}` is not a key", shown(word));
            return Err(self.fault(at, message, KEY));
        };
        let typed = spec.contexts.iter().find(|context| context.takes_text());
        if let (Some(context), Some(_)) = (typed, key.typed()) {
            let message = format!("`{}` cannot be done with `{word}`", spec.name);
            let hint = format!("{} takes it as text", context.title());
            return Err(self.fault(at, message, hint));
        }
        Ok(key)
    }

    /// No key may mean two things in one place, and no place may be without a way out.
    fn check(
        &self,
        keymap: &Keymap,
        places: &BTreeMap<&'static str, usize>,
    ) -> Result<(), KeysFault> {
        for context in Context::ALL {
            let mut taken: BTreeMap<String, &Spec> = BTreeMap::new();
            for spec in action::in_context(context) {
                for key in keymap.keys(spec) {
                    let Some(before) = taken.insert(key.word(), spec) else { continue };
                    let at = [spec, before].iter().find_map(|spec| places.get(spec.name));
                    let message = format!(
                        "`{}` is the key of both `{}` and `{}` in {}",
                        key.word(),
                        before.name,
                        spec.name,
                        context.title()
                    );
                    let hint = "give one of them another key, or none: []";
                    return Err(self.fault(at.copied().unwrap_or_default(), message, hint));
                }
            }
        }
        for name in ALWAYS {
            let spec = ACTIONS.iter().find(|spec| spec.name == name);
            if spec.is_some_and(|spec| keymap.keys(spec).is_empty()) {
                let at = places.get(name).copied().unwrap_or_default();
                let message = format!("`{name}` has no key");
                let hint = "without it there would be no way out; give it one";
                return Err(self.fault(at, message, hint));
            }
        }
        Ok(())
    }
}

/// Ways out of every place: they always have a key.
const ALWAYS: [&str; 6] = ["interrupt", "leave-input", "close", "no", "quit", "palette"];

/// What is said of a key that is none.
const KEY: &str = "a key is a character, or a name such as enter, esc, tab, f5; ctrl- and alt- may stand \
                   before it, as in ctrl-a and alt-enter";

/// The name that was probably meant.
fn nearest(found: &str) -> Option<&'static str> {
    // What is longer than this is no mistyped name; comparing takes time of its square.
    if found.chars().nth(SHOWN_CHARS).is_some() {
        return None;
    }
    ACTIONS
        .iter()
        .map(|spec| (strsim::jaro_winkler(found, spec.name), spec.name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// What a file says, as a fault repeats it: cut, and with nothing in it that moves a cursor.
fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
