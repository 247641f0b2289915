//! Packets of messages on the map: the same ways as all others, and marked, so that somebody who sent
//! one can follow it.

use std::collections::HashMap;

use super::canvas::along;
use super::layout::{Look, Placement};
use super::rails::Rail;
use super::{Column, Kind};
use crate::scene::Scene;
use crate::state::{Cargo, Devnet, Place};

/// Draws them.
pub(super) fn draw(
    devnet: &Devnet,
    columns: &[Column<'_>],
    placement: &Placement,
    rails: &[Rail],
    scene: &mut Scene<'_>,
) {
    let packets = devnet.journeys.underway(scene.now.t);
    if packets.is_empty() {
        return;
    }
    let places: HashMap<&str, (usize, usize)> = columns
        .iter()
        .enumerate()
        .flat_map(|(index, column)| {
            column.nodes.iter().enumerate().map(move |(row, node)| (node.name(), (index, row)))
        })
        .collect();
    for packet in packets {
        let cell = match packet.place {
            Place::At(node) => {
                places.get(node).and_then(|&(column, row)| waiting(placement, column, row))
            }
            Place::Between { from, to, way } => {
                let ends = places.get(from).zip(places.get(to));
                ends.and_then(|(&(from, row), &(next, next_row))| {
                    let (start, end) = (placement.columns.get(from)?, placement.columns.get(next)?);
                    if next == from + 1 {
                        let air = placement.air;
                        let (start, end) = (start.start(row, air)?, end.end(next_row, air)?);
                        return Some(along(start, end, way));
                    }
                    let back = columns[from].kind == Kind::Providers;
                    let role = columns[next].nodes.get(next_row)?.status.role;
                    let rail = rails.iter().find(|rail| back && rail.leads_to(role))?;
                    Some(rail.at(way))
                })
            }
        };
        let [message, acknowledgement] = scene.symbols.cargo;
        let symbol = match packet.cargo {
            Cargo::Message => message,
            Cargo::Acknowledgement => acknowledgement,
        };
        if let Some(cell) = cell {
            scene.glyph(cell, symbol, scene.theme.cargo);
        }
    }
}

/// Where a packet is drawn that waits at a node: on the border of a box, before a name, in a cell.
fn waiting(placement: &Placement, column: usize, row: usize) -> Option<(u16, u16)> {
    let column = placement.columns.get(column)?;
    let slot = column.slots.get(row).filter(|slot| !slot.is_empty())?;
    Some(match column.look {
        Look::Cell => (slot.x, slot.y),
        Look::Line | Look::Lines => (slot.x + 1, slot.y),
        Look::Box | Look::TallBox | Look::GrandBox => (slot.right().saturating_sub(4), slot.y),
    })
}
