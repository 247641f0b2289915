//! The command line of a process.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::Ipv4Addr;
use std::path::Path;

use contract::{Endpoint, Role};
use layouts::{NodePlan, Plan};

use crate::folder::Folder;

/// Everything of a devnet listens here and nowhere else.
const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// What a command line is made of, besides the node's own plan.
pub(crate) struct Context<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) folder: &'a Folder,
    /// Address of the directory; none for the directory itself.
    pub(crate) directory: Option<&'a str>,
    /// The ports that the node had before. It gets the same again, or fails: others know it by
    /// them.
    pub(crate) bound: &'a BTreeMap<Endpoint, u16>,
}

/// The arguments after the program: `node ROLE --supervised …`.
pub(crate) fn arguments(node: &NodePlan, context: &Context<'_>) -> Vec<OsString> {
    if let Some(command) = &node.command {
        return shim_arguments(node, command, context);
    }
    // A crowd is a client with many identities.
    let role = if node.role == Role::Crowd { Role::Client } else { node.role };
    let mut line = Line(vec!["node".into(), role.to_string().into(), "--supervised".into()]);
    line.option("--name", &node.name);
    if node.role != Role::Directory {
        line.0.extend(["--home".into(), context.folder.home(&node.name).into()]);
        // The directory has no key, and nothing to choose.
        if let Some(seed) = context.plan.layout.seed {
            line.option("--seed", &seed);
        }
        line.option("--directory", &context.directory.unwrap_or_default());
        if let Some(layer) = node.layer {
            line.option("--layer", &layer);
        }
        // A provider is after the last layer, however many there are.
        if node.role != Role::Provider {
            line.option("--layers", &context.plan.layout.layers());
        }
    }
    if let Some(provider) = &node.provider {
        line.option("--provider", provider);
    }
    if matches!(node.role, Role::Directory | Role::Mixnode | Role::Provider) {
        line.option("--host", &HOST);
    }
    let layout = &context.plan.layout;
    if node.role == Role::Mixnode && !node.metrics {
        line.flag("--no-metrics");
    }
    if matches!(node.role, Role::Mixnode | Role::Provider) && layout.faithful {
        line.flag("--faithful");
    }
    // The originals' answers tell an observer by their length how much was waiting.
    if node.role == Role::Provider && !layout.faithful {
        line.flag("--pad");
    }
    if node.role != Role::Directory && layout.trace {
        line.flag("--trace");
    }
    line.ports(node, context.bound);
    if let Some(port) = node.second_port {
        line.option("--second-port", &port);
    }
    if node.role == Role::Crowd {
        line.option("--crowd", &layout.crowd);
    }
    if matches!(node.role, Role::Client | Role::Crowd) {
        let rates = node.rates;
        line.option("--hop-delay", &humantime::format_duration(rates.hop_delay));
        line.option("--slot", &humantime::format_duration(rates.slot));
        line.option("--loop-cover", &humantime::format_duration(rates.loop_cover));
        if !rates.slot_cover {
            line.option("--slot-cover", &"off");
        }
        line.option("--acks", &if layout.acks { "on" } else { "off" });
    }
    line.0
}

/// The arguments for a command in the place of a node: `node shim --supervised … -- COMMAND …`.
fn shim_arguments(node: &NodePlan, command: &[String], context: &Context<'_>) -> Vec<OsString> {
    let mut line = Line(vec!["node".into(), "shim".into(), "--supervised".into()]);
    line.option("--role", &node.role);
    line.option("--name", &node.name);
    line.0.extend(["--home".into(), context.folder.home(&node.name).into()]);
    line.option("--directory", &context.directory.unwrap_or_default());
    if let Some(layer) = node.layer {
        line.option("--layer", &layer);
    }
    line.option("--layers", &context.plan.layout.layers());
    line.option("--host", &HOST);
    line.ports(node, context.bound);
    line.flag("--");
    let layout_dir = context.plan.layout_dir.as_deref().map(Path::as_os_str);
    line.0.extend(command.iter().map(|argument| with_layout_dir(argument, layout_dir)));
    line.0
}

/// The argument with the folder of the layout filled in.
fn with_layout_dir(argument: &str, layout_dir: Option<&OsStr>) -> OsString {
    let Some(layout_dir) = layout_dir else { return argument.into() };
    let mut parts = argument.split("{layout_dir}");
    let mut filled = OsString::from(parts.next().unwrap_or_default());
    for part in parts {
        filled.push(layout_dir);
        filled.push(part);
    }
    filled
}

struct Line(Vec<OsString>);

impl Line {
    /// Where the node listens.
    fn ports(&mut self, node: &NodePlan, bound: &BTreeMap<Endpoint, u16>) {
        let mut fallback = false;
        for port in &node.ports {
            let is_clients = port.endpoint == Endpoint::Clients;
            let option = if is_clients { "--clients-port" } else { "--port" };
            let bound = bound.get(&port.endpoint);
            self.option(option, bound.unwrap_or(&port.port));
            fallback |= port.fallback && bound.is_none();
        }
        if fallback {
            self.flag("--port-fallback");
        }
    }

    fn flag(&mut self, name: &str) {
        self.0.push(name.into());
    }

