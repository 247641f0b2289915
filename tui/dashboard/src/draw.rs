//! The whole screen: header, tabs, the screen itself, hints, and what lies over it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Color;
use ratatui::text::Line;

use crate::action::Action;
use crate::chrome;
use crate::connection::Connection;
use crate::lesson;
use crate::model::Model;
use crate::overlay;
use crate::regions::Regions;
use crate::scene::Scene;
use crate::screens;
use crate::text;
use crate::tour;

/// The smallest terminal on which every screen can be read.
const SMALLEST: (u16, u16) = (60, 15);

/// Draws everything. Returns what lies where.
pub(crate) fn draw(model: &Model, frame: &mut Frame<'_>) -> Regions {
    let area = frame.area();
    let mut scene = Scene::new(model, frame.buffer_mut());
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(area, &mut scene);
    } else {
        whole(model, area, &mut scene);
    }
    let hidden = text::HIDDEN;
    let (fg, bg) = (scene.theme.base.fg, scene.theme.base.bg);
    for cell in &mut scene.buffer.content {
        // Whatever was drawn without colours of its own stands on the theme's ground.
        if let (Some(fg), Color::Reset) = (fg, cell.fg) {
            cell.fg = fg;
        }
        if let (Some(bg), Color::Reset) = (bg, cell.bg) {
            cell.bg = bg;
        }
        // What a screen forgot to make visible does not reach the terminal all the same.
        let strange = !scene.symbols.unicode && !cell.symbol().is_ascii();
        if strange || text::would_be_obeyed(cell.symbol()) {
            cell.set_symbol(if scene.symbols.unicode { hidden } else { "?" });
        }
    }
    let Scene { regions, cursor, .. } = scene;
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
    regions
}

fn whole(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let [header, tabs, body, hints] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    chrome::header(model, header, scene);
    chrome::tabs(model, tabs, scene);
    let (body, of_lesson) = lesson::split(model, body);
    let (body, of_tour) = tour::split(model, body);
    match model.devnet() {
        Some(devnet) => {
            screens::draw(model, devnet, body, scene);
            if model.connection != Connection::Live || model.stale().is_some() {
                // Old data stays, and looks old.
                scene.buffer.set_style(body, scene.theme.stale);
            }
        }
        None => waiting(model, body, scene),
    }
    overlay::draw(model, body, scene);
    if let Some(area) = of_tour {
        tour::draw(model, area, scene);
    }
    if let Some(area) = of_lesson {
        lesson::draw(model, area, scene);
    }
    chrome::hints(model, hints, scene);
}

fn waiting(model: &Model, area: Rect, scene: &mut Scene<'_>) {
    let sentence = match &model.connection {
        Connection::Connecting => "connecting to the supervisor".to_owned(),
        Connection::Live => "waiting for the first snapshot of the devnet".to_owned(),
        Connection::Lost { reason, .. } => {
            let reason = text::visible(reason, model.symbols());
            format!("no connection to the supervisor: {reason}")
        }
    };
    scene.nothing_yet(area, &sentence);
}

fn too_small(area: Rect, scene: &mut Scene<'_>) {
    let (width, height) = SMALLEST;
    let lines = [
        "too small".to_owned(),
        format!("needs {width}{}{height}", scene.symbols.times),
        format!("has {}{}{}", area.width, scene.symbols.times, area.height),
        format!("{} quits", scene.key(Action::Quit)),
    ];
    for (row, line) in (0..).zip(lines) {
        scene.put(area, row, Line::from(line));
    }
}
