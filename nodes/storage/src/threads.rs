//! A file on threads of its own: a slow disk holds up nobody but those who wait for it.
//!
//! One thread writes. What is asked of it while a transaction is under way goes into the next one,
//! together: many small transactions cost as much as few large ones take. Another thread reads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{SetOnce, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::database::open_reader;
use crate::file;
use crate::{Database, DatabaseError, Failure, Format, Memory, Transaction};

/// Jobs that wait for a thread. Whoever asks has one or two under way, and waits for them.
const MAX_JOBS: usize = 256;

/// The threads have SQLite's calls on their stacks, and nothing that is large.
const STACK_BYTES: usize = 512 << 10;

/// Something to be written. Asked to run again if the transaction fails that it was in.
trait Write<M>: Send {
    /// Says whether the transaction can go on.
    fn run(&mut self, transaction: &mut Transaction<'_, M>) -> Result<(), DatabaseError>;

    /// Its transaction was committed, or, run alone, failed.
    fn answer(self: Box<Self>, committed: Result<(), DatabaseError>);
}

struct Job<T, E, F> {
    format: &'static Format,
    work: F,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<M, T, E, F> Write<M> for Job<T, E, F>
where
    T: Send,
    E: Failure + Send,
    F: FnMut(&mut Transaction<'_, M>) -> Result<T, E> + Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_, M>) -> Result<(), DatabaseError> {
        match (self.work)(transaction).map_err(E::into_database) {
            Err(Ok(error)) => return Err(error),
            Err(Err(refusal)) => self.result = Some(Err(refusal)),
            Ok(value) => self.result = Some(Ok(value)),
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), DatabaseError>) {
        let result = match committed {
            Ok(()) => self
                .result
                .unwrap_or_else(|| Err(DatabaseError::Ended { format: self.format }.into())),
            Err(error) => Err(error.into()),
        };
        // Nobody waits for the result of what has ended meanwhile.
        let _ = self.answer.send(result);
    }
}

type Writes<M> = mpsc::Sender<Box<dyn Write<M>>>;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Asks the threads of a file. Cheap to clone; they end with the last of them.
#[derive(Debug)]
pub struct Threads<M>(Arc<Asking<M>>);

#[derive(Debug)]
struct Asking<M> {
    format: &'static Format,
    path: PathBuf,
    writes: Writes<M>,
    reads: mpsc::Sender<Read>,
    /// Why the file cannot be used any more.
    broken: Arc<SetOnce<String>>,
    /// The threads take no more.
    closing: Arc<AtomicBool>,
    /// Told when the file is closed.
    ended: TaskTracker,
}

impl<M> Clone for Threads<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Memory + Send + 'static> Threads<M> {
    /// Starts the threads of a file that was opened at this path. `publish` is told what is known by
    /// heart, now and after each transaction.
    pub fn start(
        database: Database<M>,
        path: &Path,
        publish: impl FnMut(&M) + Send + 'static,
    ) -> Result<Self, DatabaseError> {
        let format = database.format();
        let reader = open_reader(path, format)?;
        let (writes, to_write) = mpsc::channel(MAX_JOBS);
        let (reads, mut to_read) = mpsc::channel::<Read>(MAX_JOBS);
        let broken = Arc::default();
        let closing = Arc::new(AtomicBool::new(false));
        let ended = TaskTracker::new();
        let closing_of_reader = Arc::clone(&closing);
        let reading = spawn(format!("{}-read", format.name), path, move || {
            while let Some(read) = to_read.blocking_recv() {
                read(&reader);
                if closing_of_reader.load(Ordering::Relaxed) {
                    to_read.close();
                }
            }
        })?;
        let thread = Writer {
            database,
            publish,
            broken: Arc::clone(&broken),
            closing: Arc::clone(&closing),
        };
        let token = ended.token();
        spawn(format.name.into(), path, move || {
            let database = thread.run(to_write);
            // Only the last to close the file writes the log back, and a reader cannot. Should it
            // have panicked, it was told.
            let _ = reading.join();
            drop(database);
            drop(token);
        })?;
        let path = path.to_owned();
        Ok(Self(Arc::new(Asking { format, path, writes, reads, broken, closing, ended })))
    }

