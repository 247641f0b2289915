//! `nym-devnet node …`: one role as this process, under a supervisor or by hand.

mod shim;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use client::{ClientArgs, run_client};
use contract::Role;
use directory_server::DirectoryArgs;
use mixnode::MixnodeArgs;
use provider::ProviderArgs;
use runtime::{LogFormat, log_to_stderr, run_process, run_to_exit_code};

use shim::ShimArgs;

/// The command line of a node, and of nothing else. Every process of a devnet is parsed by it: what the
/// parser needs for all other commands would stay in the memory of each.
#[derive(Debug, Parser)]
#[command(name = "nym-devnet", bin_name = "nym-devnet", version, propagate_version = true)]
#[command(max_term_width = 100)]
pub(crate) struct NodeCli {
    #[command(subcommand)]
    pub(crate) command: NodeCommand,
}

/// The one command of that.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Run one role as this process
    #[command(subcommand)]
    Node(NodeRole),
}

/// Which role.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum NodeRole {
    /// Where nodes announce themselves and everyone learns the topology
    Directory(Node<DirectoryArgs>),
    /// Takes Sphinx packets, removes a layer of encryption, waits, passes them on
    Mixnode(Node<MixnodeArgs>),
    /// Stores what arrives for its clients until they have it
    Provider(Node<ProviderArgs>),
    /// Sends and receives messages for applications, hidden in cover traffic
    Client(Node<ClientArgs>),
    /// Runs another command in the place of a node; a supervisor starts it
    #[command(hide = true)]
    Shim(Node<ShimArgs>),
    /// Kills its process group when its standard input ends; a shim starts it
    #[command(hide = true)]
    ShimGuard,
}

impl NodeRole {
    fn is_supervised(&self) -> bool {
        match self {
            Self::Directory(node) => node.supervised,
            Self::Mixnode(node) => node.supervised,
            Self::Provider(node) => node.supervised,
            Self::Client(node) => node.supervised,
            Self::Shim(node) => node.supervised,
            Self::ShimGuard => true,
        }
    }
}

/// A role and who runs it.
#[derive(Clone, Debug, Args)]
pub(crate) struct Node<A: Args> {
    /// Speak JSON lines with a supervisor on the standard streams, and end with it
    #[arg(long)]
    supervised: bool,
    #[command(flatten)]
    role: A,
}

/// Runs the role until it ends.
pub(crate) fn run(role: NodeRole) -> ExitCode {
    // By itself a directory shows every request; in a devnet the dashboard does, and ten lines a
    // second would bury all others.
    let filter = if role.is_supervised() { "info,directory=warn" } else { "info" };
    log_to_stderr(LogFormat::Text, filter);
    match role {
        NodeRole::Directory(Node { supervised, role }) => {
            run_process(Role::Directory, supervised, |process| {
                directory_server::run_process(role, process)
            })
        }
        NodeRole::Mixnode(Node { supervised, role }) => {
            run_process(Role::Mixnode, supervised, |process| mixnode::run(role, process))
        }
        NodeRole::Provider(Node { supervised, role }) => {
            run_process(Role::Provider, supervised, |process| provider::run(role, process))
        }
        NodeRole::Client(Node { supervised, role }) => {
            let what = if role.crowd.is_some() { Role::Crowd } else { Role::Client };
            run_process(what, supervised, |process| run_client(role, process))
        }
        NodeRole::Shim(Node { supervised, role }) => {
            run_to_exit_code(role.role.into(), supervised, |process| shim::run(&role, process))
        }
        NodeRole::ShimGuard => shim::run_guard(),
    }
}
