//! Beside a lesson, where there is room: its steps, and what is known of the network now.

use lessons::{FACTS, Step};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::page;
use crate::scene::Scene;
use crate::state::Mark;
use crate::state::lessons::Running;
use crate::text;

/// From this width of the screen on there is room.
const FROM: u16 = 150;

/// Columns of it.
const WIDTH: u16 = 50;

/// The part that the lesson has, and the part beside it.
pub(super) fn split(area: Rect) -> (Rect, Option<Rect>) {
    if area.width < FROM {
        return (area, None);
    }
    let [page, side] =
        Layout::horizontal([Constraint::Min(0), Constraint::Length(WIDTH)]).areas(area);
    (page, Some(side))
}

/// Draws it.
pub(super) fn draw(running: &Running, area: Rect, scene: &mut Scene<'_>) {
    let steps: Vec<&Step> = steps(running).collect();
    let rows = u16::try_from(steps.len()).unwrap_or(u16::MAX).saturating_add(2);
    let [upper, lower] =
        Layout::vertical([Constraint::Length(rows.min(area.height / 2)), Constraint::Min(0)])
            .areas(area);
    draw_steps(running, &steps, upper, scene);
    draw_facts(running, lower, scene);
}

/// The steps that the learner sees.
fn steps(running: &Running) -> impl Iterator<Item = &Step> {
    let steps = &running.play().lesson().steps;
    steps.iter().filter(|step| !matches!(step, Step::Watch(_)))
}

fn draw_steps(running: &Running, steps: &[&Step], area: Rect, scene: &mut Scene<'_>) {
    let inner = scene.pane(area, "Steps", false);
    let (place, _) = running.play().place();
    let is_over = running.is_over();
    for ((row, number), step) in (0..inner.height).zip(1..).zip(steps) {
        let words = match step {
            Step::Say(_) => "read",
            Step::Predict(_) => "say what you expect",
            Step::Act(_) => "do something",
            Step::Observe(_) => "see what comes of it",
            Step::Explain(_) | Step::Watch(_) => "read why",
        };
        let (mark, style) = match number {
            number if number < place || is_over => (scene.symbols.message[2], scene.theme.ok),
            number if number == place => (scene.symbols.cursor, scene.theme.accent),
            _ => (scene.symbols.mark(Mark::Stopped), scene.theme.muted),
        };
        let line = Line::from(vec![
            Span::styled(format!(" {mark} "), style),
            Span::styled(format!("{number}  {words}"), style),
        ]);
        scene.put(inner, row, line);
    }
}

fn draw_facts(running: &Running, area: Rect, scene: &mut Scene<'_>) {
    let inner = scene.pane(area, "What is known now", false);
    let Some(known) = running.known() else {
        return scene.nothing_yet(inner, "nothing yet");
    };
    let known: Vec<_> = known.plain().collect();
    // In the order of the list, which goes from what is set to what is measured.
    let facts = FACTS.iter().filter_map(|fact| {
        let (_, value) = known.iter().find(|(name, _)| *name == fact.name)?;
        Some((fact, value))
    });
    for (row, (fact, value)) in (0..inner.height).zip(facts) {
        let row_area = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
        scene.put(row_area, row, Line::styled(fact.name, scene.theme.muted));
        let value = page::readable(&fact.words(value), scene);
        let room = usize::from(row_area.width).saturating_sub(fact.name.len() + 1);
        let value = text::fit(&value, room, scene.symbols);
        scene.put_right(row_area, row, Line::styled(value, Style::new()));
    }
}
