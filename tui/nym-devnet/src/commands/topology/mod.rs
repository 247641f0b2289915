//! `topology`: what the directory lists, for people, programs and drawing tools.

mod graph;
mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use contract::Role;
use control::{DirectoryState, Failure, FailureCode, Snapshot};
use directory_api::Topology;
use serde::Serialize;

use crate::cli::{Format, TopologyArgs, TopologyFormat};
use crate::context::Context;
use crate::output::ago;
use crate::stop::Outcome;

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    topology: &'a Topology,
    /// Whether that is what the directory lists now, or what it listed last.
    directory: &'a DirectoryState,
}

pub(crate) async fn run(context: &Context, args: &TopologyArgs) -> Outcome {
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
    let name = &snapshot.devnet.name;
    // The form that is named is meant, whatever the results of other commands are.
    let output = context.output;
    let places = Places::new(topology, &snapshot);
    let text = |text: String| output.in_format(Format::Text).result("topology", None, (), |_| text);
    match args.format {
        None if output.is_json() => {
            output.result("topology", Some(name), &listed, |_| String::new())
        }
        Some(TopologyFormat::Json) => {
            output
                .in_format(Format::Json)
                .result("topology", Some(name), &listed, |_| String::new())
        }
        None | Some(TopologyFormat::Tree) => text(graph::tree(&places, name)),
        Some(TopologyFormat::Table) => text(table::table_of(output, topology)),
        Some(TopologyFormat::Dot) => text(graph::dot(&places, name)),
        Some(TopologyFormat::Mermaid) => text(graph::mermaid(&places)),
    }
}

/// When the directory last heard anybody, which it then told us at once.
fn last_heard_unix_ms(topology: &Topology) -> Option<u64> {
    let mixnodes = topology.mix_nodes.iter().map(|node| node.last_seen);
    let providers = topology.mix_provider_nodes.iter().chain(&topology.gateway_nodes);
    let last = mixnodes.chain(providers.map(|node| node.last_seen)).max()?;
    let since_1970 = Duration::from_nanos(u64::try_from(last).ok()?);
    u64::try_from(since_1970.as_millis()).ok()
}

/// Who is where in the network: names, as their nodes announced them, and addresses.
#[derive(Debug, Default)]
struct Places {
    layers: BTreeMap<u64, Vec<Place>>,
    /// Each with its clients.
    providers: Vec<(Place, Vec<String>)>,
    /// Clients whose provider the directory does not list.
    elsewhere: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    name: String,
    host: String,
}

impl Places {
    fn new(topology: &Topology, snapshot: &Snapshot) -> Self {
        let mut layers: BTreeMap<u64, Vec<Place>> = BTreeMap::new();
        for node in &topology.mix_nodes {
            let place = Place { name: node.location.clone(), host: node.host.clone() };
            layers.entry(node.layer).or_default().push(place);
        }
        for nodes in layers.values_mut() {
            nodes.sort();
        }
        // A provider is in both lists; a foreign one perhaps in one.
        let mut providers: BTreeMap<&str, (Place, Vec<String>)> = BTreeMap::new();
        for node in topology.gateway_nodes.iter().chain(&topology.mix_provider_nodes) {
            let place = Place { name: node.location.clone(), host: node.mixnet_listener.clone() };
            providers.entry(&node.pub_key).or_insert((place, Vec::new()));
        }
        let mut elsewhere = Vec::new();
        for node in snapshot.nodes.iter().filter(|node| node.role == Role::Client) {
            let key = node.address.as_ref().and_then(|address| Some(address.split_once('@')?.1));
            match key.and_then(|key| providers.get_mut(key)) {
                Some((_, clients)) => clients.push(node.name.clone()),
                None => elsewhere.push(node.name.clone()),
            }
        }
        let mut providers: Vec<_> = providers.into_values().collect();
        providers.sort();
        Self { layers, providers, elsewhere }
    }
}
