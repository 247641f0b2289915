//! The registry on virtual time: who is present, late, gone, and what subscribers hear of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use contract::Time;
use directory_api::{
    CocoNodeReport, LATE_AFTER, ListName, MAX_REGISTERED_CLIENTS, MixMetricReport, MixNodeReport,
    MixProviderReport, PRESENCE_TIMEOUT, RegisteredClient, Topology, Update,
};
use directory_server::{Now, Refusal, Registry, limits};
use proptest::prelude::*;

/// Where announcements come from.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A moment this long after the start, by both clocks.
fn at(millis: u64) -> Now {
    let time = Time::from_nanos(0) + Duration::from_millis(millis);
    Now { time, unix: i64::try_from(time.as_nanos()).expect("a small number") }
}

fn mixnode(key: &str, host: &str) -> MixNodeReport {
    MixNodeReport {
        host: host.into(),
        pub_key: key.into(),
        version: "0.7.0".into(),
        location: "unknown".into(),
        layer: 1,
    }
}

fn provider(key: &str) -> MixProviderReport {
    MixProviderReport {
        client_listener: "127.0.0.1:9000".into(),
        mixnet_listener: "127.0.0.1:4000".into(),
        pub_key: key.into(),
        version: "0.7.0".into(),
        location: "unknown".into(),
        registered_clients: vec![RegisteredClient { pub_key: "c".into() }],
    }
}

/// An update in short: what a subscriber would do with it.
fn brief(updates: &[Update]) -> Vec<String> {
    let words = |update: &Update| match update {
        Update::Snapshot { .. } => "snapshot".into(),
        Update::MixNode(node) => format!("mixnode {} {}", node.pub_key, node.host),
        Update::MixProvider(node) => format!("mixprovider {}", node.pub_key),
        Update::Gateway(node) => format!("gateway {}", node.pub_key),
        Update::CocoNode { node } => format!("coconode {}", node.pub_key),
        Update::Left { pub_key } => format!("left {pub_key}"),
        Update::Disallowed { pub_key } => format!("disallowed {pub_key}"),
        Update::Gone { pub_key, list, .. } => format!("gone {list} {pub_key}"),
        Update::Seen { pub_key, list } => format!("seen {list} {pub_key}"),
        Update::Late { pub_key, list, .. } => format!("late {list} {pub_key}"),
        Update::Metric(metric) => format!("metric {}", metric.pub_key),
    };
    updates.iter().map(words).collect()
}

/// The life of a node, a line for each thing that happens.
#[test]
fn a_node_is_new_then_seen_then_late_then_gone() {
    let mut registry = Registry::new(at(0).time);
    assert_eq!(registry.next_wake(), None);
    let announce = |registry: &mut Registry, millis, host| {
        brief(&registry.announce_mixnode(at(millis), mixnode("k", host)).expect("accepted"))
    };
    assert_eq!(announce(&mut registry, 0, "a"), ["mixnode k a", "seen mixnode k"]);
    assert_eq!(announce(&mut registry, 1500, "a"), ["seen mixnode k"]);
    // A restarted node replaces its record.
    assert_eq!(announce(&mut registry, 3000, "b"), ["mixnode k b", "seen mixnode k"]);
    assert_eq!(registry.topology(at(3000).time).mix_nodes.len(), 1);

    assert_eq!(brief(&registry.expire(at(6749).time)), [""; 0]);
    assert_eq!(brief(&registry.expire(at(6750).time)), ["late mixnode k"]);
    assert_eq!(brief(&registry.expire(at(6751).time)), [""; 0], "late only once");
    assert_eq!(announce(&mut registry, 7000, "b"), ["seen mixnode k"]);
    assert_eq!(brief(&registry.expire(at(10_750).time)), ["late mixnode k"], "and again");

    assert_eq!(brief(&registry.expire(at(16_999).time)), [""; 0]);
    let gone = registry.expire(at(17_000).time);
    let last_seen = at(7000).unix;
    let (pub_key, list) = ("k".into(), ListName::MixNode);
    assert_eq!(gone, [Update::Gone { pub_key, list, last_seen }]);
    assert_eq!(registry.next_wake(), None);
    assert_eq!(announce(&mut registry, 17_001, "b"), ["mixnode k b", "seen mixnode k"]);
}

