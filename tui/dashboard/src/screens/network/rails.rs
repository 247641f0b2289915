//! The ways back, below the columns of the map: what providers deliver to their clients, and the
//! acknowledgements that they send into the first layer.

use contract::Role;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::layout::{PlacedColumn, Placement};
use super::links::Over;
use super::weight::Weight;
use super::{Column, Kind};
use crate::scene::Scene;
use crate::state::Devnet;
use crate::text;

/// Below this many rows, both ways share one.
const ROWS_FOR_TWO: u16 = 16;

/// Below this many rows, the nodes need all of them.
const ROWS_FOR_ANY: u16 = 10;

/// How many packets are drawn on a way back at once.
const MOST_PACKETS: usize = 24;

/// A way back.
#[derive(Clone, Debug)]
pub(super) struct Rail {
    /// Where it leads.
    to: Kind,
    /// Its row.
    y: u16,
    /// Its ends: the column, and the first row below the nodes there.
    from: (u16, u16),
    into: (u16, u16),
}

impl Rail {
    /// How many rows ways back take of so many.
    pub(super) fn rows(devnet: &Devnet, rows: u16) -> u16 {
        match rows {
            0..ROWS_FOR_ANY => 0,
            ROWS_FOR_ANY..ROWS_FOR_TWO => 1,
            _ => 1 + u16::from(devnet.info.acks),
        }
    }

    /// The ways back of a map in their places, in the rows from `y` on.
    pub(super) fn place(
        devnet: &Devnet,
        columns: &[Column<'_>],
        placement: &Placement,
        (y, rows): (u16, u16),
    ) -> Vec<Self> {
        let column = |kind: Kind| -> Option<&PlacedColumn> {
            let at = columns.iter().position(|column| column.kind == kind)?;
            placement.columns.get(at)
        };
        let Some(providers) = column(Kind::Providers).filter(|_| rows > 0) else {
            return Vec::new();
        };
        let below = |column: &PlacedColumn| (column.middle(), column.extent().1);
        let last = y + rows - 1;
        let acks = column(Kind::Layer(1)).filter(|_| devnet.info.acks).map(|to| (to, y));
        let deliveries = column(Kind::Clients).map(|to| (to, last));
        [(Kind::Layer(1), acks), (Kind::Clients, deliveries)]
            .into_iter()
            .filter_map(|(kind, place)| {
                let (to, y) = place?;
                Some(Self { to: kind, y, from: below(providers), into: below(to) })
            })
            .collect()
    }

    /// Whether packets of a provider to this process go this way.
    pub(super) fn leads_to(&self, role: Role) -> bool {
        match self.to {
            Kind::Clients => matches!(role, Role::Client | Role::Crowd),
            Kind::Layer(_) => role == Role::Mixnode,
            Kind::Providers => false,
        }
    }

    /// The cell so far along it.
    pub(super) fn at(&self, way: f64) -> (u16, u16) {
        let down = self.y.saturating_sub(self.from.1);
        let across = self.from.0.saturating_sub(self.into.0);
        let up = self.y.saturating_sub(self.into.1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two cells of the screen"
        )]
        let gone = (f64::from(down + across + up) * way.clamp(0.0, 1.0)).round() as u16;
        if gone <= down {
            (self.from.0, self.from.1 + gone)
        } else if gone <= down + across {
            (self.from.0 - (gone - down), self.y)
        } else {
            (self.into.0, self.y - (gone - down - across).min(up))
        }
    }
}

/// What a way back carries now.
struct Load {
    rate: Option<f64>,
    style: Style,
    packets: Vec<(u16, u16)>,
}

/// Draws the ways back.
pub(super) fn draw(
    devnet: &Devnet,
    rails: &[Rail],
    selected: Option<&str>,
    over: &mut Over,
    scene: &mut Scene<'_>,
) {
    let loads: Vec<Load> = rails.iter().map(|rail| rail.load(devnet, selected, scene)).collect();
    let shared = rails.len() > 1 && rails.iter().all(|rail| rail.y == rails[0].y);
    // That of acknowledgements leaves that of deliveries, so it lies over it.
    for (rail, load) in rails.iter().zip(&loads).rev() {
        rail.draw(shared, load.style, scene);
        over.add_packets(&load.packets, MOST_PACKETS);
    }
    let Some(first) = rails.first() else { return };
    let rates: Vec<(Kind, Option<f64>)> =
        rails.iter().zip(&loads).map(|(rail, load)| (rail.to, load.rate)).collect();
    if shared {
        over.labels.push(first.label(&rates, scene));
    } else {
        let own = rails.iter().zip(&rates).map(|(rail, rate)| rail.label(&[*rate], scene));
        over.labels.extend(own);
    }
}

