//! Looking at the mailbox.

use rusqlite::{Connection, params};
use storage::DatabaseError;
use wire::{Delivery, PublicKey};

use super::ledger::{Account, Amount, Ledger};
use super::schema::FORMAT;

/// The packets that wait for a client with numbers after `after`, the oldest first, at most `limit`.
pub(crate) fn waiting(
    connection: &Connection,
    client: &PublicKey,
    after: u64,
    limit: usize,
) -> Result<Vec<Delivery>, DatabaseError> {
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
    FORMAT.attempt("read packets", read())
}

/// The keys of all clients, in the order of their registration.
pub(crate) fn clients(connection: &Connection) -> Result<Vec<PublicKey>, DatabaseError> {
    let read = || {
        let mut statement = connection.prepare_cached("SELECT key FROM clients ORDER BY id")?;
        let keys = statement.query_map([], |row| parse_key(row, 0))?;
        keys.collect()
    };
    FORMAT.attempt("list its clients", read())
}

/// Who is registered, and what waits for whom. Reads the index, not the packets.
pub(super) fn ledger(connection: &Connection) -> Result<Ledger, DatabaseError> {
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
    FORMAT.attempt("read its clients", read())?;
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
