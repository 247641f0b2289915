use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;
use wire::{FRAGMENT_DATA_BYTES, HEADER_BYTES, MAX_FRAGMENTS, NodeAddress, PayloadSeeds};

use super::ledger::Limits;
use super::*;
use crate::outbox::Destination;

mod bounds;
mod model;
mod replies;

/// Long enough for a slow machine to close a file.
const LIMIT: Duration = Duration::from_secs(60);

fn id(byte: u8) -> MessageId {
    MessageId([byte; 16])
}

fn key(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

fn address(byte: u8) -> ClientAddress {
    ClientAddress { client: key(byte), provider: key(byte ^ 0xff) }
}

/// Bytes in which a piece in the wrong place shows.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 31 % 251).expect("less than 256")).collect()
}

fn pieces_of(kind: Kind, message: MessageId, data: &[u8]) -> Vec<(Fragment, Option<Identifier>)> {
    let pieces = (0..).map_while(|index| Fragment::of(kind, message, data, index));
    pieces.map(|piece| (piece, None)).collect()
}

fn pieces(message: MessageId, data: &[u8]) -> Vec<(Fragment, Option<Identifier>)> {
    pieces_of(Kind::Message, message, data)
}

/// One piece of a message that will not be complete.
fn beginning(message: MessageId, count: u32) -> Vec<(Fragment, Option<Identifier>)> {
    let data = vec![1; FRAGMENT_DATA_BYTES];
    vec![(Fragment { kind: Kind::Message, message, index: 0, count, data }, None)]
}

fn in_memory(limits: impl FnOnce(&mut Limits)) -> MessageFile {
    let mut file = MessageFile::in_memory().expect("a file");
    limits(&mut file.database.memory_mut().limits);
    file
}

fn count(file: &MessageFile, table: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM {table}");
    file.database.connection().query_row(&sql, [], |row| row.get(0)).expect("counts")
}

fn numbers(file: &MessageFile) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(next) = file.next_untaken(numbers.last().copied().unwrap_or(0)).expect("reads") {
        numbers.push(next.number);
    }
    numbers
}

struct Fixture {
    storage: Storage,
    restored: Restored,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::on(tempfile::tempdir().expect("a folder"))
    }

    fn on(folder: TempDir) -> Self {
        let (storage, restored) = Storage::open(folder.path()).expect("opens");
        Self { storage, restored, folder }
    }

    async fn reopen(self) -> Self {
        assert!(self.storage.close(LIMIT).await, "it is closed");
        Self::on(self.folder)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("client.sqlite")
    }
}

#[tokio::test]
async fn what_is_accepted_is_there_until_it_is_finished() {
    let fixture = Fixture::new();
    assert!(fixture.restored.outgoing.is_empty() && fixture.restored.damaged.is_none());
    let accept = async |storage: &Storage, message, data: &[u8]| {
        let data = Bytes::copy_from_slice(data);
        storage.accept(message, Kind::Message, address(1), data, vec![]).await.expect("keeps it")
    };
    let storage = &fixture.storage;
    assert!(accept(storage, id(1), b"one").await);
    assert!(accept(storage, id(2), b"two").await);
    assert!(accept(storage, id(3), &bytes(200_000)).await);
    assert!(!accept(storage, id(2), b"other").await, "it is underway");
    storage.acknowledged(id(3), 2);
    storage.acknowledged(id(3), 0);
    storage.acknowledged(id(3), 0);
    storage.acknowledged(id(2), 0);
    storage.finished(id(2));
    storage.acknowledged(id(2), 0);
    storage.choose_provider(key(7)).await.expect("noted");
    storage.choose_provider(key(8)).await.expect("noted");

    let fixture = fixture.reopen().await;
    assert_eq!(fixture.restored.provider, Some(key(8)));
    let outgoing = |message, data: Vec<u8>, acknowledged| Outgoing {
        message,
        to: Destination::Address(address(1)),
        kind: Kind::Message,
        data: data.into(),
        acknowledged,
    };
    let kept =
        [outgoing(id(1), b"one".into(), vec![]), outgoing(id(3), bytes(200_000), vec![0, 2])];
    assert_eq!(fixture.restored.outgoing, kept);
    // Whoever sends it again after it arrived means another one.
    assert!(accept(&fixture.storage, id(2), b"again").await);
    for message in [1, 2, 3] {
        fixture.storage.finished(id(message));
    }
    let fixture = fixture.reopen().await;
    assert!(fixture.restored.outgoing.is_empty());
    assert!(fixture.storage.close(LIMIT).await);
    let file = MessageFile::open(&fixture.path()).expect("a file");
    for table in ["outgoing", "outgoing_rest", "acknowledged"] {
        assert_eq!(count(&file, table), 0, "{table}");
    }
}

