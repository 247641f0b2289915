//! One packet that came out a moment ago: who may have sent it.

use ratatui::layout::Rect;
use ratatui::text::Line;
use vantage::Who;

use crate::scene::Scene;
use crate::screens::anonymity::padded;
use crate::screens::traffic::plot;
use crate::state::Devnet;
use crate::text;

/// Columns of a name and a probability.
const NAME: u16 = 22;

/// Draws the pane.
pub(super) fn draw(devnet: &Devnet, area: Rect, scene: &mut Scene<'_>) {
    let inner = padded(scene.pane(area, "A packet that came out: who sent it?", false));
    let vantage = devnet.watch.vantage();
    let Some(latest) = vantage.latest() else {
        let words = match vantage.who() {
            Who::Link(..) => "one link does not show what comes out",
            Who::All { .. } => "no packet has come out yet",
        };
        scene.nothing_yet(inner, words);
        return;
    };
    let words = format!(
        "{} {} {}, {:.2} bits",
        text::visible(&latest.mix, scene.symbols),
        scene.symbols.hop,
        text::visible(&latest.provider, scene.symbols),
        latest.bits
    );
    scene.edge_note(area, false, Line::styled(words, scene.theme.muted));
    for (row, (name, p)) in (0..inner.height).zip(&latest.suspects) {
        let place = Rect { y: inner.y + row, height: 1, ..inner };
        let name = text::fit(&text::visible(name, scene.symbols), 13, scene.symbols);
        scene.put(place, 0, Line::raw(format!("{name:<14}{:>5.1} %", p * 100.0)));
        let left = NAME.min(place.width);
        let bar = Rect { x: place.x + left, width: place.width - left, ..place };
        plot::bar(scene, bar, *p, None, scene.theme.link[1]);
    }
}
