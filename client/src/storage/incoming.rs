//! What arrives: pieces, in any order and more than once, until their message is complete.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension, params};
use wire::{
    Content, FRAGMENT_DATA_BYTES, Fragment, Identifier, Kind, MAX_FRAGMENTS, MAX_REPLY_BLOCKS,
    MessageId, ReplyBlock,
};

use super::columns::{kind, optional_message_id};
use super::inbox::contents;
use super::ledger::{Amount, Counts, Ledger};
use super::outgoing::replied_to;
use super::schema::{FORMAT, PLACES};
use super::{Kept, StorageError};

type Transaction<'a> = storage::Transaction<'a, Ledger>;

/// Most bytes in front of a message's content.
const MAX_HEAD_BYTES: u64 = 1 + (MAX_REPLY_BLOCKS * ReplyBlock::BYTES) as u64;

/// Completed messages after which those are forgotten that are too old to be remembered.
const FORGET_AFTER: u64 = 1024;

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// It was complete, here or before.
    Complete,
    Incomplete(Progress),
}

/// A message of which pieces are missing.
#[derive(Clone, Copy, Debug)]
struct Progress {
    /// Its set of pieces.
    pieces: u64,
    /// Its bytes in the file's row for it; none if there is no row.
    written: Option<u64>,
    kind: Kind,
    fragments: u32,
    arrived: u32,
    bytes: u64,
    in_reply_to: Option<MessageId>,
    /// Whether the file says something else.
    has_news: bool,
}

/// Keeps pieces, each with the identifier of the reply block over which it came. Says what became of
/// each. What is known of a message is read and written once, however many pieces of it come.
pub(super) fn keep(
    transaction: &mut Transaction<'_>,
    now_ms: u64,
    pieces: &[(Fragment, Option<Identifier>)],
) -> Result<Vec<Kept>, StorageError> {
    transaction.must_have_room()?;
    let Ledger { counts: Counts { untaken, .. }, limits, .. } = *transaction.memory();
    // A batch goes over the bound by what it completes, and that was on the disk before.
    if untaken.fills(limits.untaken) {
        return Err(StorageError::InboxFull(untaken));
    }
    let mut keep = || {
        let mut messages = HashMap::new();
        let mut kept = Vec::with_capacity(pieces.len());
        for (piece, block) in pieces {
            kept.push(keep_one(transaction, now_ms, &mut messages, piece, *block)?);
        }
        for (message, known) in messages {
            match known {
                Known::Incomplete(progress) if progress.has_news => {
                    write(transaction, now_ms, message, &progress)?;
                }
                _ => {}
            }
        }
        forget_silent(transaction, now_ms)?;
        Ok(kept)
    };
    Ok(FORMAT.attempt("keep what has arrived", keep())?)
}

fn keep_one(
    transaction: &mut Transaction<'_>,
    now_ms: u64,
    messages: &mut HashMap<MessageId, Known>,
    piece: &Fragment,
    block: Option<Identifier>,
) -> rusqlite::Result<Kept> {
    if piece.kind == Kind::LoopCover || piece.index >= piece.count || piece.count > MAX_FRAGMENTS {
        return Ok(Kept::Malformed);
    }
    let mut entry = match messages.entry(piece.message) {
        Entry::Occupied(entry) => entry,
        Entry::Vacant(entry) => entry.insert_entry(look_up(transaction, piece)?),
    };
    let Known::Incomplete(progress) = entry.get_mut() else { return Ok(Kept::Duplicate) };
    if progress.kind != piece.kind || progress.fragments != piece.count {
        return Ok(Kept::Malformed);
    }
    let sql = "INSERT OR IGNORE INTO pieces (place, data) VALUES (?1, ?2)";
    let place = progress.pieces * PLACES + u64::from(piece.index);
    let connection = transaction.connection();
    if connection.prepare_cached(sql)?.execute(params![place, piece.data])? == 0 {
        return Ok(Kept::Duplicate);
    }
    progress.has_news = true;
    progress.arrived += 1;
    progress.bytes += piece.data.len() as u64;
    if let (None, Some(identifier)) = (progress.in_reply_to, block) {
        progress.in_reply_to = replied_to(connection, &identifier)?;
    }
    if progress.arrived < progress.fragments {
        return Ok(Kept::Incomplete);
    }
    let progress = *progress;
    forget_row(transaction, &progress)?;
    if let Some(kept) = complete(transaction, now_ms, piece, &progress)? {
        entry.insert(Known::Complete);
        return Ok(kept);
    }
    // It is as if nothing of it had come.
    entry.remove();
    delete_pieces(transaction.connection(), progress.pieces, PLACES)?;
    Ok(Kept::Malformed)
}

