//! A real mixnode and a real provider under everything that a hostile peer can send, while somebody
//! honest goes on sending through both: no honest packet is lost, the counters account for every
//! packet, memory stays, and neither process ends.
//!
//! `NYM_DEVNET_SOAK_SECONDS` says for how long, `NYM_DEVNET_SOAK_SEED` repeats what was tried, and
//! `NYM_DEVNET_SOAK_PROGRAM` attacks another program. `docs/reliability.md` has an hour's result.

mod clients;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod honest;
mod packets;
#[path = "../process/mod.rs"]
mod process;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use contract::{Endpoint, NodeMetrics};
use directory_api::MixProviderReport;
use directory_client::DirectoryClient;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rustix::process::{Resource, getrlimit, setrlimit};
use sphinx::{Hop, PrivateKey};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use wire::NodeAddress;

use crate::common::limit;
use crate::connections::{Connected, again_and_again};
use crate::honest::Honest;
use crate::packets::{At, Attacker};
use crate::process::{Node, Told, Usage};

/// How long, unless the environment says otherwise.
const DEFAULT_SECONDS: u64 = 10;

/// A round ends with a look at memory.
const LONGEST_ROUND: Duration = Duration::from_secs(60);

/// Rounds after which everything was full once, each port with connections too: memory is compared
/// with that.
const FIRST_ROUNDS: usize = 3;

/// Everything has its turn twice.
const LEAST_ROUNDS: usize = 2 * FIRST_ROUNDS;

/// Connections that are held open at once, if this process may have so many.
const HELD: usize = 10_000;

/// What else this process opens, at most.
const OTHER_FILES: usize = 2000;

/// Packets with faults, and connections of each kind, a second: together less than half of what one
/// core does, so that an hour of this can run beside other work.
const PACKETS_PER_SECOND: u32 = 60;
const CONNECTIONS_PER_SECOND: u32 = 8;

/// Packets that are remembered, in bursts of so many, so many times a second: two generations of
/// them are full within an hour.
const FLOOD_BURST: usize = 100;
const FLOODS_PER_SECOND: u32 = 6;

/// Packets for clients that do not take them, a second.
const STORED_PER_SECOND: u32 = 20;

/// The longest that an honest packet may take. Everybody here shares two cores, and a burst of
/// thousands of packets is in front of it now and then.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// By how much memory may grow after the first round, besides what replays are known by: pages that
/// the allocator keeps, which depend on who closed which of ten thousand connections first.
const GROWTH: u64 = 8 << 20;

/// A tag is 16 bytes and one of the table's own; the table is at most 7/8 full, doubles, and there
/// are two.
const MAX_REPLAY_BYTES_PER_TAG: u64 = 40;
const MAX_REPLAY_TAGS: u64 = 2 * sphinx::MIN_REMEMBERED as u64;

/// Lines that a node may log in a second: attacks must not fill the disk.
const LOG_LINES_PER_SECOND: u64 = 5;

/// Where everybody is.
pub(crate) struct Network {
    mixnode: Hop,
    provider: Hop,
    /// A provider that never reads.
    silent: Hop,
    /// The provider's port for clients.
    clients: SocketAddr,
}

#[test]
fn a_hostile_peer_costs_no_honest_packet_no_memory_and_no_process() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seconds = number("NYM_DEVNET_SOAK_SECONDS").unwrap_or(DEFAULT_SECONDS);
    let seed = number("NYM_DEVNET_SOAK_SEED").unwrap_or_else(rand::random);
    println!("NYM_DEVNET_SOAK_SECONDS={seconds} NYM_DEVNET_SOAK_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let rng = StdRng::seed_from_u64(seed);
    runtime.expect("a runtime").block_on(attack(Duration::from_secs(seconds), rng));
}

