//! The lesson that runs in one row below every other screen: which step it is at, and what it waits for.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use lessons::End;

use crate::action::Action;
use crate::connection::Connection;
use crate::model::Model;
use crate::regions::Target;
use crate::scene::Scene;
use crate::screens::Screen;
use crate::state::Mark;
use crate::state::lessons::{Running, Stage};
use crate::text;

/// The part of an area that the screen has, and the part that the lesson has.
pub(crate) fn split(model: &Model, area: Rect) -> (Rect, Option<Rect>) {
    let is_open = model.lessons.running.as_ref().is_some_and(|running| !running.is_seen());
    let is_shown = is_open && model.screen != Screen::Lessons;
    if !is_shown || area.height < 2 {
        return (area, None);
    }
    let screen = Rect { height: area.height - 1, ..area };
    (screen, Some(Rect { y: screen.bottom(), height: 1, ..area }))
}

/// Draws the row.
pub(crate) fn draw(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let Some(running) = &model.lessons.running else { return };
    scene.clear(area);
    scene.regions.add(area, Target::Screen(Screen::Lessons));
    let mut area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let key = scene.key(Action::ShowLessons);
    let lesson = running.play().lesson();
    let (step, of) = running.play().place();
    let dot = scene.symbols.dot;
    let head = Line::from(vec![
        Span::styled(format!("{key} "), scene.theme.accent),
        Span::styled(format!("Lesson {} {}", lesson.number, lesson.title), scene.theme.title),
        Span::styled(format!(" {dot} {step} of {of} {dot} "), scene.theme.muted),
    ]);
    let width = u16::try_from(head.width()).unwrap_or(u16::MAX);
    scene.put(area, 0, head);
    area =
        Rect { x: area.x.saturating_add(width), width: area.width.saturating_sub(width), ..area };
    let (mark, words, style) = state(model, running, scene);
    if *running.stage() == Stage::Waiting && model.connection == Connection::Live {
        let left = format!(" {} left", text::age(running.left()));
        area.width = scene.put_right(area, 0, Line::styled(left, scene.theme.muted));
    }
    let words = text::visible(&words, scene.symbols);
    let words = text::fit(&format!("{mark} {words}"), area.width.into(), scene.symbols);
    scene.put(area, 0, Line::styled(words, style));
}

/// What it waits for, in a line, with its glyph.
pub(crate) fn state(
    model: &Model,
    running: &Running,
    scene: &Scene<'_>,
) -> (&'static str, String, Style) {
    let (symbols, theme) = (scene.symbols, scene.theme);
    if let (Connection::Lost { .. }, false) = (&model.connection, running.is_over()) {
        let words = "waits: there is no connection, and its time stands still";
        return (symbols.mark(Mark::Paused), words.into(), theme.bad);
    }
    let waits = symbols.message[0];
    match running.stage() {
        Stage::Preparing => {
            (symbols.mark(Mark::Starting), "the network is made ready".into(), theme.warn)
        }
        Stage::Reading => (symbols.cursor, "something to read".into(), theme.accent),
        Stage::Asking => (symbols.cursor, "a question waits for you".into(), theme.accent),
        Stage::Tasked => {
            let what = running.commands().first().map_or("", String::as_str);
            (symbols.cursor, format!("to do: {what}"), theme.accent)
        }
        Stage::Doing => (symbols.mark(Mark::Starting), "it is being done".into(), theme.warn),
        Stage::Waiting => (waits, how_it_stands(running), theme.warn),
        Stage::Late => {
            (symbols.mark(Mark::Late), format!("not yet: {}", how_it_stands(running)), theme.warn)
        }
        Stage::Restoring => (
            symbols.mark(Mark::BackingOff),
            "the network becomes again what it was".into(),
            theme.warn,
        ),
        Stage::Over(end) => over(end, scene),
    }
}

/// How it ended.
fn over(end: &End, scene: &Scene<'_>) -> (&'static str, String, Style) {
    let (symbols, theme) = (scene.symbols, scene.theme);
    match end {
        End::Finished { asked: 0, .. } => {
            (symbols.message[2], "the lesson is done".into(), theme.ok)
        }
        End::Finished { right, asked } => {
            let words = format!("the lesson is done: {right} of {asked} answers were right");
            (symbols.message[2], words, theme.ok)
        }
        End::Left => (symbols.mark(Mark::Stopped), "you left the lesson".into(), theme.muted),
        End::Unfit { why } => {
            let words = format!("this devnet is not one for the lesson: {why}");
            (symbols.mark(Mark::Failed), words, theme.bad)
        }
        End::Late { what, .. } => {
            (symbols.mark(Mark::Failed), format!("it did not come to this: {what}"), theme.bad)
        }
        End::Failed { why } => {
            (symbols.mark(Mark::Failed), format!("it cannot go on: {why}"), theme.bad)
        }
    }
}

/// How far what is waited for has come: in the lesson's words, else the first part that is not so.
fn how_it_stands(running: &Running) -> String {
    let waiting = running.waiting();
    if let Some(meanwhile) = &waiting.meanwhile {
        return meanwhile.clone();
    }
    let part = waiting.conditions.iter().find(|part| part.is_so != Some(true));
    match part.and_then(|part| part.facts.first()) {
        Some((fact, Some(value))) => format!("waits; {fact} is {value}"),
        Some((fact, None)) => format!("waits; {fact} is not known yet"),
        None => "waits".into(),
    }
}
