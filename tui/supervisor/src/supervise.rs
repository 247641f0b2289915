//! The supervisor as a process: from its first line on stdin to its end.

use std::ffi::OsString;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use control::{Failure, FailureCode};
use layouts::NodePlan;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::clock::Moment;
use crate::devnet::{Devnet, Inputs, Outside};
use crate::folder::{Claim, FolderError, StateDir};
use crate::log;
use crate::log_file::LogFile;
use crate::log_writer;
use crate::record::{Recorder, Stream};
use crate::spec::{Lifeline, Record, Spec, Started};
use crate::usage::process_started;

/// The longest line that a front end writes. The largest plan has some 400 nodes, which are 250 kB; a
/// layout's own environments and commands stand in it twice, with what variables brought into them.
const MAX_SPEC_BYTES: u64 = 16 << 20;

/// Questions and other inputs that wait for the loop, which takes microseconds for one.
const MAX_WAITING_INPUTS: usize = 256;

/// How long the last answers may take to get out.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Runs a supervisor whose processes are of this program, as its [`Spec`] on stdin says. Returns
/// the exit code when everything is stopped.
pub fn supervise(program: PathBuf) -> u8 {
    // A session of its own: no terminal signals reach it. It fails only if it leads one already.
    let _ = rustix::process::setsid();
    match prepare().and_then(|prepared| prepared.run(program)) {
        Ok(()) => 0,
        Err(failure) => {
            let code = failure.code.exit_code();
            say(&Started::Failed(failure));
            code
        }
    }
}

/// The answer to the front end. It may have gone, which its lifeline tells too.
fn say(started: &Started) {
    let line = serde_json::to_string(started).expect("plain data");
    let mut stdout = io::stdout();
    drop(writeln!(stdout, "{line}").and_then(|()| stdout.flush()));
}

struct Prepared {
    spec: Spec,
    claim: Claim,
}

fn prepare() -> Result<Prepared, Failure> {
    let mut line = String::new();
    let read = io::stdin().lock().take(MAX_SPEC_BYTES).read_line(&mut line);
    let mut spec: Spec = read.and_then(|_| Ok(serde_json::from_str(&line)?)).map_err(|error| {
        let message = format!("cannot read what to supervise from stdin: {error}");
        Failure::new(FailureCode::Usage, message).hint("`nym-devnet up` starts a devnet")
    })?;
    raise_file_limit(spec.plan.nodes.len())?;
    let state_dir = StateDir::find(Some(spec.state_dir.clone()))?;
    let claim = state_dir.folder(&spec.name)?.claim()?;
    if let Some(layout_dir) = claim.write_layout_files(&spec.plan.files)? {
        spec.plan.layout_dir = Some(layout_dir);
    }
    let path = claim.folder().log("supervisor");
    let attempt = "open the log";
    log_panics_to(&path).map_err(|cause| FolderError::Io { attempt, path, cause })?;
    Ok(Prepared { spec, claim })
}

/// What a panic says goes to the log too.
fn log_panics_to(path: &Path) -> io::Result<()> {
    let log = LogFile::open(path)?;
    rustix::stdio::dup2_stderr(log.file())?;
    Ok(())
}

/// Each process takes three pipes, a handle of its own, its log, and where its use of memory and
/// processor is read.
const FILES_OF_A_PROCESS: u64 = 6;

/// Files of the supervisor itself, with the connections of as many front ends as it serves by its
/// three ways in.
const FILES_OF_OUR_OWN: u64 = 100 + 3 * api::MAX_CONNECTIONS as u64;

/// How many open files the supervisor of so many processes has room for.
pub fn files_needed(processes: usize) -> u64 {
    let processes = u64::try_from(processes).unwrap_or(u64::MAX);
    processes.saturating_mul(FILES_OF_A_PROCESS).saturating_add(FILES_OF_OUR_OWN)
}

/// Many systems begin with room for 256 or 1024 files and allow far more on request.
pub(crate) fn raise_file_limit(processes: usize) -> Result<(), Failure> {
    let needed = files_needed(processes);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let too_low = |why: String| {
        let message =
            format!("cannot open {needed} files, which {processes} processes need: {why}");
        Failure::new(FailureCode::Environment, message)
            .hint("raise the hard limit (`ulimit -Hn`) or start fewer nodes")
    };
    if let Some(maximum) = maximum.filter(|&maximum| maximum < needed) {
        return Err(too_low(format!("the hard limit is {maximum}")));
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })
        .map_err(|error| too_low(format!("cannot raise the limit: {error}")))
}

