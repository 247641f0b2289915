//! The topology as a table.

use std::collections::BTreeMap;

use directory_api::{MixNodePresence, Topology};

use crate::output::{Cell, Output, table};

/// One row for each node, with what it announced.
pub(super) fn table_of(output: Output, topology: &Topology) -> String {
    table(output, &["PLACE", "NAME", "ADDRESS", "KEY"], &[], &rows(topology))
}

fn rows(topology: &Topology) -> Vec<Vec<Cell>> {
    let mut layers: BTreeMap<u64, Vec<&MixNodePresence>> = BTreeMap::new();
    for node in &topology.mix_nodes {
        layers.entry(node.layer).or_default().push(node);
    }
    let mut rows = Vec::new();
    for (layer, mut nodes) in layers {
        nodes.sort_by(|a, b| a.location.cmp(&b.location));
        for node in nodes {
            rows.push(row(&format!("layer {layer}"), &node.location, &node.host, &node.pub_key));
        }
    }
    // A provider is in both lists; a foreign one perhaps in one.
    let mut providers: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
    for node in topology.gateway_nodes.iter().chain(&topology.mix_provider_nodes) {
        let (name, address, key) = (&node.location, &node.mixnet_listener, &node.pub_key);
        providers.entry(key).or_insert_with(|| row("provider", name, address, key));
    }
    rows.extend(providers.into_values());
    rows
}

/// Nodes announce what they like.
fn row(place: &str, name: &str, address: &str, key: &str) -> Vec<Cell> {
    [place, name, address, key].map(|text| control::visible(text).into()).into()
}
