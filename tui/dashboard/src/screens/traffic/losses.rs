//! Packets that were given up, by node and reason, and packets that were passed on and never came.

use contract::Role;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{padded, so_far};
use crate::drops::DropReason;
use crate::model::Model;
use crate::regions::Target;
use crate::scene::{Highlight, Scene};
use crate::state::traffic::{Lost, PassedOn, Window, second};
use crate::state::{Devnet, Moment, as_f64};
use crate::text;

/// Packets that are missing on the way to a node, of so many: from this share on it is worth a row.
const LOSSY: f64 = 0.01;

/// A row.
enum Row {
    /// A node gave packets up.
    Dropped(Lost),
    /// Packets did not come.
    Missing {
        /// Where to.
        node: String,
        /// How many.
        count: u64,
        /// Of so many.
        of: u64,
    },
}

impl Row {
    fn node(&self) -> &str {
        match self {
            Self::Dropped(lost) => &lost.node,
            Self::Missing { node, .. } => node,
        }
    }
}

/// Names of the nodes that have a row, each once.
pub(super) fn names(devnet: &Devnet, window: Window, now: Moment) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows(devnet, window, now) {
        if !names.iter().any(|name| name == row.node()) {
            names.push(row.node().to_owned());
        }
    }
    names
}

/// What is missing first, then what was dropped, the most first.
fn rows(devnet: &Devnet, window: Window, now: Moment) -> Vec<Row> {
    let lossy = devnet.nodes.iter().filter_map(|node| {
        // Who sends to layer 1 does not report to the directory.
        let is_behind = node.status.role == Role::Provider || node.status.layer > Some(1);
        let passed_on = devnet.traffic.rates.passed_on(node.name(), window, second(now));
        let count = missing(passed_on).filter(|_| is_behind)?;
        Some(Row::Missing { node: node.name().to_owned(), count, of: passed_on.towards })
    });
    let mut rows: Vec<Row> = lossy.collect();
    rows.extend(devnet.traffic.losses.window(window, second(now)).into_iter().map(Row::Dropped));
    rows
}

/// The packets that did not come, where they are more than reports that do not fall together: those of
/// sender and receiver are up to a second apart at one end of the window, and a step at the other.
fn missing(of: PassedOn) -> Option<u64> {
    let count = of.towards.saturating_sub(of.taken);
    let apart = of.towards.saturating_mul(of.step + 1) / of.seconds.max(1);
    let is_lossy = count > apart.max(1) && as_f64(count) > LOSSY * as_f64(of.towards);
    is_lossy.then_some(count)
}

/// Draws the pane.
pub(super) fn draw(
    model: &Model,
    devnet: &Devnet,
    area: Rect,
    focused: bool,
    scene: &mut Scene<'_>,
) {
    let window = model.screens.traffic.window;
    let inner = padded(scene.pane(area, "Losses by reason", focused));
    let note = so_far(window, devnet, scene);
    scene.edge_note(area, false, Line::styled(note, scene.theme.muted));
    if devnet.traffic.counted_for(window, scene.now).is_none() {
        scene.nothing_yet(inner, "waiting for nodes to report: each does once a second");
        return;
    }
    let rows = rows(devnet, window, scene.now);
    if rows.is_empty() {
        let before = before(devnet);
        let words = format!("nothing was dropped, and no link lost anything{before}");
        let words = text::fit(&words, inner.width.into(), scene.symbols);
        scene.put(
            inner,
            inner.height.saturating_sub(1) / 2,
            Line::styled(words, scene.theme.ok).centered(),
        );
        return;
    }
    let head = format!("{:<12} {:>8}  {}", "node", "packets", "why");
    scene.put(inner, 0, Line::styled(head, scene.theme.muted));
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let selected = rows.iter().position(|row| Some(row.node()) == model.selected.as_deref());
    let highlight = Highlight::focused(focused);
    scene.list(list, rows.len(), selected, highlight, |scene, row, place| {
        scene.put(place, 0, line(&rows[row], scene));
        Some(Target::Node(rows[row].node().to_owned()))
    });
}

/// What nodes dropped before somebody looked.
fn before(devnet: &Devnet) -> String {
    let counted = devnet.nodes.iter().filter_map(|node| node.metrics.as_ref());
    let dropped = counted.flat_map(|metrics| metrics.dropped.values());
    let dropped = dropped.fold(0, |sum: u64, count| sum.saturating_add(*count));
    if dropped == 0 { String::new() } else { format!("; {dropped} before") }
}

fn line(row: &Row, scene: &Scene<'_>) -> Line<'static> {
    let name = text::fit(row.node(), 12, scene.symbols);
    match row {
        Row::Dropped(lost) => {
            let meaning = DropReason::of(&lost.reason).map_or("", DropReason::meaning);
            let reason = text::visible(&lost.reason, scene.symbols);
            Line::from(vec![
                Span::raw(format!("{name:<12} {:>8}  ", lost.count)),
                Span::styled(format!("{reason:<12} "), scene.theme.warn),
                Span::styled(meaning, scene.theme.muted),
            ])
        }
        Row::Missing { count, of, .. } => {
            let percent = as_f64(*count) * 100.0 / as_f64((*of).max(1));
            Line::from(vec![
                Span::raw(format!("{name:<12} {count:>8}  ")),
                Span::styled("lossy link   ", scene.theme.bad),
                Span::styled(format!("{percent:.0} % of {of} did not come"), scene.theme.muted),
            ])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_that_do_not_fall_together_are_no_loss() {
        let missing = |count, towards, seconds, step| {
            missing(PassedOn { towards, taken: towards - count, seconds, step })
        };
        // A hundred a second for a minute, of which two seconds may be underway.
        assert_eq!(missing(200, 6000, 60, 1), None);
        assert_eq!(missing(201, 6000, 60, 1), Some(201));
        assert_eq!(missing(1, 20, 60, 1), None);
        // Of a long time, one in a hundred is more than that.
        assert_eq!(missing(3700, 360_000, 3600, 10), Some(3700));
        assert_eq!(missing(3500, 360_000, 3600, 10), None);
        // An hour of which half a minute is known has begun in the middle of a step.
        assert_eq!(missing(66, 1980, 30, 10), None);
        assert_eq!(missing(0, 0, 0, 1), None);
    }
}
