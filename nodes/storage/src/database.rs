//! An open file, and what is done to it in one transaction.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::file::{self, InUse, Lock, Reserve};
use crate::{DatabaseError, Failure, Format};

/// Rows written or deleted, and two for each transaction, after which the log is written back into
/// the file: some 4 MB of log, of which one transaction of a single packet writes 24 kB.
const CHECKPOINT_AFTER: u64 = 500;

/// Pages of log after which SQLite itself writes them back, in case that the count is far off.
const MAX_LOG_PAGES: u32 = 1000;

/// Free pages that stay in the file, however little it holds: 4 MB, for what comes next.
const SPARE_PAGES: u32 = 512;

/// Free pages that are given back at once, more than come free between two checkpoints.
const GIVEN_BACK_AT_ONCE: u32 = 256;

/// Memory for pages of a connection. Many nodes fit into one small machine: the default is 2 MB.
const CACHE_KB: i32 = 256;

/// How long a transaction waits for another program that is writing into the file. Nobody should do
/// that while a node runs, and all that comes waits meanwhile.
const BUSY_LIMIT: Duration = Duration::from_secs(1);

/// What is known by heart of a file, because counting in it would take longer the more it holds. It
/// follows the file's transactions.
pub trait Memory: Sized {
    /// What it is now.
    fn load(connection: &Connection) -> Result<Self, DatabaseError>;

    /// A transaction begins.
    fn begin(&mut self);

    /// Makes everything as it was at the beginning of the transaction, which has failed.
    fn roll_back(&mut self);
}

/// A file that was opened.
#[derive(Debug)]
pub struct Opened<M> {
    /// It.
    pub database: Database<M>,
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

impl fmt::Display for PutAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; it is kept as `{}`", self.reason, self.kept.display())
    }
}

/// An open file, with what is known of it by heart.
#[derive(Debug)]
pub struct Database<M> {
    format: &'static Format,
    connection: Connection,
    memory: M,
    /// None in memory, as the lock.
    reserve: Option<Reserve>,
    in_use: InUse,
    /// Since the log was written back; see [`CHECKPOINT_AFTER`].
    changes: u64,
    /// Given up when nobody uses the connection any more.
    _lock: Option<Lock>,
}

impl<M: Memory> Database<M> {
    /// Opens the file, or makes it. A damaged one is an error and stays as it is.
    pub fn open(path: &Path, format: &'static Format) -> Result<Self, DatabaseError> {
        file::must_be_file(path)?;
        let lock = Lock::take(path, format)?;
        Self::open_locked(path, format, lock).map_err(|(error, _)| error)
    }

    /// Opens the file, or makes it. A damaged one is renamed, never deleted, and a new one takes its
    /// place: a node that refused to start would not bring back what is lost.
    pub fn open_or_replace(
        path: &Path,
        format: &'static Format,
    ) -> Result<Opened<M>, DatabaseError> {
        file::must_be_file(path)?;
        let lock = Lock::take(path, format)?;
        match Self::open_locked(path, format, lock) {
            Ok(database) => Ok(Opened { database, damaged: None }),
            Err((error, lock)) if error.is_damage() => {
                let kept = file::put_aside(path)?;
                let database = Self::open_locked(path, format, lock).map_err(|(error, _)| error)?;
                let damaged = PutAside { reason: error.to_string(), kept };
                Ok(Opened { database, damaged: Some(damaged) })
            }
            Err((error, _)) => Err(error),
        }
    }

    fn open_locked(
        path: &Path,
        format: &'static Format,
        lock: Lock,
    ) -> Result<Self, (DatabaseError, Lock)> {
        let open = || {
            if file::lost_its_contents(path) {
                let reason = "it is empty, and has a log".into();
                return Err(DatabaseError::Damaged { format, reason });
            }
            file::create(path)?;
            let is_checked = file::is_suspect(path) || file::megabytes(path) < format.checked_mb;
            Self::with(format.attempt("be opened", Connection::open(path))?, format, is_checked)
        };
        match open() {
            Ok(database) => {
                file::clear_suspicion(path);
                let mut reserve = Reserve::of(path, format);
                if let Err(error) = reserve.take() {
                    tracing::warn!("{error}");
                }
                let in_use = InUse::of(path, format);
                Ok(Self { reserve: Some(reserve), in_use, _lock: Some(lock), ..database })
            }
            Err(error) => Err((error, lock)),
        }
    }

    /// One that lives as long as this value.
    pub fn in_memory(format: &'static Format) -> Result<Self, DatabaseError> {
        let connection = format.attempt("be opened", Connection::open_in_memory())?;
        Self::with(connection, format, true)
    }

