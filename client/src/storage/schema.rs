//! The tables of a client's file.

use storage::Format;

/// What `client.sqlite` is.
pub(super) static FORMAT: Format = Format {
    name: "journal",
    user: "client",
    items: "messages",
    application_id: *b"nymc",
    version: 1,
    tables: TABLES,
    older: &[],
    // Deleting is what has to work: a message that was taken or is finished, and what is acknowledged.
    // Room for the log of that and for some of its writing back; a provider's 16 would be 800 MB with
    // fifty clients on one disk.
    reserve_mb: 4,
    // Reading through 64 MB takes a seventh of a second of one core, and a client should be ready
    // within one.
    checked_mb: 64,
};

/// Pieces of one message are numbered from its set of pieces times this, and parts of an outgoing one
/// from its number times this.
pub(super) const PLACES: u64 = 1 << 16;
const _: () = assert!((wire::MAX_FRAGMENTS as u64) < PLACES);

/// Bytes of a part of an outgoing message.
pub(super) const PART_BYTES: usize = 1 << 16;

/// The tables. A piece is a row of its own from its arrival on, and nothing is copied when its message
/// is complete. Its key is one number: a key of two columns would need an index besides, and a second
/// page to be written for each piece.
const TABLES: &str = "
CREATE TABLE provider (
    -- The provider where this client has its mailbox, one row: its address stays what it is when the
    -- client starts again. Look at everything at any time; change it only while the client is stopped.
    only INTEGER PRIMARY KEY CHECK (only = 1),
    -- The provider's public key, base58.
    key TEXT NOT NULL,
    chosen_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))
) STRICT;

CREATE TABLE outgoing (
    -- Messages that were accepted from applications and are not acknowledged yet.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message BLOB NOT NULL UNIQUE CHECK (length(message) = 16),
    -- 1 if reply blocks stand in front of its content.
    with_replies INTEGER NOT NULL,
    -- client@provider; null for a reply, which goes over the reply blocks that are set aside for it.
    recipient TEXT,
    -- Bytes of the data, and the first 65536 of them.
    bytes INTEGER NOT NULL,
    data BLOB NOT NULL,
    accepted_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))
) STRICT;

CREATE TABLE outgoing_rest (
    -- The rest of the data of long messages, 65536 bytes each, so that nobody ever has a second copy of
    -- a long message in memory.
    place INTEGER PRIMARY KEY, -- the message's number times 65536, plus the part's number from 1
    data BLOB NOT NULL
) STRICT;

CREATE TABLE acknowledged (
    -- Packets of outgoing messages that the recipient's provider has.
    outgoing INTEGER NOT NULL REFERENCES outgoing (number) ON DELETE CASCADE,
    fragment INTEGER NOT NULL,
    PRIMARY KEY (outgoing, fragment)
) STRICT, WITHOUT ROWID;

CREATE TABLE own_reply_blocks (
    -- Reply blocks that were sent out with messages: by its identifier it is known to which message a
    -- reply replies. The oldest are forgotten.
    number INTEGER PRIMARY KEY,
    identifier BLOB NOT NULL UNIQUE CHECK (length(identifier) = 16),
    message BLOB NOT NULL CHECK (length(message) = 16)
) STRICT;

CREATE TABLE pieces (
    -- What has arrived of messages, complete or not. Read a message by its set of pieces:
    -- SELECT data FROM pieces WHERE place / 65536 = :pieces ORDER BY place
    place INTEGER PRIMARY KEY, -- the set of pieces times 65536, plus the piece's number from 0
    data BLOB NOT NULL
) STRICT;

CREATE TABLE incomplete (
    -- Messages of which pieces are missing.
    pieces INTEGER PRIMARY KEY, -- the set of pieces
    message BLOB NOT NULL UNIQUE CHECK (length(message) = 16),
    -- 1 if reply blocks stand in front of its content.
    with_replies INTEGER NOT NULL,
    -- How many pieces there will be, how many there are, and their bytes.
    fragments INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    -- The message that it replies to, if it came over a reply block.
    in_reply_to BLOB,
    -- When the newest piece came: milliseconds since 1970.
    newest_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX incomplete_by_age ON incomplete (newest_ms);

CREATE TABLE inbox (
    -- Messages that were complete, in that order. A number is never given twice.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message BLOB NOT NULL UNIQUE CHECK (length(message) = 16),
    -- The set of pieces, and how many bytes of the first that is left are not content.
    pieces INTEGER NOT NULL,
    skip INTEGER NOT NULL,
    -- Bytes of the content.
    bytes INTEGER NOT NULL,
    in_reply_to BLOB,
    completed_ms INTEGER NOT NULL,
    -- 0: no application has it. 1: one has. Null: its pieces are deleted, and the row is only there so
    -- that the message is not delivered twice.
    taken INTEGER CHECK (taken IN (0, 1))
) STRICT;

CREATE INDEX inbox_contents ON inbox (taken, number, bytes) WHERE taken IS NOT NULL;

CREATE TABLE reply_blocks (
    -- Single-use reply blocks that came with messages of the inbox.
    inbox INTEGER NOT NULL REFERENCES inbox (number) ON DELETE CASCADE,
    number INTEGER NOT NULL, -- from 0, as they stood in the message
    block BLOB NOT NULL,
    -- The outgoing reply for which it is set aside. A block that was used is deleted.
    used_by BLOB,
    PRIMARY KEY (inbox, number)
) STRICT;

CREATE INDEX reply_blocks_set_aside ON reply_blocks (used_by) WHERE used_by IS NOT NULL;
";
