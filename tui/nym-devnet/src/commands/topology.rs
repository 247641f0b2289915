//! `topology`: what the directory lists.

use std::collections::BTreeMap;

use control::{Failure, FailureCode};
use directory_api::{MixNodePresence, Topology};

use crate::context::Context;
use crate::output::{Cell, table};
use crate::stop::Outcome;

pub(crate) async fn run(context: &Context) -> Outcome {
    let snapshot = context.connect(None)?.status().await?;
    let Some(topology) = &snapshot.topology else {
        let message = "the supervisor has not heard the directory yet";
        let hint = "`nym-devnet wait` waits until everything is ready";
        return Err(Failure::new(FailureCode::NotRunning, message).hint(hint).into());
    };
    context.output.result("topology", Some(&snapshot.devnet.name), topology, |output| {
        table(output, &["PLACE", "NAME", "ADDRESS", "KEY"], &[], &rows(topology))
    })
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
            rows.push(vec![
                format!("layer {layer}").into(),
                node.location.as_str().into(),
                node.host.as_str().into(),
                node.pub_key.as_str().into(),
            ]);
        }
    }
    // A provider is in both lists; a foreign one perhaps in only one of them.
    let mut providers: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
    for node in topology.gateway_nodes.iter().chain(&topology.mix_provider_nodes) {
        providers.entry(&node.pub_key).or_insert_with(|| {
            vec![
                "provider".into(),
                node.location.as_str().into(),
                node.mixnet_listener.as_str().into(),
                node.pub_key.as_str().into(),
            ]
        });
    }
    rows.extend(providers.into_values());
    rows
}
