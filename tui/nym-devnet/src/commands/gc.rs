//! `gc`: delete folders of devnets that have not run for long.
//!
//! A folder goes only if it is recognisably one of a devnet, nothing else is in it, no devnet runs in
//! it, and nothing was written there for a while. Whatever stays is listed with the reason.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use control::Failure;
use serde::Serialize;
use supervisor::{Contents, Folder, FolderError};

use crate::cli::GcArgs;
use crate::context::Context;
use crate::output::{Cell, ago, bytes, table};
use crate::stop::Outcome;

#[derive(Serialize)]
struct Report {
    dry_run: bool,
    /// What was deleted, or would be.
    deleted: Vec<Found>,
    deleted_bytes: u64,
    kept: Vec<Kept>,
}

#[derive(Serialize)]
struct Found {
    /// Of a devnet; none of what an interrupted deletion has left.
    name: Option<String>,
    folder: PathBuf,
    bytes: u64,
    /// When something was written there last: milliseconds since 1970.
    newest_unix_ms: u64,
}

#[derive(Serialize)]
struct Kept {
    name: Option<String>,
    folder: PathBuf,
    reason: String,
    /// It should have been deleted, and could not be.
    failed: bool,
}

pub(crate) fn run(context: &Context, args: &GcArgs) -> Outcome {
    let state = &context.state_dir;
    let mut report =
        Report { dry_run: args.dry_run, deleted: Vec::new(), deleted_bytes: 0, kept: Vec::new() };
    for folder in state.folders()? {
        context.output.detail(&format!("looking into {}", folder.path().display()));
        let outcome = collect(&folder, args);
        report.add(Some(folder.name()), folder.path(), outcome);
    }
    for path in state.half_deleted()? {
        let contents = state.half_deleted_contents(&path);
        let outcome = contents.map(|contents| match why_kept(&contents, args.older_than) {
            Some(reason) => Err(reason),
            None => Ok(contents),
        });
        let outcome = match outcome {
            Ok(Ok(contents)) if !args.dry_run => delete(&path).map(|()| Ok(contents)),
            outcome => outcome,
        };
        report.add(None, &path, outcome);
    }
    let failed = report.kept.iter().find(|kept| kept.failed);
    let failed = failed.map(|kept| {
        let message = format!("cannot delete everything: {}", kept.reason);
        Failure::new(control::FailureCode::Environment, message)
    });
    context.output.result_with("gc", None, &report, failed, |output| {
        let mut text = String::new();
        if !report.deleted.is_empty() {
            let rows: Vec<Vec<Cell>> = report.deleted.iter().map(row).collect();
            text = table(output, &["NAME", "SIZE", "UNUSED FOR", "FOLDER"], &["SIZE"], &rows);
            text.push('\n');
        }
        for kept in &report.kept {
            let name = kept.name.as_deref().unwrap_or(NAMELESS);
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{name} stays: {}", kept.reason);
        }
        let verb = if args.dry_run { "would delete" } else { "deleted" };
        let folders = match report.deleted.len() {
            1 => "1 folder".to_owned(),
            folders => format!("{folders} folders"),
        };
        text + &format!("{verb} {folders}, {}", bytes(report.deleted_bytes))
    })
}

/// Of what an interrupted deletion has left.
const NAMELESS: &str = "(half deleted)";

/// What was deleted, or would be, or why it stays.
type Collected = Result<Result<Contents, String>, FolderError>;

fn collect(folder: &Folder, args: &GcArgs) -> Collected {
    if folder.is_running()? {
        return Ok(Err("it runs".into()));
    }
    let contents = folder.contents()?;
    if let Some(reason) = why_kept(&contents, args.older_than) {
        return Ok(Err(reason));
    }
    if args.dry_run {
        return Ok(Ok(contents));
    }
    let deleted = match folder.delete_unless(|now| why_kept(now, args.older_than).is_some()) {
        Err(FolderError::InUse { .. }) => None,
        deleted => deleted?,
    };
    Ok(deleted.ok_or_else(|| "it has just been used".into()))
}

/// Why this is not to be deleted.
fn why_kept(contents: &Contents, older_than: Duration) -> Option<String> {
    if let Some(stranger) = &contents.stranger {
        return Some(format!("{} is not of a devnet", stranger.display()));
    }
    // What lies ahead was written just now, by a clock that was set since.
    let unused = SystemTime::now().duration_since(contents.newest).unwrap_or_default();
    (unused < older_than).then(|| {
        let unused = humantime::format_duration(Duration::from_secs(unused.as_secs()));
        let limit = humantime::format_duration(older_than);
        format!("used {unused} ago, which is less than {limit}")
    })
}

fn delete(path: &Path) -> Result<(), FolderError> {
    std::fs::remove_dir_all(path).map_err(|cause| FolderError::Io {
        attempt: "delete the folder",
        path: path.into(),
        cause,
    })
}

impl Report {
    fn add(&mut self, name: Option<&str>, folder: &Path, outcome: Collected) {
        let name = name.map(String::from);
        let folder = folder.to_owned();
        match outcome {
            Ok(Ok(Contents { bytes, newest, .. })) => {
                self.deleted_bytes += bytes;
                let newest = newest.duration_since(UNIX_EPOCH).unwrap_or_default();
                let newest_unix_ms = u64::try_from(newest.as_millis()).unwrap_or(u64::MAX);
                self.deleted.push(Found { name, folder, bytes, newest_unix_ms });
            }
            Ok(Err(reason)) => self.kept.push(Kept { name, folder, reason, failed: false }),
            Err(error) => {
                self.kept.push(Kept { name, folder, reason: error.to_string(), failed: true });
            }
        }
    }
}

fn row(found: &Found) -> Vec<Cell> {
    vec![
        found.name.as_deref().unwrap_or(NAMELESS).into(),
        bytes(found.bytes).into(),
        ago(found.newest_unix_ms).into(),
        found.folder.display().to_string().into(),
    ]
}
