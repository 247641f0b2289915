//! `status`: how a devnet is, in a few lines.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use control::{DevnetInfo, DirectoryState, NodeStatus, Snapshot, State};
use directory_api::Topology;
use serde::Serialize;

use super::ls::shape;
use crate::context::Context;
use crate::output::{Output, ago};
use crate::stop::Outcome;

#[derive(Serialize)]
struct Status<'a> {
    info: &'a DevnetInfo,
    ready: usize,
    processes: usize,
    directory: &'a DirectoryState,
    nodes: &'a [NodeStatus],
}

pub(crate) async fn run(context: &Context) -> Outcome {
    let snapshot = context.connect(None)?.status().await?;
    let status = Status {
        info: &snapshot.devnet,
        ready: snapshot.nodes.iter().filter(|node| node.state == State::Ready).count(),
        processes: snapshot.nodes.len(),
        directory: &snapshot.directory,
        nodes: &snapshot.nodes,
    };
    context.output.result("status", Some(&snapshot.devnet.name), &status, |output| {
        text(output, &status, &snapshot)
    })
}

fn text(output: Output, status: &Status<'_>, snapshot: &Snapshot) -> String {
    let info = status.info;
    let mut text = format!(
        "{}  {} of {} processes ready, up {}\n",
        output.heading(&info.name),
        status.ready,
        status.processes,
        ago(info.started_unix_ms)
    );
    let acks = if info.acks { "on" } else { "off" };
    let trace = if info.trace { "on" } else { "off" };
    let faithful = if info.faithful { ", faithful to 2020: few checks" } else { "" };
    let mut line = |what: &str, value: String| {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {what:<10} {value}");
    };
    line(
        "network",
        format!(
            "{} mixnodes, profile {}, acks {acks}, trace {trace}{faithful}",
            shape(&info.widths),
            info.profile
        ),
    );
    if let Some(seed) = info.seed {
        line("seed", format!("{seed}, of which all keys are made: they are no secret"));
    }
    line("clients", format!("{} named, crowd of {}", info.clients, info.crowd));
    let directory = match status.directory {
        DirectoryState::Connecting => "not connected yet".into(),
        DirectoryState::Live => match &snapshot.topology {
            Some(topology) => {
                let mixnodes = count(topology.mix_nodes.len(), "mixnode");
                let providers = count(providers(topology), "provider");
                format!("live, lists {mixnodes} and {providers}")
            }
            None => "live".into(),
        },
        DirectoryState::Reconnecting { error, .. } => format!("not connected: {error}"),
    };
    line("directory", directory);
    if let Some(page) = super::page(&snapshot.nodes) {
        line("page", page);
    }
    if let Some(address) = info.control_address {
        line("control", format!("http://{address}, with a token from the folder"));
    }
    line("supervisor", format!("process {}", info.supervisor_pid));
    line("folder", info.folder.display().to_string());
    for notice in &info.notices {
        line("notice", notice.clone());
    }
    for node in status.nodes.iter().filter(|node| node.state != State::Ready) {
        line(
            "not ready",
            format!("{}: {}: {}", node.name, output.state(node.state, 0), node.reason),
        );
    }
    text
}

/// A provider is in two lists; a foreign one perhaps in one.
fn providers(topology: &Topology) -> usize {
    let listed = topology.mix_provider_nodes.iter().chain(&topology.gateway_nodes);
    listed.map(|node| &node.pub_key).collect::<BTreeSet<_>>().len()
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
