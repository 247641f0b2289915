//! What drawing needs: the buffer, and everything that decides how something looks.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::{Layout, Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use crate::action::{Action, Spec};
use crate::keymap::Keymap;
use crate::keys::Key;
use crate::model::Model;
use crate::motion::first_visible;
use crate::regions::{Regions, Target};
use crate::state::Moment;
use crate::symbols::Symbols;
use crate::text;
use crate::theme::Theme;

/// How the selected row of a list looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Highlight {
    /// Like the others: the list follows its end.
    None,
    /// Noticeable: another pane has the keys.
    Faint,
    /// The keys act on it.
    Strong,
}

impl Highlight {
    /// That of a list whose pane has the keys, or has not.
    pub(crate) fn focused(focused: bool) -> Self {
        if focused { Self::Strong } else { Self::Faint }
    }
}

/// A screen while it is drawn.
pub(crate) struct Scene<'a> {
    /// Colours.
    pub(crate) theme: &'static Theme,
    /// Glyphs.
    pub(crate) symbols: &'static Symbols,
    /// The moment that is shown.
    pub(crate) now: Moment,
    /// For times of day.
    pub(crate) zone: &'a TimeZone,
    /// Whether the focused pane fills the screen.
    pub(crate) zoomed: bool,
    /// Which keys do what.
    keymap: &'a Keymap,
    /// Where it is drawn.
    pub(crate) buffer: &'a mut Buffer,
    /// What lies where.
    pub(crate) regions: Regions,
    /// Where the terminal's cursor is, if somebody types.
    pub(crate) cursor: Option<Position>,
}

impl<'a> Scene<'a> {
    /// An empty screen of this model.
    pub(crate) fn new(model: &'a Model, buffer: &'a mut Buffer) -> Self {
        Self {
            theme: model.theme(),
            symbols: model.symbols(),
            now: model.moment(),
            zone: &model.settings.zone,
            zoomed: model.is_zoomed(),
            keymap: &model.settings.keymap,
            buffer,
            regions: Regions::default(),
            cursor: None,
        }
    }

