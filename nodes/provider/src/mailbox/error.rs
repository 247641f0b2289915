//! What can go wrong with the mailbox.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::file::RESERVE_MB;
use super::schema::SCHEMA_VERSION;
use super::{MAX_CLIENTS, MAX_NAMED_CLIENTS};

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
    /// A file around the mailbox cannot be used.
    #[error("cannot {attempt} `{}`: {source}", path.display())]
    File {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The disk is full. Reading and deleting work.
    #[error("the mailbox cannot store packets: the disk is full")]
    DiskFull,
    /// The contents of the file make no sense.
    #[error("the mailbox file is damaged: {reason}")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// The file was written by another version.
    #[error(
        "the mailbox file has version {found}, this program knows those up to {SCHEMA_VERSION}"
    )]
    Version {
        /// The file's version.
        found: i64,
    },
    /// The file is a database of something else.
    #[error("the file is an SQLite database of another program, and not a mailbox of this one")]
    Foreign,
    /// There is something else in the place of a file.
    #[error("`{}` is {kind}, and not a file", path.display())]
    NoFile {
        /// Where.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A file was moved or deleted while it was in use.
    #[error("`{}` was moved or deleted while the mailbox was in use", path.display())]
    Gone {
        /// Its former name.
        path: PathBuf,
    },
    /// There is no room for the reserve. Reading and deleting work.
    #[error(
        "the mailbox cannot store packets: less than {RESERVE_MB} MB are free on its disk, and it \
         keeps so many in reserve"
    )]
    NoReserve,
    /// Another provider has it open.
    #[error("another provider uses the mailbox")]
    InUse,
    /// [`MAX_CLIENTS`] are registered.
    #[error("the provider has {MAX_CLIENTS} clients and takes no more")]
    TooManyClients,
    /// [`MAX_NAMED_CLIENTS`] are registered without a proof.
    #[error(
        "the provider has {MAX_NAMED_CLIENTS} clients that have not proven their keys and takes no \
         more of them"
    )]
    TooManyNamed,
    /// Another program is writing into the file.
    #[error("another program has the mailbox open for writing, close it there")]
    Busy,
    /// Its thread has ended.
    #[error("the mailbox is closed")]
    Ended,
}

impl MailboxError {
    /// Whether the file is at fault, and only another one helps.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Sqlite { source, .. } => {
                // A value that is none was not written by this program.
                matches!(source, rusqlite::Error::FromSqlConversionFailure(..))
                    || matches!(
                        source.sqlite_error_code(),
                        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                    )
            }
            _ => false,
        }
    }

    /// Whether there was no room for it.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Self::DiskFull | Self::NoReserve => true,
            Self::Sqlite { source, .. } => source.sqlite_error_code() == Some(ErrorCode::DiskFull),
            _ => false,
        }
    }

    /// Whether somebody else had it.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => {
                source.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
            }
            _ => false,
        }
    }

    /// Whether a transaction in which this happened can go on: nothing was written then.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::TooManyClients | Self::TooManyNamed)
    }
}

/// Says what was attempted.
pub(super) fn attempt<T>(
    attempt: &'static str,
    result: rusqlite::Result<T>,
) -> Result<T, MailboxError> {
    result.map_err(|source| MailboxError::Sqlite { attempt, source })
}
