//! The mixnode's decisions on virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use contract::Time;
use directory_api::{GatewayPresence, MixNodePresence, Topology};
use mixnode::{DropReason, MAX_DELAY, MAX_POOL, Mixnode, Output, UNKNOWN_HOP_HOLD};
use rand::SeedableRng;
use rand::rngs::StdRng;
use runtime::{Network, VANISHED_GRACE};
use sphinx::{Hop, HopProcessor, PrivateKey, Route, build_packet};
use wire::{NodeAddress, PublicKey, WireProfile};

const PROFILE: WireProfile = WireProfile::CURRENT;

/// A mixnode of layer 1 of 2; a mixnode of layer 2 at port 2, a provider at port 3.
struct Bench {
    mixnode: Mixnode,
    key: PublicKey,
    rng: StdRng,
}

fn address(port: u16) -> NodeAddress {
    NodeAddress(SocketAddr::from(([127, 0, 0, 1], port)))
}

fn network(with_layer_2: bool) -> Network {
    let key = |byte| PublicKey::from_bytes([byte; 32]).to_string();
    let mixnode = |byte, layer, port| MixNodePresence {
        host: address(port).to_string(),
        pub_key: key(byte),
        version: "0.1.0".into(),
        location: "here".into(),
        layer,
        last_seen: 0,
    };
    let mut mix_nodes = vec![mixnode(1, 1, 1)];
    if with_layer_2 {
        mix_nodes.push(mixnode(2, 2, 2));
    }
    let provider = GatewayPresence {
        client_listener: "ws://127.0.0.1:9".into(),
        mixnet_listener: address(3).to_string(),
        pub_key: key(3),
        version: "0.1.0".into(),
        location: "here".into(),
        registered_clients: Vec::new(),
        last_seen: 0,
    };
    let gateway_nodes = vec![provider];
    Network::from_topology(&Topology { mix_nodes, gateway_nodes, ..Topology::default() })
}

impl Bench {
    fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let key = PrivateKey::random(&mut rng);
        let public = key.public();
        let mut mixnode = Mixnode::new(HopProcessor::new(key, PROFILE), 1, 2);
        mixnode.set_network(Time::default(), &network(true));
        Self { mixnode, key: public, rng }
    }

    /// A packet that this mixnode holds for so long and then passes to that port.
    fn packet(&mut self, delay: Duration, port: u16) -> Vec<u8> {
        let other = PrivateKey::random(&mut self.rng).public();
        let hops = vec![
            Hop { address: address(1), key: self.key, delay },
            Hop { address: address(port), key: other, delay: Duration::ZERO },
        ];
        build_packet(&mut self.rng, PROFILE, &Route { hops }, &other, &[0; 16], b"x").expect("good")
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        self.mixnode.counters().dropped.get(&reason).copied().unwrap_or(0)
    }
}

fn ms(ms: u64) -> Time {
    Time::default() + Duration::from_millis(ms)
}

fn ports(outputs: &[Output]) -> Vec<u16> {
    let port = |output: &Output| match output {
        Output::Forward { to, .. } => Some(to.0.port()),
        Output::RefreshTopology => None,
    };
    outputs.iter().filter_map(port).collect()
}

#[test]
fn a_packet_leaves_when_its_delay_is_over_and_not_before() {
    let mut bench = Bench::new();
    let slow = bench.packet(Duration::from_millis(20), 2);
    let fast = bench.packet(Duration::from_millis(5), 2);
    bench.mixnode.take(ms(0), &slow);
    bench.mixnode.take(ms(1), &fast);
    assert_eq!(bench.mixnode.pool(), 2);
    assert_eq!(bench.mixnode.next_wake(), Some(ms(6)));
    assert_eq!(bench.mixnode.poll(ms(5)), []);
    assert_eq!(ports(&bench.mixnode.poll(ms(6))), [2]);
    assert_eq!(bench.mixnode.next_wake(), Some(ms(20)));
    assert_eq!(ports(&bench.mixnode.poll(ms(25))), [2]);
    assert_eq!(bench.mixnode.next_wake(), None);
    assert_eq!(bench.mixnode.counters().sent.values().sum::<u64>(), 2);
}

