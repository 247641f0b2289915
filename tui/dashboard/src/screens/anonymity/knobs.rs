//! The knobs, and what would be if they were applied.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use vantage::{Expectation, Report};

use super::bits::bits;
use super::turned::is_on;
use super::{Knob, padded};
use crate::action::Action;
use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::Devnet;
use crate::text;

/// Columns of the pane, and where the terminal is narrow: then it has what is, or what would be.
const WIDTH: u16 = 34;
const NARROW: u16 = 25;

/// From this width of the screen on there is room for both.
const WITH_BOTH: u16 = 76;

/// Rows of the knobs.
const ROWS: u16 = 6;

/// Columns of a knob's name.
const NAME: usize = 11;

/// Columns of what is and of what would be.
const COLUMN: usize = 9;

/// Columns of the pane on a screen of this width.
pub(super) fn width(screen: u16) -> u16 {
    if screen < WITH_BOTH { NARROW } else { WIDTH }
}

/// Draws the pane.
pub(super) fn draw(
    model: &Model,
    devnet: &Devnet,
    report: &Report,
    area: Rect,
    scene: &mut Scene<'_>,
) {
    let view = &model.screens.anonymity;
    let inner = padded(scene.pane(area, "Knobs", true));
    let list = Rect { height: inner.height.min(ROWS), ..inner };
    let row = Knob::ALL.iter().position(|knob| *knob == view.knob);
    scene.list(list, Knob::ALL.len(), row, Highlight::Strong, |scene, row, place| {
        let knob = Knob::ALL[row];
        let turned = view.turned.of(knob, &devnet.info);
        let value = knob.value(&devnet.info);
        let (less, more) = if scene.symbols.unicode { ("◂", "▸") } else { ("<", ">") };
        let shown = written(knob, turned.unwrap_or(value));
        let mut line = vec![
            Span::raw(format!("{:<NAME$}", knob.name())),
            Span::styled(format!("{less} "), scene.theme.muted),
            Span::styled(
                shown,
                if turned.is_some() { scene.theme.warn } else { scene.theme.accent },
            ),
            Span::styled(format!(" {more}"), scene.theme.muted),
        ];
        if turned.is_some() {
            line.push(Span::styled(format!(" ({})", written(knob, value)), scene.theme.muted));
        }
        scene.put(place, 0, Line::from(line));
        Some(Target::Knob(knob))
    });
    let below = Rect {
        y: inner.y.saturating_add(ROWS),
        height: inner.height.saturating_sub(ROWS),
        ..inner
    };
    let vantage = devnet.watch.vantage();
    let would_be = view.turned.would_be(report.settings, &devnet.info);
    let would_be = would_be.map(|settings| vantage.expected(&settings));
    // Each packet that comes is acknowledged with another one.
    let each = if report.settings.acks { 2.0 } else { 1.0 };
    table(&report.expected, would_be.as_ref(), each, below, scene);
    let note = if would_be.is_none() {
        let (less, more) = (scene.key(Action::Left), scene.key(Action::Right));
        format!("{less} {more} turns")
    } else if let Some(why) = model.refusal(Action::Apply) {
        why.split(':').next().unwrap_or(why).to_owned()
    } else {
        format!("{} applies", scene.key(Action::Apply))
    };
    let style = if would_be.is_some() { scene.theme.warn } else { scene.theme.muted };
    scene.edge_note(area, true, Line::styled(note, style));
}

/// How a figure is written.
type Written<'w> = &'w dyn Fn(&Expectation) -> String;

/// What theory expects, now and of the knobs as they stand, where `each` packet of a sender stands for so
/// many.
fn table(
    now: &Expectation,
    would_be: Option<&Expectation>,
    each: f64,
    below: Rect,
    scene: &mut Scene<'_>,
) {
    let has_both = below.width > NARROW;
    let head = match would_be {
        Some(_) if has_both => format!("{:>COLUMN$} {:>COLUMN$}", "expected", "would be"),
        Some(_) => "would be".to_owned(),
        None if has_both => format!("{:>COLUMN$} {:COLUMN$}", "expected", ""),
        None => "expected".to_owned(),
    };
    scene.put_right(below, 0, Line::styled(head, scene.theme.muted));
    let figures: [(&str, Written<'_>); 5] = [
        ("bits", &|of| bits(of.sender_bits)),
        ("pool", &|of| format!("{:.1}", of.pool)),
        ("latency", &|of| text::millis(of.latency_s * 1000.0)),
        ("cost", &|of| cost(of.cost_bytes_per_s)),
        // Of the whole network: what the machine has to carry.
        ("packets", &|of| text::per_second(Some(of.rate * each))),
    ];
    for (row, (name, of)) in (1..).zip(figures) {
        scene.put(below, row, Line::styled(name, scene.theme.muted));
        let mut line = Vec::new();
        if has_both || would_be.is_none() {
            line.push(Span::raw(format!("{:>COLUMN$}", of(now))));
        }
        let other = would_be.map(of).unwrap_or_default();
        if has_both {
            line.push(Span::styled(format!(" {other:>COLUMN$}"), scene.theme.warn));
        } else if would_be.is_some() {
            line.push(Span::styled(other, scene.theme.warn));
        }
        scene.put_right(below, row, Line::from(line));
    }
}

/// Bytes a second that a client sends.
fn cost(bytes_per_s: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let bytes = bytes_per_s.round() as u64;
    format!("{}/s", text::bytes(bytes))
}

/// A knob's value with its unit.
pub(super) fn written(knob: Knob, value: f64) -> String {
    match knob {
        // Whole seconds leave room for the value beside them.
        Knob::HopDelay | Knob::LoopCover | Knob::Slot
            if value >= 1000.0 && value % 1000.0 == 0.0 =>
        {
            format!("{:.0} s", value / 1000.0)
        }
        Knob::HopDelay | Knob::LoopCover | Knob::Slot => text::millis(value),
        Knob::SlotCover => if is_on(value) { "on" } else { "off" }.to_owned(),
        Knob::Crowd | Knob::Width => format!("{value:.0}"),
    }
}
