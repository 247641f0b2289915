//! Logs: the lines of all processes or of one, narrowed, followed, copied.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::copy_or_say;
use crate::action::Action;
use crate::filter::Filter;
use crate::input_line::Edit;
use crate::message::Effect;
use crate::model::Model;
use crate::motion::{self, Motion};
use crate::overlay::Overlay;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Devnet, Entry};
use crate::text;

/// Columns of the list of processes.
const SOURCES_WIDTH: u16 = 16;

/// Columns that one step to the side scrolls.
const SIDE_STEP: usize = 8;

/// A pane of this screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// The processes.
    Sources,
    /// The lines.
    #[default]
    Lines,
}

/// What this screen remembers.
#[derive(Debug, Default)]
pub(crate) struct View {
    pane: Pane,
    /// The process whose lines are shown; none for all.
    node: Option<String>,
    /// The selected line; none to follow the newest.
    line: Option<u64>,
    /// Columns hidden at the left.
    shift: usize,
    /// Narrows the lines.
    pub(crate) filter: Filter,
}

impl View {
    /// Shows the lines of one process, or of all, and follows the newest.
    pub(crate) fn narrow_to(&mut self, node: Option<String>) {
        *self = Self { node, ..Self::default() };
    }

    /// Edits the filter. What was selected may not match any more.
    pub(crate) fn edit(&mut self, edit: Edit<'_>) -> bool {
        self.line = None;
        self.filter.edit(edit)
    }

    fn lines<'a>(&'a self, devnet: &'a Devnet, needle: &'a str) -> Vec<&'a Entry> {
        devnet.logs.matching(self.node.as_deref(), needle).collect()
    }
}

/// The processes that have a log, `None` standing for all of them.
fn sources(devnet: &Devnet) -> Vec<Option<String>> {
    let names = devnet.nodes.iter().map(|node| node.name().to_owned());
    [None, Some("supervisor".to_owned())].into_iter().chain(names.map(Some)).collect()
}

/// An action of this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = model.page();
    let view = &mut model.screens.logs;
    match action {
        Action::Filter => view.filter.open(),
        Action::Accept => view.filter.accept(),
        Action::LeaveInput => {
            view.filter.drop();
        }
        Action::Back => {
            if !view.filter.drop() {
                view.narrow_to(None);
            }
        }
        Action::NextPane | Action::PreviousPane => {
            view.pane = if view.pane == Pane::Lines { Pane::Sources } else { Pane::Lines };
        }
        Action::Open if view.pane == Pane::Sources => view.pane = Pane::Lines,
        Action::Open => {
            if let Some(name) = meant(model) {
                model.overlays.push(Overlay::card(name));
            }
        }
        Action::Left => view.shift = view.shift.saturating_sub(SIDE_STEP),
        Action::Right => view.shift = view.shift.saturating_add(SIDE_STEP),
        Action::Follow => follow(model),
        Action::Copy => return copy(model),
        _ => {
            if let Some(motion) = Motion::of(action, page) {
                step(model, motion);
            }
        }
    }
    Vec::new()
}

fn step(model: &mut Model, motion: Motion) {
    let Some(devnet) = model.devnet() else { return };
    let view = &model.screens.logs;
    match view.pane {
        Pane::Sources => {
            let next = motion::step(&sources(devnet), Some(&view.node), motion).flatten();
            let view = &mut model.screens.logs;
            view.node = next;
            view.line = None;
        }
        Pane::Lines => {
            let needle = view.filter.needle();
            let lines: Vec<u64> =
                view.lines(devnet, &needle).iter().map(|entry| entry.number).collect();
            model.screens.logs.line = motion::step_following(&lines, view.line.as_ref(), motion);
        }
    }
}

/// Lets go of the newest line by holding on to the one that is the newest now, or takes hold again.
fn follow(model: &mut Model) {
    let Some(devnet) = model.devnet() else { return };
    let view = &model.screens.logs;
    let newest = view.lines(devnet, &view.filter.needle()).last().map(|entry| entry.number);
    model.screens.logs.line = if view.line.is_some() { None } else { newest };
}

/// The selected line, or the newest.
fn selected(model: &Model) -> Option<&Entry> {
    let view = &model.screens.logs;
    let needle = view.filter.needle();
    let mut lines = model.devnet()?.logs.matching(view.node.as_deref(), &needle);
    match view.line {
        Some(number) => lines.find(|entry| entry.number == number),
        None => lines.next_back(),
    }
}

/// The process that wrote the selected line.
fn meant(model: &Model) -> Option<String> {
    let name = &selected(model)?.line.node;
    model.devnet()?.node(name).map(|node| node.name().to_owned())
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let text = selected(model).map(|entry| format!("{} {}", entry.line.node, entry.line.line));
    copy_or_say(model, text, "the line", "there is no line to copy")
}

