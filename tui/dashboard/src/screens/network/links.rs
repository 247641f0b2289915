//! Links between the columns of the map: lines whose weight is the rate of packets on them, and the
//! packets that pass.

use std::collections::HashMap;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::Column;
use super::canvas::{Canvas, Stroke, along};
use super::layout::{PlacedColumn, Placement};
use super::weight::Weight;
use crate::scene::Scene;
use crate::state::{CROSSING, MOST_SHOWN, Node, as_f64};
use crate::text;

/// With more links between two columns than this, single ones can no longer be told apart.
const MOST_LINKS: usize = 36;

/// Of so many cells between two columns, one may have a packet: more would hide the links below.
const CELLS_A_PACKET: usize = 6;

/// Least and most packets that are drawn between two columns at once.
const PACKETS: (usize, usize) = (4, 48);

/// Scatters the links whose packets are drawn over all pairs of nodes: odd, and of irregular low bits.
const SCATTER: usize = 40_503;

/// At least one link in so many has its packets drawn.
const FEWEST: usize = 1 << 16;

/// Two neighbouring columns in their places.
#[derive(Clone, Copy)]
struct Gap<'a, 'n> {
    from: &'a Column<'n>,
    from_place: &'a PlacedColumn,
    to: &'a Column<'n>,
    to_place: &'a PlacedColumn,
    /// Cells that links keep away from names.
    air: u16,
}

/// A link to draw.
struct Link {
    stroke: Stroke,
    selected: bool,
}

/// What lies over the lines once they are drawn.
#[derive(Default)]
pub(super) struct Over {
    /// Where packets are.
    pub(super) packets: Vec<(u16, u16)>,
    /// Words that no packet should hide, in their places.
    pub(super) labels: Vec<(Rect, Line<'static>)>,
}

impl Over {
    /// Draws it.
    pub(super) fn draw(self, scene: &mut Scene<'_>) {
        for place in self.packets {
            scene.glyph(place, scene.symbols.packet, scene.theme.packet);
        }
        for (place, label) in self.labels {
            // A packet that is below must not make a letter of it bold.
            scene.buffer.set_style(place, Style::reset());
            scene.put(place, 0, label);
        }
    }

