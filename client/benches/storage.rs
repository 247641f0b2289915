//! Messages that arrive in pieces, put together on the disk, beside two floors that do less: bare
//! SQLite, which inserts the same rows and knows nothing of messages, and memory, to which the same
//! bytes are copied once. Then messages that are accepted for sending, one transaction each, beside
//! bare SQLite again.
//!
//! `cargo bench -p client --bench storage`

use std::path::Path;
use std::time::Instant;

use client::{Kept, MessageFile};
use rusqlite::Connection;
use wire::{ClientAddress, Fragment, Identifier, Kind, MessageId, PublicKey};

/// Rounds of everything, turn by turn, so that a machine that gets slower does so for all.
const ROUNDS: usize = 7;

/// Bytes of the messages of a round, together.
const BYTES: usize = contract::MAX_MESSAGE_BYTES;

/// Bytes of a message.
const LENGTHS: [usize; 3] = [1000, 20_000, contract::MAX_MESSAGE_BYTES];

/// Pieces in one transaction: as many as a client takes from its provider at once.
const BATCH: usize = 64;

/// Messages that are accepted in a round, and the bytes of each.
const ACCEPTED: usize = 1000;
const ACCEPTED_BYTES: usize = 1000;

type Piece = (Fragment, Option<Identifier>);

/// Ids that nobody had before.
#[derive(Default)]
struct Ids(u64);

impl Ids {
    fn next(&mut self) -> MessageId {
        self.0 += 1;
        let mut id = [0; 16];
        // Real ones are random: their index grows everywhere at once.
        id[..8].copy_from_slice(&self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        MessageId(id)
    }
}

/// The pieces of a round, in the order in which a mixnet brings them: nearly that of sending.
fn round(ids: &mut Ids, length: usize) -> Vec<Piece> {
    let data = vec![7; length];
    let messages = (0..BYTES / length).map(|_| ids.next());
    let fragments = messages.flat_map(|id| {
        (0..).map_while(|index| Fragment::of(Kind::Message, id, &data, index)).collect::<Vec<_>>()
    });
    let mut pieces: Vec<Piece> = fragments.map(|fragment| (fragment, None)).collect();
    pieces.chunks_mut(8).for_each(<[Piece]>::reverse);
    pieces
}

/// Of all rounds: how much a second.
#[derive(Default)]
struct Rate(Vec<f64>);

impl Rate {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn measure<T>(&mut self, amount: usize, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.0.push(amount as f64 / start.elapsed().as_secs_f64());
        result
    }

    fn median(&mut self) -> f64 {
        self.0.sort_by(f64::total_cmp);
        self.0[self.0.len() / 2]
    }

    fn print(&mut self, name: &str, unit: f64, floor: f64) {
        let median = self.median();
        let (least, most) = (self.0[0] / unit, self.0[self.0.len() - 1] / unit);
        println!(
            "{name:<44} {:>9.0}   {:<18} {:>6.2}",
            median / unit,
            format!("({least:.0} to {most:.0})"),
            median / floor
        );
    }
}

/// What SQLite alone takes.
fn bare(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("a database");
    connection
        .execute_batch(
            "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             CREATE TABLE pieces (place INTEGER PRIMARY KEY, data BLOB)",
        )
        .expect("a table");
    connection
}

/// Inserts each of them, so many in one transaction.
fn insert<'a>(connection: &mut Connection, rows: impl Iterator<Item = &'a [u8]>, batch: usize) {
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let transaction = connection.transaction().expect("begins");
        for row in rows.by_ref().take(batch) {
            let sql = "INSERT INTO pieces (data) VALUES (?1)";
            transaction.prepare_cached(sql).expect("SQL").execute([row]).expect("inserts");
        }
        transaction.commit().expect("commits");
    }
}

/// One length of messages.
#[derive(Default)]
struct Reassembly {
    kept: Rate,
    read: Rate,
    inserted: Rate,
    copied: Rate,
    /// The number of the last message that was read.
    last: u64,
}

impl Reassembly {
    fn round(&mut self, file: &mut MessageFile, bare: &mut Connection, pieces: &[Piece]) {
        let complete = self.kept.measure(BYTES, || {
            let mut complete = 0;
            for batch in pieces.chunks(BATCH) {
                let kept = file.keep(1, batch).expect("keeps");
                complete += kept.iter().filter(|k| matches!(k, Kept::Complete { .. })).count();
                file.tidy().expect("tidies");
            }
            complete
        });
        let read = self.read.measure(BYTES, || {
            let mut read = 0;
            while let Some(received) = file.next_untaken(self.last).expect("reads") {
                self.last = received.number;
                read += 1;
                file.take(&[received.number]).expect("takes");
                file.tidy().expect("tidies");
            }
            read
        });
        assert_eq!(complete, read, "all of them");
        let rows = || pieces.iter().map(|(piece, _)| &piece.data[..]);
        self.inserted.measure(BYTES, || insert(bare, rows(), BATCH));
        let copy = self.copied.measure(BYTES, || {
            let mut all = Vec::with_capacity(BYTES);
            rows().for_each(|row| all.extend_from_slice(row));
            all
        });
        assert!(copy.len() <= BYTES);
    }
}

fn main() {
    let folder = tempfile::tempdir_in(".").expect("a folder on a real disk");
    let mut file = MessageFile::open(&folder.path().join("client.sqlite")).expect("a file");
    let mut bare = bare(&folder.path().join("bare.sqlite"));
    let mut ids = Ids::default();
    let mut lengths: [Reassembly; LENGTHS.len()] = Default::default();
    let (mut accepted, mut inserted) = (Rate::default(), Rate::default());
    let to = ClientAddress {
        client: PublicKey::from_bytes([1; 32]),
        provider: PublicKey::from_bytes([2; 32]),
    };
    let data = vec![7; ACCEPTED_BYTES];
    for _ in 0..ROUNDS {
        let mut last = 0;
        for (reassembly, length) in lengths.iter_mut().zip(LENGTHS) {
            reassembly.last = last;
            reassembly.round(&mut file, &mut bare, &round(&mut ids, length));
            last = reassembly.last;
        }
        let messages: Vec<MessageId> = (0..ACCEPTED).map(|_| ids.next()).collect();
        accepted.measure(ACCEPTED, || {
            for message in &messages {
                assert!(file.accept(*message, &to, data.clone().into()).expect("accepts"));
                file.tidy().expect("tidies");
            }
        });
        for message in messages {
            file.finished(message).expect("forgets");
        }
        inserted.measure(ACCEPTED, || insert(&mut bare, (0..ACCEPTED).map(|_| &data[..]), 1));
    }
    println!("{:<44} {:>9}   {:<18} {:>6}", "", "median", "", "ratio");
    for (mut reassembly, length) in lengths.into_iter().zip(LENGTHS) {
        let floor = reassembly.inserted.median();
        let name = |what| format!("{length} bytes: {what}, MB/s");
        reassembly.kept.print(&name("put together"), 1e6, floor);
        reassembly.read.print(&name("read and taken"), 1e6, floor);
        reassembly.inserted.print(&name("bare SQLite"), 1e6, floor);
        reassembly.copied.print(&name("memory"), 1e6, floor);
    }
    let floor = inserted.median();
    accepted.print("accepted, messages/s", 1.0, floor);
    inserted.print("bare SQLite, rows/s", 1.0, floor);
}
