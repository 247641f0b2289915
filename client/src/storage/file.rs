//! The file without its threads: for whoever looks at what it does, and how fast.

use std::path::Path;

use bytes::Bytes;
use storage::Database;
use wire::{ClientAddress, Fragment, Identifier, Kind, MessageId};

use super::ledger::Ledger;
use super::outgoing::{Accepted, Note};
use super::{Kept, Received, StorageError, inbox, incoming, outgoing, schema};

/// The messages of a client: one SQLite file with those that are not acknowledged, the pieces of those
/// that are not complete, and the inbox. Everything that it says is done is safe.
#[derive(Debug)]
pub struct MessageFile {
    pub(super) database: Database<Ledger>,
}

impl MessageFile {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Ok(Self { database: Database::open(path, &schema::FORMAT)? })
    }

    /// One that lives as long as this value.
    pub fn in_memory() -> Result<Self, StorageError> {
        Ok(Self { database: Database::in_memory(&schema::FORMAT)? })
    }

    /// Keeps a message that is to be sent. False if its id is underway.
    pub fn accept(
        &mut self,
        message: MessageId,
        to: &ClientAddress,
        data: Bytes,
    ) -> Result<bool, StorageError> {
        let accepted =
            Accepted { message, kind: Kind::Message, data, reply_identifiers: Vec::new() };
        self.database.transaction(|transaction| outgoing::accept(transaction, &accepted, to))
    }

    /// Forgets a message that is done or given up.
    pub fn finished(&mut self, message: MessageId) -> Result<(), StorageError> {
        let note = [Note::Finished(message)];
        Ok(self.database.transaction(|transaction| outgoing::note(transaction, &note))?)
    }

    /// Keeps pieces that have arrived, each with the identifier of the reply block over which it came,
    /// if it did. The time is that of the wall clock: milliseconds since 1970.
    pub fn keep(
        &mut self,
        now_ms: u64,
        pieces: &[(Fragment, Option<Identifier>)],
    ) -> Result<Vec<Kept>, StorageError> {
        self.database.transaction(|transaction| incoming::keep(transaction, now_ms, pieces))
    }

    /// The first message of the inbox after this number that no application has.
    pub fn next_untaken(&self, after: u64) -> Result<Option<Received>, StorageError> {
        Ok(inbox::next(self.database.connection(), after, u64::MAX)?)
    }

    /// Notes that an application has these messages.
    pub fn take(&mut self, numbers: &[u64]) -> Result<(), StorageError> {
        Ok(self.database.transaction(|transaction| inbox::take(transaction, numbers))?)
    }

    /// See [`Database::tidy`].
    pub fn tidy(&mut self) -> Result<(), StorageError> {
        Ok(self.database.tidy()?)
    }
}
