//! The lessons in a list, and what the selected one is about, what it needs, and whether it can begin.

use std::sync::Arc;

use lessons::{Action as Change, Lesson, Needs, Step};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Devnet, Mark};
use crate::text;

/// From this width on what the selected lesson is about stands beside the list, below otherwise.
const BESIDE: u16 = 116;

/// Columns of the list where something stands beside it.
const LIST_WIDTH: u16 = 66;

/// Columns of a title, and of how far one has come.
const TITLE: usize = 22;
const STANDING: usize = 14;

/// Columns of the labels beside the list.
const LABEL: u16 = 8;

/// Columns that can be read in a line with ease.
const MOST_COLUMNS: u16 = 100;

/// Whether a devnet is one for a lesson.
enum Fit {
    /// It is so already.
    AsItIs,
    /// It is, after these changes.
    After(Vec<Change>),
    /// It is not, and why.
    Not(String),
}

impl Fit {
    fn of(lesson: &Lesson, devnet: &Devnet) -> Self {
        let nodes = devnet.nodes.iter().map(|node| &node.status);
        match lesson.network.fit(&devnet.info, nodes) {
            Ok(changes) if changes.is_empty() => Self::AsItIs,
            Ok(changes) => Self::After(changes),
            Err(unfit) => Self::Not(unfit.why),
        }
    }

    /// In a word or two, with a glyph.
    fn look(&self, scene: &Scene<'_>) -> (&'static str, String, Style) {
        let (symbols, theme) = (scene.symbols, scene.theme);
        match self {
            Self::AsItIs => (symbols.mark(Mark::Ready), "as it is".into(), theme.ok),
            Self::After(changes) => {
                (symbols.mark(Mark::BackingOff), text::plural(changes.len(), "change"), theme.warn)
            }
            Self::Not(_) => (symbols.mark(Mark::Failed), "not here".into(), theme.bad),
        }
    }
}

/// Draws the list and what stands beside it.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let all = lessons::builtin();
    let rows = u16::try_from(all.len()).unwrap_or(u16::MAX).saturating_add(3);
    let [list, details] = if area.width >= BESIDE {
        Layout::horizontal([Constraint::Length(LIST_WIDTH), Constraint::Min(0)]).areas(area)
    } else {
        // What the selected one is about has room even where the list has to scroll for it.
        let most = area.height.saturating_sub(5).max(area.height / 2);
        let sizes = [Constraint::Length(rows.min(most)), Constraint::Min(0)];
        Layout::vertical(sizes).areas(area)
    };
    draw_list(model, devnet, list, scene);
    draw_details(model, devnet, details, scene);
}

fn draw_list(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let all = lessons::builtin();
    let inner = scene.pane(area, "Lessons", true);
    let done = |lesson: &&Lesson| model.lessons.progress.of(&lesson.slug).finished > 0;
    let done = all.iter().filter(done).count();
    let note = format!("{done} of {} done", all.len());
    scene.edge_note(area, false, Line::styled(note, scene.theme.muted));
    let head =
        format!("  N  {:<TITLE$}  {:>5}  {:<STANDING$}  {}", "LESSON", "TIME", "YOU", "NETWORK");
    scene.put(inner, 0, Line::styled(head, scene.theme.muted));
    let rows = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let chosen = super::selected(model).map(|lesson| lesson.number);
    let row = all.iter().position(|lesson| Some(lesson.number) == chosen);
    scene.list(rows, all.len(), row, Highlight::Strong, |scene, row, place| {
        let lesson = &all[row];
        let line = item(model, devnet, lesson, scene);
        scene.put(place, 0, line);
        Some(Target::Lesson(lesson.number))
    });
}

