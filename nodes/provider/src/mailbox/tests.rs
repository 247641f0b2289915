use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt};

use rusqlite::Connection;
use storage::Failure;

use super::*;

fn key(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

fn parcel(client: u8, number: u8) -> Parcel {
    Parcel {
        client: key(client),
        identifier: [number; 16],
        payload: vec![number; 2048],
        ack: None,
        arrival: None,
    }
}

fn quotas(per_client: u64, total: u64) -> Quotas {
    Quotas { per_client: Amount::of_packets(per_client), total: Amount::of_packets(total) }
}

fn open(path: &Path) -> Mailbox {
    Mailbox::open(path, Quotas::default()).expect("a mailbox")
}

fn numbers(deliveries: &[Delivery]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.number).collect()
}

/// Stores as many packets of one client.
fn fill(mailbox: &mut Mailbox, packets: usize) {
    mailbox.register(&key(1), Protocol::V1).expect("registers");
    for _ in 0..packets / 50 {
        mailbox.store(&vec![parcel(1, 1); 50]).expect("stores");
        mailbox.tidy().expect("tidies");
    }
}

#[test]
fn packets_over_a_quota_are_refused_and_deleting_makes_room() {
    let mut mailbox = Mailbox::in_memory().expect("a mailbox");
    mailbox.quotas = quotas(3, 5);
    for client in [1, 2] {
        mailbox.register(&key(client), Protocol::V1).expect("registers");
    }
    let stored = mailbox.store(&[1, 1, 1, 1, 2, 2, 2, 9].map(|client| parcel(client, client)));
    let [yes, mine, all] = [Stored::Yes, Stored::ClientFull, Stored::ProviderFull];
    let expected = [yes, yes, yes, mine, yes, yes, all, Stored::UnknownClient];
    assert_eq!(stored.expect("stores"), expected);
    let first = mailbox.waiting(&key(1), 0, 1).expect("reads");
    mailbox.confirm(&key(1), &numbers(&first)).expect("deletes");
    assert_eq!(mailbox.store(&[parcel(2, 1), parcel(1, 1)]).expect("stores"), [yes, all]);
    // Large packets count for more.
    let large = Parcel { payload: vec![0; 3 * 2048], ..parcel(1, 1) };
    assert_eq!(mailbox.store(&[large]).expect("stores"), [mine]);
}

#[test]
fn a_proof_of_the_key_takes_the_token_back_that_anyone_could_have() {
    let mut mailbox = Mailbox::in_memory().expect("a mailbox");
    let registered = mailbox.register(&key(1), Protocol::Tcp).expect("registers");
    assert_eq!(registered, Registration { protocol: Protocol::Tcp, has_token: false });
    for times in 1..=2 {
        mailbox.transaction(|batch| batch.give_token(&key(1))).expect("notes");
        let noted =
            mailbox
                .database
                .connection()
                .query_row("SELECT times FROM tokens", [], |row| row.get(0));
        assert_eq!(noted, Ok(times));
    }
    let again = mailbox.register(&key(1), Protocol::Websocket).expect("registers");
    assert_eq!(again, Registration { protocol: Protocol::Tcp, has_token: true }, "unchanged");
    let proven = mailbox.register(&key(1), Protocol::V1).expect("registers");
    assert_eq!(proven, Registration { protocol: Protocol::V1, has_token: false });
    let tokens =
        mailbox
            .database
            .connection()
            .query_row("SELECT count(*) FROM tokens", [], |row| row.get(0));
    assert_eq!(tokens, Ok(0));
    let after = mailbox.register(&key(1), Protocol::Tcp).expect("registers");
    assert_eq!(after.protocol, Protocol::V1, "nobody else takes it over");
}