/// What is known of the message of a piece.
fn look_up(transaction: &mut Transaction<'_>, piece: &Fragment) -> rusqlite::Result<Known> {
    let connection = transaction.connection();
    let mut complete = connection.prepare_cached("SELECT 1 FROM inbox WHERE message = ?1")?;
    if complete.exists([piece.message.0])? {
        return Ok(Known::Complete);
    }
    let mut incomplete = connection.prepare_cached(
        "SELECT pieces, with_replies, fragments, arrived, bytes, in_reply_to
         FROM incomplete WHERE message = ?1",
    )?;
    let written = incomplete.query_row([piece.message.0], |row| {
        let bytes = row.get(4)?;
        Ok(Progress {
            pieces: row.get(0)?,
            written: Some(bytes),
            kind: kind(row, 1)?,
            fragments: row.get(2)?,
            arrived: row.get(3)?,
            bytes,
            in_reply_to: optional_message_id(row, 5)?,
            has_news: false,
        })
    });
    if let Some(progress) = written.optional()? {
        return Ok(Known::Incomplete(progress));
    }
    drop((complete, incomplete));
    let counts = &mut transaction.memory_mut().counts;
    let pieces = counts.next_pieces;
    counts.next_pieces += 1;
    Ok(Known::Incomplete(Progress {
        pieces,
        written: None,
        kind: piece.kind,
        fragments: piece.count,
        arrived: 0,
        bytes: 0,
        in_reply_to: None,
        has_news: false,
    }))
}

