//! How long packets took, as bars, and how long they should, as points, over a logarithmic axis of
//! time.

use std::ops::RangeInclusive;
use std::time::Duration;

use contract::Transits;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{foot, padded, plot, so_far};
use crate::scene::Scene;
use crate::state::Devnet;
use crate::state::traffic::{Erlang, Fit, Measured, Window, second};
use crate::text;

const TITLE: &str = "End-to-end delay";

/// Where the axis begins and ends: so many packets in theory are beyond it at either end.
const BEYOND: f64 = 0.001;

/// Widest column of a bucket: wider ones look like blocks and say no more.
const MOST_COLUMNS: usize = 4;

/// Draws the pane.
pub(super) fn draw(
    window: Window,
    devnet: &Devnet,
    area: Rect,
    focused: bool,
    scene: &mut Scene<'_>,
) {
    let inner = padded(scene.pane(area, TITLE, focused));
    let now = second(scene.now);
    let delays = &devnet.traffic.delays;
    let Some(measured) = delays.measured(window, now) else {
        scene.nothing_yet(inner, "waiting for the devnet to say which delays it has");
        return;
    };
    let total = measured.transits.total();
    let mut note = format!("{}, {}", text::plural(total, "packet"), so_far(window, devnet, scene));
    let (above, below) = foot(inner, if inner.height >= 7 { 3 } else { 1 });
    let (graph, axis) = foot(above, 1);
    let anew = delays.changed().map(|since| since.saturating_sub(now));
    match anew {
        Some(wait @ 1..) => {
            note = format!("again in {wait} s");
            let words = format!("delays changed: measuring begins in {wait} s");
            scene.put(graph, 0, Line::styled(words, scene.theme.warn));
        }
        _ if total == 0 => {
            let words = "waiting for cover to come back: clients measure it";
            scene.nothing_yet(Rect { height: graph.height.min(1), ..graph }, words);
        }
        // A change that is longer ago than the window has nothing to do with it any more.
        Some(ago) if ago.unsigned_abs() < window.seconds() => {
            note = format!("{}, {} s since the change", text::plural(total, "packet"), ago.abs());
        }
        _ => {}
    }
    // The corners, and a blank on both sides of each.
    if text::width(&note) + text::width(TITLE) + 6 > area.width.into() {
        note = text::plural(total, "packet");
    }
    scene.edge_note(area, false, Line::styled(note, scene.theme.muted));
    let graph = Rect { y: graph.y + 1, height: graph.height.saturating_sub(1), ..graph };
    let range = range(&measured);
    if total > 0 {
        let place = Rect { y: graph.y.saturating_sub(1), height: 1, ..graph };
        legend(highest(&measured, &range), place, scene);
    }
    draw_bars(&measured, &range, graph, scene);
    draw_axis(&range, axis, scene);
    words(&measured, below, scene);
}

fn point(scene: &Scene<'_>) -> &'static str {
    if scene.symbols.unicode { "◆" } else { "o" }
}

fn legend(highest: f64, place: Rect, scene: &mut Scene<'_>) {
    let words = format!("highest {:.0} % of packets", highest * 100.0);
    let line = Line::from(vec![
        Span::styled(scene.symbols.full, scene.theme.link[1]),
        Span::raw(" measured   "),
        Span::styled(point(scene), scene.theme.packet),
        Span::raw(" theory"),
    ]);
    let left = usize::from(scene.put_right(place, 0, line));
    if text::width(&words) < left {
        scene.put(place, 0, Line::styled(words, scene.theme.muted));
    }
}

/// The largest share of a bucket, measured or in theory.
fn highest(measured: &Measured, range: &RangeInclusive<u8>) -> f64 {
    let shares = range
        .clone()
        .flat_map(|bucket| [measured.in_bucket(bucket), measured.theory.in_bucket(bucket)]);
    shares.fold(0.0, f64::max)
}

/// The buckets that are worth showing: nearly all of both. One packet that took a minute would leave
/// no room for the others.
fn range(measured: &Measured) -> RangeInclusive<u8> {
    let bucket =
        |ms: f64| Transits::bucket(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default());
    let both = |share| {
        let theory = bucket(measured.theory.quantile(share));
        (theory, measured.quantile(share).map_or(theory, bucket))
    };
    let ((first, first_seen), (last, last_seen)) = (both(BEYOND), both(1.0 - BEYOND));
    first.min(first_seen)..=last.max(last_seen).min(Transits::BUCKETS - 1)
}

/// Packets that took longer or less long than what is shown.
fn beyond(measured: &Measured) -> u64 {
    let range = range(measured);
    let buckets = measured.transits.buckets.iter();
    buckets.filter(|(bucket, _)| !range.contains(bucket)).map(|(_, count)| count).sum()
}

/// How many columns a bucket has. Where there is room for none each, the longest delays are cut off.
fn columns(range: &RangeInclusive<u8>, width: u16) -> usize {
    (usize::from(width) / range.clone().count().max(1)).clamp(1, MOST_COLUMNS)
}

fn draw_bars(measured: &Measured, range: &RangeInclusive<u8>, graph: Rect, scene: &mut Scene<'_>) {
    let columns = columns(range, graph.width);
    let top = highest(measured, range).max(f64::MIN_POSITIVE);
    let mut x = graph.x;
    for bucket in range.clone() {
        let width = u16::try_from(columns).unwrap_or(1);
        if x + width > graph.right() {
            return;
        }
        let steps = |share: f64, scene: &Scene<'_>| {
            plot::steps(share / top, graph.height, scene.symbols.curve)
        };
        let share = measured.in_bucket(bucket);
        // Theory stands beside the bar where there is room, else in it.
        let bar = if columns > 1 { width - 1 } else { width };
        if share > 0.0 {
            let height = steps(share, scene).max(1);
            for x in x..x + bar {
                plot::column(scene, (x, graph), height, scene.theme.link[1]);
            }
        }
        let cells = scene.symbols.curve.len();
        let height = steps(measured.theory.in_bucket(bucket), scene);
        let up = u16::try_from(height.saturating_sub(1) / cells.max(1)).unwrap_or(0);
        if graph.height > 0 && up < graph.height {
            let y = graph.bottom() - 1 - up;
            scene.glyph((x + width - 1, y), point(scene), scene.theme.packet);
        }
        x += width;
    }
}

