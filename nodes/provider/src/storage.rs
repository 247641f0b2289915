//! The mailbox on threads of its own: a slow disk holds up nobody but those who wait for it. Knows
//! whether the disk works, and says so when that changes.
//!
//! One thread writes. What is asked of it while a transaction is under way goes into the next one,
//! together: many small transactions cost as much as few large ones take. Another thread reads.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use contract::Event;
use runtime::Reporter;
use tokio::sync::{SetOnce, mpsc, oneshot};
use wire::{Delivery, PublicKey};

use crate::mailbox::{Batch, PutAside, Quotas, Reader};
use crate::{Mailbox, MailboxError, Parcel, Stored};

/// Jobs that wait for a thread. Every session has at most one under way, and the mixnet side one.
const MAX_JOBS: usize = 256;

/// The threads have SQLite's calls on their stacks, and nothing that is large.
const STACK_BYTES: usize = 512 << 10;

/// Something to be written. Asked to run again if the transaction fails that it was in.
trait Write: Send {
    /// Says whether the transaction can go on.
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), MailboxError>;

    /// Its transaction was committed, or, run alone, failed.
    fn answer(self: Box<Self>, committed: Result<(), MailboxError>);
}

struct Job<T, F> {
    work: F,
    result: Option<Result<T, MailboxError>>,
    answer: oneshot::Sender<Result<T, MailboxError>>,
}

impl<T, F> Write for Job<T, F>
where
    T: Send,
    F: FnMut(&mut Batch<'_>) -> Result<T, MailboxError> + Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), MailboxError> {
        match (self.work)(batch) {
            Err(error) if !error.is_refusal() => Err(error),
            result => {
                self.result = Some(result);
                Ok(())
            }
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), MailboxError>) {
        let result = match committed {
            Ok(()) => self.result.unwrap_or(Err(MailboxError::Ended)),
            Err(error) => Err(error),
        };
        // Nobody waits for the result of a session that has ended.
        let _ = self.answer.send(result);
    }
}

type Read = Box<dyn FnOnce(&Reader) + Send>;

/// Counters of the mailbox, for the metrics.
#[derive(Debug, Default)]
struct Counts {
    clients: AtomicU64,
    waiting: AtomicU64,
}

/// Asks the mailbox. Cheap to clone; the threads end with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    writes: mpsc::Sender<Box<dyn Write>>,
    reads: mpsc::Sender<Read>,
    counts: Arc<Counts>,
    reporter: Reporter,
    /// Whether packets cannot be stored right now.
    failing: Arc<Mutex<bool>>,
    /// Why the mailbox cannot be used any more.
    broken: Arc<SetOnce<String>>,
}

impl Storage {
    /// Opens the mailbox. Says what became of a damaged file.
    pub(crate) fn open(
        path: &Path,
        quotas: Quotas,
        reporter: Reporter,
    ) -> Result<(Self, Option<PutAside>), MailboxError> {
        let opened = Mailbox::open_or_replace(path, quotas)?;
        let reader = Reader::open(path)?;
        let (writes, to_write) = mpsc::channel(MAX_JOBS);
        let (reads, mut to_read) = mpsc::channel::<Read>(MAX_JOBS);
        let counts = Arc::new(Counts::default());
        let counts_of_thread = Arc::clone(&counts);
        spawn("mailbox", path, move || write(opened.mailbox, to_write, &counts_of_thread))?;
        spawn("mailbox-read", path, move || {
            while let Some(read) = to_read.blocking_recv() {
                read(&reader);
            }
        })?;
        let (failing, broken) = (Arc::default(), Arc::default());
        Ok((Self { writes, reads, counts, reporter, failing, broken }, opened.damaged))
    }

    /// Stores parcels; says what became of each.
    pub(crate) async fn store(&self, parcels: Arc<[Parcel]>) -> Result<Vec<Stored>, MailboxError> {
        let work = move |batch: &mut Batch<'_>| parcels.iter().map(|p| batch.store(p)).collect();
        let stored = self.write(work).await;
        // Told once, however many packets it concerns. Only storing decides: reading and deleting
        // work on a full disk.
        match &stored {
            Ok(_) if self.set_failing(false) => {
                let reason = "the mailbox can be written again".into();
                self.reporter.report(Event::Ready { reason });
            }
            Err(error) if self.set_failing(true) => {
                self.reporter.report(Event::Waiting { reason: error.to_string() });
            }
            _ => {}
        }
        stored
    }

