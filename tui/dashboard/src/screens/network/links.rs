//! Links of the map: lines whose weight is the rate of packets on them.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Column;
use super::layout::{PlacedColumn, Placement};
use crate::scene::Scene;
use crate::text;

/// From this many packets per second on, a link is drawn thick; a tenth of it makes it medium.
const THICK: f64 = 100.0;
const MEDIUM: f64 = 10.0;
/// Below this, nothing has passed within the window.
const IDLE: f64 = 0.05;

/// With more links between two columns than this, single ones can no longer be told apart.
const MOST_LINKS: usize = 36;

/// How much passes a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Nothing, or not known.
    Idle,
    Thin,
    Medium,
    Thick,
}

impl Weight {
    fn of(rate: Option<f64>) -> Self {
        match rate {
            Some(rate) if rate >= THICK => Self::Thick,
            Some(rate) if rate >= MEDIUM => Self::Medium,
            Some(rate) if rate >= IDLE => Self::Thin,
            _ => Self::Idle,
        }
    }

    fn style(self, scene: &Scene<'_>) -> Style {
        let [light, medium, heavy] = scene.theme.link;
        match self {
            Self::Idle => scene.theme.muted,
            Self::Thin => light,
            Self::Medium => medium,
            Self::Thick => heavy,
        }
    }

    /// Dots above and below the line's own, in quarters of a row.
    fn spread(self) -> std::ops::RangeInclusive<i32> {
        match self {
            Self::Idle | Self::Thin => 0..=0,
            Self::Medium => 0..=1,
            Self::Thick => -1..=1,
        }
    }

    fn ascii(self, slope: i32) -> &'static str {
        match (self, slope) {
            (_, 1) => "\\",
            (_, -1) => "/",
            (Self::Idle, _) => ".",
            (Self::Thin | Self::Medium, _) => "-",
            (Self::Thick, _) => "=",
        }
    }
}

/// One link to draw.
struct Link {
    from: (u16, u16),
    to: (u16, u16),
    weight: Weight,
    selected: bool,
    /// How far the packet on it has come, from 0 to 1.
    packet: Option<f64>,
}

