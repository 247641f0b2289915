//! A mixnode on virtual time, and packets for it.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use std::net::SocketAddr;
use std::time::Duration;

use contract::Time;
use directory_api::{GatewayPresence, MixNodePresence, Topology};
use mixnode::{DropReason, Mixnode, Replays};
use rand::SeedableRng;
use rand::rngs::StdRng;
use runtime::{FrameStore, Network, Traces};
use sphinx::{Hop, HopProcessor, PacketBuilder, PrivateKey, Route};
use wire::{NodeAddress, PublicKey, WireProfile};

pub(crate) const PROFILE: WireProfile = WireProfile::CURRENT;

/// Ports of a mixnode of layer 2 and of a provider.
pub(crate) const MIX_2: u16 = 2;
pub(crate) const PROVIDER: u16 = 3;

/// Long after the mixnode got its first view of the network.
pub(crate) const SETTLED: Time = Time::from_nanos(60_000_000_000);

pub(crate) fn address(port: u16) -> NodeAddress {
    NodeAddress(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// A mixnode of layer 1, others of layer 2 at these ports, and a provider.
pub(crate) fn network(layer_2: &[u16]) -> Network {
    let key = |port| PublicKey::from_bytes([u8::try_from(port).expect("small"); 32]).to_string();
    let mixnode = |layer, port| MixNodePresence {
        host: address(port).to_string(),
        pub_key: key(port),
        version: "0.1.0".into(),
        location: "here".into(),
        layer,
        last_seen: 0,
    };
    let mut mix_nodes = vec![mixnode(1, 1)];
    mix_nodes.extend(layer_2.iter().map(|&port| mixnode(2, port)));
    let provider = GatewayPresence {
        client_listener: "ws://127.0.0.1:9".into(),
        mixnet_listener: address(PROVIDER).to_string(),
        pub_key: key(PROVIDER),
        version: "0.1.0".into(),
        location: "here".into(),
        registered_clients: Vec::new(),
        last_seen: 0,
    };
    let gateway_nodes = vec![provider];
    Network::from_topology(&Topology { mix_nodes, gateway_nodes, ..Topology::default() })
}

/// A mixnode of layer 1 of 2 that knows [`network`].
pub(crate) struct Bench {
    pub(crate) mixnode: Mixnode,
    pub(crate) frames: FrameStore,
    /// What has left.
    pub(crate) sent: Vec<Vec<u8>>,
    pub(crate) key: PublicKey,
    processor: HopProcessor,
    builder: PacketBuilder,
    rng: StdRng,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let processor = HopProcessor::new(PrivateKey::random(&mut rng), PROFILE);
        let replays = Some(Replays::new(Time::default()));
        let mut mixnode = Mixnode::new(processor.clone(), 1, 2, replays);
        mixnode.set_network(Time::default(), &network(&[MIX_2]));
        Self {
            mixnode,
            frames: FrameStore::new(PROFILE),
            sent: Vec::new(),
            key: processor.public_key(),
            processor,
            builder: PacketBuilder::new(PROFILE),
            rng,
        }
    }

    /// The same where tracing is on.
    pub(crate) fn tracing(self, traces: &Traces) -> Self {
        let mixnode = self.mixnode.tracing(Some(traces.clone()));
        Self { mixnode, ..self }
    }

    /// Another with the same key, that knows nobody.
    pub(crate) fn mixnode_with(&self, replays: Option<Replays>) -> Mixnode {
        Mixnode::new(self.processor.clone(), 1, 2, replays)
    }

    /// A packet that this mixnode holds for so long and then passes to that port.
    pub(crate) fn packet(&mut self, delay: Duration, port: u16) -> Vec<u8> {
        // Any key will do: nobody takes it there.
        let next = Hop { address: address(port), key: self.key, delay: Duration::ZERO };
        self.build(vec![Hop { address: address(1), key: self.key, delay }, next])
    }

    pub(crate) fn build(&mut self, hops: Vec<Hop>) -> Vec<u8> {
        let route = Route { hops };
        let packet =
            self.builder.build_packet(&mut self.rng, &route, &self.key, &[0; 16], b"some text");
        packet.expect("a good route")
    }

    /// The packet as it should leave.
    pub(crate) fn onward(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut packet = packet.to_vec();
        self.processor.unwrap(&mut packet, |_| true).ok().map(|_| packet)
    }

    pub(crate) fn take(&mut self, now: Time, packets: &[Vec<u8>]) {
        let mut packets = packets.to_vec();
        let mut packets: Vec<&mut [u8]> = packets.iter_mut().map(Vec::as_mut_slice).collect();
        self.mixnode.take(now, &mut packets, &mut self.frames);
    }

    /// Lets what is due leave: to which ports, and when it was due.
    pub(crate) fn departures(&mut self, now: Time) -> Vec<(u16, Option<Time>)> {
        let mut departures = Vec::new();
        while let Some(departure) = self.mixnode.next_departure(now, &mut self.frames) {
            departures.push((departure.to.0.port(), departure.due));
            self.sent.push(self.frames.bytes(&departure.frame)[1..].to_vec());
            self.frames.release(departure.frame);
        }
        departures
    }

    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.mixnode.counters().dropped.get(&reason).copied().unwrap_or(0)
    }
}
