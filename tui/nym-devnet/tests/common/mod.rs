//! Running the program as a user does, in a folder of its own, and leaving nothing behind.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use sysinfo::{Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// One devnet test at a time: each has a dozen processes, and the machine perhaps two cores.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Starts a devnet with short delays, at rates that a debug build keeps up with on a machine that others
/// use as well: a quarter of what the profile itself sends.
pub(crate) const FAST: &str =
    "up --detach --ports auto --profile fast --slot 20ms --loop-cover 100ms";

/// How often a condition is looked at while it is waited for.
const POLL: Duration = Duration::from_millis(10);

/// A deadline that a slow machine can stretch.
pub(crate) fn limit(seconds: u64) -> Duration {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR")
        .ok()
        .and_then(|factor| factor.parse().ok())
        .unwrap_or(1.0);
    Duration::from_secs(seconds).mul_f64(factor)
}

/// Waits until something is true.
pub(crate) fn until(what: &str, seconds: u64, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit(seconds);
    while !is() {
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        std::thread::park_timeout(POLL);
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// It ended like this.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Its JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect(&self.stdout)
    }
}

/// A folder for devnets. Those that still run when it is dropped are stopped.
pub(crate) struct Lab {
    dir: tempfile::TempDir,
    turn: Option<MutexGuard<'static, ()>>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lab = Self::beside();
        lab.turn = Some(turn);
        lab
    }

    /// One beside others: for who has a turn already and keeps the machine from too much at a time.
    pub(crate) fn beside() -> Self {
        // A socket's path has to be short, and the temporary folder of macOS is long.
        let dir = tempfile::Builder::new().prefix("nym").tempdir_in("/tmp").expect("a folder");
        Self { dir, turn: None }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The program with these arguments, not started.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nym-devnet"));
        for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("NYM_DEVNET_")) {
            command.env_remove(variable);
        }
        command.args(arguments.split_whitespace()).env("NYM_DEVNET_STATE_DIR", self.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &str) -> Done {
        self.spawn(arguments).wait(90)
    }

    /// Starts the program.
    pub(crate) fn spawn(&self, arguments: &str) -> Running {
        Running { child: self.command(arguments).spawn().expect("it starts") }
    }

    /// Process ids of a running devnet: of its supervisor, and of its nodes by name.
    pub(crate) fn pids(&self, name: &str) -> (Pid, Vec<(String, Pid)>) {
        let pid = |value: &Value| {
            let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
            number.and_then(Pid::from_raw).expect("a process id")
        };
        let status = self.run(&format!("status --name {name} -o json")).expect(0).json();
        let nodes = status["data"]["nodes"].as_array().expect("a list").iter();
        let nodes = nodes
            .map(|node| (node["name"].as_str().expect("a name").into(), pid(&node["pid"])))
            .collect();
        (pid(&status["data"]["info"]["supervisor_pid"]), nodes)
    }

    /// All process ids of a running devnet.
    pub(crate) fn all_pids(&self, name: &str) -> Vec<Pid> {
        let (supervisor, nodes) = self.pids(name);
        nodes.into_iter().map(|(_, pid)| pid).chain([supervisor]).collect()
    }

    /// Every process that was started here, directly or not, and has not ended.
    pub(crate) fn processes(&self) -> Vec<Found> {
        let what = ProcessRefreshKind::nothing()
            .with_environ(UpdateKind::Always)
            .with_cmd(UpdateKind::Always)
            .without_tasks();
        let mut system = System::new();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        // All of them inherit it.
        let mark = format!("NYM_DEVNET_STATE_DIR={}", self.path().display());
        let is_ours = |process: &&Process| process.environ().iter().any(|one| *one == *mark);
        let found = system.processes().values().filter(is_ours).map(|process| Found {
            pid: Pid::from_raw(process.pid().as_u32().cast_signed()).expect("a process id"),
            command: process.cmd().join(OsStr::new(" ")).to_string_lossy().into_owned(),
        });
        found.filter(|found| !has_ended(found.pid)).collect()
    }

    /// A node of a running devnet, as `ps` tells it.
    pub(crate) fn node(&self, devnet: &str, name: &str) -> Value {
        let list = self.run(&format!("ps --name {devnet} -o json")).expect(0).json();
        let nodes = list["data"]["nodes"].as_array().expect("a list").iter();
        nodes.clone().find(|node| node["name"] == name).expect(name).clone()
    }

    /// Folder of a devnet.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let Ok(entries) = std::fs::read_dir(self.path()) else { return };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let down = self.command("down --purge").arg(name).output();
            drop(down);
        }
    }
}

/// A process, and its command line.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) pid: Pid,
    pub(crate) command: String,
}

/// A started program.
pub(crate) struct Running {
    pub(crate) child: Child,
}

impl Running {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(self, seconds: u64) -> Done {
        let pid = self.pid();
        let (sender, done) = mpsc::channel();
        std::thread::spawn(move || sender.send(self.child.wait_with_output()));
        if let Ok(output) = done.recv_timeout(limit(seconds)) {
            return Done::of(output.expect("it can be waited for"));
        }
        kill_process(pid, Signal::KILL).expect("it runs");
        let output = done.recv().map(|output| output.map(Done::of));
        panic!("not over within {seconds} s: {output:?}");
    }

    /// Waits until it prints this, and gives back what it printed up to there.
    pub(crate) fn until_printed(&mut self, text: &str) -> String {
        let mut stdout = self.child.stdout.take().expect("not taken yet");
        let (sender, chunks) = mpsc::channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut chunk) {
                // Read on to the end, so that the program can go on printing.
                drop(sender.send(chunk[..read].to_vec()));
            }
        });
        let deadline = Instant::now() + limit(60);
        let mut printed = String::new();
        while !printed.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            let chunk = chunks.recv_timeout(left);
            let chunk = chunk.unwrap_or_else(|_| panic!("never printed `{text}`:\n{printed}"));
            printed.push_str(&String::from_utf8_lossy(&chunk));
        }
        printed
    }
}

/// Lines that a program has printed so far.
#[derive(Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<Vec<String>>>);

impl Printed {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Collects what a program prints from now on.
pub(crate) fn collect(running: &mut Running) -> Printed {
    let stdout = BufReader::new(running.child.stdout.take().expect("not taken yet"));
    let printed = Printed::default();
    let of_reader = printed.clone();
    std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            of_reader.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
    printed
}

/// Whether a process has ended. One that nobody has waited for yet has.
pub(crate) fn has_ended(pid: Pid) -> bool {
    let zombie = || {
        let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
        std::fs::read_to_string(path).is_ok_and(|stat| stat.contains(") Z "))
    };
    test_kill_process(pid).is_err() || zombie()
}

/// Waits until none of these is left.
pub(crate) fn until_gone(pids: &[Pid], seconds: u64) {
    until("no process is left", seconds, || pids.iter().all(|&pid| has_ended(pid)));
}