/// A node that comes back before the timer has fired was away all the same.
#[test]
fn a_return_after_the_timeout_is_told_as_gone_and_new() {
    let mut registry = Registry::new(at(0).time);
    registry.announce_mixnode(at(0), mixnode("k", "a")).expect("accepted");
    let updates = registry.announce_mixnode(at(10_000), mixnode("k", "a")).expect("accepted");
    assert_eq!(brief(&updates), ["gone mixnode k", "mixnode k a", "seen mixnode k"]);
}

#[test]
fn a_read_leaves_out_who_is_due() {
    let mut registry = Registry::new(at(0).time);
    registry.announce_mixnode(at(0), mixnode("k", "a")).expect("accepted");
    assert_eq!(registry.topology(at(9999).time).mix_nodes.len(), 1);
    assert_eq!(registry.topology(at(10_000).time), Topology::default());
}

#[test]
fn who_leaves_is_out_of_every_list_at_once() {
    let mut registry = Registry::new(at(0).time);
    registry.announce_mixprovider(at(0), provider("p")).expect("accepted");
    registry.announce_gateway(at(1), provider("p")).expect("accepted");
    registry.announce_gateway(at(1), provider("q")).expect("accepted");
    assert_eq!(brief(&registry.leave(at(2), "p").expect("accepted")), ["left p"]);
    assert_eq!(brief(&registry.leave(at(3), "p").expect("accepted")), [""; 0]);
    let topology = registry.topology(at(3).time);
    assert!(topology.mix_provider_nodes.is_empty());
    assert_eq!(topology.gateway_nodes.len(), 1);
}

#[test]
fn the_lists_are_sorted_by_key() {
    let mut registry = Registry::new(at(0).time);
    for key in ["b", "a", "C"] {
        registry.announce_mixnode(at(0), mixnode(key, "")).expect("accepted");
    }
    let topology = registry.topology(at(0).time);
    let keys: Vec<_> = topology.mix_nodes.iter().map(|node| node.pub_key.as_str()).collect();
    assert_eq!(keys, ["C", "a", "b"]);
}

#[test]
fn what_is_too_long_or_too_much_is_refused() {
    let mut registry = Registry::new(at(0).time);
    let now = at(0);

    let at_the_limit = mixnode(&"k".repeat(limits::MAX_KEY_BYTES), "h");
    assert!(registry.announce_mixnode(now, at_the_limit).is_ok());
    let too_long = mixnode(&"k".repeat(limits::MAX_KEY_BYTES + 1), "h");
    let refusal = registry.announce_mixnode(now, too_long).expect_err("too long");
    assert_eq!(refusal.to_string(), "`pubKey` is longer than 64 bytes");

    assert!(registry.announce_mixnode(now, mixnode("k", &"h".repeat(264))).is_ok());
    let refusal = registry.announce_mixnode(now, mixnode("k", &"h".repeat(265)));
    assert_eq!(refusal, Err(Refusal::TooLong { field: "host", limit: 264 }));
    let refusal = registry.announce_mixnode(now, mixnode("k", "\u{1b}[2J"));
    assert_eq!(refusal, Err(Refusal::ControlCharacter { field: "host" }));
    assert_eq!(registry.topology(now.time).mix_nodes.len(), 2, "nothing refused was stored");

    let coconode = CocoNodeReport {
        host: String::new(),
        pub_key: "v".into(),
        version: "1".into(),
        location: "l\n".into(),
        kind: "validator".into(),
    };
    let refusal = registry.announce_coconode(now, coconode.clone(), PEER);
    assert_eq!(refusal, Err(Refusal::ControlCharacter { field: "location" }));
    assert!(
        registry
            .announce_coconode(
                now,
                CocoNodeReport { location: "l".into(), ..coconode.clone() },
                PEER
            )
            .is_ok()
    );

    let coconode = CocoNodeReport {
        host: format!("h{}:1", "o".repeat(264)),
        location: "l".into(),
        ..coconode
    };
    let refusal = registry.announce_coconode(now, coconode, PEER);
    let too_long = Refusal::TooLong { field: "host", limit: limits::MAX_TEXT_BYTES };
    assert_eq!(refusal, Err(too_long), "though what would be kept of it is short");

    let mut crowded = provider("p");
    crowded.registered_clients =
        vec![RegisteredClient { pub_key: "c".into() }; MAX_REGISTERED_CLIENTS];
    assert!(registry.announce_gateway(now, crowded.clone()).is_ok());
    crowded.registered_clients.push(RegisteredClient { pub_key: "c".into() });
    let refusal = registry.announce_gateway(now, crowded.clone()).expect_err("too many");
    assert!(matches!(refusal, Refusal::TooMany { count: 8193, limit: 8192, .. }), "{refusal}");
    assert_eq!(registry.announce_mixprovider(now, crowded), Err(refusal));
    let mut odd = provider("p");
    odd.registered_clients[0].pub_key = "c".repeat(65);
    let refusal = registry.announce_gateway(now, odd).expect_err("too long");
    assert_eq!(refusal, Refusal::TooLong { field: "registeredClients", limit: 64 });

    let hops = |count: usize| (0..count).map(|hop| (hop.to_string(), 1)).collect();
    let report =
        |sent: BTreeMap<String, u64>| MixMetricReport { pub_key: "k".into(), sent, received: 1 };
    assert!(registry.report_metrics(now, report(hops(limits::MAX_NEXT_HOPS))).is_ok());
    let refusal = registry.report_metrics(now, report(hops(limits::MAX_NEXT_HOPS + 1)));
    assert!(matches!(refusal, Err(Refusal::TooMany { limit: limits::MAX_NEXT_HOPS, .. })));
    let refusal = registry.report_metrics(now, report(BTreeMap::from([("h".repeat(265), 1)])));
    assert_eq!(refusal, Err(Refusal::TooLong { field: "sent", limit: 264 }));
    assert_eq!(registry.metrics(at(3000).time).len(), 1, "nothing refused is shown");
}

