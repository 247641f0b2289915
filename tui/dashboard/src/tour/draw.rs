//! How the tour looks: some rows below the screen, which keeps the others.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::steps::Step;
use super::{Stage, Verdict};
use crate::action::Action;
use crate::model::Model;
use crate::regions::Target;
use crate::scene::Scene;
use crate::text;

/// Rows of the frame.
const FRAME_ROWS: u16 = 2;

/// Columns of the frame, with the space inside.
const FRAME_COLUMNS: u16 = 4;

/// Of the rows of a screen the tour takes at most one in so many.
const SHARE: u16 = 3;

/// The columns of a screen that can be read in a line with ease.
const MOST_COLUMNS: u16 = 110;

/// The part of an area that the screen has, and the part that the tour has.
pub(crate) fn split(model: &Model, area: Rect) -> (Rect, Option<Rect>) {
    let Some(stage) = model.tour.stage.as_ref().filter(|_| model.tour.is_shown()) else {
        return (area, None);
    };
    let lines = lines(stage, model, area.width).len() + 1;
    let wanted = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(FRAME_ROWS);
    let rows = wanted.min(area.height / SHARE);
    if rows <= FRAME_ROWS {
        return (area, None);
    }
    let screen = Rect { height: area.height - rows, ..area };
    (screen, Some(Rect { y: screen.bottom(), height: rows, ..area }))
}

/// Draws the tour.
pub(crate) fn draw(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let Some(stage) = &model.tour.stage else { return };
    scene.clear(area);
    let inner = scene.pane(area, title(stage.step, scene), true);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    // What is to be done needs its row more than the text above it does.
    let said = inner.height.saturating_sub(1);
    for (row, line) in (0..said).zip(lines(stage, model, area.width)) {
        scene.put(inner, row, Line::from(line));
    }
    let status = Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
    let left = way_on(stage, model, status, scene);
    state(stage, model, Rect { width: left.saturating_sub(1), ..status }, scene);
}

/// The text of a step in rows.
fn lines(stage: &Stage, model: &Model, width: u16) -> Vec<String> {
    let columns = width.min(MOST_COLUMNS).saturating_sub(FRAME_COLUMNS);
    text::wrap(&stage.says(model), columns.max(1).into())
}

fn title(step: Step, scene: &Scene<'_>) -> String {
    match step.number() {
        Some(number) => {
            let (of, dot) = (Step::COUNTED.len(), scene.symbols.dot);
            format!("Tour {number} of {of} {dot} {}", step.title())
        }
        None => step.title().to_owned(),
    }
}

/// Which keys lead on and out, at the right. Returns the columns that are left.
fn way_on(stage: &Stage, model: &Model, area: Rect, scene: &mut Scene<'_>) -> u16 {
    let (next, leave) = (scene.key(Action::Tour), scene.key(Action::Back));
    let mut words = Vec::new();
    // While something is waited for, the key only asks whether it is to be left out.
    if !matches!(verdict(stage, model), Verdict::Waiting(_)) {
        let on = if stage.step == Step::End { "ends" } else { "goes on" };
        if model.context().takes_text() {
            // Here it would be typed.
            let first = format!("{}, then ", scene.key(Action::LeaveInput));
            words.push(Span::styled(first, scene.theme.accent));
        }
        words.extend([Span::styled(format!("{next} "), scene.theme.accent), Span::raw(on)]);
        words.push(Span::raw("  "));
    }
    words.push(Span::styled(format!("{leave} leaves"), scene.theme.muted));
    let line = Line::from(words);
    let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
    let left = scene.put_right(area, 0, line);
    if width <= area.width && area.height > 0 {
        let place = Rect { x: area.x + left, width, ..area };
        scene.regions.add(place, Target::Action(Action::Tour));
    }
    left
}

/// What the step waits for, or what was observed.
fn state(stage: &Stage, model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let (symbols, theme) = (scene.symbols, scene.theme);
    let (mark, words, style) = match verdict(stage, model) {
        Verdict::Done(what) => (symbols.message[2], format!("done: {what}"), theme.ok),
        Verdict::Waiting(what) => (symbols.message[0], what, theme.warn),
        Verdict::Told(what) => (symbols.dot, what, theme.muted),
    };
    let words = text::visible(&words, symbols);
    let words = text::fit(&format!("{mark} {words}"), area.width.into(), symbols);
    scene.put(area, 0, Line::styled(words, style));
}

fn verdict(stage: &Stage, model: &Model) -> Verdict {
    stage.done.clone().map_or_else(|| stage.clone().judge(model), Verdict::Done)
}
