//! `down`: stop everything, and wait until it is gone.

use std::path::PathBuf;
use std::time::Duration;

use control::{
    ControlClient, ControlError, DownReport, DownRequest, Failure, FailureCode, visible,
};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use supervisor::{Folder, Watch, process_started};

use crate::cli::DownArgs;
use crate::context::Context;
use crate::output::{Output, bytes};
use crate::progress::Progress;
use crate::stop::Outcome;

/// How long stopping everything takes at most, before it is done without being asked.
const DOWN_LIMIT: Duration = Duration::from_secs(15);

/// How long a supervisor that has stopped everything may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Report {
    folder: PathBuf,
    deleted: bool,
    /// What was deleted because that was asked for.
    purged: Option<Purged>,
}

/// What a folder holds that is worth knowing of.
#[derive(Debug, Default, Serialize)]
struct Purged {
    /// Processes with keys, mailboxes or journals.
    nodes: Vec<String>,
    bytes: u64,
}

impl Purged {
    fn of(folder: &Folder) -> Self {
        let homes = std::fs::read_dir(folder.path().join("nodes"));
        let homes = homes.into_iter().flatten().filter_map(Result::ok);
        let mut nodes: Vec<String> =
            homes.map(|home| visible(&home.file_name().to_string_lossy())).collect();
        nodes.sort();
        Self { nodes, bytes: folder.contents().map_or(0, |contents| contents.bytes) }
    }

    fn text(&self) -> String {
        let nodes = match self.nodes.as_slice() {
            [] => "no keys".into(),
            nodes => format!("keys, mailboxes and journals of {}", nodes.join(", ")),
        };
        format!(" with {nodes}, and all logs: {}", bytes(self.bytes))
    }
}

pub(crate) async fn run(context: &Context, args: &DownArgs) -> Outcome {
    let folder = context.folder(args.devnet.as_deref())?;
    let name = folder.name();
    let watch = folder.watch()?;
    // Looked at before it is gone.
    let purged = args.purge.then(|| Purged::of(&folder));
    let mut report = match watch {
        Some(watch) if watch.is_running()? => {
            stop(context.output, &folder, watch, args.purge).await?
        }
        Some(_) if args.purge => {
            folder.claim()?.clean_up(true)?;
            Report { folder: folder.path().into(), deleted: true, purged: None }
        }
        _ => return Err(context.not_running(name).into()),
    };
    report.purged = purged;
    context.output.result("down", Some(name), &report, |_| {
        let path = report.folder.display();
        if report.deleted {
            let what = report.purged.as_ref().map(Purged::text).unwrap_or_default();
            format!("`{name}` is down; deleted {path}{what}")
        } else {
            format!("`{name}` is down; {path} stays, --purge deletes it")
        }
    })
}

async fn stop(output: Output, folder: &Folder, watch: Watch, purge: bool) -> Outcome<Report> {
    let client = ControlClient::new(folder.socket())?;
    let mut progress = Progress::new(output, DOWN_LIMIT, false);
    let down = client.down(DownRequest { purge });
    let answer = progress.until("its processes leave and end", down).await;
    drop(progress);
    match answer {
        Ok(DownReport { folder: path, deleted }) => {
            gone(watch, folder).await?;
            Ok(Report { folder: path, deleted, purged: None })
        }
        Err(error) => {
            let ends_by_itself = match &error {
                ControlError::Refused(failure) => {
                    if failure.code != FailureCode::NoSuchDevnet {
                        return Err(error.into());
                    }
                    true
                }
                // It lives and does not answer: end it in a way that needs no answer. Its
                // processes end with it. One that is about to end has no record any more.
                ControlError::Unreachable { .. } => match verified_pid(folder) {
                    Some(supervisor) => {
                        // It fails when the supervisor has just ended.
                        let _ = kill_process(supervisor, Signal::KILL);
                        false
                    }
                    None => true,
                },
            };
            match gone(watch, folder).await {
                Err(_) if ends_by_itself => return Err(error.into()),
                ended => ended?,
            }
            if purge && folder.path().exists() {
                folder.claim()?.clean_up(true)?;
            }
            let deleted = !folder.path().exists();
            Ok(Report { folder: folder.path().into(), deleted, purged: None })
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

#[cfg(test)]
mod tests {
    use layouts::{Layout, Plan, Ports};
    use supervisor::{Record, StateDir};

    use super::*;

    #[tokio::test]
    async fn a_supervisor_that_is_about_to_end_anyway_is_waited_for() {
        let dir = tempfile::tempdir().expect("a folder");
        let state = StateDir::find(Some(dir.path().join("state"))).expect("a path");
        let folder = state.folder("t1").expect("a name");
        for purge in [false, true] {
            // As in its last moments: it holds the lock, and neither listens nor has a record.
            let claim = folder.claim().expect("free");
            let watch = folder.watch().expect("looks").expect("there");
            let (report, ()) =
                tokio::join!(stop(Output::plain(), &folder, watch, purge), async { drop(claim) });
            let Ok(report) = report else { panic!("it ends") };
            assert_eq!(report.deleted, purge);
            assert_eq!(folder.path().exists(), !purge);
        }
    }

    #[test]
    fn a_number_that_now_belongs_to_somebody_else_is_not_killed() {
        let dir = tempfile::tempdir().expect("a folder");
        let state = StateDir::find(Some(dir.path().join("state"))).expect("a path");
        let folder = state.folder("t1").expect("a name");
        let claim = folder.claim().expect("free");
        let pid = std::process::id();
        let started = process_started(pid).expect("it runs");
        for (pid_started, is_it) in [(started, true), (started - 1, false)] {
            let record = Record {
                name: "t1".into(),
                pid,
                pid_started,
                socket: folder.socket(),
                started_unix_ms: 0,
                plan: Plan::new(Layout::default(), Ports::Auto).expect("a network"),
            };
            claim.write_record(&record).expect("writes");
            assert_eq!(verified_pid(&folder).is_some(), is_it);
        }
    }
}
