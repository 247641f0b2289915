//! As many packets as the node takes.

use std::thread;
use std::time::Duration;

use runtime::clock;

use crate::Cli;
use crate::cores::Cores;
use crate::floor;
use crate::network::Network;
use crate::node::{Listener, Memory, Node};
use crate::packets::{self, Packet};
use crate::peers::{Arrivals, Senders};

/// Packets of a burst: as many as the original mixnodes were given.
pub(crate) const BURST: usize = 80_000;

/// Their mean delay: that of the classic rates.
pub(crate) const BURST_DELAY: Duration = Duration::from_millis(200);

/// Packets that the node is given first, so that it has connections to all next hops.
pub(crate) const WARM_UP: usize = 64;

/// How often memory is looked at during a burst.
const MEMORY_LOOKS: u32 = 20;

/// How long after a burst memory is looked at again.
const AFTERWARDS: Duration = Duration::from_secs(3);

/// What came of the turns.
pub(crate) struct Figures {
    /// Whether no packet was lost.
    pub(crate) is_complete: bool,
    /// Packets a second of a supervised node, the median.
    pub(crate) per_second: f64,
}

/// What a turn took.
struct Turn {
    per_second: f64,
    /// Microseconds of the node's processor time per packet.
    cpu: f64,
    lost: u64,
}

/// Lets bare loop and node take turns.
pub(crate) fn measure(
    cli: &Cli,
    cores: &Cores,
    network: &Network,
    packets: &[Packet],
    portable: bool,
) -> Figures {
    let processor = packets::processor(network.node_key(), portable);
    println!(
        "\nthroughput, {} arithmetic, {} packets a turn",
        processor.arithmetic(),
        packets.len()
    );
    println!(
        "  {:<12}{:>11}{:>9}{:>14}{:>18}{:>6}",
        "", "packets/s", "CPU µs", "least-most", "bare loop / node", "lost"
    );
    let (mut bare, mut by_hand) = (Vec::new(), Vec::new());
    let (mut supervised, mut tracing) = (Vec::new(), Vec::new());
    for _ in 0..cli.turns {
        bare.push(micros(floor::per_packet(&processor, packets, cores.of_node)));
        by_hand.push(turn(cli, cores, network, packets, portable, Listener::Nobody));
        supervised.push(turn(cli, cores, network, packets, portable, Listener::Supervisor));
        tracing.push(turn(cli, cores, network, packets, portable, Listener::Tracing));
    }
    let nodes = [("by hand", &by_hand), ("supervised", &supervised), ("tracing", &tracing)];
    let (median, least, most) = spread(bare.iter().copied());
    let range = format!("{least:.1}-{most:.1}");
    println!("  {:<12}{:>11.0}{median:>9.1}{range:>14}", "bare loop", 1e6 / median);
    for (name, turns) in nodes {
        let (cpu, least, most) = spread(turns.iter().map(|turn| turn.cpu));
        let (per_second, ..) = spread(turns.iter().map(|turn| turn.per_second));
        let (ratio, ..) = spread(turns.iter().zip(&bare).map(|(turn, bare)| bare / turn.cpu));
        let lost: u64 = turns.iter().map(|turn| turn.lost).sum();
        let range = format!("{least:.1}-{most:.1}");
        println!(
            "  {name:<12}{per_second:>11.0}{cpu:>9.1}{range:>14}{:>16.1} %{lost:>6}",
            ratio * 100.0
        );
    }
    Figures {
        is_complete: nodes.iter().all(|(_, turns)| turns.iter().all(|turn| turn.lost == 0)),
        per_second: spread(supervised.iter().map(|turn| turn.per_second)).0,
    }
}

/// All packets through a new node, which has seen none of them.
fn turn(
    cli: &Cli,
    cores: &Cores,
    network: &Network,
    packets: &[Packet],
    portable: bool,
    listener: Listener,
) -> Turn {
    let (first, packets) = packets.split_at(WARM_UP);
    let arrivals = Arrivals::start(network);
    let node = Node::start(cores, network, portable, listener);
    let senders = Senders::connect(&node, cli.peers);
    senders.send(first);
    arrivals.wait(first.len() as u64, || {});
    let (cpu, begin, before) = (node.cpu(), clock::now(), arrivals.count());
    senders.send(packets);
    arrivals.wait(before + packets.len() as u64, || {});
    let elapsed = arrivals.last().saturating_since(begin);
    let came = arrivals.count() - before;
    let used = node.cpu().zip(cpu).map_or(elapsed, |(after, before)| after.saturating_sub(before));
    Turn {
        per_second: number(came) / elapsed.as_secs_f64(),
        cpu: micros(used) / number(came),
        lost: packets.len() as u64 - came,
    }
}

/// The memory of a node before, during and after a burst.
pub(crate) fn burst(cores: &Cores, network: &Network, packets: &[Packet], listener: Listener) {
    let (first, rest) = packets.split_at(WARM_UP);
    let arrivals = Arrivals::start(network);
    let node = Node::start(cores, network, false, listener);
    let senders = Senders::connect(&node, 4);
    senders.send(first);
    arrivals.wait(first.len() as u64, || {});
    let idle = node.memory();
    let mut peak = None;
    let mut looks = 0;
    thread::scope(|scope| {
        scope.spawn(|| senders.send(rest));
        arrivals.wait(packets.len() as u64, || {
            looks += 1;
            if looks % MEMORY_LOOKS == 0 {
                peak = peak.max(node.memory());
            }
        });
    });
    let right_after = node.memory();
    thread::sleep(AFTERWARDS);
    println!(
        "\nburst of {} packets, mean delay {BURST_DELAY:?}, {listener:?} listens: {} passed on\n  memory in MB (without the \
         program): {} idle, {} at most, {} right after, {} three seconds later; most resident at \
         once, all of the program included: {}",
        packets.len(),
        arrivals.count(),
        shown(idle),
        shown(peak),
        shown(right_after),
        shown(node.memory()),
        megabytes(node.peak()),
    );
}

fn shown(memory: Option<Memory>) -> String {
    let (all, data) = memory.map(|memory| (memory.all, memory.data)).unzip();
    format!("{} ({})", megabytes(all), megabytes(data))
}

/// Median, least and most.
pub(crate) fn spread(figures: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let last = figures.len() - 1;
    (figures[last / 2], figures[0], figures[last])
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "-".into(), |bytes| format!("{:.1}", number(bytes) / 1e6))
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[expect(clippy::cast_precision_loss, reason = "figures far below 2^52")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}
