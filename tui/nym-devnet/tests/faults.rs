//! What goes wrong around processes while clients send: mixnodes come, go, restart and take over each
//! other's ports; the directory is gone for a while. `docs/reliability.md` lists all that can happen.

mod common;
mod process;

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::path::PathBuf;

use contract::{Command, Endpoint};
use directory_client::DirectoryClient;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::common::{limit, until};
use crate::process::{Node, Told};

const LAYERS: u8 = 3;

/// Mixnodes of a layer at the start. Some of them may be gone at the same time.
const WIDTH: usize = 5;

/// Additions and restarts.
const CHANGES: usize = 100;

/// Of these, so many are underway at once: one that leaves takes a second for it.
const AT_ONCE: usize = 6;

/// A mixnode with what it takes to start it again.
struct Mixnode {
    node: Node,
    layer: u8,
    home: PathBuf,
    port: u16,
}

/// A directory and a provider, and where mixnodes are started beside them.
struct Lab {
    folder: TempDir,
    directory: Node,
    url: String,
    provider: Node,
    started: usize,
}

impl Lab {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let directory = Node::start("directory", path, "directory --port 0");
        let url = format!("http://{}", directory.address(Endpoint::Http).await);
        let arguments = format!(
            "provider --name provider-1 --home {}/provider --directory {url} --port 0 \
             --clients-port 0",
            path.display()
        );
        let provider = Node::start("provider-1", path, &arguments);
        Self { folder, directory, url, provider, started: 0 }
    }

    /// Starts a mixnode; one with a home is the same as before, with its key.
    fn mixnode(&mut self, layer: u8, home: Option<PathBuf>, port: u16) -> Mixnode {
        self.started += 1;
        let name = format!("mix-{layer}-{}", self.started);
        let home = home.unwrap_or_else(|| self.folder.path().join(&name));
        let arguments = format!(
            "mixnode --name {name} --home {} --directory {} --layer {layer} --layers {LAYERS} \
             --port {port}",
            home.display(),
            self.url
        );
        let node = Node::start(&name, self.folder.path(), &arguments);
        Mixnode { node, layer, home, port }
    }

    /// So many mixnodes in each layer, once they are ready.
    async fn mixnodes(&mut self, width: usize) -> Vec<Mixnode> {
        let mut mixnodes = Vec::new();
        for layer in (1..=LAYERS).flat_map(|layer| vec![layer; width]) {
            mixnodes.push(self.mixnode(layer, None, 0));
        }
        for mixnode in &mut mixnodes {
            mixnode.port = mixnode.node.address(Endpoint::Mix).await.port();
            mixnode.node.until_ready().await;
        }
        mixnodes
    }

    /// A client that sends a lot, once its packets come back.
    async fn client(&self, name: &str) -> Node {
        // Packets are on their way for a while.
        let arguments = format!(
            "client --name {name} --home {}/{name} --directory {} --provider provider-1 --port 0 \
             --layers {LAYERS} --hop-delay 60ms --slot 12ms --loop-cover 12ms",
            self.folder.path().display(),
            self.url
        );
        let client = Node::start(name, self.folder.path(), &arguments);
        client.until_ready().await;
        client
    }
}

/// Waits until so many more packets of a client have come back.
async fn until_more_return(client: &Node, packets: u64) {
    let returned = |told: &Told| told.metrics.traffic.unwrap_or_default().loops_returned;
    let before = client.told(returned);
    client.until("cover comes back", 20, |told| returned(told) >= before + packets).await;
}

/// How a mixnode goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// It stops and comes back as it was.
    Restart,
    /// It is killed and comes back as it was.
    Kill,
    /// It leaves, and another of a different layer takes over its port.
    TakeOver,
}

#[tokio::test]
async fn a_hundred_additions_and_restarts_under_traffic_refuse_no_packet_for_its_layer() {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut lab = Lab::start().await;
    let mut present = lab.mixnodes(WIDTH).await;
    let clients = [lab.client("alice").await, lab.client("bob").await];

    let mut made = BTreeMap::<Change, usize>::new();
    let mut going = JoinSet::new();
    let mut left_to_do = CHANGES;
    let mut totals = Totals::default();
    while left_to_do > 0 || !going.is_empty() {
        if left_to_do > 0 && going.len() < AT_ONCE {
            left_to_do -= 1;
            let (change, mixnode) = choose(rng, &mut present);
            *made.entry(change).or_default() += 1;
            going.spawn(go(change, mixnode));
            continue;
        }
        let gone = going.join_next().await.expect("some are going").expect("they go");
        let Gone { change, layer, home, port, totals: of_gone } = gone;
        totals += of_gone;
        let next = if change == Change::TakeOver {
            let others: Vec<u8> = (1..=LAYERS).filter(|&other| other != layer).collect();
            lab.mixnode(*others.choose(rng).expect("there are others"), None, port)
        } else {
            lab.mixnode(layer, Some(home), port)
        };
        next.node.until_ready().await;
        present.push(next);
    }

    for client in &clients {
        until_more_return(client, 20).await;
    }
    assert!(made.len() == 3 && made[&Change::TakeOver] > 20, "{made:?}");
    for Mixnode { mut node, .. } in present {
        node.ask(Command::Stop);
        totals += Totals::of(node).await;
    }
    assert!(totals.received > 1000, "traffic went on all the time: {totals:?}");
    assert_eq!(totals.refused, 0, "{totals:?}");
}

