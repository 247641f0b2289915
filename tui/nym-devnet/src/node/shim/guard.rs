//! The guard of a command from outside: a process that waits for the end of its shim, and then kills
//! their process group.
//!
//! The shim cannot do that itself, because nothing runs in a process that gets SIGKILL. A pipe tells of
//! its end in any case. The command cannot have such a pipe, because nobody knows what it does with it.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitCode, Stdio};
use std::sync::OnceLock;

use rustix::process::{Signal, getpgrp, getpid, kill_process_group, setpgid};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::context::own_program;

/// A running guard. When this process ends, however it does, the guard kills the whole group.
#[derive(Debug)]
pub(super) struct Guard {
    process: Child,
}

/// The pipe to the guard. Its end tells of ours, so only the end of the process closes it: whatever
/// closed it earlier would end the process before it could tell its exit code.
static PIPE: OnceLock<OwnedFd> = OnceLock::new();

impl Guard {
    /// Starts a guard of the process group that this process leads.
    pub(super) fn start() -> io::Result<Self> {
        // A supervisor makes it the leader. Whoever runs it by hand does perhaps not, and must not be
        // killed with it.
        if getpgrp() != getpid() {
            setpgid(None, None)?;
        }
        let program = own_program().map_err(io::Error::other)?;
        let mut command = Command::new(program);
        command.args(["node", "shim-guard"]);
        // It holds no stream of ours: who reads them sees their end when we end.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = command.spawn()?;
        // Taken out, because waiting for a process closes its standard input.
        if let Some(pipe) = process.stdin.take() {
            PIPE.get_or_init({
                let pipe = pipe.into_owned_fd()?;
                || pipe
            });
        }
        Ok(Self { process })
    }

    /// When somebody has killed it. An error means as well that there is none.
    pub(super) async fn ended(&mut self) {
        drop(self.process.wait().await);
    }
}

/// Is the guard: waits for the end of the pipe on standard input, and kills its own process group.
pub(crate) fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let waited = runtime.and_then(|runtime| {
        let waited = runtime.block_on(wait());
        // The reader of standard input has a thread of its own.
        runtime.shutdown_background();
        waited
    });
    if let Err(error) = waited {
        eprintln!("error: cannot guard a command: {error}");
    }
    // Whatever went wrong: without a guard there is to be no command.
    match kill_process_group(getpgrp(), Signal::KILL) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn wait() -> io::Result<()> {
    // Whoever asks the group to end does not mean the guard, which is still needed then.
    let _interrupt = signal(SignalKind::interrupt())?;
    let _terminate = signal(SignalKind::terminate())?;
    // A group that is paused and loses its supervisor gets this from the system, and goes on.
    let mut hangup = signal(SignalKind::hangup())?;
    let mut stdin = tokio::io::stdin();
    let mut nothing = [0; 64];
    let until_end = async { while let Ok(1..) = stdin.read(&mut nothing).await {} };
    tokio::select! {
        () = until_end => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}
