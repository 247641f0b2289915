//! The map as a list, where the terminal is too narrow for columns.

use contract::Role;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::describe;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::Devnet;
use crate::text;

/// Draws every node in a row.
pub(super) fn draw(devnet: &Devnet, selected: Option<&str>, area: Rect, scene: &mut Scene<'_>) {
    let row = devnet.nodes.iter().position(|node| Some(node.name()) == selected);
    scene.list(area, devnet.nodes.len(), row, Highlight::Strong, |scene, row, place| {
        let node = &devnet.nodes[row];
        let [glyph, word] = describe::health_spans(devnet.health(node, scene.now), scene);
        let line = Line::from(vec![
            glyph,
            Span::raw(format!("{:<12} ", text::fit(node.name(), 12, scene.symbols))),
            word,
        ]);
        scene.put(place, 0, line);
        if node.status.role != Role::Directory {
            let rates = format!(
                "in {:>7}  out {:>7}",
                text::per_second(node.received.rate(scene.now.t)),
                text::per_second(node.sent.rate(scene.now.t))
            );
            scene.put_right(place, 0, Line::from(rates));
        }
        Some(Target::Node(node.name().to_owned()))
    });
}
