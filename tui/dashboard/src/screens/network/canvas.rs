//! Lines on the map, finer than its cells.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::weight::Weight;
use crate::scene::Scene;

/// A cell of links: braille dots, or one character.
#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    ascii: Option<&'static str>,
    style: Style,
    arrow: bool,
}

/// Lines with a resolution of two by four dots a cell.
pub(super) struct Canvas {
    area: Rect,
    cells: Vec<Cell>,
}

/// One line to draw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    /// The cell where it begins.
    pub(super) from: (u16, u16),
    /// The cell where it ends, with an arrow.
    pub(super) to: (u16, u16),
    /// How thick.
    pub(super) weight: Weight,
    /// What it looks like.
    pub(super) style: Style,
}

impl Canvas {
    pub(super) fn new(area: Rect) -> Self {
        Self {
            area,
            cells: vec![Cell::default(); usize::from(area.width) * usize::from(area.height)],
        }
    }

    fn cell(&mut self, x: i32, y: i32) -> Option<&mut Cell> {
        let column = u16::try_from(x - i32::from(self.area.x)).ok()?;
        let row = u16::try_from(y - i32::from(self.area.y)).ok()?;
        if column >= self.area.width || row >= self.area.height {
            return None;
        }
        self.cells.get_mut(usize::from(row) * usize::from(self.area.width) + usize::from(column))
    }

    /// The end of a line.
    pub(super) fn arrow(&mut self, stroke: &Stroke) {
        if let Some(cell) = self.cell(stroke.to.0.into(), stroke.to.1.into()) {
            cell.arrow = true;
            cell.style = stroke.style;
        }
    }

    /// A line without its end.
    pub(super) fn line(&mut self, stroke: &Stroke, scene: &Scene<'_>) {
        if scene.symbols.unicode {
            self.dotted(stroke);
        } else {
            self.typed(stroke);
        }
    }

    /// A line of braille dots. An idle one has gaps.
    fn dotted(&mut self, stroke: &Stroke) {
        /// Dots of a braille character by row and column.
        const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        /// An idle line shows every so many dots.
        const SPARSE: i32 = 4;
        let dot = |(x, y): (u16, u16)| (i32::from(x) * 2, i32::from(y) * 4 + 1);
        let ((x1, y1), (x2, y2)) = (dot(stroke.from), dot(stroke.to));
        for (step, (x, y)) in (0..).zip(points(x1, y1, x2, y2)) {
            if stroke.weight == Weight::Idle && step % SPARSE != 0 {
                continue;
            }
            for offset in stroke.weight.spread() {
                let y = y + offset;
                if let Some(cell) = self.cell(x.div_euclid(2), y.div_euclid(4)) {
                    let (row, column) = (y.rem_euclid(4), x.rem_euclid(2));
                    #[expect(clippy::cast_sign_loss, reason = "remainders of a division")]
                    let bits = DOTS[row as usize][column as usize];
                    cell.dots |= bits;
                    cell.style = stroke.style;
                }
            }
        }
    }

    /// A line of characters, one a cell.
    fn typed(&mut self, stroke: &Stroke) {
        let (x1, y1) = (i32::from(stroke.from.0), i32::from(stroke.from.1));
        let (x2, y2) = (i32::from(stroke.to.0), i32::from(stroke.to.1));
        let mut before = y1;
        for (x, y) in points(x1, y1, x2, y2) {
            if let Some(cell) = self.cell(x, y) {
                cell.ascii = Some(stroke.weight.ascii((y - before).signum()));
                cell.style = stroke.style;
            }
            before = y;
        }
    }

    pub(super) fn draw(&self, scene: &mut Scene<'_>) {
        let rows = self.cells.chunks(usize::from(self.area.width).max(1));
        for (y, row) in (self.area.y..).zip(rows) {
            for (x, cell) in (self.area.x..).zip(row) {
                if cell.arrow {
                    scene.glyph((x, y), scene.symbols.arrow, cell.style);
                } else if let Some(symbol) = cell.ascii {
                    scene.glyph((x, y), symbol, cell.style);
                } else if cell.dots != 0
                    && let Some(c) = char::from_u32(0x2800 + u32::from(cell.dots))
                {
                    scene.glyph((x, y), c.encode_utf8(&mut [0; 4]), cell.style);
                }
            }
        }
    }
}

/// The points of a line, one in every column, more where it is steep.
fn points(x1: i32, y1: i32, x2: i32, y2: i32) -> impl Iterator<Item = (i32, i32)> {
    let steps = (x2 - x1).abs().max((y2 - y1).abs()).max(1);
    (0..=steps).map(move |step| {
        // Rounded to the nearest, also for negative slopes.
        let along =
            |from: i32, to: i32| from + (2 * (to - from) * step + steps).div_euclid(2 * steps);
        (along(x1, x2), along(y1, y2))
    })
}

/// The cell so far along a line.
pub(super) fn along(from: (u16, u16), to: (u16, u16), way: f64) -> (u16, u16) {
    let between = |from: u16, to: u16| {
        let at = f64::from(from) + (f64::from(to) - f64::from(from)) * way;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two cells of the screen"
        )]
        let cell = at.round() as u16;
        cell
    };
    (between(from.0, to.0), between(from.1, to.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_both_ends_and_no_holes() {
        for (to_x, to_y) in [(10, 0), (10, 3), (10, -3), (3, 10), (3, -10), (0, 0)] {
            let line: Vec<_> = points(0, 0, to_x, to_y).collect();
            assert_eq!(line.first(), Some(&(0, 0)));
            assert_eq!(line.last(), Some(&(to_x, to_y)));
            for pair in line.windows(2) {
                assert!((pair[0].0 - pair[1].0).abs() <= 1 && (pair[0].1 - pair[1].1).abs() <= 1);
            }
        }
    }
}
