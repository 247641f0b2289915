//! By how much packets leave later than their headers ask, under different loads.

use std::collections::HashMap;
use std::time::Duration;

use contract::Time;
use rand::{Rng, RngExt};
use runtime::clock;

use crate::Cli;
use crate::cores::Cores;
use crate::network::Network;
use crate::node::{Listener, Node};
use crate::packets::{self, Delays};
use crate::peers::{Arrivals, Senders};
use crate::throughput::{WARM_UP, micros, number};

/// Packets a second where the node has nothing to do: so many that there is something to measure.
const IDLE_RATE: f64 = 100.0;

/// The mean delay: so long that waiting is what most packets do, and so short that the pool holds those
/// that come at any rate here.
const MEAN: Duration = Duration::from_millis(100);

/// How long before the first packet the plan is made.
const LEAD: Duration = Duration::from_millis(50);

/// Measures at next to no load, at half and at nine tenths of what the node can do.
pub(crate) fn measure(
    cli: &Cli,
    cores: &Cores,
    network: &Network,
    portable: bool,
    per_second: f64,
) {
    let processor = packets::processor(network.node_key(), portable);
    println!(
        "\ndelays, {} arithmetic, mean delay {MEAN:?}: µs from socket to socket beyond what the header \
         asks (and as the node itself counts)",
        processor.arithmetic()
    );
    for (name, rate) in
        [("idle", IDLE_RATE), ("50 %", per_second * 0.5), ("90 %", per_second * 0.9)]
    {
        let mut excess = load(cli, cores, network, portable, rate);
        let count = excess.micros.len();
        excess.micros.sort_by(f64::total_cmp);
        let at = |hundredths: usize| excess.micros[(count - 1) * hundredths / 100];
        let (median, p99, most) = (at(50), at(99), at(100));
        let own = excess.own.map_or_else(|| "-".into(), |(median, p99)| format!("{median}, {p99}"));
        println!(
            "  {name:<6}{rate:>8.0} packets/s: median {median:.0}, p99 {p99:.0}, most {most:.0} ({own}); {} of {} came",
            count, excess.sent
        );
    }
}

struct Excess {
    micros: Vec<f64>,
    sent: usize,
    /// Median and 99th percentile as the node reported them, the medians over the seconds.
    own: Option<(u64, u64)>,
}

fn load(cli: &Cli, cores: &Cores, network: &Network, portable: bool, rate: f64) -> Excess {
    let processor = packets::processor(network.node_key(), false);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "thousands")]
    let count = (rate * f64::from(cli.seconds)) as usize;
    let built = packets::build(network, count + WARM_UP, Delays::Exponential(MEAN));
    let (first, rest) = built.split_at(WARM_UP);
    let onward: Vec<[u8; 8]> = rest.iter().map(|packet| packet.onward(&processor)).collect();

    let arrivals = Arrivals::start(network);
    let node = Node::start(cores, network, portable, Listener::Supervisor);
    let senders = Senders::connect(&node, cli.peers);
    senders.send(first);
    arrivals.wait(first.len() as u64, || {});
    arrivals.take();
    node.metrics();
    let begin = clock::now() + LEAD;
    let mut rng = rand::rng();
    let plan = poisson(begin, rate, &mut rng);
    let sent = senders.send_at(plan.zip(rest));
    arrivals.wait((first.len() + count) as u64, || {});

    let asked: HashMap<[u8; 8], Time> = onward
        .into_iter()
        .zip(sent.iter().zip(rest))
        .map(|(id, (sent, packet))| (id, *sent + packet.delay))
        .collect();
    let excess = arrivals.take().into_iter().filter_map(|(id, came)| {
        let due = *asked.get(&id)?;
        Some(micros(came.saturating_since(due)))
    });
    Excess { micros: excess.collect(), sent: count, own: own_figures(&node) }
}

/// Moments at this mean rate.
fn poisson(begin: Time, rate: f64, rng: &mut impl Rng) -> impl Iterator<Item = Time> {
    let gaps = std::iter::repeat_with(move || -f64::ln(1.0 - rng.random::<f64>()) / rate);
    gaps.scan(0.0, move |after, gap| {
        *after += gap;
        Some(begin + Duration::from_secs_f64(*after))
    })
}

/// What the node has told of its lateness: seconds with few packets do not count.
fn own_figures(node: &Node) -> Option<(u64, u64)> {
    let lateness = node.metrics().into_iter().filter_map(|metrics| metrics.lateness);
    let mut lateness: Vec<_> = lateness.collect();
    let most = lateness.iter().map(|late| late.packets).max()?;
    lateness.retain(|late| number(late.packets) > number(most) / 2.0);
    let median = |mut figures: Vec<u64>| {
        figures.sort_unstable();
        figures[(figures.len() - 1) / 2]
    };
    Some((
        median(lateness.iter().map(|late| late.median_us).collect()),
        median(lateness.iter().map(|late| late.p99_us).collect()),
    ))
}
