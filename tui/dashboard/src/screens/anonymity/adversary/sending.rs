//! Is somebody sending? A bar between two answers, and what speaks for which.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use vantage::{Sending, odds_in_words};

use crate::scene::Scene;
use crate::screens::anonymity::padded;
use crate::screens::traffic::plot;
use crate::text;

/// Columns of the words at either end of the bar.
const END: u16 = 4;

/// Draws the pane.
pub(super) fn draw(sending: Option<&Sending>, area: Rect, scene: &mut Scene<'_>) {
    let name =
        sending.map_or_else(|| "somebody".into(), |told| text::visible(&told.name, scene.symbols));
    let inner = padded(scene.pane(area, format!("Is {name} sending?"), false));
    let Some(told) = sending else {
        scene.nothing_yet(inner, "nobody is known yet of whom one could ask");
        return;
    };
    let seconds = format!("{:.0} s", told.watched_s);
    scene.edge_note(area, false, Line::styled(seconds, scene.theme.muted));
    let rates = if told.can_be_told() {
        format!(
            "idle {}, busy {}; seen {}",
            text::per_second(Some(told.idle_rate)),
            text::per_second(Some(told.active_rate)),
            text::per_second(told.rate())
        )
    } else if told.seen > 0.0 {
        format!("idle or busy, it sends {}", text::per_second(Some(told.idle_rate)))
    } else {
        "you do not see its links".to_owned()
    };
    scene.put(inner, 0, Line::raw(text::fit(&rates, inner.width.into(), scene.symbols)));
    draw_bar(told, inner, scene);
    let (words, style) = match told.answer {
        "yes" => (decided("yes", told), scene.theme.bad),
        "no" => (decided("no", told), scene.theme.ok),
        _ if told.seen <= 0.0 => ("so you cannot tell".to_owned(), scene.theme.ok),
        _ if !told.can_be_told() => {
            ("nobody can tell: slots carry cover".to_owned(), scene.theme.ok)
        }
        _ => (undecided(told), scene.theme.warn),
    };
    scene.put(inner, 2, Line::styled(text::fit(&words, inner.width.into(), scene.symbols), style));
}

/// The odds between their bounds, by their logarithms.
fn draw_bar(told: &Sending, inner: Rect, scene: &mut Scene<'_>) {
    let row = Rect { y: inner.y.saturating_add(1), height: u16::from(inner.height > 1), ..inner };
    let muted = scene.theme.muted;
    scene.put(row, 0, Line::styled("no", muted));
    scene.put_right(row, 0, Line::from(vec![Span::styled("yes", muted)]));
    let bar =
        Rect { x: row.x.saturating_add(END), width: row.width.saturating_sub(2 * END), ..row };
    if bar.width < 3 || row.height == 0 {
        return;
    }
    let share = (told.odds.ln() / told.bound.ln()).clamp(-1.0, 1.0).midpoint(1.0);
    let line = if scene.symbols.unicode { "─" } else { "-" };
    for x in bar.x..bar.right() {
        scene.glyph((x, bar.y), line, muted);
    }
    let middle = bar.x + bar.width / 2;
    scene.glyph((middle, bar.y), if scene.symbols.unicode { "┼" } else { "+" }, muted);
    let at = plot::cells(share, bar.width - 1);
    let mark = if scene.symbols.unicode { "●" } else { "O" };
    scene.glyph((bar.x + at, bar.y), mark, scene.theme.accent);
}

/// The answer, and what it took.
fn decided(answer: &str, told: &Sending) -> String {
    let Some(decided) = told.decided else { return answer.to_owned() };
    format!(
        "{answer} ({} : 1): {} in {:.1} s",
        told.bound,
        text::plural(decided.packets, "packet"),
        decided.seconds
    )
}

/// How it stands, and how long it may take.
fn undecided(told: &Sending) -> String {
    let odds = odds_in_words(told.odds);
    match told.expected_s {
        Some(seconds) => format!("not yet: {odds}; takes about {seconds:.0} s"),
        None => format!("not yet: {odds}"),
    }
}