#[test]
fn a_full_list_takes_those_who_are_in_it_and_has_room_again_when_they_are_gone() {
    let mut registry = Registry::new(at(0).time);
    for index in 0..limits::MAX_PROVIDERS {
        registry.announce_gateway(at(0), provider(&index.to_string())).expect("room");
    }
    registry.announce_mixnode(at(0), mixnode("k", "a")).expect("another list");
    let refusal = registry.announce_gateway(at(1), provider("one more"));
    let list = ListName::Gateway;
    assert_eq!(refusal, Err(Refusal::ListFull { list, capacity: limits::MAX_PROVIDERS }));
    assert!(registry.announce_gateway(at(9000), provider("0")).is_ok());
    for index in 1..limits::MAX_PROVIDERS {
        registry.announce_gateway(at(9000), provider(&index.to_string())).expect("known");
    }

    // A refusal must not swallow that somebody else is gone.
    assert!(registry.announce_gateway(at(10_000), provider("one more")).is_err());
    assert_eq!(brief(&registry.expire(at(10_000).time)), ["gone mixnode k"]);

    let updates = registry.announce_gateway(at(19_000), provider("one more")).expect("room again");
    assert_eq!(updates.len(), limits::MAX_PROVIDERS + 2);
}

#[test]
fn metrics_carry_the_directorys_time() {
    let mut registry = Registry::new(at(0).time);
    let sent = BTreeMap::from([("127.0.0.1:9981".to_owned(), 6)]);
    let report = MixMetricReport { pub_key: "k".into(), sent, received: 3 };
    let updates = registry.report_metrics(at(1500), report).expect("accepted");
    let shown = registry.metrics(at(3000).time).to_vec();
    assert_eq!(shown[0].timestamp, 1_500_000_000);
    assert_eq!(updates, [Update::Metric(shown[0].clone())]);
}

