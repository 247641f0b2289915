//! Messages that are complete: read by applications at their own speed, and kept for whoever looks.

use bytes::Bytes;
use contract::{InboxMessage, MAX_CONTENT_BYTES};
use rusqlite::{Connection, OptionalExtension, params};
use storage::DatabaseError;
use wire::MessageId;

use super::Received;
use super::columns::{message_id, optional_message_id};
use super::incoming::delete_pieces;
use super::ledger::{Amount, Ledger};
use super::schema::{FORMAT, PLACES};

type Transaction<'a> = storage::Transaction<'a, Ledger>;

/// Most messages of a page. A line has room for [`MAX_CONTENT_BYTES`] of contents with each byte
/// escaped, and for its frame: that of a message takes up to 140 bytes.
pub(super) const MAX_PAGE: usize = 400;
const _: () = assert!(6 * MAX_CONTENT_BYTES + 150 * MAX_PAGE < contract::MAX_LINE_BYTES);

/// A row of the inbox.
struct Row {
    number: u64,
    message: MessageId,
    pieces: u64,
    skip: u64,
    bytes: u64,
    in_reply_to: Option<MessageId>,
    completed_ms: u64,
}

const COLUMNS: &str = "number, message, pieces, skip, bytes, in_reply_to, completed_ms";

impl Row {
    fn of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            message: message_id(row, 1)?,
            pieces: row.get(2)?,
            skip: row.get(3)?,
            bytes: row.get(4)?,
            in_reply_to: optional_message_id(row, 5)?,
            completed_ms: row.get(6)?,
        })
    }

    /// The content, put together once.
    fn content(&self, connection: &Connection) -> Result<Vec<u8>, DatabaseError> {
        let length = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        let mut skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
        // A file that was changed by hand may claim anything.
        let mut content = Vec::with_capacity(length.min(2 * contract::MAX_MESSAGE_BYTES));
        let read = contents(connection, self.pieces, PLACES, |piece| {
            content.extend_from_slice(piece.get(skip..).unwrap_or_default());
            skip = skip.saturating_sub(piece.len());
        });
        FORMAT.attempt("read a message", read)?;
        if content.len() == length {
            return Ok(content);
        }
        let (message, found) = (self.message, content.len());
        let reason = format!("message {message} has {found} bytes instead of {length}");
        Err(DatabaseError::Damaged { format: &FORMAT, reason })
    }

    fn received(&self, connection: &Connection) -> Result<Received, DatabaseError> {
        let count = || {
            let sql = "SELECT count(*) FROM reply_blocks WHERE inbox = ?1 AND used_by IS NULL";
            connection.prepare_cached(sql)?.query_row([self.number], |row| row.get(0))
        };
        Ok(Received {
            number: self.number,
            message: self.message,
            data: Bytes::from(self.content(connection)?),
            reply_blocks: FORMAT.attempt("count reply blocks", count())?,
            in_reply_to: self.in_reply_to,
        })
    }
}

/// Gives the first pieces of a set, one after the other.
pub(super) fn contents(
    connection: &Connection,
    pieces: u64,
    fragments: u64,
    mut each: impl FnMut(&[u8]),
) -> rusqlite::Result<()> {
    let first = pieces * PLACES;
    let mut statement = connection.prepare_cached(
        "SELECT data FROM pieces WHERE place >= ?1 AND place < ?2 ORDER BY place",
    )?;
    let mut rows = statement.query([first, first + fragments])?;
    while let Some(row) = rows.next()? {
        each(row.get_ref(0)?.as_blob()?);
    }
    Ok(())
}

/// Rows of the inbox, in their order.
fn rows(
    connection: &Connection,
    condition: &str,
    after: u64,
    most: usize,
) -> Result<Vec<Row>, DatabaseError> {
    // No message has a number that SQLite cannot hold.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let read = || {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM inbox WHERE {condition} AND number > ?1
             ORDER BY number LIMIT ?2"
        ))?;
        statement.query_map(params![after, most], Row::of)?.collect()
    };
    FORMAT.attempt("read its inbox", read())
}

/// The first message after this number that no application has, or whose number is above the second.
pub(super) fn next(
    connection: &Connection,
    after: u64,
    untaken_up_to: u64,
) -> Result<Option<Received>, DatabaseError> {
    let untaken = rows(connection, "taken = 0", after, 1)?.pop();
    let taken = rows(connection, "taken = 1", after.max(untaken_up_to), 1)?.pop();
    let first = untaken.into_iter().chain(taken).min_by_key(|message| message.number);
    first.map(|message| message.received(connection)).transpose()
}

