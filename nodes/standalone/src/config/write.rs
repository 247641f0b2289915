//! Writing a config file for people, and listing what can be in it.

use std::fmt::Write as _;

use super::{Entry, Key, Kind, Slot, Visitor};

/// The longest line of a comment, in characters.
const LINE_CHARS: usize = 96;

/// Notes every key.
#[derive(Default)]
pub(super) struct Lister {
    pub(super) entries: Vec<Entry>,
    section: &'static str,
}

impl Visitor for Lister {
    fn section(&mut self, name: &'static str, _: &'static [&'static str], _: &'static str) {
        self.section = name;
    }

    fn key(&mut self, key: Key, slot: Slot<'_>) {
        self.entries.push(Entry {
            section: self.section,
            key: key.name,
            value: toml(&slot),
            is_example: key.required || slot.is_example,
        });
    }

    fn ignored(&mut self, _: &'static str, _: &'static [&'static str]) {}
}

/// Writes every key with a comment; one that is not at its default says what that is. A value that
/// is only an example stands behind a `#` without a space, to be taken away.
pub(super) struct Writer {
    pub(super) text: String,
    defaults: Vec<Entry>,
    section: &'static str,
}

impl Writer {
    pub(super) fn new(head: &str, defaults: Vec<Entry>) -> Self {
        let mut writer = Self { text: String::new(), defaults, section: "" };
        writer.comment(head);
        writer
    }

    fn comment(&mut self, text: &str) {
        for paragraph in text.lines() {
            let mut line = String::from("#");
            for word in paragraph.split_whitespace() {
                if line.chars().count() + 1 + word.chars().count() > LINE_CHARS {
                    self.line(&line);
                    line = String::from("#");
                }
                line.push(' ');
                line.push_str(word);
            }
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        writeln!(self.text, "{line}").expect("a text takes all");
    }
}

impl Visitor for Writer {
    fn section(&mut self, name: &'static str, _: &'static [&'static str], about: &'static str) {
        self.section = name;
        self.line("");
        self.line("");
        self.comment(about);
        self.line(&format!("[{name}]"));
    }

    fn key(&mut self, key: Key, slot: Slot<'_>) {
        let value = toml(&slot);
        let of_key = |entry: &&Entry| (entry.section, entry.key) == (self.section, key.name);
        let default = self.defaults.iter().find(of_key);
        let default = default.filter(|default| !default.is_example && default.value != value);
        let default = default.map(|default| format!("\nDefault: {}", default.value));
        self.line("");
        self.comment(&format!("{}{}", key.about, default.unwrap_or_default()));
        let off = if slot.is_example { "#" } else { "" };
        self.line(&format!("{off}{} = {value}", key.name));
    }

    fn ignored(&mut self, _: &'static str, _: &'static [&'static str]) {}
}

fn toml(slot: &Slot<'_>) -> String {
    match slot.kind {
        Kind::Text => toml::Value::from(slot.text.as_str()).to_string(),
        Kind::Number | Kind::Switch => slot.text.clone(),
        Kind::List => toml::Value::from(slot.text.lines().collect::<Vec<_>>()).to_string(),
    }
}