#[test]
fn layers_cannot_be_skipped() {
    let mut bench = Bench::new();
    for port in [1, 3] {
        let packet = bench.packet(Duration::ZERO, port);
        bench.mixnode.take(ms(0), &packet);
    }
    assert_eq!(bench.mixnode.poll(ms(0)), []);
    assert_eq!(bench.dropped(DropReason::Layer), 2);
}

#[test]
fn an_unknown_next_hop_is_asked_for_once_and_held_for_a_while() {
    let mut bench = Bench::new();
    bench.mixnode = Mixnode::new(HopProcessor::new(PrivateKey::from_bytes([5; 32]), PROFILE), 1, 2);
    bench.key = PrivateKey::from_bytes([5; 32]).public();
    for _ in 0..2 {
        let packet = bench.packet(Duration::ZERO, 2);
        bench.mixnode.take(ms(0), &packet);
    }
    assert_eq!(bench.mixnode.poll(ms(0)), [Output::RefreshTopology]);
    assert_eq!(bench.mixnode.pool(), 2);
    bench.mixnode.set_network(ms(10), &network(true));
    assert_eq!(ports(&bench.mixnode.poll(ms(10))), [2, 2]);

    // At most once a second, whatever the answer.
    let packet = bench.packet(Duration::ZERO, 77);
    bench.mixnode.take(ms(20), &packet);
    assert_eq!(bench.mixnode.poll(ms(20)), []);
    let deadline = ms(20) + UNKNOWN_HOP_HOLD;
    assert_eq!(bench.mixnode.next_wake(), Some(deadline));
    assert_eq!(bench.mixnode.poll(deadline), []);
    assert_eq!(bench.dropped(DropReason::UnknownHop), 1);
    assert_eq!(bench.mixnode.pool(), 0);
    let packet = bench.packet(Duration::ZERO, 77);
    bench.mixnode.take(deadline, &packet);
    assert_eq!(bench.mixnode.poll(deadline), [Output::RefreshTopology]);
}

#[test]
fn a_full_pool_gives_up_whoever_would_stay_longest() {
    let mut bench = Bench::new();
    // The same packet again and again: what counts is the room that it takes.
    let long = bench.packet(MAX_DELAY, 2);
    for _ in 0..MAX_POOL {
        bench.mixnode.take(ms(0), &long);
    }
    let short = bench.packet(Duration::from_millis(5), 2);
    bench.mixnode.take(ms(0), &short);
    assert_eq!(bench.mixnode.pool(), MAX_POOL);
    assert_eq!(bench.dropped(DropReason::PoolFull), 1);
    assert_eq!(ports(&bench.mixnode.poll(ms(5))), [2], "the short one was kept");
}

#[test]
fn a_next_hop_that_vanished_is_accepted_for_a_while() {
    let mut bench = Bench::new();
    bench.mixnode.set_network(ms(0), &network(false));
    let over = ms(0) + VANISHED_GRACE;
    let within = Time::from_nanos(over.as_nanos() - 1);
    for (now, expected) in [(within, vec![2]), (over, vec![])] {
        let packet = bench.packet(Duration::ZERO, 2);
        bench.mixnode.take(now, &packet);
        assert_eq!(ports(&bench.mixnode.poll(now)), expected);
    }
}

#[test]
fn what_cannot_be_passed_on_is_counted_by_reason() {
    let mut bench = Bench::new();
    let good = bench.packet(Duration::ZERO, 2);
    let mut tampered = good.clone();
    tampered[40] ^= 1;
    bench.mixnode.take(ms(0), &tampered);
    bench.mixnode.take(ms(0), b"short");
    let endless = bench.packet(MAX_DELAY + Duration::from_nanos(1), 2);
    bench.mixnode.take(ms(0), &endless);
    let hops = vec![Hop { address: address(1), key: bench.key, delay: Duration::ZERO }];
    let ends_here =
        build_packet(&mut bench.rng, PROFILE, &Route { hops }, &bench.key, &[0; 16], b"x")
            .expect("good");
    bench.mixnode.take(ms(0), &ends_here);
    for reason in [DropReason::Mac, DropReason::Malformed, DropReason::Delay, DropReason::FinalHop]
    {
        assert_eq!(bench.dropped(reason), 1, "{}", reason.word());
    }
    assert_eq!(bench.mixnode.counters().received, 4);
    assert_eq!(bench.mixnode.pool(), 0);
}