impl Prepared {
    fn run(self, program: PathBuf) -> Result<(), Failure> {
        // One thread, which makes every process: on Linux the parent-death signal of a process
        // follows the thread that made it.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(
            |error| {
                let message = format!("cannot set up the supervisor: {error}");
                Failure::new(FailureCode::Environment, message)
            },
        )?;
        runtime.block_on(self.serve(program))
    }

    async fn serve(self, program: PathBuf) -> Result<(), Failure> {
        let Self { spec, claim } = self;
        let (asks, asked) = mpsc::channel(MAX_WAITING_INPUTS);
        let (outside_sender, outside) = mpsc::channel(MAX_WAITING_INPUTS);
        let socket = claim.folder().socket();
        let (server, recorder) = match open(&spec, &claim, &outside_sender).await {
            Ok(opened) => opened,
            Err(failure) => {
                // Nothing of it has run: a folder that was made for it goes, also that of a name, and
                // what was there before stays. The failure that it began with says more than one to
                // clean up after it.
                drop(claim.clean_up(!claim.resumed()));
                return Err(failure);
            }
        };
        let control_address = server.address();
        log::begin(claim.folder().log("supervisor"), outside_sender.clone());

        let shutdown = CancellationToken::new();
        let server = tokio::spawn(server.serve(asks.clone(), shutdown.clone()));

        tracing::info!("supervising `{}`, process {}", spec.name, std::process::id());
        say(&Started::Ready { socket });
        let mut devnet = Devnet::new(spec, claim, launcher(program));
        devnet.is_reached_at(control_address);
        let written = recorder.map(|recorder| {
            devnet.note(recorder.notice());
            let begin = devnet.subscribe();
            recorder.begin(Stream { begin, asks, outside: outside_sender })
        });
        let ended = devnet.run(Inputs { asks: asked, outside }).await;
        for reply in ended.replies {
            // Whoever asked may have gone.
            drop(reply.send(ended.report.clone()));
        }
        shutdown.cancel();
        let last_lines = async {
            if let Some(written) = written {
                drop(written.await);
            }
        };
        drop(timeout(LAST_ANSWERS, async { tokio::join!(server, last_lines) }).await);
        log_writer::flush();
        // The end of the process releases the folder, so that who waits for the one waits for both.
        std::mem::forget(ended.claim);
        ended.report.map(drop)
    }
}

/// Opens what others see of the devnet, and writes down that it is there. Last the recording, so that
/// one which is there has a devnet.
async fn open(
    spec: &Spec,
    claim: &Claim,
    outside: &mpsc::Sender<Outside>,
) -> Result<(api::Server, Option<Recorder>), Failure> {
    // Before anything is written: a limit of file sizes is then an error that can be told.
    follow_signals(outside)?;
    follow_lifeline(outside.clone())?;
    let server = api::Server::open(claim, spec.control_port).await?;
    claim.write_record(&record(spec, claim.folder().socket()))?;
    let recorder = spec.record.clone().map(Recorder::create).transpose()?;
    Ok((server, recorder))
}

fn launcher(program: PathBuf) -> crate::devnet::Launcher {
    Box::new(move |node: &NodePlan, arguments: Vec<OsString>| {
        let mut command = Command::new(&program);
        command.args(arguments).envs(&node.env);
        command
    })
}

fn record(spec: &Spec, socket: PathBuf) -> Record {
    let pid = std::process::id();
    Record {
        name: spec.name.clone(),
        pid,
        pid_started: process_started(pid).unwrap_or_default(),
        socket,
        started_unix_ms: Moment::now().unix_ms(),
        plan: spec.plan.clone(),
    }
}

/// A signal that asks a process to end asks the whole devnet.
fn follow_signals(outside: &mpsc::Sender<Outside>) -> Result<(), Failure> {
    // A file that has grown to a limit (`ulimit -f`) is then an error like a full disk. Without this it
    // would end the process. It fails where the system has no such signal.
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw())));
    for (kind, name) in [
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::interrupt(), "SIGINT"),
        (SignalKind::hangup(), "SIGHUP"),
    ] {
        let mut signals = signal(kind).map_err(|error| {
            let message = format!("cannot listen for {name}: {error}");
            Failure::new(FailureCode::Environment, message)
        })?;
        let outside = outside.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if outside.send(Outside::Signal(name)).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}

/// Reads stdin on a thread of its own: a read cannot be cancelled, and must not hold up the end of
/// the process.
fn follow_lifeline(outside: mpsc::Sender<Outside>) -> Result<(), Failure> {
    let follow = move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            match serde_json::from_str::<Lifeline>(&line) {
                Ok(word) => {
                    if outside.blocking_send(Outside::Lifeline(word)).is_err() {
                        return;
                    }
                }
                Err(error) => tracing::warn!("the front end said `{line}`: {error}"),
            }
        }
        drop(outside.blocking_send(Outside::LifelineEnded));
    };
    std::thread::Builder::new().name("lifeline".into()).spawn(follow).map(drop).map_err(|error| {
        let message = format!("cannot start a thread: {error}");
        Failure::new(FailureCode::Environment, message)
            .hint("raise the limit of processes (`ulimit -u`) or end some")
    })
}