#[test]
fn a_failed_transaction_leaves_nothing_behind_in_memory_either() {
    let mut mailbox = Mailbox::in_memory().expect("a mailbox");
    mailbox.register(&key(1), Protocol::V1).expect("registers");
    mailbox.store(&[parcel(1, 1)]).expect("stores");
    let first = numbers(&mailbox.waiting(&key(1), 0, 1).expect("reads"));
    let failed = mailbox.transaction(|batch| {
        batch.register(&key(2), Protocol::Tcp)?;
        batch.store(&parcel(2, 1))?;
        batch.store(&parcel(1, 1))?;
        batch.confirm(&key(1), &first)?;
        Err::<(), _>(MailboxError::TooManyNamed)
    });
    assert!(failed.is_err());
    assert_eq!(mailbox.waiting_total(), Amount::of_packets(1));
    assert_eq!(mailbox.waiting_for(&key(1)), Amount::of_packets(1));
    assert_eq!(mailbox.store(&[parcel(2, 1)]).expect("stores"), [Stored::UnknownClient]);
    assert_eq!(mailbox.clients().expect("lists"), [key(1)]);
}

/// What the program wrote before there were several protocols.
const VERSION_1: &str = "
    CREATE TABLE client (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE CHECK (length(key) = 32)
    ) STRICT;
    CREATE TABLE packet (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        client INTEGER NOT NULL REFERENCES client (id),
        identifier BLOB NOT NULL CHECK (length(identifier) = 16),
        payload BLOB NOT NULL
    ) STRICT;
    CREATE INDEX packet_of_client ON packet (client, number);
    PRAGMA user_version = 1;
";

#[test]
fn a_file_of_version_1_is_brought_up_to_date_and_gives_no_number_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let old = Connection::open(&path).expect("a database");
    old.pragma_update(None, "journal_mode", "WAL").expect("set");
    old.execute_batch(VERSION_1).expect("made");
    old.execute("INSERT INTO client (id, key) VALUES (7, ?1)", [key(1).as_bytes()]).expect("in");
    for identifier in [1, 2, 3] {
        let sql = "INSERT INTO packet (client, identifier, payload) VALUES (7, ?1, ?2)";
        old.execute(sql, ([identifier; 16], vec![identifier; 2048])).expect("in");
    }
    old.execute_batch("DELETE FROM packet WHERE number = 3").expect("deleted");
    drop(old);

    for _ in 0..2 {
        let mut mailbox = open(&path);
        let proven = mailbox.register(&key(1), Protocol::Tcp).expect("knows it");
        assert_eq!(proven.protocol, Protocol::V1);
        let waiting = mailbox.waiting(&key(1), 0, 10).expect("reads");
        assert_eq!(numbers(&waiting), [1, 2]);
        assert_eq!(waiting[1].payload, [2; 2048]);
        assert_eq!(mailbox.waiting_total(), Amount::of_packets(2));
        let layout =
            |name| mailbox.database.connection().pragma_query_value(None, name, |row| row.get(0));
        assert_eq!([layout("page_size"), layout("auto_vacuum")], [Ok(8192), Ok(2)]);
    }
    let mut mailbox = open(&path);
    mailbox.store(&[parcel(1, 9)]).expect("stores");
    assert_eq!(numbers(&mailbox.waiting(&key(1), 2, 10).expect("reads")), [4], "3 was given");
}

#[test]
fn the_file_explains_itself_and_is_its_owners_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let mut mailbox = open(&path);
    fill(&mut mailbox, 50);
    // As somebody sees it who looks at it while the provider runs.
    let other = Connection::open(&path).expect("can be looked at");
    let mut statement = other.prepare("SELECT name, sql FROM sqlite_schema").expect("SQL");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("reads");
    let schema: std::collections::BTreeMap<String, Option<String>> =
        rows.collect::<Result<_, _>>().expect("reads");
    for table in ["clients", "tokens", "messages"] {
        let sql = schema[table].as_ref().expect("a table has a statement");
        assert!(sql.contains("-- ") && sql.ends_with("STRICT"), "{sql}");
    }
    let client = "SELECT key, protocol FROM clients";
    let client = other.query_row(client, [], |row| Ok((row.get(0)?, row.get(1)?)));
    assert_eq!(client, Ok((key(1).to_string(), "v1".to_owned())));
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let entry = entry.expect("a file");
        let mode = entry.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{entry:?}");
    }
}

