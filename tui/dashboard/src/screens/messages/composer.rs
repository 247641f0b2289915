//! The text that is being typed: many lines of it, and what was sent before.

use std::collections::VecDeque;

use contract::MESSAGE_BYTES_PER_PACKET;
use tui_input::{Input, InputRequest};
use unicode_segmentation::UnicodeSegmentation;

use crate::input_line::Edit;
use crate::state::MAX_TEXT_BYTES;
use crate::symbols::Symbols;
use crate::text;
use crate::wrap;

/// The longest text that can be typed or pasted, in bytes: what the conversation keeps whole, and 21
/// packets. Whoever has more has it in a file.
pub(super) const MAX_BYTES: usize = MAX_TEXT_BYTES;

/// How many texts that were sent are remembered.
const MAX_HISTORY: usize = 100;

/// The text that is being typed.
#[derive(Debug, Default)]
pub(super) struct Composer {
    input: Input,
    /// What was sent, oldest first.
    history: VecDeque<String>,
    /// Which of them is shown; none while it is what was typed.
    recalled: Option<usize>,
    /// What was typed before something was recalled.
    draft: String,
}

/// The text as rows of a width, and the cursor in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The rows, made visible.
    pub(super) rows: Vec<String>,
    /// The cursor's row.
    pub(super) row: usize,
    /// The cursor's column.
    pub(super) column: usize,
}

/// A row of the text.
struct Row {
    /// Where it begins, in characters of the text.
    first: usize,
    /// What it shows: for each character one, so that both are counted alike.
    shown: String,
    /// The line goes on in the next row.
    continues: bool,
}

impl Composer {
    /// What is typed.
    pub(super) fn text(&self) -> &str {
        self.input.value()
    }

    /// How many packets it takes. An empty message takes one too.
    pub(super) fn packets(&self) -> usize {
        self.text().len().div_ceil(MESSAGE_BYTES_PER_PACKET).max(1)
    }