fn item(model: &Model, devnet: &Devnet, lesson: &Lesson, scene: &Scene<'_>) -> Line<'static> {
    let (standing, style) = standing(model, lesson, scene);
    let (mark, words, fit) = Fit::of(lesson, devnet).look(scene);
    let title = text::fit(&text::visible(&lesson.title, scene.symbols), TITLE, scene.symbols);
    Line::from(vec![
        Span::styled(format!("{:>3}  ", lesson.number), scene.theme.accent),
        Span::raw(format!("{title:<TITLE$}  ")),
        Span::styled(format!("{:>5}  ", format!("{} min", lesson.minutes)), scene.theme.muted),
        Span::styled(format!("{standing:<STANDING$}  "), style),
        Span::styled(format!("{mark} {words}"), fit),
    ])
}

/// How far somebody has come with it, with a glyph.
fn standing(model: &Model, lesson: &Lesson, scene: &Scene<'_>) -> (String, Style) {
    let standing = model.lessons.progress.of(&lesson.slug);
    let (symbols, theme) = (scene.symbols, scene.theme);
    match (standing.begun, standing.finished) {
        (0, 0) => (format!("{} new", symbols.mark(Mark::Stopped)), theme.muted),
        (_, 0) => (format!("{} begun", symbols.mark(Mark::Late)), theme.warn),
        _ if standing.asked == 0 => (format!("{} done", symbols.message[2]), theme.ok),
        _ => {
            let words =
                format!("{} done, {} of {}", symbols.message[2], standing.right, standing.asked);
            (words, theme.ok)
        }
    }
}

fn draw_details(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let Some(lesson) = super::selected(model) else { return };
    let title = format!("{} {} {}", lesson.number, scene.symbols.dot, lesson.title);
    let inner = scene.pane(area, title, false);
    let inner = Rect {
        x: inner.x.saturating_add(1),
        width: inner.width.saturating_sub(2).min(MOST_COLUMNS),
        ..inner
    };
    let fit = Fit::of(lesson, devnet);
    let mut lines: Vec<Line<'_>> = Vec::new();
    let plain = |words: &str, scene: &Scene<'_>| -> Vec<Line<'static>> {
        wrapped(words, inner, scene).into_iter().map(Line::from).collect()
    };
    lines.extend(plain(&lesson.about.filled(&Arc::default()), scene));
    lines.push(Line::default());
    lines.extend(labelled("needs", "", Style::new(), &needs(&lesson.network), inner, scene));
    let (mark, _, style) = fit.look(scene);
    lines.extend(labelled("here", mark, style, &here(&fit), inner, scene));
    if let Fit::After(changes) = &fit {
        let commands = changes.iter().map(|change| {
            let command = text::visible(&command(model, change), scene.symbols);
            Line::from(vec![
                Span::styled("          $ ", scene.theme.muted),
                Span::styled(command, scene.theme.ok),
            ])
        });
        lines.extend(commands);
        let words = "          and in the end what it was before";
        lines.push(Line::styled(words, scene.theme.muted));
    }
    let (yours, style) = standing(model, lesson, scene);
    let head = Span::styled("you     ", scene.theme.muted);
    lines.push(Line::from(vec![head, Span::styled(yours, style)]));
    lines.push(Line::default());
    // Whether it can begin is said even where all the rest has no room.
    let way_on = way_on(model, lesson, &fit, inner, scene);
    let room = inner.height.saturating_sub(u16::try_from(way_on.len()).unwrap_or(u16::MAX));
    lines.truncate(room.into());
    lines.extend(way_on);
    if let Some(first) = first_text(lesson) {
        lines.push(Line::default());
        for paragraph in first.split("\n\n") {
            lines.push(Line::default());
            lines.extend(
                plain(paragraph, scene).into_iter().map(|line| line.style(scene.theme.muted)),
            );
        }
    }
    for (row, line) in (0..inner.height).zip(lines) {
        scene.put(inner, row, line);
    }
    if !matches!(fit, Fit::Not(_)) && model.allows(Action::BeginLesson) {
        let standing = model.lessons.progress.of(&lesson.slug);
        let words = match (standing.begun, standing.finished) {
            (0, _) => "begins it",
            (_, 0) => "begins it anew",
            _ => "goes through it once more",
        };
        let key = Span::styled(scene.key(Action::BeginLesson), scene.theme.accent);
        scene.edge_note(area, true, Line::from(vec![key, Span::raw(format!(" {words}"))]));
        let edge = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
        scene.regions.add(edge, Target::Action(Action::BeginLesson));
    }
}

/// The first text of a lesson as it would be in the network that it needs; none if something in it has to be
/// measured first.
fn first_text(lesson: &Lesson) -> Option<String> {
    let Some(Step::Say(text)) = lesson.steps.first() else { return None };
    let known = lesson.network.known();
    let is_known = text.expressions().all(|expression| expression.value(&known).is_ok());
    is_known.then(|| text.filled(&known))
}

/// Words behind a label and a glyph.
fn labelled(
    label: &str,
    mark: &str,
    style: Style,
    words: &str,
    area: Rect,
    scene: &Scene<'_>,
) -> Vec<Line<'static>> {
    let gap = if mark.is_empty() { 0 } else { 2 };
    let narrower = Rect { width: area.width.saturating_sub(LABEL + gap), ..area };
    let rows = wrapped(words, narrower, scene).into_iter().enumerate();
    let lines = rows.map(|(row, line)| {
        let (label, mark) = if row == 0 { (label, mark) } else { ("", "") };
        let width = (usize::from(LABEL), usize::from(gap));
        Line::from(vec![
            Span::styled(format!("{label:<0$}", width.0), scene.theme.muted),
            Span::styled(format!("{mark:<0$}{line}", width.1), style),
        ])
    });
    lines.collect()
}

