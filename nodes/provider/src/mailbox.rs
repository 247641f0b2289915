//! The mailbox: one SQLite file with the clients and the packets that wait for them.
//!
//! Write-ahead logging with synchronous `NORMAL`: what is committed survives a killed process. Open
//! the file with any SQLite tool to look at it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use wire::{Delivery, PublicKey};

use crate::Parcel;

/// Most packets that wait for one client: 20 MB, or what half an hour of a client's own cover and its
/// acknowledgements leave at the classic rates. A full mailbox refuses, so that no acknowledgement
/// goes out and the sender keeps the message.
pub const MAX_WAITING_PER_CLIENT: u64 = 10_000;

/// Most clients of a provider: as many as it can announce.
pub const MAX_CLIENTS: u64 = directory_api::MAX_REGISTERED_CLIENTS as u64;

/// The tables. `number` grows for ever: a number is never given twice.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS client (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE CHECK (length(key) = 32)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS packet (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        client INTEGER NOT NULL REFERENCES client (id),
        identifier BLOB NOT NULL CHECK (length(identifier) = 16),
        payload BLOB NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS packet_of_client ON packet (client, number);
";

/// The version of the tables; in the file's `user_version`.
const SCHEMA_VERSION: u32 = 1;

/// The mailbox file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// SQLite failed.
    #[error("the mailbox cannot {attempt}: {source}")]
    Sqlite {
        /// What was attempted.
        attempt: &'static str,
        /// What went wrong.
        source: rusqlite::Error,
    },
    /// The file was written by another version.
    #[error("the mailbox file has version {found}, this program writes {SCHEMA_VERSION}")]
    Version {
        /// The file's version.
        found: u32,
    },
    /// [`MAX_CLIENTS`] are registered.
    #[error("the provider has {MAX_CLIENTS} clients and takes no more")]
    TooManyClients,
    /// Its thread has ended.
    #[error("the mailbox is closed")]
    Ended,
}

/// What became of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Safe.
    Yes,
    /// Nobody of that key is registered.
    UnknownClient,
    /// The client's mailbox is full.
    Full,
}

/// The mailbox.
#[derive(Debug)]
pub struct Mailbox {
    connection: Connection,
}

fn attempt<T>(attempt: &'static str, result: rusqlite::Result<T>) -> Result<T, MailboxError> {
    result.map_err(|source| MailboxError::Sqlite { attempt, source })
}

impl Mailbox {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, MailboxError> {
        Self::with(attempt("be opened", Connection::open(path))?)
    }

    /// A mailbox that lives as long as this value.
    pub fn in_memory() -> Result<Self, MailboxError> {
        Self::with(attempt("be opened", Connection::open_in_memory())?)
    }

    fn with(connection: Connection) -> Result<Self, MailboxError> {
        let prepare = || {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            // Many providers fit into one small machine: the default cache is 2 MB each.
            connection.pragma_update(None, "cache_size", -256)?;
            connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
        };
        let found = attempt("be opened", prepare())?;
        if found != 0 && found != SCHEMA_VERSION {
            return Err(MailboxError::Version { found });
        }
        attempt("make its tables", connection.execute_batch(SCHEMA))?;
        let written = connection.pragma_update(None, "user_version", SCHEMA_VERSION);
        attempt("make its tables", written)?;
        Ok(Self { connection })
    }

    /// Registers a client; nothing changes if it is one already. Says whether it is new.
    pub fn register(&mut self, client: &PublicKey) -> Result<bool, MailboxError> {
        if self.id(client)?.is_some() {
            return Ok(false);
        }
        if self.count("count its clients", "SELECT count(*) FROM client")? >= MAX_CLIENTS {
            return Err(MailboxError::TooManyClients);
        }
        let sql = "INSERT INTO client (key) VALUES (?1)";
        attempt("register a client", self.connection.execute(sql, [client.as_bytes()]))?;
        Ok(true)
    }

    /// The keys of all clients.
    pub fn clients(&self) -> Result<Vec<PublicKey>, MailboxError> {
        let read = || {
            let mut statement =
                self.connection.prepare_cached("SELECT key FROM client ORDER BY id")?;
            let keys = statement.query_map([], |row| row.get(0).map(PublicKey::from_bytes))?;
            keys.collect()
        };
        attempt("list its clients", read())
    }

    /// Stores parcels in one transaction: when this returns, all that say [`Stored::Yes`] are safe.
    pub fn store(&mut self, parcels: &[Parcel]) -> Result<Vec<Stored>, MailboxError> {
        let mut store_all = || {
            let transaction = self.connection.transaction()?;
            let stored: rusqlite::Result<Vec<Stored>> =
                parcels.iter().map(|parcel| store_one(&transaction, parcel)).collect();
            let stored = stored?;
            transaction.commit()?;
            Ok(stored)
        };
        attempt("store packets", store_all())
    }

