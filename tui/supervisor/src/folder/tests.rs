//! One owner at a time, and nothing of anybody else touched.

use control::{Failure, FailureCode};
use layouts::{Layout, Ports};
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::testing::state_dir;

#[test]
fn a_name_that_would_leave_the_folder_is_refused() {
    let (_dir, state) = state_dir();
    let long = "x".repeat(65);
    for name in ["", ".", "..", ".hidden", "a/b", "a\\b", "a\nb", "-o", &long] {
        let failure = Failure::from(state.folder(name).expect_err(name));
        assert_eq!(failure.code, FailureCode::Usage, "{name:?}");
    }
    assert!(state.folder("t1").is_ok() && state.folder("größer").is_ok());
}

#[test]
fn a_folder_whose_path_cannot_be_told_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let path = Path::new(OsStr::from_bytes(b"/tmp/\xff")).to_owned();
    let refused = StateDir::find(Some(path)).expect_err("it is not UTF-8");
    assert_eq!(Failure::from(refused).code, FailureCode::Environment);
}

#[test]
fn a_folder_has_one_owner_at_a_time_and_remembers_an_unclean_end() {
    let (_dir, state) = state_dir();
    let folder = state.folder("t1").expect("a name");
    assert!(!folder.is_running().expect("looks"));
    let claim = folder.claim().expect("free");
    assert!(!claim.left_over() && !claim.resumed());
    let mode = fs::metadata(folder.path()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(folder.is_running().expect("looks"));
    assert!(matches!(folder.claim(), Err(FolderError::InUse { .. })));

    let record = Record {
        name: "t1".into(),
        pid: 1,
        pid_started: 2,
        socket: folder.socket(),
        started_unix_ms: 3,
        plan: layouts::Plan::new(Layout::default(), Ports::Auto).expect("a network"),
    };
    claim.write_record(&record).expect("writes");
    assert_eq!(folder.record(), Some(record));
    assert_eq!(state.folders().expect("reads"), std::slice::from_ref(&folder));
    fs::write(folder.socket(), "").expect("stands for a stale socket");
    drop(claim);

    let claim = folder.claim().expect("nobody holds it");
    assert!(claim.left_over() && claim.resumed());
    assert!(!folder.socket().exists());
    let watch = folder.watch().expect("looks").expect("there");
    // An earlier deletion by a process of the same id got stuck.
    let stuck = state.path().join(format!(".t1.{}.gone", std::process::id()));
    fs::create_dir_all(stuck.join("nodes")).expect("creates");
    assert!(watch.is_running().expect("looks"));
    claim.clean_up(true).expect("deletes");
    assert_eq!(fs::read_dir(state.path()).expect("reads").count(), 0);
    assert!(watch.is_running().expect("looks"));
    drop(claim);
    assert!(!watch.is_running().expect("looks"));
    assert!(!folder.path().exists());
    assert_eq!(state.folders().expect("reads"), []);
}

#[test]
fn a_folder_that_was_deleted_is_ours_no_more() {
    let (_dir, state) = state_dir();
    let folder = state.folder("t1").expect("a name");
    let before = folder.claim().expect("free");
    assert!(before.is_there());
    fs::remove_dir_all(folder.path()).expect("deletes");
    assert!(!before.is_there());
    let next = folder.claim().expect("another one");
    assert!(!before.is_there() && next.is_there());
    for delete in [false, true] {
        before.clean_up(delete).expect("there is nothing to do");
        assert!(next.is_there());
    }
}

#[test]
fn what_cannot_be_written_is_named() {
    let (dir, _) = state_dir();
    let file = dir.path().join("file");
    fs::write(&file, "").expect("writes");
    for path in [file.clone(), file.join("below")] {
        let failure = Failure::from(StateDir::find(Some(path)).expect_err("no folder"));
        assert_eq!(failure.code, FailureCode::Environment);
        assert!(failure.message.contains(file.to_str().expect("UTF-8")), "{failure}");
    }

    let state = StateDir::find(Some(dir.path().join("x".repeat(90)))).expect("a path");
    let error = state.folder("t1").and_then(|folder| folder.claim()).expect_err("too long");
    assert!(matches!(error, FolderError::SocketPath { .. }), "{error}");
}
