//! Where each node of the map lies. Nodes look as spacious as the terminal allows.

use contract::Role;
use ratatui::layout::Rect;

use super::Column;
use super::cells::Cells;
use crate::text;

/// Least columns between two columns of nodes, so that a link can be seen.
const LEAST_GAP: u16 = 3;
/// The same where nodes are boxes.
const LEAST_BOX_GAP: u16 = 5;
/// Most columns between two columns of nodes: further apart, they no longer look connected.
const MOST_GAP: u16 = 22;
/// Least and most columns of a box.
const BOX_WIDTH: (u16, u16) = (15, 24);

/// Most nodes of a column that find a place. More would not fit into any terminal.
const MOST_NODES: u16 = 2000;

/// How a node looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// A cell among others.
    Cell,
    /// A line with glyph and name, and the rate where there is room.
    Line,
    /// Two lines: glyph and name, then the rate.
    Lines,
    /// A box of two lines.
    Box,
    /// A box of three lines.
    TallBox,
    /// A box of four lines.
    GrandBox,
}

impl Look {
    /// Rows that it takes.
    fn height(self) -> u16 {
        match self {
            Self::Cell | Self::Line => 1,
            Self::Lines => 2,
            Self::Box => 4,
            Self::TallBox => 5,
            Self::GrandBox => 6,
        }
    }

    /// Least and most rows between two of them.
    fn gap(self) -> (u16, u16) {
        match self {
            Self::Cell => (0, 0),
            Self::Line => (0, 1),
            Self::Lines => (1, 2),
            Self::Box | Self::TallBox => (0, 4),
            Self::GrandBox => (1, 4),
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
            Self::Cell | Self::Line | Self::Lines => 0,
            Self::Box => 1,
            Self::TallBox | Self::GrandBox => 2,
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
    /// How its cells lie, where its nodes are cells.
    pub(super) cells: Option<Cells>,
}

impl PlacedColumn {
    /// The row at which the links of a node begin and end.
    fn port(&self, node: usize) -> Option<u16> {
        self.slots.get(node).map(|slot| slot.y + self.look.port())
    }

    /// Where the links of a node begin.
    pub(super) fn start(&self, node: usize, air: u16) -> Option<(u16, u16)> {
        Some((self.area.right() + air, self.port(node)?))
    }

    /// Where links to a node end.
    pub(super) fn end(&self, node: usize, air: u16) -> Option<(u16, u16)> {
        Some((self.area.x.saturating_sub(1 + air), self.port(node)?))
    }

    /// The first row of its nodes, and the one after the last.
    pub(super) fn extent(&self) -> (u16, u16) {
        let top = self.slots.first().map_or(self.area.y, |slot| slot.y);
        let caption = self.cells.map_or(0, |_| Cells::CAPTION);
        (top, self.slots.last().map_or(top, |slot| slot.bottom() + caption))
    }

    /// Its middle column.
    pub(super) fn middle(&self) -> u16 {
        self.area.x + self.area.width / 2
    }

    /// How many nodes lie beside each other.
    pub(super) fn per_line(&self) -> usize {
        self.cells.map_or(1, |cells| usize::from(cells.per_line).max(1))
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
            let all = [Look::GrandBox, Look::TallBox, Look::Box, Look::Lines, Look::Line];
            let mut allowed = all.into_iter().filter(|look| boxes || *look < Look::Box);
            allowed.find(|look| look.fits(nodes, rows)).unwrap_or(Look::Cell)
        };
        // Layers look alike; so does everything else if it can.
        let largest = nodes.iter().copied().max().unwrap_or(1);
        let most = common_look(look(largest), boxes);
        let looks: Vec<Look> = nodes.iter().map(|&nodes| look(nodes).min(most)).collect();

        let used: u16 = widths.iter().sum::<u16>() + gap * (count - 1);
        let mut x = area.x + (area.width - used) / 2;
        let stacks: Vec<Stack> = nodes
            .iter()
            .zip(&looks)
            .zip(&widths)
            .map(|((&nodes, &look), &width)| Stack::new(look, nodes, width, rows))
            .collect();
        let tallest = stacks.iter().map(|stack| stack.height).max().unwrap_or(0).min(rows);
        let top = area.y + 2 + (rows - tallest) / 2;
        let mut placed = Vec::new();
        for (index, &width) in widths.iter().enumerate() {
            let stack = &stacks[index];
            let y = top + tallest.saturating_sub(stack.height) / 2;
            let column = Rect { x, y: area.y, width, height: area.height };
            let slots = stack.slots(Rect { y, ..column });
            let slots = slots.map(|slot| slot.intersection(area)).collect();
            placed.push(PlacedColumn {
                area: column,
                look: looks[index],
                slots,
                cells: stack.cells,
            });
            x += width + gap;
        }
        Some(Self { columns: placed, air: u16::from(!boxes && gap > LEAST_GAP) })
    }
}

/// Even where most columns are crowded, the others keep to lines rather than boxes beside them
/// only if boxes do not fit at all.
fn common_look(largest: Look, boxes: bool) -> Look {
    match (boxes, largest) {
        (true, Look::Box | Look::TallBox | Look::GrandBox) => largest,
        (true, _) => Look::TallBox,
        (false, _) => Look::Lines,
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
    let least_box = widest.saturating_add(2).max(BOX_WIDTH.0);
    if u32::from(least_box) * u32::from(count) + u32::from(LEAST_BOX_GAP * between)
        <= u32::from(width)
    {
        let rest = width - least_box * count;
        let gap = rest.checked_div(between).unwrap_or(0).min(MOST_GAP * 2 / 3);
        let rest = rest - gap * between;
        let own = (least_box + rest / count).min(BOX_WIDTH.1.max(least_box));
        let rest = width - own * count;
        let gap = rest.checked_div(between).unwrap_or(0).min(MOST_GAP);
        return Some((vec![own; count.into()], gap, true));
    }
    let used: u32 = names.iter().map(|&name| u32::from(name)).sum();
    let used = u16::try_from(used).ok()?;
    let rest = width.checked_sub(used.checked_add(LEAST_GAP * between)?)?;
    let gap = LEAST_GAP + rest.checked_div(between).unwrap_or(0);
    Some((names.to_vec(), gap.min(MOST_GAP), false))
}

/// The nodes of a column one below the other, or as cells.
struct Stack {
    look: Look,
    nodes: u16,
    /// Rows between two of them.
    gap: u16,
    /// Rows of all together.
    height: u16,
    cells: Option<Cells>,
}

impl Stack {
    fn new(look: Look, nodes: u16, width: u16, rows: u16) -> Self {
        if look == Look::Cell {
            let cells = Cells::new(nodes, width, rows);
            let height = cells.height() + Cells::CAPTION;
            return Self { look, nodes, gap: 0, height, cells: Some(cells) };
        }
        let own = nodes * look.height();
        let between = nodes.saturating_sub(1);
        let gap = rows.saturating_sub(own).checked_div(between).unwrap_or(0).min(look.gap().1);
        Self { look, nodes, gap, height: own + gap * between, cells: None }
    }

    fn slots(&self, area: Rect) -> impl Iterator<Item = Rect> + '_ {
        let height = self.look.height();
        (0..self.nodes).map(move |node| match &self.cells {
            Some(cells) => cells.slot(node, area),
            None => Rect { y: area.y + node * (height + self.gap), height, ..area },
        })
    }
}
