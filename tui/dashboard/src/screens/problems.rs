//! Problems: what is wrong now, why, and what to do; and what was wrong a while ago.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::copy_or_say;
use crate::action::Action;
use crate::explain::Topic;
use crate::message::Effect;
use crate::model::{Model, Tone};
use crate::motion::{self, Motion};
use crate::overlay::Overlay;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::{Devnet, Finding, Mark, Problem, ProblemId, Problems, Severity};
use crate::symbols::Symbols;
use crate::text;
use crate::theme::Theme;

/// From this width on the details stand beside the list, below otherwise.
const BESIDE: u16 = 110;

/// Columns of the details beside the list.
const DETAILS_WIDTH: u16 = 52;

/// Rows of the details below the list.
const DETAILS_HEIGHT: u16 = 10;

/// Columns of what a problem is about, and of how long it lasts.
const ABOUT_WIDTH: usize = 14;
const AGE_WIDTH: usize = 8;

/// What this screen remembers.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// The selected problem; none for the first.
    selected: Option<ProblemId>,
}

/// A row of the list.
enum Row<'a> {
    /// What the following have in common, and how many they are.
    Group(&'a Finding, usize),
    Item(&'a Problem),
    /// Those that follow are over.
    Past(usize),
}

/// An action on this screen.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = model.page();
    match action {
        Action::Open => match selected(model).map(node_of) {
            Some(Some(name)) => model.overlays.push(Overlay::card(name)),
            Some(None) => model.say(Tone::Warning, "it is about no single node"),
            None => model.say(Tone::Warning, "nothing is wrong"),
        },
        Action::Copy => {
            let command = selected(model).and_then(|problem| problem.finding.command.as_deref());
            let command = command.map(|command| model.command(command));
            return copy_or_say(model, command, "the command", "there is no command for that");
        }
        _ => {
            if let Some(motion) = Motion::of(action, page) {
                step(model, motion);
            }
        }
    }
    Vec::new()
}

/// A problem was pointed at.
pub(super) fn point(model: &mut Model, target: Target) {
    if let Target::Problem(id) = target {
        choose(model, id);
    }
}

fn step(model: &mut Model, motion: Motion) {
    let Some(devnet) = model.devnet() else { return };
    let ids: Vec<ProblemId> = all(&devnet.problems).map(Problem::id).collect();
    let current = selected(model).map(Problem::id);
    if let Some(id) = motion::step(&ids, current.as_ref(), motion) {
        choose(model, id);
    }
}

/// Selects a problem, and with it the node that it is about: keys act on that.
fn choose(model: &mut Model, id: ProblemId) {
    model.screens.problems.selected = Some(id);
    let known = |name: &String| model.devnet().is_some_and(|devnet| devnet.node(name).is_some());
    if let Some(name) = selected(model).and_then(node_of).filter(known) {
        model.selected = Some(name);
    }
}

fn all(problems: &Problems) -> impl Iterator<Item = &Problem> {
    problems.open().iter().chain(problems.past())
}

/// What the selected problem is.
pub(crate) fn topic(model: &Model) -> Option<Topic> {
    selected(model).map(|problem| Topic::Lint(problem.finding.lint))
}

/// The selected problem. One that has been forgotten gives its place to the first.
fn selected(model: &Model) -> Option<&Problem> {
    let problems = &model.devnet()?.problems;
    let chosen = model.screens.problems.selected.as_ref();
    let is_it = |problem: &&Problem| chosen == Some(&problem.id());
    let is_again = |problem: &&Problem| chosen.is_some_and(|chosen| problem.is_again(chosen));
    let found = all(problems).find(is_it).or_else(|| all(problems).find(is_again));
    found.or_else(|| all(problems).next())
}

/// The process that the selected problem is about, which is the one that keys act on.
pub(super) fn meant(model: &Model) -> Option<String> {
    let name = selected(model).and_then(node_of)?;
    model.devnet()?.node(&name).map(|node| node.name().to_owned())
}

/// The node that it is about, by what processes are called: everything else is said in words.
fn node_of(problem: &Problem) -> Option<String> {
    problem.finding.node().map(str::to_owned)
}

/// What a severity looks like.
pub(crate) fn look(severity: Severity, theme: &Theme, symbols: &Symbols) -> (Style, &'static str) {
    let (style, mark) = match severity {
        Severity::Bad => (theme.bad, Mark::Failed),
        Severity::Warning => (theme.warn, Mark::Late),
        Severity::Note => (theme.muted, Mark::Stopped),
    };
    (style, symbols.mark(mark))
}

fn rows(problems: &Problems) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut before: Option<&Finding> = None;
    for problem in problems.open() {
        let finding = &problem.finding;
        let is_alike = |of: &Finding| (of.severity, of.lint) == (finding.severity, finding.lint);
        if !before.is_some_and(is_alike) {
            rows.push(Row::Group(finding, problems.alike(finding)));
        }
        rows.push(Row::Item(problem));
        before = Some(finding);
    }
    let past = problems.past();
    if past.len() > 0 {
        rows.push(Row::Past(past.len()));
        rows.extend(problems.past().map(Row::Item));
    }
    rows
}

/// Draws this screen.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let [list, details] = if area.width >= BESIDE {
        let sizes = [Constraint::Min(0), Constraint::Length(DETAILS_WIDTH)];
        scene.panes(&Layout::horizontal(sizes), area, 0)
    } else {
        let sizes = [Constraint::Min(3), Constraint::Length(DETAILS_HEIGHT.min(area.height / 2))];
        scene.panes(&Layout::vertical(sizes), area, 0)
    };
    draw_list(model, &devnet.problems, list, scene);
    draw_details(model, details, scene);
}

