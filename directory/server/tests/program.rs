//! `nym-directory` as its users meet it: what it says, and how it ends.

#[path = "support/deadline.rs"]
mod deadline;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::deadline::deadline;

/// The program; killed if the test is over before it.
struct Program(Child);

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nym-directory"));
        command.args(arguments).env_remove("RUST_LOG").stderr(Stdio::piped());
        Self(command.spawn().expect("the program starts"))
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

    fn wait(&mut self) -> ExitStatus {
        self.0.wait().expect("it can be waited for")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
