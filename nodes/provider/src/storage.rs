//! The mailbox on threads of its own: a slow disk holds up nobody but those who wait for it. Knows
//! whether the disk works, and says so when that changes.
//!
//! One thread writes. What is asked of it while a transaction is under way goes into the next one,
//! together: many small transactions cost as much as few large ones take. Another thread reads.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use contract::Event;
use runtime::Reporter;
use tokio::sync::{SetOnce, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
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
    /// The threads take no more.
    closing: Arc<AtomicBool>,
    /// Told when the file is closed.
    ended: TaskTracker,
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
        let (failing, broken) = (Arc::default(), Arc::default());
        let closing = Arc::new(AtomicBool::new(false));
        let ended = TaskTracker::new();
        let closing_of_reader = Arc::clone(&closing);
        let reading = spawn("mailbox-read", path, move || {
            while let Some(read) = to_read.blocking_recv() {
                read(&reader);
                if closing_of_reader.load(Ordering::Relaxed) {
                    to_read.close();
                }
            }
        })?;
        let thread = Writer {
            mailbox: opened.mailbox,
            counts: Arc::clone(&counts),
            broken: Arc::clone(&broken),
            closing: Arc::clone(&closing),
        };
        let token = ended.token();
        spawn("mailbox", path, move || {
            let mailbox = thread.run(to_write);
            // Only the last to close the file writes the log back, and a reader cannot. Should it have
            // panicked, it was told.
            let _ = reading.join();
            drop(mailbox);
            drop(token);
        })?;
        let storage = Self { writes, reads, counts, reporter, failing, broken, closing, ended };
        Ok((storage, opened.damaged))
    }

    /// Closes the file, after what is asked of it already: it is complete then, without its log. Says
    /// whether that is done within this time.
    pub(crate) async fn close(&self, limit: Duration) -> bool {
        self.closing.store(true, Ordering::Relaxed);
        self.ended.close();
        let close = async {
            // Each thread looks at what is asked of it, and then whether that was the last.
            let _ = self.read(|_| Ok(())).await;
            let _ = self.write(|_| Ok(())).await;
            self.ended.wait().await;
        };
        timeout(limit, close).await.is_ok()
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
) -> Result<JoinHandle<()>, MailboxError> {
    let builder = thread::Builder::new().name(name.into()).stack_size(STACK_BYTES);
    builder.spawn(work).map_err(|source| MailboxError::File {
        attempt: "start a thread for",
        path: mailbox.to_owned(),
        source,
    })
}

/// What the thread that writes has.
struct Writer {
    mailbox: Mailbox,
    counts: Arc<Counts>,
    broken: Arc<SetOnce<String>>,
    closing: Arc<AtomicBool>,
}

impl Writer {
    /// Writes until nobody asks any more.
    fn run(self, mut writes: mpsc::Receiver<Box<dyn Write>>) -> Mailbox {
        let Self { mut mailbox, counts, broken, closing } = self;
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
            match mailbox.tidy() {
                Err(error @ MailboxError::Gone { .. }) => {
                    // Whoever came first has told.
                    let _ = broken.set(error.to_string());
                }
                Err(error) => tracing::warn!("{error}"),
                Ok(()) => {}
            }
            if closing.load(Ordering::Relaxed) {
                writes.close();
            }
        }
        mailbox
    }
}

#[cfg(test)]
mod tests;
