//! Values of the wire in columns of the file.

use rusqlite::types::Type;
use rusqlite::{Error, Row};
use wire::{Kind, MessageId};

/// What only damage can have written, or somebody who changed the file by hand.
pub(super) fn decoded<T, E: std::error::Error + Send + Sync + 'static>(
    column: usize,
    result: Result<T, E>,
) -> rusqlite::Result<T> {
    result.map_err(|error| Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error)))
}

/// A message's id.
pub(super) fn message_id(row: &Row<'_>, column: usize) -> rusqlite::Result<MessageId> {
    row.get(column).map(MessageId)
}

/// A message's id, or none.
pub(super) fn optional_message_id(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<MessageId>> {
    row.get::<_, Option<_>>(column).map(|id| id.map(MessageId))
}

/// The kind of a message, of which the file says whether reply blocks stand in front of its content.
pub(super) fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    let with_replies: bool = row.get(column)?;
    Ok(if with_replies { Kind::MessageWithReplies } else { Kind::Message })
}