/// What the weights mean.
pub(super) fn legend(scene: &Scene<'_>) -> Line<'static> {
    let samples = if scene.symbols.unicode {
        ["⠂ ⠂", "⠒⠒⠒", "⠶⠶⠶", "⠿⠿⠿"]
    } else {
        ["...", "---", "---", "==="]
    };
    let words = ["idle  ", "below 10/s  ", "10/s  ", "100/s"];
    let weights = [Weight::Idle, Weight::Thin, Weight::Medium, Weight::Thick];
    let mut spans = vec![
        Span::styled(format!("{} ", scene.symbols.packet), scene.theme.packet),
        Span::styled("a packet  ", scene.theme.muted),
    ];
    for ((sample, word), weight) in samples.into_iter().zip(words).zip(weights) {
        if !scene.symbols.unicode && weight == Weight::Medium {
            continue;
        }
        spans.push(Span::styled(format!("{sample} "), weight.style(scene)));
        spans.push(Span::styled(word, scene.theme.muted));
    }
    Line::from(spans)
}

/// Draws the links between all columns.
pub(super) fn draw(
    columns: &[Column<'_>],
    placement: &Placement,
    area: Rect,
    selected: Option<&str>,
    scene: &mut Scene<'_>,
) {
    let mut canvas = Canvas::new(area);
    let mut packets = Vec::new();
    let pairs = columns.iter().zip(&placement.columns);
    for ((from, from_place), (to, to_place)) in pairs.clone().zip(pairs.skip(1)) {
        let crowded = from.nodes.len() * to.nodes.len() > MOST_LINKS;
        let mut links = links(from, from_place, to, to_place, selected, scene);
        for link in &mut links {
            link.from.0 += placement.air;
            link.to.0 = link.to.0.saturating_sub(placement.air);
        }
        if crowded {
            links.retain(|link| link.selected);
            if links.is_empty() {
                total(from, from_place, to, to_place, area, scene);
            }
        }
        // The heaviest last, and those of the selected node over all.
        links.sort_by_key(|link| (link.selected, link.weight));
        for link in &links {
            canvas.line(link, scene);
        }
        for link in &links {
            let style =
                if link.selected { scene.theme.selected_link } else { link.weight.style(scene) };
            canvas.arrow(link.to, style);
            packets.extend(link.packet.map(|way| along(link.from, link.to, way)));
        }
    }
    canvas.draw(scene);
    for place in packets {
        scene.glyph(place, scene.symbols.packet, scene.theme.packet);
    }
}

fn links(
    from: &Column<'_>,
    from_place: &PlacedColumn,
    to: &Column<'_>,
    to_place: &PlacedColumn,
    selected: Option<&str>,
    scene: &Scene<'_>,
) -> Vec<Link> {
    let mut links = Vec::new();
    for (index, node) in from.nodes.iter().enumerate() {
        for (other_index, other) in to.nodes.iter().enumerate() {
            let (Some(y), Some(other_y)) = (from_place.port(index), to_place.port(other_index))
            else {
                continue;
            };
            let link = node.links.get(other.name());
            let rate = link.and_then(|link| link.meter.rate(scene.now.t));
            links.push(Link {
                from: (from_place.area.right(), y),
                to: (to_place.area.x.saturating_sub(1), other_y),
                weight: Weight::of(rate),
                selected: selected == Some(node.name()) || selected == Some(other.name()),
                packet: link.and_then(|link| link.packet(scene.now.t)),
            });
        }
    }
    links
}

/// What passes between two columns together, where single links cannot be told apart.
fn total(
    from: &Column<'_>,
    from_place: &PlacedColumn,
    to: &Column<'_>,
    to_place: &PlacedColumn,
    area: Rect,
    scene: &mut Scene<'_>,
) {
    let rates = from.nodes.iter().flat_map(|node| {
        to.nodes.iter().filter_map(|other| node.links.get(other.name())?.meter.rate(scene.now.t))
    });
    let rate = rates.fold(None, |sum: Option<f64>, rate| Some(sum.unwrap_or(0.0) + rate));
    let gap = Rect {
        x: from_place.area.right(),
        width: to_place.area.x.saturating_sub(from_place.area.right()),
        ..area
    };
    let middle = area.height / 2;
    let words = text::per_second(rate);
    let style = Weight::of(rate).style(scene);
    if text::width(&words) <= usize::from(gap.width) {
        let line = Line::styled(words, scene.theme.muted).centered();
        let row = Rect { y: gap.y + middle.saturating_sub(1), height: 1, ..gap };
        ratatui::widgets::Widget::render(line, row.intersection(scene.buffer.area), scene.buffer);
    }
    let body = if scene.symbols.unicode { "━" } else { "=" };
    let columns = usize::from(gap.width.saturating_sub(3));
    let arrow = format!(" {}{}", body.repeat(columns), scene.symbols.arrow);
    scene.put(gap, middle, Line::styled(arrow, style));
}

/// The cell so far along a link.
fn along(from: (u16, u16), to: (u16, u16), way: f64) -> (u16, u16) {
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

/// A cell of links: braille dots, or one character.
#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    ascii: Option<&'static str>,
    style: Style,
    arrow: bool,
}

/// Lines with a resolution of two by four dots a cell.
struct Canvas {
    area: Rect,
    cells: Vec<Cell>,
}

impl Canvas {
    fn new(area: Rect) -> Self {
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

    fn arrow(&mut self, at: (u16, u16), style: Style) {
        if let Some(cell) = self.cell(at.0.into(), at.1.into()) {
            cell.arrow = true;
            cell.style = style;
        }
    }

    fn line(&mut self, link: &Link, scene: &Scene<'_>) {
        let style =
            if link.selected { scene.theme.selected_link } else { link.weight.style(scene) };
        if scene.symbols.unicode {
            self.dotted(link, style);
        } else {
            self.typed(link, style);
        }
    }

    /// A line of braille dots. An idle one has gaps.
    fn dotted(&mut self, link: &Link, style: Style) {
        /// Dots of a braille character by row and column.
        const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        /// An idle line shows every so many dots.
        const SPARSE: i32 = 4;
        let dot = |(x, y): (u16, u16)| (i32::from(x) * 2, i32::from(y) * 4 + 1);
        let ((x1, y1), (x2, y2)) = (dot(link.from), dot(link.to));
        for (step, (x, y)) in (0..).zip(points(x1, y1, x2, y2)) {
            if link.weight == Weight::Idle && step % SPARSE != 0 {
                continue;
            }
            for offset in link.weight.spread() {
                let y = y + offset;
                if let Some(cell) = self.cell(x.div_euclid(2), y.div_euclid(4)) {
                    let (row, column) = (y.rem_euclid(4), x.rem_euclid(2));
                    #[expect(clippy::cast_sign_loss, reason = "remainders of a division")]
                    let bits = DOTS[row as usize][column as usize];
                    cell.dots |= bits;
                    cell.style = style;
                }
            }
        }
    }

    /// A line of characters, one a cell.
    fn typed(&mut self, link: &Link, style: Style) {
        let (x1, y1) = (i32::from(link.from.0), i32::from(link.from.1));
        let (x2, y2) = (i32::from(link.to.0), i32::from(link.to.1));
        let mut before = y1;
        for (x, y) in points(x1, y1, x2, y2) {
            if let Some(cell) = self.cell(x, y) {
                cell.ascii = Some(link.weight.ascii((y - before).signum()));
                cell.style = style;
            }
            before = y;
        }
    }

    fn draw(&self, scene: &mut Scene<'_>) {
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

    #[test]
    fn what_is_not_known_weighs_nothing() {
        assert_eq!(Weight::of(None), Weight::Idle);
        assert_eq!(Weight::of(Some(0.0)), Weight::Idle);
        assert_eq!(Weight::of(Some(0.2)), Weight::Thin);
        assert_eq!(Weight::of(Some(10.0)), Weight::Medium);
        assert_eq!(Weight::of(Some(100.0)), Weight::Thick);
    }
}
