//! What a client knows of its file by heart, and how much may be in it.

use std::ops::{AddAssign, SubAssign};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};
use storage::{DatabaseError, Memory};

use super::outgoing::{self, Found};
use super::schema::{FORMAT, PLACES};

/// How much may be in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Messages of which pieces are missing, and bytes of these pieces. Beyond, those without news for
    /// the longest time go.
    pub(super) incomplete: Amount,
    /// How long the pieces of a message are kept without news.
    pub(super) silence: Duration,
    /// Messages that no application has. Beyond, nothing is kept any more, and the provider keeps it.
    pub(super) untaken: Amount,
    /// Messages that applications have, for whoever looks at the inbox. Beyond, the oldest go.
    pub(super) taken: Amount,
    /// So many completed messages are remembered at least, so that none is delivered twice.
    pub(super) remembered: u64,
    /// Own reply blocks of which it is remembered with which message they went.
    pub(super) own_reply_blocks: i64,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self {
        // Sixteen of the longest. Their senders believe that they arrived, so that there is much room;
        // whoever knows an address can fill it and no more than that.
        incomplete: Amount { messages: 10_000, bytes: 256 << 20 },
        // A sender that is switched off goes on where it was, and may be off over a weekend.
        silence: Duration::from_secs(7 * 24 * 3600),
        // Of disk, as much as is not missed.
        untaken: Amount { messages: 1_000_000, bytes: 1 << 30 },
        // As much as a person looks through.
        taken: Amount { messages: 10_000, bytes: 64 << 20 },
        // With what SQLite adds some 100 MB. A sender gives up before others send that many.
        remembered: 1_000_000,
        // A hundred for each of a thousand messages: some 10 MB.
        own_reply_blocks: 100_000,
    };
}

/// An amount of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub messages: u64,
    /// Bytes of their contents.
    pub bytes: u64,
}

impl Amount {
    /// One message of so many bytes.
    pub(super) fn one(bytes: u64) -> Self {
        Self { messages: 1, bytes }
    }

    /// Whether it is more than that.
    pub(super) fn exceeds(self, limit: Self) -> bool {
        self.messages > limit.messages || self.bytes > limit.bytes
    }

    /// Whether nothing more may come.
    pub(super) fn fills(self, limit: Self) -> bool {
        self.messages >= limit.messages || self.bytes >= limit.bytes
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

impl SubAssign for Amount {
    /// Stays at zero if more goes than was counted: somebody may have changed the file by hand, which
    /// must not stop the client.
    fn sub_assign(&mut self, other: Self) {
        self.messages = self.messages.saturating_sub(other.messages);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// The number of the message that was complete last; 0 if none was.
    pub(super) newest: u64,
    /// The next set of pieces.
    pub(super) next_pieces: u64,
    pub(super) incomplete: Amount,
    pub(super) untaken: Amount,
    pub(super) taken: Amount,
}

/// All of it. What a transaction changes here is taken back with it.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) counts: Counts,
    before: Counts,
    pub(super) limits: Limits,
    /// What was found when the file was opened, until the client has it.
    pub(super) found: Option<Found>,
}

impl Memory for Ledger {
    fn load(connection: &Connection) -> Result<Self, DatabaseError> {
        let counts = FORMAT.attempt("count its messages", count(connection))?;
        let found = FORMAT.attempt("read what is to be sent", outgoing::find(connection))?;
        Ok(Self { counts, before: counts, limits: Limits::DEFAULT, found: Some(found) })
    }

    fn begin(&mut self) {
        self.before = self.counts;
    }

    fn roll_back(&mut self) {
        self.counts = self.before;
    }
}

/// Reads indexes and rows without contents.
fn count(connection: &Connection) -> rusqlite::Result<Counts> {
    let amount = |sql| {
        connection.query_row(sql, [], |row| {
            let bytes: Option<u64> = row.get(1)?;
            Ok(Amount { messages: row.get(0)?, bytes: bytes.unwrap_or_default() })
        })
    };
    let newest = "SELECT seq FROM sqlite_sequence WHERE name = 'inbox'";
    let newest = connection.query_row(newest, [], |row| row.get(0)).optional()?;
    let last: Option<u64> =
        connection.query_row("SELECT max(place) FROM pieces", [], |row| row.get(0))?;
    Ok(Counts {
        newest: newest.unwrap_or_default(),
        next_pieces: last.map_or(0, |place| place / PLACES + 1),
        incomplete: amount("SELECT count(*), sum(bytes) FROM incomplete")?,
        untaken: amount("SELECT count(*), sum(bytes) FROM inbox WHERE taken = 0")?,
        taken: amount("SELECT count(*), sum(bytes) FROM inbox WHERE taken = 1")?,
    })
}
