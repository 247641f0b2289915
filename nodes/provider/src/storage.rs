//! The mailbox on a thread of its own: a slow disk holds up nobody but those who wait for it.

use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::{Mailbox, MailboxError};

/// Jobs that wait. Every session has at most one underway, and the mixnet side one.
const MAX_WAITING: usize = 256;

type Job = Box<dyn FnOnce(&mut Mailbox) + Send>;

/// Asks the mailbox. Cheap to clone; the thread ends with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct Storage(mpsc::Sender<Job>);

impl Storage {
    pub(crate) fn start(mut mailbox: Mailbox) -> std::io::Result<Self> {
        let (sender, mut jobs) = mpsc::channel::<Job>(MAX_WAITING);
        thread::Builder::new().name("mailbox".into()).spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                job(&mut mailbox);
            }
        })?;
        Ok(Self(sender))
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
        let sent = self.0.send(job).await;
        match (sent, result.await) {
            (Ok(()), Ok(result)) => result,
            _ => Err(MailboxError::Ended),
        }
    }
}
