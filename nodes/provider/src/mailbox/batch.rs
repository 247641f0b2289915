//! What is done in one transaction.

use rusqlite::params;
use storage::Transaction;
use wire::{Delivery, PublicKey};

use super::ledger::{Account, Amount, Ledger, Quotas};
use super::schema::FORMAT;
use super::{MailboxError, Protocol, Registration, Stored, read};
use crate::Parcel;

/// A transaction on the mailbox. Nothing of it is safe before it is committed, and all of it is
/// afterwards; see [`Mailbox::transaction`](super::Mailbox::transaction).
#[derive(Debug)]
pub struct Batch<'mailbox> {
    transaction: Transaction<'mailbox, Ledger>,
    quotas: Quotas,
}

impl<'mailbox> Batch<'mailbox> {
    pub(crate) fn new(transaction: Transaction<'mailbox, Ledger>, quotas: Quotas) -> Self {
        Self { transaction, quotas }
    }

    /// What is known of a client; none if it is not registered.
    pub fn registration(&self, client: &PublicKey) -> Option<Registration> {
        self.transaction.memory().get(client).map(|account| account.registration)
    }

    /// Registers a client, and says what it is registered as now.
    ///
    /// [`Protocol::V1`] means that it proved its key. It replaces another registration, and takes
    /// back the token that was given for the key: anyone could have asked for it. Otherwise a client
    /// that is registered already stays what it is.
    pub fn register(
        &mut self,
        client: &PublicKey,
        protocol: Protocol,
    ) -> Result<Registration, MailboxError> {
        let mut account = match self.transaction.memory().get(client) {
            Some(account)
                if protocol != Protocol::V1 || account.registration.protocol == protocol =>
            {
                return Ok(account.registration);
            }
            Some(account) => {
                let update = || {
                    self.transaction
                        .connection()
                        .execute("DELETE FROM tokens WHERE client = ?1", [account.id])?;
                    let sql = "UPDATE clients SET protocol = ?2 WHERE id = ?1";
                    self.transaction.connection().execute(sql, params![account.id, protocol.word()])
                };
                FORMAT.attempt("register a client", update())?;
                *account
            }
            None => {
                self.transaction.memory_mut().has_place(protocol)?;
                let insert = || {
                    let sql = "INSERT INTO clients (key, protocol) VALUES (?1, ?2)";
                    let parameters = params![client.to_string(), protocol.word()];
                    self.transaction.connection().execute(sql, parameters)?;
                    Ok(self.transaction.connection().last_insert_rowid())
                };
                Account::new(FORMAT.attempt("register a client", insert())?, protocol)
            }
        };
        account.registration = Registration { protocol, has_token: false };
        self.transaction.memory_mut().set(*client, account);
        Ok(account.registration)
    }

    /// Notes that a registered client was given its token, which it can use from then on.
    pub fn give_token(&mut self, client: &PublicKey) -> Result<(), MailboxError> {
        let Some(mut account) = self.transaction.memory().get(client).copied() else {
            return Ok(());
        };
        let note = || {
            self.transaction.connection().execute(
                "INSERT INTO tokens (client) VALUES (?1) ON CONFLICT (client) DO UPDATE SET
                 times = times + 1, last_given_at = strftime('%Y-%m-%dT%H:%M:%SZ')",
                [account.id],
            )
        };
        FORMAT.attempt("note that a token was given", note())?;
        account.registration.has_token = true;
        self.transaction.memory_mut().set(*client, account);
        Ok(())
    }

    /// Stores a packet, if its client is registered and within the quotas.
    pub fn store(&mut self, parcel: &Parcel) -> Result<Stored, MailboxError> {
        self.transaction.must_have_room()?;
        let amount = Amount::one(parcel.payload.len());
        let stored = self.transaction.memory_mut().admit(&parcel.client, amount, &self.quotas);
        if stored == Stored::Yes {
            let id = self.transaction.memory().get(&parcel.client).map(|account| account.id);
            let insert = || {
                let mut statement = self.transaction.connection().prepare_cached(
                    "INSERT INTO messages (client, identifier, payload) VALUES (?1, ?2, ?3)",
                )?;
                statement.execute(params![id, parcel.identifier, parcel.payload])
            };
            FORMAT.attempt("store packets", insert())?;
        }
        Ok(stored)
    }

    /// Deletes packets that their client has; returns how many there were. Numbers of other
    /// clients' packets are ignored.
    pub fn confirm(&mut self, client: &PublicKey, numbers: &[u64]) -> Result<u64, MailboxError> {
        // No packet has a number that SQLite cannot hold, whatever a client says.
        let numbers = numbers.iter().filter_map(|number| i64::try_from(*number).ok());
        let sql = "DELETE FROM messages WHERE client = ?1 AND number = ?2
                   RETURNING length(payload)";
        self.delete(client, sql, numbers)
    }

    /// Deletes all packets of a client up to this number; returns how many there were.
    pub fn confirm_up_to(&mut self, client: &PublicKey, number: u64) -> Result<u64, MailboxError> {
        let sql = "DELETE FROM messages WHERE client = ?1 AND number <= ?2
                   RETURNING length(payload)";
        self.delete(client, sql, [i64::try_from(number).unwrap_or(i64::MAX)])
    }

    fn delete(
        &mut self,
        client: &PublicKey,
        sql: &str,
        numbers: impl IntoIterator<Item = i64>,
    ) -> Result<u64, MailboxError> {
        let Some(id) = self.transaction.memory().get(client).map(|account| account.id) else {
            return Ok(0);
        };
        let delete = || {
            let mut deleted = Amount::default();
            let mut statement = self.transaction.connection().prepare_cached(sql)?;
            for number in numbers {
                let mut rows = statement.query(params![id, number])?;
                while let Some(row) = rows.next()? {
                    deleted += Amount::one(row.get(0)?);
                }
            }
            Ok(deleted)
        };
        let deleted = FORMAT.attempt("delete packets", delete())?;
        self.transaction.memory_mut().deleted(client, deleted);
        Ok(deleted.packets)
    }

    /// What waits for a client in this transaction; see [`Mailbox::waiting`](super::Mailbox::waiting).
    pub fn waiting(
        &self,
        client: &PublicKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, MailboxError> {
        Ok(read::waiting(self.transaction.connection(), client, after, limit)?)
    }

    /// Makes the disk look full once the file has so many pages.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) -> Result<(), MailboxError> {
        let limit = self.transaction.connection().pragma_update(None, "max_page_count", pages);
        Ok(FORMAT.attempt("be limited", limit)?)
    }

    /// How much waits for a client.
    pub fn waiting_for(&self, client: &PublicKey) -> Amount {
        self.transaction.memory().get(client).map(|account| account.waiting).unwrap_or_default()
    }
}
