//! Packets that one client makes in a second, and takes, on virtual time, beside what building, sealing
//! and opening them alone takes over the same routes.
//!
//! `cargo bench -p client --bench packets`

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use client::{Client, Output, Settings};
use contract::{Rates, Time};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use runtime::Network;
use serde_json::json;
use sphinx::{
    Hop, HopProcessor, PacketBuilder, PrivateKey, Route, Unwrapped, open, recover_plaintext, seal,
};
use wire::{ClientAddress, HEADER_BYTES, Identifier, NodeAddress, Plaintext, WireProfile};

/// Rounds of everything, turn by turn, so that a machine that gets slower does so for all.
const ROUNDS: usize = 31;

/// Packets of a round.
const PACKETS: usize = 256;

/// Packets after which each node has its table.
const WARM_UP: usize = 128;

/// More than a round sends.
const MESSAGE_BYTES: usize = 2000 * PACKETS;

const PROFILE: WireProfile = WireProfile::CURRENT;
const LAYERS: u8 = 3;

/// Every slot is used, by a message or by cover; loop cover would be more of the same.
const RATES: Rates = Rates {
    hop_delay: Duration::from_millis(200),
    slot: Duration::from_millis(1),
    loop_cover: Duration::from_secs(3600),
    slot_cover: true,
};

/// What a message is sealed for. Any text of this length takes as long.
const PURPOSE: &[u8] = b"nym-devnet packet 1";

/// A network of one mixnode in each layer and a provider.
struct World {
    /// In the order in which packets pass them.
    nodes: Vec<HopProcessor>,
    route: Route,
    network: Arc<Network>,
    packets: PacketBuilder,
}

impl World {
    fn new(rng: &mut StdRng) -> Self {
        let mut nodes = || HopProcessor::new(PrivateKey::random(rng), PROFILE);
        let nodes: Vec<HopProcessor> = (0..=LAYERS).map(|_| nodes()).collect();
        let address = |number: usize| {
            let port = 4000 + u16::try_from(number).expect("few");
            NodeAddress(([127, 0, 0, 1], port).into())
        };
        let (provider, mixnodes) = nodes.split_last().expect("there are some");
        let mixnodes = mixnodes.iter().enumerate().map(|(number, node)| {
            json!({"host": address(number).to_string(), "pubKey": node.public_key().to_string(),
                   "version": "0.1.0", "location": "", "layer": number + 1, "lastSeen": 1})
        });
        let topology = json!({
            "mixNodes": mixnodes.collect::<Vec<_>>(),
            "mixProviderNodes": [],
            "gatewayNodes": [{
                "clientListener": "ws://127.0.0.1:9000",
                "mixnetListener": address(LAYERS.into()).to_string(),
                "pubKey": provider.public_key().to_string(),
                "version": "0.1.0", "location": "", "registeredClients": [], "lastSeen": 1
            }],
            "cocoNodes": [],
        });
        let topology = serde_json::from_value(topology).expect("a topology");
        let hop = |(number, node): (usize, &HopProcessor)| Hop {
            address: address(number),
            key: node.public_key(),
            delay: Duration::from_millis(10),
        };
        Self {
            route: Route { hops: nodes.iter().enumerate().map(hop).collect() },
            nodes,
            network: Arc::new(Network::from_topology(&topology)),
            packets: PacketBuilder::new(PROFILE),
        }
    }

    fn client(&self, key: &PrivateKey) -> Client {
        let provider = self.nodes.last().expect("it is the provider").public_key();
        let settings = Settings { rates: RATES, layers: LAYERS, acks: true };
        let mut client = Client::new(key.clone(), provider, settings, self.packets.clone());
        client.set_network(Arc::clone(&self.network));
        client
    }

    /// What the provider delivers of a packet.
    fn carry(&self, mut packet: Vec<u8>) -> (Identifier, Vec<u8>) {
        for node in &self.nodes {
            if let Unwrapped::Final { identifier, .. } =
                node.unwrap(&mut packet, |_| true).expect("an honest packet")
            {
                return (identifier, packet.split_off(HEADER_BYTES));
            }
        }
        unreachable!("routes end at the provider")
    }

    /// Building alone: a packet with this content, and the header of its acknowledgement.
    fn build(&self, rng: &mut StdRng, to: &ClientAddress, sealed: Vec<u8>) -> Vec<u8> {
        let (route, client) = (&self.route, &to.client);
        let identifiers: [Identifier; 2] = rng.random();
        let header = self.packets.build_header(rng, route, client, &identifiers[0]);
        let ack_header = header.expect("a good route");
        let plaintext = Plaintext { ack_header, ack_first_hop: route.first_hop(), sealed }.encode();
        let packet = self.packets.build_packet(rng, route, client, &identifiers[1], &plaintext);
        packet.expect("a good route")
    }
}

