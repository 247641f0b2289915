//! The config file of a node: the list of its keys, from which it is read, written and documented.
//!
//! A [`Config`] walks over its keys once, in the order of the file. Reading, writing and listing are
//! visitors of that walk, so none of them can forget a key.

mod error;
mod read;
mod write;

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;

use clap::ValueEnum;

pub use error::ConfigError;

use crate::{BadValue, Limited};
use read::Reader;

/// A config file has some 3 kB, most of it comments; nothing longer is read.
const MAX_BYTES: u64 = 64 << 10;

/// What a node is told by its config file. Before reading, it holds the defaults.
pub trait Config {
    /// Walks over every section and key, in the order of the file.
    fn keys(&mut self, keys: &mut Keys<'_>);
}

/// A key of a config file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    name: &'static str,
    about: &'static str,
    required: bool,
    also: &'static [(&'static str, &'static str)],
}

impl Key {
    /// A key of the section at hand, and what it is about: sentences without a last full stop.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, required: false, also: &[] }
    }

    /// There is no default that would make sense.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Also read at these places, section and name. All that are there have to agree.
    #[must_use]
    pub const fn also(self, places: &'static [(&'static str, &'static str)]) -> Self {
        Self { also: places, ..self }
    }
}

/// How TOML writes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Switch,
    /// Texts, which in a [`Slot`] are lines.
    List,
}

impl Kind {
    fn describe(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::Number => "a number without quotes",
            Self::Switch => "`true` or `false`",
            Self::List => "a list of texts in quotes, such as [\"a\", \"b\"]",
        }
    }
}

/// A value in its two directions: as text, and set by text. The error is the end of a sentence.
struct Slot<'a> {
    kind: Kind,
    text: String,
    /// Nobody said it: the text is only an example.
    is_example: bool,
    set: &'a mut dyn FnMut(&str) -> Result<(), String>,
}

