//! What a client keeps on disk: messages that are not acknowledged yet, pieces of those that are not
//! complete, and its inbox.
//!
//! Open `client.sqlite` with any SQLite tool to look at it, also while the client runs; `.schema`
//! explains its tables. Messages are in it as they are: it is its owner's alone to read.
//!
//! What is accepted is kept before the application hears of it, and what arrives before the provider
//! does: either side has it until then. See the crate [`storage`] for what is shared with a provider's
//! mailbox, its threads above all.

mod columns;
mod error;
mod file;
mod inbox;
mod incoming;
mod ledger;
mod outgoing;
mod schema;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use contract::{Fatal, FatalCode};
use runtime::clock;
use storage::{Database, DatabaseError, Failure, Opened, Threads};
use tokio::sync::watch;
use tokio::time::sleep;
use wire::{ClientAddress, Fragment, Identifier, Kind, MessageId, PublicKey, ReplyBlock};

pub(crate) use self::error::ReplyError;
pub use self::error::StorageError;
pub use self::file::MessageFile;
use self::inbox::Page;
pub use self::ledger::Amount;
use self::ledger::Ledger;
use self::outgoing::{Accepted, Note};
use crate::outbox::Outgoing;

pub(crate) use ::storage::PutAside;

/// What became of a fragment that was to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Its message is not complete.
    Incomplete,
    /// It was there already, or its message was complete before.
    Duplicate,
    /// It makes no sense beside what is there.
    Malformed,
    /// It completed its message, which is in the inbox now. The content is left out if it is too long
    /// for an event.
    Complete {
        /// Its id.
        message: MessageId,
        /// Its place in the inbox.
        number: u64,
        /// What arrived.
        content: contract::Content,
    },
}

/// A message of the inbox, for an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its place in the inbox.
    pub number: u64,
    /// Its id.
    pub message: MessageId,
    /// The content, without the reply blocks that came with it.
    pub data: Bytes,
    /// How many unused reply blocks came with it.
    pub reply_blocks: u8,
    /// The message that it replies to.
    pub in_reply_to: Option<MessageId>,
}

/// What was found when the file was opened.
#[derive(Debug)]
pub(crate) struct Restored {
    /// What was accepted and is not acknowledged, the oldest first.
    pub(crate) outgoing: Vec<Outgoing>,
    /// The provider that was chosen.
    pub(crate) provider: Option<PublicKey>,
    /// There was a damaged file, which is kept: the client starts with an empty one.
    pub(crate) damaged: Option<PutAside>,
}

/// How long it takes at most until what happened to messages on their way is written down. Packets are
/// acknowledged one by one, and a transaction for each would write twenty times as much.
const NOTES_DELAY: Duration = Duration::from_millis(200);

/// What happened to messages on their way, and is not written down yet.
#[derive(Debug, Default)]
struct Notes {
    /// No more than fragments that were kept and are not finished: each is acknowledged once.
    waiting: Vec<Note>,
    /// They will be written down.
    is_due: bool,
}

/// Asks the file of a client. Cheap to clone; the file is closed with the last of them.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    threads: Threads<Ledger>,
    notes: Arc<Mutex<Notes>>,
    newest: watch::Receiver<u64>,
}

impl Storage {
    /// Opens the file in the client's folder, or makes it. A damaged one is put aside, and that is
    /// told.
    pub(crate) fn open(home: &Path) -> Result<(Self, Restored), Fatal> {
        let path = home.join("client.sqlite");
        Self::open_file(&path).map_err(|error| {
            let message = format!("cannot use the journal `{}`: {error}", path.display());
            Fatal::new(FatalCode::Storage, message).hint(error.hint())
        })
    }

    fn open_file(path: &Path) -> Result<(Self, Restored), DatabaseError> {
        let Opened { mut database, damaged } =
            Database::<Ledger>::open_or_replace(path, &schema::FORMAT)?;
        let found = database.memory_mut().found.take().unwrap_or_default();
        let (newest, watched) = watch::channel(database.memory().counts.newest);
        let publish = move |ledger: &Ledger| {
            newest.send_if_modified(|newest| {
                std::mem::replace(newest, ledger.counts.newest) != ledger.counts.newest
            });
        };
        let threads = Threads::start(database, path, publish)?;
        let restored = Restored { outgoing: found.outgoing, provider: found.provider, damaged };
        Ok((Self { threads, notes: Arc::default(), newest: watched }, restored))
    }

    /// Notes the provider that was chosen, so that the address outlives a restart.
    pub(crate) async fn choose_provider(&self, key: PublicKey) -> Result<(), StorageError> {
        self.write(move |transaction| outgoing::choose_provider(transaction, &key)).await
    }

    /// Keeps a message before it is sent. False if its id is underway: then it changes nothing.
    /// `reply_identifiers` are those of the reply blocks that it carries, by which replies are known.
    pub(crate) async fn accept(
        &self,
        message: MessageId,
        kind: Kind,
        to: ClientAddress,
        data: Bytes,
        reply_identifiers: Vec<Identifier>,
    ) -> Result<bool, StorageError> {
        let accepted = Accepted { message, kind, data, reply_identifiers };
        self.write(move |transaction| outgoing::accept(transaction, &accepted, &to)).await
    }

