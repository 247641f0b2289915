//! What the mailbox reported as stored is there after SIGKILL, whenever it comes.
//!
//! This program starts itself as the one that stores; it has no test harness, for the same reason.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use provider::{Mailbox, Parcel, Protocol, Quotas};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wire::{Delivery, PublicKey, WireProfile};

/// Times that the child is killed.
const ROUNDS: u64 = 40;

/// Lines after which it is killed at the latest: several checkpoints of the log.
const MAX_LINES: usize = 100;

/// After its last line it lives on for this long at the most: some transactions.
const MAX_MICROSECONDS: u64 = 10_000;

const STORE: &str = "store";

fn client() -> PublicKey {
    PublicKey::from_bytes([1; 32])
}

/// A payload that tells which packet it is, and whether it is whole.
fn payload(seed: u64) -> Vec<u8> {
    seed.to_be_bytes().repeat(WireProfile::CURRENT.payload_bytes / 8)
}

fn parcel(seed: u64) -> Parcel {
    let mut identifier = [0; 16];
    identifier[..8].copy_from_slice(&seed.to_be_bytes());
    Parcel { client: client(), identifier, payload: payload(seed), ack: None, arrival: None }
}

fn seed_of(delivery: &Delivery) -> u64 {
    u64::from_be_bytes(*delivery.identifier.first_chunk().expect("sixteen bytes"))
}

/// Stores and deletes for ever, and says what it does, a line each: `stored FIRST LAST` (seeds) once
/// it is safe, `deleting SEED:NUMBER …` before, and `deleted` once that is safe.
fn store(path: &Path, first_seed: u64) -> ! {
    let mut mailbox = Mailbox::open(path, Quotas::default()).expect("the mailbox");
    mailbox.register(&client(), Protocol::V1).expect("registers");
    let mut rng = StdRng::seed_from_u64(first_seed);
    let mut seed = first_seed;
    // Not buffered but by lines: what is written is with the parent, whatever becomes of us.
    let mut out = io::stdout();
    loop {
        let count = rng.random_range(1..=60);
        let parcels: Vec<Parcel> = (seed..seed + count).map(parcel).collect();
        mailbox.store(&parcels).expect("stores");
        writeln!(out, "stored {seed} {}", seed + count - 1).expect("the parent reads");
        seed += count;
        if rng.random_bool(0.4) {
            let waiting = mailbox.waiting(&client(), 0, 80).expect("reads");
            let words: Vec<String> =
                waiting.iter().map(|d| format!("{}:{}", seed_of(d), d.number)).collect();
            writeln!(out, "deleting {}", words.join(" ")).expect("the parent reads");
            let numbers: Vec<u64> = waiting.iter().map(|delivery| delivery.number).collect();
            mailbox.confirm(&client(), &numbers).expect("deletes");
            writeln!(out, "deleted").expect("the parent reads");
        }
        mailbox.tidy().expect("tidies");
    }
}

/// What must be in the mailbox, after what was said.
#[derive(Default)]
struct Expected {
    stored: BTreeSet<u64>,
    deleted: BTreeSet<u64>,
    /// Announced for deletion, by a child that was killed before it said that it is done.
    uncertain: BTreeSet<u64>,
    /// Every number that was seen, and the seed of its packet.
    numbers: BTreeMap<u64, u64>,
}

impl Expected {
    fn hear(&mut self, line: &str) {
        let number = |word: &str| word.parse::<u64>().expect("a number");
        match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
            ["stored", first, last] => self.stored.extend(number(first)..=number(last)),
            ["deleting", ref packets @ ..] => {
                for packet in packets {
                    let (seed, given) = packet.split_once(':').expect("seed and number");
                    self.uncertain.insert(number(seed));
                    self.see(number(given), number(seed));
                }
            }
            ["deleted"] => self.deleted.append(&mut self.uncertain),
            _ => panic!("`{line}` says nothing"),
        }
    }

    fn see(&mut self, number: u64, seed: u64) {
        let known = *self.numbers.entry(number).or_insert(seed);
        assert_eq!(known, seed, "number {number} was given twice");
    }

    fn check(&mut self, mailbox: &Mailbox) {
        let waiting = mailbox.waiting(&client(), 0, usize::MAX).expect("reads");
        assert_eq!(waiting.len() as u64, mailbox.waiting_for(&client()).packets);
        let seeds: Vec<u64> = waiting.iter().map(seed_of).collect();
        assert!(seeds.is_sorted(), "the order is that of arrival");
        for delivery in &waiting {
            let seed = seed_of(delivery);
            assert_eq!(delivery.payload, payload(seed), "packet {seed} is damaged");
            self.see(delivery.number, seed);
        }
        let found: BTreeSet<u64> = seeds.into_iter().collect();
        let back: Vec<_> = self.deleted.intersection(&found).collect();
        assert!(back.is_empty(), "deleted packets are back: {back:?}");
        let gone = |seed| self.deleted.contains(seed) || self.uncertain.contains(seed);
        let missing: Vec<_> = self.stored.difference(&found).filter(|seed| !gone(seed)).collect();
        assert!(missing.is_empty(), "stored packets are missing: {missing:?}");
        // Now it is certain.
        let uncertain = std::mem::take(&mut self.uncertain);
        self.deleted.extend(uncertain.into_iter().filter(|seed| !found.contains(seed)));
        self.stored.extend(found);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, path, first_seed] = &arguments[..]
        && mode == STORE
    {
        store(Path::new(path), first_seed.parse().expect("a number"));
    }

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mailbox.sqlite");
    let program = std::env::current_exe().expect("this program");
    let mut rng = StdRng::seed_from_u64(20_261_121);
    let mut expected = Expected::default();
    for round in 0..ROUNDS {
        let mut child = Command::new(&program)
            .args([STORE, &path.display().to_string(), &(round * 1_000_000).to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let patience = rng.random_range(1..=MAX_LINES);
        let mut said: Vec<String> = lines.by_ref().take(patience).map_while(Result::ok).collect();
        // At any moment of what it does, and not just after it wrote a line, which wakes us.
        let moment = Instant::now() + Duration::from_micros(rng.random_range(0..MAX_MICROSECONDS));
        while Instant::now() < moment {
            std::thread::yield_now();
        }
        child.kill().expect("is killed");
        // What it said before it died counts as well.
        said.extend(lines.map_while(Result::ok));
        let status = child.wait().expect("ends");
        assert_eq!(status.signal(), Some(9), "the child ended by itself: {said:?}");

        for line in &said {
            expected.hear(line);
        }
        let mailbox = Mailbox::open(&path, Quotas::default()).expect("the mailbox is whole");
        expected.check(&mailbox);
    }
    assert!(!expected.deleted.is_empty(), "something was deleted");
    println!(
        "{ROUNDS} kills: {} packets were stored and {} deleted, nothing is missing",
        expected.stored.len(),
        expected.deleted.len()
    );
}