#[test]
fn what_is_counted_at_the_start_is_read_from_the_index_alone() {
    let mailbox = Mailbox::in_memory().expect("a mailbox");
    let sql = "EXPLAIN QUERY PLAN SELECT client, count(*), sum(length(payload))
               FROM messages INDEXED BY messages_of_client GROUP BY client";
    let plan = mailbox.database.connection().query_row(sql, [], |row| row.get::<_, String>(3));
    let plan = plan.expect("a plan");
    assert!(plan.contains("USING COVERING INDEX messages_of_client"), "{plan}");
}

#[test]
fn a_file_of_a_newer_program_or_of_another_one_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let connection = Connection::open(&path).expect("a database");
    connection.execute_batch("CREATE TABLE of_somebody (else_ TEXT)").expect("made");
    let refused = Mailbox::open_or_replace(&path, Quotas::default());
    assert!(matches!(refused, Err(MailboxError::File(DatabaseError::Foreign { .. }))));
    let mut clash = "CREATE TABLE client (id); CREATE TABLE packet (number)";
    for version in 1..=3 {
        connection.execute_batch(clash).expect("made");
        clash = "";
        connection.pragma_update(None, "user_version", version).expect("written");
        let before = fs::read(&path).expect("reads");
        let refused = Mailbox::open_or_replace(&path, Quotas::default());
        assert!(
            matches!(refused, Err(MailboxError::File(DatabaseError::Foreign { .. }))),
            "{version}: {refused:?}"
        );
        assert_eq!(fs::read(&path).expect("reads"), before, "{version}");
    }
    let ours = i32::from_be_bytes(*b"nymd");
    connection.pragma_update(None, "application_id", ours).expect("written");
    let refused = Mailbox::open_or_replace(&path, Quotas::default());
    assert!(matches!(refused, Err(MailboxError::File(DatabaseError::Version { found: 3, .. }))));
    let tables = connection.query_row("SELECT count(*) FROM of_somebody", [], |row| row.get(0));
    assert_eq!(tables, Ok(0));
}

#[test]
fn without_its_reserve_it_stores_nothing_and_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let reserve = folder.path().join("mailbox.sqlite.reserve");
    fs::create_dir(&reserve).expect("made");
    let mut mailbox = open(&path);
    mailbox.register(&key(1), Protocol::V1).expect("registers");
    let refused = mailbox.store(&[parcel(1, 1)]).expect_err("no reserve");
    assert!(refused.to_string().contains("sqlite.reserve` is a folder"), "{refused}");
    fs::remove_dir(&reserve).expect("removed");
    assert_eq!(mailbox.store(&[parcel(1, 1)]).expect("stores"), [Stored::Yes]);
}

#[test]
fn accounts_by_name_leave_half_of_the_places_to_those_with_a_proof() {
    let mut mailbox = Mailbox::in_memory().expect("a mailbox");
    let client = |number: u64| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        PublicKey::from_bytes(key)
    };
    let mut register = |numbers: std::ops::Range<u64>, protocol| {
        mailbox.transaction(|batch| {
            numbers.clone().try_for_each(|it| batch.register(&client(it), protocol).map(drop))
        })
    };
    let half = MAX_CLIENTS / 2;
    let failed = register(0..half + 1, Protocol::Tcp);
    assert!(matches!(failed, Err(MailboxError::TooManyNamed)), "{failed:?}");
    register(0..half, Protocol::Tcp).expect("what failed counts for nothing");
    let refused = register(half..half + 1, Protocol::Websocket);
    assert!(matches!(refused, Err(MailboxError::TooManyNamed)), "{refused:?}");
    // A proof makes a place free again that a name had.
    register(0..1, Protocol::V1).expect("takes it over");
    register(half..half + 1, Protocol::Websocket).expect("has its place");
    register(half + 1..MAX_CLIENTS, Protocol::V1).expect("have their half");
    let refused = register(MAX_CLIENTS..MAX_CLIENTS + 1, Protocol::V1);
    assert!(matches!(refused, Err(MailboxError::TooManyClients)), "{refused:?}");
}

