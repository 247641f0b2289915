//! What devnets before have left behind.

use super::Check;
use crate::context::Context;
use crate::output::bytes;

pub(super) fn checks(context: &Context) -> Vec<Check> {
    let folders = match context.state_dir.folders() {
        Ok(folders) => folders,
        Err(error) => return vec![Check::fail("devnets", error.to_string(), "see its rights")],
    };
    let mut running = Vec::new();
    let mut dead = Vec::new();
    let mut resting = 0_usize;
    let mut size = 0_u64;
    for folder in &folders {
        match folder.is_running() {
            Ok(true) => running.push(folder.name()),
            Ok(false) if folder.record().is_some() => dead.push(folder.name()),
            _ => resting += 1,
        }
        size += folder.contents().map_or(0, |contents| contents.bytes);
    }
    let mut checks = Vec::new();
    if let [first, ..] = dead.as_slice() {
        let found = format!("ended without cleaning up: {}", dead.join(", "));
        let mend = format!("`up --name {first}` takes over, `down {first} --purge` deletes");
        checks.push(Check::warn("leftovers", found, mend));
    }
    let half_deleted = context.state_dir.half_deleted().map_or(0, |paths| paths.len());
    if half_deleted > 0 {
        let found = format!("{half_deleted} folders were deleted in part");
        checks.push(Check::warn(
            "leftovers",
            found,
            "`nym-devnet gc --older-than 0s` deletes the rest",
        ));
    }
    let names = match running.as_slice() {
        [] => "none runs".into(),
        [one] => format!("{one} runs"),
        more => more.join(", ") + " run",
    };
    let found = format!("{names}, {resting} at rest, {} together", bytes(size));
    checks.push(Check::ok("devnets", found));
    checks
}
