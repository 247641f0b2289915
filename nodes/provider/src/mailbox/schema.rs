//! The tables of the mailbox file, and how a file gets them.

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use wire::PublicKey;

use super::{MailboxError, attempt};

/// The version of the tables; in the file's `user_version`.
pub(super) const SCHEMA_VERSION: u32 = 2;

/// Four letters, `nymd`, in the file's `application_id`: tools then say whose file it is.
const APPLICATION_ID: i32 = 0x6e79_6d64;

/// Bytes of a page: three packets fit into it with 20 % left over. A page of 4096 would hold one and
/// leave half of itself empty; larger ones make small transactions write more.
const PAGE_BYTES: u32 = 8192;

/// The tables. What is written in a statement stays in the file, comments included: `.schema` in the
/// `sqlite3` shell shows them to whoever opens it.
///
/// The index has all that is counted when the file is opened, so that the packets themselves need
/// not be read.
const TABLES: &str = "
CREATE TABLE clients (
    -- Who is registered. Look at it at any time; change it only while the provider is stopped.
    id INTEGER PRIMARY KEY,
    -- The client's public key, base58.
    key TEXT NOT NULL UNIQUE,
    -- By which protocol it registered: nym-devnet.v1 (it proved that the key is its own), TCP
    -- register and pull, or the websocket of the gateways. A proof replaces the other two.
    protocol TEXT NOT NULL CHECK (protocol IN ('v1', 'tcp', 'websocket')),
    -- When, UTC.
    registered_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))
) STRICT;

CREATE TABLE tokens (
    -- To whom a token was given; who has no row here cannot use one. The token itself is not kept:
    -- it is HMAC-SHA256 of the client's key under the provider's private key. Delete a row, while
    -- the provider is stopped, to take the token back; a client that asks again gets it again.
    client INTEGER PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,
    -- When it was first given, and when last, UTC.
    first_given_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')),
    last_given_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')),
    -- How often it was asked for: the protocols with tokens give it to anyone who does.
    times INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE messages (
    -- The packets that wait for their clients. A number is never given twice, and grows with each
    -- arrival.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    client INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    -- What the packet's last hop was told beside the client's key: zeros with a message or a cover
    -- packet, otherwise the mark by which the sender knows the acknowledgement of its packet.
    identifier BLOB NOT NULL CHECK (length(identifier) = 16),
    -- The payload as Sphinx left it, sealed to the client or, of an acknowledgement, random.
    payload BLOB NOT NULL
) STRICT;

CREATE INDEX messages_of_client ON messages (client, number, length(payload));
";

/// Version 1 had the tables `client (id, key BLOB)` and `packet (number, client, identifier,
/// payload)`. All of its clients had proven their keys.
const MOVE_VERSION_1: &str = "
INSERT INTO messages (number, client, identifier, payload)
    SELECT number, client, identifier, payload FROM packet ORDER BY number;
DELETE FROM sqlite_sequence WHERE name = 'messages';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'messages', seq FROM sqlite_sequence WHERE name = 'packet';
DROP TABLE packet;
DROP TABLE client;
";

/// How many of the columns of version 1 a file has: 6 of its own. It has no `application_id`.
const COLUMNS_OF_VERSION_1: &str = "
SELECT (SELECT count(*) FROM pragma_table_info('client') WHERE name IN ('id', 'key'))
     + (SELECT count(*) FROM pragma_table_info('packet')
        WHERE name IN ('number', 'client', 'identifier', 'payload'))
";

/// The version of the file, 0 for one that has nothing in it. Only reads: what is not ours stays as
/// it is.
fn recognise(connection: &Connection) -> Result<u32, MailboxError> {
    // Should somebody else's file have a log, closing must not write that back.
    let keep_log = |keep| {
        let set = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep);
        attempt("be opened", set.map(drop))
    };
    let read = |sql| {
        let value = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        attempt("be opened", value)
    };
    keep_log(true)?;
    let objects = read("SELECT count(*) FROM sqlite_schema")?;
    let owner = read("PRAGMA application_id")?;
    let version = read("PRAGMA user_version")?;
    let is_ours = match version {
        0 => objects == 0 && owner == 0,
        1 => owner == 0 && read(COLUMNS_OF_VERSION_1)? == 6,
        _ => owner == i64::from(APPLICATION_ID),
    };
    if !is_ours {
        return Err(MailboxError::Foreign);
    }
    match u32::try_from(version) {
        Ok(version) if version <= SCHEMA_VERSION => keep_log(false).map(|()| version),
        _ => Err(MailboxError::Version { found: version }),
    }
}

/// Gives a new file its tables, and those of today to a file of version 1.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), MailboxError> {
    match recognise(connection)? {
        0 => {
            // Nothing is lost with a file that has nothing in it, and a node should start quickly. What is
            // synchronised later has this with it.
            let hurry = connection.pragma_update(None, "synchronous", "OFF");
            // Only possible before there is anything in the file.
            attempt("be laid out", hurry.and_then(|()| lay_out(connection)))?;
            attempt("make its tables", make(connection, false))?;
        }
        1 => {
            tracing::info!("the mailbox file has version 1, bringing it to {SCHEMA_VERSION}");
            attempt("bring its tables up to date", make(connection, true))?;
        }
        _ => {}
    }
    let vacuum = connection.pragma_query_value(None, "auto_vacuum", |row| row.get::<_, u32>(0));
    // A file of version 1 has the layout of its time, until now or until a killed program's next
    // start.
    if attempt("be opened", vacuum)? != INCREMENTAL && !in_memory(connection) {
        let rewrite = || {
            // The size of a page cannot change while there is a log.
            connection.pragma_update(None, "journal_mode", "DELETE")?;
            lay_out(connection)?;
            connection.execute_batch("VACUUM")
        };
        attempt("be laid out", rewrite())?;
    }
    Ok(())
}

/// The number of `auto_vacuum = INCREMENTAL`.
const INCREMENTAL: u32 = 2;

/// With incremental vacuum a file gives free pages back when it is told to.
fn lay_out(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")
}

pub(super) fn in_memory(connection: &Connection) -> bool {
    connection.path().is_none_or(str::is_empty)
}

/// All or nothing, in one transaction.
fn make(connection: &mut Connection, from_version_1: bool) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    if from_version_1 {
        let mut read = transaction.prepare("SELECT id, key FROM client ORDER BY id")?;
        let mut clients = read.query([])?;
        while let Some(client) = clients.next()? {
            let (id, key): (i64, [u8; PublicKey::BYTES]) = (client.get(0)?, client.get(1)?);
            let insert = "INSERT INTO clients (id, key, protocol) VALUES (?1, ?2, 'v1')";
            let key = PublicKey::from_bytes(key).to_string();
            transaction.execute(insert, rusqlite::params![id, key])?;
        }
        drop(clients);
        drop(read);
        transaction.execute_batch(MOVE_VERSION_1)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()
}