#[tokio::test]
async fn what_cannot_be_noted_now_is_noted_later() {
    let fixture = Fixture::new();
    let accept = async |byte: u8| {
        let data = Bytes::from_static(b"hi");
        let kept = fixture.storage.accept(id(byte), Kind::Message, address(1), data, vec![]);
        kept.await.expect("kept")
    };
    assert!(accept(1).await);
    let other = rusqlite::Connection::open(fixture.path()).expect("opens");
    let refuse = "CREATE TRIGGER refuse BEFORE DELETE ON outgoing
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    other.execute_batch(refuse).expect("made");
    fixture.storage.finished(id(1));
    assert!(accept(2).await, "it is not at fault");
    other.execute_batch("DROP TRIGGER refuse").expect("dropped");
    drop(other);
    let fixture = fixture.reopen().await;
    let outgoing = fixture.restored.outgoing.iter().map(|outgoing| outgoing.message);
    assert_eq!(outgoing.collect::<Vec<_>>(), [id(2)]);
}

#[tokio::test]
async fn what_is_acknowledged_is_written_down_though_nobody_asks_for_anything() {
    let fixture = Fixture::new();
    let storage = &fixture.storage;
    let data = Bytes::from_static(b"hi");
    storage.accept(id(1), Kind::Message, address(1), data, vec![]).await.expect("kept");
    storage.finished(id(1));
    let written = async |storage: &Storage| {
        let sql = "SELECT count(*) = 0 FROM outgoing";
        let read = move |connection: &rusqlite::Connection| {
            schema::FORMAT.attempt("count", connection.query_row(sql, [], |row| row.get(0)))
        };
        storage.read(read).await.expect("reads")
    };
    let waiting = async { while !written(storage).await {} };
    tokio::time::timeout(LIMIT, waiting).await.expect("a little later");
}

#[tokio::test]
async fn what_is_kept_is_there_after_the_process_was_killed() {
    let fixture = Fixture::new();
    let (one, other) = (bytes(4000), bytes(20_000));
    let kept = fixture.storage.keep(pieces(id(1), &one)).await.expect("kept");
    let complete = |number, message, data: &[u8]| Kept::Complete {
        message,
        number,
        content: contract::Content::from_bytes(data.to_vec()),
    };
    assert_eq!(kept, [Kept::Incomplete, Kept::Incomplete, complete(1, id(1), &one)]);
    let mut rest = pieces(id(2), &other);
    let last = rest.pop().expect("13 pieces");
    fixture.storage.keep(rest).await.expect("kept");
    fixture
        .storage
        .accept(id(9), Kind::Message, address(1), Bytes::new(), vec![])
        .await
        .expect("yes");
    // As a killed process leaves it.
    let after = tempfile::tempdir().expect("a folder");
    for suffix in ["", "-wal"] {
        let name = format!("client.sqlite{suffix}");
        fs::copy(fixture.folder.path().join(&name), after.path().join(&name)).expect("copied");
    }
    let fixture = Fixture::on(after);
    assert_eq!(fixture.restored.outgoing.len(), 1);
    assert_eq!(*fixture.storage.newest().borrow(), 1);
    let mut newest = fixture.storage.newest();
    let again = [pieces(id(1), &one), vec![last.clone(), last]].concat();
    let kept = fixture.storage.keep(again).await.expect("kept");
    let [duplicate, second] = [Kept::Duplicate, complete(2, id(2), &other)];
    let expected = [&duplicate, &duplicate, &duplicate, &second, &duplicate];
    assert_eq!(kept.iter().collect::<Vec<_>>(), expected);
    assert_eq!(*newest.borrow_and_update(), 2);
    for (number, data) in [(1, one), (2, other)] {
        let received = fixture.storage.next(number - 1, 0).await.expect("reads").expect("is there");
        assert_eq!((received.number, received.data), (number, Bytes::from(data)));
    }
    assert_eq!(fixture.storage.next(2, 0).await.expect("reads"), None);
}

