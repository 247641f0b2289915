use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::sync::mpsc;

use super::*;
use crate::Protocol;

fn key(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

fn parcels(client: u8, count: usize) -> Arc<[Parcel]> {
    let payload = vec![client; 2048];
    let parcel = Parcel { client: key(client), identifier: [0; 16], payload, ack: None };
    vec![parcel; count].into()
}

async fn register(storage: &Storage, client: u8) {
    let registered = storage.write(move |batch| batch.register(&key(client), Protocol::V1));
    registered.await.expect("registers");
}

/// A mailbox, and what is reported of it.
struct Fixture {
    storage: Storage,
    events: mpsc::Receiver<Event>,
    path: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Where the system allows it, the name of a folder need not be text.
        let name: &[u8] = if cfg!(target_os = "linux") { b"home \xff" } else { b"home" };
        let home = folder.path().join(OsStr::from_bytes(name));
        std::fs::create_dir(&home).expect("a folder");
        let path = home.join("mailbox.sqlite");
        let (sender, events) = mpsc::channel();
        let reporter = Reporter::new(move |event| sender.send(event).expect("is read"));
        let opened = Storage::open(&path, Quotas::default(), reporter);
        let (storage, damaged) = opened.expect("a new mailbox");
        assert!(damaged.is_none());
        Self { storage, events, path, _folder: folder }
    }
}

#[tokio::test]
async fn what_comes_meanwhile_goes_into_one_transaction_and_who_fails_fails_alone() {
    let Fixture { storage, _folder, .. } = Fixture::new();
    for client in [1, 2] {
        register(&storage, client).await;
    }
    // The thread is held until all of the others wait.
    let (go_on, wait) = mpsc::channel::<()>();
    let (begun, has_begun) = oneshot::channel();
    let mut begun = Some(begun);
    let holding = storage.clone();
    let holding = tokio::spawn(async move {
        let hold = holding.write(move |_| {
            let _ = begun.take().expect("once").send(());
            // The other end is gone when the others wait.
            let _ = wait.recv();
            Ok(())
        });
        hold.await
    });
    has_begun.await.expect("begins");
    let runs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    let counting = storage.write(move |batch| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(batch.waiting_for(&key(1)).packets)
    });
    let first = storage.store(parcels(1, 3));
    let failing = storage.write(|batch| {
        batch.register(&key(3), Protocol::Tcp)?;
        Err::<(), _>(MailboxError::Ended)
    });
    let second = storage.store(parcels(2, 2));
    let release = async { drop(go_on) };
    let (first, counted, failed, second, ()) =
        tokio::join!(first, counting, failing, second, release);
    holding.await.expect("ends").expect("went on");
    assert_eq!(first.expect("stores"), [Stored::Yes; 3]);
    assert_eq!(second.expect("stores"), [Stored::Yes; 2]);
    assert!(matches!(failed, Err(MailboxError::Ended)));
    assert_eq!(counted.expect("counts"), 3, "what came before is seen");
    assert_eq!(runs.load(Ordering::Relaxed), 2, "once with the one that failed, once alone");
    assert_eq!(storage.counts(), (2, 5), "of what failed, nothing is left");
    assert_eq!(storage.clients().await.expect("reads"), [key(1), key(2)]);
    let waiting = storage.waiting(key(1), 0, 10).await.expect("reads");
    assert_eq!(waiting.len(), 3, "the reader sees what was committed");
}

#[tokio::test]
async fn reading_does_not_wait_for_writing() {
    let Fixture { storage, _folder, .. } = Fixture::new();
    register(&storage, 1).await;
    storage.store(parcels(1, 2)).await.expect("stores");
    let (go_on, wait) = mpsc::channel::<()>();
    let writing = storage.write(move |batch| {
        batch.store(&parcels(1, 1)[0])?;
        // In the middle of a transaction.
        let _ = wait.recv();
        Ok(())
    });
    let reading = async {
        let read = storage.waiting(key(1), 0, 10).await;
        drop(go_on);
        read
    };
    let (written, read) = tokio::join!(writing, reading);
    written.expect("committed");
    assert_eq!(read.expect("reads").len(), 2, "what is not committed is not there");
    assert_eq!(storage.waiting(key(1), 0, 10).await.expect("reads").len(), 3);
}

