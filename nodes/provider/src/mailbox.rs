//! The mailbox: one SQLite file with the clients and the packets that wait for them.
//!
//! Open `mailbox.sqlite` with any SQLite tool to look at it, also while the provider runs; `.schema`
//! explains its tables. Beside it are SQLite's log (`-wal`, `-shm`), which belongs to it, a lock
//! (`.lock`), and a reserve (`.reserve`): room that is given up when the disk is full.
//!
//! Write-ahead logging with synchronous `NORMAL`: what is committed survives a killed process, not a
//! power cut.

mod batch;
mod error;
mod file;
mod ledger;
mod read;
mod schema;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use wire::{Delivery, PublicKey};

pub use batch::Batch;
pub use error::MailboxError;
pub use ledger::{Amount, MAX_WAITING, MAX_WAITING_PER_CLIENT, Quotas};
pub use read::Reader;

use crate::Parcel;
use batch::Room;
use error::attempt;
use file::{InUse, Lock, Reserve};
use ledger::Ledger;

/// Most clients of a provider: as many as it can announce.
pub const MAX_CLIENTS: u64 = directory_api::MAX_REGISTERED_CLIENTS as u64;

/// Most clients that have not proven their keys: a name costs nothing, and whoever makes names up must
/// not keep those out that prove theirs. They have the other half to themselves.
pub const MAX_NAMED_CLIENTS: u64 = MAX_CLIENTS / 2;

/// Rows written or deleted, and two for each transaction, after which the log is written back into
/// the file: some 4 MB of log, of which one transaction of a single packet writes 24 kB.
const CHECKPOINT_AFTER: u64 = 500;

/// Pages of log after which SQLite itself writes them back, in case that the count is far off.
const MAX_LOG_PAGES: u32 = 1000;

/// Free pages that stay in the file, however little it holds: 4 MB, for the next packets.
const SPARE_PAGES: u32 = 512;

/// Free pages that are given back at once, more than come free between two checkpoints.
const GIVEN_BACK_AT_ONCE: u32 = 256;

/// Memory for pages of a connection. Many providers fit into one small machine: the default is 2 MB.
const CACHE_KB: i32 = 256;

/// How long a transaction waits for another program that is writing into the file. Nobody should do
/// that while the provider runs, and all that comes waits meanwhile.
const BUSY_LIMIT: Duration = Duration::from_secs(1);

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
    type Err = MailboxError;

    fn from_str(word: &str) -> Result<Self, MailboxError> {
        let found = [Self::V1, Self::Tcp, Self::Websocket].into_iter().find(|p| p.word() == word);
        found.ok_or_else(|| MailboxError::Damaged { reason: format!("no protocol `{word}`") })
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
    pub damaged: Option<PutAside>,
}

/// A damaged file that was kept.
#[derive(Debug)]
pub struct PutAside {
    /// What is wrong with it.
    pub reason: String,
    /// Where it is now.
    pub kept: PathBuf,
}

/// The mailbox.
#[derive(Debug)]
pub struct Mailbox {
    connection: Connection,
    ledger: Ledger,
    quotas: Quotas,
    /// None in memory, as the lock.
    reserve: Option<Reserve>,
    in_use: InUse,
    /// Since the log was written back; see [`CHECKPOINT_AFTER`].
    changes: u64,
    /// Given up when nobody uses the connection any more.
    _lock: Option<Lock>,
}

impl Mailbox {
    /// Opens the file, or makes it. A damaged one is an error and stays as it is.
    pub fn open(path: &Path, quotas: Quotas) -> Result<Self, MailboxError> {
        file::must_be_file(path)?;
        let lock = Lock::take(path)?;
        Self::open_locked(path, quotas, lock).map_err(|(error, _)| error)
    }

    /// Opens the file, or makes it. A damaged one is renamed, never deleted, and a new one takes its
    /// place.
    ///
    /// A provider that refused to start would not bring back what is lost: its clients would be
    /// without a mailbox besides. Those that prove their keys register again by themselves.
    pub fn open_or_replace(path: &Path, quotas: Quotas) -> Result<Opened, MailboxError> {
        file::must_be_file(path)?;
        let lock = Lock::take(path)?;
        match Self::open_locked(path, quotas, lock) {
            Ok(mailbox) => Ok(Opened { mailbox, damaged: None }),
            Err((error, lock)) if error.is_damage() => {
                let kept = file::put_aside(path)?;
                let mailbox = Self::open_locked(path, quotas, lock).map_err(|(error, _)| error)?;
                let damaged = PutAside { reason: error.to_string(), kept };
                Ok(Opened { mailbox, damaged: Some(damaged) })
            }
            Err((error, _)) => Err(error),
        }
    }

    fn open_locked(path: &Path, quotas: Quotas, lock: Lock) -> Result<Self, (MailboxError, Lock)> {
        let open = || {
            if file::lost_its_contents(path) {
                let reason = "it is empty, and has a log".into();
                return Err(MailboxError::Damaged { reason });
            }
            file::create(path)?;
            Self::with(attempt("be opened", Connection::open(path))?, quotas)
        };
        match open() {
            Ok(mailbox) => {
                let mut reserve = Reserve::of(path);
                if let Err(error) = reserve.take() {
                    tracing::warn!("{error}");
                }
                let in_use = InUse::of(path);
                Ok(Self { reserve: Some(reserve), in_use, _lock: Some(lock), ..mailbox })
            }
            Err(error) => Err((error, lock)),
        }
    }

