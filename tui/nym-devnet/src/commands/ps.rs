//! `ps`: every process of a devnet with its figures.

use std::fmt::Write as _;

use contract::Endpoint;
use control::{NodeRates, NodeStatus, ProcessUsage, Snapshot, State};
use serde::Serialize;

use crate::context::Context;
use crate::output::{Cell, ago, bytes, or_unknown, table};
use crate::stop::Outcome;

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    status: &'a NodeStatus,
    rates: Option<&'a NodeRates>,
    /// Mixnodes: packets that wait out their delay.
    pool: Option<u64>,
    usage: Option<&'a ProcessUsage>,
}

#[derive(Serialize)]
struct List<'a> {
    nodes: Vec<Listed<'a>>,
}

pub(crate) async fn run(context: &Context) -> Outcome {
    let snapshot = context.connect(None)?.status().await?;
    let list = List { nodes: snapshot.nodes.iter().map(|node| listed(&snapshot, node)).collect() };
    context.output.result("ps", Some(&snapshot.devnet.name), &list, |output| {
        let rows: Vec<Vec<Cell>> = list.nodes.iter().map(row).collect();
        let heads = [
            "NAME", "ROLE", "LAYER", "STATE", "UP", "RESTARTS", "PID", "ADDRESS", "IN/s", "OUT/s",
            "POOL", "MEM",
        ];
        let numbers = ["LAYER", "RESTARTS", "PID", "IN/s", "OUT/s", "POOL", "MEM"];
        let mut text = table(output, &heads, &numbers, &rows);
        for node in snapshot.nodes.iter().filter(|node| node.state != State::Ready) {
            let state = output.state(node.state, 0);
            // Writing into a string cannot fail.
            let _ = write!(text, "\n{}: {state}: {}", node.name, node.reason);
        }
        text
    })
}

fn listed<'a>(snapshot: &'a Snapshot, status: &'a NodeStatus) -> Listed<'a> {
    let rates = snapshot.rates.get(&status.name);
    Listed {
        status,
        rates,
        // Without rates the last report is old, or the very first.
        pool: rates.and_then(|_| snapshot.metrics.get(&status.name)?.pool),
        usage: snapshot.usage.get(&status.name),
    }
}

fn row(node: &Listed<'_>) -> Vec<Cell> {
    let status = node.status;
    let rate = |rate: fn(&NodeRates) -> f64| {
        or_unknown(node.rates.map(|rates| format!("{:.1}", rate(rates))))
    };
    vec![
        status.name.as_str().into(),
        status.role.to_string().into(),
        or_unknown(status.layer),
        Cell::State(status.state),
        or_unknown(status.started_unix_ms.map(ago)),
        status.restarts.to_string().into(),
        or_unknown(status.pid),
        or_unknown(address(status)),
        rate(|rates| rates.received_per_s),
        rate(|rates| rates.sent_per_s),
        or_unknown(node.pool),
        or_unknown(node.usage.map(|usage| bytes(usage.memory_bytes))),
    ]
}

/// Where the node is known: of a provider, where it takes packets; of a client also its second port.
fn address(status: &NodeStatus) -> Option<String> {
    let mut known = [Endpoint::Http, Endpoint::Mix, Endpoint::App].iter();
    let main = known.find_map(|endpoint| status.addresses.get(endpoint))?;
    Some(match status.addresses.get(&Endpoint::SecondApp) {
        Some(second) => format!("{main}, {}", second.port()),
        None => main.to_string(),
    })
}
