//! Mixnodes that come, go, restart and take over each other's ports under traffic, on virtual time.
//! Nobody's view of the network is the newest, and still no honest packet is taken for one that skips
//! a layer.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::Duration;

use contract::Time;
use directory_api::{GatewayPresence, MixNodePresence, Topology};
use mixnode::{DropReason, Mixnode, Replays};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use runtime::{FrameStore, Network};
use sphinx::{Hop, HopProcessor, PacketBuilder, PrivateKey, Route};
use wire::{NodeAddress, PublicKey, WireProfile};

const PROFILE: WireProfile = WireProfile::CURRENT;
const LAYERS: u8 = 3;
const WIDTH: u16 = 3;
const PROVIDER_PORT: u16 = 1;

/// Additions and restarts.
const CHANGES: usize = 100;

/// Between two of them.
const CHANGE_INTERVAL: Duration = Duration::from_millis(200);

/// Between two packets.
const SEND_INTERVAL: Duration = Duration::from_millis(8);

/// The mean delay at a hop.
const DELAY: Duration = Duration::from_millis(20);

/// How long a packet is on a link.
const LATENCY: Duration = Duration::from_millis(1);

/// How late a mixnode's view of the network is at most.
const MAX_LAG: Duration = Duration::from_millis(300);

/// How late those of two clients are: one hears of everything before the mixnodes, one after.
const CLIENT_LAGS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(400)];

/// How many of those that go were killed: the directory does not hear that they leave.
const KILLED: f64 = 0.1;

/// When the directory forgets a node that it does not hear any more.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    key: PublicKey,
    layer: u8,
    port: u16,
}

struct Node {
    listed: Listed,
    processor: HopProcessor,
    engine: Mixnode,
    frames: FrameStore,
    /// By how much its view is late.
    lag: Duration,
    /// It takes no more packets.
    is_gone: bool,
}

enum What {
    Arrival {
        port: u16,
        packet: Vec<u8>,
    },
    /// A node, by its key, gets this view.
    View {
        to: PublicKey,
        network: Box<Network>,
    },
    /// A client does.
    ClientView {
        client: usize,
        network: Box<Network>,
    },
    /// A node asked for the newest view.
    Fetched {
        to: PublicKey,
    },
    Forget {
        key: PublicKey,
    },
    Send,
    Change,
}

struct World {
    now: Time,
    rng: StdRng,
    planned: BinaryHeap<Reverse<(Time, u64)>>,
    what: std::collections::HashMap<u64, What>,
    sequence: u64,
    directory: Vec<Listed>,
    nodes: Vec<Node>,
    client_views: [Network; CLIENT_LAGS.len()],
    builder: PacketBuilder,
    provider: PublicKey,
    sent: usize,
    delivered: usize,
    fetched: usize,
    taken_over: usize,
    restarted: usize,
    changes: usize,
    /// Of engines that are gone.
    layer_refusals: u64,
}

