//! The nodes of a 2×3 network, one process after the other with sleeps in between, as
//! `scripts/run_local_network.sh` of Nym v0.5 started them. No supervisor.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// What the script slept after the provider and after each mixnode.
const PAUSE: Duration = Duration::from_secs(1);

/// Mix layers, and mixnodes in each.
const LAYERS: usize = 3;
const WIDTH: usize = 2;

/// Nodes that run until this is dropped.
pub(crate) struct ByHand {
    /// What a node writes is kept open: one that cannot write takes its supervisor for dead.
    nodes: Vec<(Child, BufReader<ChildStdout>)>,
    /// Addresses of the websockets of two clients.
    clients: Vec<String>,
    home: TempDir,
}

impl ByHand {
    /// Starts all of them. Returns when both clients are ready.
    pub(crate) fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut network = Self { nodes: Vec::new(), clients: Vec::new(), home };
        let output = network.node("directory --host 127.0.0.1 --port 0", "directory");
        let address = until(output, "listening")["address"].take();
        let directory = format!("--directory http://{}", address.as_str().expect("an address"));
        let place = format!("{directory} --host 127.0.0.1 --port 0");
        network.node(&format!("provider {place} --clients-port 0"), "provider-1");
        sleep(PAUSE);
        for index in 0..WIDTH * LAYERS {
            let layer = index % LAYERS + 1;
            let what = format!("mixnode {place} --layer {layer} --layers {LAYERS}");
            network.node(&what, &format!("mix-{index}"));
            sleep(PAUSE);
        }
        let before = network.nodes.len();
        for name in ["alice", "bob"] {
            network.node(&format!("client {directory} --layers {LAYERS} --port 0"), name);
        }
        for (_, output) in &mut network.nodes[before..] {
            let address = until(output, "listening")["address"].take();
            network.clients.push(format!("ws://{}/", address.as_str().expect("an address")));
            until(output, "ready");
        }
        network
    }

    /// Addresses of the websockets of the clients.
    pub(crate) fn clients(&self) -> [&str; 2] {
        [&self.clients[0], &self.clients[1]]
    }

    /// Starts a node that tells what happens as a supervisor would hear it.
    fn node(&mut self, what: &str, name: &str) -> &mut BufReader<ChildStdout> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nym-devnet"));
        command.arg("node").args(what.split_whitespace()).args(["--supervised", "--name", name]);
        if !what.starts_with("directory") {
            command.arg("--home").arg(self.home.path().join(name));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        self.nodes.push((child, output));
        &mut self.nodes.last_mut().expect("it was just put there").1
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        for (node, _) in &mut self.nodes {
            // The end of its stdin is the end of the node.
            drop(node.stdin.take());
            node.wait().expect("it is ours");
        }
    }
}

/// The next event of this kind.
fn until(output: &mut impl BufRead, kind: &str) -> Value {
    loop {
        let mut line = String::new();
        assert_ne!(output.read_line(&mut line).expect("it can be read"), 0, "no more events");
        let event: Value = serde_json::from_str(&line).expect("JSON");
        if event["event"] == kind {
            return event;
        }
    }
}
