//! What an observer has: when, from whom, to whom, how long. All lines look alike, which is the point.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::scene::Scene;
use crate::screens::anonymity::padded;
use crate::state::Devnet;
use crate::text;

/// Draws the pane.
pub(super) fn draw(devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let inner = padded(scene.pane(area, "Packets on links", false));
    let vantage = devnet.watch.vantage();
    let rows = usize::from(inner.height);
    let ticks: Vec<_> = vantage.ticks().rev().take(rows).collect();
    if ticks.is_empty() {
        scene.nothing_yet(inner, "no packet on a link that is seen");
        return;
    }
    // Those of the map below are told by the same clock.
    let now = devnet.heard;
    for (row, tick) in (0..inner.height).zip(ticks.into_iter().rev()) {
        let ago = u64::try_from(now.t.saturating_since(tick.t).as_millis()).unwrap_or(u64::MAX);
        let clock = text::clock_ms(now.unix_ms.saturating_sub(ago), scene.zone);
        let name = |name: &str| text::fit(&text::visible(name, scene.symbols), 10, scene.symbols);
        let line = Line::from(vec![
            Span::styled(format!("{} ", clock.get(6..).unwrap_or(&clock)), scene.theme.muted),
            Span::raw(format!(
                "{:<10} {} {:<10}",
                name(&tick.src),
                scene.symbols.hop,
                name(&tick.dst)
            )),
            Span::styled(format!(" {:>4} B", tick.bytes), scene.theme.muted),
        ]);
        scene.put(inner, row, line);
    }
}
