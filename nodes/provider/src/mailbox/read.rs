//! Looking at the mailbox. A reader has a connection of its own, so that it waits for no writing.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};
use wire::{Delivery, PublicKey};

use super::ledger::{Account, Amount, Ledger};
use super::{MailboxError, attempt, set_cache};

/// Sees what is committed.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

impl Reader {
    /// Reads a file that is open as a mailbox, while that writes.
    pub(crate) fn open(path: &Path) -> Result<Self, MailboxError> {
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            set_cache(&connection)?;
            Ok(connection)
        };
        Ok(Self { connection: attempt("be opened for reading", open())? })
    }

    /// The packets that wait for a client with numbers after `after`, the oldest first, at most
    /// `limit`.
    pub fn waiting(
        &self,
        client: &PublicKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, MailboxError> {
        waiting(&self.connection, client, after, limit)
    }

    /// The keys of all clients, in the order of their registration.
    pub fn clients(&self) -> Result<Vec<PublicKey>, MailboxError> {
        clients(&self.connection)
    }
}

pub(super) fn waiting(
    connection: &Connection,
    client: &PublicKey,
    after: u64,
    limit: usize,
) -> Result<Vec<Delivery>, MailboxError> {
    let read = || {
        let mut statement = connection.prepare_cached(
            "SELECT number, identifier, payload FROM messages
             WHERE client = (SELECT id FROM clients WHERE key = ?1) AND number > ?2
             ORDER BY number LIMIT ?3",
        )?;
        // Numbers are those of SQLite: none is larger.
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let deliveries = statement.query_map(params![client.to_string(), after, limit], |row| {
            Ok(Delivery { number: row.get(0)?, identifier: row.get(1)?, payload: row.get(2)? })
        })?;
        deliveries.collect()
    };
    attempt("read packets", read())
}

pub(super) fn clients(connection: &Connection) -> Result<Vec<PublicKey>, MailboxError> {
    let read = || {
        let mut statement = connection.prepare_cached("SELECT key FROM clients ORDER BY id")?;
        let keys = statement.query_map([], |row| parse_key(row, 0))?;
        keys.collect()
    };
    attempt("list its clients", read())
}

/// Who is registered, and what waits for whom. Reads the index, not the packets.
pub(super) fn ledger(connection: &Connection) -> Result<Ledger, MailboxError> {
    let mut ledger = Ledger::default();
    let mut read = || {
        let mut statement = connection.prepare(
            "SELECT id, key, protocol, tokens.client IS NOT NULL, packets, bytes
             FROM clients
             LEFT JOIN tokens ON tokens.client = id
             LEFT JOIN (
                 SELECT client, count(*) AS packets, sum(length(payload)) AS bytes
                 FROM messages INDEXED BY messages_of_client GROUP BY client
             ) AS waiting ON waiting.client = id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let protocol: String = row.get(2)?;
            let protocol = protocol.parse().map_err(|error| invalid(2, error))?;
            let mut account = Account::new(row.get(0)?, protocol);
            account.registration.has_token = row.get(3)?;
            account.waiting = Amount {
                packets: row.get::<_, Option<u64>>(4)?.unwrap_or_default(),
                bytes: row.get::<_, Option<u64>>(5)?.unwrap_or_default(),
            };
            ledger.load(parse_key(row, 1)?, account);
        }
        Ok(())
    };
    attempt("read its clients", read())?;
    Ok(ledger)
}

/// A key out of a column.
fn parse_key(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<PublicKey> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error: wire::KeyError| invalid(column, error))
}

/// What only damage can have written, or somebody who changed the file by hand.
fn invalid(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Text;
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}
