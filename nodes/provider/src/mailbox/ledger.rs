//! What the mailbox knows by heart: who is registered, and how much waits for whom. Counting in the
//! file for every packet would take longer the more waits.

use std::collections::HashMap;
use std::ops::{AddAssign, SubAssign};

use rusqlite::Connection;
use storage::{DatabaseError, Memory};
use wire::{PublicKey, WireProfile};

use super::{MAX_CLIENTS, MAX_NAMED_CLIENTS, MailboxError, Protocol, Registration, Stored, read};

/// Most packets that wait for one client: 20 MB, or what half an hour of a client's own cover and its
/// acknowledgements leave at the classic rates.
pub const MAX_WAITING_PER_CLIENT: u64 = 10_000;

/// Most packets that wait for all clients of a provider together: half a gigabyte of disk, which a
/// provider takes at the most, and 25 clients with full mailboxes.
pub const MAX_WAITING: u64 = 250_000;

/// An amount of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub packets: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
}

impl Amount {
    /// So many packets of today's size.
    pub fn of_packets(packets: u64) -> Self {
        let bytes = packets.saturating_mul(WireProfile::CURRENT.payload_bytes as u64);
        Self { packets, bytes }
    }

    /// One packet with a payload of so many bytes.
    pub(super) fn one(bytes: usize) -> Self {
        Self { packets: 1, bytes: bytes as u64 }
    }

    fn has_room_for(self, more: Self, limit: Self) -> bool {
        self.packets + more.packets <= limit.packets && self.bytes + more.bytes <= limit.bytes
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

impl SubAssign for Amount {
    /// Stays at zero if more is deleted than was counted: somebody may have put packets into the file
    /// by hand, which must not stop the provider.
    fn sub_assign(&mut self, other: Self) {
        self.packets = self.packets.saturating_sub(other.packets);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

/// How much may wait. What is over is refused, so that no acknowledgement goes out and the sender
/// keeps the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// For one client.
    pub per_client: Amount,
    /// For all clients together.
    pub total: Amount,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            per_client: Amount::of_packets(MAX_WAITING_PER_CLIENT),
            total: Amount::of_packets(MAX_WAITING),
        }
    }
}

/// What is known of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// Its number in the file.
    pub(super) id: i64,
    pub(super) registration: Registration,
    pub(super) waiting: Amount,
}

impl Account {
    pub(super) fn new(id: i64, protocol: Protocol) -> Self {
        let registration = Registration { protocol, has_token: false };
        Self { id, registration, waiting: Amount::default() }
    }

    /// 1 if its client has not proven its key.
    fn is_named(&self) -> u64 {
        u64::from(self.registration.protocol != Protocol::V1)
    }
}

/// All accounts. What a transaction changes here can be taken back with it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    accounts: HashMap<PublicKey, Account>,
    total: Amount,
    /// What the accounts were that the present transaction changed, in the order of the changes.
    before: Vec<(PublicKey, Option<Account>)>,
    total_before: Amount,
    /// Accounts without a proof.
    named: u64,
    named_before: u64,
    /// Whether the log says that there is no place any more, or none without a proof.
    told_full: bool,
    told_named: bool,
}

impl Ledger {
    pub(super) fn get(&self, client: &PublicKey) -> Option<&Account> {
        self.accounts.get(client)
    }

    pub(crate) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether one more client may be registered. The log says once that no more may.
    pub(super) fn has_place(&mut self, protocol: Protocol) -> Result<(), MailboxError> {
        let (error, told) = if self.accounts.len() as u64 >= MAX_CLIENTS {
            (MailboxError::TooManyClients, &mut self.told_full)
        } else if protocol != Protocol::V1 && self.named >= MAX_NAMED_CLIENTS {
            (MailboxError::TooManyNamed, &mut self.told_named)
        } else {
            return Ok(());
        };
        if !std::mem::replace(told, true) {
            tracing::warn!("a client is refused: {error}");
        }
        Err(error)
    }

    pub(crate) fn total(&self) -> Amount {
        self.total
    }

    /// Enters an account that was read from the file.
    pub(super) fn load(&mut self, client: PublicKey, account: Account) {
        self.total += account.waiting;
        self.named += account.is_named();
        self.accounts.insert(client, account);
    }

    /// Puts an account in the place of what was there.
    pub(super) fn set(&mut self, client: PublicKey, account: Account) {
        let before = self.accounts.insert(client, account);
        self.named -= before.as_ref().map_or(0, Account::is_named);
        self.named += account.is_named();
        self.before.push((client, before));
    }

    /// Whether a packet may be stored. It is counted if so.
    pub(super) fn admit(&mut self, client: &PublicKey, packet: Amount, quotas: &Quotas) -> Stored {
        let Some(mut account) = self.accounts.get(client).copied() else {
            return Stored::UnknownClient;
        };
        if !account.waiting.has_room_for(packet, quotas.per_client) {
            return Stored::ClientFull;
        }
        if !self.total.has_room_for(packet, quotas.total) {
            return Stored::ProviderFull;
        }
        account.waiting += packet;
        self.total += packet;
        self.set(*client, account);
        Stored::Yes
    }

    /// Counts what was deleted.
    pub(super) fn deleted(&mut self, client: &PublicKey, packets: Amount) {
        if let Some(mut account) = self.accounts.get(client).copied() {
            account.waiting -= packets;
            self.total -= packets;
            self.set(*client, account);
        }
    }
}

impl Memory for Ledger {
    fn load(connection: &Connection) -> Result<Self, DatabaseError> {
        read::ledger(connection)
    }

    fn begin(&mut self) {
        self.before.clear();
        self.total_before = self.total;
        self.named_before = self.named;
    }

    fn roll_back(&mut self) {
        self.total = self.total_before;
        self.named = self.named_before;
        while let Some((client, account)) = self.before.pop() {
            match account {
                Some(account) => self.accounts.insert(client, account),
                None => self.accounts.remove(&client),
            };
        }
    }
}
