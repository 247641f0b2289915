//! The mailbox on threads of its own, see [`Threads`]: a slow disk holds up nobody but those who wait
//! for it. Knows whether the disk works, and says so when that changes.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::Event;
use runtime::Reporter;
use storage::{PutAside, Threads};
use wire::{Delivery, PublicKey};

use crate::mailbox::{Batch, Ledger, Quotas, read};
use crate::{Mailbox, MailboxError, Parcel, Stored};

/// Counters of the mailbox, for the metrics.
#[derive(Debug, Default)]
struct Counts {
    clients: AtomicU64,
    waiting: AtomicU64,
}

/// Asks the mailbox. Cheap to clone; the threads end with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    threads: Threads<Ledger>,
    quotas: Quotas,
    counts: Arc<Counts>,
    reporter: Reporter,
    /// Whether packets cannot be stored right now.
    failing: Arc<Mutex<bool>>,
}

impl Storage {
    /// Opens the mailbox. Says what became of a damaged file.
    pub(crate) fn open(
        path: &Path,
        quotas: Quotas,
        reporter: Reporter,
    ) -> Result<(Self, Option<PutAside>), MailboxError> {
        let opened = Mailbox::open_or_replace(path, quotas)?;
        let counts = Arc::new(Counts::default());
        let published = Arc::clone(&counts);
        let threads = Threads::start(opened.mailbox.into_database(), path, move |ledger| {
            published.clients.store(ledger.len() as u64, Ordering::Relaxed);
            published.waiting.store(ledger.total().packets, Ordering::Relaxed);
        })?;
        let storage = Self { threads, quotas, counts, reporter, failing: Arc::default() };
        Ok((storage, opened.damaged))
    }

    /// Closes the file, after what is asked of it already. Says whether that is done within this time.
    pub(crate) async fn close(&self, limit: Duration) -> bool {
        self.threads.close(limit).await
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

    /// See [`Mailbox::waiting`]. Does not wait for anything to be written.
    pub(crate) async fn waiting(
        &self,
        client: PublicKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, MailboxError> {
        self.threads
            .read(move |connection| Ok(read::waiting(connection, &client, after, limit)?))
            .await
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
        self.threads.read(|connection| Ok(read::clients(connection)?)).await
    }

    /// How many clients are registered, and how many packets wait for all of them.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let Counts { clients, waiting } = &*self.counts;
        (clients.load(Ordering::Relaxed), waiting.load(Ordering::Relaxed))
    }

    /// Waits until the file turns out to be damaged, or a thread has ended before its time. Only
    /// opening it anew helps then. Returns what happened.
    pub(crate) async fn broken(&self) -> &str {
        self.threads.broken().await
    }

    /// Does something in a transaction, perhaps together with others, and perhaps more than once:
    /// only the last time counts. When this returns, it is safe.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Batch<'_>) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let quotas = self.quotas;
        self.threads
            .write(move |transaction| work(&mut Batch::new(transaction.reborrow(), quotas)))
            .await
    }

    /// Says whether it was otherwise before.
    fn set_failing(&self, failing: bool) -> bool {
        let mut before = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *before, failing) != failing
    }
}

#[cfg(test)]
mod tests;
