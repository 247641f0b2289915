//! What can go wrong with a client's file.

use storage::{DatabaseError, Failure};

use super::ledger::Amount;

/// Something cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] DatabaseError),
    /// As much waits for applications as may. Nothing is lost: the provider keeps what comes.
    #[error(
        "the inbox is full: {} messages with {} bytes wait for an application; connect one that \
         takes them",
        .0.messages,
        .0.bytes
    )]
    InboxFull(Amount),
}

impl Failure for StorageError {
    fn into_database(self) -> Result<DatabaseError, Self> {
        match self {
            Self::File(error) => Ok(error),
            refusal @ Self::InboxFull(_) => Err(refusal),
        }
    }
}

/// A reply is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplyError {
    /// There is no such message in the inbox, or not any more.
    #[error("the message to reply to is not in the inbox")]
    UnknownMessage,
    /// The reply has more packets than reply blocks are left.
    #[error(
        "the reply takes {needed} packets, and of the reply blocks that came with the message {left} \
         are left"
    )]
    TooFewBlocks {
        /// As many as the reply has packets.
        needed: u32,
        /// As many as are not used or set aside.
        left: u32,
    },
    /// It cannot be kept.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<DatabaseError> for ReplyError {
    fn from(error: DatabaseError) -> Self {
        Self::Storage(error.into())
    }
}

impl Failure for ReplyError {
    fn into_database(self) -> Result<DatabaseError, Self> {
        match self {
            Self::Storage(error) => error.into_database().map_err(Self::Storage),
            refusal => Err(refusal),
        }
    }
}
