//! Where each node of the map lies. Nodes look as spacious as the terminal allows.

use contract::Role;
use ratatui::layout::Rect;

use crate::text;

use super::Column;

/// Least columns between two columns of nodes, so that a link can be seen.
const LEAST_GAP: u16 = 3;
/// The same where nodes are boxes.
const LEAST_BOX_GAP: u16 = 5;
/// Most columns between two columns of nodes: further apart, they no longer look connected.
const MOST_GAP: u16 = 22;
/// Least and most columns of a box.
const BOX_WIDTH: (u16, u16) = (15, 22);

/// Most nodes of a column that find a place. More would not fit into any terminal.
const MOST_NODES: u16 = 2000;

/// How a node looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// A glyph among others.
    Glyph,
    /// A line with glyph, name and rate.
    Line,
    /// Two lines: glyph and name, then the rate.
    Lines,
    /// A box of two lines.
    Box,
    /// A box of three lines.
    TallBox,
}

impl Look {
    /// Rows that it takes.
    fn height(self) -> u16 {
        match self {
            Self::Glyph | Self::Line => 1,
            Self::Lines => 2,
            Self::Box => 4,
            Self::TallBox => 5,
        }
    }

    /// Least and most rows between two of them.
    fn gap(self) -> (u16, u16) {
        match self {
            Self::Glyph => (0, 0),
            Self::Line => (0, 1),
            Self::Lines => (1, 2),
            Self::Box | Self::TallBox => (0, 4),
        }
    }

    /// Whether so many fit into these rows.
    fn fits(self, nodes: u16, rows: u16) -> bool {
        let gaps = self.gap().0 * nodes.saturating_sub(1);
        nodes.saturating_mul(self.height()).saturating_add(gaps) <= rows
    }

    /// The row at which links begin and end.
    fn port(self) -> u16 {
        match self {
            Self::Glyph | Self::Line | Self::Lines => 0,
            Self::Box => 1,
            Self::TallBox => 2,
        }
    }
}

/// A column in its place.
#[derive(Clone, Debug)]
pub(super) struct PlacedColumn {
    /// Where it is, with its heading.
    pub(super) area: Rect,
    /// How its nodes look.
    pub(super) look: Look,
    /// Where each node is.
    pub(super) slots: Vec<Rect>,
}

impl PlacedColumn {
    /// The row at which the links of a node begin and end.
    pub(super) fn port(&self, node: usize) -> Option<u16> {
        self.slots.get(node).map(|slot| slot.y + self.look.port())
    }
}

/// All columns in their places.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    /// In order.
    pub(super) columns: Vec<PlacedColumn>,
    /// Columns between a node and its links: boxes have a border, names need air.
    pub(super) air: u16,
}

