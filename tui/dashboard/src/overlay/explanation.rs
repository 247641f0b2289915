//! What is selected means in a mixnet: two or three sentences.

use ratatui::layout::Rect;

use crate::action::{Action, Context};
use crate::message::Effect;
use crate::model::Model;
use crate::scene::Scene;

/// What is explained.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// The place that it is about.
    pub(crate) context: Context,
}

/// An action while this lies over the screen.
pub(super) fn act(model: &mut Model, _action: Action) -> Vec<Effect> {
    model.overlays.pop();
    Vec::new()
}

impl Explanation {
    /// Draws it over an area.
    pub(super) fn draw(&self, _model: &Model, area: Rect, scene: &mut Scene<'_>) {
        let inner = scene.window(area, "What this means");
        scene.nothing_yet(inner, self.context.title());
    }
}