/// The oldest messages after this number that no application has: at most so many, with at most so many
/// bytes, and at least one if there is any.
pub(super) fn untaken(
    connection: &Connection,
    after: u64,
    most_bytes: usize,
    most: usize,
) -> Result<Vec<Received>, DatabaseError> {
    let mut left = Some(most_bytes as u64);
    let mut untaken = rows(connection, "taken = 0", after, most)?;
    let fit = untaken.iter().take_while(|message| {
        left = left.and_then(|left| left.checked_sub(message.bytes));
        left.is_some()
    });
    let fit = fit.count().max(1);
    untaken.truncate(fit);
    untaken.iter().map(|message| message.received(connection)).collect()
}

/// A part of the inbox.
#[derive(Debug)]
pub(crate) struct Page {
    /// By number.
    pub(crate) messages: Vec<InboxMessage>,
    /// Whether more follow.
    pub(crate) more: bool,
    /// The greatest number that was given; 0 before the first.
    pub(crate) last: u64,
}

/// A page of the inbox after this number. Contents together have at most [`MAX_CONTENT_BYTES`]; one
/// that is longer than that is left out.
pub(super) fn page(connection: &Connection, after: u64) -> Result<Page, DatabaseError> {
    let mut messages = rows(connection, "taken IS NOT NULL", after, MAX_PAGE + 1)?;
    let all = messages.len();
    let mut left = MAX_CONTENT_BYTES as u64;
    let fit = messages.iter().take(MAX_PAGE).take_while(|message| {
        // One that is left out takes no room.
        let takes = if is_told(message) { message.bytes } else { 0 };
        let fits = takes <= left;
        left = left.saturating_sub(takes);
        fits
    });
    let fit = fit.count();
    messages.truncate(fit);
    let messages = messages.iter().map(|message| {
        Ok(InboxMessage {
            number: message.number,
            message: message.message.to_string(),
            unix_ms: message.completed_ms,
            content: if is_told(message) {
                contract::Content::from_bytes(message.content(connection)?)
            } else {
                let bytes = usize::try_from(message.bytes).unwrap_or(usize::MAX);
                contract::Content::Omitted(bytes)
            },
        })
    });
    let messages = messages.collect::<Result<_, DatabaseError>>()?;
    // SQLite keeps it, so that no number is given twice.
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'inbox'";
    let last = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional());
    let last = FORMAT.attempt("read the last number", last)?.unwrap_or_default();
    Ok(Page { messages, more: fit < all, last })
}

fn is_told(message: &Row) -> bool {
    message.bytes <= MAX_CONTENT_BYTES as u64
}

/// Notes that an application has these messages; forgets the oldest of those that applications have,
/// if they are too many.
pub(super) fn take(
    transaction: &mut Transaction<'_>,
    numbers: &[u64],
) -> Result<(), DatabaseError> {
    let mut take = || {
        for number in numbers {
            take_one(transaction, *number)?;
        }
        let limit = transaction.memory().limits.taken;
        while transaction.memory().counts.taken.exceeds(limit) && forget_oldest(transaction)? {}
        Ok(())
    };
    FORMAT.attempt("note what an application has", take())
}

fn take_one(transaction: &mut Transaction<'_>, number: u64) -> rusqlite::Result<()> {
    // No message has a number that SQLite cannot hold.
    let Ok(number) = i64::try_from(number) else { return Ok(()) };
    let mut statement = transaction.connection().prepare_cached(
        "UPDATE inbox SET taken = 1 WHERE number = ?1 AND taken = 0 RETURNING bytes",
    )?;
    let bytes = statement.query_row([number], |row| row.get(0)).optional()?;
    drop(statement);
    if let Some(bytes) = bytes {
        let counts = &mut transaction.memory_mut().counts;
        counts.untaken -= Amount::one(bytes);
        counts.taken += Amount::one(bytes);
    }
    Ok(())
}

/// Deletes the contents of the oldest message that applications have, and its reply blocks that
/// nothing uses. Says whether there was one.
fn forget_oldest(transaction: &mut Transaction<'_>) -> rusqlite::Result<bool> {
    let connection = transaction.connection();
    let mut statement = connection.prepare_cached(
        "UPDATE inbox SET taken = NULL
         WHERE number = (SELECT min(number) FROM inbox WHERE taken = 1)
         RETURNING number, pieces, bytes",
    )?;
    let row = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let forgotten: Option<(i64, u64, u64)> = row.optional()?;
    let Some((number, pieces, bytes)) = forgotten else { return Ok(false) };
    delete_pieces(connection, pieces, PLACES)?;
    let sql = "DELETE FROM reply_blocks WHERE inbox = ?1 AND used_by IS NULL";
    connection.prepare_cached(sql)?.execute([number])?;
    drop(statement);
    transaction.memory_mut().counts.taken -= Amount::one(bytes);
    Ok(true)
}