#[test]
fn a_piece_that_claims_many_costs_no_more_than_itself() {
    let mut file = in_memory(|_| {});
    let pages = |file: &MessageFile| -> u64 {
        let count = file.database.connection().pragma_query_value(None, "page_count", |r| r.get(0));
        count.expect("counts")
    };
    let before = pages(&file);
    let claims = beginning(id(1), MAX_FRAGMENTS);
    assert_eq!(file.keep(0, &claims).expect("kept"), [Kept::Incomplete]);
    assert_eq!(pages(&file), before);
    assert_eq!(file.database.memory().counts.incomplete, Amount::one(FRAGMENT_DATA_BYTES as u64));
    // What contradicts it or makes no sense changes nothing.
    let odd = |kind, index, count| {
        let data = vec![1; FRAGMENT_DATA_BYTES];
        (Fragment { kind, message: id(1), index, count, data }, None)
    };
    let odd = [
        odd(Kind::Message, 1, MAX_FRAGMENTS - 1),
        odd(Kind::MessageWithReplies, 1, MAX_FRAGMENTS),
        odd(Kind::LoopCover, 1, MAX_FRAGMENTS),
        odd(Kind::Message, MAX_FRAGMENTS, MAX_FRAGMENTS),
        odd(Kind::Message, 0, u32::MAX),
    ];
    let kept = file.keep(0, &odd).expect("kept");
    assert!(kept.iter().all(|kept| *kept == Kept::Malformed), "{kept:?}");
    assert_eq!((count(&file, "pieces"), count(&file, "incomplete")), (1, 1));
}

#[test]
fn beyond_the_bounds_messages_without_news_go_and_no_others() {
    let limit = Amount { messages: 3, bytes: 5 * FRAGMENT_DATA_BYTES as u64 };
    let mut file = in_memory(|limits| limits.incomplete = limit);
    let all: Vec<_> = (1..=5).map(|message| pieces(id(message), &bytes(9000))).collect();
    let there = |file: &MessageFile| -> Vec<u8> {
        let sql = "SELECT message FROM incomplete ORDER BY message";
        let mut statement = file.database.connection().prepare(sql).expect("SQL");
        let ids = statement.query_map([], |row| row.get::<_, [u8; 16]>(0)).expect("reads");
        ids.map(|id| id.expect("16 bytes")[0]).collect()
    };
    let mut keep = |now, message: usize, piece: usize| {
        file.keep(now, &all[message - 1][piece..=piece]).expect("kept");
        assert_eq!(count(&file, "pieces"), file.database.memory().counts.incomplete.bytes / 1589);
        there(&file)
    };
    // By number: 1 has had news since, and 2 has not.
    for (now, message) in [(1, 1), (2, 2), (3, 3)] {
        keep(now, message, 0);
    }
    keep(4, 1, 1);
    assert_eq!(keep(4, 2, 0), [1, 2, 3], "no news");
    assert_eq!(keep(5, 4, 0), [1, 3, 4]);
    // By bytes.
    keep(6, 4, 1);
    assert_eq!(keep(7, 4, 2), [1, 4]);
    // By age.
    let week = u64::try_from(Limits::DEFAULT.silence.as_millis()).expect("small");
    assert_eq!(keep(4 + week, 4, 0), [1, 4]);
    assert_eq!(keep(5 + week, 4, 0), [4]);
    // A sender that believed in it sends the rest, which begins anew.
    let kept = file.keep(8 + week, &all[0][2..]).expect("kept");
    assert!(kept.iter().all(|kept| *kept == Kept::Incomplete), "{kept:?}");
}

