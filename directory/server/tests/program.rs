//! `nym-directory` as its users meet it: what it says, and how it ends.

#[path = "support/deadline.rs"]
mod deadline;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::deadline::deadline;

/// The program; killed if the test is over before it.
struct Program(Child);

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nym-directory"));
        command.args(arguments);
        Self::run(command)
    }

    /// With so many open files at most.
    fn start_with_files(files: u32) -> Self {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -n {files} && exec \"$0\" --port 0");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_nym-directory")]);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        command.env_remove("RUST_LOG").stderr(Stdio::piped());
        Self(command.spawn().expect("the program starts"))
    }

    /// Where it serves, and the rest of its log, of which nothing more is read.
    fn address(&mut self) -> (SocketAddr, BufReader<ChildStderr>) {
        let mut log = BufReader::new(self.0.stderr.take().expect("piped"));
        loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).expect("text"), 0, "it ended");
            if let Some((_, rest)) = line.split_once("serves http://") {
                let address = rest.split(": ").next().expect("a part");
                return (address.parse().expect("an address"), log);
            }
        }
    }

    /// Its log up to the line that contains `what`, that one included. Goes on reading, so that the
    /// program never waits for somebody to read.
    fn log_until(&mut self, what: &'static str) -> Vec<String> {
        let stderr = self.0.stderr.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut log = Vec::new();
        while !log.last().is_some_and(|line: &String| line.contains(what)) {
            log.push(lines.recv_timeout(deadline()).expect("a line of the log"));
        }
        log
    }

    fn end(&mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.0);
        kill_process(pid, Signal::TERM).expect("it runs");
        self.wait()
    }

    /// Kills it if it goes on beyond the deadline.
    fn wait(&mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.0);
        let (ended, is_ended) = mpsc::channel::<()>();
        let killer = thread::spawn(move || {
            if is_ended.recv_timeout(deadline()) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        let status = self.0.wait().expect("it can be waited for");
        drop(ended);
        killer.join().expect("no panic");
        status
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first line of the answer to a GET.
fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(deadline())).expect("a timeout");
    let request = format!("GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("room");
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).expect("an answer within the deadline");
    answer.trim_end().to_owned()
}

#[test]
fn it_lists_its_routes_then_its_address_and_ends_when_asked() {
    let mut program = Program::start(&["--port", "0"]);
    let log = program.log_until("serves http://");
    let position = |what: &str| {
        let found = log.iter().position(|line| line.contains(what));
        found.unwrap_or_else(|| panic!("no `{what}` in {log:#?}"))
    };
    let address = position("listening on 127.0.0.1:");
    for route in
        ["GET   /", "GET   /ws", "POST  /api/presence/mixnodes", "GET   /swagger/index.html"]
    {
        assert!(position(route) < address, "{route}");
    }
    assert!(program.end().success());
}

#[test]
fn its_log_can_be_json() {
    let mut program = Program::start(&["--port", "0", "--log-format", "json"]);
    for line in program.log_until("serves http://") {
        let line: Value = serde_json::from_str(&line).expect(&line);
        assert_eq!(line["level"], "INFO");
        assert!(line["message"].is_string() && line["timestamp"].is_string(), "{line}");
    }
    assert!(program.end().success());
}

#[test]
fn a_port_that_is_taken_is_fatal_and_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let mut program = Program::start(&["--port", &address.port().to_string()]);
    let mut log = String::new();
    program.0.stderr.take().expect("piped").read_to_string(&mut log).expect("text");
    assert!(log.contains(&format!("cannot listen on `{address}`")), "{log}");
    assert_eq!(program.wait().code(), Some(4));
}

/// As with `nym-directory 2>&1 | head`.
#[test]
fn it_works_and_ends_in_good_order_when_its_log_is_closed() {
    let mut program = Program::start(&["--port", "0"]);
    let (address, log) = program.address();
    drop(log);
    for _ in 0..3 {
        assert_eq!(get(address, "/api/healthcheck"), "HTTP/1.1 200 OK");
    }
    assert!(program.end().success());
}

/// As in a terminal that is stopped with Ctrl-S: first the pipe is full, then what waits for it.
#[test]
fn it_works_when_nobody_reads_its_log_and_says_how_much_is_lost() {
    let mut program = Program::start(&["--port", "0"]);
    let (address, log) = program.address();
    let path = format!("/{}", "x".repeat(8 << 10));
    for _ in 0..400 {
        assert_eq!(get(address, &path), "HTTP/1.1 404 Not Found");
    }
    program.0.stderr = Some(log.into_inner());
    let log = program.log_until("lines of the log are lost");
    let lines = log.iter().filter(|line| line.contains(&path)).count();
    let warning = log.last().expect("that one");
    let count = warning.split("lines of").next().and_then(|start| start.split_whitespace().last());
    let lost: usize = count.and_then(|count| count.parse().ok()).expect(warning);
    // The first line of what is left may have lost its beginning to the reader before.
    assert!((399..=400).contains(&(lines + lost)), "{lines} and {lost}");
    assert!(program.end().success());
}

#[test]
fn it_ends_when_asked_although_nobody_reads_its_log() {
    let mut program = Program::start(&["--port", "0"]);
    let (address, log) = program.address();
    let path = format!("/{}", "x".repeat(8 << 10));
    for _ in 0..20 {
        assert_eq!(get(address, &path), "HTTP/1.1 404 Not Found");
    }
    assert!(program.end().success());
    drop(log);
}

/// More silent connections than it may open files: those that came last are given up after seconds.
#[test]
fn silent_connections_do_not_keep_others_out() {
    let mut program = Program::start_with_files(200);
    let (address, log) = program.address();
    let silent = (0..260).map(|_| TcpStream::connect(address).expect("room in the queue"));
    let silent: Vec<TcpStream> = silent.collect();
    assert_eq!(get(address, "/api/healthcheck"), "HTTP/1.1 200 OK");
    drop(silent);
    program.0.stderr = Some(log.into_inner());
    let log = program.log_until("/api/healthcheck");
    assert!(!log.iter().any(|line| line.contains("cannot accept")), "{log:#?}");
    assert!(program.end().success());
}
