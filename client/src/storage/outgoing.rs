//! The journal: what is accepted and not acknowledged.

use std::collections::HashSet;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use storage::DatabaseError;
use wire::{ClientAddress, Identifier, Kind, MessageId, PublicKey, ReplyBlock};

use super::columns::{decoded, kind, message_id};
use super::ledger::Ledger;
use super::schema::{FORMAT, PART_BYTES, PLACES};
use super::{ReplyError, StorageError};
use crate::outbox::{Destination, Outgoing};

type Transaction<'a> = storage::Transaction<'a, Ledger>;

/// A message that is to be kept before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) message: MessageId,
    pub(super) kind: Kind,
    pub(super) data: Bytes,
    /// Identifiers of the reply blocks that it carries.
    pub(super) reply_identifiers: Vec<Identifier>,
}

/// Something that happened to a message on its way out. What a crash loses of these only makes packets
/// go again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Note {
    Acknowledged(MessageId, u32),
    BlockUsed(MessageId, u8),
    Finished(MessageId),
}

/// What was found in the file.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Oldest first.
    pub(super) outgoing: Vec<Outgoing>,
    pub(super) provider: Option<PublicKey>,
}

/// Notes the provider that was chosen.
pub(super) fn choose_provider(
    transaction: &mut Transaction<'_>,
    key: &PublicKey,
) -> Result<(), StorageError> {
    transaction.must_have_room()?;
    let sql = "INSERT INTO provider (only, key) VALUES (1, ?1)
               ON CONFLICT (only) DO UPDATE SET key = ?1, chosen_at = excluded.chosen_at
               WHERE key <> ?1";
    let noted = transaction.connection().execute(sql, [key.to_string()]);
    FORMAT.attempt("note the provider", noted)?;
    Ok(())
}

/// Keeps a message to a client. False if its id is underway.
pub(super) fn accept(
    transaction: &mut Transaction<'_>,
    accepted: &Accepted,
    to: &ClientAddress,
) -> Result<bool, StorageError> {
    transaction.must_have_room()?;
    Ok(insert(transaction, accepted, Some(to))?)
}

/// Keeps a reply to a message of the inbox, and sets reply blocks aside for it: as many as it has
/// packets, and as many again if there are. None if its id is underway.
pub(super) fn accept_reply(
    transaction: &mut Transaction<'_>,
    accepted: &Accepted,
    reply_to: MessageId,
    packets: u32,
) -> Result<Option<Vec<(u8, ReplyBlock)>>, ReplyError> {
    transaction.must_have_room()?;
    let connection = transaction.connection();
    let is_underway = || {
        let sql = "SELECT 1 FROM outgoing WHERE message = ?1";
        connection.prepare_cached(sql)?.exists([accepted.message.0])
    };
    // Before anything else: for the same once more there may be no blocks left.
    if FORMAT.attempt("read what is underway", is_underway())? {
        return Ok(None);
    }
    let find = || {
        let sql = "SELECT number FROM inbox WHERE message = ?1 AND taken IS NOT NULL";
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row([reply_to.0], |row| row.get::<_, i64>(0)).optional()
    };
    let inbox = FORMAT.attempt("read its inbox", find())?.ok_or(ReplyError::UnknownMessage)?;
    let read = || {
        let mut statement = connection.prepare_cached(
            "SELECT number, block FROM reply_blocks WHERE inbox = ?1 AND used_by IS NULL
             ORDER BY number LIMIT ?2",
        )?;
        let blocks = statement.query_map(params![inbox, i64::from(packets) * 2], block)?;
        blocks.collect::<rusqlite::Result<Vec<_>>>()
    };
    let blocks = FORMAT.attempt("read reply blocks", read())?;
    let left = u32::try_from(blocks.len()).unwrap_or(u32::MAX);
    if left < packets {
        return Err(ReplyError::TooFewBlocks { needed: packets, left });
    }
    insert(transaction, accepted, None)?;
    let set_aside = || {
        let sql = "UPDATE reply_blocks SET used_by = ?3 WHERE inbox = ?1 AND number = ?2";
        let mut statement = connection.prepare_cached(sql)?;
        blocks.iter().try_for_each(|(number, _)| {
            statement.execute(params![inbox, number, accepted.message.0]).map(drop)
        })
    };
    FORMAT.attempt("set reply blocks aside", set_aside())?;
    Ok(Some(blocks))
}

