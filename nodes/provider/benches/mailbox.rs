//! Packets that the mailbox stores, gives out and deletes in a second, durably, beside two floors
//! that do less: bare SQLite, which inserts the same bytes into one table without an index, and a
//! file that is appended to and synchronised as often as the mailbox's is.
//!
//! `cargo bench -p provider --bench mailbox`

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use provider::{Amount, Mailbox, Parcel, Protocol, Quotas};
use rusqlite::Connection;
use wire::{PublicKey, WireProfile};

/// Rounds of everything, turn by turn, so that a machine that gets slower does so for all.
const ROUNDS: usize = 9;

/// Packets of a measurement: several checkpoints of the log.
const PACKETS: usize = 4096;

/// Clients that packets come for, in turn.
const CLIENTS: usize = 64;

/// Packets that wait for each client in a full mailbox, together a quarter of a gigabyte.
const WAITING: usize = 2000;

/// Packets in one transaction.
const BATCHES: [usize; 3] = [1, 8, 64];

/// Packets of an answer to a pull.
const PULLED: usize = 5;

/// Packets that are read at once for a client that is connected.
const DELIVERED: usize = 64;

/// Packets after which the file floor is synchronised, as the mailbox's log is.
const SYNCHRONISED_AFTER: usize = 500;

fn client(number: usize) -> PublicKey {
    PublicKey::from_bytes([u8::try_from(number).expect("few"); 32])
}

fn parcels(count: usize) -> Vec<Parcel> {
    (0..count)
        .map(|number| Parcel {
            client: client(number % CLIENTS),
            identifier: [7; 16],
            // Random bytes are not needed: nothing compresses.
            payload: vec![7; WireProfile::CURRENT.payload_bytes],
            ack: None,
            arrival: None,
        })
        .collect()
}

/// Of all rounds: packets a second, and microseconds of processor time for a packet. The latter
/// suffers less from whatever else runs on the machine.
#[derive(Default)]
struct Rate {
    a_second: Vec<f64>,
    processor: Vec<f64>,
}

impl Rate {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn measure<T>(&mut self, packets: usize, work: impl FnOnce() -> T) -> T {
        let (start, processor) = (Instant::now(), processor_time());
        let result = work();
        let (time, processor) = (start.elapsed(), processor_time().saturating_sub(processor));
        self.a_second.push(packets as f64 / time.as_secs_f64());
        self.processor.push(processor.as_secs_f64() * 1e6 / packets as f64);
        result
    }

    fn print(mut self, name: &str) {
        self.a_second.sort_by(f64::total_cmp);
        self.processor.sort_by(f64::total_cmp);
        let middle = self.a_second.len() / 2;
        let (least, most) = (self.a_second[0], self.a_second[self.a_second.len() - 1]);
        println!(
            "{name:<46} {:>8.0}   {:<18} {:>8.1} µs",
            self.a_second[middle],
            format!("({least:.0} to {most:.0})"),
            self.processor[middle]
        );
    }
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("not negative");
    Duration::new(seconds, u32::try_from(time.tv_nsec).expect("less than a second"))
}

fn open(path: &Path, waiting: usize) -> Mailbox {
    let plenty = Amount::of_packets(10_000_000);
    let mut mailbox =
        Mailbox::open(path, Quotas { per_client: plenty, total: plenty }).expect("a mailbox");
    for number in 0..CLIENTS {
        mailbox.register(&client(number), Protocol::V1).expect("registers");
    }
    let parcels = parcels(CLIENTS);
    for _ in 0..waiting {
        mailbox.store(&parcels).expect("stores");
        mailbox.tidy().expect("tidies");
    }
    mailbox
}

/// One mailbox with so many packets waiting for each client, before and after each round.
struct Bench {
    mailbox: Mailbox,
    stores: [Rate; BATCHES.len()],
    reads: Rate,
    confirms: Rate,
    pulls: Rate,
    /// Each client has its packets up to this number.
    taken: [u64; CLIENTS],
}

impl Bench {
    fn new(path: &Path, waiting: usize) -> Self {
        let mailbox = open(path, waiting);
        let [stores, reads, confirms, pulls]: [Rate; 4] = Default::default();
        let stores = [stores, Rate::default(), Rate::default()];
        Self { mailbox, stores, reads, confirms, pulls, taken: [0; CLIENTS] }
    }

