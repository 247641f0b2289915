//! The mailbox on a thread of its own: a slow disk holds up nobody but those who wait for it. Knows
//! whether the disk works, and says so when that changes.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use contract::Event;
use runtime::Reporter;
use tokio::sync::{mpsc, oneshot};

use crate::{Mailbox, MailboxError, Parcel, Stored};

/// Jobs that wait. Every session has at most one underway, and the mixnet side one.
const MAX_WAITING: usize = 256;

type Job = Box<dyn FnOnce(&mut Mailbox) + Send>;

/// Asks the mailbox. Cheap to clone; the thread ends with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    jobs: mpsc::Sender<Job>,
    reporter: Reporter,
    /// Whether packets cannot be stored right now.
    failing: Arc<Mutex<bool>>,
}

impl Storage {
    pub(crate) fn start(mut mailbox: Mailbox, reporter: Reporter) -> std::io::Result<Self> {
        let (sender, mut jobs) = mpsc::channel::<Job>(MAX_WAITING);
        thread::Builder::new().name("mailbox".into()).spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                job(&mut mailbox);
            }
        })?;
        Ok(Self { jobs: sender, reporter, failing: Arc::default() })
    }

    /// Stores parcels; gives them back with what became of each.
    pub(crate) async fn store(
        &self,
        parcels: Vec<Parcel>,
    ) -> Result<Vec<(Parcel, Stored)>, MailboxError> {
        let stored = self.ask(move |mailbox| {
            let stored = mailbox.store(&parcels)?;
            Ok(parcels.into_iter().zip(stored).collect())
        });
        let stored = stored.await;
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

    /// Runs a job on the mailbox and waits for its result.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Mailbox) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let (sender, result) = oneshot::channel();
        let job: Job = Box::new(move |mailbox| {
            // Nobody waits for the result of a session that has ended.
            let _ = sender.send(job(mailbox));
        });
        let sent = self.jobs.send(job).await;
        match (sent, result.await) {
            (Ok(()), Ok(result)) => result,
            _ => Err(MailboxError::Ended),
        }
    }

    /// Says whether it was otherwise before.
    fn set_failing(&self, failing: bool) -> bool {
        let mut before = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *before, failing) != failing
    }
}