fn wrapped(words: &str, area: Rect, scene: &Scene<'_>) -> Vec<String> {
    text::wrap(&super::page::readable(words, scene), area.width.max(1).into())
}

/// Why no key begins it, and what else does.
fn way_on(
    model: &Model,
    lesson: &Lesson,
    fit: &Fit,
    area: Rect,
    scene: &Scene<'_>,
) -> Vec<Line<'static>> {
    if let Some(why) = model.refusal(Action::BeginLesson) {
        let words = format!("It cannot be begun here: {why}.");
        let lines = wrapped(&words, area, scene).into_iter();
        return lines.map(|line| Line::styled(line, scene.theme.warn)).collect();
    }
    if matches!(fit, Fit::Not(_)) {
        let command = format!("nym-devnet --name own lesson run {}", lesson.slug);
        return vec![
            Line::styled("In another terminal, with a devnet of its own:", scene.theme.muted),
            Line::from(vec![
                Span::styled("$ ", scene.theme.muted),
                Span::styled(command, scene.theme.ok),
            ]),
        ];
    }
    Vec::new()
}

/// The network that it needs, in words.
fn needs(needs: &Needs) -> String {
    let acks = match needs.acks {
        None => "",
        Some(true) => ", acknowledgements",
        Some(false) => ", no acknowledgements",
    };
    format!(
        "{} in each of {} layers, a crowd of {}; hop delay {}, send slot {}, loop cover {}{acks}",
        text::plural(needs.width, "mixnode"),
        needs.layers,
        needs.crowd,
        text::millis(needs.hop.ms()),
        text::millis(needs.slot.ms()),
        text::millis(needs.cover.ms()),
    )
}

fn here(fit: &Fit) -> String {
    match fit {
        Fit::AsItIs => "the network is so already".into(),
        Fit::After(changes) if changes.len() == 1 => "it is made so by a change:".into(),
        Fit::After(_) => "it is made so by some changes:".into(),
        Fit::Not(why) => format!("this devnet cannot be made so: {why}"),
    }
}

fn command(model: &Model, change: &Change) -> String {
    let name = model.live.as_ref().map(|live| live.info.name.as_str());
    change.command(name.filter(|name| *name != "default"))
}