/// Damages a mailbox with 500 packets in it, in every way that it is damaged in practice.
#[test]
fn a_damaged_file_is_put_aside_and_a_new_one_takes_its_place() {
    type Damage = fn(&Path);
    let ways: [(&str, Damage); 6] = [
        ("not a database", |path| fs::write(path, [b'x'; 4096]).expect("written")),
        ("cut in half", |path| {
            let file = OpenOptions::new().write(true).open(path).expect("opens");
            let length = file.metadata().expect("there").len();
            file.set_len(length / 2).expect("cut");
        }),
        ("a page in the middle overwritten", |path| {
            let file = OpenOptions::new().write(true).open(path).expect("opens");
            let length = file.metadata().expect("there").len();
            file.write_all_at(&[0xa5; 8192], length / 2 / 8192 * 8192).expect("written");
        }),
        ("the beginning overwritten", |path| {
            let file = OpenOptions::new().write(true).open(path).expect("opens");
            file.write_all_at(&[0xa5; 8192], 0).expect("written");
        }),
        ("an index that does not fit the packets", |path| {
            let mut bytes = fs::read(path).expect("reads");
            // A leaf of an index that has many entries. It ends with one, and that with a length.
            let is_leaf = |page: &&mut [u8]| page[0] == 10 && page[3..5] > [0, 50][..];
            let leaf =
                bytes.chunks_exact_mut(8192).find(is_leaf).expect("the index of the packets");
            *leaf.last_mut().expect("a page") ^= 1;
            fs::write(path, bytes).expect("written");
        }),
        ("emptied, with its log left", |path| {
            fs::write(path.with_file_name("mailbox.sqlite-wal"), [1; 100]).expect("written");
            fs::write(path, []).expect("emptied");
        }),
    ];
    for (what, damage) in ways {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mailbox.sqlite");
        let mut mailbox = open(&path);
        fill(&mut mailbox, 500);
        drop(mailbox);
        for number in 1..=2 {
            damage(&path);
            let damaged = fs::read(&path).expect("reads");
            let strict = Mailbox::open(&path, Quotas::default()).expect_err(what);
            let strict = strict.into_database().expect("no refusal");
            assert!(strict.is_damage(), "{what}: {strict}");
            assert_eq!(fs::read(&path).expect("reads"), damaged, "{what}: left as it was");

            let opened = Mailbox::open_or_replace(&path, Quotas::default()).expect(what);
            let aside = opened.damaged.expect(what);
            let name = format!("mailbox.sqlite.damaged-{number}");
            assert_eq!(aside.kept, folder.path().join(name), "{what}");
            assert_eq!(fs::read(&aside.kept).expect("kept"), damaged, "{what}: kept as it was");
            let mut mailbox = opened.mailbox;
            assert_eq!(mailbox.client_count(), 0, "{what}: a new one");
            fill(&mut mailbox, 500);
            drop(mailbox);
            assert_eq!(open(&path).waiting_total(), Amount::of_packets(500), "{what}");
        }
    }
}

#[test]
fn a_key_that_is_none_is_damage_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let mailbox = open(&path);
    mailbox
        .database
        .connection()
        .execute("INSERT INTO clients (key, protocol) VALUES ('x', 'v1')", [])
        .expect("in");
    drop(mailbox);
    let opened = Mailbox::open_or_replace(&path, Quotas::default()).expect("a new one");
    let reason = opened.damaged.expect("put aside").reason;
    assert!(reason.contains("`x` is not a key"), "{reason}");
}

