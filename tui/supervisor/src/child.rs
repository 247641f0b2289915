//! One running process: its three streams, its end, and the signal that ends it.
//!
//! The tasks here only carry: what a line means is decided by whoever reads the channel.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use contract::{Event, MAX_LINE_BYTES, Request};
use control::LOG_LINE_BYTES;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::exit::Exit;
use crate::journeys::Batch;
use crate::lines::{Line, Splitter};
use crate::log_writer::Log;

/// Requests that a process has not read yet. People make them; a process that is this far behind
/// does not read at all.
const MAX_UNREAD_REQUESTS: usize = 64;

/// Bytes read from a process at once.
const CHUNK_BYTES: usize = 16 << 10;

/// After a process has ended, what it wrote last may still be in its pipes. A process of its own
/// that it left behind may hold them open for ever, so this is waited at most.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// What a process did.
#[derive(Debug)]
pub(crate) enum ChildEvent {
    /// It reported something.
    Event(Box<Event>),
    /// It told what became of packets.
    Packets(Batch),
    /// It wrote a line to its log.
    Log(String),
    /// Its log file cannot be written, or can again.
    LogFile(String),
    /// It ended. After this comes at most what a process that it left behind still writes.
    Exited(Exit),
}

/// A node of the devnet. Never given twice, so that nothing is taken for that of a node which was
/// removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeId(pub(crate) u64);

/// Which process something comes from: of which node, and which of its processes it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) node: NodeId,
    pub(crate) generation: u64,
}

/// A running process. Dropping it closes the process's stdin, which tells it to stop.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) pid: u32,
    requests: mpsc::Sender<String>,
    wishes: watch::Sender<Wish>,
}

/// What a process and its group are made to do by a signal. Only the last wish counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// SIGCONT.
    GoOn,
    /// SIGSTOP.
    StandStill,
    /// SIGKILL. Nothing can be wished after it.
    End,
}

impl Wish {
    fn signal(self) -> Signal {
        match self {
            Self::GoOn => Signal::CONT,
            Self::StandStill => Signal::STOP,
            Self::End => Signal::KILL,
        }
    }
}

impl Child {
    /// Makes the process. What it does goes to `events`, what it logs also to that file.
    pub(crate) fn spawn(
        mut command: Command,
        source: Source,
        log: PathBuf,
        events: mpsc::Sender<(Source, ChildEvent)>,
    ) -> std::io::Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A signal to it reaches what it starts itself, and Ctrl-C in a terminal none of them.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let pid = child.id().expect("nobody has waited for it yet");
        let (requests, unread) = mpsc::channel(MAX_UNREAD_REQUESTS);
        let (wishes, last_wish) = watch::channel(Wish::GoOn);
        let of_log = events.clone();
        let tell = move |text| of_log.try_send((source, ChildEvent::LogFile(text))).is_ok();
        let port = Port { source, log: Log::at(log, tell), events };

        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(write_requests(stdin, unread));
        }
        let stdout = child.stdout.take().map(|out| tokio::spawn(read_events(out, port.clone())));
        let stderr = child.stderr.take().map(|err| tokio::spawn(read_log(err, port.clone())));
        tokio::spawn(attend(child, pid, last_wish, [stdout, stderr], port));
        Ok(Self { pid, requests, wishes })
    }

    /// Hands a request to the process. False if it does not read them.
    pub(crate) fn ask(&self, request: &Request) -> bool {
        let mut line = serde_json::to_string(request).expect("a request is plain data");
        line.push('\n');
        self.requests.try_send(line).is_ok()
    }

    /// Sends a signal to it and its group.
    pub(crate) fn wish(&self, wish: Wish) {
        self.wishes.send_if_modified(|last| {
            let possible = *last != Wish::End;
            if possible {
                *last = wish;
            }
            possible
        });
    }
}

/// Where the tasks of a process bring what they read.
#[derive(Clone)]
struct Port {
    source: Source,
    log: Log,
    events: mpsc::Sender<(Source, ChildEvent)>,
}

