//! A whole network in one thread on virtual time: the engines of directory, mixnodes, provider and
//! clients, joined by links of a fixed latency. Everything that happens follows from the seed.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use client::{Client, Output, PingError, PingId, Settings};
use contract::{Rates, Time};
use directory_api::{
    METRICS_INTERVAL, MixMetricReport, MixNodeReport, MixProviderReport, PRESENCE_INTERVAL,
    RegisteredClient,
};
use directory_server::{Now, Registry};
use mixnode::{Mixnode, Replays};
use provider::{Mailbox, Protocol, Provider, Stored};
use rand::SeedableRng;
use rand::rngs::StdRng;
use runtime::{FrameStore, Received, TopologyFollower};
use sphinx::{HopProcessor, PacketBuilder, PrivateKey, ReplaySet, Unwrapped};
use wire::{ClientAddress, MessageId, NodeAddress, PublicKey, WireProfile};

/// How long a packet is on a link.
const LINK_LATENCY: Duration = Duration::from_micros(100);

/// Something that happened, as the test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) t: Time,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A packet arrived at the node with this address.
    Arrived(SocketAddr),
    /// A mixnode passed a packet on, after so long.
    Mixed { layer: u8, asked: Duration, waited: Duration },
    /// A client told something.
    Client { client: usize, output: Told },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Sent { message: MessageId, attempt: u32, route: Vec<NodeAddress> },
    Acknowledged(MessageId),
    Failed(MessageId),
    Received(MessageId, Vec<u8>),
    Ready(Duration),
    Pong { ping: PingId, queued: Duration, travelled: Duration, asked: Duration, hops: usize },
    PingLost(PingId, String),
}

struct SimMixnode {
    engine: Mixnode,
    frames: FrameStore,
    /// The same key, to see what each header asks for.
    oracle: HopProcessor,
    underway: HashMap<Vec<u8>, (Time, Duration)>,
    layer: u8,
    report: MixNodeReport,
    reported: BTreeMap<SocketAddr, u64>,
    reported_received: u64,
}

struct SimClient {
    engine: Client,
    rng: StdRng,
    /// Of messages that it has received, complete or not.
    pieces: HashMap<MessageId, BTreeMap<u32, Vec<u8>>>,
    /// The number of the last packet that was delivered to it.
    delivered: u64,
}

/// What is due at some moment. Ordered by time, then by the order in which it was planned.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Arrival { to: SocketAddr, packet: Vec<u8> },
    Announce,
    Metrics,
}

pub(crate) struct Simulation {
    now: Time,
    planned: BinaryHeap<Reverse<(Time, u64, Due)>>,
    sequence: u64,
    registry: Registry,
    follower: TopologyFollower,
    mixnodes: BTreeMap<SocketAddr, SimMixnode>,
    provider: Provider,
    provider_rng: StdRng,
    provider_report: MixProviderReport,
    provider_address: SocketAddr,
    mailbox: Mailbox,
    clients: Vec<SimClient>,
    /// Nodes that take packets and do nothing with them.
    black_holes: Vec<SocketAddr>,
    pub(crate) records: Vec<Record>,
}