fn draw_list(model: &Model, problems: &Problems, area: Rect, scene: &mut Scene<'_>) {
    let inner = scene.pane(area, "Problems", true);
    if problems.open().is_empty() {
        let note = Line::styled("nothing is wrong", scene.theme.ok);
        scene.edge_note(area, false, note);
    }
    let rows = rows(problems);
    if rows.is_empty() {
        let waits = "nothing is wrong; what is found stands here, with what can be done";
        return scene.nothing_yet(inner, waits);
    }
    let selected = selected(model).map(Problem::id);
    let row = rows.iter().position(|row| match row {
        Row::Item(problem) => Some(problem.id()) == selected,
        _ => false,
    });
    scene.list(inner, rows.len(), row, Highlight::Strong, |scene, row, place| match &rows[row] {
        Row::Group(finding, count) => {
            let (style, glyph) = look(finding.severity, scene.theme, scene.symbols);
            let words = finding.lint.headline(*count);
            let line = Line::from(vec![
                Span::styled(format!("{glyph} {:<8}", finding.severity.word()), style),
                Span::styled(words, Style::new().add_modifier(Modifier::BOLD)),
            ]);
            scene.put(place, 0, line);
            None
        }
        Row::Past(count) => {
            let glyph = scene.symbols.mark(Mark::Ready);
            let words = format!("{glyph} over    {count} in the last 15 min");
            scene.put(place, 0, Line::styled(words, scene.theme.ok));
            None
        }
        Row::Item(problem) => {
            let line = item(problem, scene);
            scene.put(place, 0, line);
            Some(Target::Problem(problem.id()))
        }
    });
}

fn item(problem: &Problem, scene: &Scene<'_>) -> Line<'static> {
    let Problem { finding, since_unix_ms, ended_unix_ms, times, .. } = problem;
    let about = text::visible(&finding.about, scene.symbols);
    let about = text::fit(&about, ABOUT_WIDTH, scene.symbols);
    let gap = " ".repeat(ABOUT_WIDTH.saturating_sub(text::width(&about)));
    let age = text::age(scene.now.since_unix_ms(ended_unix_ms.unwrap_or(*since_unix_ms)));
    let words = match ended_unix_ms {
        None => text::visible(&finding.why, scene.symbols),
        Some(ended) => {
            let lasted = ended.saturating_sub(*since_unix_ms);
            let lasted = text::age(std::time::Duration::from_millis(lasted));
            let often = match times {
                1 => "lasted".to_owned(),
                times => format!("{times} times, the last for"),
            };
            format!("ago; {often} {lasted}: {}", finding.lint.headline(1))
        }
    };
    let style = if ended_unix_ms.is_some() { scene.theme.muted } else { Style::new() };
    Line::from(vec![
        Span::styled(format!("  {about}{gap} "), scene.theme.accent),
        Span::styled(format!("{age:>AGE_WIDTH$}  "), scene.theme.muted),
        Span::styled(words, style),
    ])
}

fn draw_details(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let Some(problem) = selected(model) else {
        let inner = scene.pane(area, "Why, and what to do", false);
        return scene.nothing_yet(inner, "nothing to explain");
    };
    let finding = &problem.finding;
    let inner = scene.pane(area, "Why, and what to do", false);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let (style, glyph) = look(finding.severity, scene.theme, scene.symbols);
    let mut row = 0;
    let about = text::visible(&finding.about, scene.symbols);
    let head = Line::from(vec![
        Span::styled(format!("{glyph} {} ", finding.severity.word()), style),
        Span::styled(about, scene.theme.accent),
    ]);
    scene.put(inner, row, head);
    row += 1;
    let since = text::clock(problem.since_unix_ms, scene.zone);
    let until = problem.ended_unix_ms.map(|ended| text::clock(ended, scene.zone));
    let when = if let Some(until) = until {
        match problem.times {
            1 => format!("from {since} to {until}; it is over"),
            times => format!("{times} times, last from {since} to {until}; it is over"),
        }
    } else {
        let lasts = text::age(scene.now.since_unix_ms(problem.since_unix_ms));
        format!("since {since}, for {lasts}")
    };
    scene.put(inner, row, Line::styled(when, scene.theme.muted));
    row += 1;
    // The command is the last thing to give way: it is what one came for.
    // What is over needs nothing done, and its command could do harm now.
    let is_open = problem.ended_unix_ms.is_none();
    let command = finding.command.as_deref().filter(|_| is_open);
    let command = command.map(|command| model.command(command));
    let bottom = inner.height.saturating_sub(u16::from(command.is_some()));
    let parts = [("why ", &finding.why), ("do  ", &finding.advice)];
    for (title, words) in parts.into_iter().take(if is_open { 2 } else { 1 }) {
        let words = text::visible(words, scene.symbols);
        let columns = usize::from(inner.width).saturating_sub(title.len());
        for (index, line) in text::wrap(&words, columns).into_iter().enumerate() {
            if row >= bottom {
                break;
            }
            let title = if index == 0 { title } else { "    " };
            let line = Line::from(vec![
                Span::styled(title.to_owned(), scene.theme.accent),
                Span::raw(line),
            ]);
            scene.put(inner, row, line);
            row += 1;
        }
    }
    if let Some(command) = command {
        let line = Line::from(vec![
            Span::styled("    $ ", scene.theme.muted),
            Span::styled(text::visible(&command, scene.symbols), scene.theme.ok),
        ]);
        scene.put(inner, row.min(inner.height.saturating_sub(1)), line);
    }
}
