//! The bits over time, with what theory expected as a second line, and marks where a setting changed.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use vantage::{Report, Settings};

use super::{Knob, knobs, pane};
use crate::model::Model;
use crate::scene::Scene;
use crate::screens::traffic::plot;
use crate::state::{Change, Devnet, as_f64};
use crate::text;

/// Columns of the axis.
const AXIS: u16 = 6;

/// Draws the pane.
pub(super) fn draw(
    model: &Model,
    devnet: &Devnet,
    report: &Report,
    area: Rect,
    scene: &mut Scene<'_>,
) {
    let window = model.screens.anonymity.window;
    let inner = pane("Bits over time", &report.adversary, window.words(), area, scene);
    let watch = &devnet.watch;
    let measured: Vec<Option<f64>> =
        watch.vantage().curve(Duration::from_secs(window.seconds())).collect();
    legend(area, scene);
    if measured.iter().all(Option::is_none) {
        scene
            .nothing_yet(inner, "no packet has come out yet of which somebody could be the sender");
        return;
    }
    let [labels, plot_area, time] = rows(inner);
    let curve = Rect {
        x: plot_area.x.saturating_add(AXIS),
        width: plot_area.width.saturating_sub(AXIS),
        ..plot_area
    };
    let end = watch.vantage().counted_until();
    let expected = expected(watch.changes(), end, window.seconds());
    let known = measured.iter().chain(&expected).flatten().copied();
    let top = known.fold(report.most_bits, f64::max).max(1.0);
    let columns = usize::from(curve.width);
    plot::area(scene, curve, &plot::resample(&measured, columns), top, scene.theme.link[1]);
    line(scene, curve, &plot::resample(&expected, columns), top);
    scene.put(plot_area, 0, Line::styled(format!("{top:.1}"), scene.theme.muted));
    let last = plot_area.height.saturating_sub(1);
    scene.put(plot_area, last, Line::styled("0", scene.theme.muted));
    marks(watch.changes(), end, window.seconds(), (labels, curve), scene);
    let words = |at: &str| Line::styled(at.to_owned(), scene.theme.muted);
    let (begin, now) = (words(&format!("{} ago", window.words())), words("now"));
    let time = Rect { x: curve.x, width: curve.width, ..time };
    if usize::from(time.width) > begin.width() + now.width() + 2 {
        scene.put(time, 0, begin);
        scene.put_right(time, 0, now);
    }
}

/// What the glyphs are, at the lower edge.
fn legend(area: Rect, scene: &mut Scene<'_>) {
    let (line, mark) = strokes(scene);
    let words = Line::from(vec![
        Span::styled(scene.symbols.full, scene.theme.link[1]),
        Span::styled(" measured ", scene.theme.muted),
        Span::styled(line, scene.theme.packet),
        Span::styled(" expected ", scene.theme.muted),
        Span::styled(mark, scene.theme.warn),
        Span::styled(" changed", scene.theme.muted),
    ]);
    scene.edge_note(area, true, words);
}

/// How an expectation and a change are drawn.
fn strokes(scene: &Scene<'_>) -> (&'static str, &'static str) {
    if scene.symbols.unicode { ("╌", "┊") } else { ("-", ":") }
}

/// Rows of the labels, the curve and the time.
fn rows(inner: Rect) -> [Rect; 3] {
    use ratatui::layout::{Constraint, Layout};
    let rows = [Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)];
    Layout::vertical(rows).areas(inner)
}

/// What theory expected at each second of so many up to `end`.
fn expected<'c>(
    changes: impl Iterator<Item = &'c Change>,
    end: contract::Time,
    seconds: u64,
) -> Vec<Option<f64>> {
    let mut expected = vec![None; usize::try_from(seconds).unwrap_or(0)];
    let count = expected.len();
    for change in changes {
        let ago = end.saturating_since(change.at).as_secs();
        let from =
            count.saturating_sub(usize::try_from(ago).unwrap_or(usize::MAX).saturating_add(1));
        // Each holds until the next.
        expected[from..].fill(Some(change.expected.sender_bits));
    }
    expected
}

