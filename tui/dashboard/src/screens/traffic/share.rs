//! What the packets are that enter the mixnet: on the wire they all look the same.

use control::Share;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{padded, plot, so_far};
use crate::scene::Scene;
use crate::state::traffic::Window;
use crate::state::{Devnet, as_f64};
use crate::text;

/// Rows of the pane where all panes are shown.
pub(super) const HEIGHT: u16 = 5;

/// With so many rows each kind has one of its own.
const TABLE: u16 = 8;

/// A kind of packet.
struct Kind {
    name: &'static str,
    count: u64,
    /// How its part of the bar is filled: each differently, colour or not.
    fill: &'static str,
    style: Style,
}

fn kinds(share: &Share, scene: &Scene<'_>) -> [Kind; 5] {
    let fill = |unicode, ascii| if scene.symbols.unicode { unicode } else { ascii };
    let theme = scene.theme;
    let kind = |name, count, fill, style| Kind { name, count, fill, style };
    [
        kind("real", share.real, fill("█", "#"), theme.ok),
        kind("sent again", share.retransmitted, fill("▚", "%"), theme.warn),
        kind("slot cover", share.cover, fill("▒", "="), theme.link[2]),
        kind("loops", share.loops, fill("░", "-"), theme.link[1]),
        kind("acks", share.acks, fill("│", "|"), theme.accent),
    ]
}

/// Draws the pane.
pub(super) fn draw(
    window: Window,
    devnet: &Devnet,
    area: Rect,
    focused: bool,
    scene: &mut Scene<'_>,
) {
    let inner = padded(scene.pane(area, "Packets into layer 1", focused));
    let share = devnet.traffic.shares(window, scene.now);
    let total = share.total();
    if total == 0 {
        let sentence = if devnet.traffic.counted_for(window, scene.now).is_some() {
            "clients and providers sent nothing in this time"
        } else {
            "waiting for clients to report what they sent: each does once a second"
        };
        scene.nothing_yet(inner, sentence);
        return;
    }
    let words = format!("{total} packets, {}", so_far(window, devnet, scene));
    scene.edge_note(area, false, Line::styled(words, scene.theme.muted));
    let kinds = kinds(&share, scene);
    draw_bar(&kinds, total, inner, scene);
    let mut row = 1;
    if inner.height >= TABLE {
        row = 2;
        for kind in &kinds {
            let percent = percent(&share, kind.count);
            let line = Line::from(vec![
                Span::styled(format!("{} ", kind.fill.repeat(2)), kind.style),
                Span::raw(format!("{:<11} {percent:>7} {:>9} packets", kind.name, kind.count)),
            ]);
            scene.put(inner, row, line);
            row += 1;
        }
    } else {
        let parts = kinds.iter().flat_map(|kind| {
            let percent = percent(&share, kind.count);
            [Span::styled(kind.fill, kind.style), Span::raw(format!(" {} {percent}   ", kind.name))]
        });
        scene.put(inner, row, Line::from(parts.collect::<Vec<_>>()));
        row += 1;
    }
    let sentence = text::fit(&sentence(&share), inner.width.into(), scene.symbols);
    scene.put(inner, row, Line::styled(sentence, scene.theme.muted));
}

/// A bar of all kinds. What is there at all has a cell.
fn draw_bar(kinds: &[Kind], total: u64, inner: Rect, scene: &mut Scene<'_>) {
    if inner.height == 0 {
        return;
    }
    let mut x = inner.x;
    let mut left = inner.width;
    let mut rest = total;
    for kind in kinds.iter().filter(|kind| kind.count > 0) {
        let share = as_f64(kind.count) / as_f64(rest.max(1));
        let width = plot::cells(share, left).clamp(1, left.max(1));
        let width = width.min(left);
        for x in x..x + width {
            scene.glyph((x, inner.y), kind.fill, kind.style);
        }
        (x, left, rest) = (x + width, left - width, rest.saturating_sub(kind.count));
    }
}

/// Below a tenth of a percent something is not nothing.
fn percent(share: &Share, count: u64) -> String {
    match share.percent(count) {
        None => text::UNKNOWN.into(),
        Some(_) if count == 0 => "0 %".into(),
        Some(percent) if percent < 0.05 => "< 0.1 %".into(),
        Some(percent) => format!("{percent:.1} %"),
    }
}

/// What it means that so much is real.
fn sentence(share: &Share) -> String {
    let real = share.real + share.retransmitted;
    let cover = share.cover + share.loops;
    if real == 0 && share.acks == 0 {
        return "No message is sent: all of it is cover, and looks as if one were.".into();
    }
    if real == 0 {
        return "No message is sent: it is cover and acks, and looks as if one were.".into();
    }
    if cover == 0 {
        return "There is no cover: who watches a client sees when it sends a message.".into();
    }
    let each = (share.total() + real / 2) / real;
    format!("One packet in {each} carries a message; on the wire all look the same.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_the_share_means_in_a_line() {
        let share = Share { cover: 5, loops: 5, ..Share::default() };
        let acked = Share { acks: 1, ..share };
        let some = Share { real: 2, ..share };
        let only = Share { real: 2, retransmitted: 1, ..Share::default() };
        let sentences = [share, acked, some, only].map(|share| sentence(&share));
        for (sentence, has) in
            sentences.iter().zip(["is cover,", "acks", "packet in 6 ", "no cover"])
        {
            assert!(sentence.contains(has) && sentence.len() <= 76, "{sentence}");
        }
    }
}