#[tokio::test]
async fn a_full_disk_is_told_once_and_so_is_its_end() {
    let Fixture { storage, events, _folder, .. } = Fixture::new();
    register(&storage, 1).await;
    storage.write(|batch| batch.limit_pages(100)).await.expect("set");
    while storage.store(parcels(1, 50)).await.is_ok() {}
    assert!(storage.store(parcels(1, 50)).await.is_err(), "still");
    let told: Vec<Event> = events.try_iter().collect();
    assert!(
        matches!(&told[..], [Event::Waiting { reason }] if reason.contains("disk is full")),
        "{told:?}"
    );
    let waiting = storage.waiting(key(1), 0, 100).await.expect("reads");
    let numbers = waiting.iter().map(|delivery| delivery.number).collect();
    assert_eq!(storage.confirm(key(1), numbers).await.expect("deletes"), 100);
    storage.store(parcels(1, 50)).await.expect("stores");
    let told: Vec<Event> = events.try_iter().collect();
    assert!(matches!(&told[..], [Event::Ready { .. }]), "{told:?}");
}

#[tokio::test]
async fn damage_that_shows_while_it_runs_is_told() {
    let Fixture { storage, path, _folder, .. } = Fixture::new();
    register(&storage, 1).await;
    // Enough for the log to be written back, and for no page to be in anybody's memory.
    for _ in 0..40 {
        storage.store(parcels(1, 50)).await.expect("stores");
    }
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("opens");
    let length = file.metadata().expect("there").len();
    file.write_all_at(&vec![0xa5; usize::try_from(length / 2).expect("small")], length / 4)
        .expect("written");
    let read = storage.waiting(key(1), 0, usize::MAX).await;
    let error = read.expect_err("it is damaged");
    assert!(error.is_damage(), "{error}");
    let told = timeout(Duration::ZERO, storage.broken()).await.expect("told");
    assert_eq!(told, error.to_string());
}

#[tokio::test]
async fn a_thread_that_ends_before_its_time_is_told() {
    let Fixture { storage, _folder, .. } = Fixture::new();
    let result = storage.write(|_| -> Result<(), _> { panic!("as a test wants it") }).await;
    assert!(matches!(result, Err(MailboxError::Ended)));
    timeout(Duration::ZERO, storage.broken()).await.expect("told");
}

#[tokio::test]
async fn a_file_that_is_closed_is_complete_without_its_log() {
    let Fixture { storage, path, _folder, .. } = Fixture::new();
    register(&storage, 1).await;
    storage.store(parcels(1, 7)).await.expect("stores");
    let elsewhere = storage.clone();
    assert!(storage.close(Duration::from_secs(60)).await, "though others could still ask");
    assert!(matches!(elsewhere.clients().await, Err(MailboxError::Ended)));
    let mut names: Vec<String> = std::fs::read_dir(path.parent().expect("a folder"))
        .expect("reads")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    assert_eq!(names, ["mailbox.sqlite", "mailbox.sqlite.lock", "mailbox.sqlite.reserve"]);
    // The file alone has everything.
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("mailbox.sqlite");
    std::fs::copy(&path, &copy).expect("copied");
    let copy = Mailbox::open(&copy, Quotas::default()).expect("a mailbox");
    assert_eq!(copy.waiting_for(&key(1)).packets, 7);
}

#[tokio::test]
async fn files_that_are_moved_or_deleted_meanwhile_end_it() {
    for suffix in ["", "-wal"] {
        let Fixture { storage, path, _folder, .. } = Fixture::new();
        register(&storage, 1).await;
        let gone = path.with_file_name(format!("mailbox.sqlite{suffix}"));
        std::fs::rename(&gone, path.with_file_name("elsewhere")).expect("moved");
        // Found behind the next transaction, and so before the end of the one after it.
        for _ in 0..2 {
            let _ = storage.store(parcels(1, 1)).await;
        }
        let told = timeout(Duration::ZERO, storage.broken()).await.expect("told");
        assert!(told.contains(&format!("mailbox.sqlite{suffix}` was moved or deleted")), "{told}");
    }
}
