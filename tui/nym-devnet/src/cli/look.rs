//! Options of the commands that look at a devnet and at the machine that it runs on.

use std::time::Duration;

use clap::{Args, ValueEnum};
use clap_complete::Shell;
use regex::Regex;
use vantage::Who;

use super::candidates;
use super::values::{parse_pattern, parse_span};

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Names of processes, or `supervisor` [default: all]
    #[arg(value_name = "NODE", add = candidates::nodes())]
    pub(crate) nodes: Vec<String>,
    /// Go on with what is logged, until the devnet ends
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// The last so many lines [default: 100, all with --since]
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) lines: Option<u64>,
    /// Only what was logged within this time, such as `5m`
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub(crate) since: Option<Duration>,
    /// Only lines in which this regular expression is found
    #[arg(long, value_name = "REGEX", value_parser = parse_pattern)]
    pub(crate) grep: Option<Regex>,
    /// Only lines of this level and of worse ones
    #[arg(long, value_name = "LEVEL", ignore_case = true)]
    pub(crate) level: Option<Level>,
}

/// How bad what a line says is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Args)]
pub(crate) struct TopologyArgs {
    /// In which form [default: tree, json with `-o json`]
    #[arg(long, value_name = "FORM")]
    pub(crate) format: Option<TopologyFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TopologyFormat {
    /// Who hangs on whom, for people
    Tree,
    /// One line for each node, with its key
    Table,
    /// As the directory tells it, in the envelope of `-o json`
    Json,
    /// For Graphviz
    Dot,
    /// For Mermaid, which many sites show in Markdown
    Mermaid,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Go on, once a second, until the devnet ends
    #[arg(short, long)]
    pub(crate) watch: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AnonymityArgs {
    /// Go on, once a second, until the devnet ends
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// For how long to watch before the figures are shown
    #[arg(long = "for", value_name = "TIME", default_value = "15s", value_parser = parse_span, conflicts_with = "watch")]
    pub(crate) over: Duration,
    /// Over how long figures are averaged
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_span)]
    pub(crate) window: Duration,
    /// Who watches: `all` links, `link ONE OTHER`, or all links with nodes that tell what they know:
    /// `mixes NAME,…`, `providers NAME,…`, or both
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) adversary: Option<Who>,
    /// Find out whether this client has something to say
    #[arg(long, value_name = "CLIENT", add = candidates::clients())]
    pub(crate) is_sending: Option<String>,
    /// Rank the others by how likely they write to this client
    #[arg(long, value_name = "CLIENT", add = candidates::clients())]
    pub(crate) who_writes_to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// Only folders in which nothing was written for this long
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_span)]
    pub(crate) older_than: Duration,
    /// List what would be deleted, and delete nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// For which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}
