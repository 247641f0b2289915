//! Traffic: rates over time, what the packets are, how long they take, and where they are lost.

use ratatui::layout::Rect;

use crate::action::Action;
use crate::message::Effect;
use crate::model::Model;
use crate::scene::Scene;
use crate::state::Devnet;

/// What this screen remembers.
#[derive(Debug, Default)]
pub(crate) struct View {}

/// An action on this screen.
pub(super) fn act(_model: &mut Model, _action: Action) -> Vec<Effect> {
    Vec::new()
}

/// Draws this screen.
pub(super) fn draw(_model: &Model, _devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let inner = scene.pane(area, "Traffic", true);
    scene.nothing_yet(inner, "no packets yet");
}
