//! Whose file it is: its words, its tables, its version, and how a file gets them.

use std::fmt;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::DatabaseError;

/// Bytes of a page: three packets of a mailbox or five pieces of a message fit into it, with 20 or 2 %
/// left over. A page of 4096 would hold one or two and leave up to half of itself empty; larger ones
/// make small transactions write more.
const PAGE_BYTES: u32 = 8192;

/// What a file is.
pub struct Format {
    /// What it is called in errors, and its threads: `mailbox`. At most ten letters, so that a
    /// system shows the names of the threads whole.
    pub name: &'static str,
    /// Which process uses it: `provider`.
    pub user: &'static str,
    /// What it cannot store when the disk is full: `packets`.
    pub items: &'static str,
    /// Four letters in the file's `application_id`: tools then say whose file it is.
    pub application_id: [u8; 4],
    /// The version of the tables; in the file's `user_version`.
    pub version: u32,
    /// The SQL that makes the tables. What is written in a statement stays in the file, comments
    /// included: `.schema` in the `sqlite3` shell shows them to whoever opens it.
    pub tables: &'static str,
    /// Versions that are brought up to date.
    pub older: &'static [Older],
    /// Megabytes of disk that are given up when it is full, so that deleting still works. What is in
    /// the log has to fit into the file then, and what is deleted into the log.
    pub reserve_mb: u64,
    /// Megabytes up to which a file is read through when it is opened. A larger one is once damage has
    /// shown while it was used: to read a gigabyte takes some seconds, and from a slow disk a minute.
    pub checked_mb: u64,
}

/// A version of a file before today's, without an `application_id`.
#[derive(Debug)]
pub struct Older {
    /// Its number.
    pub version: u32,
    /// Whether a file with that number is one. Only reads.
    pub is_ours: fn(&Connection) -> rusqlite::Result<bool>,
    /// Moves what is in its tables into those of today, which are there and empty, and drops them.
    pub bring_up: fn(&Connection) -> rusqlite::Result<()>,
}

impl fmt::Debug for Format {
    /// Not the tables: a format is a part of each error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({} {})", self.name, self.version)
    }
}

impl Format {
    /// Says what was attempted.
    pub fn attempt<T>(
        &'static self,
        attempt: &'static str,
        result: rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        result.map_err(|source| DatabaseError::Sqlite { format: self, attempt, source })
    }

    /// The version of the file, 0 for one that has nothing in it. Only reads: what is not ours stays
    /// as it is.
    fn recognise(&'static self, connection: &Connection) -> Result<u32, DatabaseError> {
        // Should somebody else's file have a log, closing must not write that back.
        let keep_log = |keep| {
            let set = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep);
            self.attempt("be opened", set.map(drop))
        };
        let read = |sql| {
            let value = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
            self.attempt("be opened", value)
        };
        keep_log(true)?;
        let objects = read("SELECT count(*) FROM sqlite_schema")?;
        let owner = read("PRAGMA application_id")?;
        let version = read("PRAGMA user_version")?;
        let older = self.older.iter().find(|older| i64::from(older.version) == version);
        let is_ours = match older {
            Some(older) => owner == 0 && self.attempt("be opened", (older.is_ours)(connection))?,
            None if version == 0 => objects == 0 && owner == 0,
            None => owner == i64::from(i32::from_be_bytes(self.application_id)),
        };
        if !is_ours {
            return Err(DatabaseError::Foreign { format: self });
        }
        match u32::try_from(version) {
            Ok(version) if version <= self.version => keep_log(false).map(|()| version),
            _ => Err(DatabaseError::Version { format: self, found: version }),
        }
    }

    /// Gives a new file its tables, and those of today to a file of an older version.
    pub(crate) fn prepare(&'static self, connection: &mut Connection) -> Result<(), DatabaseError> {
        let version = self.recognise(connection)?;
        if version == 0 {
            // Nothing is lost with a file that has nothing in it, and a node should start quickly.
            // What is synchronised later has this with it.
            let hurry = connection.pragma_update(None, "synchronous", "OFF");
            // Only possible before there is anything in the file.
            self.attempt("be laid out", hurry.and_then(|()| lay_out(connection)))?;
            self.attempt("make its tables", self.make(connection, None))?;
        } else if let Some(older) = self.older.iter().find(|older| older.version == version) {
            let (name, today) = (self.name, self.version);
            tracing::info!("the {name} file has version {version}, bringing it to {today}");
            self.attempt("bring its tables up to date", self.make(connection, Some(older)))?;
        }
        let vacuum = connection.pragma_query_value(None, "auto_vacuum", |row| row.get::<_, u32>(0));
        // A file of an older version has the layout of its time, until now or until a killed
        // program's next start.
        if self.attempt("be opened", vacuum)? != INCREMENTAL && !in_memory(connection) {
            let rewrite = || {
                // The size of a page cannot change while there is a log.
                connection.pragma_update(None, "journal_mode", "DELETE")?;
                lay_out(connection)?;
                connection.execute_batch("VACUUM")
            };
            self.attempt("be laid out", rewrite())?;
        }
        Ok(())
    }

    /// All or nothing, in one transaction.
    fn make(&self, connection: &mut Connection, from: Option<&Older>) -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        transaction.execute_batch(self.tables)?;
        if let Some(older) = from {
            (older.bring_up)(&transaction)?;
        }
        let owner = i32::from_be_bytes(self.application_id);
        transaction.pragma_update(None, "application_id", owner)?;
        transaction.pragma_update(None, "user_version", self.version)?;
        transaction.commit()
    }
}

/// The number of `auto_vacuum = INCREMENTAL`.
const INCREMENTAL: u32 = 2;

/// With incremental vacuum a file gives free pages back when it is told to.
fn lay_out(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")
}

fn in_memory(connection: &Connection) -> bool {
    connection.path().is_none_or(str::is_empty)
}