    /// Takes the text away, and remembers it.
    pub(super) fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.input).value().to_owned();
        self.remember(text.clone());
        self.recalled = None;
        self.draft.clear();
        text
    }

    /// Puts a text back that was not sent. Where something else is being typed it is only
    /// remembered, and this is false.
    pub(super) fn give_back(&mut self, text: String) -> bool {
        let has_room = self.text().is_empty();
        if has_room {
            self.set(text);
        } else {
            self.remember(text);
        }
        has_room
    }

    fn remember(&mut self, text: String) {
        if self.history.back() == Some(&text) {
            return;
        }
        if self.history.len() == MAX_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(text);
    }

    /// Changes the text; says how many bytes had no room.
    pub(super) fn edit(&mut self, edit: Edit<'_>) -> usize {
        match edit {
            Edit::Insert(text) => return self.insert(text),
            Edit::Key(InputRequest::GoToStart) => self.go_to(self.line_start()),
            Edit::Key(InputRequest::GoToEnd) => {
                let rest = self.text().chars().skip(self.input.cursor());
                self.go_to(self.input.cursor() + rest.take_while(|&c| c != '\n').count());
            }
            Edit::Key(InputRequest::DeleteFromStart) => self.delete_from(self.line_start()),
            Edit::Key(request) => {
                self.input.handle(request);
            }
        }
        0
    }

    fn insert(&mut self, text: &str) -> usize {
        let unified = text.replace("\r\n", "\n").replace('\r', "\n");
        // What commands a terminal is not what somebody wants to say.
        let clean: String =
            unified.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
        let room = MAX_BYTES.saturating_sub(self.text().len());
        let mut fits = 0;
        for (at, character) in clean.grapheme_indices(true) {
            if at + character.len() > room {
                break;
            }
            fits = at + character.len();
        }
        let (fitting, rest) = clean.split_at(fits);
        let cursor = self.input.cursor();
        let (before, after) = self.text().split_at(self.byte_of(cursor));
        let value = format!("{before}{fitting}{after}");
        self.replace(value, cursor + fitting.chars().count());
        rest.len()
    }

    /// A row up in the text, or from its first row to what was sent before.
    pub(super) fn up(&mut self, columns: usize, symbols: &Symbols) {
        if !self.step(columns, symbols, -1) {
            self.recall(-1);
        }
    }

    /// A row down in the text, or from its last row to what was sent after.
    pub(super) fn down(&mut self, columns: usize, symbols: &Symbols) {
        if !self.step(columns, symbols, 1) {
            self.recall(1);
        }
    }

    fn step(&mut self, columns: usize, symbols: &Symbols, step: isize) -> bool {
        let rows = self.rows(columns, symbols);
        let (row, column) = self.position(&rows);
        let Some(target) = row.checked_add_signed(step).and_then(|row| rows.get(row)) else {
            return false;
        };
        let mut chars = 0;
        let mut used = 0;
        for character in target.shown.graphemes(true) {
            used += text::width(character);
            let end = chars + character.chars().count();
            let is_past_the_row = target.continues && end == target.shown.chars().count();
            if used > column || is_past_the_row {
                break;
            }
            chars = end;
        }
        self.go_to(target.first + chars);
        true
    }

    fn recall(&mut self, step: isize) {
        let at = self.recalled.unwrap_or(self.history.len());
        let Some(next) = at.checked_add_signed(step).filter(|&next| next <= self.history.len())
        else {
            return;
        };
        if self.recalled.is_none() {
            if next == at {
                return;
            }
            self.draft = self.text().to_owned();
        }
        if let Some(text) = self.history.get(next) {
            let text = text.clone();
            self.set(text);
            self.recalled = Some(next);
        } else {
            let draft = std::mem::take(&mut self.draft);
            self.set(draft);
            self.recalled = None;
        }
    }

    /// The text as rows of so many columns.
    pub(super) fn page(&self, columns: usize, symbols: &Symbols) -> Page {
        let rows = self.rows(columns, symbols);
        let (row, column) = self.position(&rows);
        Page { rows: rows.into_iter().map(|row| row.shown).collect(), row, column }
    }

    fn rows(&self, columns: usize, symbols: &Symbols) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut first = 0;
        for line in self.text().split('\n') {
            let shown = text::visible(&line.replace('\t', " "), symbols);
            for range in wrap::rows(&shown, columns) {
                let continues = range.end < shown.len();
                let shown = shown[range].to_owned();
                let chars = shown.chars().count();
                rows.push(Row { first, shown, continues });
                first += chars;
            }
            first += 1;
        }
        rows
    }

    fn position(&self, rows: &[Row]) -> (usize, usize) {
        let cursor = self.input.cursor();
        let row = rows.partition_point(|row| row.first <= cursor).saturating_sub(1);
        let before = rows.get(row).map(|row| {
            let chars = row.shown.chars().take(cursor - row.first);
            text::width(&chars.collect::<String>())
        });
        (row, before.unwrap_or_default())
    }

    fn line_start(&self) -> usize {
        let before = &self.text()[..self.byte_of(self.input.cursor())];
        let line = before.rsplit('\n').next().unwrap_or_default();
        self.input.cursor() - line.chars().count()
    }

    /// Deletes up to the cursor; at the start of a line, its line end.
    fn delete_from(&mut self, start: usize) {
        let cursor = self.input.cursor();
        let start = if start == cursor { cursor.saturating_sub(1) } else { start };
        let (from, to) = (self.byte_of(start), self.byte_of(cursor));
        let value = format!("{}{}", &self.text()[..from], &self.text()[to..]);
        self.replace(value, start);
    }

    fn go_to(&mut self, cursor: usize) {
        self.input.handle(InputRequest::SetCursor(cursor));
    }

    fn set(&mut self, text: String) {
        self.input = Input::new(text);
    }

    fn replace(&mut self, text: String, cursor: usize) {
        self.input = std::mem::take(&mut self.input).with_value(text).with_cursor(cursor);
    }

    fn byte_of(&self, cursor: usize) -> usize {
        self.text().char_indices().nth(cursor).map_or(self.text().len(), |(at, _)| at)
    }
}

#[cfg(test)]
mod tests;
