//! A column with more nodes than fit as names: a cell for each, as high as its rate.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Column;
use super::layout::PlacedColumn;
use crate::scene::{Highlight, Scene};
use crate::state::{Devnet, Mark, Node};
use crate::text;

/// How cells lie in lines: with air between them where there is room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    /// Columns of a cell.
    width: u16,
    /// Columns from one cell to the next.
    pitch: u16,
    /// Cells beside each other.
    pub(super) per_line: u16,
    lines: u16,
    /// Rows from one line to the next.
    row_pitch: u16,
}

impl Cells {
    /// Rows below the cells: how they fare, and the selected one.
    pub(super) const CAPTION: u16 = 2;

    pub(super) fn new(nodes: u16, columns: u16, rows: u16) -> Self {
        let spaced = |width: u16, air: u16, row_pitch: u16| {
            let pitch = width + air;
            let per_line = ((columns + air) / pitch).max(1);
            Self { width, pitch, per_line, lines: nodes.div_ceil(per_line), row_pitch }
        };
        let roomy =
            [spaced(3, 1, 2), spaced(2, 1, 2), spaced(2, 1, 1), spaced(1, 1, 2), spaced(1, 1, 1)];
        let fits = |cells: &Self| cells.width <= columns && cells.height() + Self::CAPTION <= rows;
        roomy.into_iter().find(fits).unwrap_or_else(|| spaced(1, 0, 1))
    }

    /// Rows of all lines.
    pub(super) fn height(&self) -> u16 {
        (self.lines * self.row_pitch + 1).saturating_sub(self.row_pitch)
    }

    /// Where the cell of a node is.
    pub(super) fn slot(&self, node: u16, area: Rect) -> Rect {
        Rect {
            x: area.x + node % self.per_line * self.pitch,
            y: area.y + node / self.per_line * self.row_pitch,
            width: self.width,
            height: 1,
        }
    }
}

/// Draws the cells of a column. A node that is ready shows its rate beside that of the busiest; another
/// shows its state.
pub(super) fn draw(
    devnet: &Devnet,
    column: &Column<'_>,
    place: &PlacedColumn,
    selected: Option<&str>,
    scene: &mut Scene<'_>,
) {
    let rate = |node: &Node| super::nodes::meter(node).rate(scene.now.t);
    // A crowd is many clients: beside it, all others would look idle.
    let single = column.nodes.iter().filter(|node| node.status.role != contract::Role::Crowd);
    let busiest = single.filter_map(|node| rate(node)).fold(0.0, f64::max);
    let marks: Vec<Mark> =
        column.nodes.iter().map(|node| devnet.health(node, scene.now).mark).collect();
    let cells: Vec<(&str, Style)> = column
        .nodes
        .iter()
        .zip(&marks)
        .map(|(node, &mark)| match (mark, rate(node)) {
            (Mark::Ready, Some(rate)) => heat(rate, busiest, scene),
            (Mark::Ready, None) => (text::UNKNOWN, scene.theme.muted),
            (mark, _) => (scene.symbols.mark(mark), scene.theme.mark(mark)),
        })
        .collect();
    for (((node, &slot), (symbol, style)), mark) in
        column.nodes.iter().zip(&place.slots).zip(cells).zip(&marks)
    {
        let ready = *mark == Mark::Ready;
        let words = if ready { symbol.repeat(slot.width.into()) } else { symbol.to_owned() };
        scene.put(slot, 0, Line::styled(words, style));
        if selected == Some(node.name()) {
            scene.select(slot, Highlight::Strong);
        }
    }
    draw_caption(column, place, &marks, selected, scene);
}

/// The glyph of a rate beside the busiest node's.
fn heat(rate: f64, busiest: f64, scene: &Scene<'_>) -> (&'static str, Style) {
    let steps = scene.symbols.heat;
    let share = if busiest > 0.0 { (rate / busiest).clamp(0.0, 1.0) } else { 0.0 };
    if rate < 0.05 {
        return (steps[0], scene.theme.muted);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a handful of steps"
    )]
    let step = ((share * (steps.len() - 1) as f64).round() as usize).clamp(1, steps.len() - 1);
    let [low, medium, high] = scene.theme.link;
    let style = match share {
        share if share < 1.0 / 3.0 => low,
        share if share < 2.0 / 3.0 => medium,
        _ => high,
    };
    (steps[step], style)
}

/// Below the cells: how many are in which state, and the name and rate of the selected one.
fn draw_caption(
    column: &Column<'_>,
    place: &PlacedColumn,
    marks: &[Mark],
    selected: Option<&str>,
    scene: &mut Scene<'_>,
) {
    /// Words may reach so far into the gap.
    const BEYOND: u16 = 6;
    let Some(last) = place.slots.last() else { return };
    let below = Rect {
        y: last.y + 1,
        height: Cells::CAPTION,
        width: place.area.width + BEYOND,
        ..place.area
    };
    let mut spans = Vec::new();
    for (mark, word) in [
        (Mark::Ready, "ready"),
        (Mark::Starting, "starting"),
        (Mark::Late, "late"),
        (Mark::Gone, "gone"),
        (Mark::BackingOff, "backing off"),
        (Mark::Failed, "failed"),
        (Mark::Paused, "paused"),
        (Mark::Stopped, "stopped"),
    ] {
        let count = marks.iter().filter(|other| **other == mark).count();
        if count > 0 {
            let gap = if spans.is_empty() { "" } else { ", " };
            let style =
                if mark == Mark::Ready { scene.theme.muted } else { scene.theme.mark(mark) };
            spans.push(Span::styled(format!("{gap}{count} {word}"), style));
        }
    }
    scene.put(below, 0, Line::from(spans));
    if let Some(node) = column.nodes.iter().find(|node| selected == Some(node.name())) {
        let rate = text::per_second(super::nodes::meter(node).rate(scene.now.t));
        let words = format!("{} {} {rate}", scene.symbols.cursor, node.name());
        scene.put(below, 1, Line::styled(words, scene.theme.accent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_has_a_cell_of_its_own_inside_the_column() {
        for nodes in [1, 7, 33, 40, 272] {
            for (columns, rows) in [(9, 10), (15, 20), (24, 34), (1, 1)] {
                let cells = Cells::new(nodes, columns, rows);
                let area = Rect::new(0, 0, columns, rows);
                let slots: Vec<Rect> = (0..nodes).map(|node| cells.slot(node, area)).collect();
                for (index, slot) in slots.iter().enumerate() {
                    assert!(slot.right() <= columns, "{nodes} in {columns}: {slot:?}");
                    assert!(slots[..index].iter().all(|other| !other.intersects(*slot)));
                }
            }
        }
        let cells = Cells::new(33, 15, 20);
        assert!(cells.height() + Cells::CAPTION <= 20);
    }
}
