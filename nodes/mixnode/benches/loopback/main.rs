//! What a mixnode costs over loopback TCP: processor time per packet against a bare loop over the same
//! hop processor, memory after a burst, and by how much packets leave too late.
//!
//! ```text
//! cargo bench -p mixnode --bench loopback -- --help
//! ```
//!
//! The mixnode is a process of its own on one core: this program starts itself, and what then runs is
//! what `nym-mixnode` runs, replay check on. The load, the next hops and a directory are threads on
//! the other cores. All packets are different, and built before. Node and bare loop take turns, so
//! that a busy moment of the machine hits both.

mod cores;
mod delays;
mod floor;
mod network;
mod node;
mod packets;
mod peers;
mod throughput;

use std::process::ExitCode;

use clap::Parser;
use contract::Role;
use mixnode::MixnodeArgs;

use crate::node::Listener;
use crate::packets::Delays;

/// What a mixnode costs over loopback TCP
#[derive(Debug, Parser)]
struct Cli {
    /// Only parts with one of these texts in their names: throughput, burst, delays
    #[arg(value_name = "TEXT")]
    only: Vec<String>,
    /// Turns of node and bare loop
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    turns: u16,
    /// Packets in a turn
    #[arg(long, value_name = "N", default_value_t = 40_000)]
    packets: usize,
    /// Connections to the node, and next hops
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    peers: u16,
    /// Seconds of each load at which delays are measured
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    seconds: u16,
    /// Leave it to the system which core does what
    #[arg(long)]
    no_pin: bool,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// The node: this program starts itself.
#[derive(Debug, Parser)]
struct NodeCli {
    #[arg(long)]
    core: Option<usize>,
    #[arg(long)]
    supervised: bool,
    #[command(flatten)]
    args: MixnodeArgs,
}

/// The first argument of this program if it is to be the node.
const BE_THE_NODE: &str = "be-the-node";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(BE_THE_NODE) {
        let NodeCli { core, supervised, args } = NodeCli::parse_from(std::env::args().skip(1));
        core.map(|core| cores::use_only(&[core]));
        runtime::log_to_stderr(runtime::LogFormat::Text, "info");
        return runtime::run_process(Role::Mixnode, supervised, |process| {
            mixnode::run(args, process)
        });
    }
    let cli = Cli::parse();
    let wants = |name: &str| {
        cli.only.is_empty() || cli.only.iter().any(|text| name.contains(text.as_str()))
    };
    let cores = cores::Cores::choose(!cli.no_pin);
    let network = network::Network::start(cli.peers);
    println!(
        "{} cores; the node and the bare loop on core {:?}, the load on the others. {} connections, {} next hops.",
        cores.count, cores.of_node, cli.peers, cli.peers
    );
    let mut is_fine = true;
    let mut per_second = Vec::new();
    if wants("throughput") || wants("delays") {
        let packets = packets::build(&network, cli.packets, Delays::None);
        for portable in [true, false] {
            let figures = throughput::measure(&cli, &cores, &network, &packets, portable);
            is_fine &= figures.is_complete;
            per_second.push((portable, figures.per_second));
        }
    }
    if wants("burst") {
        let packets = packets::build(
            &network,
            throughput::BURST,
            Delays::Exponential(throughput::BURST_DELAY),
        );
        for listener in [Listener::Nobody, Listener::Supervisor, Listener::Tracing] {
            throughput::burst(&cores, &network, &packets, listener);
        }
    }
    if wants("delays") {
        for (portable, per_second) in per_second {
            delays::measure(&cli, &cores, &network, portable, per_second);
        }
    }
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
