//! What `up` would start: the layout with everything that was said besides, as a plan.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Endpoint, Role};
use control::{Failure, FailureCode, visible};
use layouts::{
    Layout, LayoutFault, Load, NodePlan, Plan, PortPlan, Ports, Profile, Rates, Resolved, Restart,
    Source, SourceError,
};
use serde::Serialize;

use super::ls::shape;
use crate::cli::LayoutArgs;
use crate::context::Context;
use crate::output::{Cell, Output, or_unknown, table};
use crate::stop::Outcome;

/// The plan that a command line asks for.
pub(super) fn resolve(args: &LayoutArgs) -> Result<Resolved, Failure> {
    let source = args.layout.as_deref().map(Source::find).transpose();
    let source = source.map_err(|error| no_source(&error))?;
    let overrides = args.overrides().map_err(|fault| wrong(&fault))?;
    let mut resolved =
        layouts::resolve(source.as_ref(), &overrides, &variable).map_err(|fault| wrong(&fault))?;
    let plan = &mut resolved.plan;
    if plan.layout_dir.is_none() && plan.files.is_empty() {
        // A command that a flag says, besides no file: it means files of the current folder.
        let commands = plan.nodes.iter().filter_map(|node| node.command.as_ref());
        if commands.flatten().any(|word| word.contains("{layout_dir}")) {
            plan.layout_dir = std::env::current_dir().ok();
        }
    }
    Ok(resolved)
}

/// A variable of the environment that a layout may name.
pub(super) fn variable(name: &str) -> Result<String, std::env::VarError> {
    std::env::var(name)
}

/// A layout that cannot be a network.
pub(super) fn wrong(fault: &LayoutFault) -> Failure {
    let hint = fault.hint.clone();
    let hint =
        hint.unwrap_or_else(|| "`nym-devnet layout show one-by-three` explains every field".into());
    Failure::new(FailureCode::InvalidLayout, fault.to_string()).hint(hint)
}

/// There is no layout to read.
pub(super) fn no_source(error: &SourceError) -> Failure {
    let code = match error {
        SourceError::Read { source, .. } if source.kind() != std::io::ErrorKind::NotFound => {
            FailureCode::Environment
        }
        _ => FailureCode::InvalidLayout,
    };
    let message = match error {
        SourceError::Read { source, .. } => format!("{error}: {source}"),
        _ => error.to_string(),
    };
    let failure = Failure::new(code, message);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Says so if a plan's traffic is more than this machine can carry.
pub(super) fn warn(output: Output, plan: &Plan) {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    if let Some(warning) = too_much(plan.load(), cores) {
        output.note(&warning);
    }
}

/// Why a load is too much for so many cores.
fn too_much(load: Load, cores: usize) -> Option<String> {
    let Load { packets_per_second: sent, cores: needed, crowd_cores } = load;
    let here = f64::from(u32::try_from(cores).unwrap_or(u32::MAX));
    let (problem, cure) = if needed > here {
        let problem = format!(
            "need about {needed:.1} cores by what was measured, and this machine has {cores}: \
             they will be late"
        );
        (problem, "longer intervals (--slot, --loop-cover) or a smaller --crowd")
    } else if crowd_cores > 1.0 {
        let problem = format!(
            "keep the crowd's process busy for {crowd_cores:.1} cores by what was measured, and it \
             builds on one: it will send less"
        );
        (problem, "longer intervals (--slot, --loop-cover) or a smaller --crowd")
    } else {
        return None;
    };
    Some(format!("warning: {sent:.0} packets a second {problem}; {cure} would mend it"))
}

/// A layout for programs. Times are in milliseconds.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct Shown<'a> {
    widths: &'a [u16],
    providers: u16,
    clients: u16,
    crowd: u16,
    profile: Profile,
    #[serde(flatten)]
    rates: ShownRates,
    acks: bool,
    metrics: bool,
    trace: bool,
    faithful: bool,
    restart: Restart,
    seed: Option<u64>,
    ports: Ports,
}

impl<'a> Shown<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let Layout { widths, providers, clients, crowd, profile, rates, .. } = &plan.layout;
        Self {
            widths,
            providers: *providers,
            clients: *clients,
            crowd: *crowd,
            profile: *profile,
            rates: ShownRates::new(rates),
            acks: plan.layout.acks,
            metrics: plan.layout.metrics,
            trace: plan.layout.trace,
            faithful: plan.layout.faithful,
            restart: plan.layout.restart,
            seed: plan.layout.seed,
            ports: plan.ports,
        }
    }
}

/// Rates for programs.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the unit is part of what programs read")]
struct ShownRates {
    hop_delay_ms: f64,
    slot_ms: f64,
    loop_cover_ms: f64,
}

impl ShownRates {
    fn new(rates: &Rates) -> Self {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        Self {
            hop_delay_ms: milliseconds(rates.hop_delay),
            slot_ms: milliseconds(rates.slot),
            loop_cover_ms: milliseconds(rates.loop_cover),
        }
    }
}

/// A node for programs.
#[derive(Serialize)]
pub(super) struct ShownNode<'a> {
    name: &'a str,
    role: Role,
    layer: Option<u8>,
    provider: Option<&'a str>,
    ports: &'a [PortPlan],
    second_port: Option<u16>,
    /// Of clients and the crowd.
    #[serde(flatten)]
    rates: Option<ShownRates>,
    metrics: bool,
    restart: Restart,
    env: &'a BTreeMap<String, String>,
    command: Option<&'a [String]>,
}