/// Something of this screen was pointed at.
pub(super) fn point(model: &mut Model, target: Target) {
    let view = &mut model.screens.logs;
    match target {
        Target::Source(node) => {
            view.pane = Pane::Sources;
            view.node = node;
            view.line = None;
        }
        Target::Line(number) => {
            view.pane = Pane::Lines;
            view.line = Some(number);
        }
        Target::Logs(pane) => view.pane = pane,
        _ => {}
    }
}

/// Draws this screen.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.logs;
    let layout = Layout::horizontal([Constraint::Length(SOURCES_WIDTH), Constraint::Min(20)]);
    let [left, right] = scene.panes(&layout, area, usize::from(view.pane == Pane::Lines));
    draw_sources(view, devnet, left, scene);
    draw_lines(view, devnet, right, scene);
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
    let needle = view.filter.needle();
    let lines = view.lines(devnet, &needle);
    let title = match &view.node {
        Some(node) => format!("Logs {} {node}", scene.symbols.dot),
        None => format!("Logs {} all processes", scene.symbols.dot),
    };
    let mut inner = scene.pane(area, title, focused);
    let following = view.line.is_none();
    let note = if following {
        Span::styled(format!("{} lines, following", lines.len()), scene.theme.ok)
    } else {
        Span::styled(
            format!("{} lines, {} follows", lines.len(), scene.key(Action::Follow)),
            scene.theme.muted,
        )
    };
    scene.edge_note(area, false, note);
    if view.filter.is_edited() || !view.filter.is_empty() {
        draw_filter(&view.filter, Rect { height: inner.height.min(1), ..inner }, scene);
        inner =
            Rect { y: inner.y.saturating_add(1), height: inner.height.saturating_sub(1), ..inner };
    }
    if lines.is_empty() {
        let sentence = if needle.is_empty() { "no log line yet" } else { "no line contains this" };
        scene.nothing_yet(inner, sentence);
        return;
    }
    let row = match view.line {
        None => lines.len() - 1,
        Some(number) => lines.iter().position(|entry| entry.number >= number).unwrap_or(0),
    };
    let shift = view.shift;
    let height = usize::from(inner.height);
    let first = motion::first_visible(row, lines.len(), height);
    let widest = lines[first..(first + height).min(lines.len())]
        .iter()
        .map(|entry| text::width(&entry.line.node))
        .max()
        .filter(|_| view.node.is_none());
    let highlight = if following { Highlight::None } else { Highlight::focused(focused) };
    scene.list(inner, lines.len(), Some(row), highlight, |scene, row, place| {
        scene.put(place, 0, line(lines[row], widest, shift, scene));
        Some(Target::Line(lines[row].number))
    });
}

/// The line in which a filter is typed, or shown.
pub(crate) fn draw_filter(filter: &Filter, area: Rect, scene: &mut Scene<'_>) {
    let text = text::visible(filter.input().value(), scene.symbols);
    let line = Line::from(vec![Span::styled("/", scene.theme.accent), Span::raw(text)]);
    scene.put(area, 0, line);
    let cursor = u16::try_from(filter.input().visual_cursor() + 1).unwrap_or(u16::MAX);
    if filter.is_edited() && cursor < area.width {
        scene.cursor = Some((area.x + cursor, area.y).into());
    }
}

/// A log line, with the name of its process in so many columns if it is to be named, and without
/// its first columns.
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
    let words = text::visible(without_time(&entry.line.line), scene.symbols);
    let style = level_style(&words, scene);
    spans.push(Span::styled(text::skip(&words, shift).to_owned(), style));
    Line::from(spans)
}

/// The line without a time at its start: every row shows when it was read, and the file has both.
fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, rest)) if time.parse::<jiff::Timestamp>().is_ok() => rest.trim_start(),
        _ => line,
    }
}

/// The style of a line by the level that stands in it, as `tracing` writes it.
fn level_style(line: &str, scene: &Scene<'_>) -> Style {
    let level = line.split_whitespace().take(2).find_map(|word| match word {
        "ERROR" => Some(scene.theme.bad),
        "WARN" => Some(scene.theme.warn),
        "DEBUG" | "TRACE" => Some(scene.theme.muted),
        "INFO" => Some(Style::new()),
        _ => None,
    });
    level.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_before_the_line_is_shown_once() {
        assert_eq!(without_time("2026-11-21T09:34:50.068767Z  INFO up"), "INFO up");
        assert_eq!(without_time("2026 was a good year"), "2026 was a good year");
        assert_eq!(without_time("INFO up"), "INFO up");
    }
}