fn insert(
    transaction: &Transaction<'_>,
    accepted: &Accepted,
    recipient: Option<&ClientAddress>,
) -> Result<bool, DatabaseError> {
    let Accepted { message, kind, data, reply_identifiers } = accepted;
    let (connection, most) =
        (transaction.connection(), transaction.memory().limits.own_reply_blocks);
    let insert = || {
        let (first, rest) = data.split_at(data.len().min(PART_BYTES));
        let mut statement = connection.prepare_cached(
            "INSERT OR IGNORE INTO outgoing (message, with_replies, recipient, bytes, data)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let with_replies = *kind == Kind::MessageWithReplies;
        let recipient = recipient.map(ClientAddress::to_string);
        let row = params![message.0, with_replies, recipient, data.len(), first];
        if statement.execute(row)? == 0 {
            return Ok(false);
        }
        let place = connection.last_insert_rowid().unsigned_abs() * PLACES;
        let sql = "INSERT INTO outgoing_rest (place, data) VALUES (?1, ?2)";
        for (part, data) in (1..).zip(rest.chunks(PART_BYTES)) {
            connection.prepare_cached(sql)?.execute(params![place + part, data])?;
        }
        if reply_identifiers.is_empty() {
            return Ok(true);
        }
        let mut statement = connection.prepare_cached(
            "INSERT OR REPLACE INTO own_reply_blocks (identifier, message) VALUES (?1, ?2)",
        )?;
        for identifier in reply_identifiers {
            statement.execute(params![identifier, message.0])?;
        }
        let oldest = connection.last_insert_rowid() - most;
        let sql = "DELETE FROM own_reply_blocks WHERE number <= ?1";
        connection.prepare_cached(sql)?.execute([oldest])?;
        Ok(true)
    };
    FORMAT.attempt("keep a message that is to be sent", insert())
}

/// The message whose sender gets replies over the block with this identifier.
pub(super) fn replied_to(
    connection: &Connection,
    identifier: &Identifier,
) -> rusqlite::Result<Option<MessageId>> {
    let sql = "SELECT message FROM own_reply_blocks WHERE identifier = ?1";
    connection.prepare_cached(sql)?.query_row([identifier], |row| message_id(row, 0)).optional()
}

/// Writes down what happened to messages on their way.
pub(super) fn note(transaction: &mut Transaction<'_>, notes: &[Note]) -> Result<(), DatabaseError> {
    let finished: HashSet<MessageId> = notes
        .iter()
        .filter_map(|note| match note {
            Note::Finished(message) => Some(*message),
            _ => None,
        })
        .collect();
    let connection = transaction.connection();
    let write = || {
        for note in notes {
            match *note {
                // A short message is acknowledged and finished at once: then nothing is written twice.
                Note::Acknowledged(message, fragment) if !finished.contains(&message) => {
                    let mut statement = connection.prepare_cached(
                        "INSERT OR IGNORE INTO acknowledged (outgoing, fragment)
                         SELECT number, ?2 FROM outgoing WHERE message = ?1",
                    )?;
                    statement.execute(params![message.0, fragment])?;
                }
                Note::Acknowledged(..) => {}
                Note::BlockUsed(message, number) => {
                    let sql = "DELETE FROM reply_blocks WHERE used_by = ?1 AND number = ?2";
                    connection.prepare_cached(sql)?.execute(params![message.0, number])?;
                }
                Note::Finished(message) => finish(connection, message)?,
            }
        }
        Ok(())
    };
    FORMAT.attempt("note what is acknowledged", write())
}

/// Forgets a message. Reply blocks that it did not use are free again, if their message is still
/// there.
fn finish(connection: &Connection, message: MessageId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM outgoing WHERE message = ?1 RETURNING number, bytes";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row([message.0], |row| {
        let (number, bytes): (u64, usize) = (row.get(0)?, row.get(1)?);
        Ok((number, bytes))
    });
    let Some((number, bytes)) = row.optional()? else { return Ok(()) };
    if bytes > PART_BYTES {
        let sql = "DELETE FROM outgoing_rest WHERE place > ?1 AND place < ?2";
        connection.prepare_cached(sql)?.execute(places(number))?;
    }
    for sql in [
        "DELETE FROM reply_blocks WHERE used_by = ?1
         AND (SELECT taken FROM inbox WHERE inbox.number = reply_blocks.inbox) IS NULL",
        "UPDATE reply_blocks SET used_by = NULL WHERE used_by = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([message.0])?;
    }
    Ok(())
}

