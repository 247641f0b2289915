//! The log of a process: on stderr, for people or as JSON lines.

use std::io::{self, IsTerminal as _};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people: time, level, text
    #[default]
    Text,
    /// For machines: one JSON object a line
    Json,
}

/// Sends the log of this process to stderr, at the level that `RUST_LOG` says, or else as `filter`
/// does, in the same words. To be called once.
pub fn log_to_stderr(format: LogFormat, filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // Which module says it matters to nobody who reads these.
        .with_target(false);
    match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
