//! A text that narrows a list.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use tui_input::Input;

use crate::input_line::{self, Edit};
use crate::scene::Scene;
use crate::text;

/// Longest text that can be typed into a filter: more is never needed to tell lines apart.
const MAX_CHARS: usize = 200;

/// What stands before what is typed.
pub(crate) const PROMPT: &str = "/";

/// What to look for, and whether it is wanted: after `!` it is what must not be there.
pub(crate) fn wanted(needle: &str) -> (&str, bool) {
    match needle.strip_prefix('!') {
        Some("") => ("", true),
        Some(needle) => (needle, false),
        None => (needle, true),
    }
}

/// A filter and whether it is being typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    input: Input,
    edited: bool,
}

impl Filter {
    /// Whether it is being typed.
    pub(crate) fn is_edited(&self) -> bool {
        self.edited
    }

    /// Whether it narrows anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.input.value().is_empty()
    }

    /// What is looked for, in lower case.
    pub(crate) fn needle(&self) -> String {
        self.input.value().to_lowercase()
    }

    /// What was typed.
    pub(crate) fn text(&self) -> &str {
        self.input.value()
    }

    /// Whether it has a line on the screen.
    pub(crate) fn is_shown(&self) -> bool {
        self.edited || !self.is_empty()
    }

    /// Begins to type.
    pub(crate) fn open(&mut self) {
        self.edited = true;
    }

    /// Ends typing, and keeps it.
    pub(crate) fn accept(&mut self) {
        self.edited = false;
    }

    /// Drops it. Says whether there was anything to drop.
    pub(crate) fn drop(&mut self) -> bool {
        let had = self.edited || !self.is_empty();
        *self = Self::default();
        had
    }

    /// Edits it; says whether something had no room.
    pub(crate) fn edit(&mut self, edit: Edit<'_>) -> bool {
        input_line::apply(&mut self.input, edit, MAX_CHARS)
    }

    /// The line in which it is typed, or shown, behind a name.
    pub(crate) fn draw(&self, name: &'static str, area: Rect, scene: &mut Scene<'_>) {
        let text = text::visible(self.text(), scene.symbols);
        let line = Line::from(vec![Span::styled(name, scene.theme.accent), Span::raw(text)]);
        scene.put(area, 0, line);
        let cursor = self.input.visual_cursor() + text::width(name);
        let cursor = u16::try_from(cursor).unwrap_or(u16::MAX);
        if self.edited && cursor < area.width {
            scene.cursor = Some((area.x + cursor, area.y).into());
        }
    }
}