    /// A line into a row of an area, counted from its top; nothing if there is no such row. Where
    /// it is too long, its end says so.
    pub(crate) fn put<'l>(&mut self, area: Rect, row: u16, line: impl Into<Line<'l>>) {
        let area = area.intersection(self.buffer.area);
        if row < area.height && area.width > 0 {
            let line = line.into();
            self.buffer.set_line(area.x, area.y + row, &line, area.width);
            if line.width() > usize::from(area.width)
                && let Some(last) = self.buffer.cell_mut((area.right() - 1, area.y + row))
            {
                last.set_symbol(self.symbols.ellipsis);
            }
        }
    }

    /// The same, ending at the right edge. Returns the columns that are left at its left.
    pub(crate) fn put_right<'l>(&mut self, area: Rect, row: u16, line: impl Into<Line<'l>>) -> u16 {
        let line = line.into();
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
        if width > area.width {
            return area.width;
        }
        let left = area.width - width;
        self.put(Rect { x: area.x + left, width, ..area }, row, line);
        left
    }

    /// One cell; nothing if it is outside.
    pub(crate) fn glyph(&mut self, position: impl Into<Position>, symbol: &str, style: Style) {
        if let Some(cell) = self.buffer.cell_mut(position) {
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// How the key of an action is written here: `f`, `enter`. Empty if it has none.
    pub(crate) fn key(&self, action: Action) -> String {
        self.keymap.label(action, self.symbols)
    }

    /// The keys of an action.
    pub(crate) fn keys<'k>(&'k self, spec: &'k Spec) -> &'k [Key] {
        self.keymap.keys(spec)
    }

    /// Where the panes of a screen lie. While it is zoomed, the focused one has everything and the
    /// others have nothing: what is drawn there is not seen, and cannot be pointed at.
    pub(crate) fn panes<const N: usize>(
        &self,
        layout: &Layout,
        area: Rect,
        focused: usize,
    ) -> [Rect; N] {
        let mut panes = layout.areas(area);
        for (index, pane) in panes.iter_mut().enumerate() {
            *pane = self.zoomed(area, *pane, index == focused);
        }
        panes
    }

    /// Where one pane of a screen lies, if it were at `pane` with the others around it. For panes
    /// that are laid out inside of each other; see [`Self::panes`].
    pub(crate) fn zoomed(&self, area: Rect, pane: Rect, focused: bool) -> Rect {
        match (self.zoomed, focused) {
            (false, _) => pane,
            (true, true) => area,
            (true, false) => Rect { width: 0, height: 0, ..area },
        }
    }

    /// Nothing but the ground.
    pub(crate) fn clear(&mut self, area: Rect) {
        Clear.render(area, self.buffer);
        self.buffer.set_style(area, self.theme.base);
    }

    /// A pane with a title. Returns its inside.
    pub(crate) fn pane<'l>(
        &mut self,
        area: Rect,
        title: impl Into<Line<'l>>,
        focused: bool,
    ) -> Rect {
        let style = if focused { self.theme.accent } else { self.theme.muted };
        let mut title: Line<'_> = title.into();
        if focused {
            title = title.patch_style(self.theme.title);
        }
        title.spans.insert(0, Span::raw(" "));
        title.spans.push(Span::raw(" "));
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_set(self.symbols.pane)
            .border_style(style)
            .title_top(title);
        let inner = block.inner(area);
        block.render(area, self.buffer);
        inner
    }

    /// A pane that lies over the screen. What is below cannot be pointed at any more.
    pub(crate) fn window<'l>(&mut self, area: Rect, title: impl Into<Line<'l>>) -> Rect {
        self.clear(area);
        self.regions.cover();
        let inner = self.pane(area, title, true);
        Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
    }

    /// A note at the right end of a pane's upper or lower edge.
    pub(crate) fn edge_note<'l>(&mut self, area: Rect, bottom: bool, note: impl Into<Line<'l>>) {
        let mut note: Line<'_> = note.into();
        note.spans.insert(0, Span::raw(" "));
        note.spans.push(Span::raw(" "));
        let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        let row = if bottom { area.height.saturating_sub(1) } else { 0 };
        self.put_right(inside, row, note);
    }

    /// A sentence in the middle of an empty pane.
    pub(crate) fn nothing_yet(&mut self, area: Rect, sentence: &str) {
        let words = text::fit(sentence, area.width.into(), self.symbols);
        let line = Line::styled(words, self.theme.muted).centered();
        let row = area.height.saturating_sub(1) / 2;
        if row < area.height {
            line.render(Rect { y: area.y + row, height: 1, ..area }, self.buffer);
        }
    }

    /// Rows of a list, so that the selected one is visible. `draw` gets the row's number and its
    /// line of the area; what it returns can be pointed at.
    pub(crate) fn list(
        &mut self,
        area: Rect,
        rows: usize,
        selected: Option<usize>,
        highlight: Highlight,
        mut draw: impl FnMut(&mut Self, usize, Rect) -> Option<Target>,
    ) {
        let height = usize::from(area.height);
        let first = first_visible(selected.unwrap_or(0), rows, height);
        for (line, row) in (0..area.height).zip(first..rows) {
            let place = Rect { y: area.y + line, height: 1, ..area };
            if let Some(target) = draw(self, row, place) {
                self.regions.add(place, target);
            }
            if selected == Some(row) {
                self.select(place, highlight);
            }
        }
    }

    /// Marks a row as selected.
    pub(crate) fn select(&mut self, place: Rect, highlight: Highlight) {
        match highlight {
            Highlight::None => {}
            Highlight::Faint => self.buffer.set_style(place, self.theme.faint_selection),
            Highlight::Strong => {
                // The row's own colours would be unreadable on the selection's.
                self.bare(place);
                self.buffer.set_style(place, self.theme.selection);
            }
        }
    }

    /// Takes the colours of a place away.
    pub(crate) fn bare(&mut self, place: Rect) {
        self.buffer.set_style(place, Style::reset());
        self.buffer.set_style(place, self.theme.base);
    }
}

/// A window of this size in the middle of an area, smaller where the area is.
pub(crate) fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}