fn address(port: u16) -> NodeAddress {
    NodeAddress(SocketAddr::from(([127, 0, 0, 1], port)))
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let provider = PrivateKey::random(&mut rng).public();
        let mut world = Self {
            now: Time::default(),
            rng,
            planned: BinaryHeap::new(),
            what: std::collections::HashMap::new(),
            sequence: 0,
            directory: Vec::new(),
            nodes: Vec::new(),
            client_views: Default::default(),
            builder: PacketBuilder::new(PROFILE),
            provider,
            sent: 0,
            delivered: 0,
            fetched: 0,
            taken_over: 0,
            restarted: 0,
            changes: 0,
            layer_refusals: 0,
        };
        for layer in 1..=LAYERS {
            for index in 0..WIDTH {
                world.add(layer, u16::from(layer) * 100 + index);
            }
        }
        world.plan(MAX_LAG, What::Send);
        // Late enough for nodes to be sure of what they see.
        world.plan(Duration::from_secs(6), What::Change);
        world
    }

    fn plan(&mut self, after: Duration, what: What) {
        self.sequence += 1;
        self.planned.push(Reverse((self.now + after, self.sequence)));
        self.what.insert(self.sequence, what);
    }

    fn network(&self) -> Network {
        let mixnode = |listed: &Listed| MixNodePresence {
            host: address(listed.port).to_string(),
            pub_key: listed.key.to_string(),
            version: "0.1.0".into(),
            location: "here".into(),
            layer: listed.layer.into(),
            last_seen: 0,
        };
        let provider = GatewayPresence {
            client_listener: "ws://127.0.0.1:9".into(),
            mixnet_listener: address(PROVIDER_PORT).to_string(),
            pub_key: self.provider.to_string(),
            version: "0.1.0".into(),
            location: "here".into(),
            registered_clients: Vec::new(),
            last_seen: 0,
        };
        Network::from_topology(&Topology {
            mix_nodes: self.directory.iter().map(mixnode).collect(),
            gateway_nodes: vec![provider],
            ..Topology::default()
        })
    }

    /// Tells everybody what the directory now says; it reaches each at another time.
    fn publish(&mut self) {
        let network = self.network();
        let lags: Vec<_> = self.nodes.iter().map(|node| (node.listed.key, node.lag)).collect();
        for (to, lag) in lags {
            self.plan(lag, What::View { to, network: Box::new(network.clone()) });
        }
        for (client, lag) in CLIENT_LAGS.into_iter().enumerate() {
            self.plan(lag, What::ClientView { client, network: Box::new(network.clone()) });
        }
    }

    fn engine(&self, processor: &HopProcessor, layer: u8) -> Mixnode {
        Mixnode::new(processor.clone(), layer, LAYERS, Some(Replays::new(self.now)))
    }

    fn add(&mut self, layer: u8, port: u16) {
        let processor = HopProcessor::new(PrivateKey::random(&mut self.rng), PROFILE);
        let listed = Listed { key: processor.public_key(), layer, port };
        self.directory.push(listed.clone());
        self.nodes.push(Node {
            listed,
            engine: self.engine(&processor, layer),
            processor,
            frames: FrameStore::new(PROFILE),
            lag: MAX_LAG.mul_f64(self.rng.random()),
            is_gone: false,
        });
        self.publish();
    }

    fn forget(&mut self, key: &PublicKey) {
        self.directory.retain(|listed| listed.key != *key);
        self.publish();
    }

    /// A node restarts, or one goes and another of a different layer takes over its port.
    fn change(&mut self) {
        self.changes += 1;
        if self.changes < CHANGES {
            let factor = self.rng.random_range(0.0..2.0);
            self.plan(CHANGE_INTERVAL.mul_f64(factor), What::Change);
        }
        let staying: Vec<usize> =
            (0..self.nodes.len()).filter(|&index| !self.nodes[index].is_gone).collect();
        let index = *staying.choose(&mut self.rng).expect("nodes stay");
        let Listed { key, layer, port } = self.nodes[index].listed.clone();
        let in_layer =
            staying.iter().filter(|&&index| self.nodes[index].listed.layer == layer).count();
        if in_layer == 1 || self.rng.random_bool(0.3) {
            self.restarted += 1;
            let engine = self.engine(&self.nodes[index].processor, layer);
            let old = std::mem::replace(&mut self.nodes[index].engine, engine);
            self.layer_refusals += refusals(&old);
            self.nodes[index].frames = FrameStore::new(PROFILE);
            let network = Box::new(self.network());
            self.plan(self.nodes[index].lag, What::View { to: key, network });
            return;
        }
        self.taken_over += 1;
        self.nodes[index].is_gone = true;
        if self.rng.random_bool(KILLED) {
            // The directory lists two nodes at this address for a while.
            self.plan(FORGOTTEN_AFTER, What::Forget { key });
        } else {
            self.forget(&key);
        }
        let others: Vec<u8> = (1..=LAYERS).filter(|&other| other != layer).collect();
        let layer = *others.choose(&mut self.rng).expect("there are others");
        self.add(layer, port);
    }

    /// A client sends a packet over a route of its own view.
    fn send(&mut self) {
        self.plan(SEND_INTERVAL, What::Send);
        let mut hops = Vec::new();
        let client = self.rng.random_range(0..CLIENT_LAGS.len());
        for layer in 1..=LAYERS {
            let Some(node) = self.client_views[client].layer(layer).choose(&mut self.rng) else {
                return;
            };
            let delay = DELAY.mul_f64(-f64::ln(1.0 - self.rng.random::<f64>()));
            hops.push(Hop { address: node.address, key: node.key, delay });
        }
        let key = self.provider;
        hops.push(Hop { address: address(PROVIDER_PORT), key, delay: Duration::ZERO });
        let port = hops[0].address.0.port();
        let packet =
            self.builder.build_packet(&mut self.rng, &Route { hops }, &key, &[0; 16], b"x");
        self.sent += 1;
        self.plan(LATENCY, What::Arrival { port, packet: packet.expect("a good route") });
    }

    fn happen(&mut self, what: What) {
        let now = self.now;
        match what {
            What::Arrival { port: PROVIDER_PORT, .. } => self.delivered += 1,
            What::Arrival { port, mut packet } => {
                let here = |node: &&mut Node| node.listed.port == port && !node.is_gone;
                // Whoever was there may be gone.
                if let Some(node) = self.nodes.iter_mut().find(here) {
                    node.engine.take(now, &mut [&mut packet], &mut node.frames);
                }
            }
            What::View { to, network } => self.show(&to, &network),
            What::ClientView { client, network } => self.client_views[client] = *network,
            What::Fetched { to } => self.show(&to, &self.network()),
            What::Forget { key } => self.forget(&key),
            What::Send => self.send(),
            What::Change => self.change(),
        }
    }

    fn show(&mut self, key: &PublicKey, network: &Network) {
        if let Some(node) = self.nodes.iter_mut().find(|node| node.listed.key == *key) {
            node.engine.set_network(self.now, network);
        }
    }

    /// Lets everything happen that is due at the next moment.
    fn step(&mut self) {
        let wakes = self.nodes.iter().filter_map(|node| node.engine.next_wake());
        let planned = self.planned.peek().map(|Reverse((at, _))| *at);
        self.now = wakes.chain(planned).min().expect("something is planned").max(self.now);
        while let Some(Reverse((at, number))) = self.planned.peek().copied()
            && at <= self.now
        {
            self.planned.pop();
            let what = self.what.remove(&number).expect("planned once");
            self.happen(what);
        }
        let mut left = Vec::new();
        let mut fetches = Vec::new();
        for Node { engine, frames, listed, .. } in &mut self.nodes {
            // One that goes drains: its packets leave, too.
            while let Some(departure) = engine.next_departure(self.now, frames) {
                left.push((departure.to.0.port(), frames.bytes(&departure.frame)[1..].to_vec()));
                frames.release(departure.frame);
            }
            if engine.wants_topology(self.now) {
                fetches.push(listed.key);
            }
        }
        self.nodes.retain(|node| {
            let stays = !node.is_gone || node.engine.pool() > 0;
            if !stays {
                self.layer_refusals += refusals(&node.engine);
            }
            stays
        });
        for (port, packet) in left {
            self.plan(LATENCY, What::Arrival { port, packet });
        }
        for to in fetches {
            self.fetched += 1;
            let after = Duration::from_millis(self.rng.random_range(2..30));
            self.plan(after, What::Fetched { to });
        }
    }
}

fn refusals(engine: &Mixnode) -> u64 {
    engine.counters().dropped.get(&DropReason::Layer).copied().unwrap_or(0)
}

#[test]
fn a_hundred_additions_and_restarts_refuse_no_packet_for_its_layer() {
    let mut world = World::new(1);
    while world.changes < CHANGES {
        world.step();
    }
    // What is held is decided.
    let end = world.now + Duration::from_secs(5);
    while world.now < end {
        world.step();
    }
    let refusals: u64 =
        world.layer_refusals + world.nodes.iter().map(|node| refusals(&node.engine)).sum::<u64>();
    assert_eq!(refusals, 0);
    let World { sent, delivered, fetched, taken_over, restarted, .. } = world;
    assert!(taken_over > 30 && restarted > 20, "{taken_over} and {restarted}");
    assert!(fetched > 50, "views did differ: {fetched}");
    assert!(delivered > sent / 3, "{delivered} of {sent} were delivered");
}