/// Parts of a message are at places between these two.
fn places(number: u64) -> [u64; 2] {
    [number * PLACES, (number + 1) * PLACES]
}

/// What was accepted and not acknowledged when the client ended, and its provider.
pub(super) fn find(connection: &Connection) -> rusqlite::Result<Found> {
    let sql = "SELECT key FROM provider";
    let parse = |row: &rusqlite::Row<'_>| decoded(0, row.get_ref(0)?.as_str()?.parse());
    let provider = connection.query_row(sql, [], parse).optional()?;
    let mut fragments = connection
        .prepare("SELECT fragment FROM acknowledged WHERE outgoing = ?1 ORDER BY fragment")?;
    let mut blocks = connection
        .prepare("SELECT number, block FROM reply_blocks WHERE used_by = ?1 ORDER BY number")?;
    let mut parts = connection
        .prepare("SELECT data FROM outgoing_rest WHERE place > ?1 AND place < ?2 ORDER BY place")?;
    let mut messages = connection.prepare(
        "SELECT number, message, with_replies, recipient, bytes, data FROM outgoing
         ORDER BY number",
    )?;
    let mut rows = messages.query([])?;
    let mut outgoing = Vec::new();
    while let Some(row) = rows.next()? {
        let message = message_id(row, 1)?;
        let to = match row.get_ref(3)?.as_str_or_null()? {
            Some(address) => Destination::Address(decoded(3, address.parse())?),
            None => Destination::Blocks(
                blocks.query_map([message.0], block)?.collect::<rusqlite::Result<_>>()?,
            ),
        };
        let number: u64 = row.get(0)?;
        // A file that was changed by hand may claim anything.
        let bytes = row.get::<_, usize>(4)?.min(2 * contract::MAX_MESSAGE_BYTES);
        let mut data = Vec::with_capacity(bytes);
        data.extend_from_slice(row.get_ref(5)?.as_blob()?);
        if bytes > PART_BYTES {
            let mut parts = parts.query(places(number))?;
            while let Some(part) = parts.next()? {
                data.extend_from_slice(part.get_ref(0)?.as_blob()?);
            }
        }
        let acknowledged = fragments.query_map([number], |row| row.get(0))?;
        outgoing.push(Outgoing {
            message,
            to,
            kind: kind(row, 2)?,
            data: data.into(),
            acknowledged: acknowledged.collect::<rusqlite::Result<_>>()?,
        });
    }
    Ok(Found { outgoing, provider })
}

/// A reply block with its number.
fn block(row: &rusqlite::Row<'_>) -> rusqlite::Result<(u8, ReplyBlock)> {
    Ok((row.get(0)?, decoded(1, ReplyBlock::decode(row.get_ref(1)?.as_blob()?))?))
}