    /// At most so many of these packets, from all over.
    pub(super) fn add_packets(&mut self, packets: &[(u16, u16)], most: usize) {
        let step = packets.len().div_ceil(most).max(1);
        self.packets.extend(packets.iter().step_by(step));
    }
}

/// Draws the links between all columns.
pub(super) fn draw(
    columns: &[Column<'_>],
    placement: &Placement,
    area: Rect,
    selected: Option<&str>,
    over: &mut Over,
    scene: &mut Scene<'_>,
) {
    let mut canvas = Canvas::new(area);
    let mut totals = Vec::new();
    let pairs = columns.iter().zip(&placement.columns);
    for ((from, from_place), (to, to_place)) in pairs.clone().zip(pairs.skip(1)) {
        let gap = Gap { from, from_place, to, to_place, air: placement.air };
        let mut here = Vec::new();
        let mut links = if gap.is_crowded() {
            let (links, rate) = gap.crowd(selected, scene);
            gap.sample(rate, &mut here, scene);
            totals.push((gap, rate));
            links
        } else {
            gap.links(selected, &mut here, scene)
        };
        // The heaviest last, and those of the selected node over all.
        links.sort_by_key(|link| (link.selected, link.stroke.weight));
        for link in &links {
            canvas.line(&link.stroke, scene);
        }
        for link in &links {
            canvas.arrow(&link.stroke);
        }
        over.add_packets(&here, gap.most_packets());
    }
    canvas.draw(scene);
    for (gap, rate) in &totals {
        over.labels.extend(gap.draw_total(*rate, scene));
    }
}

impl Gap<'_, '_> {
    fn is_crowded(&self) -> bool {
        self.from.nodes.len() * self.to.nodes.len() > MOST_LINKS
            || self.from_place.cells.is_some()
            || self.to_place.cells.is_some()
    }

    /// How many packets are drawn here at once.
    fn most_packets(&self) -> usize {
        let width = self.to_place.area.x.saturating_sub(self.from_place.area.right());
        let (top, bottom) = self.from_place.extent();
        let (other_top, other_bottom) = self.to_place.extent();
        let height = bottom.max(other_bottom).saturating_sub(top.min(other_top));
        let cells = usize::from(width) * usize::from(height);
        (cells / CELLS_A_PACKET).clamp(PACKETS.0, PACKETS.1)
    }

    /// Where a link begins and ends.
    fn ends(&self, from: usize, to: usize) -> Option<((u16, u16), (u16, u16))> {
        Some((self.from_place.start(from, self.air)?, self.to_place.end(to, self.air)?))
    }

    fn link(
        ends: ((u16, u16), (u16, u16)),
        rate: Option<f64>,
        selected: bool,
        scene: &Scene<'_>,
    ) -> Link {
        let weight = Weight::of(rate);
        let style = if selected { scene.theme.selected_link } else { weight.style(scene) };
        Link { stroke: Stroke { from: ends.0, to: ends.1, weight, style }, selected }
    }

    /// Every link, also those that carried nothing yet.
    fn links(
        &self,
        selected: Option<&str>,
        packets: &mut Vec<(u16, u16)>,
        scene: &Scene<'_>,
    ) -> Vec<Link> {
        let mut links = Vec::new();
        for (index, node) in self.from.nodes.iter().enumerate() {
            for (other_index, other) in self.to.nodes.iter().enumerate() {
                let Some(ends) = self.ends(index, other_index) else { continue };
                let link = node.links.get(other.name());
                let rate = link.and_then(|link| link.meter.rate(scene.now.t));
                let of_selected = is(selected, node) || is(selected, other);
                links.push(Self::link(ends, rate, of_selected, scene));
                let ways = link.into_iter().flat_map(|link| link.packets(scene.now.t));
                packets.extend(ways.map(|way| along(ends.0, ends.1, way)));
            }
        }
        links
    }

    /// The links of the selected node, and the rate of all together.
    fn crowd(&self, selected: Option<&str>, scene: &Scene<'_>) -> (Vec<Link>, Option<f64>) {
        let others: HashMap<&str, usize> =
            self.to.nodes.iter().map(|node| node.name()).zip(0..).collect();
        let mut links = Vec::new();
        let mut total = None;
        for (index, node) in self.from.nodes.iter().enumerate() {
            for (name, link) in &node.links {
                let Some(&other) = others.get(name.as_str()) else { continue };
                let rate = link.meter.rate(scene.now.t);
                if let Some(rate) = rate {
                    total = Some(total.unwrap_or(0.0) + rate);
                }
                if (is(selected, node) || selected == Some(name))
                    && let Some(ends) = self.ends(index, other)
                {
                    links.push(Self::link(ends, rate, true, scene));
                }
            }
        }
        (links, total)
    }

    /// The packets on some of the links: on as many as have about as many packets as there is room for. These
    /// links stay the same, so that the eye can follow a packet.
    fn sample(&self, rate: Option<f64>, packets: &mut Vec<(u16, u16)>, scene: &Scene<'_>) {
        let pairs = self.from.nodes.len() * self.to.nodes.len();
        let underway = rate.unwrap_or(0.0) * CROSSING.as_secs_f64();
        let shown = underway.min(as_f64(u64::from(MOST_SHOWN)) * as_f64(pairs as u64));
        let one_in = one_in(shown, self.most_packets());
        for (index, node) in self.from.nodes.iter().enumerate() {
            for (other_index, other) in self.to.nodes.iter().enumerate() {
                if !(index * SCATTER + other_index).is_multiple_of(one_in) {
                    continue;
                }
                let Some(ends) = self.ends(index, other_index) else { continue };
                let ways = node.links.get(other.name()).into_iter();
                let ways = ways.flat_map(|link| link.packets(scene.now.t));
                packets.extend(ways.map(|way| along(ends.0, ends.1, way)));
            }
        }
    }

    /// What passes between two columns together, where single links cannot be told apart.
    fn draw_total(
        &self,
        rate: Option<f64>,
        scene: &mut Scene<'_>,
    ) -> Option<(Rect, Line<'static>)> {
        let left = self.from_place.area.right();
        let width = self.to_place.area.x.saturating_sub(left);
        let (top, bottom) = self.to_place.extent();
        let (other_top, other_bottom) = self.from_place.extent();
        let middle = u16::midpoint(top.min(other_top), bottom.max(other_bottom));
        let weight = Weight::of(rate);
        let row = |y: u16| Rect { x: left, y, width, height: 1 };
        let body = weight.trunk(scene).repeat(usize::from(width.saturating_sub(3)));
        let arrow = format!(" {body}{}", scene.symbols.arrow);
        scene.put(row(middle), 0, Line::styled(arrow, weight.style(scene)));
        let words = text::per_second(rate);
        let wide = u16::try_from(text::width(&words)).ok().filter(|&wide| wide <= width)?;
        let x = left + (width - wide) / 2;
        let place = Rect { x, width: wide, ..row(middle.saturating_sub(1)) };
        Some((place, Line::raw(words)))
    }
}

/// One link in so many is looked at. A power of two: with each small change of the rate it would be others.
fn one_in(packets: f64, most: usize) -> usize {
    let mut one_in = 1;
    while one_in < FEWEST && packets > as_f64((most * one_in) as u64) {
        one_in *= 2;
    }
    one_in
}

fn is(selected: Option<&str>, node: &Node) -> bool {
    selected == Some(node.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_packets_are_underway_the_fewer_links_have_theirs_drawn() {
        assert_eq!(one_in(0.0, 48), 1);
        assert_eq!(one_in(48.0, 48), 1);
        assert_eq!(one_in(49.0, 48), 2);
        assert_eq!(one_in(3000.0, 48), 64);
        assert_eq!(one_in(f64::INFINITY, 48), FEWEST);
    }

    #[test]
    fn of_too_many_packets_some_from_all_over_are_drawn() {
        let all: Vec<(u16, u16)> = (0..1000).map(|x| (x, 0)).collect();
        let drawn = |packets: &[(u16, u16)]| {
            let mut over = Over::default();
            over.add_packets(packets, 48);
            over.packets
        };
        let some = drawn(&all);
        assert!((30..=48).contains(&some.len()), "{}", some.len());
        assert!(some.last() > Some(&(900, 0)));
        assert_eq!(drawn(&all[..5]).len(), 5);
        assert_eq!(drawn(&[]).len(), 0);
    }
}