    /// A mailbox that lives as long as this value.
    pub fn in_memory() -> Result<Self, MailboxError> {
        let connection = attempt("be opened", Connection::open_in_memory())?;
        Self::with(connection, Quotas::default())
    }

    fn with(mut connection: Connection, quotas: Quotas) -> Result<Self, MailboxError> {
        attempt("be opened", set_cache(&connection))?;
        schema::prepare(&mut connection)?;
        let set = || {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "wal_autocheckpoint", MAX_LOG_PAGES)?;
            connection.busy_timeout(BUSY_LIMIT)?;
            // Not the quick check: that one leaves out whether the index fits the packets, so that a
            // file would pass here and fail again and again as soon as it is used.
            connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))
        };
        match attempt("be opened", set())?.as_str() {
            "ok" => {}
            // Several lines, and the log has one for it.
            found => return Err(MailboxError::Damaged { reason: found.replace('\n', "; ") }),
        }
        let ledger = read::ledger(&connection)?;
        Ok(Self {
            connection,
            ledger,
            quotas,
            reserve: None,
            in_use: InUse::default(),
            changes: 0,
            _lock: None,
        })
    }

    /// Does something in one transaction: when this returns, all of it is safe, or none of it
    /// happened and an error says why.
    ///
    /// On a full disk the reserve is given up, and `work` is done once more, with storing refused:
    /// deleting always has room. Storing goes on when there is room for the reserve again.
    pub fn transaction<T>(
        &mut self,
        mut work: impl FnMut(&mut Batch<'_>) -> Result<T, MailboxError>,
    ) -> Result<T, MailboxError> {
        match self.try_transaction(true, &mut work) {
            Err(error) if error.is_full() && self.reserve.is_some() => {
                // If it fails, the transaction tells.
                let _ = self.make_room();
                match self.try_transaction(false, &mut work) {
                    // The second time nobody looks why there is no room.
                    Err(MailboxError::DiskFull) if matches!(error, MailboxError::NoReserve) => {
                        Err(error)
                    }
                    result => result,
                }
            }
            result => result,
        }
    }

    fn try_transaction<T>(
        &mut self,
        may_store: bool,
        work: &mut impl FnMut(&mut Batch<'_>) -> Result<T, MailboxError>,
    ) -> Result<T, MailboxError> {
        self.ledger.begin();
        let begin = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = attempt("be written", begin)
            .map_err(|error| if error.is_busy() { MailboxError::Busy } else { error })?;
        let room = match &mut self.reserve {
            _ if !may_store => Room::None,
            Some(reserve) => Room::With(reserve),
            None => Room::Enough,
        };
        let mut batch = Batch::new(&transaction, &mut self.ledger, &self.quotas, room);
        let result = work(&mut batch);
        let changes = batch.changes();
        let result =
            result.and_then(|value| attempt("be written", transaction.commit()).map(|()| value));
        match result {
            Ok(_) if changes > 0 => self.changes += changes + 2,
            Ok(_) => {}
            Err(_) => self.ledger.roll_back(),
        }
        result
    }

    /// Gives the reserve up, for the log to be written back: its room can be used again then, by
    /// whatever deletes.
    fn make_room(&mut self) -> Result<(), MailboxError> {
        if let Some(reserve) = &mut self.reserve {
            reserve.release();
        }
        self.write_back()
    }

    /// Writes the log back into the file, if it is time, and gives room back that is not needed.
    /// Takes as long as the disk needs: call it when nobody waits. Fails if the files are gone: what
    /// is written then is lost with the process.
    pub fn tidy(&mut self) -> Result<(), MailboxError> {
        self.in_use.check()?;
        if self.changes < CHECKPOINT_AFTER {
            return Ok(());
        }
        self.changes = 0;
        let pages = |name| {
            let count = self.connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
            attempt("count its pages", count)
        };
        let (all, free) = (pages("page_count")?, pages("freelist_count")?);
        // Half of a file may be free: what shrinks at once has to grow again soon.
        if free > SPARE_PAGES + all / 2 {
            let give_back = || {
                let sql = format!("PRAGMA incremental_vacuum({GIVEN_BACK_AT_ONCE})");
                let mut statement = self.connection.prepare_cached(&sql)?;
                let mut rows = statement.query([])?;
                while rows.next()?.is_some() {}
                Ok(())
            };
            attempt("give room back", give_back())?;
        }
        match self.write_back() {
            Err(error) if error.is_full() => self.make_room(),
            result => result,
        }
    }

    fn write_back(&self) -> Result<(), MailboxError> {
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        attempt("be written back", self.connection.query_row(sql, [], |_| Ok(())))
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

    /// See [`Reader::waiting`].
    pub fn waiting(
        &self,
        client: &PublicKey,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, MailboxError> {
        read::waiting(&self.connection, client, after, limit)
    }

    /// See [`Reader::clients`].
    pub fn clients(&self) -> Result<Vec<PublicKey>, MailboxError> {
        read::clients(&self.connection)
    }

    /// How many clients are registered.
    pub fn client_count(&self) -> u64 {
        self.ledger.len() as u64
    }

    /// How much waits for all clients together.
    pub fn waiting_total(&self) -> Amount {
        self.ledger.total()
    }

    /// How much waits for a client.
    pub fn waiting_for(&self, client: &PublicKey) -> Amount {
        self.ledger.get(client).map(|account| account.waiting).unwrap_or_default()
    }
}

fn set_cache(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -CACHE_KB)
}

#[cfg(test)]
mod tests;