    /// Keeps a reply to a received message: takes as many unused reply blocks as it has packets, and as
    /// many again in reserve if there are. None if its id is underway: then it changes nothing.
    pub(crate) async fn accept_reply(
        &self,
        message: MessageId,
        kind: Kind,
        reply_to: MessageId,
        data: Bytes,
        packets: u32,
        reply_identifiers: Vec<Identifier>,
    ) -> Result<Option<Vec<(u8, ReplyBlock)>>, ReplyError> {
        let accepted = Accepted { message, kind, data, reply_identifiers };
        self.write(move |transaction| {
            outgoing::accept_reply(transaction, &accepted, reply_to, packets)
        })
        .await
    }

    /// Notes that the recipient's provider has a fragment. Does not wait, as the two below: what a crash
    /// loses of them only makes packets go again.
    pub(crate) fn acknowledged(&self, message: MessageId, fragment: u32) {
        self.note(Note::Acknowledged(message, fragment));
    }

    /// Notes that a reply went over this block of those that are set aside for it.
    pub(crate) fn block_used(&self, message: MessageId, block: u8) {
        self.note(Note::BlockUsed(message, block));
    }

    /// Forgets a message that is done or given up. Unused blocks of a reply are free again.
    pub(crate) fn finished(&self, message: MessageId) {
        self.note(Note::Finished(message));
    }

    /// Keeps fragments that were received, each with the identifier under which it came if it came over
    /// a reply block. All in one transaction: if it fails, none is kept.
    pub(crate) async fn keep(
        &self,
        fragments: Vec<(Fragment, Option<Identifier>)>,
    ) -> Result<Vec<Kept>, StorageError> {
        let now_ms = clock::wall_nanos() / 1_000_000;
        self.write(move |transaction| incoming::keep(transaction, now_ms, &fragments)).await
    }

    /// The number of the newest complete message, 0 before the first. Changes with each.
    pub(crate) fn newest(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }

    /// The first message of the inbox with a number after `after` that no application has, or whose
    /// number is greater than `untaken_up_to`.
    pub(crate) async fn next(
        &self,
        after: u64,
        untaken_up_to: u64,
    ) -> Result<Option<Received>, StorageError> {
        self.read(move |connection| inbox::next(connection, after, untaken_up_to)).await
    }

    /// The oldest messages after this number that no application has: at most so many, and at most so
    /// many bytes, but one at least if there is any.
    pub(crate) async fn untaken(
        &self,
        after: u64,
        most_bytes: usize,
        most: usize,
    ) -> Result<Vec<Received>, StorageError> {
        self.read(move |connection| inbox::untaken(connection, after, most_bytes, most)).await
    }

    /// Notes that an application has these messages.
    pub(crate) async fn take(&self, numbers: Vec<u64>) -> Result<(), StorageError> {
        self.write(move |transaction| Ok(inbox::take(transaction, &numbers)?)).await
    }

    /// A page of the inbox, whoever has its messages: those with numbers after `after`. Contents
    /// together have at most [`contract::MAX_CONTENT_BYTES`].
    pub(crate) async fn page(&self, after: u64) -> Result<Page, StorageError> {
        self.read(move |connection| inbox::page(connection, after)).await
    }

    /// Waits until the file turns out to be damaged or gone. Only a new start helps then.
    pub(crate) async fn broken(&self) -> Fatal {
        let message = format!("cannot use the journal any more: {}", self.threads.broken().await);
        Fatal::new(FatalCode::Storage, message).hint(DatabaseError::START_AGAIN)
    }

    /// Closes the file, after what is asked of it already. Says whether that is done within this time.
    pub(crate) async fn close(&self, limit: Duration) -> bool {
        self.write_notes().await;
        self.threads.close(limit).await
    }

    /// Notes something, and has it written down a little later.
    fn note(&self, note: Note) {
        let mut notes = self.notes();
        notes.waiting.push(note);
        if !std::mem::replace(&mut notes.is_due, true) {
            let storage = self.clone();
            tokio::spawn(async move {
                sleep(NOTES_DELAY).await;
                storage.notes().is_due = false;
                storage.write_notes().await;
            });
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        // Nothing in here can panic halfway through a change.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what was noted. What fails is tried again with what is written next: a message that
    /// is done would stay in the journal otherwise, and go again after a restart.
    async fn write_notes(&self) {
        let notes: Arc<[Note]> = std::mem::take(&mut self.notes().waiting).into();
        if notes.is_empty() {
            return;
        }
        let written = Arc::clone(&notes);
        let write = self.threads.write(move |transaction| outgoing::note(transaction, &written));
        if let Err(error) = write.await {
            tracing::warn!("{error}");
            self.notes().waiting.splice(0..0, notes.iter().copied());
        }
    }

    /// Writes. What was noted before is written down before.
    async fn write<T: Send + 'static, E: Failure + Send + 'static>(
        &self,
        work: impl FnMut(&mut storage::Transaction<'_, Ledger>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        // Asked for in this order, and done in one transaction.
        let ((), result) = tokio::join!(biased; self.write_notes(), self.threads.write(work));
        result
    }

    /// Reads one state of the file, whatever is written meanwhile.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let work = move |connection: &rusqlite::Connection| {
            let begun = connection.unchecked_transaction();
            work(&*schema::FORMAT.attempt("be read", begun)?)
        };
        Ok(self.threads.read(work).await?)
    }
}

#[cfg(test)]
mod tests;