/// One that may go: its layer does without it.
fn choose(rng: &mut StdRng, present: &mut Vec<Mixnode>) -> (Change, Mixnode) {
    loop {
        let index = rng.random_range(0..present.len());
        let layer = present[index].layer;
        if present.iter().filter(|other| other.layer == layer).count() > 1 {
            let change = match rng.random_range(0..10) {
                0 => Change::Kill,
                1..5 => Change::Restart,
                _ => Change::TakeOver,
            };
            return (change, present.swap_remove(index));
        }
    }
}

/// What is needed of a mixnode that is gone.
struct Gone {
    change: Change,
    layer: u8,
    home: PathBuf,
    port: u16,
    totals: Totals,
}

async fn go(change: Change, mixnode: Mixnode) -> Gone {
    let Mixnode { mut node, layer, home, port } = mixnode;
    match change {
        Change::Restart => node.ask(Command::Stop),
        Change::Kill => node.kill(),
        Change::TakeOver => node.ask(Command::Leave),
    }
    Gone { change, layer, home, port, totals: Totals::of(node).await }
}

/// What mixnodes did in their lives.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    received: u64,
    /// Given up because of their next hop's layer.
    refused: u64,
}

impl Totals {
    /// Of one that ends.
    async fn of(node: Node) -> Self {
        let metrics = node.ended().await;
        let refused = metrics.dropped.get("layer").copied().unwrap_or(0);
        Self { received: metrics.received, refused }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.refused += other.refused;
    }
}

/// Lines that a node may log because its directory is gone, and because it is back.
const LINES: usize = 4;

#[tokio::test]
async fn while_the_directory_is_gone_nodes_mix_on_and_then_they_announce_themselves_again() {
    let mut lab = Lab::start().await;
    let mixnodes = lab.mixnodes(1).await;
    let alice = lab.client("alice").await;
    let nodes = || mixnodes.iter().map(|mixnode| &mixnode.node);
    let lines: Vec<usize> = nodes().map(Node::log_lines).collect();

    lab.directory.kill();
    let port = lab.url.rsplit_once(':').expect("a port").1;
    let directory = format!("directory --port {port}");
    // Each misses a beat, and packets still come back.
    for node in nodes() {
        until("the log says that it is gone", 20, || node.log().contains("WARN"));
    }
    until_more_return(&alice, 100).await;

    lab.directory = Node::start("directory", lab.folder.path(), &directory);
    let client = DirectoryClient::new(&lab.url).expect("an address");
    let complete = async {
        loop {
            let Ok(topology) = client.topology().await else { continue };
            let clients = topology.gateway_nodes.first().map(|node| node.registered_clients.len());
            if topology.mix_nodes.len() == usize::from(LAYERS) && clients == Some(1) {
                return;
            }
        }
    };
    timeout(limit(20), complete).await.expect("all announce themselves");
    until_more_return(&alice, 100).await;
    for (node, lines) in nodes().zip(lines) {
        until("the log says that it is back", 20, || node.log().contains("answers again"));
        let more = node.log_lines() - lines;
        assert!(more <= LINES, "{more} lines:\n{}", node.log());
        assert_eq!(node.metrics().dropped, BTreeMap::new());
    }
    assert_eq!(lab.provider.metrics().dropped, BTreeMap::new());
}

#[tokio::test]
async fn two_nodes_with_one_key_hear_of_each_other_and_say_so_once() {
    let mut lab = Lab::start().await;
    let home = lab.folder.path().join("shared");
    let first = lab.mixnode(1, Some(home.clone()), 0);
    first.node.until_ready().await;
    // As if its folder had been copied.
    let second = lab.mixnode(1, Some(home), 0);
    let mut ports = [0; 2];
    for (port, mixnode) in ports.iter_mut().zip([&first, &second]) {
        *port = mixnode.node.address(Endpoint::Mix).await.port();
    }
    let warnings = |node: &Node, port: u16| {
        let log = node.log();
        let of_other = format!("another node at 127.0.0.1:{port} announces the key of this one");
        log.lines().filter(|line| line.contains(&of_other)).count()
    };
    until("both say so", 20, || {
        warnings(&first.node, ports[1]) > 0 && warnings(&second.node, ports[0]) > 0
    });
    // Each takes the other's place again.
    let beats = DirectoryClient::new(&lab.url).expect("an address");
    let mut seen = Vec::new();
    let both_again = async {
        while seen.len() < 4 {
            let topology = beats.topology().await.expect("it answers");
            let host = topology.mix_nodes.into_iter().next().map(|node| node.host);
            if seen.last() != Some(&host) {
                seen.push(host);
            }
        }
    };
    timeout(limit(20), both_again).await.expect("the last announcement counts");
    assert_eq!((warnings(&first.node, ports[1]), warnings(&second.node, ports[0])), (1, 1));
}
