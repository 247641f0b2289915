//! Options of the commands on a running devnet.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::ScreenArgs;
use super::values::parse_time;

#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// Name of the devnet
    #[arg(value_name = "NAME")]
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
    #[arg(value_name = "NAME")]
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
        value_parser = humantime::parse_duration
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

#[derive(Debug, Args)]
pub(crate) struct NodesArgs {
    /// Names of processes
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Do not wait until it is done
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait at most
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        value_parser = parse_time
    )]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct KillArgs {
    /// Names of processes
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// Name of the sending client
    pub(crate) from: String,
    /// Name of the receiving client, or an address
    pub(crate) to: String,
    /// The message; `-` reads it from standard input
    #[arg(required_unless_present = "file")]
    pub(crate) text: Option<String>,
    /// Send what is in this file
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub(crate) file: Option<PathBuf>,
    /// Wait until it is delivered, or acknowledged where TO is outside the devnet
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait at most
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        value_parser = parse_time
    )]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct InboxArgs {
    /// Name of the client
    pub(crate) client: String,
    /// Go on with what arrives
    #[arg(short, long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Names of processes, or `supervisor` [default: all]
    #[arg(value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Go on with what is logged
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How many lines to begin with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    pub(crate) lines: usize,
    /// Only lines that contain this
    #[arg(long, value_name = "TEXT")]
    pub(crate) grep: Option<String>,
}