#[test]
fn packets_that_somebody_put_into_the_file_meanwhile_upset_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let mut mailbox = open(&path);
    fill(&mut mailbox, 50);
    let other = Connection::open(&path).expect("opens");
    let sql = "INSERT INTO messages (client, identifier, payload)
               SELECT client, identifier, payload FROM messages";
    other.execute(sql, []).expect("in");
    let deleted = mailbox.transaction(|batch| batch.confirm_up_to(&key(1), u64::MAX));
    assert_eq!(deleted.expect("deletes"), 100);
    assert_eq!(mailbox.waiting_total(), Amount::default());
    assert_eq!(mailbox.store(&[parcel(1, 1)]).expect("stores"), [Stored::Yes]);
}

#[test]
fn while_somebody_else_writes_into_the_file_nothing_is_stored_and_it_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let mut mailbox = open(&path);
    fill(&mut mailbox, 50);
    let other = Connection::open(&path).expect("opens");
    other.execute_batch("BEGIN; DELETE FROM messages").expect("writes");
    assert!(matches!(
        mailbox.store(&[parcel(1, 1)]),
        Err(MailboxError::File(DatabaseError::Busy { .. }))
    ));
    assert_eq!(mailbox.waiting(&key(1), 0, 100).expect("reads").len(), 50);
    other.execute_batch("ROLLBACK").expect("lets go");
    assert_eq!(mailbox.store(&[parcel(1, 1)]).expect("stores"), [Stored::Yes]);
    assert_eq!(mailbox.waiting_total(), Amount::of_packets(51));
}

#[test]
fn on_a_full_disk_storing_stops_and_deleting_makes_room_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let mut mailbox = open(&path);
    fill(&mut mailbox, 500);
    let pages: u32 = mailbox
        .database
        .connection()
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .expect("pages");
    mailbox.transaction(|batch| batch.limit_pages(pages + 10)).expect("set");
    let mut fill_up = |batch: usize| loop {
        if let Err(error) = mailbox.store(&vec![parcel(1, 1); batch]) {
            break error;
        }
    };
    for batch in [7, 1, 1] {
        let error = fill_up(batch);
        assert!(matches!(error, MailboxError::File(DatabaseError::DiskFull { .. })), "{error}");
    }
    let reserve = folder.path().join("mailbox.sqlite.reserve");
    assert!(!reserve.exists(), "the reserve is given up");
    let before = mailbox.waiting_total();
    assert!(before.packets < 600, "it was full in time");
    let waiting = mailbox.waiting(&key(1), 0, usize::MAX).expect("reads");
    assert_eq!(waiting.len() as u64, before.packets, "all or nothing of a batch, in memory too");
    // Together with deletions as well.
    let all = numbers(&waiting);
    let (old, rest) = all.split_at(100);
    let together = mailbox.transaction(|batch| {
        batch.store(&parcel(1, 1))?;
        batch.confirm(&key(1), old)
    });
    assert!(matches!(together, Err(MailboxError::File(DatabaseError::DiskFull { .. }))));
    assert_eq!(mailbox.confirm(&key(1), old).expect("deletes"), 100);
    assert_eq!(mailbox.store(&vec![parcel(1, 1); 90]).expect("stores"), [Stored::Yes; 90]);
    assert!(reserve.exists(), "and taken again");
    drop(mailbox);
    let waiting = open(&path).waiting(&key(1), 0, usize::MAX).expect("reads");
    assert_eq!(numbers(&waiting)[..rest.len()], *rest);
}

#[test]
fn room_that_is_not_needed_is_given_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let mut mailbox = open(&path);
    fill(&mut mailbox, 6000);
    let length = || fs::metadata(&path).expect("there").len();
    let full = length();
    loop {
        let waiting = mailbox.waiting(&key(1), 0, 50).expect("reads");
        if waiting.is_empty() {
            break;
        }
        mailbox.confirm(&key(1), &numbers(&waiting)).expect("deletes");
        mailbox.tidy().expect("tidies");
    }
    let empty = length();
    assert!(full > 12 << 20 && empty < full * 2 / 3, "{full} bytes became {empty}");
    assert_eq!(mailbox.store(&[parcel(1, 1)]).expect("stores"), [Stored::Yes]);
}