    fn round(&mut self, parcels: &[Parcel]) {
        for (rate, batch) in self.stores.iter_mut().zip(BATCHES) {
            rate.measure(PACKETS, || {
                for batch in parcels.chunks(batch) {
                    self.mailbox.store(batch).expect("stores");
                    self.mailbox.tidy().expect("tidies");
                }
            });
        }
        let read: Vec<(PublicKey, Vec<u64>)> = self.reads.measure(CLIENTS * DELIVERED, || {
            let read = (0..CLIENTS).map(|number| {
                let client = client(number);
                let waiting = self.mailbox.waiting(&client, 0, DELIVERED).expect("reads");
                (client, waiting.iter().map(|delivery| delivery.number).collect())
            });
            read.collect()
        });
        self.confirms.measure(CLIENTS * DELIVERED, || {
            for (client, numbers) in &read {
                self.mailbox.confirm(client, numbers).expect("deletes");
                self.mailbox.tidy().expect("tidies");
            }
        });
        // What is left of the round, and nothing of what waited before it.
        let left = BATCHES.len() * PACKETS / CLIENTS - DELIVERED;
        let pulls = left / PULLED + 1;
        self.pulls.measure(CLIENTS * left, || {
            for _ in 0..pulls {
                for (number, taken) in self.taken.iter_mut().enumerate() {
                    let client = client(number);
                    let answer = self.mailbox.transaction(|batch| {
                        batch.confirm_up_to(&client, *taken)?;
                        batch.waiting(&client, 0, PULLED)
                    });
                    let answer = answer.expect("pulls");
                    *taken = answer.last().map_or(0, |last| last.number);
                    self.mailbox.tidy().expect("tidies");
                }
            }
        });
    }

    fn print(self, name: &str) {
        for (rate, batch) in self.stores.into_iter().zip(BATCHES) {
            rate.print(&format!("{name}: stored, {batch} at once"));
        }
        self.reads.print(&format!("{name}: read, {DELIVERED} at once"));
        self.confirms.print(&format!("{name}: deleted, {DELIVERED} at once"));
        self.pulls.print(&format!("{name}: pulled, {PULLED} at once, and deleted"));
    }
}

/// What SQLite alone takes.
fn bare_sqlite(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("a database");
    connection
        .execute_batch(
            "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             CREATE TABLE packet (number INTEGER PRIMARY KEY, payload BLOB)",
        )
        .expect("a table");
    connection
}

fn main() {
    let folder = tempfile::tempdir_in(".").expect("a folder on a real disk");
    let parcels = parcels(PACKETS);
    let payload = &parcels[0].payload;

    let mut empty = Bench::new(&folder.path().join("empty.sqlite"), 0);
    let path = folder.path().join("full.sqlite");
    let mut full = Bench::new(&path, WAITING);
    let waiting = full.mailbox.waiting_total().packets;
    drop(full.mailbox);
    let mut opening = Rate::default();
    full.mailbox = opening.measure(usize::try_from(waiting).expect("few"), || open(&path, 0));
    let mut bare = bare_sqlite(&folder.path().join("bare.sqlite"));
    let mut file = File::create(folder.path().join("file")).expect("a file");
    let mut bare_rates: [Rate; BATCHES.len()] = Default::default();
    let mut file_rate = Rate::default();
    for _ in 0..ROUNDS {
        empty.round(&parcels);
        full.round(&parcels);
        for (rate, batch) in bare_rates.iter_mut().zip(BATCHES) {
            rate.measure(PACKETS, || {
                for _ in 0..PACKETS / batch {
                    let transaction = bare.transaction().expect("begins");
                    for _ in 0..batch {
                        let sql = "INSERT INTO packet (payload) VALUES (?1)";
                        let mut insert = transaction.prepare_cached(sql).expect("SQL");
                        insert.execute([payload]).expect("inserts");
                    }
                    transaction.commit().expect("commits");
                }
            });
        }
        file_rate.measure(PACKETS, || {
            for number in 0..PACKETS {
                file.write_all(payload).expect("writes");
                if number % SYNCHRONISED_AFTER == 0 {
                    file.sync_data().expect("synchronises");
                }
            }
        });
    }
    println!("{:<46} {:>8}   {:<18} {:>11}", "packets a second", "median", "", "processor");
    opening.print("full mailbox: opened");
    empty.print("empty mailbox");
    full.print("full mailbox");
    for (rate, batch) in bare_rates.into_iter().zip(BATCHES) {
        rate.print(&format!("bare SQLite: inserted, {batch} at once"));
    }
    file_rate.print("file: appended, synchronised every 500");
}
