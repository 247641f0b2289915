//! A node as a process: what it says, what it uses, and that it is still there.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::Duration;

use contract::{Command as Ask, Endpoint, Event, NodeMetrics, Request};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::sync::watch;
use tokio::time::timeout;
use wire::PublicKey;

use crate::common::limit;

/// Another program to attack than the one that was built beside this test.
const PROGRAM: &str = "NYM_DEVNET_SOAK_PROGRAM";

/// The end of a log that is shown when something is wrong.
const SHOWN_LOG_LINES: usize = 30;

/// What a node has said so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    listening: Vec<(Endpoint, SocketAddr)>,
    key: Option<PublicKey>,
    ready: bool,
    /// Its counters, as it told them last.
    pub(crate) metrics: NodeMetrics,
}

impl Told {
    fn take(&mut self, event: Event) {
        match event {
            Event::Listening(listening) => {
                self.listening.push((listening.endpoint, listening.address));
            }
            Event::Identity(identity) => {
                self.key = identity.public_keys.first().and_then(|key| key.parse().ok());
            }
            Event::Ready { .. } => self.ready = true,
            Event::Metrics(metrics) => self.metrics = metrics,
            Event::Fatal(fatal) => panic!("a node gave up: {fatal}"),
            _ => {}
        }
    }

    fn address(&self, of: Endpoint) -> Option<SocketAddr> {
        self.listening.iter().find(|(endpoint, _)| *endpoint == of).map(|(_, address)| *address)
    }
}

/// A running node. It ends with this.
pub(crate) struct Node {
    name: String,
    child: Child,
    /// Its lifeline.
    stdin: Option<ChildStdin>,
    told: watch::Receiver<Told>,
    log_file: PathBuf,
}

/// What a process uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Resident memory.
    pub(crate) bytes: u64,
    /// Processor time since its start.
    pub(crate) cpu: Duration,
}

impl Node {
    /// Starts `nym-devnet node` with these arguments; its log goes to a folder.
    pub(crate) fn start(name: &str, folder: &Path, arguments: &str) -> Self {
        Self::start_reading(name, folder, arguments, |_, _| {})
    }

    /// The same; `read` gets every line that it writes, as it is and as an event.
    pub(crate) fn start_reading(
        name: &str,
        folder: &Path,
        arguments: &str,
        mut read: impl FnMut(&str, &Event) + Send + 'static,
    ) -> Self {
        let program = std::env::var_os(PROGRAM);
        let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_nym-devnet").into());
        let log_file = folder.join(format!("{name}.log"));
        let mut command = Command::new(program);
        command.arg("node").args(arguments.split_whitespace()).arg("--supervised");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(File::create(&log_file).expect("a log"));
        let mut child = command.spawn().expect("it starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, told) = watch::channel(Told::default());
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("lines are events");
                read(&line, &event);
                sender.send_modify(|told| told.take(event));
            }
        });
        Self { name: name.into(), child, stdin, told, log_file }
    }

    /// Waits until it has said so.
    pub(crate) async fn until(&self, what: &str, seconds: u64, is: impl FnMut(&Told) -> bool) {
        let mut told = self.told.clone();
        let waited = timeout(limit(seconds), told.wait_for(is)).await.map(|told| told.is_ok());
        let why = match waited {
            Ok(true) => return,
            Ok(false) => "it ended before".into(),
            Err(elapsed) => elapsed.to_string(),
        };
        let (metrics, log) = (self.metrics(), self.end_of_log());
        panic!("{}, waiting for {what}: {why}\n{metrics:?}\n{log}", self.name);
    }

    pub(crate) async fn until_ready(&self) {
        self.until("ready", 20, |told| told.ready).await;
    }

    pub(crate) async fn address(&self, of: Endpoint) -> SocketAddr {
        self.until("listening", 20, |told| told.address(of).is_some()).await;
        self.told.borrow().address(of).expect("it listens")
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.told.borrow().key.expect("told before it listens")
    }

    /// Its counters, as it told them last.
    pub(crate) fn metrics(&self) -> NodeMetrics {
        self.told(|told| told.metrics.clone())
    }

    /// What it has said so far.
    pub(crate) fn told<T>(&self, look: impl FnOnce(&Told) -> T) -> T {
        look(&self.told.borrow())
    }

    /// Asks something of it. One that is gone hears nothing.
    pub(crate) fn ask(&mut self, command: Ask) {
        let mut line = serde_json::to_vec(&Request { id: 1, command }).expect("a request is JSON");
        line.push(b'\n');
        if let Some(stdin) = &mut self.stdin {
            drop(stdin.write_all(&line));
        }
    }

    /// Ends it as nobody can prepare for.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is a child of this process");
    }

    /// Waits for its end. What it counted up to then, as far as it told.
    pub(crate) async fn ended(mut self) -> NodeMetrics {
        let gone = async { while self.told.changed().await.is_ok() {} };
        let has_ended = timeout(limit(20), gone).await.is_ok();
        assert!(has_ended, "{} does not end\n{}", self.name, self.end_of_log());
        self.metrics()
    }

    /// What it uses; that it still runs.
    pub(crate) fn usage(&mut self) -> Usage {
        let ended = self.child.try_wait().expect("it is a child of this process");
        assert!(ended.is_none(), "{} ended: {ended:?}\n{}", self.name, self.end_of_log());
        let pid = Pid::from_u32(self.child.id());
        let mut system = System::new();
        let what = ProcessRefreshKind::nothing().with_memory().with_cpu().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
        let process = system.process(pid).expect("it runs");
        let cpu = Duration::from_millis(process.accumulated_cpu_time());
        Usage { bytes: process.memory(), cpu }
    }

    /// Lines of its log so far.
    pub(crate) fn log_lines(&self) -> usize {
        self.log().lines().count()
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read(&self.log_file)
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LOG_LINES)..].join("\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The end of its lifeline ends it, within a second at the latest.
        self.stdin = None;
        drop(self.child.wait());
    }
}
