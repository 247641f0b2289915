//! With a seed, a client leaves the same gaps between its packets, and sends them over the same ways
//! with the same delays, whatever else it is given to do meanwhile. On virtual time.

mod records;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use client::{Client, Output, Settings};
use contract::{Rates, Time};
use directory_api::Topology;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use runtime::{Network, NodeSeed};
use sphinx::{HopProcessor, PacketBuilder, PrivateKey, Unwrapped, ack_packet, recover_plaintext};
use wire::{HEADER_BYTES, Identifier, NodeAddress, Plaintext, WireProfile};

const PROFILE: WireProfile = WireProfile::CURRENT;

const RATES: Rates = Rates {
    hop_delay: Duration::from_millis(20),
    slot: Duration::from_millis(50),
    loop_cover: Duration::from_millis(100),
    slot_cover: true,
};

const LAYERS: u8 = 3;
const WIDTH: u8 = 3;

/// How long a run is: 200 slots.
const RUN: Duration = Duration::from_secs(10);

/// Which mixnodes a packet passes, and how long it is to wait at each.
type Way = Vec<(u8, Duration)>;

/// What a client did, by what the packets were for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sequences {
    slots: Vec<Time>,
    loops: Vec<Time>,
    /// Each with that of its acknowledgement.
    cover_ways: Vec<[Way; 2]>,
    loop_ways: Vec<[Way; 2]>,
    message_ways: Vec<[Way; 2]>,
    again_ways: Vec<[Way; 2]>,
}

/// A client and the network that it sends into.
struct Setting {
    client: Client,
    /// What is not to be the same.
    rng: StdRng,
    nodes: BTreeMap<SocketAddr, (u8, HopProcessor)>,
    packets: Vec<Vec<u8>>,
}

impl Setting {
    /// `run` is everything that differs between two runs with one seed: ports, and what is unique.
    fn new(seed: u64, run: u16) -> Self {
        let mut keys = StdRng::seed_from_u64(1);
        let mut nodes = BTreeMap::new();
        let mut node = |number: u8| {
            let processor = HopProcessor::new(PrivateKey::random(&mut keys), PROFILE);
            let key = processor.public_key();
            // In every second run they come in the opposite order.
            let port = u16::from(number) + 1;
            let port = if run.is_multiple_of(2) { port } else { 100 - port };
            nodes.insert(records::address(port).0, (number, processor));
            (port, key)
        };
        let mut mix_nodes = Vec::new();
        for layer in 1..=LAYERS {
            for index in 0..WIDTH {
                let (port, key) = node(layer * WIDTH + index);
                mix_nodes.push(records::mixnode(port, layer.into(), key));
            }
        }
        let (port, provider) = node(0);
        let gateway_nodes = vec![records::provider(port, provider)];
        let topology = Topology { mix_nodes, gateway_nodes, ..Topology::default() };
        let settings = Settings { rates: RATES, layers: LAYERS, acks: true };
        let key = PrivateKey::random(&mut keys);
        let client = Client::new(key, provider, settings, PacketBuilder::new(PROFILE));
        let mut client = client.seeded(Some(NodeSeed::new(seed, "alice")));
        client.set_network(Arc::new(Network::from_topology(&topology)));
        client.set_online(Time::default(), true);
        let rng = StdRng::seed_from_u64(u64::from(run) + 100);
        Self { client, rng, nodes, packets: Vec::new() }
    }

    /// Takes a packet to the end of its way: that way, and what is found at its end.
    fn journey(&self, first: NodeAddress, mut packet: Vec<u8>) -> (Way, Identifier, Vec<u8>) {
        let mut way = Vec::new();
        let mut at = first.0;
        loop {
            let (number, processor) = &self.nodes[&at];
            match processor.unwrap(&mut packet, |_| true).expect("a good packet") {
                Unwrapped::Forward { next, delay } => {
                    way.push((*number, delay));
                    at = next.0;
                }
                Unwrapped::Final { identifier, .. } => {
                    return (way, identifier, packet.split_off(HEADER_BYTES));
                }
            }
        }
    }

