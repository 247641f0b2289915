//! What can go wrong with the mailbox.

use storage::{DatabaseError, Failure};

use super::{MAX_CLIENTS, MAX_NAMED_CLIENTS};

/// Something cannot be done with the mailbox.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// The mailbox file cannot be used.
    #[error(transparent)]
    File(#[from] DatabaseError),
    /// [`MAX_CLIENTS`] are registered.
    #[error("the provider has {MAX_CLIENTS} clients and takes no more")]
    TooManyClients,
    /// [`MAX_NAMED_CLIENTS`] are registered without a proof.
    #[error(
        "the provider has {MAX_NAMED_CLIENTS} clients that have not proven their keys and takes no \
         more of them"
    )]
    TooManyNamed,
}

impl Failure for MailboxError {
    fn into_database(self) -> Result<DatabaseError, Self> {
        match self {
            Self::File(error) => Ok(error),
            refusal @ (Self::TooManyClients | Self::TooManyNamed) => Err(refusal),
        }
    }
}