async fn attack(total: Duration, mut rng: StdRng) {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let directory = Node::start("directory", home, "directory --port 0");
    let url = format!("http://{}", directory.address(Endpoint::Http).await);
    let options = format!("--home {}/mixnode --layer 1 --layers 1 --port 0", home.display());
    let mixnode = Node::start("mixnode", home, &format!("mixnode --directory {url} {options}"));
    let options = format!("--home {}/provider --port 0 --clients-port 0", home.display());
    let provider = Node::start("provider", home, &format!("provider --directory {url} {options}"));

    let stop_all = CancellationToken::new();
    let _guard = stop_all.clone().drop_guard();
    let reads = CancellationToken::new();
    let silent = silent_provider(&url, &mut rng, reads.clone()).await;
    let hop = async |node: &Node| {
        let address = NodeAddress(node.address(Endpoint::Mix).await);
        node.until_ready().await;
        Hop { address, key: node.key(), delay: Duration::ZERO }
    };
    let network = Arc::new(Network {
        mixnode: hop(&mixnode).await,
        provider: hop(&provider).await,
        silent,
        clients: provider.address(Endpoint::Clients).await,
    });

    let honest = Honest::start(Arc::clone(&network), &mut rng, stop_all.clone()).await;
    let stop_sending = CancellationToken::new();
    let sending = tokio::spawn(honest.clone().send(rng.fork(), stop_sending.clone()));
    let mut bench = Bench {
        of_mixnode: Attacker::connect(Arc::clone(&network), At::Mixnode, rng.fork()).await,
        of_provider: Attacker::connect(Arc::clone(&network), At::Provider, rng.fork()).await,
        sleeper: PrivateKey::random(&mut rng),
        network,
        rng,
        mixnode,
        provider,
        connected: Arc::default(),
        most_held: raise_file_limit(),
    };

    let begin = Instant::now();
    let round = LONGEST_ROUND.min(total / u32::try_from(LEAST_ROUNDS).expect("few"));
    let mut before = None;
    let mut number = 0;
    while number < LEAST_ROUNDS || begin.elapsed() < total {
        let usages = bench.round(number, round).await;
        number += 1;
        assert!(!sending.is_finished(), "the honest peer gave up");
        let text = honest.result().2;
        let [mixnode, provider] = usages
            .map(|usage| format!("{:.1} MB, {:.1} s", mega(usage.bytes), usage.cpu.as_secs_f64()));
        let second = begin.elapsed().as_secs();
        println!("{second} s: mixnode {mixnode}; provider {provider}; {text}");
        if number == FIRST_ROUNDS {
            before = Some((usages, bench.remembered()));
        }
    }
    stop_sending.cancel();
    sending.await.expect("the honest peer was never refused");
    honest.until_all_came(30).await;
    let (honest_packets, worst, text) = honest.result();
    println!("{text}");
    assert!(honest_packets > 0 && worst <= limit(LONGEST_WAIT.as_secs()), "{text}");

    bench.check_memory(before.expect("there were enough rounds"));
    // Who never read reads at last, so that nothing is underway any more.
    reads.cancel();
    bench.check_counters(honest_packets, begin.elapsed()).await;
}

/// The nodes, and what attacks them.
struct Bench {
    network: Arc<Network>,
    rng: StdRng,
    mixnode: Node,
    provider: Node,
    of_mixnode: Attacker,
    of_provider: Attacker,
    /// A client that connects and never reads.
    sleeper: PrivateKey,
    connected: Arc<Connected>,
    most_held: usize,
}

