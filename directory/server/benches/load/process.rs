//! Servers as processes: started and ended, and what they have used.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::floor::Floor;

/// How our directory is called in the results.
pub(crate) const OURS: &str = "ours";

/// A server that is to be measured. Ends with its owner if it was started here.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pid: Option<u32>,
    child: Option<Child>,
}

impl Server {
    /// Our directory, without its line for each request: a devnet starts it like that.
    pub(crate) fn ours() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nym-directory"));
        command.args(["--port", "0"]).env("RUST_LOG", "info,directory=warn");
        Self::start(OURS, command)
    }

    /// A floor: this program again.
    pub(crate) fn floor(floor: Floor, answer_bytes: usize) -> Self {
        let (name, argument) = match floor {
            Floor::Sockets => ("floor: sockets", "sockets"),
            Floor::Hyper => ("floor: hyper", "hyper"),
        };
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        command.args(["--floor", argument, "--answer-bytes", &answer_bytes.to_string()]);
        Self::start(name, command)
    }

    /// A server that somebody else has started.
    pub(crate) fn running(address: SocketAddr, pid: Option<u32>) -> Self {
        Self { name: address.to_string(), address, pid, child: None }
    }

    fn start(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let (to_us, lines) = mpsc::channel();
        read(child.stdout.take().expect("piped"), to_us.clone());
        read(child.stderr.take().expect("piped"), to_us);
        let mut before = Vec::new();
        let address = lines.iter().find_map(|line| {
            let address = address_in(&line);
            before.push(line);
            address
        });
        let Some(address) = address else {
            // It has closed its output, so it has ended or is about to.
            let _ = child.wait();
            panic!("{name} ended before it said where it listens:\n{}", before.join("\n"));
        };
        let pid = Some(child.id());
        Self { name: name.into(), address, pid, child: Some(child) }
    }

    /// What it has used so far; nothing on a system that does not tell, or if its pid is not known.
    pub(crate) fn usage(&self) -> Usage {
        self.pid.map(usage).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Fails if it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads what a process prints to its end, so that it never waits, whether or not anybody is
/// interested.
fn read(output: impl Read + Send + 'static, lines: mpsc::Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
}

/// The first address in a line such as `serves http://127.0.0.1:8080: a page …`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let words = line.split_whitespace().map(|word| word.trim_start_matches("http://"));
    words.flat_map(|word| word.trim_end_matches(':').parse()).next()
}

/// What a process has used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Processor time, of all its threads that still run.
    pub(crate) cpu: Option<Duration>,
    /// Bytes of memory now: its own pages, and of shared ones its part (`Pss`).
    pub(crate) memory: Option<u64>,
    /// Most bytes that were resident at once (`VmHWM`): shared pages count whole.
    pub(crate) peak: Option<u64>,
}

/// What a process has used. Linux tells; elsewhere the figures are left out.
pub(crate) fn usage(pid: u32) -> Usage {
    Usage {
        cpu: cpu(pid).ok(),
        memory: kilobytes(pid, "smaps_rollup", "Pss:"),
        peak: kilobytes(pid, "status", "VmHWM:"),
    }
}

/// Nanoseconds on a processor, where `/proc/PID/stat` counts ticks of ten milliseconds.
fn cpu(pid: u32) -> io::Result<Duration> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may have ended since.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        let running: u64 = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0);
        sum += running;
    }
    Ok(Duration::from_nanos(sum))
}

fn kilobytes(pid: u32, file: &str, field: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes << 10)
}