impl Port {
    /// Waits for room: a process drops and counts what it cannot write, so a pause here loses
    /// nothing unseen.
    async fn bring(&self, event: ChildEvent) {
        // It fails only when the supervisor is ending.
        drop(self.events.send((self.source, event)).await);
    }

    /// Shows a line if there is room.
    fn try_bring(&self, line: String) -> bool {
        self.events.try_send((self.source, ChildEvent::Log(line))).is_ok()
    }
}

async fn write_requests(mut stdin: ChildStdin, mut unread: mpsc::Receiver<String>) {
    while let Some(line) = unread.recv().await {
        if stdin.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_events(mut stdout: impl AsyncRead + Unpin, port: Port) {
    let mut splitter = Splitter::new(MAX_LINE_BYTES);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = stdout.read(&mut chunk).await.unwrap_or(0);
        let mut lines = Vec::new();
        splitter.feed(&chunk[..read], |line| lines.push(line));
        if read == 0 {
            lines.extend(splitter.rest());
        }
        for line in lines {
            if let Some(batch) = Batch::of_line(&line.bytes) {
                port.bring(ChildEvent::Packets(batch)).await;
                continue;
            }
            if let Ok(event) = serde_json::from_slice(&line.bytes) {
                port.bring(ChildEvent::Event(Box::new(event))).await;
                continue;
            }
            // Not for us: perhaps a library printed it. Whoever looks into the log finds it.
            port.log.write(&[&line.bytes[..], b"\n"].concat());
            port.bring(ChildEvent::Log(shown(&line))).await;
        }
        if read == 0 {
            return;
        }
    }
}

async fn read_log(mut stderr: impl AsyncRead + Unpin, port: Port) {
    let mut splitter = Splitter::new(LOG_LINE_BYTES);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut skipped = 0_u64;
    loop {
        let read = stderr.read(&mut chunk).await.unwrap_or(0);
        port.log.write(&chunk[..read]);
        // Never waits: a process whose log is not read stands still. The file has every line.
        let mut show = |text: String| {
            if skipped > 0 && port.try_bring(note(skipped)) {
                skipped = 0;
            }
            if !port.try_bring(text) {
                skipped += 1;
            }
        };
        splitter.feed(&chunk[..read], |line| show(shown(&line)));
        if read == 0 {
            if let Some(line) = splitter.rest() {
                show(shown(&line));
            }
            if skipped > 0 {
                port.bring(ChildEvent::Log(note(skipped))).await;
            }
            return;
        }
    }
}

fn note(skipped: u64) -> String {
    format!("[{skipped} lines are only in the log file]")
}

fn shown(line: &Line) -> String {
    let cut = line.cut || line.bytes.len() > LOG_LINE_BYTES;
    let bytes = line.bytes[..line.bytes.len().min(LOG_LINE_BYTES)].to_vec();
    Line { bytes, cut }.visible()
}

/// Waits for the end of the process, or ends it. Only whoever waits for a process may send it a
/// signal: until then its id cannot belong to another.
async fn attend(
    mut child: tokio::process::Child,
    pid: u32,
    mut last_wish: watch::Receiver<Wish>,
    readers: [Option<JoinHandle<()>>; 2],
    port: Port,
) {
    let group =
        i32::try_from(pid).ok().and_then(Pid::from_raw).expect("ids of processes are positive");
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            Ok(()) = last_wish.changed() => {
                let signal = last_wish.borrow_and_update().signal();
                // It fails when the process has just ended, which is what we want.
                let _ = kill_process_group(group, signal);
            }
        }
    };
    let last_words = async {
        for reader in readers.into_iter().flatten() {
            drop(reader.await);
        }
    };
    drop(timeout(LAST_WORDS, last_words).await);
    let status = status.unwrap_or_else(|error| {
        tracing::error!("cannot wait for process {pid}: {error}");
        ExitStatus::from_raw(0)
    });
    port.bring(ChildEvent::Exited(Exit::from(status))).await;
}

#[cfg(test)]
mod tests {
    use contract::{Command as Ask, Fatal, FatalCode};

    use super::*;
    use crate::testing::within;

    struct Running {
        child: Child,
        events: mpsc::Receiver<(Source, ChildEvent)>,
        dir: tempfile::TempDir,
    }

