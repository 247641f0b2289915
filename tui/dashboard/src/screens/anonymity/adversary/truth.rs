//! The truth beside the guess, for packets whose nodes told it. No observer has it, and nothing of it goes
//! back into a guess.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use vantage::{Report, Revealed, Who};

use crate::scene::Scene;
use crate::screens::anonymity::padded;
use crate::state::Devnet;
use crate::text;

/// Columns of a name.
const NAME: usize = 11;

/// Draws the pane.
pub(super) fn draw(devnet: &Devnet, report: Option<&Report>, area: Rect, scene: &mut Scene<'_>) {
    let title = "The truth, which no observer has";
    let title = Line::styled(title, scene.theme.bad);
    let inner = padded(scene.pane(area, title, false));
    let vantage = devnet.watch.vantage();
    let truth = vantage.truth();
    if let Some(counted) = report.and_then(|report| report.calibration) {
        let words = format!(
            "true sender given {:.3}, expected {:.3}; likeliest right {:.0} %, expected {:.0} %",
            counted.given,
            counted.expected,
            counted.hits * 100.0,
            counted.expected_hits * 100.0
        );
        scene.edge_note(area, true, Line::styled(words, scene.theme.muted));
    }
    let head = format!(
        "{:<NAME$} {:<NAME$} {:>7}  {:<NAME$} {:>7} {:>5}  carried",
        "came out", "guess", "given", "truth", "given", "rank"
    );
    scene.put(inner, 0, Line::styled(head, scene.theme.muted));
    let below = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let mut shown = truth.revealed().rev().peekable();
    if shown.peek().is_none() {
        let words = match vantage.who() {
            Who::Link(..) => "one link shows nothing that comes out: there is no guess to compare",
            Who::All { .. } => "no node has told yet whose packet it was that came out",
        };
        scene.nothing_yet(below, words);
        return;
    }
    for (row, packet) in (0..below.height).zip(shown) {
        let line = row_of(packet, scene);
        scene.put(below, row, line);
    }
}

fn row_of<'l>(packet: &Revealed, scene: &Scene<'_>) -> Line<'l> {
    let name = |name: &str| {
        let name = text::visible(name, scene.symbols);
        format!("{:<NAME$}", text::fit(&name, NAME, scene.symbols))
    };
    let percent = |p: f64| format!("{:>5.1} %", p * 100.0);
    let (guess, p) = packet.suspects.first().map_or(("-", 0.0), |(name, p)| (name.as_str(), *p));
    let place = packet.suspects.iter().position(|(name, _)| *name == packet.sender);
    // Only the first are named.
    let rank = place
        .map_or_else(|| format!("> {}", packet.suspects.len()), |place| (place + 1).to_string());
    let is_right = place == Some(0);
    let style = if is_right { scene.theme.bad } else { scene.theme.ok };
    let carried = match packet.carried {
        control::Carried::Cover => "cover",
        control::Carried::Message => "message",
        control::Carried::Ack => "acknowledgement",
    };
    Line::from(vec![
        Span::raw(format!("{} {} {}  ", name(&packet.mix), name(guess), percent(p))),
        Span::styled(name(&packet.sender), style),
        Span::raw(format!(" {} {rank:>5}  {carried}", percent(packet.given))),
        Span::styled(if is_right { "  found out" } else { "" }, scene.theme.bad),
    ])
}
