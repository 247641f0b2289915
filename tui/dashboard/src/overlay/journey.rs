//! The way of a message, hop by hop.

use ratatui::layout::Rect;

use crate::action::Action;
use crate::message::Effect;
use crate::model::Model;
use crate::scene::Scene;

/// The way of one message.
#[derive(Debug)]
pub(crate) struct Journey {
    /// Its id.
    pub(crate) message: String,
}

/// An action while this lies over the screen; none if it is for what lies below.
pub(super) fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    if action == Action::Close {
        model.overlays.pop();
        return Some(Vec::new());
    }
    None
}

impl Journey {
    /// Draws it over an area.
    pub(super) fn draw(&self, model: &Model, area: Rect, scene: &mut Scene<'_>) {
        let inner = scene.window(area, "Journey");
        let known = model.devnet().map_or(0, |devnet| devnet.journeys.of(&self.message).count());
        scene.nothing_yet(inner, &format!("{known} packets"));
    }
}