/// Row `disallow list`: announcements of a disallowed mixnode are not heard of, its packet reports are,
/// and it is not forgotten that it is disallowed.
#[test]
fn a_disallowed_mixnode_is_hidden_until_it_is_allowed() {
    let mut registry = Registry::new(at(0).time);
    let announce = |registry: &mut Registry, millis, host| {
        brief(&registry.announce_mixnode(at(millis), mixnode("k", host)).expect("accepted"))
    };
    let disallow = |registry: &mut Registry, millis| {
        brief(&registry.disallow(at(millis), "k").expect("accepted"))
    };
    let shown = |registry: &Registry, millis| registry.topology(at(millis).time).mix_nodes.len();
    let allow = |registry: &mut Registry, millis| {
        brief(&registry.allow(at(millis), "k").expect("accepted"))
    };
    let hidden = |registry: &Registry, millis| registry.disallowed(at(millis).time).len();

    // Beforehand, which nobody needs to know.
    assert_eq!(disallow(&mut registry, 0), [""; 0]);
    assert_eq!(announce(&mut registry, 0, "a"), [""; 0]);
    assert_eq!((shown(&registry, 0), hidden(&registry, 0)), (0, 1));
    // A provider may have the same key.
    let gateway = registry.announce_gateway(at(1), provider("k")).expect("accepted");
    assert_eq!(brief(&gateway), ["gateway k", "seen gateway k"]);
    assert_eq!(allow(&mut registry, 2), ["mixnode k a"], "it comes as new");
    assert_eq!((shown(&registry, 2), hidden(&registry, 2)), (1, 0));
    assert_eq!(allow(&mut registry, 3), [""; 0]);

    assert_eq!(disallow(&mut registry, 4), ["disallowed k"]);
    assert_eq!(disallow(&mut registry, 5), [""; 0], "once is enough");
    assert_eq!((shown(&registry, 5), hidden(&registry, 5)), (0, 1));
    assert_eq!(announce(&mut registry, 1000, "b"), [""; 0]);
    assert_eq!(registry.disallowed(at(1000).time)[0].host, "b");
    let report = MixMetricReport { pub_key: "k".into(), sent: BTreeMap::new(), received: 1 };
    let updates = registry.report_metrics(at(1000), report).expect("accepted");
    assert_eq!(brief(&updates), ["metric k"]);

    // It is late and gone without a word; the gateway is not.
    assert_eq!(brief(&registry.expire(at(4750).time)), ["late gateway k"]);
    assert_eq!(brief(&registry.expire(at(11_000).time)), ["gone gateway k"]);
    assert_eq!((shown(&registry, 11_000), hidden(&registry, 11_000)), (0, 0));
    assert_eq!(registry.next_wake(), None);
    assert_eq!(announce(&mut registry, 12_000, "b"), [""; 0], "still disallowed");
    assert_eq!(
        brief(&registry.leave(at(12_000), "k").expect("accepted")),
        [""; 0],
        "nobody knew it"
    );
    assert_eq!(announce(&mut registry, 12_000, "b"), [""; 0], "it came again");
    assert_eq!((shown(&registry, 12_000), hidden(&registry, 12_000)), (0, 1));

    // Allowed while it is away.
    assert_eq!(allow(&mut registry, 22_000), [""; 0]);
    let updates = announce(&mut registry, 23_000, "b");
    assert_eq!(updates, ["mixnode k b", "seen mixnode k"]);
    assert_eq!((shown(&registry, 23_000), hidden(&registry, 23_000)), (1, 0));
}

/// Rows `disallow list`, `allow and disallow without a key`.
#[test]
fn only_so_many_are_disallowed() {
    let mut registry = Registry::new(at(0).time);
    for _ in 0..2 {
        for index in 0..limits::MAX_DISALLOWED {
            registry.disallow(at(0), &index.to_string()).expect("room");
        }
    }
    assert_eq!(registry.disallow(at(0), "one more"), Err(Refusal::TooManyDisallowed));
    assert_eq!(registry.disallow(at(0), ""), Ok(vec![]), "nobody takes no room");
    assert_eq!(registry.allow(at(0), "0"), Ok(vec![]));
    registry.disallow(at(0), "one more").expect("room again");
    let long = "k".repeat(limits::MAX_KEY_BYTES + 1);
    let refusal = Refusal::TooLong { field: "pubKey", limit: limits::MAX_KEY_BYTES };
    assert_eq!(registry.disallow(at(0), &long), Err(refusal.clone()));
    assert_eq!(registry.allow(at(0), &long), Err(refusal.clone()));
    assert_eq!(registry.leave(at(0), &long), Err(refusal));
}

/// What a subscriber knows of a topology by its updates alone.
#[derive(Debug, Default)]
struct Mirror(Topology);

impl Mirror {
    fn apply(&mut self, update: &Update) {
        let topology = &mut self.0;
        match update.clone() {
            Update::MixNode(node) => {
                topology.mix_nodes.retain(|known| known.pub_key != node.pub_key);
                topology.mix_nodes.push(node);
                topology.mix_nodes.sort_by(|a, b| a.pub_key.cmp(&b.pub_key));
            }
            Update::MixProvider(node) => {
                topology.mix_provider_nodes.retain(|known| known.pub_key != node.pub_key);
                topology.mix_provider_nodes.push(node);
                topology.mix_provider_nodes.sort_by(|a, b| a.pub_key.cmp(&b.pub_key));
            }
            Update::Gateway(node) => {
                topology.gateway_nodes.retain(|known| known.pub_key != node.pub_key);
                topology.gateway_nodes.push(node);
                topology.gateway_nodes.sort_by(|a, b| a.pub_key.cmp(&b.pub_key));
            }
            Update::Disallowed { pub_key } => {
                topology.mix_nodes.retain(|known| known.pub_key != pub_key);
            }
            Update::Left { pub_key } => {
                topology.mix_nodes.retain(|known| known.pub_key != pub_key);
                topology.mix_provider_nodes.retain(|known| known.pub_key != pub_key);
                topology.gateway_nodes.retain(|known| known.pub_key != pub_key);
            }
            Update::Gone { pub_key, list, .. } => match list {
                ListName::MixNode => topology.mix_nodes.retain(|known| known.pub_key != pub_key),
                ListName::MixProvider => {
                    topology.mix_provider_nodes.retain(|known| known.pub_key != pub_key);
                }
                ListName::Gateway => {
                    topology.gateway_nodes.retain(|known| known.pub_key != pub_key);
                }
                ListName::CocoNode => panic!("there are no validators"),
            },
            _ => {}
        }
    }
}

