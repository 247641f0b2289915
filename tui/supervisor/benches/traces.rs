//! What it costs the supervisor that nodes tell of every packet: reading a record, keeping it until it
//! is clear that it belongs to no message, and finding out of some of them whose they were.
//!
//! ```text
//! cargo bench -p supervisor --features measure --bench traces
//! ```

use std::hint::black_box;
use std::time::Duration;

use contract::{Event, PacketTrace, Print, Time};
use rustix::time::{ClockId, clock_gettime};
use supervisor::measure::Measured;

/// Packets of cover that a crowd sends in a second. No node acknowledges them.
const PACKETS: u64 = 3000;

/// Mixnodes in each layer, and behind them one provider.
const WIDTH: u64 = 33;
const LAYERS: u64 = 3;

/// Nodes tell ten times a second.
const BATCHES: u64 = 10;

/// Seconds of records: enough for those that waited too long to be forgotten.
const SECONDS: u64 = 20;

/// When a process told what.
type Line = (Time, String, Vec<u8>);

fn main() {
    let of_nodes = |batch| (0..=WIDTH * LAYERS).map(move |node| of_node(batch, node));
    let without: Vec<Line> = (0..SECONDS * BATCHES).flat_map(of_nodes).collect();
    let all = |batch| [of_crowd(batch)].into_iter().chain(of_nodes(batch));
    let with: Vec<Line> = (0..SECONDS * BATCHES).flat_map(all).collect();
    for (what, lines, each) in
        [("what nodes tell", without, LAYERS + 1), ("and how cover began", with, LAYERS + 2)]
    {
        let records = PACKETS * each;
        let bytes: usize = lines.iter().map(|(_, _, line)| line.len()).sum();
        let per_record = bytes as u64 / (records * SECONDS);
        println!("{what}: {records} records a second, {per_record} bytes each");
        let as_events = measure(records, &lines, |_, _, line| Measured::read_as_event(line));
        println!("  read by the types of the contract: {as_events}");
        let read = measure(records, &lines, |_, _, line| Measured::read(line));
        println!("  read: {read}");
        let mut measured = Measured::default();
        let whole = measure(records, &lines, |now, node, line| measured.take(now, node, line));
        println!("  read, kept and forgotten: {whole}");
        println!("  told of {} a second whose they were", measured.told() as u64 / SECONDS);
    }
}

fn measure(
    records: u64,
    lines: &[Line],
    mut take: impl FnMut(Time, &str, &[u8]) -> usize,
) -> String {
    let begin = processor_time();
    let taken: usize =
        lines.iter().map(|(now, node, line)| black_box(take(*now, node, line))).sum();
    let took = processor_time().saturating_sub(begin);
    assert_eq!(taken as u64, records * SECONDS, "each record is taken");
    let of_core = took.div_duration_f64(Duration::from_secs(SECONDS)) * 100.0;
    let each = took.as_nanos() / u128::from(records * SECONDS);
    format!("{each} ns a record, {of_core:.2} % of a core")
}

/// What this process has used: others may run at the same time.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Numbers of the packets that were sent in a tenth of a second.
fn sent(batch: u64) -> std::ops::Range<u64> {
    batch * PACKETS / BATCHES..(batch + 1) * PACKETS / BATCHES
}

fn line(batch: u64, node: String, packets: Vec<PacketTrace>) -> Line {
    let line = serde_json::to_vec(&Event::Packets { packets, lost: 0 }).expect("plain data");
    (Time::from_nanos(batch * 1_000_000_000 / BATCHES), node, line)
}

/// What a crowd tells of cover.
fn of_crowd(batch: u64) -> Line {
    let covered = |number: u64| {
        let from = u32::try_from(number % 100 + 1).ok();
        PacketTrace::Covered { t: moment(number), packet: print(number, 0), from }
    };
    line(batch, "crowd".into(), sent(batch).map(covered).collect())
}

/// What a mixnode tells of those packets that pass it, or the last of the nodes, a provider, of all.
fn of_node(batch: u64, node: u64) -> Line {
    if node == WIDTH * LAYERS {
        return line(batch, "provider-1".into(), sent(batch).map(kept).collect());
    }
    let (layer, index) = (node / WIDTH, node % WIDTH);
    let passes = sent(batch).filter(|number| number % WIDTH == index);
    let records = passes.map(|number| passed(number, layer)).collect();
    line(batch, format!("mix-{}-{}", layer + 1, index + 1), records)
}

fn moment(number: u64) -> Time {
    Time::from_nanos(81_234_567_890_123 + number * 1_000_000)
}

/// How a packet looks on one of its links.
fn print(number: u64, link: u64) -> Print {
    // The last steps of SplitMix64: hashes begin with anything.
    let mut look = (number * 8 + link).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    look = (look ^ (look >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    look = (look ^ (look >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let header = (look ^ (look >> 31)).to_be_bytes();
    let first = [header, header].concat().try_into().expect("twice eight bytes");
    Print { header, first }
}

fn passed(number: u64, layer: u64) -> PacketTrace {
    let came = moment(number);
    let to = format!("127.0.0.1:{}", 20_000 + number % 100);
    let (before, after) = (print(number, layer), print(number, layer + 1));
    PacketTrace::Passed { came, left: came, asked_us: 50_123, before, after, to, pool: 6 }
}

fn kept(number: u64) -> PacketTrace {
    let came = moment(number);
    let client = "8VGMtiz9ktZQTkFRDG5FpeK8V4mRLJUqXe9gkAUxP8zk".to_owned();
    PacketTrace::Kept {
        came,
        stored: came,
        before: print(number, LAYERS),
        client,
        ack: None,
        noise: None,
    }
}
