//! Options of the commands about messages.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::candidates;
use super::values::{parse_rate, parse_time};

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// Name of the sending client
    #[arg(add = candidates::clients())]
    pub(crate) from: String,
    /// Name of the receiving client, or an address
    #[arg(add = candidates::clients())]
    pub(crate) to: String,
    /// The message; `-` reads it from standard input, to its end and as it is
    #[arg(required_unless_present = "file")]
    pub(crate) text: Option<String>,
    /// Send what is in this file, as it is
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    pub(crate) file: Option<PathBuf>,
    /// Send it so many times; an n in braces in TEXT becomes 1, 2, 3, …
    // Not as it is written: the parser takes that for the end of a line.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) count: Option<u32>,
    /// So many a second at most [default: each as soon as the one before is accepted]
    #[arg(long, value_name = "R", requires = "count", value_parser = parse_rate)]
    pub(crate) rate: Option<f64>,
    /// Wait until it is delivered, or acknowledged where TO is outside the devnet
    #[arg(long)]
    pub(crate) wait: bool,
    /// Print each step of the message until it is acknowledged, then its way hop by hop
    #[arg(long, conflicts_with = "wait")]
    pub(crate) follow: bool,
    /// How long to wait at most, for each message from when it is accepted
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
    #[arg(add = candidates::clients())]
    pub(crate) client: String,
    /// Go on with what arrives
    #[arg(short, long)]
    pub(crate) follow: bool,
}
