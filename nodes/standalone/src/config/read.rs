//! Reading a config file, with the line of everything that is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, Key, Kind, Slot, Visitor};

/// Names that are less alike than this are not the same name with a slip in it.
const ALIKE: f64 = 0.8;

/// The longest part of a wrong value or name that is shown, in characters.
const SHOWN_CHARS: usize = 60;

/// Helps with most of what is no TOML.
const TOML_HINT: &str =
    "a text stands in quotes, a number does not, and a switch is `true` or `false`";

/// A name in a section.
type Place = (String, String);

/// What stands at a place.
struct Found {
    line: usize,
    /// None where TOML has it in another way than any key wants it.
    kind: Option<Kind>,
    text: String,
    /// As the file has it.
    shown: String,
}

/// Takes the keys of a config out of a file.
pub(super) struct Reader {
    path: PathBuf,
    found: BTreeMap<Place, Found>,
    /// Sections of the file with their lines.
    sections: BTreeMap<String, usize>,
    known: BTreeSet<Place>,
    known_sections: BTreeSet<&'static str>,
    /// The section at hand, under all its names.
    section: Vec<&'static str>,
    ignored: Vec<String>,
    wrong: Option<ConfigError>,
    /// Told last: where a key is missing, one that nobody asked for is often the one that was meant.
    missing: Option<ConfigError>,
}

impl Reader {
    pub(super) fn new(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let line_at = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let shown = |span: Range<usize>| shorten(text.get(span).unwrap_or_default());
        let table = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            // Its further lines are what it expected.
            let reason = error.message().lines().collect::<Vec<_>>().join(", ");
            let (reason, hint) = match reason.as_str() {
                "duplicate key" => (format!("duplicate key `{}`", shown(span.clone())), None),
                _ => (reason, Some(TOML_HINT.to_owned())),
            };
            ConfigError::Syntax { path: path.to_owned(), line: line_at(span.start), reason, hint }
        })?;
        let mut found = BTreeMap::new();
        let mut sections = BTreeMap::new();
        for (name, value) in table.into_inner() {
            let line = line_at(name.span().start);
            let name = name.into_inner().into_owned();
            let DeValue::Table(keys) = value.into_inner() else {
                return Err(ConfigError::Unknown {
                    path: path.to_owned(),
                    line,
                    what: format!("key `{}` outside of a section", shorten(&name)),
                    hint: Some("keys come after the [section] that they belong to".into()),
                });
            };
            for (key, value) in keys {
                let line = line_at(key.span().start);
                let shown = shown(value.span());
                let (kind, text) = plain(value.get_ref());
                let place = (name.clone(), key.into_inner().into_owned());
                found.insert(place, Found { line, kind, text, shown });
            }
            sections.insert(name, line);
        }
        Ok(Self {
            path: path.to_owned(),
            found,
            sections,
            known: BTreeSet::new(),
            known_sections: BTreeSet::new(),
            section: Vec::new(),
            ignored: Vec::new(),
            wrong: None,
            missing: None,
        })
    }

    /// The line of a key that is still to be taken.
    pub(super) fn line_of(&self, section: &str, key: &str) -> Option<usize> {
        self.found.get(&(section.to_owned(), key.to_owned())).map(|found| found.line)
    }

    /// After the walk: complains about whatever nobody asked for, and says what was ignored.
    pub(super) fn finish(self) -> Result<Vec<String>, ConfigError> {
        if let Some(error) = self.wrong {
            return Err(error);
        }
        let unknown_section = self
            .sections
            .iter()
            .filter(|(name, _)| !self.known_sections.contains(name.as_str()))
            .min_by_key(|(_, line)| **line);
        if let Some((name, line)) = unknown_section {
            let nearest = nearest(name, self.known_sections.iter().copied());
            return Err(ConfigError::Unknown {
                path: self.path,
                line: *line,
                what: format!("section [{}]", shorten(name)),
                hint: nearest.map(|nearest| format!("did you mean [{nearest}]?")),
            });
        }
        let Some(((section, key), found)) = self.found.iter().min_by_key(|(_, found)| found.line)
        else {
            return self.missing.map_or(Ok(self.ignored), Err);
        };
        let of_section = |known: &&Place| known.0 == *section;
        let names = self.known.iter().filter(of_section).map(|known| known.1.as_str());
        let elsewhere = self.known.iter().find(|known| known.1 == *key);
        let hint = match (elsewhere, nearest(key, names)) {
            (Some((section, _)), _) => Some(format!("it belongs into [{section}]")),
            (None, nearest) => nearest.map(|nearest| format!("did you mean `{nearest}`?")),
        };
        Err(ConfigError::Unknown {
            path: self.path,
            line: found.line,
            what: format!("key `{}` in [{section}]", shorten(key)),
            hint,
        })
    }

    /// Takes what stands at the first of these places; what stands at the others has to agree.
    fn take(&mut self, places: &[Place]) -> Result<Option<(Found, String)>, ConfigError> {
        let mut taken: Option<(Found, String)> = None;
        for place in places {
            let Some(found) = self.found.remove(place) else { continue };
            let key = format!("[{}] {}", place.0, place.1);
            match &taken {
                None => taken = Some((found, key)),
                Some((first, _)) if (first.kind, &first.text) == (found.kind, &found.text) => {}
                Some((first, first_key)) => {
                    return Err(ConfigError::Differ {
                        path: self.path.clone(),
                        line: found.line,
                        key,
                        other_line: first.line,
                        other: first_key.clone(),
                    });
                }
            }
        }
        Ok(taken)
    }

    fn read(&mut self, key: Key, slot: &mut Slot<'_>) -> Result<(), ConfigError> {
        let here = self.section.iter().map(|section| (*section, key.name));
        let places = here.chain(key.also.iter().copied());
        let places: Vec<Place> = places.map(|(s, k)| (s.to_owned(), k.to_owned())).collect();
        let taken = self.take(&places)?;
        self.known.extend(places);
        let Some((found, place)) = taken else {
            if key.required && self.missing.is_none() {
                let section = self.section.first().copied().unwrap_or_default();
                let key = format!("[{section}] {}", key.name);
                self.missing = Some(ConfigError::Missing { path: self.path.clone(), key });
            }
            return Ok(());
        };
        let set = if found.kind == Some(slot.kind) {
            (slot.set)(&found.text)
        } else {
            Err(format!("it has to be {}", slot.kind.describe()))
        };
        set.map_err(|reason| ConfigError::Wrong {
            path: self.path.clone(),
            line: found.line,
            key: place,
            found: found.shown,
            reason,
        })
    }
}

