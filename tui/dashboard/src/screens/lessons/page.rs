//! A lesson that is being gone through: what it says, to be read like a page, and what comes next below.

use lessons::Show;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{panel, side};
use crate::model::Model;
use crate::motion::Motion;
use crate::scene::Scene;
use crate::screens;
use crate::state::Mark;
use crate::state::lessons::Running;
use crate::symbols::Symbols;
use crate::text;
use crate::theme::Theme;

/// The columns of a screen that can be read in a line with ease.
const MOST_COLUMNS: u16 = 100;

/// Rows and columns of a frame, with the space inside.
const FRAME_ROWS: u16 = 2;
const FRAME_COLUMNS: u16 = 4;

/// What stands before commands.
const INDENT: &str = "    ";

/// A row of the page.
struct Row {
    line: Line<'static>,
    fresh: bool,
}

/// Draws the page and what comes next.
pub(super) fn draw(model: &Model, running: &Running, area: Rect, scene: &mut Scene<'_>) {
    let (area, beside) = side::split(area);
    if let Some(beside) = beside {
        side::draw(running, beside, scene);
    }
    let [page, next] = split(model, running, area);
    let lesson = running.play().lesson();
    let (step, of) = running.play().place();
    let title = format!("Lesson {} {} {}", lesson.number, scene.symbols.dot, lesson.title);
    let inner = scene.pane(page, title, true);
    let note = format!("step {step} of {of}");
    scene.edge_note(page, false, Line::styled(note, scene.theme.muted));
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let rows = rows(running, columns(page), scene.symbols, scene.theme);
    let height = usize::from(inner.height);
    let top = top(&rows, height, model.screens.lessons.scroll(running));
    for (at, row) in (0..inner.height).zip(rows.iter().skip(top)) {
        scene.put(inner, at, row.line.clone());
    }
    let below = rows.len().saturating_sub(top + height);
    let dot = scene.symbols.dot;
    let note = match (top, below) {
        (0, 0) => String::new(),
        (above, 0) => format!("{} above", text::plural(above, "row")),
        (0, below) => format!("{} below", text::plural(below, "row")),
        (above, below) => format!("{} above {dot} {below} below", text::plural(above, "row")),
    };
    if !note.is_empty() {
        let style = if below > 0 { scene.theme.warn } else { scene.theme.muted };
        scene.edge_note(page, true, Line::styled(note, style));
    }
    panel::draw(model, running, next, scene);
}

/// Where the page is, and what comes next.
fn split(model: &Model, running: &Running, area: Rect) -> [Rect; 2] {
    let wanted = panel::rows(model, running).saturating_add(FRAME_ROWS);
    let next = wanted.min(area.height / 2);
    Layout::vertical([Constraint::Min(0), Constraint::Length(next)]).areas(area)
}

fn columns(page: Rect) -> usize {
    page.width.saturating_sub(FRAME_COLUMNS).clamp(1, MOST_COLUMNS).into()
}

/// Rows of the page that can be seen at once.
pub(super) fn height(model: &Model) -> usize {
    let (area, _) = side::split(screens::area(model));
    model.lessons.running.as_ref().map_or(1, |running| {
        let [page, _] = split(model, running, area);
        page.height.saturating_sub(FRAME_ROWS).max(1).into()
    })
}

/// All rows of the page, and the first that is seen unless somebody scrolls.
fn laid_out(model: &Model) -> Option<(Vec<Row>, usize)> {
    let running = model.lessons.running.as_ref()?;
    let (area, _) = side::split(screens::area(model));
    let [page, _] = split(model, running, area);
    let rows = rows(running, columns(page), model.symbols(), model.theme());
    Some((rows, page.height.saturating_sub(FRAME_ROWS).into()))
}

/// Whether there is something below what is seen.
pub(super) fn is_below(model: &Model) -> bool {
    let (Some((rows, height)), Some(running)) = (laid_out(model), &model.lessons.running) else {
        return false;
    };
    top(&rows, height, model.screens.lessons.scroll(running)) + height < rows.len()
}

/// How far it is scrolled after this motion.
pub(super) fn scrolled(model: &Model, motion: Motion) -> isize {
    let (Some((rows, height)), Some(running)) = (laid_out(model), &model.lessons.running) else {
        return 0;
    };
    let natural = top(&rows, height, 0);
    let now = top(&rows, height, model.screens.lessons.scroll(running));
    let then = motion.from(now, rows.len().saturating_sub(height) + 1);
    let signed = |row: usize| isize::try_from(row).unwrap_or(isize::MAX);
    signed(then) - signed(natural)
}

/// The first row that is seen: all that is fresh if it has room, else its beginning.
fn top(rows: &[Row], height: usize, scrolled: isize) -> usize {
    let last = rows.len().saturating_sub(height);
    let fresh = rows.iter().position(|row| row.fresh).unwrap_or(last);
    last.min(fresh).saturating_add_signed(scrolled).min(last)
}

fn rows(running: &Running, columns: usize, symbols: &Symbols, theme: &Theme) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut task: &[String] = &[];
    for (show, fresh) in running.said() {
        let mut said = Said { lines: Vec::new(), columns, symbols, theme, task };
        if let Show::Task { commands, .. } = show {
            task = commands;
        }
        said.show(show);
        if said.lines.is_empty() {
            continue;
        }
        if !rows.is_empty() {
            // The gap belongs to what was before it, so that what is fresh begins at the top.
            let fresh = rows.last().is_some_and(|row| row.fresh);
            rows.push(Row { line: Line::default(), fresh });
        }
        let muted = theme.muted;
        rows.extend(said.lines.into_iter().map(|line| {
            let line = if fresh { line } else { Line::styled(line.to_string(), muted) };
            Row { line, fresh }
        }));
    }
    rows
}