/// A line, a value a column.
fn line(scene: &mut Scene<'_>, place: Rect, values: &[Option<f64>], top: f64) {
    let (stroke, _) = strokes(scene);
    let rows = place.height.max(1);
    for (x, value) in (place.x..place.right()).zip(values) {
        let Some(value) = value else { continue };
        let up = plot::cells(value / top, rows).clamp(1, rows);
        scene.glyph((x, place.bottom() - up), stroke, scene.theme.packet);
    }
}

/// Where a setting changed, with words in the row of labels as far as there is room: the newest first.
fn marks<'c>(
    changes: impl DoubleEndedIterator<Item = &'c Change>,
    end: contract::Time,
    seconds: u64,
    (labels, curve): (Rect, Rect),
    scene: &mut Scene<'_>,
) {
    let changes: Vec<&Change> = changes.collect();
    let mut free = curve.right();
    for pair in changes.windows(2).rev() {
        let [before, change] = pair else { continue };
        let Some(words) = difference(&before.settings, &change.settings) else { continue };
        let ago = end.saturating_since(change.at).as_secs();
        if ago >= seconds || curve.width == 0 {
            break;
        }
        let share = 1.0 - (as_f64(ago) + 0.5) / as_f64(seconds.max(1));
        let x = curve.x + plot::cells(share, curve.width).min(curve.width - 1);
        let (_, stroke) = strokes(scene);
        for y in curve.y..curve.bottom() {
            scene.glyph((x, y), stroke, scene.theme.warn);
        }
        let width = u16::try_from(text::width(&words)).unwrap_or(u16::MAX);
        // Left of the mark where there is no room at its right.
        let begin = if x.saturating_add(width) <= free { x } else { free.saturating_sub(width) };
        if begin >= labels.x && begin.saturating_add(width) <= free {
            let place = Rect { x: begin, width, ..labels };
            scene.put(place, 0, Line::styled(words, scene.theme.warn));
            free = begin.saturating_sub(2);
        }
    }
}

/// What somebody changed, in a few words; none if it was nobody's doing but that of who came and went.
fn difference(before: &Settings, after: &Settings) -> Option<String> {
    let millis = |s: f64| s * 1000.0;
    let switch = |on: bool| f64::from(u8::from(on));
    let knobs = [
        (Knob::HopDelay, millis(before.hop_delay_s), millis(after.hop_delay_s)),
        (Knob::LoopCover, millis(before.loop_cover_s), millis(after.loop_cover_s)),
        (Knob::Slot, millis(before.slot_s), millis(after.slot_s)),
        (Knob::SlotCover, switch(before.slot_cover), switch(after.slot_cover)),
        (Knob::Width, before.width.into(), after.width.into()),
    ];
    let mut words: Vec<String> = knobs
        .into_iter()
        .filter(|(_, one, other)| (one - other).abs() > f64::EPSILON)
        .map(|(knob, _, value)| format!("{} {}", knob.name(), knobs::written(knob, value)))
        .collect();
    // When a network begins everybody comes, and nobody changed anything.
    if before.senders != after.senders && before.senders > 0 {
        words.push(text::plural(after.senders, "sender"));
    }
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::Time;

    fn settings() -> Settings {
        Settings {
            layers: 3,
            width: 2,
            senders: 10,
            hop_delay_s: 0.2,
            slot_s: 0.5,
            loop_cover_s: 1.0,
            acks: true,
            slot_cover: true,
        }
    }

    #[test]
    fn what_was_expected_holds_until_something_changes() {
        let change = |s: u64, settings: Settings| Change {
            at: Time::default() + Duration::from_secs(s),
            settings,
            expected: settings.expected(2396),
        };
        let short = Settings { hop_delay_s: 0.02, ..settings() };
        let changes = [change(6, settings()), change(8, short)];
        let end = Time::default() + Duration::from_secs(10);
        let expected = expected(changes.iter(), end, 7);
        let (long, short) = (changes[0].expected.sender_bits, changes[1].expected.sender_bits);
        assert!(short < long);
        let (long, short) = (Some(long), Some(short));
        assert_eq!(expected, [None, None, long, long, short, short, short]);
    }

    #[test]
    fn a_change_is_told_by_what_was_turned() {
        let now = settings();
        assert_eq!(difference(&now, &now), None);
        let other = Settings { hop_delay_s: 0.02, senders: 1, ..now };
        let words = difference(&now, &other);
        assert_eq!(words.as_deref(), Some("hop delay 20 ms, 1 sender"));
    }
}
