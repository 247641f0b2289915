//! What can go wrong with a file.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::Format;

/// The file cannot be used. Its words are those of its [`Format`].
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// SQLite failed.
    #[error("the {} cannot {attempt}: {source}", format.name)]
    Sqlite {
        /// Of which file.
        format: &'static Format,
        /// What was attempted.
        attempt: &'static str,
        /// What went wrong.
        source: rusqlite::Error,
    },
    /// A file around it cannot be used.
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
    #[error("the {} cannot store {}: the disk is full", format.name, format.items)]
    DiskFull {
        /// Of which file.
        format: &'static Format,
    },
    /// The contents of the file make no sense.
    #[error("the {} file is damaged: {reason}", format.name)]
    Damaged {
        /// Of which file.
        format: &'static Format,
        /// What was found.
        reason: String,
    },
    /// The file was written by another version.
    #[error(
        "the {} file has version {found}, this program knows those up to {}",
        format.name,
        format.version
    )]
    Version {
        /// Of which file.
        format: &'static Format,
        /// The file's version.
        found: i64,
    },
    /// The file is a database of something else.
    #[error(
        "the file is an SQLite database of another program, and not a {} of this one",
        format.name
    )]
    Foreign {
        /// What it should be.
        format: &'static Format,
    },
    /// There is something else in the place of a file.
    #[error("`{}` is {kind}, and not a file", path.display())]
    NoFile {
        /// Where.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A file was moved or deleted while it was in use.
    #[error("`{}` was moved or deleted while the {} was in use", path.display(), format.name)]
    Gone {
        /// Of which file.
        format: &'static Format,
        /// Its former name.
        path: PathBuf,
    },
    /// There is no room for the reserve. Reading and deleting work.
    #[error(
        "the {} cannot store {}: less than {} MB are free on its disk, and it keeps so many in reserve",
        format.name,
        format.items,
        format.reserve_mb
    )]
    NoReserve {
        /// Of which file.
        format: &'static Format,
    },
    /// Another process has it open.
    #[error("another {} uses the {}", format.user, format.name)]
    InUse {
        /// Of which file.
        format: &'static Format,
    },
    /// Another program is writing into the file.
    #[error("another program has the {} open for writing, close it there", format.name)]
    Busy {
        /// Of which file.
        format: &'static Format,
    },
    /// Its thread has ended.
    #[error("the {} is closed", format.name)]
    Ended {
        /// Of which file.
        format: &'static Format,
    },
}

impl DatabaseError {
    /// Whether the file is at fault, and only another one helps.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Sqlite { source, .. } => {
                use rusqlite::Error;

                // A value that is none was not written by this program.
                matches!(
                    source,
                    Error::FromSqlConversionFailure(..) | Error::IntegralValueOutOfRange(..)
                ) || matches!(
                    source.sqlite_error_code(),
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                )
            }
            _ => false,
        }
    }

    /// What helps.
    pub fn hint(&self) -> String {
        match self {
            Self::InUse { format } => {
                format!("stop the other {}, or give this one a folder of its own", format.user)
            }
            Self::Version { .. } | Self::Foreign { .. } => {
                "move the file away for a new one".into()
            }
            Self::NoFile { .. } => "move it away, or choose another folder".into(),
            error if error.is_damage() => Self::START_AGAIN.into(),
            _ => "check that the folder belongs to you and has space left".into(),
        }
    }

    /// What helps if a file turns out to be damaged while it is in use.
    pub const START_AGAIN: &str =
        "start again: if the file is damaged it is then kept under another name";

    /// Whether there was no room for it.
    pub fn is_full(&self) -> bool {
        match self {
            Self::DiskFull { .. } | Self::NoReserve { .. } => true,
            Self::Sqlite { source, .. } => source.sqlite_error_code() == Some(ErrorCode::DiskFull),
            _ => false,
        }
    }

    /// Whether somebody else had it.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Sqlite { source, .. } => {
                source.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
            }
            _ => false,
        }
    }
}

/// An error of work on a file: the file's own, or a refusal, before which the work has written
/// nothing.
pub trait Failure: From<DatabaseError> {
    /// What is wrong with the file; a refusal as it is.
    fn into_database(self) -> Result<DatabaseError, Self>;
}

impl Failure for DatabaseError {
    fn into_database(self) -> Result<DatabaseError, Self> {
        Ok(self)
    }
}