/// Lets a client work until it has sent so many packets.
fn run(client: &mut Client, rng: &mut StdRng, count: usize) -> Vec<Vec<u8>> {
    let mut now = Time::default();
    let mut packets = Vec::with_capacity(count);
    while packets.len() < count {
        let sent = client.poll(now, rng).into_iter().filter_map(|output| match output {
            Output::Send { packet, .. } => Some(packet),
            _ => None,
        });
        packets.extend(sent);
        now = client.next_wake().expect("its streams flow");
    }
    packets
}

/// Suffers less from whatever else runs on the machine than the time of a clock.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("not negative");
    Duration::new(seconds, u32::try_from(time.tv_nsec).expect("less than a second"))
}

/// Of all rounds: microseconds of the processor for a packet.
#[derive(Default)]
struct Row(Vec<f64>);

impl Row {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = processor_time();
        let result = work();
        let time = processor_time().saturating_sub(start);
        self.0.push(time.as_secs_f64() * 1e6 / PACKETS as f64);
        result
    }

    /// The median, the least and the most.
    fn summary(&mut self) -> [f64; 3] {
        self.0.sort_by(f64::total_cmp);
        [self.0.len() / 2, 0, self.0.len() - 1].map(|place| self.0[place])
    }
}

/// What packets of one kind take.
#[derive(Default)]
struct Packets {
    made: Row,
    built: Row,
    taken: Row,
    opened: Row,
}

/// Who sends, and who takes; none if that is the sender itself.
struct Ends<'a>(Client, Option<&'a mut Client>);

impl Packets {
    /// Sends packets and takes them, then does only what they need: `seal` and `open` their content.
    fn round(
        &mut self,
        world: &World,
        rng: &mut StdRng,
        Ends(mut sender, receiver): Ends<'_>,
        seal: impl Fn(&mut StdRng, &[u8]) -> Vec<u8>,
        open: impl Fn(&[u8]) -> Vec<u8>,
    ) {
        // The probe goes first.
        run(&mut sender, rng, 1);
        let packets = self.made.measure(|| run(&mut sender, rng, PACKETS));
        assert_eq!(packets.len(), PACKETS, "one in each slot");
        let deliveries: Vec<_> = packets.into_iter().map(|packet| world.carry(packet)).collect();
        let receiver = receiver.unwrap_or(&mut sender);
        self.taken.measure(|| {
            for (identifier, payload) in &deliveries {
                black_box(receiver.deliver(Time::default(), identifier, payload));
            }
        });
        assert!(receiver.dropped().is_empty(), "{:?}", receiver.dropped());
        let contents = self.opened.measure(|| {
            let sealed = deliveries.iter().map(|(_, payload)| {
                let plaintext = recover_plaintext(payload).expect("it is no acknowledgement");
                Plaintext::decode(plaintext).expect("a client made it").sealed
            });
            sealed.map(|sealed| open(&sealed)).collect::<Vec<_>>()
        });
        let to = receiver.address();
        self.built.measure(|| {
            for content in &contents {
                let sealed = seal(rng, content);
                black_box(world.build(rng, &to, sealed));
            }
        });
    }

    fn print(&mut self, name: &str) {
        for (what, ours, floor) in [
            ("made", &mut self.made, &mut self.built),
            ("taken", &mut self.taken, &mut self.opened),
        ] {
            let ([ours, least, most], [floor, ..]) = (ours.summary(), floor.summary());
            println!(
                "{name} {what:<8} {ours:>8.1} µs  {:<18} {:>8.0} {floor:>10.1} µs {:>6.2}",
                format!("({least:.1} to {most:.1})"),
                1e6 / ours,
                floor / ours
            );
        }
    }
}

fn main() {
    let mut rng = StdRng::seed_from_u64(1);
    let rng = &mut rng;
    let world = World::new(rng);
    let (alice, bob) = (PrivateKey::random(rng), PrivateKey::random(rng));
    let (own, public) = (alice.own_seal(), bob.public());
    run(&mut world.client(&alice), rng, WARM_UP);

    let (mut cover, mut pieces) = (Packets::default(), Packets::default());
    for _ in 0..ROUNDS {
        let ends = Ends(world.client(&alice), None);
        let open_own = |sealed: &[u8]| own.open(sealed).expect("its own");
        cover.round(&world, rng, ends, |rng, content| own.seal(rng, content), open_own);

        let (mut sender, mut receiver) = (world.client(&alice), world.client(&bob));
        let message = vec![7; MESSAGE_BYTES];
        sender.send(Time::default(), rng, receiver.address(), message.into()).expect("room");
        let seal =
            |rng: &mut StdRng, content: &[u8]| seal(rng, &public, PURPOSE, content).expect("a key");
        let open = |sealed: &[u8]| open(&bob, PURPOSE, sealed).expect("for bob");
        pieces.round(&world, rng, Ends(sender, Some(&mut receiver)), seal, open);
    }
    println!(
        "{:<15} {:>10}  {:<18} {:>9} {:>13} {:>6}",
        "", "median", "", "a second", "floor", "share"
    );
    cover.print("cover  ");
    pieces.print("message");
}
