use std::fs;

use super::*;
use crate::testing::{Refusal, SHELF, Shelf, count, put};

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("shelf.sqlite")
}

fn open(path: &Path) -> Database<Shelf> {
    Database::open(path, &SHELF).expect("a shelf")
}

fn refused(path: &Path) -> DatabaseError {
    Database::<Shelf>::open_or_replace(path, &SHELF).expect_err("is refused")
}

#[test]
fn the_log_of_a_foreign_file_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path(&folder);
    let log = folder.path().join("shelf.sqlite-wal");
    // As a program leaves it that was killed.
    let kept = {
        let other = folder.path().join("other.sqlite");
        let connection = Connection::open(&other).expect("a database");
        connection.pragma_update(None, "journal_mode", "WAL").expect("set");
        connection.execute_batch("CREATE TABLE of_somebody (else_ TEXT)").expect("made");
        for (from, to) in [("other.sqlite", &path), ("other.sqlite-wal", &log)] {
            fs::copy(folder.path().join(from), to).expect("copied");
        }
        [&path, &log].map(|path| fs::read(path).expect("reads"))
    };
    let error = refused(&path);
    assert!(matches!(error, DatabaseError::Foreign { .. }), "{error}");
    assert_eq!([&path, &log].map(|path| fs::read(path).expect("still there")), kept);
}

#[test]
fn what_is_no_file_is_not_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path(&folder);
    let kind = || match refused(&path) {
        DatabaseError::NoFile { kind, .. } => kind,
        error => panic!("{error}"),
    };
    fs::create_dir(&path).expect("made");
    assert_eq!(kind(), "a folder");
    assert!(refused(&path).to_string().ends_with("shelf.sqlite` is a folder, and not a file"));
    fs::remove_dir(&path).expect("removed");
    std::os::unix::fs::symlink("/dev/null", &path).expect("made");
    assert_eq!(kind(), "a device");
    fs::remove_file(&path).expect("removed");
    let _socket = std::os::unix::net::UnixListener::bind(&path).expect("made");
    assert_eq!(kind(), "a socket");
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        fs::remove_file(&path).expect("removed");
        mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).expect("made");
        assert_eq!(kind(), "a pipe");
    }
}

#[test]
fn two_processes_cannot_have_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(&path(&folder));
    let error = refused(&path(&folder));
    assert_eq!(error.to_string(), "another librarian uses the shelf");
    assert_eq!(error.hint(), "stop the other librarian, or give this one a folder of its own");
    drop(first);
    open(&path(&folder));
}

#[test]
fn each_damaged_file_is_kept_under_a_name_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = path(&folder);
    for number in 1..=2 {
        fs::write(&path, [number; 4096]).expect("written");
        let Opened { mut database, damaged } =
            Database::<Shelf>::open_or_replace(&path, &SHELF).expect("a new one");
        let damaged = damaged.expect("is told");
        assert_eq!(damaged.kept, folder.path().join(format!("shelf.sqlite.damaged-{number}")));
        assert_eq!(fs::read(&damaged.kept).expect("is kept"), [number; 4096]);
        assert!(damaged.to_string().contains("shelf.sqlite.damaged-"), "{damaged}");
        database.transaction(|transaction| put(transaction, 1)).expect("works");
    }
}

#[test]
fn what_fails_or_is_refused_leaves_nothing_behind_in_memory_either() {
    let mut database = Database::<Shelf>::in_memory(&SHELF).expect("a shelf");
    database.transaction(|transaction| put(transaction, 2)).expect("works");
    let refused = database.transaction(|transaction| {
        put(transaction, 3)?;
        Err::<(), _>(Refusal::Forbidden)
    });
    assert!(matches!(refused, Err(Refusal::Forbidden)));
    let failed = database.transaction(|transaction| {
        put(transaction, 3)?;
        let sql = "INSERT INTO books (number) VALUES ('no number')";
        SHELF.attempt("put a bad book on it", transaction.connection().execute(sql, []))
    });
    let error = failed.expect_err("it fails").to_string();
    assert!(error.starts_with("the shelf cannot put a bad book on it: "), "{error}");
    assert_eq!(database.memory().books, 2);
    assert_eq!(count(database.connection()).expect("counts"), 2);
}
