//! Every mixnode with what waits there, as an observer of the links counts it.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use vantage::Report;

use super::{pane, watched};
use crate::scene::{Highlight, Scene};
use crate::text;

/// Columns of the pane.
pub(super) const WIDTH: u16 = 50;

/// Columns of a name.
const NAME: usize = 14;

/// Columns of bits, below their head.
const BITS: usize = 12;

/// Draws the pane.
pub(super) fn draw(report: &Report, area: Rect, scene: &mut Scene<'_>) {
    let inner = pane("Pools", &report.adversary, &watched(report), area, scene);
    if report.pools.is_empty() {
        scene.nothing_yet(inner, "no mixnode is there");
        return;
    }
    let law = if scene.symbols.unicode { "λ·θ" } else { "r x d" };
    // Of which packet it was that left: another figure than whose it was.
    let head = format!(
        "{:<NAME$} {:>4} {:>6} {law:>6} {:>BITS$}",
        "mixnode", "now", "mean", "which packet"
    );
    scene.put(inner, 0, Line::styled(head, scene.theme.muted));
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let number = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| text::UNKNOWN.to_owned(), |value| format!("{value:.digits$}"))
    };
    scene.list(list, report.pools.len(), None, Highlight::None, |scene, row, place| {
        let pool = &report.pools[row];
        let name = text::fit(&pool.node, NAME, scene.symbols);
        let line = Line::from(vec![
            Span::raw(format!("{name:<NAME$} ")),
            Span::raw(format!(
                "{:>4} {:>6} {:>6} {:>BITS$}",
                pool.now,
                number(pool.mean, 1),
                number(pool.expected, 1),
                number(pool.bits, 2)
            )),
        ]);
        scene.put(place, 0, line);
        Some(crate::regions::Target::Node(pool.node.clone()))
    });
}
