//! The devnet for tests is one that could be: what one end sends is what the other takes.

use std::collections::BTreeMap;

use control::{StreamEvent, identity_of};
use directory_api::Update;

use crate::fixture::{self, Fixture};

#[test]
fn no_packet_is_lost_or_made_up_on_the_way() {
    for (width, layers) in [(1, 1), (2, 3), (3, 3), (33, 3)] {
        let mut fixture = Fixture::sized(width, layers);
        for second in 1..20 {
            let mut sent: BTreeMap<String, u64> = BTreeMap::new();
            let mut received: BTreeMap<String, u64> = BTreeMap::new();
            let nodes = fixture.nodes();
            let at = |address: &str| {
                let is_it = |node: &&control::NodeStatus| {
                    node.addresses.values().any(|own| own.to_string() == address)
                };
                nodes.iter().find(is_it).expect("a node of the fixture").name.clone()
            };
            for envelope in fixture.second(second) {
                match envelope.event {
                    StreamEvent::Links { src, links } if !src.starts_with("mix-") => {
                        for link in links {
                            let to = match identity_of(&link.dst) {
                                Some((crowd @ "crowd", _)) => crowd.to_owned(),
                                _ => link.dst,
                            };
                            *sent.entry(to).or_default() += 1;
                        }
                    }
                    StreamEvent::Directory { node: Some(name), update: Update::Metric(metric) } => {
                        assert_eq!(metric.pub_key, fixture::key(&name));
                        assert_eq!(metric.sent.values().sum::<u64>(), metric.received, "{name}");
                        received.insert(name, metric.received);
                        for (address, count) in metric.sent {
                            *sent.entry(at(&address)).or_default() += count;
                        }
                    }
                    _ => {}
                }
            }
            for (name, count) in &received {
                assert_eq!(sent.get(name).unwrap_or(&0), count, "{name} of {width}x{layers}");
            }
            let entered: u64 = received
                .iter()
                .filter(|(name, _)| name.starts_with("mix-1-"))
                .map(|(_, count)| count)
                .sum();
            assert_eq!(sent["provider-1"], entered);
            let delivered: u64 = ["alice", "bob", "crowd"].iter().map(|name| sent[*name]).sum();
            assert_eq!(delivered, entered, "each packet of a client, and its acknowledgement");
        }
    }
}
