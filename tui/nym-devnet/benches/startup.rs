//! How long a devnet takes until it is ready, and how much memory it has then.
//!
//! ```text
//! cargo bench -p nym-devnet --bench startup
//! ```

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Enough for a median that one noisy start does not move.
const ROUNDS: usize = 15;

/// A network to start.
struct Case {
    name: &'static str,
    arguments: &'static str,
}

const CASES: [Case; 2] = [
    Case {
        name: "2x3, 1 provider, 2 clients, crowd of 8 (11 processes and the supervisor)",
        arguments: "--width 2 --layers 3",
    },
    Case {
        name: "33x3, 1 provider, 50 clients, no crowd (151 processes and the supervisor)",
        arguments: "--width 33 --layers 3 --clients 50 --crowd 0",
    },
];

fn main() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores; medians of {ROUNDS} starts, least and most in brackets");
    for Case { name, arguments } in CASES {
        let state = tempfile::Builder::new().prefix("nym").tempdir_in("/tmp").expect("a folder");
        let run = |arguments: &str| run(state.path(), arguments);
        let (mut listed, mut ready, mut memory, mut mixnode) = (vec![], vec![], vec![], vec![]);
        for round in 0..ROUNDS {
            // A new folder each time, all deleted at the end: a file system is slow to make files
            // where it has just deleted some.
            let devnet = format!("bench-{round}");
            let begin = Instant::now();
            run(&format!("up {arguments} --ports auto --name {devnet} --detach"));
            ready.push(millis(begin.elapsed()));
            let status = run(&format!("status --name {devnet} -o json"));
            let status: Value = serde_json::from_str(&status).expect("JSON");
            let status = &status["data"];
            let nodes = status["nodes"].as_array().expect("a list");
            let started = number(&status["info"]["started_unix_ms"]);
            // For mixnodes and providers, ready means listed.
            let since = nodes
                .iter()
                .filter(|node| node["role"] == "mixnode" || node["role"] == "provider")
                .map(|node| number(&node["since_unix_ms"]));
            listed.push(since.fold(0.0, f64::max) - started);
            let pids = nodes.iter().map(|node| number(&node["pid"]));
            let supervisor = number(&status["info"]["supervisor_pid"]);
            if let Some(sum) = pids.chain([supervisor]).map(proportional_set_mb).sum() {
                memory.push(sum);
            }
            let first = nodes.iter().find(|node| node["role"] == "mixnode").expect("a mixnode");
            mixnode.extend(proportional_set_mb(number(&first["pid"])));
            run(&format!("down {devnet}"));
        }
        println!("{name}");
        report("all mixnodes and providers listed", "ms", listed);
        report("everything ready, from the command to its return", "ms", ready);
        report("memory of all processes, proportional", "MB", memory);
        report("memory of one mixnode, proportional", "MB", mixnode);
    }
}

/// Runs the program to its end; returns what it printed.
fn run(state: &Path, arguments: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_nym-devnet"))
        .args(arguments.split_whitespace())
        .env("NYM_DEVNET_STATE_DIR", state)
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// The process's share of memory: its own pages, and of shared ones its part. Linux only.
fn proportional_set_mb(pid: f64) -> Option<f64> {
    let file = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = file.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes / 1000.0)
}

fn report(what: &str, unit: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else {
        return println!("  {what}: not measured on this system");
    };
    println!("  {what}: {:.1} {unit} ({least:.1} to {most:.1})", values[values.len() / 2]);
}