/// Text of a lesson with nothing in it that a terminal cannot show.
pub(super) fn readable(text: &str, scene: &Scene<'_>) -> String {
    shown(text, scene.symbols)
}

fn shown(text: &str, symbols: &Symbols) -> String {
    if symbols.unicode {
        return text::visible(text, symbols);
    }
    text::visible(&text.replace('…', "...").replace('×', "x").replace('→', "->"), symbols)
}

/// What a lesson said, in lines.
struct Said<'a> {
    lines: Vec<Line<'static>>,
    columns: usize,
    symbols: &'a Symbols,
    theme: &'a Theme,
    /// The commands that were named last.
    task: &'a [String],
}

impl Said<'_> {
    fn show(&mut self, show: &Show) {
        let (symbols, theme) = (self.symbols, self.theme);
        let plain = Style::new();
        match show {
            Show::Title { about, .. } => self.paragraphs(None, about, plain),
            Show::Text { text, .. } => self.paragraphs(None, text, plain),
            Show::Question { text, choices, .. } => {
                self.paragraphs(Some(("?", theme.accent)), text, plain);
                for (number, choice) in (1..).zip(choices) {
                    self.indented(&format!("{number}  "), theme.accent, choice, plain);
                }
            }
            Show::Judged { said, right, answer, because } => {
                let (mark, words, style) = if *right {
                    (symbols.message[2], format!("Right: {answer}."), theme.ok)
                } else {
                    (symbols.message[4], format!("Not {said}: it is {answer}."), theme.warn)
                };
                self.paragraphs(Some((mark, style)), &words, style);
                self.paragraphs(Some(("", plain)), because, plain);
            }
            Show::Unclear { expected } => {
                let words = format!("That is no answer; expected {expected}.");
                self.paragraphs(Some(("!", theme.warn)), &words, theme.warn);
            }
            Show::Task { text, commands } => {
                self.paragraphs(Some((symbols.cursor, theme.accent)), text, plain);
                self.commands(commands);
            }
            Show::Doing { commands, restores } => {
                let (words, names_them) = Show::doing(commands, *restores, self.task);
                self.paragraphs(Some((symbols.cursor, theme.muted)), words, theme.muted);
                if names_them {
                    self.commands(commands);
                }
            }
            Show::Waiting { text, .. } => {
                self.paragraphs(Some((symbols.message[0], theme.warn)), text, plain);
            }
            Show::Reached { took_s } => {
                let words = format!("There it is, after {took_s:.1} s.");
                self.paragraphs(Some((symbols.message[2], theme.ok)), &words, theme.ok);
            }
            Show::Clearing { messages, limit_s } => {
                let words = Show::clearing(*messages, *limit_s);
                self.paragraphs(Some((symbols.message[0], theme.muted)), &words, theme.muted);
            }
            Show::Late { what } => {
                let words = format!("Not yet: {what}");
                self.paragraphs(Some((symbols.mark(Mark::Late), theme.warn)), &words, theme.warn);
            }
            Show::Hint { text } => {
                let words = text.as_deref().unwrap_or("There is no hint for this.");
                self.paragraphs(Some(("i", theme.accent)), words, plain);
            }
            Show::Failed { why } => {
                self.paragraphs(Some((symbols.message[4], theme.bad)), why, theme.bad);
            }
            Show::Meanwhile { .. } => {}
        }
    }

    /// Paragraphs with a row between them, and a mark before the first. What has a mark, even an empty one,
    /// stands to the right of marks.
    fn paragraphs(&mut self, mark: Option<(&str, Style)>, words: &str, style: Style) {
        let head = if mark.is_some() { "  " } else { "" };
        for (number, paragraph) in words.split("\n\n").enumerate() {
            if number > 0 {
                self.lines.push(Line::default());
            }
            let words = shown(paragraph, self.symbols);
            let room = self.columns.saturating_sub(head.len()).max(1);
            for (row, line) in text::wrap(&words, room).into_iter().enumerate() {
                let head = match mark {
                    Some((mark, style)) if (number, row) == (0, 0) => {
                        let gap = 2_usize.saturating_sub(text::width(mark));
                        Span::styled(format!("{mark}{}", " ".repeat(gap)), style)
                    }
                    _ => Span::raw(head.to_owned()),
                };
                self.lines.push(Line::from(vec![head, Span::styled(line, style)]));
            }
        }
    }

    fn commands(&mut self, commands: &[String]) {
        for command in commands {
            self.indented("$ ", self.theme.muted, command, self.theme.ok);
        }
    }

    /// Rows behind a mark, further in.
    fn indented(&mut self, mark: &str, of_mark: Style, words: &str, style: Style) {
        let words = shown(words, self.symbols);
        let room = self.columns.saturating_sub(INDENT.len() + mark.len()).max(1);
        for (row, line) in text::wrap(&words, room).into_iter().enumerate() {
            let mark = if row == 0 { mark.to_owned() } else { " ".repeat(mark.len()) };
            self.lines.push(Line::from(vec![
                Span::raw(INDENT),
                Span::styled(mark, of_mark),
                Span::styled(line, style),
            ]));
        }
    }
}