impl Visitor for Reader {
    fn section(&mut self, name: &'static str, also: &'static [&'static str], _about: &'static str) {
        self.section = [&[name], also].concat();
        self.known_sections.extend(self.section.iter().copied());
    }

    fn key(&mut self, key: Key, mut slot: Slot<'_>) {
        if self.wrong.is_none() {
            self.wrong = self.read(key, &mut slot).err();
        }
    }

    fn ignored(&mut self, section: &'static str, names: &'static [&'static str]) {
        self.known_sections.insert(section);
        for name in names {
            let place = (section.to_owned(), (*name).to_owned());
            if self.found.remove(&place).is_some() {
                self.ignored.push(format!("[{section}] {name}"));
            }
            self.known.insert(place);
        }
    }
}

/// A value as the text that a flag would have; a list has a line for each of its texts. None where no
/// key takes such a value.
fn plain(value: &DeValue<'_>) -> (Option<Kind>, String) {
    match value {
        DeValue::String(text) => (Some(Kind::Text), text.clone().into_owned()),
        DeValue::Integer(number) => {
            // TOML knows `0x10` and `1_000` too. What does not fit is too large for every key.
            let decimal = i128::from_str_radix(number.as_str(), number.radix());
            let text = decimal.map_or_else(|_| number.as_str().to_owned(), |n| n.to_string());
            (Some(Kind::Number), text)
        }
        DeValue::Boolean(on) => (Some(Kind::Switch), on.to_string()),
        DeValue::Array(values) => {
            let line = |value: &Spanned<DeValue<'_>>| {
                let text = value.get_ref().as_str()?;
                let is_line = !text.is_empty() && !text.contains('\n');
                is_line.then(|| text.to_owned())
            };
            match values.iter().map(line).collect::<Option<Vec<_>>>() {
                Some(lines) => (Some(Kind::List), lines.join("\n")),
                None => (None, String::new()),
            }
        }
        _ => (None, String::new()),
    }
}

/// The name that was probably meant.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = shorten(name);
    let alike = names.map(|known| match strsim::osa_distance(&name, known) {
        ..=1 => (1.0, known),
        _ => (strsim::jaro_winkler(&name, known), known),
    });
    let nearest = alike.filter(|(alike, _)| *alike >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map(|(_, known)| known)
}

/// What somebody wrote, fit for a line of a log.
fn shorten(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    // Quotes are no danger, and TOML has many.
    let shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    if text.chars().nth(SHOWN_CHARS).is_some() { format!("{shown}…") } else { shown }
}
