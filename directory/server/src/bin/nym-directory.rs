//! `nym-directory`: a directory by itself, for a network of your own.

use std::process::ExitCode;

use clap::Parser;
use contract::Role;
use directory_server::DirectoryArgs;
use runtime::{LogFormat, log_to_stderr};

/// Nodes of a mix network announce themselves here, and everyone learns the topology
#[derive(Debug, Parser)]
#[command(name = "nym-directory", version)]
struct Cli {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// How the log on stderr looks; what it says is up to the variable `RUST_LOG`
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.log_format, "info");
    runtime::run_process(Role::Directory, false, |process| {
        directory_server::run_process(cli.directory, process)
    })
}