impl Bench {
    /// All attacks at once for so long. What the two nodes use after it.
    async fn round(&mut self, number: usize, length: Duration) -> [Usage; 2] {
        let stop = CancellationToken::new();
        let sleeper = honest::register(&self.network, &self.sleeper).await;
        let Network { mixnode, provider, clients, .. } = *self.network;
        let ports = [mixnode.address.0, provider.address.0, clients];
        let mut attacks = JoinSet::new();
        for port in ports {
            let (connected, mut rng) = (Arc::clone(&self.connected), self.rng.fork());
            let stop_each = stop.clone();
            attacks.spawn(again_and_again(CONNECTIONS_PER_SECOND, stop.clone(), move || {
                let (connected, mut rng) = (Arc::clone(&connected), rng.fork());
                let stop = stop_each.clone();
                async move {
                    if port == clients {
                        return connections::nonsense(&mut rng, port, &stop).await;
                    }
                    let counted = if port == mixnode.address.0 {
                        &connected.malformed_at_mixnode
                    } else {
                        &connected.malformed_at_provider
                    };
                    connections::garbage(&mut rng, port, counted, &stop).await;
                    connections::half_frame(&mut rng, port, &stop).await;
                }
            }));
        }
        let (network, mut rng) = (Arc::clone(&self.network), self.rng.fork());
        let stop_each = stop.clone();
        attacks.spawn(again_and_again(CONNECTIONS_PER_SECOND, stop.clone(), move || {
            clients::attack(rng.fork(), Arc::clone(&network), stop_each.clone())
        }));
        // One port after the other has more connections than it has places.
        let all_tried = CancellationToken::new();
        let (connected, stop_holding) = (Arc::clone(&self.connected), stop.clone());
        let (count, port, tried) = (self.most_held, ports[number % ports.len()], all_tried.clone());
        attacks.spawn(async move {
            connections::hold(count, port, &connected, tried, &stop_holding).await;
        });

        self.send_packets(number, length).await;
        // However short the round is.
        let tried = timeout(limit(60), all_tried.cancelled()).await;
        tried.expect("connecting takes a bounded time");
        stop.cancel();
        while let Some(ended) = attacks.join_next().await {
            ended.expect("an attack does not fail");
        }
        drop(sleeper);
        [self.mixnode.usage(), self.provider.usage()]
    }

    /// Packets with faults at a steady rate; in the first round also as many as pool and queue hold.
    async fn send_packets(&mut self, number: usize, length: Duration) {
        if number == 0 {
            self.of_mixnode.fill().await;
        }
        let until = Instant::now() + length;
        let mut faults = interval(Duration::from_secs(1) / PACKETS_PER_SECOND);
        let mut floods = interval(Duration::from_secs(1) / FLOODS_PER_SECOND);
        let mut stores = interval(Duration::from_secs(1));
        for ticks in [&mut faults, &mut floods, &mut stores] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                _ = faults.tick() => {
                    self.of_mixnode.attack().await;
                    self.of_provider.attack().await;
                }
                _ = floods.tick() => {
                    self.of_mixnode.flood(FLOOD_BURST).await;
                    self.of_provider.flood(FLOOD_BURST).await;
                }
                _ = stores.tick() => {
                    let packets = STORED_PER_SECOND as usize;
                    self.of_provider.store(&self.sleeper.public(), packets).await;
                }
                () = sleep_until(until) => return,
            }
        }
    }

    /// Packets that the mixnode and the provider remember at most, so as to know their replays.
    fn remembered(&self) -> [u64; 2] {
        [self.mixnode.metrics().received, self.provider.metrics().received]
            .map(|received| received.min(MAX_REPLAY_TAGS))
    }

    fn check_memory(&mut self, before: ([Usage; 2], [u64; 2])) {
        let after = [self.mixnode.usage(), self.provider.usage()];
        let remembered = self.remembered();
        for (index, name) in ["mixnode", "provider"].into_iter().enumerate() {
            let (before, known) = (before.0[index].bytes, before.1[index]);
            let replays = (remembered[index] - known) * MAX_REPLAY_BYTES_PER_TAG;
            let (after, most) = (after[index].bytes, before + replays + GROWTH);
            println!("{name}: {:.1} MB, then {:.1} MB", mega(before), mega(after));
            assert!(after <= most, "the {name} grows: {before}, then {after}, {most} expected");
        }
    }

    /// Every packet is somewhere.
    async fn check_counters(&mut self, honest_packets: u64, duration: Duration) {
        self.of_mixnode.finish().await;
        self.of_provider.finish().await;
        // Both nodes take each honest packet and its acknowledgement.
        let received = [&self.of_mixnode, &self.of_provider]
            .map(|attacker| attacker.sent + 2 * honest_packets);
        // Connections that carried no frames are counted among the packets that were given up.
        let malformed =
            [&self.connected.malformed_at_mixnode, &self.connected.malformed_at_provider];
        let malformed = malformed.map(|count| count.load(Ordering::Relaxed));
        let expected = [&self.of_mixnode.expected, &self.of_provider.expected];
        for (at, node) in [&self.mixnode, &self.provider].into_iter().enumerate() {
            let mut expected: BTreeMap<&str, u64> = expected[at].clone();
            expected.insert("malformed", malformed[at]);
            let expected = alike(expected.into_iter());
            println!("{expected:?}");
            // A packet for a hop that nobody knows is held for a second, and those on their way to
            // the node that never read are written now.
            let is_accounted_for = |told: &Told| {
                let NodeMetrics { sent, dropped, pool, mailbox, .. } = &told.metrics;
                let gone = mailbox.map_or(sent + pool.unwrap_or(0), |mailbox| mailbox.stored);
                // An acknowledgement that has nowhere to go belongs to a packet that was stored.
                let given_up = dropped.iter().filter(|(reason, _)| *reason != "ack-hop");
                let given_up: u64 = given_up.map(|(_, count)| count).sum();
                let dropped = alike(dropped.iter().map(|(word, count)| (word.as_str(), *count)));
                told.metrics.received == received[at]
                    && received[at] + malformed[at] == gone + given_up
                    && expected.iter().all(|(word, count)| dropped.get(word) == Some(count))
            };
            node.until("counters that account for every packet", 30, is_accounted_for).await;
            println!("{:?}", node.metrics());
        }
        println!("{:?}", self.connected);
        let lines = u64::try_from(self.mixnode.log_lines() + self.provider.log_lines());
        let lines = lines.expect("few");
        let most = LOG_LINES_PER_SECOND * (duration.as_secs() + 20);
        assert!(lines <= most, "logs of {lines} lines in {duration:?}");
    }
}