    /// Lets a packet arrive: its way and that of its acknowledgement, which comes back if it may.
    fn arrive(&mut self, now: Time, to: NodeAddress, packet: Vec<u8>, acks: bool) -> [Way; 2] {
        self.packets.push(packet.clone());
        let (there, identifier, payload) = self.journey(to, packet);
        let plaintext = recover_plaintext(&payload).expect("a plaintext");
        let plaintext = Plaintext::decode(plaintext).expect("a plaintext");
        let ack = ack_packet(&mut self.rng, PROFILE, &plaintext.ack_header);
        let first = plaintext.ack_first_hop.expect("packets are acknowledged");
        let (back, ack_identifier, ack_payload) = self.journey(first, ack);
        self.client.deliver(now, &identifier, &payload);
        if acks {
            self.client.deliver(now, &ack_identifier, &ack_payload);
        }
        [there, back]
    }

    /// Runs to the end. Messages are sent after so many slots each; acknowledgements come or do not.
    fn run(mut self, message_every: usize, acks: bool) -> (Sequences, Vec<Vec<u8>>) {
        let mut sequences = Sequences::default();
        let own = self.client.address();
        let mut now = Time::default();
        let end = now + RUN;
        while now < end {
            let before = self.client.counters();
            let outputs = self.client.poll(now, &mut self.rng);
            let after = self.client.counters();
            for output in outputs {
                let Output::Send { to, packet } = output else { continue };
                let ways = self.arrive(now, to, packet, acks);
                if after.loops > before.loops {
                    sequences.loops.push(now);
                    sequences.loop_ways.push(ways);
                    continue;
                }
                if after == before {
                    // The probe.
                    continue;
                }
                sequences.slots.push(now);
                let list = if after.real > before.real {
                    &mut sequences.message_ways
                } else if after.retransmitted > before.retransmitted {
                    &mut sequences.again_ways
                } else {
                    &mut sequences.cover_ways
                };
                list.push(ways);
                if sequences.slots.len().is_multiple_of(message_every) {
                    let content = b"hello".as_slice().into();
                    self.client.send(now, &mut self.rng, own, content).expect("there is room");
                }
            }
            now = self.client.next_wake().expect("its streams go on");
        }
        (sequences, self.packets)
    }
}

/// Both begin alike, and the shorter is not too short to tell.
#[track_caller]
fn assert_begins_alike(one: &[[Way; 2]], other: &[[Way; 2]]) {
    let common = one.len().min(other.len());
    assert!(common >= 20, "{common}");
    assert_eq!(one[..common], other[..common]);
}

#[test]
fn what_a_seed_fixes_is_the_same_whatever_else_happens() {
    let (one, packets) = Setting::new(7, 0).run(7, true);
    let (other, other_packets) = Setting::new(7, 1).run(3, false);
    assert_eq!((&one.slots, &one.loops), (&other.slots, &other.loops));
    assert_eq!(one.loop_ways, other.loop_ways);
    assert_begins_alike(&one.cover_ways, &other.cover_ways);
    assert_begins_alike(&one.message_ways, &other.message_ways);
    // So that something happens at all: one loses nothing, and the other every acknowledgement.
    assert!(one.again_ways.is_empty() && other.again_ways.len() > 20);
    // And no packet of the one is one of the other.
    assert!(packets.iter().all(|packet| !other_packets.contains(packet)));
}

#[test]
fn another_seed_gives_other_sequences() {
    let (one, _) = Setting::new(7, 0).run(7, true);
    let (other, _) = Setting::new(8, 0).run(7, true);
    assert_ne!(one.slots, other.slots);
    assert_ne!(one.loop_ways, other.loop_ways);
    assert_ne!(one.message_ways, other.message_ways);
    // Nor is one purpose's sequence that of another.
    assert_ne!(one.cover_ways[0], one.loop_ways[0]);
    assert_ne!(one.cover_ways[0], one.message_ways[0]);
}
