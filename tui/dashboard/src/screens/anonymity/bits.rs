//! The figures: how well senders are hidden, beside what theory expects; what limits that, and whether to
//! believe it.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use vantage::{Expectation, Limit, Report};

use super::{pane, watched};
use crate::scene::Scene;
use crate::screens::traffic::plot;
use crate::text;

/// Columns of the names of figures.
const NAME: u16 = 13;

/// Columns of a figure, before its bar.
const FIGURE: u16 = 19;

/// Below this the expectations of settings and of measured rates are one: half of what counts as agreement.
const SAME_BITS: f64 = 0.05;

/// Draws the pane.
pub(super) fn draw(report: &Report, area: Rect, scene: &mut Scene<'_>) {
    let inner = pane("Anonymity", &report.adversary, &watched(report), area, scene);
    let mut rows = Rows { place: inner, row: 0 };
    who(report, &mut rows, scene);
    expected(report, &mut rows, scene);
    pool(report, &mut rows, scene);
    limits(report, &mut rows, scene);
    trust(report, &mut rows, scene);
}

/// Rows of the pane, from its top.
struct Rows {
    place: Rect,
    row: u16,
}

impl Rows {
    /// The next row: its name, and the place behind it.
    fn next(&mut self, name: &'static str, scene: &mut Scene<'_>) -> Rect {
        let area = Rect {
            y: self.place.y.saturating_add(self.row),
            height: u16::from(self.row < self.place.height),
            ..self.place
        };
        self.row = self.row.saturating_add(1);
        scene.put(area, 0, Line::styled(name, scene.theme.muted));
        let left = NAME.min(area.width);
        Rect { x: area.x + left, width: area.width - left, ..area }
    }

    fn left(&self) -> u16 {
        self.place.height.saturating_sub(self.row)
    }
}

fn who(report: &Report, rows: &mut Rows, scene: &mut Scene<'_>) {
    let place = rows.next("who sent it?", scene);
    let Some(sender) = report.sender else {
        let words = match report.adversary {
            vantage::Who::Link(..) => "- (one link shows only how much is sent)",
            vantage::Who::All { .. } if report.senders == 0 => "- (nobody sends)",
            vantage::Who::All { .. } if report.watched_s < 1.0 => {
                "- (it was watched for less than 1 s)"
            }
            vantage::Who::All { .. } => "- (no packet has come out yet)",
        };
        scene.put(place, 0, Line::raw(text::fit(words, place.width.into(), scene.symbols)));
        return;
    };
    let doubted = !report.doubts.is_empty();
    let style = if doubted { scene.theme.warn } else { scene.theme.accent };
    let most = report.most_bits;
    let words = format!("{} of {:.2} bits", bits(sender.bits), most);
    figure(&words, sender.bits / most, style, place, scene);
    let place = rows.next("", scene);
    let mut like = vec![Span::raw(format!(
        "like {:.1} of {}",
        sender.like,
        if report.senders == 1 {
            "1 sender".to_owned()
        } else {
            format!("{} senders", report.senders)
        }
    ))];
    if doubted {
        like.push(Span::styled(", doubtful", scene.theme.warn));
    }
    scene.put(place, 0, Line::from(like));
    let place = rows.next("worst case", scene);
    let words = format!("{} bits", bits(sender.worst_bits));
    figure(&words, sender.worst_bits / most, style, place, scene);
}

/// A figure and its bar.
fn figure(words: &str, share: f64, style: Style, place: Rect, scene: &mut Scene<'_>) {
    scene.put(place, 0, Line::styled(words.to_owned(), style));
    let bar = Rect {
        x: place.x.saturating_add(FIGURE),
        width: place.width.saturating_sub(FIGURE),
        ..place
    };
    if bar.height > 0 {
        let share = if share.is_finite() { share } else { 0.0 };
        plot::bar(scene, bar, share, None, style);
    }
}

/// What theory says: of what is asked for, and of what really is sent where that makes a difference.
fn expected(report: &Report, rows: &mut Rows, scene: &mut Scene<'_>) {
    let of = &report.expected;
    let acks = if report.settings.acks { of.rate } else { 0.0 };
    let place = rows.next("expected", scene);
    // Formulas are about who sees links.
    let whence = if report.inside.is_some() { "as set, all honest" } else { "as set" };
    let words = expectation(of, whence, of.rate + acks, place.width);
    scene.put(place, 0, Line::raw(words));
    let Some(of) = &report.expected_as_measured else { return };
    if (of.sender_bits - report.expected.sender_bits).abs() >= SAME_BITS {
        let place = rows.next("", scene);
        let words = expectation(of, "as measured", report.rate + report.acks, place.width);
        scene.put(place, 0, Line::raw(words));
    }
}