    /// Closes the file, after what is asked of it already: it is complete then, without its log. Says
    /// whether that is done within this time.
    pub async fn close(&self, limit: Duration) -> bool {
        self.0.closing.store(true, Ordering::Relaxed);
        self.0.ended.close();
        let close = async {
            // Each thread looks at what is asked of it, and then whether that was the last.
            let _ = self.read(|_| Ok::<_, DatabaseError>(())).await;
            let _ = self.write(|_| Ok::<_, DatabaseError>(())).await;
            self.0.ended.wait().await;
        };
        timeout(limit, close).await.is_ok()
    }

    /// Waits until the file turns out to be damaged, or a thread has ended before its time. Only
    /// opening it anew helps then. Returns what happened.
    pub async fn broken(&self) -> &str {
        self.0.broken.wait().await
    }

    /// Does something in a transaction, perhaps together with others, and perhaps more than once:
    /// only the last time counts. When this returns, it is safe.
    pub async fn write<T: Send + 'static, E: Failure + Send + 'static>(
        &self,
        work: impl FnMut(&mut Transaction<'_, M>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (answer, result) = oneshot::channel();
        let job = Job { format: self.0.format, work, result: None, answer };
        let sent = self.0.writes.send(Box::new(job)).await;
        self.answered(sent.is_ok(), result).await
    }

    /// Reads what is committed.
    pub async fn read<T: Send + 'static, E: Failure + Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (answer, result) = oneshot::channel();
        let job: Read = Box::new(move |connection| {
            // Nobody waits for the result of what has ended meanwhile.
            let _ = answer.send(work(connection));
        });
        let sent = self.0.reads.send(job).await;
        self.answered(sent.is_ok(), result).await
    }

    async fn answered<T, E: Failure>(
        &self,
        sent: bool,
        result: oneshot::Receiver<Result<T, E>>,
    ) -> Result<T, E> {
        let ended = || Err(DatabaseError::Ended { format: self.0.format }.into());
        let result = if sent { result.await.unwrap_or_else(|_| ended()) } else { ended() };
        let error = match result.map_err(E::into_database) {
            Ok(value) => return Ok(value),
            Err(Err(refusal)) => return Err(refusal),
            Err(Ok(error)) => error,
        };
        if error.is_damage() {
            file::suspect(&self.0.path);
        }
        if error.is_damage() || matches!(error, DatabaseError::Ended { .. }) {
            // Whoever came first has told.
            let _ = self.0.broken.set(error.to_string());
        }
        Err(error.into())
    }
}

fn spawn(
    name: String,
    database: &Path,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, DatabaseError> {
    let builder = thread::Builder::new().name(name).stack_size(STACK_BYTES);
    builder.spawn(work).map_err(|source| DatabaseError::File {
        attempt: "start a thread for",
        path: database.to_owned(),
        source,
    })
}

/// What the thread that writes has.
struct Writer<M, P> {
    database: Database<M>,
    publish: P,
    broken: Arc<SetOnce<String>>,
    closing: Arc<AtomicBool>,
}

impl<M: Memory, P: FnMut(&M)> Writer<M, P> {
    /// Writes until nobody asks any more.
    fn run(self, mut writes: mpsc::Receiver<Box<dyn Write<M>>>) -> Database<M> {
        let Self { mut database, mut publish, broken, closing } = self;
        let format = database.format();
        publish(database.memory());
        let mut jobs = Vec::new();
        while writes.blocking_recv_many(&mut jobs, MAX_JOBS) > 0 {
            let together = database.transaction(|transaction| {
                jobs.iter_mut().try_for_each(|job| job.run(transaction))
            });
            publish(database.memory());
            match together {
                Ok(()) => jobs.drain(..).for_each(|job| job.answer(Ok(()))),
                Err(error) if jobs.len() == 1 => {
                    jobs.drain(..).next_back().expect("one is there").answer(Err(error));
                }
                // None of them is at fault, and alone each would wait as long again.
                Err(DatabaseError::Busy { .. }) => {
                    jobs.drain(..).for_each(|job| job.answer(Err(DatabaseError::Busy { format })));
                }
                // One of them is at fault, or each: whoever can go on alone does.
                Err(_) => {
                    for mut job in jobs.drain(..) {
                        let alone = database.transaction(|transaction| job.run(transaction));
                        publish(database.memory());
                        job.answer(alone);
                    }
                }
            }
            // Those who waited have their answers: nobody waits for this but who comes now.
            match database.tidy() {
                Err(error @ DatabaseError::Gone { .. }) => {
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
        database
    }
}

#[cfg(test)]
mod tests;
