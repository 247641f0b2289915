//! `down`: stop everything, and wait until it is gone.

use std::path::PathBuf;
use std::time::Duration;

use control::{ControlClient, ControlError, DownReport, DownRequest, Failure, FailureCode};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use supervisor::{Folder, Watch, process_started};

use crate::cli::DownArgs;
use crate::context::Context;
use crate::stop::Outcome;

/// How long a supervisor that has stopped everything may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Report {
    folder: PathBuf,
    deleted: bool,
}

pub(crate) async fn run(context: &Context, args: &DownArgs) -> Outcome {
    let folder = context.folder(args.devnet.as_deref())?;
    let name = folder.name();
    let watch = folder.watch()?;
    let report = match watch {
        Some(watch) if watch.is_running()? => stop(&folder, watch, args.purge).await?,
        Some(_) if args.purge => {
            folder.claim()?.clean_up(true)?;
            Report { folder: folder.path().into(), deleted: true }
        }
        _ => return Err(context.not_running(name).into()),
    };
    context.output.result("down", Some(name), &report, |_| {
        let path = report.folder.display();
        if report.deleted {
            format!("`{name}` is down; deleted {path}")
        } else {
            format!("`{name}` is down; {path} stays, --purge deletes it")
        }
    })
}

async fn stop(folder: &Folder, watch: Watch, purge: bool) -> Outcome<Report> {
    let client = ControlClient::new(folder.socket())?;
    match client.down(DownRequest { purge }).await {
        Ok(DownReport { folder: path, deleted }) => {
            gone(watch, folder).await?;
            Ok(Report { folder: path, deleted })
        }
        Err(ControlError::Refused(failure)) => Err(failure.into()),
        // It lives and does not answer: end it in a way that needs no answer. Its processes end
        // with it.
        Err(unreachable @ ControlError::Unreachable { .. }) => {
            let Some(supervisor) = verified_pid(folder) else {
                return Err(unreachable.into());
            };
            // It fails when the supervisor has just ended.
            let _ = kill_process(supervisor, Signal::KILL);
            gone(watch, folder).await?;
            if purge {
                folder.claim()?.clean_up(true)?;
            }
            Ok(Report { folder: folder.path().into(), deleted: purge })
        }
    }
}

/// The supervisor's process id, if that process is the one that wrote it down.
fn verified_pid(folder: &Folder) -> Option<Pid> {
    let record = folder.record()?;
    if process_started(record.pid)? != record.pid_started {
        return None;
    }
    Pid::from_raw(i32::try_from(record.pid).ok()?)
}

/// Waits until the supervisor's process has ended.
async fn gone(watch: Watch, folder: &Folder) -> Outcome {
    let waiting = tokio::task::spawn_blocking(|| watch.wait());
    if let Ok(Ok(waited)) = tokio::time::timeout(END_TIMEOUT, waiting).await {
        return Ok(waited?);
    }
    let message = format!("the supervisor of `{}` has not ended", folder.name());
    let log = folder.log("supervisor").display().to_string();
    Err(Failure::new(FailureCode::DeadlinePassed, message).log(log).into())
}
