use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;

use super::*;
use crate::testing::{Refusal, SHELF, Shelf, count, put};

/// A shelf with its threads.
struct Fixture {
    threads: Threads<Shelf>,
    /// As it was published last.
    books: Arc<AtomicU64>,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Where the system allows it, the name of a folder need not be text.
        let name: &[u8] = if cfg!(target_os = "linux") { b"home \xff" } else { b"home" };
        let home = folder.path().join(OsStr::from_bytes(name));
        std::fs::create_dir(&home).expect("a folder");
        let path = home.join("shelf.sqlite");
        let database = Database::open(&path, &SHELF).expect("a new shelf");
        let books = Arc::new(AtomicU64::new(u64::MAX));
        let published = Arc::clone(&books);
        let publish = move |shelf: &Shelf| published.store(shelf.books, Ordering::Relaxed);
        let threads = Threads::start(database, &path, publish).expect("threads");
        Self { threads, books, path, _folder: folder }
    }

    async fn put(&self, books: u64) {
        self.threads.write(move |transaction| put(transaction, books)).await.expect("written");
    }

    fn books(&self) -> u64 {
        self.books.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn what_comes_meanwhile_goes_into_one_transaction_and_who_fails_fails_alone() {
    let fixture = Fixture::new();
    let threads = &fixture.threads;
    // The thread is held until all of the others wait.
    let (go_on, wait) = mpsc::channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let mut begun = Some(begun);
    let holding = threads.clone();
    let holding = tokio::spawn(async move {
        let hold = holding.write(move |_| {
            let _ = begun.take().expect("once").send(());
            // The other end is gone when the others wait.
            let _ = wait.recv();
            Ok::<_, DatabaseError>(())
        });
        hold.await
    });
    has_begun.await.expect("begins");
    let runs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    let counting = threads.write(move |transaction| {
        counted.fetch_add(1, Ordering::Relaxed);
        count(transaction.connection())
    });
    let first = fixture.put(3);
    let failing = threads.write(|transaction| {
        put(transaction, 10)?;
        Err::<(), _>(DatabaseError::NoFile { path: "x".into(), kind: "a test" })
    });
    let refusing = threads.write(|_| Err::<(), _>(Refusal::Forbidden));
    let second = fixture.put(2);
    let release = async { drop(go_on) };
    let ((), counted, failed, refused, (), ()) =
        tokio::join!(first, counting, failing, refusing, second, release);
    holding.await.expect("ends").expect("went on");
    assert!(matches!(failed, Err(DatabaseError::NoFile { .. })));
    assert!(matches!(refused, Err(Refusal::Forbidden)));
    assert_eq!(counted.expect("counts"), 3, "what came before is seen");
    assert_eq!(runs.load(Ordering::Relaxed), 2, "once with the one that failed, once alone");
    assert_eq!(fixture.books(), 5, "of what failed, nothing is left");
    assert_eq!(threads.read(count).await.expect("reads"), 5, "the reader sees what was committed");
}

#[tokio::test]
async fn reading_does_not_wait_for_writing() {
    let fixture = Fixture::new();
    fixture.put(2).await;
    let threads = &fixture.threads;
    let (go_on, wait) = mpsc::channel::<()>();
    let writing = threads.write(move |transaction| {
        put(transaction, 1)?;
        // In the middle of a transaction.
        let _ = wait.recv();
        Ok::<_, DatabaseError>(())
    });
    let reading = async {
        let read = threads.read(count).await;
        drop(go_on);
        read
    };
    let (written, read) = tokio::join!(writing, reading);
    written.expect("committed");
    assert_eq!(read.expect("reads"), 2, "what is not committed is not there");
    assert_eq!(threads.read(count).await.expect("reads"), 3);
}

#[tokio::test]
async fn damage_that_shows_while_it_runs_is_told() {
    let fixture = Fixture::new();
    // Enough for the log to be written back, and for no page to be in anybody's memory.
    for _ in 0..40 {
        fixture.put(50).await;
    }
    let file = std::fs::OpenOptions::new().write(true).open(&fixture.path).expect("opens");
    let length = file.metadata().expect("there").len();
    file.write_all_at(&vec![0xa5; usize::try_from(length / 2).expect("small")], length / 4)
        .expect("written");
    let read = fixture.threads.read(|connection| {
        let sum = connection.query_row("SELECT sum(length(text)) FROM books", [], |row| row.get(0));
        SHELF.attempt("be read", sum.map(|sum: u64| sum))
    });
    let error = read.await.expect_err("it is damaged");
    assert!(error.is_damage(), "{error}");
    let told = timeout(Duration::ZERO, fixture.threads.broken()).await.expect("told");
    assert_eq!(told, error.to_string());
    assert!(length >> 20 >= SHELF.checked_mb, "it is not read through without a reason");
    assert!(fixture.threads.close(Duration::from_secs(60)).await);
    let open = || Database::<Shelf>::open_or_replace(&fixture.path, &SHELF).expect("opens");
    assert!(open().damaged.is_some(), "the next start looks for it");
    assert!(!file::is_suspect(&fixture.path) && open().damaged.is_none(), "once");
}

#[tokio::test]
async fn a_thread_that_ends_before_its_time_is_told() {
    let fixture = Fixture::new();
    let work = |_: &mut Transaction<'_, Shelf>| -> Result<(), DatabaseError> {
        panic!("as a test wants it")
    };
    assert!(matches!(fixture.threads.write(work).await, Err(DatabaseError::Ended { .. })));
    timeout(Duration::ZERO, fixture.threads.broken()).await.expect("told");
}

#[tokio::test]
async fn a_file_that_is_closed_is_complete_without_its_log() {
    let fixture = Fixture::new();
    fixture.put(7).await;
    let elsewhere = fixture.threads.clone();
    assert!(fixture.threads.close(Duration::from_secs(60)).await, "though others could still ask");
    assert!(matches!(elsewhere.read(count).await, Err(DatabaseError::Ended { .. })));
    let mut names: Vec<String> = std::fs::read_dir(fixture.path.parent().expect("a folder"))
        .expect("reads")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    assert_eq!(names, ["shelf.sqlite", "shelf.sqlite.lock", "shelf.sqlite.reserve"]);
    // The file alone has everything.
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("shelf.sqlite");
    std::fs::copy(&fixture.path, &copy).expect("copied");
    let copy = Database::<Shelf>::open(&copy, &SHELF).expect("a shelf");
    assert_eq!(copy.memory().books, 7);
}

#[tokio::test]
async fn files_that_are_moved_or_deleted_meanwhile_end_it() {
    for suffix in ["", "-wal"] {
        let fixture = Fixture::new();
        fixture.put(1).await;
        let gone = fixture.path.with_file_name(format!("shelf.sqlite{suffix}"));
        std::fs::rename(&gone, fixture.path.with_file_name("elsewhere")).expect("moved");
        // Found behind the next transaction, and so before the end of the one after it.
        for _ in 0..2 {
            let _ = fixture.threads.write(|transaction| put(transaction, 1)).await;
        }
        let told = timeout(Duration::ZERO, fixture.threads.broken()).await.expect("told");
        assert!(told.contains(&format!("shelf.sqlite{suffix}` was moved or deleted")), "{told}");
    }
}