impl Placement {
    /// Places columns side by side; none if there is no room for a map.
    pub(super) fn new(columns: &[Column<'_>], area: Rect) -> Option<Self> {
        let count = u16::try_from(columns.len()).ok().filter(|&count| count > 0)?;
        // The heading and a row of air.
        let rows = area.height.checked_sub(2).filter(|&rows| rows > 0)?;
        let names: Vec<u16> = columns.iter().map(widest).collect();
        let (widths, gap, boxes) = side_by_side(&names, count, area.width)?;

        let nodes: Vec<u16> = columns
            .iter()
            .map(|column| u16::try_from(column.nodes.len()).unwrap_or(u16::MAX).min(MOST_NODES))
            .collect();
        let look = |nodes: u16| {
            let all = [Look::TallBox, Look::Box, Look::Lines, Look::Line];
            let allowed = all.into_iter().filter(|look| boxes || *look < Look::Box);
            allowed.into_iter().find(|look| look.fits(nodes, rows)).unwrap_or(Look::Glyph)
        };
        // Layers look alike; so does everything else if it can.
        let largest = nodes.iter().copied().max().unwrap_or(1);
        let common = look(largest).max(Look::Line);
        let looks: Vec<Look> =
            nodes.iter().map(|&nodes| look(nodes).min(common_look(common, boxes))).collect();

        let used: u16 = widths.iter().sum::<u16>() + gap * (count - 1);
        let mut x = area.x + (area.width - used) / 2;
        let heights: Vec<(u16, u16)> = nodes
            .iter()
            .zip(&looks)
            .zip(&widths)
            .map(|((&nodes, &look), &width)| stack(look, nodes, width, rows))
            .collect();
        let tallest = heights.iter().map(|(height, _)| *height).max().unwrap_or(0).min(rows);
        let top = area.y + 2 + (rows - tallest) / 2;
        let mut placed = Vec::new();
        for (index, &width) in widths.iter().enumerate() {
            let (height, gap_rows) = heights[index];
            let y = top + tallest.saturating_sub(height) / 2;
            let column = Rect { x, y: area.y, width, height: area.height };
            let place = Rect { y, ..column };
            let slots = slots(looks[index], nodes[index], place, gap_rows, rows);
            let slots = slots.into_iter().map(|slot| slot.intersection(area)).collect();
            placed.push(PlacedColumn { area: column, look: looks[index], slots });
            x += width + gap;
        }
        Some(Self { columns: placed, air: u16::from(!boxes && gap > LEAST_GAP) })
    }
}

/// Even where most columns are crowded, the others keep to lines rather than boxes beside them
/// only if boxes do not fit at all.
fn common_look(common: Look, boxes: bool) -> Look {
    if boxes && common >= Look::Box {
        common
    } else if boxes {
        Look::TallBox
    } else {
        Look::Lines
    }
}

/// Columns of the widest name with its glyph.
fn widest(column: &Column<'_>) -> u16 {
    let names = column.nodes.iter().map(|node| {
        // A crowd's name is followed by its size.
        let size = if node.status.role == Role::Crowd { 4 } else { 0 };
        text::width(node.name()) + size
    });
    let widest = names.max().unwrap_or(0).max(7) + 2;
    u16::try_from(widest).unwrap_or(u16::MAX)
}

/// Widths of the columns, the gap between them, and whether nodes can be boxes.
fn side_by_side(names: &[u16], count: u16, width: u16) -> Option<(Vec<u16>, u16, bool)> {
    let between = count - 1;
    let widest = names.iter().copied().max()?;
    let least_box = (widest + 2).max(BOX_WIDTH.0);
    if least_box * count + LEAST_BOX_GAP * between <= width {
        let rest = width - least_box * count;
        let gap = rest.checked_div(between).unwrap_or(0).min(MOST_GAP * 2 / 3);
        let rest = rest - gap * between;
        let own = (least_box + rest / count).min(BOX_WIDTH.1.max(least_box));
        let rest = width - own * count;
        let gap = rest.checked_div(between).unwrap_or(0).min(MOST_GAP);
        return Some((vec![own; count.into()], gap, true));
    }
    let used: u16 = names.iter().sum();
    let rest = width.checked_sub(used + LEAST_GAP * between)?;
    // What is left goes to the gaps, a little to rates beside the names.
    let gap = LEAST_GAP + rest.checked_div(between).unwrap_or(0);
    Some((names.to_vec(), gap.min(MOST_GAP), false))
}

/// Height of a column of nodes and the rows between two of them.
fn stack(look: Look, nodes: u16, width: u16, rows: u16) -> (u16, u16) {
    if look == Look::Glyph {
        let grid = Grid::new(nodes, width, rows);
        // A line below says how they fare.
        return (grid.lines * grid.pitch + 1, 0);
    }
    let own = nodes * look.height();
    let between = nodes.saturating_sub(1);
    let gap = rows.saturating_sub(own).checked_div(between).unwrap_or(0).min(look.gap().1);
    (own + gap * between, gap)
}

/// Glyphs in lines: with air between them where there is room.
struct Grid {
    /// Columns from one glyph to the next.
    cell: u16,
    per_line: u16,
    lines: u16,
    /// Rows from one line to the next.
    pitch: u16,
}

impl Grid {
    fn new(nodes: u16, width: u16, rows: u16) -> Self {
        let spaced = |cell: u16, pitch: u16| {
            let per_line = (width / cell).max(1);
            Self { cell, per_line, lines: nodes.div_ceil(per_line), pitch }
        };
        let roomy = [spaced(2, 2), spaced(2, 1)];
        let fits = |grid: &Self| grid.lines * grid.pitch < rows;
        roomy.into_iter().find(fits).unwrap_or_else(|| spaced(1, 1))
    }
}

fn slots(look: Look, nodes: u16, area: Rect, gap: u16, rows: u16) -> Vec<Rect> {
    if look == Look::Glyph {
        let grid = Grid::new(nodes, area.width, rows);
        return (0..nodes)
            .map(|node| Rect {
                x: area.x + node % grid.per_line * grid.cell,
                y: area.y + node / grid.per_line * grid.pitch,
                width: 1,
                height: 1,
            })
            .collect();
    }
    let height = look.height();
    (0..nodes).map(|node| Rect { y: area.y + node * (height + gap), height, ..area }).collect()
}
