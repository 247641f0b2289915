//! The mailbox: one SQLite file with the clients and the packets that wait for them.
//!
//! Open `mailbox.sqlite` with any SQLite tool to look at it, also while the provider runs; `.schema`
//! explains its tables. See the crate [`storage`] for the files beside it, and for what is done with
//! a damaged one and on a full disk.

mod batch;
mod error;
mod ledger;
pub(crate) mod read;
mod schema;

use std::path::Path;
use std::str::FromStr;

use storage::{Database, DatabaseError};
use wire::{Delivery, PublicKey};

pub use batch::Batch;
pub use error::MailboxError;
pub(crate) use ledger::Ledger;
pub use ledger::{Amount, MAX_WAITING, MAX_WAITING_PER_CLIENT, Quotas};

use crate::Parcel;
use schema::FORMAT;

/// Most clients of a provider: as many as it can announce.
pub const MAX_CLIENTS: u64 = directory_api::MAX_REGISTERED_CLIENTS as u64;

/// Most clients that have not proven their keys: a name costs nothing, and whoever makes names up must
/// not keep those out that prove theirs. They have the other half to themselves.
pub const MAX_NAMED_CLIENTS: u64 = MAX_CLIENTS / 2;

/// What a client speaks with its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// `nym-devnet.v1`: it proved its key.
    V1,
    /// Register and pull of v0.5.
    Tcp,
    /// The websocket of v0.7.
    Websocket,
}

impl Protocol {
    /// Its word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Tcp => "tcp",
            Self::Websocket => "websocket",
        }
    }
}

impl FromStr for Protocol {
    type Err = DatabaseError;

    fn from_str(word: &str) -> Result<Self, DatabaseError> {
        let found = [Self::V1, Self::Tcp, Self::Websocket].into_iter().find(|p| p.word() == word);
        found.ok_or_else(|| {
            let reason = format!("no protocol `{word}`");
            DatabaseError::Damaged { format: &FORMAT, reason }
        })
    }
}

/// What a client is registered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// By this protocol.
    pub protocol: Protocol,
    /// Whether a token was given for its key. A token that was not given is not accepted, however
    /// right it is.
    pub has_token: bool,
}

/// What became of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Safe.
    Yes,
    /// Nobody of that key is registered.
    UnknownClient,
    /// As much waits for the client as may.
    ClientFull,
    /// As much waits for all clients together as may.
    ProviderFull,
}

/// A mailbox that was opened.
#[derive(Debug)]
pub struct Opened {
    /// It.
    pub mailbox: Mailbox,
    /// There was a damaged file in its place.
    pub damaged: Option<storage::PutAside>,
}

/// The mailbox.
#[derive(Debug)]
pub struct Mailbox {
    database: Database<Ledger>,
    quotas: Quotas,
}

impl Mailbox {
    /// Opens the file, or makes it. A damaged one is an error and stays as it is.
    pub fn open(path: &Path, quotas: Quotas) -> Result<Self, MailboxError> {
        Ok(Self { database: Database::open(path, &FORMAT)?, quotas })
    }

    /// Opens the file, or makes it. A damaged one is renamed, never deleted, and a new one takes its
    /// place.
    ///
    /// A provider that refused to start would not bring back what is lost: its clients would be
    /// without a mailbox besides. Those that prove their keys register again by themselves.
    pub fn open_or_replace(path: &Path, quotas: Quotas) -> Result<Opened, MailboxError> {
        let storage::Opened { database, damaged } = Database::open_or_replace(path, &FORMAT)?;
        Ok(Opened { mailbox: Self { database, quotas }, damaged })
    }

    /// A mailbox that lives as long as this value.
    pub fn in_memory() -> Result<Self, MailboxError> {
        Ok(Self { database: Database::in_memory(&FORMAT)?, quotas: Quotas::default() })
    }

    /// Does something in one transaction: when this returns, all of it is safe, or none of it
    /// happened and an error says why. See [`Database::transaction`].
    pub fn transaction<T>(
        &mut self,
        mut work: impl FnMut(&mut Batch<'_>) -> Result<T, MailboxError>,
    ) -> Result<T, MailboxError> {
        let quotas = self.quotas;
        self.database
            .transaction(|transaction| work(&mut Batch::new(transaction.reborrow(), quotas)))
    }

    /// See [`Database::tidy`].
    pub fn tidy(&mut self) -> Result<(), MailboxError> {
        Ok(self.database.tidy()?)
    }

    /// For threads.
    pub(crate) fn into_database(self) -> Database<Ledger> {
        self.database
    }

    /// Registers a client, see [`Batch::register`].
    pub fn register(
        &mut self,
        client: &PublicKey,
        protocol: Protocol,
    ) -> Result<Registration, MailboxError> {
        self.transaction(|batch| batch.register(client, protocol))
    }

    /// Stores parcels in one transaction: when this returns, all that say [`Stored::Yes`] are safe.
    pub fn store(&mut self, parcels: &[Parcel]) -> Result<Vec<Stored>, MailboxError> {
        self.transaction(|batch| parcels.iter().map(|parcel| batch.store(parcel)).collect())
    }

    /// Deletes packets that their client has, see [`Batch::confirm`].
    pub fn confirm(&mut self, client: &PublicKey, numbers: &[u64]) -> Result<u64, MailboxError> {
        self.transaction(|batch| batch.confirm(client, numbers))
    }

    /// The packets that wait for a client with numbers after `after`, the oldest first, at most
    /// `limit`.
    pub fn waiting(
        &self,
        client: &PublicKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, MailboxError> {
        Ok(read::waiting(self.database.connection(), client, after, limit)?)
    }

    /// The keys of all clients, in the order of their registration.
    pub fn clients(&self) -> Result<Vec<PublicKey>, MailboxError> {
        Ok(read::clients(self.database.connection())?)
    }

    /// How many clients are registered.
    pub fn client_count(&self) -> u64 {
        self.database.memory().len() as u64
    }

    /// How much waits for all clients together.
    pub fn waiting_total(&self) -> Amount {
        self.database.memory().total()
    }

    /// How much waits for a client.
    pub fn waiting_for(&self, client: &PublicKey) -> Amount {
        self.database.memory().get(client).map(|account| account.waiting).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