/// An expectation and on what it rests, as far as there is room for it.
fn expectation(of: &Expectation, whence: &str, rate: f64, width: u16) -> String {
    let rough = if of.is_reliable { "" } else { ", roughly" };
    let figure = bits(of.sender_bits);
    let rate = text::per_second(Some(rate));
    let long = format!("{figure} bits by formula, {whence}: {rate} packets{rough}");
    let short = format!("{figure} {whence}, {rate}{rough}");
    if text::width(&long) <= usize::from(width) { long } else { short }
}

fn pool(report: &Report, rows: &mut Rows, scene: &mut Scene<'_>) {
    let place = rows.next("pool per mix", scene);
    let Some(pool) = report.pool else {
        let words = format!("- ({:.1} expected)", report.expected.pool);
        scene.put(place, 0, Line::raw(words));
        return;
    };
    let expected: Vec<f64> = report.pools.iter().filter_map(|pool| pool.expected).collect();
    let law = if scene.symbols.unicode { "λ·θ" } else { "r x d" };
    let of_law = expected.iter().sum::<f64>() / crate::state::as_f64(expected.len().max(1) as u64);
    scene.put(place, 0, Line::raw(format!("{pool:.1} packets ({law} = {of_law:.1})")));
}

fn limits(report: &Report, rows: &mut Rows, scene: &mut Scene<'_>) {
    let mut sentences = report.limits.iter();
    let Some(first) = sentences.next() else { return };
    let mut words = first.to_string();
    // The next one too, where it is about something else: what helps when that is mended.
    if let (Limit::Down { .. } | Limit::Disturbed { .. } | Limit::Corrupt { .. }, Some(next)) =
        (first, sentences.next())
    {
        words = format!("{words}; then {next}");
    }
    // What is said of trust keeps two rows.
    let most = rows.left().saturating_sub(2).clamp(1, 3);
    paragraph("limited by", &words, scene.theme.base, most, rows, scene);
}

/// A sentence in so many rows at most.
fn paragraph(
    name: &'static str,
    words: &str,
    style: Style,
    most: u16,
    rows: &mut Rows,
    scene: &mut Scene<'_>,
) {
    let words = text::visible(words, scene.symbols);
    let width = usize::from(rows.place.width.saturating_sub(NAME)).max(1);
    let lines = text::wrap(&words, width);
    let shown = lines.len().min(most.into());
    for (at, line) in lines.iter().take(shown).enumerate() {
        let place = rows.next(if at == 0 { name } else { "" }, scene);
        let is_cut = at + 1 == shown && shown < lines.len();
        let line = if is_cut {
            text::fit(&format!("{line} {}", lines[at + 1]), width, scene.symbols)
        } else {
            line.clone()
        };
        scene.put(place, 0, Line::styled(line, style));
    }
}

fn trust(report: &Report, rows: &mut Rows, scene: &mut Scene<'_>) {
    let left = rows.left().max(1);
    if !report.doubts.is_empty() {
        let words = report.doubts.join("; ");
        paragraph("trust", &format!("doubtful: {words}"), scene.theme.warn, left, rows, scene);
        return;
    }
    let calibration = match &report.calibration {
        Some(counted) => format!(
            "the true sender was given {:.3}, expected {:.3} ({} packets)",
            counted.given, counted.expected, counted.packets
        ),
        None => "no packet was compared with the truth yet".to_owned(),
    };
    let delays = match report.delay_distance {
        Some(distance) => format!("delays are exponential (KS {distance:.2})"),
        None => "too few delays to tell whether they are exponential".to_owned(),
    };
    let sound = report.calibration.is_some() && report.delay_distance.is_some();
    let (word, style) =
        if sound { ("sound", scene.theme.ok) } else { ("not known yet", scene.theme.muted) };
    paragraph("trust", &format!("{word}: {calibration}; {delays}"), style, left, rows, scene);
}

/// Bits, without a minus before zero.
pub(super) fn bits(bits: f64) -> String {
    format!("{:.2}", if bits.abs() < 0.005 { 0.0 } else { bits })
}
