//! `topology`: what the directory lists.

use std::collections::BTreeMap;
use std::time::Duration;

use control::{DirectoryState, Failure, FailureCode};
use directory_api::{MixNodePresence, Topology};
use serde::Serialize;

use crate::context::Context;
use crate::output::{Cell, ago, table};
use crate::stop::Outcome;

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    topology: &'a Topology,
    /// Whether that is what the directory lists now, or what it listed last.
    directory: &'a DirectoryState,
}

pub(crate) async fn run(context: &Context) -> Outcome {
    let snapshot = context.connect(None)?.status().await?;
    let Some(topology) = &snapshot.topology else {
        let message = "the supervisor has not heard the directory yet";
        let hint = "`nym-devnet wait` waits until everything is ready";
        return Err(Failure::new(FailureCode::NotRunning, message).hint(hint).into());
    };
    if snapshot.directory != DirectoryState::Live {
        let when = last_heard_unix_ms(topology)
            .map_or_else(|| "last".into(), |unix_ms| format!("{} ago", ago(unix_ms)));
        let note = format!("the directory does not answer; this is what it listed {when}");
        context.output.note(&note);
    }
    let listed = Listed { topology, directory: &snapshot.directory };
    context.output.result("topology", Some(&snapshot.devnet.name), &listed, |output| {
        table(output, &["PLACE", "NAME", "ADDRESS", "KEY"], &[], &rows(topology))
    })
}

/// When the directory last heard anybody, which it then told us at once.
fn last_heard_unix_ms(topology: &Topology) -> Option<u64> {
    let mixnodes = topology.mix_nodes.iter().map(|node| node.last_seen);
    let providers = topology.mix_provider_nodes.iter().chain(&topology.gateway_nodes);
    let last = mixnodes.chain(providers.map(|node| node.last_seen)).max()?;
    let since_1970 = Duration::from_nanos(u64::try_from(last).ok()?);
    u64::try_from(since_1970.as_millis()).ok()
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
    // A provider is in both lists; a foreign one perhaps in one.
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