impl Rail {
    fn load(&self, devnet: &Devnet, selected: Option<&str>, scene: &Scene<'_>) -> Load {
        let mut rate = None;
        let mut of_selected = false;
        let mut packets = Vec::new();
        for provider in devnet.with_role(&[Role::Provider]) {
            for (next, link) in &provider.links {
                let to = devnet.node(next).filter(|to| self.leads_to(to.status.role));
                let Some(to) = to else { continue };
                if let Some(own) = link.meter.rate(scene.now.t) {
                    rate = Some(rate.unwrap_or(0.0) + own);
                }
                packets.extend(link.packets(scene.now.t).map(|way| self.at(way)));
                of_selected |= selected.is_some_and(|name| {
                    name == provider.name() || (name == to.name() && self.to == Kind::Clients)
                });
            }
        }
        let weight = Weight::of(rate);
        let style = if of_selected { scene.theme.selected_link } else { weight.style(scene) };
        Load { rate, style, packets }
    }

    fn draw(&self, shared: bool, style: Style, scene: &mut Scene<'_>) {
        let [across, down, left, right, leaves, joins] = scene.symbols.rail;
        for x in self.into.0 + 1..self.from.0 {
            scene.glyph((x, self.y), across, style);
        }
        for (x, top) in [(self.from.0, self.from.1), (self.into.0, self.into.1)] {
            (top..self.y).for_each(|y| scene.glyph((x, y), down, style));
        }
        let (begin, end) = match (self.to, shared) {
            (Kind::Clients, _) => (right, left),
            (_, true) => (right, joins),
            (_, false) => (leaves, left),
        };
        scene.glyph((self.from.0, self.y), begin, style);
        scene.glyph((self.into.0, self.y), end, style);
        if self.into.1 < self.y {
            let [up, _] = scene.symbols.sorted;
            scene.glyph((self.into.0, self.into.1), up, style);
        }
    }

    /// What goes this way and how much, in its middle; in fewer words where there is little room.
    fn label(&self, rates: &[(Kind, Option<f64>)], scene: &Scene<'_>) -> (Rect, Line<'static>) {
        let left = self.into.0 + 1;
        let room = self.from.0.saturating_sub(left);
        let label = |long: bool| {
            let mut spans = Vec::new();
            let mut before = format!(" {} ", scene.symbols.back);
            for (to, rate) in rates {
                let what = match (to, long) {
                    (Kind::Clients, true) => "deliveries",
                    (Kind::Clients, false) => "mail",
                    (_, true) => "acknowledgements",
                    (_, false) => "acks",
                };
                spans.push(Span::styled(format!("{before}{what} "), scene.theme.muted));
                spans.push(Span::raw(text::per_second(*rate)));
                "  ".clone_into(&mut before);
            }
            spans.push(Span::raw(" "));
            Line::from(spans)
        };
        let fits = |line: &Line<'_>| line.width() + 2 <= usize::from(room);
        let label = [true, false].map(label).into_iter().find(fits).unwrap_or_default();
        let width = u16::try_from(label.width()).unwrap_or(room);
        let x = left + room.saturating_sub(width) / 2;
        (Rect { x, y: self.y, width, height: 1 }, label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_goes_down_across_and_up() {
        let rail = Rail { to: Kind::Clients, y: 20, from: (50, 16), into: (4, 18) };
        assert_eq!(rail.at(0.0), (50, 16));
        assert_eq!(rail.at(4.0 / 52.0), (50, 20));
        assert_eq!(rail.at(27.0 / 52.0), (27, 20));
        assert_eq!(rail.at(50.0 / 52.0), (4, 20));
        assert_eq!(rail.at(1.0), (4, 18));
    }

    #[test]
    fn nodes_that_reach_below_the_row_are_no_way() {
        let rail = Rail { to: Kind::Clients, y: 5, from: (9, 7), into: (2, 9) };
        for step in 0..=10 {
            rail.at(f64::from(step) / 10.0);
        }
    }
}
