//! How the Logs screen looks.

use control::LOG_LINE_BYTES;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Pane, View, sources};
use crate::action::Action;
use crate::filter;
use crate::model::Model;
use crate::pattern::Pattern;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::screens;
use crate::state::{Devnet, Entry, Level};
use crate::symbols::Symbols;
use crate::text;
use crate::wrap;

/// Columns of the list of processes.
const SOURCES_WIDTH: u16 = 16;

/// Most columns of the name of a process before its lines.
const NAME_WIDTH: usize = 14;

/// Columns of a time with milliseconds, and of the space behind it.
const TIME_WIDTH: usize = 13;

/// Draws this screen.
pub(crate) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.logs;
    let [left, right] = halves(area);
    let left = scene.zoomed(area, left, view.pane == Pane::Sources);
    let right = scene.zoomed(area, right, view.pane == Pane::Lines);
    draw_sources(view, devnet, left, scene);
    draw_lines(view, devnet, right, scene);
}

fn halves(area: Rect) -> [Rect; 2] {
    Layout::horizontal([Constraint::Length(SOURCES_WIDTH), Constraint::Min(20)]).areas(area)
}

/// The rows that lines take, and the rows that there are for them.
pub(super) fn heights<'a>(
    model: &'a Model,
    lines: &'a [&'a Entry],
) -> (impl Fn(usize) -> usize + 'a, usize) {
    let view = &model.screens.logs;
    let area = screens::area(model);
    let [_, right] = if model.is_zoomed() { [area, area] } else { halves(area) };
    let inner = Rect {
        width: right.width.saturating_sub(2),
        height: right.height.saturating_sub(2),
        ..right
    };
    let (_, inner) = bars(view, inner);
    let layout = Columns::new(view, lines, inner.width.into());
    let rows = move |index: usize| {
        if view.wraps { layout.rows(lines[index], model.symbols()).len() } else { 1 }
    };
    (rows, usize::from(inner.height).max(1))
}

/// The rows in which something is typed, and what is below them.
fn bars(view: &View, area: Rect) -> (Rect, Rect) {
    let bars = u16::from(view.filter.is_shown()) + u16::from(view.search.is_shown());
    let [bars, below] =
        Layout::vertical([Constraint::Length(bars.min(area.height)), Constraint::Min(0)])
            .areas(area);
    (bars, below)
}

/// How the columns of a row are divided.
struct Columns {
    /// Of the name of the process; none if all lines are of the same.
    name: Option<usize>,
    /// Of what the line says.
    words: usize,
}

impl Columns {
    fn new(view: &View, lines: &[&Entry], columns: usize) -> Self {
        let names =
            lines.iter().rev().take(columns.max(200)).map(|entry| text::width(&entry.line.node));
        let name = names.max().map(|widest| widest.min(NAME_WIDTH)).filter(|_| view.node.is_none());
        let taken = TIME_WIDTH + name.map_or(0, |name| name + 1);
        Self { name, words: columns.saturating_sub(taken).max(8) }
    }

    /// What a line says, broken into rows.
    fn rows(&self, entry: &Entry, symbols: &Symbols) -> Vec<String> {
        let words = words(entry, symbols);
        wrap::shown(&words, self.words).map(ToOwned::to_owned).collect()
    }