#[test]
fn what_nobody_takes_is_never_deleted_and_stops_what_comes() {
    let limit = Amount { messages: 2, bytes: 1 << 20 };
    let mut file = in_memory(|limits| limits.untaken = limit);
    for message in [1, 2] {
        file.keep(0, &pieces(id(message), b"hi")).expect("kept");
    }
    let full = file.keep(0, &pieces(id(3), b"hi")).expect_err("is full");
    assert!(full.to_string().contains("2 messages with 4 bytes wait"), "{full}");
    assert!(matches!(full, StorageError::InboxFull(Amount { messages: 2, bytes: 4 })));
    assert_eq!(count(&file, "inbox"), 2);
    file.take(&[1, 77, u64::MAX]).expect("taken");
    file.take(&[1]).expect("again");
    file.keep(0, &pieces(id(3), &bytes(1 << 20))).expect("there is room");
    file.take(&[2]).expect("taken");
    file.keep(0, &pieces(id(4), b"hi")).expect_err("by its bytes");
    assert_eq!(numbers(&file), [3]);
}

#[test]
fn the_oldest_that_were_taken_go_and_are_known_when_they_come_again() {
    let limit = Amount { messages: 2, bytes: 20_000 };
    let mut file = in_memory(|limits| limits.taken = limit);
    for message in 1..=5 {
        file.keep(0, &pieces(id(message), &bytes(9000))).expect("kept");
    }
    let left = |file: &MessageFile| {
        let page = inbox::page(file.database.connection(), 0).expect("reads");
        page.messages.iter().map(|message| message.number).collect::<Vec<_>>()
    };
    file.take(&[2, 3, 4]).expect("taken");
    assert_eq!(left(&file), [1, 3, 4, 5], "by number");
    file.keep(0, &pieces(id(6), &bytes(12_000))).expect("kept");
    file.take(&[6]).expect("taken");
    assert_eq!(left(&file), [1, 5, 6], "by bytes");
    assert_eq!(count(&file, "pieces"), 6 + 6 + 8);
    let again = file.keep(0, &pieces(id(2), &bytes(9000))).expect("kept");
    assert_eq!(again, vec![Kept::Duplicate; 6]);
    assert_eq!(numbers(&file), [1, 5]);
}

#[test]
fn of_completed_messages_the_newest_are_remembered() {
    let limit = Amount { messages: 100, bytes: 1 << 20 };
    let mut file = in_memory(|limits| {
        limits.remembered = 1000;
        limits.taken = limit;
    });
    let message = |number: u64| {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&number.to_be_bytes());
        pieces(MessageId(id), b"hi")
    };
    for number in 1..=2048_u64 {
        file.keep(0, &message(number)).expect("kept");
        if number != 3 {
            file.take(&[number]).expect("taken");
        }
    }
    assert_eq!(count(&file, "inbox"), 1 + 1000, "and what nobody took");
    assert_eq!(file.keep(0, &message(1049)).expect("kept"), [Kept::Duplicate]);
    assert_eq!(file.keep(0, &message(3)).expect("kept"), [Kept::Duplicate]);
    assert!(matches!(file.keep(0, &message(1048)).expect("kept")[..], [Kept::Complete { .. }]));
}

#[tokio::test]
async fn each_reader_goes_through_the_inbox_at_its_own_speed() {
    let fixture = Fixture::new();
    let Fixture { storage, .. } = &fixture;
    for message in 1..=4 {
        storage.keep(pieces(id(message), &[message; 10])).await.expect("kept");
    }
    let read = async |after, untaken_up_to| {
        let next = storage.next(after, untaken_up_to).await.expect("reads");
        next.map(|received| received.number)
    };
    storage.take(vec![2, 4]).await.expect("taken");
    // One that connected when there were three: it gets what nobody has, and all that came then.
    assert_eq!([read(0, 3).await, read(1, 3).await, read(3, 3).await], [Some(1), Some(3), Some(4)]);
    assert_eq!(read(4, 3).await, None);
    assert_eq!([read(1, 4).await, read(3, 4).await], [Some(3), None], "one that came after 4");
    assert_eq!(read(u64::MAX, 0).await, None);
    let fetched = async |after, bytes, most| {
        let untaken = storage.untaken(after, bytes, most).await.expect("reads");
        untaken.iter().map(|received| received.number).collect::<Vec<_>>()
    };
    assert_eq!(fetched(0, 1000, 10).await, [1, 3]);
    assert_eq!(fetched(0, 20, 10).await, [1, 3]);
    assert_eq!(fetched(0, 19, 10).await, [1]);
    assert_eq!(fetched(0, 0, 10).await, [1], "at least one");
    assert_eq!(fetched(0, 1000, 1).await, [1]);
    assert_eq!(fetched(1, 1000, 10).await, [3]);
    storage.take(vec![1, 3]).await.expect("taken");
    assert!(fetched(0, 1000, 10).await.is_empty());
}

