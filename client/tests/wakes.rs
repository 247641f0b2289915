//! A client sleeps until something is due: whatever is missing in the network, and however much waits
//! for it, no wake-up leads at once to the next.

mod records;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::{Client, Destination, Outgoing, Output, Settings};
use contract::{Rates, Time};
use directory_api::Topology;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use runtime::Network;
use sphinx::{PacketBuilder, PrivateKey};
use wire::{ClientAddress, Content, MessageId, PublicKey, WireProfile};

const RATES: Rates = Rates {
    hop_delay: Duration::from_millis(50),
    slot: Duration::from_millis(200),
    loop_cover: Duration::from_secs(1),
    slot_cover: true,
};

/// What happens to a client. Nothing that it sends is ever acknowledged.
#[derive(Clone, Debug)]
enum Step {
    /// It runs for so many milliseconds.
    Run(u64),
    /// Of the first mixnode, the second, its own provider and another one these are there.
    Network([bool; 4]),
    /// Its provider delivers, or does not.
    Online(bool),
    /// A message, to a client of its own provider or of the other one.
    Send { other: bool, bytes: usize },
    /// A reply over so many blocks.
    Reply(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..20_000).prop_map(Step::Run),
        2 => any::<[bool; 4]>().prop_map(Step::Network),
        1 => any::<bool>().prop_map(Step::Online),
        2 => (any::<bool>(), 0_usize..5000).prop_map(|(other, bytes)| Step::Send { other, bytes }),
        1 => (1_usize..4).prop_map(Step::Reply),
    ]
}

/// Both mixnodes and both providers.
struct Nodes([PublicKey; 4]);

impl Nodes {
    fn network(&self, are_there: [bool; 4]) -> Arc<Network> {
        let mut topology = Topology::default();
        for ((key, is_there), port) in self.0.iter().zip(are_there).zip(1_u16..) {
            match port {
                _ if !is_there => {}
                1 | 2 => topology.mix_nodes.push(records::mixnode(port, port, *key)),
                _ => topology.gateway_nodes.push(records::provider(port, *key)),
            }
        }
        Arc::new(Network::from_topology(&topology))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_wake_up_leads_at_once_to_the_next(
        seed: u64,
        steps in prop::collection::vec(step(), 1..20),
    ) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let nodes = Nodes([(); 4].map(|()| PrivateKey::random(rng).public()));
        let settings = Settings { rates: RATES, layers: 2, acks: true };
        let packets = PacketBuilder::new(WireProfile::CURRENT);
        let mut client = Client::new(PrivateKey::random(rng), nodes.0[2], settings, packets);
        let mut now = Time::default();
        client.set_network(nodes.network([true; 4]));
        client.set_online(now, true);
        client.poll(now, rng);
        let mut ends: HashMap<MessageId, u32> = HashMap::new();
        for step in steps {
            match step {
                Step::Run(ms) => {
                    let end = now + Duration::from_millis(ms);
                    while let Some(wake) = client.next_wake().filter(|wake| *wake <= end) {
                        prop_assert!(wake >= now);
                        now = wake;
                        for output in client.poll(now, rng) {
                            if let Output::Failed { message, .. } = output {
                                *ends.get_mut(&message).expect("it was sent") += 1;
                            }
                        }
                        // What was due was done, or will be when something changes.
                        prop_assert!(client.next_wake().is_none_or(|wake| wake > now));
                    }
                    now = end;
                }
                Step::Network(are_there) => client.set_network(nodes.network(are_there)),
                Step::Online(online) => client.set_online(now, online),
                Step::Send { other, bytes } => {
                    let provider = nodes.0[if other { 3 } else { 2 }];
                    let to = ClientAddress { client: client.address().client, provider };
                    let sent = client.send(now, rng, to, vec![7; bytes].into()).expect("room");
                    ends.insert(sent.0, 0);
                }
                Step::Reply(blocks) => {
                    // None while there is no way back.
                    let Ok(composed) = client.compose(rng, Bytes::new(), blocks) else { continue };
                    client.give_back(composed.room);
                    let content = Content::decode(composed.kind, &composed.data).expect("own");
                    let message = MessageId(rng.random());
                    let outgoing = Outgoing {
                        message,
                        to: Destination::Blocks((0..).zip(content.reply_blocks).collect()),
                        kind: wire::Kind::Message,
                        data: Bytes::from_static(b"re"),
                        acknowledged: Vec::new(),
                    };
                    client.enqueue(now, outgoing).expect("it is new");
                    ends.insert(message, 0);
                }
            }
        }
        for (message, ends) in ends {
            prop_assert_eq!(ends, u32::from(!client.is_underway(message)));
        }
    }
}