    /// The packets that wait for a client with numbers after `after`, the oldest first, at most
    /// `limit`.
    pub fn waiting(
        &self,
        client: &PublicKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, MailboxError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT number, identifier, payload FROM packet
                 WHERE client = (SELECT id FROM client WHERE key = ?1) AND number > ?2
                 ORDER BY number LIMIT ?3",
            )?;
            let parameters = params![client.as_bytes(), after, limit];
            let deliveries = statement.query_map(parameters, |row| {
                Ok(Delivery { number: row.get(0)?, identifier: row.get(1)?, payload: row.get(2)? })
            })?;
            deliveries.collect()
        };
        attempt("read packets", read())
    }

    /// Deletes packets that their client confirmed; returns how many there were. Numbers of other
    /// clients' packets are ignored.
    pub fn confirm(&mut self, client: &PublicKey, numbers: &[u64]) -> Result<u64, MailboxError> {
        let mut delete = || {
            let transaction = self.connection.transaction()?;
            let mut deleted = 0;
            {
                let mut statement = transaction.prepare_cached(
                    "DELETE FROM packet
                     WHERE number = ?1 AND client = (SELECT id FROM client WHERE key = ?2)",
                )?;
                for number in numbers {
                    // No packet has a number that SQLite cannot hold, whatever a client says.
                    let Ok(number) = i64::try_from(*number) else { continue };
                    let parameters = params![number, client.as_bytes()];
                    deleted += statement.execute(parameters)? as u64;
                }
            }
            transaction.commit()?;
            Ok(deleted)
        };
        attempt("delete packets", delete())
    }

    /// How many packets wait for all clients together.
    pub fn waiting_count(&self) -> Result<u64, MailboxError> {
        self.count("count its packets", "SELECT count(*) FROM packet")
    }

    /// How many packets wait for a client.
    pub fn waiting_for(&self, client: &PublicKey) -> Result<u64, MailboxError> {
        let sql =
            "SELECT count(*) FROM packet WHERE client = (SELECT id FROM client WHERE key = ?1)";
        let count = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_row([client.as_bytes()], |row| row.get(0))
        };
        attempt("count its packets", count())
    }

    fn id(&self, client: &PublicKey) -> Result<Option<i64>, MailboxError> {
        attempt("look up a client", id_of(&self.connection, client))
    }

    fn count(&self, what: &'static str, sql: &str) -> Result<u64, MailboxError> {
        attempt(what, self.connection.query_row(sql, [], |row| row.get(0)))
    }
}

fn id_of(connection: &Connection, client: &PublicKey) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM client WHERE key = ?1")?;
    statement.query_row([client.as_bytes()], |row| row.get(0)).optional()
}

fn store_one(transaction: &Transaction<'_>, parcel: &Parcel) -> rusqlite::Result<Stored> {
    let Some(id) = id_of(transaction, &parcel.client)? else { return Ok(Stored::UnknownClient) };
    let mut count = transaction.prepare_cached("SELECT count(*) FROM packet WHERE client = ?1")?;
    let waiting: u64 = count.query_row([id], |row| row.get(0))?;
    if waiting >= MAX_WAITING_PER_CLIENT {
        return Ok(Stored::Full);
    }
    let mut insert = transaction
        .prepare_cached("INSERT INTO packet (client, identifier, payload) VALUES (?1, ?2, ?3)")?;
    insert.execute(params![id, parcel.identifier, parcel.payload])?;
    Ok(Stored::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> PublicKey {
        PublicKey::from_bytes([byte; 32])
    }

    fn parcel(client: u8, number: u8) -> Parcel {
        Parcel {
            client: key(client),
            identifier: [number; 16],
            payload: vec![number; 2048],
            ack: None,
        }
    }

    #[test]
    fn packets_wait_until_their_own_client_confirms_them_and_survive_a_reopening() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mailbox.sqlite");
        let mut mailbox = Mailbox::open(&path).expect("a new mailbox");
        assert!(mailbox.register(&key(1)).expect("registers"));
        assert!(!mailbox.register(&key(1)).expect("registers again"));
        mailbox.register(&key(2)).expect("registers");
        let stored = mailbox.store(&[parcel(1, 10), parcel(9, 11), parcel(2, 12), parcel(1, 13)]);
        let expected = vec![Stored::Yes, Stored::UnknownClient, Stored::Yes, Stored::Yes];
        assert_eq!(stored.expect("stores"), expected);
        drop(mailbox);

        let mut mailbox = Mailbox::open(&path).expect("the same mailbox");
        assert_eq!(mailbox.clients().expect("lists"), [key(1), key(2)]);
        let waiting = mailbox.waiting(&key(1), 0, 10).expect("reads");
        assert_eq!(waiting.iter().map(|d| d.identifier[0]).collect::<Vec<u8>>(), [10, 13]);
        let first = waiting[0].number;
        assert_eq!(mailbox.waiting(&key(1), first, 10).expect("reads").len(), 1);
        assert_eq!(mailbox.confirm(&key(2), &[first]).expect("ignores"), 0, "not its packet");
        assert_eq!(mailbox.confirm(&key(1), &[first, 999, u64::MAX]).expect("deletes"), 1);
        assert_eq!(mailbox.waiting_for(&key(1)).expect("counts"), 1);
        assert_eq!(mailbox.waiting_count().expect("counts"), 2);
    }

    #[test]
    fn a_full_mailbox_refuses_and_the_others_are_not_affected() {
        let mut mailbox = Mailbox::in_memory().expect("a mailbox");
        mailbox.register(&key(1)).expect("registers");
        mailbox.register(&key(2)).expect("registers");
        let tiny = Parcel { payload: vec![], ..parcel(1, 1) };
        let many = vec![tiny; usize::try_from(MAX_WAITING_PER_CLIENT).expect("small") + 1];
        let stored = mailbox.store(&many).expect("stores");
        assert_eq!(stored.iter().filter(|&&s| s == Stored::Full).count(), 1);
        assert_eq!(mailbox.store(&[parcel(2, 1)]).expect("stores"), [Stored::Yes]);
    }

    #[test]
    fn a_file_of_another_version_and_one_that_is_no_database_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mailbox.sqlite");
        let connection = Connection::open(&path).expect("a database");
        connection.pragma_update(None, "user_version", 99).expect("written");
        drop(connection);
        assert!(matches!(Mailbox::open(&path), Err(MailboxError::Version { found: 99 })));
        std::fs::write(&path, [b'x'; 4096]).expect("written");
        assert!(matches!(Mailbox::open(&path), Err(MailboxError::Sqlite { .. })));
    }
}
