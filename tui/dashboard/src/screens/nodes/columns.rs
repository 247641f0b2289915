//! The columns of the table of nodes, and which of them fit.

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Its name.
    Name,
    /// What it is.
    Role,
    /// Its layer.
    Layer,
    /// Its state, and why.
    State,
    /// How long it has run.
    Up,
    /// How often it was started again.
    Restarts,
    /// Its process id.
    Pid,
    /// Where it listens.
    Address,
    /// Packets taken per second.
    Received,
    /// Packets passed on per second.
    Sent,
    /// Packets that wait.
    Pool,
    /// Share of a core.
    Cpu,
    /// Resident memory.
    Memory,
}

impl Column {
    /// All of them.
    pub(crate) const ALL: [Self; 13] = [
        Self::Name,
        Self::Role,
        Self::Layer,
        Self::State,
        Self::Up,
        Self::Restarts,
        Self::Pid,
        Self::Address,
        Self::Received,
        Self::Sent,
        Self::Pool,
        Self::Cpu,
        Self::Memory,
    ];
}

/// How a column is laid out.
pub(super) struct Shape {
    /// Which one.
    pub(super) column: Column,
    /// Its title.
    pub(super) title: &'static str,
    width: u16,
    /// It ends at the right edge of the column.
    pub(super) right: bool,
    /// Columns with a high number go first when the terminal is narrow.
    rank: u8,
}

const fn shape(column: Column, title: &'static str, width: u16, right: bool, rank: u8) -> Shape {
    Shape { column, title, width, right, rank }
}

/// All columns, in order. The state's width is its least; it takes what is left. Each has room for its
/// title and the arrow of the one that rows are sorted by.
pub(super) const COLUMNS: [Shape; 13] = [
    shape(Column::Name, "NAME", 11, false, 0),
    shape(Column::Role, "ROLE", 9, false, 9),
    shape(Column::Layer, "LAYER", 6, true, 10),
    shape(Column::State, "STATE", 24, false, 0),
    shape(Column::Up, "UP", 9, true, 4),
    shape(Column::Restarts, "RESTARTS", 9, true, 6),
    shape(Column::Pid, "PID", 7, true, 7),
    shape(Column::Address, "ADDRESS", 15, false, 8),
    shape(Column::Received, "IN/s", 6, true, 1),
    shape(Column::Sent, "OUT/s", 6, true, 2),
    shape(Column::Pool, "POOL", 5, true, 3),
    shape(Column::Cpu, "CPU %", 6, true, 6),
    shape(Column::Memory, "MEM", 8, true, 5),
];

/// Columns of a higher rank than this are worth less than the reason for a state, which has so many
/// columns before they come.
const MOST_WANTED: u8 = 8;
const WIDE_STATE: u16 = 34;

/// Most columns of a name: clients and layouts name things as they like.
const MOST_NAME: u16 = 24;

/// The columns that fit, with their widths, where the longest name has so many columns.
pub(super) fn shown(width: u16, longest: u16) -> Vec<(&'static Shape, u16)> {
    let inside = width.saturating_sub(2);
    let least = |shape: &Shape, rank: u8| match shape.column {
        Column::Name => shape.width.max(longest.min(MOST_NAME)),
        Column::State if rank > MOST_WANTED => WIDE_STATE,
        _ => shape.width,
    };
    let mut ranks: Vec<u8> = COLUMNS.iter().map(|shape| shape.rank).collect();
    ranks.sort_unstable();
    let needed = |rank: u8| -> u16 {
        COLUMNS.iter().filter(|shape| shape.rank <= rank).map(|shape| least(shape, rank) + 1).sum()
    };
    let rank = ranks.into_iter().rev().find(|&rank| needed(rank) <= inside).unwrap_or(0);
    let rest = inside.saturating_sub(needed(rank));
    COLUMNS
        .iter()
        .filter(|shape| shape.rank <= rank)
        .map(|shape| {
            let width = match shape.column {
                Column::State => least(shape, rank) + rest,
                _ => least(shape, rank),
            };
            (shape, width)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_by_rank_and_the_state_takes_what_is_left() {
        let all: Vec<Column> = shown(200, 0).iter().map(|(shape, _)| shape.column).collect();
        assert_eq!(all.len(), COLUMNS.len());
        assert!(COLUMNS.iter().all(|shape| shape.title.len() < shape.width.into()));
        for width in 0..250 {
            let columns = shown(width, 0);
            let names: Vec<Column> = columns.iter().map(|(shape, _)| shape.column).collect();
            assert!(names.contains(&Column::Name) && names.contains(&Column::State));
            let used: u16 = columns.iter().map(|(_, width)| width + 1).sum();
            assert!(width < 60 || used == width - 2, "{used} columns used at {width}");
        }
    }
}
