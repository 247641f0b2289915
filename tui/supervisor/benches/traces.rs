//! What it costs the supervisor that nodes tell of every packet: reading a record, and keeping it until
//! it is clear that it belongs to no message.
//!
//! ```text
//! cargo bench -p supervisor --features measure --bench traces
//! ```

use std::hint::black_box;
use std::time::Duration;

use contract::{AckTrace, Event, PacketTrace, Print, Time};
use rustix::time::{ClockId, clock_gettime};
use supervisor::measure::Measured;

/// As many as a hundred nodes tell in a second, with 3000 packets a second that enter.
const RECORDS: u64 = 12_000;

/// Of these nodes …
const NODES: u64 = 100;

/// … which tell ten times a second.
const BATCHES: u64 = 10;

/// Seconds of records: enough for those that waited too long to be forgotten.
const SECONDS: u64 = 20;

fn main() {
    let lines: Vec<(Time, String, Vec<u8>)> = (0..SECONDS * BATCHES)
        .flat_map(|batch| (0..NODES).map(move |node| line(batch, node)))
        .collect();
    let bytes: usize = lines.iter().map(|(_, _, line)| line.len()).sum();
    let per_record = bytes as u64 / (RECORDS * SECONDS);
    println!("{RECORDS} records a second, {per_record} bytes each");
    let as_events = measure(&lines, |_, _, line| Measured::read_as_event(line));
    println!("read by the types of the contract: {as_events}");
    println!("read: {}", measure(&lines, |_, _, line| Measured::read(line)));
    let mut measured = Measured::default();
    let whole = measure(&lines, |now, node, line| measured.take(now, node, line));
    println!("read, kept and forgotten: {whole}");
}

fn measure(
    lines: &[(Time, String, Vec<u8>)],
    mut take: impl FnMut(Time, &str, &[u8]) -> usize,
) -> String {
    let begin = processor_time();
    let taken: usize =
        lines.iter().map(|(now, node, line)| black_box(take(*now, node, line))).sum();
    let took = processor_time().saturating_sub(begin);
    assert_eq!(taken as u64, RECORDS * SECONDS, "each record is taken");
    let of_core = took.div_duration_f64(Duration::from_secs(SECONDS)) * 100.0;
    let each = took.as_nanos() / u128::from(RECORDS * SECONDS);
    format!("{each} ns a record, {of_core:.2} % of a core")
}

/// What this process has used: others may run at the same time.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What a node tells a tenth of a second's packets of: every fifth is a provider.
fn line(batch: u64, node: u64) -> (Time, String, Vec<u8>) {
    let each = RECORDS / NODES / BATCHES;
    let packets = (0..each)
        .map(|index| record(node.is_multiple_of(5), (batch * NODES + node) * each + index));
    let event = Event::Packets { packets: packets.collect(), lost: 0 };
    let line = serde_json::to_vec(&event).expect("plain data");
    (Time::from_nanos(batch * 1_000_000_000 / BATCHES), format!("node-{node}"), line)
}

fn record(is_provider: bool, number: u64) -> PacketTrace {
    let came = Time::from_nanos(81_234_567_890_123 + number * 1_000_000);
    let print = |look: u64| {
        let header = (number * 3 + look).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        let first = [header, header].concat().try_into().expect("twice eight bytes");
        Print { header, first }
    };
    let to = format!("127.0.0.1:{}", 20_000 + number % 100);
    if is_provider {
        let ack = Some(AckTrace { t: came, packet: print(1), to });
        let client = "8VGMtiz9ktZQTkFRDG5FpeK8V4mRLJUqXe9gkAUxP8zk".to_owned();
        PacketTrace::Kept { came, stored: came, before: print(0), client, ack, noise: None }
    } else {
        let (before, after) = (print(0), print(1));
        PacketTrace::Passed { came, left: came, asked_us: 50_123, before, after, to, pool: 6 }
    }
}
