//! What a directory costs under load: processor time and latency per request, and memory.
//!
//! ```text
//! cargo bench -p directory-server --bench load -- --help
//! ```
//!
//! Ours runs as a process of its own, beside two floors that answer the same requests with fixed
//! bytes: one of bare sockets, one of hyper. With `--url` another directory runs beside them, so that
//! a busy moment of the machine hits all of them alike: they take turns, a second each. Ends with a
//! failure if any request was refused or any message lost.

mod contest;
mod drive;
mod figures;
mod floor;
mod http;
mod idle;
mod process;
mod readers;
mod scenarios;
mod table;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;

use crate::figures::Loaded;
use crate::floor::Floor;
use crate::idle::Idle;
use crate::process::Server;
use crate::scenarios::SCENARIOS;

/// What a directory costs under load
#[derive(Debug, Parser)]
struct Cli {
    /// Only scenarios with one of these texts in their names
    #[arg(value_name = "TEXT")]
    only: Vec<String>,
    /// Another directory that is already running, to be measured in turn with ours; may be repeated
    #[arg(long, value_name = "URL", value_parser = address)]
    url: Vec<SocketAddr>,
    /// Its process, for processor time and memory; with several, in the order of their URLs
    #[arg(long, value_name = "PID", requires = "url")]
    pid: Vec<u32>,
    /// Connections, each kept alive; of several requests at once, each kind has a quarter
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(4..))]
    connections: u16,
    /// Turns of one second that each server has in each scenario, after one that does not count
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    seconds: u16,
    /// Websockets that are open and idle
    #[arg(long, value_name = "N", default_value_t = 5000)]
    sockets: usize,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Be a floor instead of measuring: this program starts itself
    #[arg(long, hide = true)]
    floor: Option<Floor>,
    /// Bytes of a floor's answers
    #[arg(long, hide = true, default_value_t = 0)]
    answer_bytes: usize,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Cli {
    /// The directories that are already running.
    fn others(&self) -> impl Iterator<Item = Server> {
        let pids = self.pid.iter().copied().map(Some).chain(std::iter::repeat(None));
        self.url.iter().zip(pids).map(|(address, pid)| Server::running(*address, pid))
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|text| name.contains(text.as_str()))
    }
}

fn address(url: &str) -> Result<SocketAddr, String> {
    let address = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    address.parse().map_err(|_| "an address such as http://127.0.0.1:8080 is needed".into())
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // One thread, so that one core is left to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    if let Some(floor) = cli.floor {
        runtime.block_on(floor::run(floor, cli.answer_bytes));
        return ExitCode::SUCCESS;
    }
    let results = runtime.block_on(measure(&cli));
    if cli.json {
        let json = serde_json::to_string_pretty(&results).expect("numbers and texts");
        println!("{json}");
    }
    if results.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Everything that was measured.
#[derive(Serialize)]
struct Results {
    connections: u16,
    loaded: Vec<Loaded>,
    idle_websockets: Vec<Idle>,
}

impl Results {
    /// Whether any request failed at any server, or any message was lost.
    fn failed(&self) -> bool {
        let loaded = self.loaded.iter().flat_map(|loaded| &loaded.servers);
        loaded.map(|figures| &figures.failures).any(|failures| !failures.is_empty())
            || self.idle_websockets.iter().any(|idle| !idle.failures.is_empty())
    }
}

async fn measure(cli: &Cli) -> Results {
    let connections = cli.connections;
    let mut results = Results { connections, loaded: Vec::new(), idle_websockets: Vec::new() };
    if !cli.json {
        table::preface();
    }
    for scenario in SCENARIOS.iter().filter(|scenario| cli.wants(scenario.name)) {
        let loaded = Loaded::of(scenario.name, &contest::contest(scenario, cli).await);
        if !cli.json {
            table::loaded(&loaded);
        }
        results.loaded.push(loaded);
    }
    if cli.wants(idle::NAME) {
        results.idle_websockets = idle::idle(cli).await;
        if !cli.json {
            table::idle(idle::NAME, &results.idle_websockets);
        }
    }
    results
}
