//! The details of the selected node, below the map.

use contract::Role;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::describe;
use crate::model::Model;
use crate::scene::Scene;
use crate::state::Devnet;
use crate::text;

/// Draws the details of the selected node, or what the map shows if none is.
pub(super) fn draw(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let Some(node) = model.selected_node() else {
        let inner = scene.pane(area, "Nothing selected", false);
        introduction(model, devnet, inner, scene);
        return;
    };
    let title = format!("{} {} {}", node.name(), scene.symbols.dot, describe::role(node));
    let inner = scene.pane(area, title, false);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    scene.put(inner, 0, describe::headline(devnet, node, scene));
    let packets = describe::packet_facts(node, scene);
    let process = describe::process_facts(node, scene);
    let network = describe::network_facts(devnet, node, scene);
    scene.put(inner, 1, describe::facts_line(&packets, inner.width, scene));
    scene.put(inner, 2, describe::facts_line(&process, inner.width, scene));
    scene.put(inner, 3, describe::facts_line(&network, inner.width, scene));
    if inner.height > 4 && node.status.role != Role::Directory {
        let from = describe::senders(devnet, node, scene.now);
        scene.put(inner, 4, describe::links_line("from", &from, inner.width, scene));
        let to = describe::receivers(node, scene.now);
        scene.put(inner, 5, describe::links_line("to", &to, inner.width, scene));
    }
}

/// What somebody sees who has not touched a key yet.
fn introduction(model: &Model, devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let [left, right, up, down] = scene.symbols.arrows;
    let info = &devnet.info;
    let mean = info.hop_delay_ms * f64::from(info.layers);
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let muted = |words: String| Line::styled(words, scene.theme.muted);
    let key = |key: String, what: &'static str| {
        [Span::styled(format!("{key} "), scene.theme.accent), Span::raw(format!("{what}   "))]
    };
    let mut keys = Vec::from(key(format!("{left} {right} {up} {down}"), "select a node"));
    if model.allows(Action::Write) {
        keys.extend(key(scene.key(Action::Write), "write a message"));
    }
    keys.extend(key(scene.key(Action::Help), "help"));
    let lines = [
        Line::from(keys),
        muted(format!(
            "A packet passes one mixnode per layer and waits {} at each, on average.",
            text::millis(info.hop_delay_ms)
        )),
        muted(format!(
            "A message is underway for about {}, after waiting about {} for its turn to be sent.",
            text::millis(mean),
            text::millis(info.slot_ms)
        )),
        muted(
            if info.acks {
                "Below, back: what providers deliver, and acknowledgements, which pass \
             all layers once more."
            } else {
                "Acknowledgements are off: a packet that is lost is not sent again."
            }
            .to_owned(),
        ),
        muted(if info.faithful {
            "As in 2020, mixnodes refuse neither replayed packets nor skipped layers.".to_owned()
        } else {
            "Pool: packets that wait at a mixnode. Expected are as many as arrive within the mean \
             wait."
                .to_owned()
        }),
    ];
    for (row, line) in (0..).zip(lines) {
        scene.put(inner, row, line);
    }
}