    /// See [`Reader::waiting`]. Does not wait for anything to be written.
    pub(crate) async fn waiting(
        &self,
        client: PublicKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, MailboxError> {
        self.read(move |reader| reader.waiting(&client, after, limit)).await
    }

    /// See [`Batch::confirm`].
    pub(crate) async fn confirm(
        &self,
        client: PublicKey,
        numbers: Vec<u64>,
    ) -> Result<u64, MailboxError> {
        self.write(move |batch| batch.confirm(&client, &numbers)).await
    }

    /// The keys of all clients.
    pub(crate) async fn clients(&self) -> Result<Vec<PublicKey>, MailboxError> {
        self.read(Reader::clients).await
    }

    /// How many clients are registered, and how many packets wait for all of them.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let Counts { clients, waiting } = &*self.counts;
        (clients.load(Ordering::Relaxed), waiting.load(Ordering::Relaxed))
    }

    /// Waits until the file turns out to be damaged, or a thread has ended before its time. Only
    /// opening it anew helps then. Returns what happened.
    pub(crate) async fn broken(&self) -> &str {
        self.broken.wait().await
    }

    /// Does something in a transaction, perhaps together with others, and perhaps more than once:
    /// only the last time counts. When this returns, it is safe.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Batch<'_>) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let (answer, result) = oneshot::channel();
        let sent = self.writes.send(Box::new(Job { work, result: None, answer })).await;
        self.answered(sent.is_ok(), result).await
    }

    /// Reads what is committed.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let (answer, result) = oneshot::channel();
        let job: Read = Box::new(move |reader| {
            // Nobody waits for the result of a session that has ended.
            let _ = answer.send(work(reader));
        });
        let sent = self.reads.send(job).await;
        self.answered(sent.is_ok(), result).await
    }

    async fn answered<T>(
        &self,
        sent: bool,
        result: oneshot::Receiver<Result<T, MailboxError>>,
    ) -> Result<T, MailboxError> {
        let result = if sent { result.await } else { Ok(Err(MailboxError::Ended)) };
        let result = result.unwrap_or(Err(MailboxError::Ended));
        if let Err(error) = &result
            && (error.is_damage() || matches!(error, MailboxError::Ended))
        {
            // Whoever came first has told.
            let _ = self.broken.set(error.to_string());
        }
        result
    }

    /// Says whether it was otherwise before.
    fn set_failing(&self, failing: bool) -> bool {
        let mut before = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *before, failing) != failing
    }
}

fn spawn(
    name: &str,
    mailbox: &Path,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), MailboxError> {
    let builder = thread::Builder::new().name(name.into()).stack_size(STACK_BYTES);
    builder.spawn(work).map(drop).map_err(|source| MailboxError::File {
        attempt: "start a thread for",
        path: mailbox.to_owned(),
        source,
    })
}

/// The thread that writes.
fn write(mut mailbox: Mailbox, mut writes: mpsc::Receiver<Box<dyn Write>>, counts: &Counts) {
    let publish = |mailbox: &Mailbox| {
        counts.clients.store(mailbox.client_count(), Ordering::Relaxed);
        counts.waiting.store(mailbox.waiting_total().packets, Ordering::Relaxed);
    };
    publish(&mailbox);
    let mut jobs = Vec::new();
    while writes.blocking_recv_many(&mut jobs, MAX_JOBS) > 0 {
        let together =
            mailbox.transaction(|batch| jobs.iter_mut().try_for_each(|job| job.run(batch)));
        publish(&mailbox);
        match together {
            Ok(()) => jobs.drain(..).for_each(|job| job.answer(Ok(()))),
            Err(error) if jobs.len() == 1 => {
                jobs.drain(..).next_back().expect("one is there").answer(Err(error));
            }
            // None of them is at fault, and alone each would wait as long again.
            Err(MailboxError::Busy) => {
                jobs.drain(..).for_each(|job| job.answer(Err(MailboxError::Busy)));
            }
            // One of them is at fault, or each: whoever can go on alone does.
            Err(_) => {
                for mut job in jobs.drain(..) {
                    let alone = mailbox.transaction(|batch| job.run(batch));
                    publish(&mailbox);
                    job.answer(alone);
                }
            }
        }
        // Those who waited have their answers: nobody waits for this but who comes now.
        if let Err(error) = mailbox.tidy() {
            tracing::warn!("{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::FileExt;
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

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
}