/// Writes down how far a message is.
fn write(
    transaction: &mut Transaction<'_>,
    now_ms: u64,
    message: MessageId,
    progress: &Progress,
) -> rusqlite::Result<()> {
    let Progress { pieces, kind, fragments, arrived, bytes, .. } = *progress;
    let in_reply_to = progress.in_reply_to.map(|message| message.0);
    let with_replies = kind == Kind::MessageWithReplies;
    let mut statement = transaction.connection().prepare_cached(
        "INSERT INTO incomplete
             (pieces, message, with_replies, fragments, arrived, bytes, in_reply_to, newest_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (pieces) DO UPDATE
         SET arrived = ?5, bytes = ?6, in_reply_to = ?7, newest_ms = ?8",
    )?;
    let row =
        params![pieces, message.0, with_replies, fragments, arrived, bytes, in_reply_to, now_ms];
    statement.execute(row)?;
    drop(statement);
    let incomplete = &mut transaction.memory_mut().counts.incomplete;
    if let Some(before) = progress.written {
        *incomplete -= Amount::one(before);
    }
    *incomplete += Amount::one(bytes);
    Ok(())
}

/// Takes a message from those of which pieces are missing. Its pieces stay.
fn forget_row(transaction: &mut Transaction<'_>, progress: &Progress) -> rusqlite::Result<()> {
    let Some(bytes) = progress.written else { return Ok(()) };
    let sql = "DELETE FROM incomplete WHERE pieces = ?1";
    transaction.connection().prepare_cached(sql)?.execute([progress.pieces])?;
    transaction.memory_mut().counts.incomplete -= Amount::one(bytes);
    Ok(())
}

/// Puts a message into the inbox whose last piece has come; none if its head makes no sense.
///
/// Its content is only read here if it is short enough to be told, and of a longer one the head.
fn complete(
    transaction: &mut Transaction<'_>,
    now_ms: u64,
    last: &Fragment,
    progress: &Progress,
) -> rusqlite::Result<Option<Kept>> {
    let Progress { pieces, kind, fragments, bytes, in_reply_to, .. } = *progress;
    let connection = transaction.connection();
    let is_short = bytes <= contract::MAX_CONTENT_BYTES as u64 + MAX_HEAD_BYTES;
    let read = match kind {
        _ if is_short => bytes,
        Kind::MessageWithReplies => MAX_HEAD_BYTES,
        Kind::Message | Kind::LoopCover => 0,
    };
    let data = match fragments {
        1 => Cow::Borrowed(&last.data[..]),
        _ => Cow::Owned(beginning(connection, pieces, read)?),
    };
    let Ok(Content { reply_blocks, bytes: content }) = Content::decode(kind, &data) else {
        return Ok(None);
    };
    let in_front = data.len() - content.len();
    let head = in_front as u64;
    let bytes = bytes - head;
    let content = if is_short {
        let mut content = data.into_owned();
        content.drain(..in_front);
        contract::Content::from_bytes(content)
    } else {
        contract::Content::Omitted(usize::try_from(bytes).unwrap_or(usize::MAX))
    };

    // Pieces without content are not needed any more; one stays, so that the set is not empty.
    let needless = (head / FRAGMENT_DATA_BYTES as u64).min(u64::from(fragments) - 1);
    delete_pieces(connection, pieces, needless)?;
    let skip = head - needless * FRAGMENT_DATA_BYTES as u64;
    let mut statement = connection.prepare_cached(
        "INSERT INTO inbox (message, pieces, skip, bytes, in_reply_to, completed_ms, taken)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
    )?;
    let in_reply_to = in_reply_to.map(|message| message.0);
    statement.execute(params![last.message.0, pieces, skip, bytes, in_reply_to, now_ms])?;
    let row = connection.last_insert_rowid();
    let sql = "INSERT INTO reply_blocks (inbox, number, block) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql)?;
    for (number, block) in reply_blocks.iter().enumerate() {
        insert.execute(params![row, number, block.encode()])?;
    }
    let number = row.unsigned_abs();
    if number.is_multiple_of(FORGET_AFTER) {
        let remembered = transaction.memory().limits.remembered;
        let sql = "DELETE FROM inbox WHERE taken IS NULL AND number <= ?1";
        connection.execute(sql, [number.saturating_sub(remembered)])?;
    }
    drop((statement, insert));
    let counts = &mut transaction.memory_mut().counts;
    counts.newest = number;
    counts.untaken += Amount::one(bytes);
    Ok(Some(Kept::Complete { message: last.message, number, content }))
}

/// The first bytes of a message, at least as many as are asked for if there are.
fn beginning(connection: &Connection, pieces: u64, bytes: u64) -> rusqlite::Result<Vec<u8>> {
    let fragments = bytes.div_ceil(FRAGMENT_DATA_BYTES as u64);
    let capacity = usize::try_from(fragments).unwrap_or(0) * FRAGMENT_DATA_BYTES;
    let mut data = Vec::with_capacity(capacity);
    contents(connection, pieces, fragments, |piece| data.extend_from_slice(piece))?;
    Ok(data)
}

/// Deletes the first pieces of a set.
pub(super) fn delete_pieces(
    connection: &Connection,
    pieces: u64,
    fragments: u64,
) -> rusqlite::Result<()> {
    if fragments == 0 {
        return Ok(());
    }
    let first = pieces * PLACES;
    let sql = "DELETE FROM pieces WHERE place >= ?1 AND place < ?2";
    connection.prepare_cached(sql)?.execute([first, first + fragments])?;
    Ok(())
}

/// Forgets incomplete messages beyond the bounds: those without news for the longest time first.
fn forget_silent(transaction: &mut Transaction<'_>, now_ms: u64) -> rusqlite::Result<()> {
    let limits = transaction.memory().limits;
    let silence = u64::try_from(limits.silence.as_millis()).unwrap_or(u64::MAX);
    loop {
        let incomplete = transaction.memory().counts.incomplete;
        if incomplete.messages == 0 {
            return Ok(());
        }
        let connection = transaction.connection();
        let mut oldest = connection.prepare_cached(
            "SELECT pieces, bytes, newest_ms FROM incomplete ORDER BY newest_ms, pieces LIMIT 1",
        )?;
        let found = oldest
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, u64>(2)?)))
            .optional()?;
        drop(oldest);
        let Some((pieces, bytes, newest_ms)) = found else { return Ok(()) };
        if newest_ms.saturating_add(silence) >= now_ms && !incomplete.exceeds(limits.incomplete) {
            return Ok(());
        }
        let sql = "DELETE FROM incomplete WHERE pieces = ?1";
        connection.prepare_cached(sql)?.execute([pieces])?;
        delete_pieces(connection, pieces, PLACES)?;
        transaction.memory_mut().counts.incomplete -= Amount::one(bytes);
    }
}