/// Round delays below their buckets.
fn draw_axis(range: &RangeInclusive<u8>, axis: Rect, scene: &mut Scene<'_>) {
    let columns = columns(range, axis.width);
    let rounds = (-1..6).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
    let mut free = axis.x;
    for ms in rounds {
        let took = Duration::from_secs_f64(ms / 1000.0);
        let bucket = Transits::bucket(took);
        if !range.contains(&bucket) || took < Transits::lower_edge(0) {
            continue;
        }
        let offset = usize::from(bucket - range.start()) * columns;
        let x = axis.x.saturating_add(u16::try_from(offset).unwrap_or(u16::MAX));
        let words =
            if ms < 1000.0 { format!("{ms:.0} ms") } else { format!("{:.0} s", ms / 1000.0) };
        let width = u16::try_from(text::width(&words)).unwrap_or(u16::MAX);
        if x >= free && x.saturating_add(width) <= axis.right() {
            scene.put(Rect { x, width, ..axis }, 0, Line::styled(words, scene.theme.muted));
            free = x + width + 1;
        }
    }
}

/// Median and 99 of a hundred of both, how well they agree, and what theory takes into account.
fn words(measured: &Measured, place: Rect, scene: &mut Scene<'_>) {
    let point = point(scene);
    let figures = [("median", 0.5), ("99 %", 0.99)].map(|(name, share)| {
        let seen = measured.quantile(share).map_or_else(|| text::UNKNOWN.into(), text::millis);
        let theory = text::millis(measured.theory.quantile(share));
        [
            Span::styled(format!("{name} "), scene.theme.muted),
            Span::raw(seen),
            Span::styled(format!(" {point} "), scene.theme.packet),
            Span::styled(format!("{theory}   "), scene.theme.muted),
        ]
    });
    scene.put(place, 0, Line::from(figures.concat()));
    let off = |what: &str, why: &str| format!("{} at the median, {what}: {why}", apart(measured));
    let (words, style) = match measured.fit() {
        Fit::TooFew => ("too few packets to compare yet".to_owned(), scene.theme.muted),
        Fit::ByChance => ("agrees: no further off than by chance".into(), scene.theme.ok),
        Fit::Alike => (off("alike", "what links and timers add"), scene.theme.ok),
        Fit::Held => ("the slowest 1 % were held up: a node stood still?".into(), scene.theme.warn),
        Fit::Later => (off("later", "queues, a busy machine"), scene.theme.warn),
        Fit::Earlier => (off("earlier", "delays not kept"), scene.theme.warn),
    };
    let words = text::fit(&words, place.width.into(), scene.symbols);
    scene.put(place, 1, Line::styled(words, style));
    let Erlang { hops, mean_ms } = measured.theory;
    let waits = text::plural(hops, "exponential wait");
    let short = format!("{point} {waits} of {}, nothing else", text::millis(mean_ms));
    let long = format!("{short}: no queue, no link, no slot");
    let words = match beyond(measured) {
        _ if text::width(&long) > place.width.into() => short,
        0 => long,
        beyond => format!("{short}; {} not shown", text::plural(beyond, "packet")),
    };
    let words = text::fit(&words, place.width.into(), scene.symbols);
    scene.put(place, 2, Line::styled(words, scene.theme.muted));
}

/// `+12 ms`.
fn apart(measured: &Measured) -> String {
    let theory = measured.theory.quantile(0.5);
    let Some(seen) = measured.quantile(0.5) else { return text::UNKNOWN.into() };
    let sign = if seen >= theory { '+' } else { '-' };
    format!("{sign}{}", text::millis((seen - theory).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::as_ms;

    /// The delay at which a bucket begins, for people.
    fn begins(bucket: u8) -> String {
        text::millis(as_ms(Transits::lower_edge(bucket)))
    }

    #[test]
    fn the_axis_has_what_theory_has_and_what_was_seen() {
        let theory = Erlang { hops: 3, mean_ms: 200.0 };
        let mut measured = Measured { transits: Transits::default(), theory };
        let expected = range(&measured);
        assert_eq!(
            [*expected.start(), *expected.end()].map(begins),
            ["38 ms", "2.05 s"],
            "from 38 ms to 2.25 s"
        );
        measured.transits.add(Duration::from_secs(100));
        assert_eq!(begins(*range(&measured).end()), "92.68 s");
        assert_eq!(range(&measured).start(), expected.start());
        // Of very many it is one that would leave no room for the others.
        measured.transits.buckets.insert(Transits::bucket(Duration::from_millis(500)), 5000);
        assert_eq!((range(&measured), beyond(&measured)), (expected, 1));
    }
}