#[tokio::test]
async fn a_page_has_room_for_a_line_of_contents() {
    let fixture = Fixture::new();
    let Fixture { storage, .. } = &fixture;
    let half = contract::MAX_CONTENT_BYTES / 2;
    assert_eq!(storage.page(0).await.expect("reads").last, 0);
    for (message, length) in [(1, half), (2, 2 * half + 1), (3, half), (4, 1), (5, 2 * half)] {
        storage.keep(pieces(id(message), &bytes(length))).await.expect("kept");
    }
    let Page { messages: page, more, last } = storage.page(0).await.expect("reads");
    assert_eq!(last, 5);
    let numbers: Vec<u64> = page.iter().map(|message| message.number).collect();
    assert_eq!((&numbers[..], more), (&[1, 2, 3][..], true));
    assert_eq!(page[0].content, contract::Content::from_bytes(bytes(half)));
    assert_eq!(page[1].content, contract::Content::Omitted(2 * half + 1));
    assert_eq!(page[0].message, id(1).to_string());
    assert!(page[0].unix_ms > 1_700_000_000_000);
    let Page { messages: page, more, .. } = storage.page(3).await.expect("reads");
    assert_eq!((page.len(), page[0].number, more), (1, 4, true));
    let Page { messages: page, more, .. } = storage.page(4).await.expect("reads");
    assert_eq!((page.len(), page[0].number, more), (1, 5, false));
}

#[tokio::test]
async fn the_file_is_its_owners_alone_and_one_client_has_it() {
    let fixture = Fixture::new();
    let mode = fs::metadata(fixture.path()).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let second = Storage::open(fixture.folder.path()).expect_err("it is in use");
    assert!(second.message.contains("client.sqlite`: another client uses the journal"), "{second}");
    assert!(second.hint.expect("a hint").contains("stop the other client"));
    let fixture = fixture.reopen().await;
    assert!(fixture.storage.close(LIMIT).await);
    fs::write(
        fixture.path(),
        "not a database at all, but longer than its header: 0123456789 0123456789 0123456789",
    )
    .expect("written");
    let fixture = Fixture::on(fixture.folder);
    let damaged = fixture.restored.damaged.as_ref().expect("is told").to_string();
    assert!(damaged.contains("it is kept as") && damaged.contains("client.sqlite.damaged-1"));
    assert!(fixture.folder.path().join("client.sqlite.damaged-1").exists());
    fixture.storage.keep(pieces(id(1), b"hi")).await.expect("works");
}

#[test]
fn on_a_full_disk_nothing_is_accepted_or_kept_and_applications_still_take() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = MessageFile::open(&folder.path().join("client.sqlite")).expect("a file");
    file.keep(0, &pieces(id(1), &bytes(100_000))).expect("kept");
    let connection = file.database.connection();
    let pages: u32 =
        connection.pragma_query_value(None, "page_count", |r| r.get(0)).expect("reads");
    connection.pragma_update(None, "max_page_count", pages + 4).expect("set");
    let refused = file.accept(id(2), &address(1), bytes(100_000).into()).expect_err("no room");
    assert!(refused.to_string().contains("journal cannot store messages: the disk is full"));
    let refused = file.keep(0, &pieces(id(3), &bytes(100_000))).expect_err("no room");
    assert!(refused.to_string().contains("the disk is full"), "{refused}");
    assert_eq!((count(&file, "outgoing"), count(&file, "incomplete")), (0, 0));
    assert_eq!(count(&file, "pieces"), 63);
    file.take(&[1]).expect("has room");
    file.finished(id(9)).expect("has room");
    file.accept(id(2), &address(1), bytes(1000).into()).expect("a short one fits");
}
