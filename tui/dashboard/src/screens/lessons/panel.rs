//! What comes next in a lesson: the key that goes on, the line for an answer, what is to be done, or what is
//! waited for with its facts as they are now.

use lessons::Condition;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::page;
use crate::action::Action;
use crate::connection::Connection;
use crate::lesson;
use crate::model::Model;
use crate::regions::Target;
use crate::scene::Scene;
use crate::state::Mark;
use crate::state::lessons::{Running, Stage};
use crate::text;

/// Rows inside, at least: what is below the text does not jump with every step.
const LEAST: u16 = 2;

/// Commands that are listed; the others stand in the text.
const MAX_COMMANDS: usize = 4;

/// Rows that it wants inside.
pub(super) fn rows(model: &Model, running: &Running) -> u16 {
    let rows = match running.stage() {
        Stage::Waiting | Stage::Late => {
            let waiting = running.waiting();
            let parts = waiting.conditions.len();
            usize::from(waiting.meanwhile.is_some()) + parts + 1
        }
        Stage::Tasked => running.commands().len().min(MAX_COMMANDS) + 1,
        _ => 1,
    };
    let lost = usize::from(model.connection != Connection::Live);
    u16::try_from(rows + lost).unwrap_or(u16::MAX).max(LEAST)
}

/// Draws it.
pub(super) fn draw(model: &Model, running: &Running, area: Rect, scene: &mut Scene<'_>) {
    let title = match running.stage() {
        Stage::Preparing => "The network is made ready".to_owned(),
        Stage::Reading => "To read".into(),
        Stage::Asking if running.unit().is_empty() => "Your answer".into(),
        Stage::Asking => format!("Your answer, in {}", running.unit()),
        Stage::Tasked => "To do".into(),
        Stage::Doing => "Being done".into(),
        Stage::Waiting => "Waited for".into(),
        Stage::Late => "Not yet".into(),
        Stage::Restoring => "The network becomes again what it was".into(),
        Stage::Over(_) => "Over".into(),
    };
    let inner = scene.pane(area, title, *running.stage() != Stage::Reading);
    let mut inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    if model.connection != Connection::Live && !running.is_over() {
        let (mark, words, style) = lesson::state(model, running, scene);
        scene.put(inner, 0, Line::styled(format!("{mark} {words}"), style));
        inner = below(inner, 1);
    }
    match running.stage() {
        Stage::Asking => asking(model, running, inner, scene),
        Stage::Tasked => tasked(running, inner, scene),
        Stage::Waiting | Stage::Late => waiting(running, inner, scene),
        _ => {
            let (mark, words, style) = lesson::state(model, running, scene);
            let words = page::readable(&words, scene);
            if *running.stage() != Stage::Reading {
                scene.put(inner, 0, Line::styled(format!("{mark} {words}"), style));
                inner = below(inner, 1);
            }
            key(running, inner, 0, scene);
        }
    }
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

/// The key that goes on, and what it does.
fn key(running: &Running, area: Rect, row: u16, scene: &mut Scene<'_>) {
    let words = match running.stage() {
        Stage::Reading => "goes on",
        Stage::Asking => "goes back to your answer",
        Stage::Tasked => "does it for you; or do it yourself, on any screen or in another terminal",
        Stage::Late => "waits again",
        Stage::Over(_) => "back to the list",
        Stage::Preparing | Stage::Doing | Stage::Waiting | Stage::Restoring => return,
    };
    let key = scene.key(Action::GoOn);
    let line =
        Line::from(vec![Span::styled(format!("{key} "), scene.theme.accent), Span::raw(words)]);
    scene.put(area, row, line);
    if row < area.height {
        let place = Rect { y: area.y + row, height: 1, ..area };
        scene.regions.add(place, Target::Action(Action::GoOn));
    }
}

fn asking(model: &Model, running: &Running, area: Rect, scene: &mut Scene<'_>) {
    let view = &model.screens.lessons;
    if !view.is_answering(running) {
        let typed = view.input.value();
        let prompt = scene.symbols.prompt;
        let shown = text::visible(typed, scene.symbols);
        scene.put(area, 0, Line::styled(format!("{prompt} {shown}"), scene.theme.muted));
        key(running, area, 1, scene);
        return;
    }
    let cursor = input(&view.input, area, scene);
    // What lies over the screen has the keys.
    scene.cursor = cursor.filter(|_| model.overlays.is_empty());
    let hint = if running.play().has_hint() {
        (format!("{} ", scene.key(Action::Hint)), "hint  ")
    } else {
        (String::new(), "")
    };
    let words = vec![
        Span::styled(format!("{} ", scene.key(Action::Answer)), scene.theme.accent),
        Span::raw("answers  "),
        Span::styled(hint.0, scene.theme.accent),
        Span::raw(hint.1),
        Span::styled(format!("{} ", scene.key(Action::LeaveInput)), scene.theme.accent),
        Span::raw("leaves this line: then "),
        Span::styled(format!("{} ", scene.key(Action::LeaveLesson)), scene.theme.accent),
        Span::raw("leaves the lesson"),
    ];
    scene.put(area, 1, Line::from(words));
}

/// Draws what is typed; says where the cursor is.
fn input(input: &Input, area: Rect, scene: &mut Scene<'_>) -> Option<Position> {
    if area.height == 0 {
        return None;
    }
    let prompt = format!("{} ", scene.symbols.prompt);
    let head = u16::try_from(text::width(&prompt)).unwrap_or(u16::MAX);
    let room = area.width.saturating_sub(head);
    let columns = usize::from(room.saturating_sub(1));
    let scroll = input.visual_scroll(columns);
    let shown = text::visible(text::skip(input.value(), scroll), scene.symbols);
    let line = Line::from(vec![Span::styled(prompt, scene.theme.accent), Span::raw(shown)]);
    scene.put(area, 0, line);
    let at = input.visual_cursor().saturating_sub(scroll).min(columns);
    let column = head.saturating_add(u16::try_from(at).unwrap_or(u16::MAX));
    Some(Position::new(area.x.saturating_add(column), area.y))
}

fn tasked(running: &Running, area: Rect, scene: &mut Scene<'_>) {
    let commands = running.commands();
    for (row, command) in (0..).zip(commands.iter().take(MAX_COMMANDS)) {
        let words = text::visible(command, scene.symbols);
        let line = Line::from(vec![
            Span::styled("$ ", scene.theme.muted),
            Span::styled(words, scene.theme.ok),
        ]);
        scene.put(area, row, line);
    }
    let row = u16::try_from(commands.len().min(MAX_COMMANDS)).unwrap_or(0);
    key(running, area, row.min(area.height.saturating_sub(1)), scene);
}

fn waiting(running: &Running, area: Rect, scene: &mut Scene<'_>) {
    let waiting = running.waiting();
    let mut row = 0;
    if let Some(meanwhile) = &waiting.meanwhile {
        let words = page::readable(meanwhile, scene);
        scene.put(area, row, Line::styled(words, scene.theme.accent));
        row += 1;
    }
    for part in &waiting.conditions {
        let line = condition(part, scene);
        scene.put(area, row, line);
        row += 1;
    }
    let last = row.min(area.height.saturating_sub(1));
    if *running.stage() == Stage::Late {
        return key(running, area, last, scene);
    }
    let left = format!("{} left; look around meanwhile, it goes on", text::age(running.left()));
    scene.put(area, last, Line::styled(left, scene.theme.muted));
}

/// A part of the condition, and its facts as they are now.
fn condition(part: &Condition, scene: &Scene<'_>) -> Line<'static> {
    let (symbols, theme) = (scene.symbols, scene.theme);
    let (mark, style) = match part.is_so {
        Some(true) => (symbols.message[2], theme.ok),
        Some(false) => (symbols.message[0], theme.warn),
        None => (symbols.mark(Mark::Gone), theme.muted),
    };
    let mut line = vec![
        Span::styled(format!("{mark} "), style),
        Span::styled(format!("{}   ", page::readable(&part.text, scene)), Style::new()),
    ];
    for (number, (fact, value)) in part.facts.iter().enumerate() {
        let gap = if number == 0 { "" } else { ", " };
        let value = value.as_deref().unwrap_or(text::UNKNOWN);
        // Where there is one fact it is clear which.
        let words = if part.facts.len() == 1 {
            format!("now {value}")
        } else {
            format!("{gap}{fact} {value}")
        };
        line.push(Span::styled(page::readable(&words, scene), theme.muted));
    }
    Line::from(line)
}
