//! A node whose key is none: the directory takes any 32 bytes.

mod records;

use std::sync::Arc;
use std::time::Duration;

use client::{Client, Output, Settings};
use contract::{Rates, Time};
use directory_api::Topology;
use rand::SeedableRng;
use rand::rngs::StdRng;
use runtime::Network;
use sphinx::{PacketBuilder, PrivateKey};
use wire::{PublicKey, WireProfile};

/// Of small order: whatever it is multiplied by, everybody knows the result.
const UNUSABLE: PublicKey = PublicKey::from_bytes([0; 32]);

/// A layer of mixnodes with these keys at ports from 1, and a provider.
fn network(layer_1: &[PublicKey], provider: PublicKey) -> Arc<Network> {
    let mix_nodes = (1..).zip(layer_1).map(|(port, key)| records::mixnode(port, 1, *key)).collect();
    let gateway_nodes = vec![records::provider(99, provider)];
    Arc::new(Network::from_topology(&Topology { mix_nodes, gateway_nodes, ..Topology::default() }))
}

#[test]
fn a_node_with_an_unusable_key_is_as_good_as_absent() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut key = || PrivateKey::random(&mut rng);
    let (own, provider, mixnode) = (key(), key().public(), key().public());
    let rates = Rates {
        hop_delay: Duration::ZERO,
        slot: Duration::from_millis(5),
        loop_cover: Duration::from_millis(20),
        slot_cover: true,
    };
    let settings = Settings { rates, layers: 1, acks: true };
    let packets = PacketBuilder::new(WireProfile::CURRENT);
    let mut client = Client::new(own, provider, settings, packets);

    client.set_network(network(&[UNUSABLE, mixnode], provider));
    let mut sent = 0;
    for ms in 0..1000 {
        for output in client.poll(Time::default() + Duration::from_millis(ms), &mut rng) {
            if let Output::Send { to, .. } = output {
                assert_eq!(to, records::address(2));
                sent += 1;
            }
        }
    }
    assert!(sent > 100, "only {sent} packets in a second");
    let dropped: Vec<_> = client.dropped().iter().collect();
    assert_eq!(dropped, [(&"node-key", &1)], "tried once, and not again");

    client.set_network(network(&[UNUSABLE], provider));
    assert_eq!(client.poll(Time::default() + Duration::from_millis(1100), &mut rng), []);
    let waits = client.waiting_for().expect("the probe has not come back");
    assert_eq!(waits, "layer 1 has no mixnode in the directory");
}