    /// What stands before what a line says.
    fn head(&self, entry: &Entry, scene: &Scene<'_>) -> Vec<Span<'static>> {
        let time = text::clock_ms(entry.line.unix_ms, scene.zone);
        let mut spans = vec![Span::styled(format!("{time} "), scene.theme.muted)];
        if let Some(columns) = self.name {
            let name =
                text::fit(&text::visible(&entry.line.node, scene.symbols), columns, scene.symbols);
            spans.push(Span::styled(format!("{name:<columns$} "), scene.theme.accent));
        }
        spans
    }
}

/// What a line says, made visible, and whether that is not all of it.
fn words(entry: &Entry, symbols: &Symbols) -> String {
    let mut words = text::visible(entry.words(), symbols);
    if entry.line.line.len() >= LOG_LINE_BYTES && entry.line.line.ends_with('…') {
        words.push_str(" [the rest is only in its file]");
    }
    words
}

fn draw_sources(view: &View, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let focused = view.pane == Pane::Sources;
    scene.regions.add(area, Target::Logs(Pane::Sources));
    let inner = scene.pane(area, "logs of", focused);
    let sources = sources(devnet);
    let selected = sources.iter().position(|source| *source == view.node);
    scene.list(inner, sources.len(), selected, Highlight::focused(focused), |scene, row, place| {
        let source = &sources[row];
        let cursor = if selected == Some(row) { scene.symbols.cursor } else { " " };
        let name = source.as_deref().unwrap_or("all");
        scene.put(place, 0, format!("{cursor}{name}"));
        Some(Target::Source(source.clone()))
    });
}

fn draw_lines(view: &View, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let focused = view.pane == Pane::Lines;
    scene.regions.add(area, Target::Logs(Pane::Lines));
    let (lines, held) = view.lines(devnet);
    let title = match &view.node {
        Some(node) => format!("Logs {} {node}", scene.symbols.dot),
        None => format!("Logs {} all processes", scene.symbols.dot),
    };
    let inner = scene.pane(area, title, focused);
    scene.edge_note(area, false, notes(view, lines.len(), scene));
    let (bars, inner) = bars(view, inner);
    draw_bars(view, bars, scene);
    if lines.is_empty() {
        let narrowed = view.pattern.is_some() || view.level != Level::default();
        let sentence = match &view.node {
            _ if narrowed => {
                format!("no line is like this: {} drops the filter", scene.key(Action::Back))
            }
            Some(node) => {
                let key = scene.key(Action::Page);
                format!("{node} has logged nothing that is still known here: {key} opens its file")
            }
            None => "no log line yet".to_owned(),
        };
        scene.nothing_yet(inner, &sentence);
        return;
    }
    let columns = Columns::new(view, &lines, inner.width.into());
    let show = |index: usize| {
        if view.wraps {
            columns.rows(lines[index], scene.symbols)
        } else {
            vec![text::skip(&words(lines[index], scene.symbols), view.shift).to_owned()]
        }
    };
    let shown = held.window(lines.len(), inner.height.into(), show, Vec::len);
    let highlight = if view.line.is_none() { Highlight::None } else { Highlight::focused(focused) };
    let mut y = inner.y;
    for placed in shown {
        let entry = lines[placed.index];
        let is_selected = held.index(lines.len()) == Some(placed.index);
        for (row, words) in placed.block.into_iter().enumerate().skip(placed.above) {
            if y >= inner.bottom() {
                break;
            }
            let place = Rect { y, height: 1, ..inner };
            let mut spans = columns.head(entry, scene);
            if row > 0 {
                let indent = spans.iter().map(Span::width).sum();
                spans = vec![Span::raw(" ".repeat(indent))];
            }
            spans.extend(marked(words, level_style(entry, scene), view.sought.as_ref(), scene));
            scene.put(place, 0, Line::from(spans));
            scene.regions.add(place, Target::Line(entry.number));
            if is_selected {
                scene.select(place, highlight);
            }
            y += 1;
        }
    }
}

/// How many lines there are, of what level, and whether the end is followed.
fn notes(view: &View, lines: usize, scene: &Scene<'_>) -> Line<'static> {
    let mut spans = Vec::new();
    if view.level != Level::default() {
        let words = format!("{} and worse  ", view.level.word());
        spans.push(Span::styled(words, scene.theme.warn));
    }
    let lines = text::plural(lines, "line");
    spans.push(match view.line {
        None => Span::styled(format!("{lines}, following"), scene.theme.ok),
        Some(_) => Span::styled(
            format!("{lines}, {} follows", scene.key(Action::Follow)),
            scene.theme.muted,
        ),
    });
    Line::from(spans)
}

fn draw_bars(view: &View, area: Rect, scene: &mut Scene<'_>) {
    let mut rows = (area.y..area.bottom()).map(|y| Rect { y, height: 1, ..area });
    for (filter, pattern, name) in
        [(&view.filter, &view.pattern, filter::PROMPT), (&view.search, &view.sought, "search: ")]
    {
        if !filter.is_shown() {
            continue;
        }
        let Some(place) = rows.next() else { return };
        filter.draw(name, place, scene);
        if pattern.as_ref().is_some_and(Pattern::is_literal) {
            let words = "no regular expression, so taken as it stands";
            scene.put_right(place, 0, Line::styled(words, scene.theme.warn));
        }
    }
}

/// The words of a line, with what is searched made to stand out.
fn marked(
    words: String,
    style: Style,
    sought: Option<&Pattern>,
    scene: &Scene<'_>,
) -> Vec<Span<'static>> {
    let Some(sought) = sought else { return vec![Span::styled(words, style)] };
    let mut spans = Vec::new();
    let mut end = 0;
    for place in sought.places(&words) {
        spans.push(Span::styled(words[end..place.start].to_owned(), style));
        spans.push(Span::styled(words[place.clone()].to_owned(), scene.theme.selection));
        end = place.end;
    }
    spans.push(Span::styled(words[end..].to_owned(), style));
    spans
}

/// A log line for a pane that has no more columns than it needs, without its first columns.
pub(crate) fn line(
    entry: &Entry,
    name_columns: Option<usize>,
    shift: usize,
    scene: &Scene<'_>,
) -> Line<'static> {
    let mut spans = vec![Span::styled(
        format!("{} ", text::clock(entry.line.unix_ms, scene.zone)),
        scene.theme.muted,
    )];
    if let Some(columns) = name_columns {
        let name = text::fit(&entry.line.node, columns, scene.symbols);
        spans.push(Span::styled(format!("{name:<columns$} "), scene.theme.accent));
    }
    let words = text::visible(entry.words(), scene.symbols);
    spans.push(Span::styled(text::skip(&words, shift).to_owned(), level_style(entry, scene)));
    Line::from(spans)
}

fn level_style(entry: &Entry, scene: &Scene<'_>) -> Style {
    match entry.level {
        Level::Error => scene.theme.bad,
        Level::Warn => scene.theme.warn,
        Level::Info => Style::new(),
        Level::Debug | Level::Trace => scene.theme.muted,
    }
}