/// Updates do not repeat the topology for each `lastSeen`, so a mirror's may be older.
fn without_times(mut topology: Topology) -> Topology {
    topology.mix_nodes.iter_mut().for_each(|node| node.last_seen = 0);
    topology.mix_provider_nodes.iter_mut().for_each(|node| node.last_seen = 0);
    topology.gateway_nodes.iter_mut().for_each(|node| node.last_seen = 0);
    topology
}

#[derive(Clone, Debug)]
enum Action {
    Mixnode(u8, u8),
    MixProvider(u8),
    Gateway(u8),
    Leave(u8),
    Disallow(u8),
    Allow(u8),
}

fn actions() -> impl Strategy<Value = Vec<(u64, Action)>> {
    let action = prop_oneof![
        4 => (0..4u8, 0..3u8).prop_map(|(key, host)| Action::Mixnode(key, host)),
        2 => (0..4u8).prop_map(Action::MixProvider),
        2 => (0..4u8).prop_map(Action::Gateway),
        1 => (0..4u8).prop_map(Action::Leave),
        1 => (0..4u8).prop_map(Action::Disallow),
        1 => (0..4u8).prop_map(Action::Allow),
    ];
    prop::collection::vec((0..6000u64, action), 1..60)
}

proptest! {
    /// Whoever follows the updates knows the topology, and whoever wakes up when the registry asks
    /// for it hears of each late and gone node to the nanosecond.
    #[test]
    fn updates_tell_the_whole_truth_in_time(actions in actions()) {
        let mut registry = Registry::new(at(0).time);
        let mut mirror = Mirror::default();
        let mut disallowed = BTreeSet::new();
        let mut millis = 0;
        for (pause, action) in actions {
            millis += pause;
            let now = at(millis);
            while let Some(wake) = registry.next_wake().filter(|wake| *wake <= now.time) {
                for update in registry.expire(wake) {
                    let (last_seen, after) = match &update {
                        Update::Late { last_seen, .. } => (*last_seen, LATE_AFTER),
                        Update::Gone { last_seen, .. } => (*last_seen, PRESENCE_TIMEOUT),
                        other => panic!("{other:?} out of expiry"),
                    };
                    let heard = Time::from_nanos(u64::try_from(last_seen).expect("not negative"));
                    prop_assert_eq!(heard + after, wake);
                    mirror.apply(&update);
                }
                prop_assert!(registry.next_wake().is_none_or(|next| next > wake));
            }
            let before = registry.revision();
            let mut is_hidden = false;
            let updates = match action {
                Action::Mixnode(key, host) => {
                    is_hidden = disallowed.contains(&key);
                    let report = mixnode(&key.to_string(), &host.to_string());
                    registry.announce_mixnode(now, report).expect("accepted")
                }
                Action::MixProvider(key) => {
                    registry.announce_mixprovider(now, provider(&key.to_string())).expect("accepted")
                }
                Action::Gateway(key) => {
                    registry.announce_gateway(now, provider(&key.to_string())).expect("accepted")
                }
                Action::Leave(key) => registry.leave(now, &key.to_string()).expect("accepted"),
                Action::Disallow(key) => {
                    disallowed.insert(key);
                    registry.disallow(now, &key.to_string()).expect("accepted")
                }
                Action::Allow(key) => {
                    disallowed.remove(&key);
                    registry.allow(now, &key.to_string()).expect("accepted")
                }
            };
            // Of a disallowed mixnode nobody hears, but the record has changed.
            prop_assert_eq!(registry.revision() != before, is_hidden || !updates.is_empty());
            for update in &updates {
                mirror.apply(update);
            }
            let topology = without_times(registry.topology(now.time));
            prop_assert_eq!(topology, without_times(mirror.0.clone()));
        }
    }
}