/// Whoever walks over the keys.
trait Visitor {
    fn section(&mut self, name: &'static str, also: &'static [&'static str], about: &'static str);
    fn key(&mut self, key: Key, slot: Slot<'_>);
    fn ignored(&mut self, section: &'static str, names: &'static [&'static str]);
}

/// Takes the keys of a config, one after the other.
pub struct Keys<'a>(&'a mut dyn Visitor);

impl Keys<'_> {
    /// What follows stands in this section, or in one of these names of it in files of others.
    pub fn section(
        &mut self,
        name: &'static str,
        also: &'static [&'static str],
        about: &'static str,
    ) {
        self.0.section(name, also, about);
    }

    /// A value in quotes.
    pub fn text<T>(&mut self, key: Key, value: &mut T)
    where
        T: FromStr<Err: Display> + Display,
    {
        self.parsed(key, Kind::Text, value);
    }

    /// A value in quotes, or none where the quotes are empty.
    pub fn optional<T>(&mut self, key: Key, value: &mut Option<T>)
    where
        T: FromStr<Err: Display> + Display,
    {
        let text = value.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut set = |text: &str| {
            let parsed = if text.is_empty() { Ok(None) } else { text.parse().map(Some) };
            *value = parsed.map_err(|error: T::Err| error.to_string())?;
            Ok(())
        };
        self.slot(key, Kind::Text, text, &mut set);
    }

    /// An IP address with a port.
    pub fn address(&mut self, key: Key, value: &mut SocketAddr) {
        let text = value.to_string();
        let mut set = |text: &str| {
            *value = text.parse().map_err(|_| "it has to be IP:PORT, such as 127.0.0.1:1789")?;
            Ok(())
        };
        self.slot(key, Kind::Text, text, &mut set);
    }

    /// A number.
    pub fn number<const LEAST: u64, const MOST: u64>(
        &mut self,
        key: Key,
        value: &mut Limited<LEAST, MOST>,
    ) {
        self.parsed(key, Kind::Number, value);
    }

    /// A number, or none where the file does not have the key: then it is written as a comment,
    /// with an example.
    pub fn optional_number<const LEAST: u64, const MOST: u64>(
        &mut self,
        key: Key,
        example: u64,
        value: &mut Option<Limited<LEAST, MOST>>,
    ) {
        let text = value.unwrap_or(Limited::new(example)).to_string();
        let is_example = value.is_none();
        let mut set = |text: &str| {
            *value = Some(text.parse().map_err(|error: BadValue| error.to_string())?);
            Ok(())
        };
        self.0.key(key, Slot { kind: Kind::Number, text, is_example, set: &mut set });
    }

    /// On or off.
    pub fn switch(&mut self, key: Key, value: &mut bool) {
        self.parsed(key, Kind::Switch, value);
    }

    /// One of these words, in capitals or not.
    pub fn choice<T: ValueEnum>(&mut self, key: Key, value: &mut T) {
        let name = |choice: &T| choice.to_possible_value().map(|value| value.get_name().to_owned());
        let text = name(value).unwrap_or_default();
        let mut set = |text: &str| {
            *value = T::from_str(text, true).map_err(|_| {
                let names = T::value_variants().iter().filter_map(name);
                let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
                format!("it is none of {}", names.join(", "))
            })?;
            Ok(())
        };
        self.slot(key, Kind::Text, text, &mut set);
    }

    /// Values in quotes. None of them has more than one line.
    pub fn list<T>(&mut self, key: Key, values: &mut Vec<T>)
    where
        T: FromStr<Err: Display> + Display,
    {
        let text = values.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let mut set = |text: &str| {
            let parsed = text
                .lines()
                .map(|line| line.parse().map_err(|error: T::Err| format!("`{line}`: {error}")));
            *values = parsed.collect::<Result<_, _>>()?;
            Ok(())
        };
        self.slot(key, Kind::List, text, &mut set);
    }

    /// Keys that files of the originals have, and that mean nothing here.
    pub fn ignored(&mut self, section: &'static str, names: &'static [&'static str]) {
        self.0.ignored(section, names);
    }

    fn parsed<T>(&mut self, key: Key, kind: Kind, value: &mut T)
    where
        T: FromStr<Err: Display> + Display,
    {
        let text = value.to_string();
        let mut set = |text: &str| {
            *value = text.parse().map_err(|error: T::Err| error.to_string())?;
            Ok(())
        };
        self.slot(key, kind, text, &mut set);
    }

    fn slot(
        &mut self,
        key: Key,
        kind: Kind,
        text: String,
        set: &mut dyn FnMut(&str) -> Result<(), String>,
    ) {
        self.0.key(key, Slot { kind, text, is_example: false, set });
    }
}

/// Reads a file into `config`. Returns the keys in it that mean nothing here, as `[section] key`.
pub fn read(path: &Path, config: &mut impl Config) -> Result<Vec<String>, ConfigError> {
    let text = text_of(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let mut reader = Reader::new(path, &text)?;
    config.keys(&mut Keys(&mut reader));
    reader.finish()
}

/// The line of a key in a file that could be read, from 1; none if it has no such key.
pub(crate) fn line_of(path: &Path, section: &str, key: &str) -> Option<usize> {
    Reader::new(path, &text_of(path).ok()?).ok()?.line_of(section, key)
}

fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    // One more, so that what is too long is not taken for the whole.
    let bytes = File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if bytes as u64 > MAX_BYTES {
        let message = format!("it is longer than {MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(text)
}

/// A key with its value, as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    section: &'static str,
    key: &'static str,
    /// Its value, as TOML.
    value: String,
    /// Without the key there is no such value: this one is only an example.
    is_example: bool,
}

/// All keys of a config with their values.
fn entries(config: &mut impl Config) -> Vec<Entry> {
    let mut lister = write::Lister::default();
    config.keys(&mut Keys(&mut lister));
    lister.entries
}

/// The text of a file that says all that `config` does, with a comment for each key.
pub fn render<C: Config>(head: &str, config: &mut C, defaults: &mut C) -> String {
    let mut writer = write::Writer::new(head, entries(defaults));
    config.keys(&mut Keys(&mut writer));
    writer.text
}

#[cfg(test)]
mod tests;