/// Reasons and counts, of which two are one: a mixnode that has just started cannot be sure that a hop
/// is in the wrong layer, and says that it does not know it.
fn alike<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<&'a str, u64> {
    let mut alike = BTreeMap::new();
    for (word, count) in counts {
        *alike.entry(if word == "layer" { "unknown-hop" } else { word }).or_default() += count;
    }
    alike
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A provider that announces itself and takes connections, and reads nothing until it is told to.
async fn silent_provider(directory: &str, rng: &mut StdRng, reads: CancellationToken) -> Hop {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let listener: TcpListener = socket.listen(16).expect("a port");
    let address = listener.local_addr().expect("bound");
    let key = PrivateKey::random(rng).public();
    let report = MixProviderReport {
        client_listener: format!("ws://{address}"),
        mixnet_listener: address.to_string(),
        pub_key: key.to_string(),
        version: "0.1.0".into(),
        location: "silent".into(),
        registered_clients: Vec::new(),
    };
    let directory = DirectoryClient::new(directory).expect("an address");
    directory.announce_gateway(&report).await.expect("announced");
    tokio::spawn(async move {
        let mut beats = interval(directory_api::PRESENCE_INTERVAL);
        loop {
            beats.tick().await;
            directory.announce_gateway(&report).await.expect("announced");
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let reads = reads.clone();
            tokio::spawn(async move {
                reads.cancelled().await;
                let mut bytes = vec![0; 1 << 16];
                while let Ok(1..) = stream.read(&mut bytes).await {}
            });
        }
    });
    Hop { address: NodeAddress(address), key, delay: Duration::ZERO }
}

/// Lets this process open as many files as it may. Returns how many connections it can hold.
fn raise_file_limit() -> usize {
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    // macOS does not take its own maximum; what there is will do.
    let _ = setrlimit(Resource::Nofile, files);
    let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
    files.unwrap_or(usize::MAX).saturating_sub(OTHER_FILES).min(HELD)
}
