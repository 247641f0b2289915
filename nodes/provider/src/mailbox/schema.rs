//! The tables of the mailbox file, and how those of version 1 become those of today.

use rusqlite::{Connection, params};
use storage::{Format, Older};
use wire::PublicKey;

/// What `mailbox.sqlite` is.
pub(super) static FORMAT: Format = Format {
    name: "mailbox",
    user: "provider",
    items: "packets",
    application_id: *b"nymd",
    version: 2,
    tables: TABLES,
    older: &[Older { version: 1, is_ours: is_version_1, bring_up: bring_up_version_1 }],
    // The log of one checkpoint, and as much again for what the checkpoint adds to the file.
    reserve_mb: 16,
    // Always: a provider may take its time.
    checked_mb: u64::MAX,
};

/// The tables. The index has all that is counted when the file is opened, so that the packets themselves need
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
    -- What the packet's last hop was told beside the client's key. By that of an acknowledgement the
    -- sender knows which packet arrived; that of any other packet is random, or zeros.
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

fn is_version_1(connection: &Connection) -> rusqlite::Result<bool> {
    let columns: i64 = connection.query_row(COLUMNS_OF_VERSION_1, [], |row| row.get(0))?;
    Ok(columns == 6)
}

fn bring_up_version_1(connection: &Connection) -> rusqlite::Result<()> {
    let mut read = connection.prepare("SELECT id, key FROM client ORDER BY id")?;
    let mut clients = read.query([])?;
    while let Some(client) = clients.next()? {
        let (id, key): (i64, [u8; PublicKey::BYTES]) = (client.get(0)?, client.get(1)?);
        let insert = "INSERT INTO clients (id, key, protocol) VALUES (?1, ?2, 'v1')";
        connection.execute(insert, params![id, PublicKey::from_bytes(key).to_string()])?;
    }
    drop(clients);
    drop(read);
    connection.execute_batch(MOVE_VERSION_1)
}
