//! The mixnode as a process, and what it has used.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use contract::{Event, NodeMetrics};

use crate::BE_THE_NODE;
use crate::cores::Cores;
use crate::network::Network;

/// Who listens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// Nobody: it was started by hand.
    Nobody,
    /// A supervisor, to whom it tells every packet that left.
    Supervisor,
    /// One who wants to know what became of every packet besides, as in a devnet.
    Tracing,
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Memory {
    pub(crate) all: u64,
    /// Without the program.
    pub(crate) data: u64,
}

/// A running mixnode. Ends with its owner.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    child: Child,
    events: mpsc::Receiver<Event>,
}

impl Node {
    /// Starts one of layer 1 of 2.
    pub(crate) fn start(
        cores: &Cores,
        network: &Network,
        portable: bool,
        listener: Listener,
    ) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        command.arg(BE_THE_NODE).args(["--layer", "1", "--layers", "2"]);
        command.args(["--port", "0", "--directory", &network.directory, "--home"]);
        command.arg(network.node_home());
        if let Some(core) = cores.of_node {
            command.args(["--core", &core.to_string()]);
        }
        if portable {
            command.arg("--portable");
        }
        if listener != Listener::Nobody {
            command.arg("--supervised");
        }
        if listener == Listener::Tracing {
            command.arg("--trace");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let events = read_events(child.stdout.take().expect("piped"));
        let address = read_log(child.stderr.take().expect("piped"));
        let address = address.recv().expect("it says where it listens");
        Self { address, child, events }
    }

    /// The counters that it has told its supervisor since this was last called.
    pub(crate) fn metrics(&self) -> Vec<NodeMetrics> {
        let metrics = self.events.try_iter().filter_map(|event| match event {
            Event::Metrics(metrics) => Some(metrics),
            _ => None,
        });
        metrics.collect()
    }

    /// Processor time so far, of all its threads; none on a system that does not tell.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        cpu(&format!("/proc/{}/task", self.child.id()))
    }

    /// Bytes of memory: its own pages, and of those of the program, which this process has too, its
    /// part.
    pub(crate) fn memory(&self) -> Option<Memory> {
        let all = self.kilobytes("smaps_rollup", "Pss:")?;
        let data = self.kilobytes("smaps_rollup", "Pss_Anon:")?;
        Some(Memory { all, data })
    }

    /// Most bytes that were resident at once; shared pages count whole.
    pub(crate) fn peak(&self) -> Option<u64> {
        self.kilobytes("status", "VmHWM:")
    }

    fn kilobytes(&self, file: &str, field: &str) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(field))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes << 10)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Fails if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nanoseconds on a processor, where `/proc/PID/stat` counts ticks of ten milliseconds.
pub(crate) fn cpu(tasks: &str) -> Option<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(tasks).ok()? {
        // A thread may have ended since.
        let Ok(text) = fs::read_to_string(task.ok()?.path().join("schedstat")) else { continue };
        let running: u64 = text.split(' ').next()?.parse().ok()?;
        sum += running;
    }
    Some(Duration::from_nanos(sum))
}

/// Reads events to the end, so that the node never waits; those of links and packets say
/// nothing here.
fn read_events(output: impl Read + Send + 'static) -> mpsc::Receiver<Event> {
    let (sender, events) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let of_packets = [r#"{"event":"links""#, r#"{"event":"packets""#];
            if of_packets.iter().any(|begin| line.starts_with(begin)) {
                continue;
            }
            // Whoever is interested may be gone.
            let _ = sender.send(serde_json::from_str(&line).expect("an event"));
        }
    });
    events
}

/// Reads the log to the end, and finds in it where the node listens.
fn read_log(output: impl Read + Send + 'static) -> mpsc::Receiver<SocketAddr> {
    let (sender, address) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let after = line.split_once("listening on ").map(|(_, rest)| rest);
            let word = after.and_then(|rest| rest.split_whitespace().next());
            if let Some(address) = word.and_then(|word| word.parse().ok()) {
                let _ = sender.send(address);
            }
        }
    });
    address
}