    fn with(
        mut connection: Connection,
        format: &'static Format,
        is_checked: bool,
    ) -> Result<Self, DatabaseError> {
        format.attempt("be opened", set_cache(&connection))?;
        format.prepare(&mut connection)?;
        let set = || {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "wal_autocheckpoint", MAX_LOG_PAGES)?;
            connection.busy_timeout(BUSY_LIMIT)?;
            if !is_checked {
                return Ok("ok".into());
            }
            // Not the quick check: that one leaves out whether the indexes fit the tables, so that a
            // file would pass here and fail again and again as soon as it is used.
            connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))
        };
        match format.attempt("be opened", set())?.as_str() {
            "ok" => {}
            found => {
                // Several lines, and the log has one for it.
                let reason = found.replace('\n', "; ");
                return Err(DatabaseError::Damaged { format, reason });
            }
        }
        let memory = M::load(&connection)?;
        let in_use = InUse::none(format);
        Ok(Self { format, connection, memory, reserve: None, in_use, changes: 0, _lock: None })
    }

    /// Does something in one transaction: when this returns, all of it is safe, or none of it
    /// happened and an error says why.
    ///
    /// On a full disk the reserve is given up, and `work` is done once more, with storing refused:
    /// deleting always has room. Storing goes on when there is room for the reserve again.
    pub fn transaction<T, E: Failure>(
        &mut self,
        mut work: impl FnMut(&mut Transaction<'_, M>) -> Result<T, E>,
    ) -> Result<T, E> {
        let error = match self.try_transaction(true, &mut work) {
            Ok(value) => return Ok(value),
            Err(error) => error.into_database()?,
        };
        if !error.is_full() || self.reserve.is_none() {
            return Err(error.into());
        }
        // If it fails, the transaction tells.
        let _ = self.make_room();
        match self.try_transaction(false, &mut work).map_err(E::into_database) {
            Ok(value) => Ok(value),
            // The second time nobody looks why there is no room.
            Err(Ok(DatabaseError::DiskFull { .. }))
                if matches!(error, DatabaseError::NoReserve { .. }) =>
            {
                Err(error.into())
            }
            Err(Ok(again)) => Err(again.into()),
            Err(Err(refusal)) => Err(refusal),
        }
    }

    fn try_transaction<T, E: Failure>(
        &mut self,
        may_store: bool,
        work: &mut impl FnMut(&mut Transaction<'_, M>) -> Result<T, E>,
    ) -> Result<T, E> {
        let format = self.format;
        self.memory.begin();
        let before = self.connection.total_changes();
        let begin = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = format.attempt("be written", begin).map_err(|error| {
            if error.is_busy() { DatabaseError::Busy { format } } else { error }
        })?;
        let room = match &mut self.reserve {
            _ if !may_store => Room::None,
            Some(reserve) => Room::With(reserve),
            None => Room::Enough,
        };
        let result = work(&mut Transaction {
            format,
            connection: &transaction,
            memory: &mut self.memory,
            room,
        });
        let result = result.and_then(|value| {
            format.attempt("be written", transaction.commit())?;
            Ok(value)
        });
        match result {
            Ok(_) => match self.connection.total_changes() - before {
                0 => {}
                changes => self.changes += changes + 2,
            },
            Err(_) => self.memory.roll_back(),
        }
        result
    }

    /// Gives the reserve up, for the log to be written back: its room can be used again then, by
    /// whatever deletes.
    fn make_room(&mut self) -> Result<(), DatabaseError> {
        if let Some(reserve) = &mut self.reserve {
            reserve.release();
        }
        self.write_back()
    }

    /// Writes the log back into the file, if it is time, and gives room back that is not needed.
    /// Takes as long as the disk needs: call it when nobody waits. Fails if the files are gone: what
    /// is written then is lost with the process.
    pub fn tidy(&mut self) -> Result<(), DatabaseError> {
        self.in_use.check()?;
        if self.changes < CHECKPOINT_AFTER {
            return Ok(());
        }
        self.changes = 0;
        let pages = |name| {
            let count = self.connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
            self.format.attempt("count its pages", count)
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
            self.format.attempt("give room back", give_back())?;
        }
        match self.write_back() {
            Err(error) if error.is_full() => self.make_room(),
            result => result,
        }
    }

    fn write_back(&self) -> Result<(), DatabaseError> {
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        self.format.attempt("be written back", self.connection.query_row(sql, [], |_| Ok(())))
    }
}

impl<M> Database<M> {
    /// What it is.
    pub fn format(&self) -> &'static Format {
        self.format
    }

    /// For reading outside of a transaction, what it has written itself included.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What is known by heart.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// For changing what is known by heart outside of a transaction.
    pub fn memory_mut(&mut self) -> &mut M {
        &mut self.memory
    }
}

/// A connection that sees what is committed, and waits for no writing.
pub(crate) fn open_reader(
    path: &Path,
    format: &'static Format,
) -> Result<Connection, DatabaseError> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        set_cache(&connection)?;
        Ok(connection)
    };
    format.attempt("be opened for reading", open())
}

fn set_cache(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -CACHE_KB)
}

/// Whether there is room on the disk for more.
#[derive(Debug)]
enum Room<'database> {
    /// Nobody counts: the database is in memory.
    Enough,
    /// If there is room for the reserve.
    With(&'database mut Reserve),
    /// It has just shown that there is none.
    None,
}

/// A transaction on a file. Nothing of it is safe before it is committed, and all of it is
/// afterwards; see [`Database::transaction`].
#[derive(Debug)]
pub struct Transaction<'database, M> {
    format: &'static Format,
    connection: &'database Connection,
    memory: &'database mut M,
    room: Room<'database>,
}

impl<M> Transaction<'_, M> {
    /// The same transaction, for something that is to own one.
    pub fn reborrow(&mut self) -> Transaction<'_, M> {
        Transaction {
            format: self.format,
            connection: self.connection,
            memory: self.memory,
            room: match &mut self.room {
                Room::Enough => Room::Enough,
                Room::With(reserve) => Room::With(reserve),
                Room::None => Room::None,
            },
        }
    }

    /// What reads and writes.
    pub fn connection(&self) -> &Connection {
        self.connection
    }

    /// What is known by heart.
    pub fn memory(&self) -> &M {
        self.memory
    }

    /// For changing what is known by heart as the file is changed.
    pub fn memory_mut(&mut self) -> &mut M {
        self.memory
    }

    /// To be asked before something is written that makes the file grow.
    pub fn must_have_room(&mut self) -> Result<(), DatabaseError> {
        match &mut self.room {
            Room::Enough => Ok(()),
            Room::With(reserve) => reserve.take(),
            Room::None => Err(DatabaseError::DiskFull { format: self.format }),
        }
    }
}

#[cfg(test)]
mod tests;