impl Simulation {
    /// A network of `width` × `layers` with one provider and clients at these rates.
    pub(crate) fn new(seed: u64, width: u16, layers: u8, clients: usize, rates: Rates) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let profile = WireProfile::CURRENT;
        let mut mixnodes = BTreeMap::new();
        for layer in 1..=layers {
            for index in 0..width {
                let processor = HopProcessor::new(PrivateKey::random(&mut rng), profile);
                let host = address(u16::from(layer) * 1000 + index);
                let report = MixNodeReport {
                    host: host.to_string(),
                    pub_key: processor.public_key().to_string(),
                    version: "0.1.0".into(),
                    location: format!("mix-{layer}-{index}"),
                    layer: layer.into(),
                };
                let mixnode = SimMixnode {
                    engine: Mixnode::new(
                        processor.clone(),
                        layer,
                        layers,
                        Some(Replays::new(Time::default())),
                    ),
                    frames: FrameStore::new(profile),
                    oracle: processor,
                    underway: HashMap::new(),
                    layer,
                    report,
                    reported: BTreeMap::new(),
                    reported_received: 0,
                };
                mixnodes.insert(host, mixnode);
            }
        }
        let provider = HopProcessor::new(PrivateKey::random(&mut rng), profile);
        let provider_key = provider.public_key();
        let mut mailbox = Mailbox::in_memory().expect("a mailbox");
        let settings = Settings { rates, layers, acks: true };
        let packets = PacketBuilder::new(profile);
        let clients: Vec<SimClient> = (0..clients)
            .map(|_| {
                let key = PrivateKey::random(&mut rng);
                let engine = Client::new(key, provider_key, settings, packets.clone());
                mailbox.register(&engine.address().client, Protocol::V1).expect("registers");
                SimClient {
                    engine,
                    rng: StdRng::from_rng(&mut rng),
                    pieces: HashMap::new(),
                    delivered: 0,
                }
            })
            .collect();
        let registered =
            |c: &SimClient| RegisteredClient { pub_key: c.engine.address().client.to_string() };
        let provider_address = address(4000);
        let provider_report = MixProviderReport {
            client_listener: "ws://127.0.0.1:9000".into(),
            mixnet_listener: provider_address.to_string(),
            pub_key: provider_key.to_string(),
            version: "0.1.0".into(),
            location: "provider-1".into(),
            registered_clients: clients.iter().map(registered).collect(),
        };
        let now = Time::default();
        let mut simulation = Self {
            now,
            planned: BinaryHeap::new(),
            sequence: 0,
            registry: Registry::new(now),
            follower: TopologyFollower::default(),
            mixnodes,
            provider: Provider::new(provider, Some(ReplaySet::new(Time::default()))),
            provider_rng: StdRng::from_rng(&mut rng),
            provider_report,
            provider_address,
            mailbox,
            clients,
            black_holes: Vec::new(),
            records: Vec::new(),
        };
        simulation.plan(now, Due::Announce);
        simulation.plan(now + METRICS_INTERVAL, Due::Metrics);
        simulation
    }

    pub(crate) fn now(&self) -> Time {
        self.now
    }

    pub(crate) fn address(&self, client: usize) -> ClientAddress {
        self.clients[client].engine.address()
    }

    pub(crate) fn client(&self, client: usize) -> &Client {
        &self.clients[client].engine
    }

    pub(crate) fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    pub(crate) fn mixnodes(&self) -> impl Iterator<Item = &Mixnode> {
        self.mixnodes.values().map(|mixnode| &mixnode.engine)
    }

    pub(crate) fn provider(&self) -> &Provider {
        &self.provider
    }

    /// From now on the first mixnode of this layer loses every packet, and goes on announcing itself.
    pub(crate) fn break_mixnode_of(&mut self, layer: u8) {
        let broken = self.mixnodes.iter().find(|(_, mixnode)| mixnode.layer == layer);
        self.black_holes.extend(broken.map(|(address, _)| *address));
    }

    pub(crate) fn layer_of(&self, address: NodeAddress) -> Option<u8> {
        self.mixnodes.get(&address.0).map(|mixnode| mixnode.layer)
    }

    pub(crate) fn send(&mut self, from: usize, to: usize, data: &[u8]) -> MessageId {
        let to = self.address(to);
        let SimClient { engine, rng, .. } = &mut self.clients[from];
        engine.send(self.now, rng, to, data.to_vec().into()).expect("accepted").0
    }

    /// Lets a client send a packet to itself.
    pub(crate) fn ping(&mut self, client: usize) -> Result<PingId, PingError> {
        self.clients[client].engine.ping(self.now)
    }

    /// Lets a client go on with other rates.
    pub(crate) fn set_rates(&mut self, client: usize, rates: Rates) {
        let SimClient { engine, rng, .. } = &mut self.clients[client];
        engine.set_rates(self.now, rng, rates);
    }

    /// Sends to a client of a provider that does not exist.
    pub(crate) fn send_to_nobody(&mut self, from: usize) -> MessageId {
        let key = PublicKey::from_bytes([1; 32]);
        let to = ClientAddress { client: key, provider: key };
        let SimClient { engine, rng, .. } = &mut self.clients[from];
        engine.send(self.now, rng, to, b"lost".as_slice().into()).expect("accepted").0
    }

    /// Lets everything happen up to this moment.
    pub(crate) fn run_until(&mut self, end: Time) {
        loop {
            let wakes = self.mixnodes.values().filter_map(|mixnode| mixnode.engine.next_wake());
            let wakes = wakes.chain(self.clients.iter().filter_map(|c| c.engine.next_wake()));
            let planned = self.planned.peek().map(|Reverse((time, ..))| *time);
            let Some(next) = wakes.chain(planned).min().filter(|next| *next <= end) else { break };
            self.now = next.max(self.now);
            while let Some(Reverse((time, ..))) = self.planned.peek()
                && *time <= self.now
            {
                let Some(Reverse((_, _, due))) = self.planned.pop() else { break };
                self.happen(due);
            }
            self.poll();
        }
        self.now = end;
    }

    fn plan(&mut self, time: Time, due: Due) {
        self.sequence += 1;
        self.planned.push(Reverse((time, self.sequence, due)));
    }

    fn record(&mut self, what: What) {
        self.records.push(Record { t: self.now, what });
    }

    fn transmit(&mut self, to: NodeAddress, packet: Vec<u8>) {
        self.plan(self.now + LINK_LATENCY, Due::Arrival { to: to.0, packet });
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Arrival { to, packet } => {
                self.record(What::Arrived(to));
                if self.black_holes.contains(&to) {
                    return;
                }
                if to == self.provider_address {
                    self.arrive_at_provider(&packet);
                } else {
                    self.arrive_at_mixnode(to, &packet);
                }
            }
            Due::Announce => {
                self.announce();
                self.plan(self.now + PRESENCE_INTERVAL, Due::Announce);
            }
            Due::Metrics => {
                self.report_metrics();
                self.plan(self.now + METRICS_INTERVAL, Due::Metrics);
            }
        }
    }

    fn directory_now(&self) -> Now {
        let nanos = i64::try_from(self.now.as_nanos()).expect("a short simulation");
        Now { time: self.now, unix: nanos }
    }

    fn announce(&mut self) {
        let now = self.directory_now();
        let mut updates = Vec::new();
        for mixnode in self.mixnodes.values() {
            let announced = self.registry.announce_mixnode(now, mixnode.report.clone());
            updates.extend(announced.expect("accepted"));
        }
        let announced = self.registry.announce_gateway(now, self.provider_report.clone());
        updates.extend(announced.expect("accepted"));
        // The same way as in a real node: only what the directory says changes a view.
        let mut changed = false;
        for update in updates {
            changed |= self.follower.apply(&update);
        }
        if changed {
            let network = Arc::new(self.follower.network());
            for mixnode in self.mixnodes.values_mut() {
                mixnode.engine.set_network(self.now, &network);
            }
            self.provider.set_network(self.now, &network);
            for client in &mut self.clients {
                client.engine.set_network(Arc::clone(&network));
                client.engine.set_online(self.now, true);
            }
            self.poll();
        }
    }

    fn report_metrics(&mut self) {
        let now = self.directory_now();
        for mixnode in self.mixnodes.values_mut() {
            let counters = mixnode.engine.counters();
            let sent = counters.sent.iter().map(|(address, count)| {
                let before = mixnode.reported.get(address).copied().unwrap_or(0);
                (address.to_string(), count - before)
            });
            let report = MixMetricReport {
                pub_key: mixnode.report.pub_key.clone(),
                sent: sent.collect(),
                received: counters.received - mixnode.reported_received,
            };
            mixnode.reported.clone_from(&counters.sent);
            mixnode.reported_received = counters.received;
            self.registry.report_metrics(now, report).expect("accepted");
        }
    }

    fn arrive_at_mixnode(&mut self, at: SocketAddr, packet: &[u8]) {
        let mixnode = self.mixnodes.get_mut(&at).expect("links lead to nodes");
        let mut onward = packet.to_vec();
        if let Ok(Unwrapped::Forward { delay, .. }) = mixnode.oracle.unwrap(&mut onward, |_| true) {
            mixnode.underway.insert(onward, (self.now, delay));
        }
        mixnode.engine.take(self.now, &mut [&mut packet.to_vec()], &mut mixnode.frames);
    }

    fn arrive_at_provider(&mut self, packet: &[u8]) {
        let received = Received { t: self.now, packet: packet.to_vec() };
        let Some(parcel) = self.provider.take(self.now, vec![received]).pop() else {
            return;
        };
        let stored = self.mailbox.store(std::slice::from_ref(&parcel)).expect("stores");
        assert_eq!(stored, [Stored::Yes]);
        if let Some(ack) = self.provider.stored(self.now, &mut self.provider_rng, &parcel) {
            self.transmit(ack.to, ack.packet);
        }
        let client = self.clients.iter().position(|c| c.engine.address().client == parcel.client);
        self.deliver(client.expect("only these clients are registered"));
    }

    fn deliver(&mut self, client: usize) {
        let SimClient { engine, delivered, .. } = &mut self.clients[client];
        let key = engine.address().client;
        let waiting = self.mailbox.waiting(&key, *delivered, 100).expect("reads");
        let mut outputs = Vec::new();
        for delivery in &waiting {
            outputs.extend(engine.deliver(self.now, &delivery.identifier, &delivery.payload));
            *delivered = delivery.number;
        }
        let numbers: Vec<u64> = waiting.iter().map(|delivery| delivery.number).collect();
        self.mailbox.confirm(&key, &numbers).expect("deletes");
        self.carry_out(client, outputs);
    }

    fn poll(&mut self) {
        let mut forwards = Vec::new();
        let mut mixed = Vec::new();
        for mixnode in self.mixnodes.values_mut() {
            let SimMixnode { engine, frames, underway, layer, .. } = mixnode;
            while let Some(departure) = engine.next_departure(self.now, frames) {
                let packet = frames.bytes(&departure.frame)[1..].to_vec();
                frames.release(departure.frame);
                let (came, asked) = underway.remove(&packet).expect("it came before");
                let waited = self.now.saturating_since(came);
                mixed.push(What::Mixed { layer: *layer, asked, waited });
                forwards.push((departure.to, packet));
            }
            assert!(!engine.wants_topology(self.now), "every next hop is known here");
        }
        for what in mixed {
            self.record(what);
        }
        for (to, packet) in forwards {
            self.transmit(to, packet);
        }
        for client in 0..self.clients.len() {
            let SimClient { engine, rng, .. } = &mut self.clients[client];
            let outputs = engine.poll(self.now, rng);
            self.carry_out(client, outputs);
        }
    }

    fn carry_out(&mut self, client: usize, outputs: Vec<Output>) {
        for output in outputs {
            let output = match output {
                Output::Send { to, packet } => {
                    self.transmit(to, packet);
                    continue;
                }
                Output::Sent { message, attempt, route, .. } => {
                    Told::Sent { message, attempt, route }
                }
                Output::Acknowledged { message, .. } => Told::Acknowledged(message),
                Output::Failed { message, .. } => Told::Failed(message),
                Output::Received { fragment, .. } => {
                    let pieces = &mut self.clients[client].pieces;
                    let pieces = pieces.entry(fragment.message).or_default();
                    let (message, count) = (fragment.message, fragment.count as usize);
                    if pieces.insert(fragment.index, fragment.data).is_some()
                        || pieces.len() < count
                    {
                        continue;
                    }
                    Told::Received(message, pieces.values().flatten().copied().collect())
                }
                Output::BlockUsed { .. } | Output::Finished { .. } => continue,
                Output::Ready { took } => Told::Ready(took),
                Output::Pong { ping, queued, travelled, asked, route } => {
                    Told::Pong { ping, queued, travelled, asked, hops: route.len() }
                }
                Output::PingLost { ping, reason } => Told::PingLost(ping, reason),
            };
            self.record(What::Client { client, output });
        }
    }
}