    fn run(script: &str) -> Running {
        let dir = tempfile::tempdir().expect("a folder");
        let log = dir.path().join("x.log");
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let (sender, events) = mpsc::channel(1000);
        let source = Source { node: NodeId::default(), generation: 1 };
        let child = Child::spawn(command, source, log, sender).expect("sh is there");
        Running { child, events, dir }
    }

    impl Running {
        async fn next(&mut self) -> ChildEvent {
            within(self.events.recv()).await.expect("not over yet").1
        }

        async fn exit(&mut self) -> Exit {
            loop {
                if let ChildEvent::Exited(exit) = self.next().await {
                    return exit;
                }
            }
        }
    }

    #[tokio::test]
    async fn the_last_words_come_before_the_end() {
        let fatal = Fatal { code: FatalCode::PortTaken, message: "taken".into(), hint: None };
        let line = serde_json::to_string(&Event::Fatal(fatal.clone())).expect("JSON");
        let mut running = run(&format!("echo '{line}'; exit 4"));
        match running.next().await {
            ChildEvent::Event(event) => assert_eq!(*event, Event::Fatal(fatal)),
            other => panic!("{other:?}"),
        }
        assert_eq!(running.exit().await, Exit::Code(4));
    }

    #[tokio::test]
    async fn what_is_no_event_is_a_log_line_and_the_file_keeps_it_raw() {
        let mut running = run("printf 'hello\\n'; printf 'a\\033[31mb' >&2");
        let mut lines = Vec::new();
        while let ChildEvent::Log(line) = running.next().await {
            lines.push(line);
        }
        lines.sort();
        assert_eq!(lines, ["a␛[31mb", "hello"]);
        crate::log_writer::flush();
        let log = std::fs::read_to_string(running.dir.path().join("x.log")).expect("a log");
        assert!(log.contains("hello\n") && log.contains("a\u{1b}[31mb"), "{log:?}");
    }

    #[tokio::test]
    async fn a_flood_of_log_lines_stops_nobody() {
        let mut running =
            run("i=0; while [ $i -lt 5000 ]; do echo $i >&2; i=$((i+1)); done; exit 7");
        // Nobody reads until the process has ended by itself.
        let log = running.dir.path().join("x.log");
        within(async {
            while !std::fs::read_to_string(&log).is_ok_and(|log| log.ends_with("4999\n")) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let mut lines = Vec::new();
        loop {
            match running.next().await {
                ChildEvent::Log(line) => lines.push(line),
                ChildEvent::Exited(exit) => break assert_eq!(exit, Exit::Code(7)),
                other => panic!("{other:?}"),
            }
        }
        // What found no room is counted.
        assert_eq!(lines.pop(), Some(note(5000 - u64::try_from(lines.len()).expect("few"))));
        assert_eq!(lines.first().map(String::as_str), Some("0"));
    }

    #[tokio::test]
    async fn it_reads_requests_and_sees_the_end_of_its_lifeline() {
        let mut running = run("read line; echo \"$line\" >&2; read more; exit 3");
        assert!(running.child.ask(&Request { id: 7, command: Ask::Stop }));
        match running.next().await {
            ChildEvent::Log(line) => assert_eq!(line, r#"{"id":7,"command":"stop"}"#),
            other => panic!("{other:?}"),
        }
        let Running { child, mut events, dir: _dir } = running;
        drop(child);
        let last = within(events.recv()).await.expect("its end").1;
        assert!(matches!(last, ChildEvent::Exited(Exit::Code(3))), "{last:?}");
    }

    #[tokio::test]
    async fn a_kill_takes_its_own_processes_along() {
        let mut running = run("sh -c 'echo $$ >&2; exec sleep 1000' & wait");
        let ChildEvent::Log(grandchild) = running.next().await else { panic!("no pid") };
        let grandchild = Pid::from_raw(grandchild.parse().expect("a pid")).expect("a pid");
        running.child.wish(Wish::End);
        assert_eq!(running.exit().await, Exit::Signal(9));
        within(async {
            while rustix::process::test_kill_process(grandchild).is_ok()
                && !crate::testing::is_zombie(grandchild)
            {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}
