//! What a layout file says, before anybody asks what it means: values, each with its place.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::{Place, Wrong, shown};

/// A value and where it was said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) place: Place,
    pub(crate) data: Data,
}

/// What a value can be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    /// A string.
    Text(String),
    /// What stands on a command line or in a variable: a string, a number or a truth value, whichever
    /// is wanted.
    Loose(String),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Boolean(bool),
    /// What no field takes, as it was written: a fraction, a date, a number of more than 63 bits.
    Other(String),
    /// `[…]`
    List(Vec<Value>),
    /// `{…}`, in the order of the file.
    Table(Vec<Entry>),
}

/// A key of a table and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Value,
}

impl Value {
    /// An empty table at the beginning of a file.
    pub(crate) fn empty() -> Self {
        Self { place: Place::File(0), data: Data::Table(Vec::new()) }
    }

    /// The values of a TOML file.
    pub(crate) fn of_file(text: &str) -> Result<Self, Wrong> {
        let table = DeTable::parse(text).map_err(|error| not_toml(&error))?;
        let span = table.span();
        let value = Spanned::new(span, DeValue::Table(table.into_inner()));
        Ok(Self::new(value, &Place::File))
    }

    /// What a flag or a variable says: a list, a table or a quoted string as in the file, anything else
    /// as it stands.
    pub(crate) fn given(origin: &Arc<str>, text: &str) -> Result<Self, Wrong> {
        let place = Place::Given(Arc::clone(origin));
        if !text.trim_start().starts_with(['[', '{', '"', '\'']) {
            return Ok(Self { place, data: Data::Loose(text.into()) });
        }
        let value = DeValue::parse(text.trim());
        let value = value.map_err(|error| Wrong { place: None, ..not_toml(&error) }.at(&place))?;
        Ok(Self::new(value, &|_| place.clone()))
    }

    /// A value and all below it. The parser bounds how deep they are nested.
    fn new(value: Spanned<DeValue<'_>>, place: &dyn Fn(usize) -> Place) -> Self {
        let at = place(value.span().start);
        let data = match value.into_inner() {
            DeValue::String(text) => Data::Text(text.into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| Data::Other(number.to_string()), Data::Integer),
            DeValue::Float(number) => Data::Other(number.to_string()),
            DeValue::Boolean(is) => Data::Boolean(is),
            DeValue::Datetime(time) => Data::Other(time.to_string()),
            DeValue::Array(list) => {
                Data::List(list.into_iter().map(|value| Self::new(value, place)).collect())
            }
            DeValue::Table(table) => {
                let mut entries: Vec<(usize, Entry)> = table
                    .into_iter()
                    .map(|(key, value)| {
                        let at = key.span().start;
                        let key = key.into_inner().into_owned();
                        (at, Entry { key, place: place(at), value: Self::new(value, place) })
                    })
                    .collect();
                entries.sort_by_key(|(at, _)| *at);
                Data::Table(entries.into_iter().map(|(_, entry)| entry).collect())
            }
        };
        Self { place: at, data }
    }

    /// The entry of this key, if this is a table that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        let Data::Table(entries) = &self.data else { return None };
        entries.iter().find(|entry| entry.key == key)
    }

    /// The place of the last of these keys, each below the one before; or of the closest above it. `[0]`
    /// is the first value of a list.
    pub(crate) fn place_of(&self, path: &[&str]) -> &Place {
        let mut value = self;
        let mut place = &self.place;
        for key in path {
            if let Some(entry) = value.get(key) {
                (value, place) = (&entry.value, &entry.place);
            } else if let Some(inner) = value.at(key) {
                (value, place) = (inner, &inner.place);
            }
        }
        place
    }

    /// The value of this number in brackets, if this is a list that has it.
    fn at(&self, key: &str) -> Option<&Self> {
        let Data::List(values) = &self.data else { return None };
        values.get(key.strip_prefix('[')?.strip_suffix(']')?.parse::<usize>().ok()?)
    }

    /// Sets what is at this path, tables on the way to it included.
    pub(crate) fn set(&mut self, path: &[String], new: Self) -> Result<(), Wrong> {
        let Some((key, rest)) = path.split_first() else {
            *self = new;
            return Ok(());
        };
        let place = new.place.clone();
        let found = self.found();
        let Data::Table(entries) = &mut self.data else {
            let message = format!("it is {found}, and has no `{}`", shown(key));
            return Err(Wrong::other(message).at(&place));
        };
        let index = entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
            let value = Self { place: place.clone(), ..Self::empty() };
            entries.push(Entry { key: key.clone(), place: place.clone(), value });
            entries.len() - 1
        });
        entries[index].place = place;
        entries[index].value.set(rest, new).map_err(|wrong| wrong.below(key))
    }

    /// Takes this key away.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Self> {
        let Data::Table(entries) = &mut self.data else { return None };
        let index = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(index).value)
    }

    /// What it is, as a fault says it.
    pub(crate) fn found(&self) -> String {
        match &self.data {
            Data::Text(text) | Data::Loose(text) => format!("\"{}\"", shown(text)),
            Data::Integer(number) => format!("`{number}`"),
            Data::Boolean(is) => format!("`{is}`"),
            Data::Other(text) => format!("`{}`", shown(text)),
            Data::List(_) => "a list".into(),
            Data::Table(_) => "a table".into(),
        }
    }
}

/// What the parser could not read.
fn not_toml(error: &toml::de::Error) -> Wrong {
    let wrong = Wrong::other(format!("this is not TOML: {}", error.message()))
        .hint("`nym-devnet layout init` writes a file to begin with");
    match error.span() {
        Some(span) => wrong.at(&Place::File(span.start)),
        None => wrong,
    }
}