    fn option(&mut self, name: &str, value: &dyn fmt::Display) {
        self.0.extend([name.into(), value.to_string().into()]);
    }
}

#[cfg(test)]
mod tests {
    use layouts::{Layout, Ports};

    use super::*;
    use crate::folder::StateDir;

    #[test]
    fn every_role_is_told_what_it_needs() {
        let layout = Layout { widths: vec![1; 3], ..Layout::default() };
        let plan = Plan::new(layout, Ports::Preferred).expect("a network");
        let state = StateDir::find(Some("/state".into())).expect("a path");
        let folder = state.folder("t1").expect("a name");
        let bound = BTreeMap::from([(Endpoint::App, 40_000)]);
        let text = |name: &str, bound: &BTreeMap<Endpoint, u16>| {
            let node = plan.nodes.iter().find(|node| node.name == name).expect(name);
            let directory = (name != "directory").then_some("http://127.0.0.1:8080");
            let context = Context { plan: &plan, folder: &folder, directory, bound };
            arguments(node, &context)
                .iter()
                .map(|argument| argument.to_str().expect("UTF-8"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let new = BTreeMap::new();
        assert_eq!(
            text("directory", &new),
            "node directory --supervised --name directory --host 127.0.0.1 --port 8080 \
             --port-fallback"
        );
        assert_eq!(
            text("mix-2-1", &new),
            "node mixnode --supervised --name mix-2-1 --home /state/t1/nodes/mix-2-1 \
             --directory http://127.0.0.1:8080 --layer 2 --layers 3 --host 127.0.0.1 --trace \
             --port 9981 --port-fallback"
        );
        assert_eq!(
            text("provider-1", &new),
            "node provider --supervised --name provider-1 --home /state/t1/nodes/provider-1 \
             --directory http://127.0.0.1:8080 --host 127.0.0.1 --pad --trace --port 4000 \
             --clients-port 9000 --port-fallback"
        );
        assert_eq!(
            text("alice", &bound),
            "node client --supervised --name alice --home /state/t1/nodes/alice \
             --directory http://127.0.0.1:8080 --layers 3 --provider provider-1 --trace --port 40000 \
             --second-port 9001 \
             --hop-delay 200ms --slot 500ms --loop-cover 1s --acks on"
        );
        assert_eq!(
            text("crowd", &new),
            "node client --supervised --name crowd --home /state/t1/nodes/crowd \
             --directory http://127.0.0.1:8080 --layers 3 --provider provider-1 --trace --crowd 8 \
             --hop-delay 200ms --slot 500ms --loop-cover 1s --acks on"
        );
    }

    #[test]
    fn nodes_tell_of_packets_unless_the_layout_does_not_want_it() {
        let state = StateDir::find(Some("/state".into())).expect("a path");
        let folder = state.folder("t1").expect("a name");
        let bound = BTreeMap::new();
        for trace in [true, false] {
            let layout = Layout { trace, ..Layout::default() };
            let plan = Plan::new(layout, Ports::Preferred).expect("a network");
            let context = Context { plan: &plan, folder: &folder, directory: None, bound: &bound };
            for node in &plan.nodes {
                let is_told = arguments(node, &context).iter().any(|arg| arg == "--trace");
                assert_eq!(is_told, trace && node.role != Role::Directory, "{}", node.name);
            }
        }
    }

    #[test]
    fn a_seed_is_for_every_node_that_has_a_key() {
        let layout = Layout { widths: vec![1; 3], seed: Some(42), ..Layout::default() };
        let plan = Plan::new(layout, Ports::Preferred).expect("a network");
        let state = StateDir::find(Some("/state".into())).expect("a path");
        let folder = state.folder("t1").expect("a name");
        let bound = BTreeMap::new();
        let context = Context { plan: &plan, folder: &folder, directory: None, bound: &bound };
        for node in &plan.nodes {
            let line = arguments(node, &context).join(OsStr::new(" "));
            let line = line.to_str().expect("UTF-8");
            let has_key = node.role != Role::Directory;
            assert_eq!(line.contains(" --seed 42 "), has_key, "{line}");
        }
    }

    #[test]
    fn a_command_runs_under_the_shim_with_the_folder_of_its_layout() {
        let layout = Layout { widths: vec![1; 3], ..Layout::default() };
        let mut plan = Plan::new(layout, Ports::Preferred).expect("a network");
        plan.layout_dir = Some("/layouts".into());
        let mut node = plan.nodes[1].clone();
        node.command = Some(vec!["python3".into(), "{layout_dir}/a.py".into(), "{port}".into()]);
        let state = StateDir::find(Some("/state".into())).expect("a path");
        let folder = state.folder("t1").expect("a name");
        let directory = Some("http://127.0.0.1:8080");
        let bound = BTreeMap::from([(Endpoint::Mix, 40_000)]);
        let context = Context { plan: &plan, folder: &folder, directory, bound: &bound };
        assert_eq!(
            arguments(&node, &context).join(OsStr::new(" ")),
            "node shim --supervised --role mixnode --name mix-1-1 --home /state/t1/nodes/mix-1-1 \
             --directory http://127.0.0.1:8080 --layer 1 --layers 3 --host 127.0.0.1 --port 40000 \
             -- python3 /layouts/a.py {port}"
        );
    }
}
