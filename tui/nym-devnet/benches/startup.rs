//! How long a devnet takes until it is ready, until its first message is delivered, and until it is
//! gone; how much memory it has; and the same nodes started with sleeps, as the scripts of 2020 did.
//!
//! ```text
//! cargo bench -p nym-devnet --bench startup
//! ```

mod app;
mod by_hand;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::{app_url, ask, connect, next};
use crate::by_hand::ByHand;

/// Enough for a median that one noisy start does not move.
const ROUNDS: usize = 15;

/// Each takes nine seconds, nearly all of them sleeps.
const SLEEPING_ROUNDS: usize = 3;

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

/// The nodes that are also started by hand.
const COMPARED: &str = "--width 2 --layers 3 --clients 2 --crowd 0";

fn main() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores; medians of {ROUNDS} starts, least and most in brackets");
    for case in &CASES {
        measure(case);
    }
    compare_with_sleeps();
}

fn measure(Case { name, arguments }: &Case) {
    let state = tempfile::Builder::new().prefix("nym").tempdir_in("/tmp").expect("a folder");
    let run = |arguments: &str| run(state.path(), arguments);
    let (mut listed, mut ready, mut down) = (vec![], vec![], vec![]);
    let (mut memory, mut mixnode) = (vec![], vec![]);
    for round in 0..ROUNDS {
        // A new folder each time, all deleted at the end: a file system is slow to make files
        // where it has just deleted some.
        let devnet = format!("bench-{round}");
        let begin = Instant::now();
        run(&format!("up {arguments} --ports auto --name {devnet} --detach"));
        ready.push(millis(begin.elapsed()));
        let status = status(&run(&format!("status --name {devnet} -o json")));
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
        let begin = Instant::now();
        run(&format!("down {devnet}"));
        down.push(millis(begin.elapsed()));
    }
    println!("{name}");
    report("all mixnodes and providers listed", "ms", listed);
    report("everything ready, from the command to its return", "ms", ready);
    report("everything gone, from the command to its return", "ms", down);
    report("memory of all processes, proportional", "MB", memory);
    report("memory of one mixnode, proportional", "MB", mixnode);
}

/// The same nodes both ways, from the first process to the first message that is delivered.
fn compare_with_sleeps() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let state = tempfile::Builder::new().prefix("nym").tempdir_in("/tmp").expect("a folder");
    let (mut together, mut by_hand) = (vec![], vec![]);
    for round in 0..ROUNDS {
        let devnet = format!("first-{round}");
        let begin = Instant::now();
        let run = |arguments: &str| run(state.path(), arguments);
        run(&format!("up {COMPARED} --ports auto --name {devnet} --detach"));
        let status = status(&run(&format!("status --name {devnet} -o json")));
        let nodes = status["nodes"].as_array().expect("a list").iter();
        let urls: Vec<_> = nodes.filter(|node| node["role"] == "client").map(app_url).collect();
        runtime.block_on(deliver(&urls[0], &urls[1]));
        together.push(begin.elapsed().as_secs_f64());
        run(&format!("down {devnet}"));
    }
    for _ in 0..SLEEPING_ROUNDS {
        let begin = Instant::now();
        let network = ByHand::start();
        let [alice, bob] = network.clients();
        runtime.block_on(deliver(alice, bob));
        by_hand.push(begin.elapsed().as_secs_f64());
    }
    println!("2x3, 1 provider, 2 clients, no crowd: until the first message is delivered");
    report("up", "s", together);
    report("one process after the other, with a second of sleep after each node", "s", by_hand);
}

/// Sends a message from one client to another, and waits until an application has it.
async fn deliver(from: &str, to: &str) {
    let (mut from, mut to) = (connect(from).await, connect(to).await);
    let address = ask(&mut to, json!({"type": "selfAddress"})).await;
    let recipient = address["address"].as_str().expect("an address");
    let request = json!({"type": "send", "recipient": recipient, "message": "the first"});
    assert_eq!(ask(&mut from, request).await["type"], "send");
    assert_eq!(next(&mut to).await, "the first");
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

/// What `status` says, without its envelope.
fn status(output: &str) -> Value {
    let mut status: Value = serde_json::from_str(output).expect("JSON");
    status["data"].take()
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
    println!("  {what}: {:.2} {unit} ({least:.2} to {most:.2})", values[values.len() / 2]);
}
