//! Options of the commands on a running devnet.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::parse_time;
use super::{ScreenArgs, candidates};

#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// Name of a running devnet; or a recording, which is played (a devnet of that name comes first,
    /// so write `./NAME`); or the address of a control port, such as `http://127.0.0.1:7000`, with its
    /// token in `NYM_DEVNET_CONTROL_TOKEN`
    #[arg(value_name = "NAME|FILE|URL", add = candidates::devnets())]
    pub(crate) devnet: Option<String>,
    /// Show everything, change nothing
    #[arg(long)]
    pub(crate) read_only: bool,
    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DownArgs {
    /// Name of the devnet
    #[arg(value_name = "NAME", add = candidates::devnets())]
    pub(crate) devnet: Option<String>,
    /// Delete its folder, keys and mailboxes included
    #[arg(long)]
    pub(crate) purge: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    /// What to wait for
    #[arg(long = "for", value_name = "STATE", default_value = "ready")]
    pub(crate) goal: Goal,
    /// How long to wait at most; 0 only looks
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        value_parser = contract::parse_duration
    )]
    pub(crate) timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Goal {
    /// Every process is ready
    Ready,
    /// The devnet does not run
    Stopped,
}

/// Whether a command waits until it is done.
#[derive(Debug, Args)]
pub(crate) struct Patience {
    /// Do not wait until it is done
    // Global, so that it may stand behind what is added.
    #[arg(long, global = true)]
    pub(crate) no_wait: bool,
    /// How long to wait at most
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        global = true,
        value_parser = parse_time
    )]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct NodesArgs {
    /// Names of processes
    #[arg(required = true, value_name = "NODE", add = candidates::nodes())]
    pub(crate) nodes: Vec<String>,
    #[command(flatten)]
    pub(crate) wait: Patience,
}

#[derive(Debug, Args)]
pub(crate) struct KillArgs {
    /// Names of processes
    #[arg(required = true, value_name = "NODE", add = candidates::nodes())]
    pub(crate) nodes: Vec<String>,
}
