//! A program that runs while the test does.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use super::deadline;

/// Killed if the test is over before it.
pub(crate) struct Running {
    child: Child,
    /// Lines of its log as they come.
    lines: Receiver<String>,
    /// Those that came.
    log: Vec<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stderr = child.stderr.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        // Reads on to the end, so that the program never waits for somebody to read.
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines, log: Vec::new() }
    }

    /// Waits for a line of its log that contains this, and returns it. Lines that came before count.
    pub(crate) fn line(&mut self, what: &str) -> String {
        loop {
            if let Some(line) = self.log.iter().find(|line| line.contains(what)) {
                return line.clone();
            }
            match self.lines.recv_timeout(deadline()) {
                Ok(line) => self.log.push(line),
                Err(error) => panic!("no `{what}` ({error}) in {:#?}", self.log),
            }
        }
    }

    /// Where it listens for this, `mix` or `clients`.
    pub(crate) fn listens(&mut self, endpoint: &str) -> SocketAddr {
        let line = self.line(&format!("({endpoint})"));
        let (_, rest) = line.split_once("listening on ").expect("an address");
        rest.split(' ').next().expect("a word").parse().expect("an address")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Ends it as `kill` does; returns how it ended and its whole log.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// The same, when it has been asked already.
    pub(crate) fn wait(&mut self) -> (ExitStatus, Vec<String>) {
        let status = self.wait_for_status();
        self.log.extend(self.lines.iter());
        (status, self.log.clone())
    }

    /// All of it, when it ends by itself.
    pub(crate) fn into_output(mut self) -> Output {
        let mut stdout = self.child.stdout.take().expect("piped");
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            stdout.read_to_end(&mut bytes).expect("readable");
            bytes
        });
        let (status, log) = self.wait();
        let stdout = reader.join().expect("no panic");
        Output { status, stdout, stderr: log.join("\n").into_bytes() }
    }

    /// Kills it if it goes on beyond the deadline.
    fn wait_for_status(&mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        let (ended, is_ended) = mpsc::channel::<()>();
        let killer = thread::spawn(move || {
            if is_ended.recv_timeout(deadline()) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        let status = self.child.wait().expect("it can be waited for");
        drop(ended);
        killer.join().expect("no panic");
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