impl<'a> ShownNode<'a> {
    /// All nodes of a plan.
    pub(super) fn all(plan: &'a Plan) -> Vec<Self> {
        plan.nodes.iter().map(Self::new).collect()
    }

    fn new(node: &'a NodePlan) -> Self {
        let sends = matches!(node.role, Role::Client | Role::Crowd);
        Self {
            name: &node.name,
            role: node.role,
            layer: node.layer,
            provider: node.provider.as_deref(),
            ports: &node.ports,
            second_port: node.second_port,
            rates: sends.then(|| ShownRates::new(&node.rates)),
            metrics: node.metrics,
            restart: node.restart,
            env: &node.env,
            command: node.command.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Planned<'a> {
    description: Option<&'a str>,
    layout: Shown<'a>,
    nodes: Vec<ShownNode<'a>>,
    files: Vec<&'a str>,
    packets_per_second: f64,
    cores: f64,
}

/// Prints a plan in place of starting it.
pub(super) fn dry_run(context: &Context, resolved: &Resolved) -> Outcome {
    let plan = &resolved.plan;
    let load = plan.load();
    let planned = Planned {
        description: resolved.description.as_deref(),
        layout: Shown::new(plan),
        nodes: ShownNode::all(plan),
        files: plan.files.keys().map(String::as_str).collect(),
        packets_per_second: load.packets_per_second,
        cores: load.cores,
    };
    context.output.result("plan", Some(context.name()), &planned, |output| {
        let rows: Vec<Vec<Cell>> = plan.nodes.iter().map(|node| row(node, &plan.layout)).collect();
        let heads = ["NAME", "ROLE", "LAYER", "PROVIDER", "PORTS", "OTHER"];
        let table = table(output, &heads, &["LAYER"], &rows);
        let description = resolved.description.as_deref().map(visible).unwrap_or_default();
        let description = if description.is_empty() { description } else { description + "\n" };
        format!("{table}\n\n{description}{}", summary(plan, load))
    })
}

/// What is the same for all nodes, in a few lines.
fn summary(plan: &Plan, load: Load) -> String {
    let Layout { acks, metrics, trace, faithful, restart, seed, .. } = &plan.layout;
    let on = |is: bool| if is { "on" } else { "off" };
    let seed = seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
    format!(
        "{} mixnodes, crowd of {}; profile {}: {}\n\
         acks {}, metrics {}, trace {}, {}restart {}{seed}\n\
         {:.0} packets a second, about {:.2} cores",
        shape(&plan.layout.widths),
        plan.layout.crowd,
        plan.layout.profile_name(),
        rates(plan.layout.rates),
        on(*acks),
        on(*metrics),
        on(*trace),
        if *faithful { "faithful, " } else { "" },
        word(*restart),
        load.packets_per_second,
        load.cores,
    )
}

fn rates(rates: Rates) -> String {
    let [hop_delay, slot, loop_cover] =
        [rates.hop_delay, rates.slot, rates.loop_cover].map(humantime::format_duration);
    format!("hop delay {hop_delay}, slot {slot}, loop cover {loop_cover}")
}

fn word(restart: Restart) -> &'static str {
    match restart {
        Restart::No => "no",
        Restart::OnFailure => "on-failure",
        Restart::Always => "always",
    }
}

fn row(node: &NodePlan, layout: &Layout) -> Vec<Cell> {
    let ports = node.ports.iter().map(|port| match (port.port, port.fallback) {
        (0, _) => format!("{}: any", port.endpoint),
        (number, true) => format!("{}: {number} or any", port.endpoint),
        (number, false) => format!("{}: {number}", port.endpoint),
    });
    let second = node.second_port.map(|port| format!("{}: {port} if free", Endpoint::SecondApp));
    let ports: Vec<String> = ports.chain(second).collect();
    vec![
        node.name.as_str().into(),
        node.role.to_string().into(),
        or_unknown(node.layer),
        or_unknown(node.provider.as_ref()),
        ports.join(", ").into(),
        other(node, layout).into(),
    ]
}

/// What is different for one node.
fn other(node: &NodePlan, layout: &Layout) -> String {
    let mut parts = Vec::new();
    if node.rates != layout.rates {
        parts.push(rates(node.rates));
    }
    if node.metrics != layout.metrics {
        parts.push(format!("metrics {}", if node.metrics { "on" } else { "off" }));
    }
    if node.restart != layout.restart {
        parts.push(format!("restart {}", word(node.restart)));
    }
    let variables: Vec<&str> = node.env.keys().map(String::as_str).collect();
    if !variables.is_empty() {
        parts.push(format!("env {}", variables.join(" ")));
    }
    if let Some(command) = &node.command {
        parts.push(format!("command {}", command.join(" ")));
    }
    visible(&parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_that_is_too_much_is_told_with_what_would_mend_it() {
        let load = Load { packets_per_second: 3000.0, cores: 1.8, crowd_cores: 0.75 };
        assert_eq!(too_much(load, 2), None);
        let warning = too_much(load, 1).expect("too much for one");
        assert!(warning.contains("about 1.8 cores") && warning.contains("--crowd"), "{warning}");
        let crowd = Load { crowd_cores: 1.2, ..load };
        let warning = too_much(crowd, 64).expect("it is one process");
        assert!(warning.contains("busy for 1.2 cores"), "{warning}");
    }
}
