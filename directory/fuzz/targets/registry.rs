//! A life of the registry, a line for each thing that happens: a letter for what, a byte for how much
//! later, and a body. After each, whoever follows the updates knows the same as who asks, and nothing
//! is beyond its bound.

#![no_main]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use contract::Time;
use directory_api::{
    CocoNodePresence, Frame, ListName, MixNodePresence, MixProviderPresence, Topology, Update,
};
use directory_server::{Now, Registry, limits, reports};
use libfuzzer_sys::fuzz_target;

/// Unit of the byte that says how much later something happens; `0` is at once.
const TICK: Duration = Duration::from_millis(250);

/// When it all begins, by the wall clock: nanoseconds since 1970.
const BEGINNING: i64 = 1_600_000_000_000_000_000;

/// Where announcements come from.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fuzz_target!(|data: &[u8]| {
    let mut now = Now { time: Time::from_nanos(1), unix: BEGINNING };
    let mut registry = Registry::new(now.time);
    let mut follower = Follower::default();
    for line in data.split(|&byte| byte == b'\n') {
        let [what, later, body @ ..] = line else { continue };
        let later = TICK * u32::from(later.wrapping_sub(b'0'));
        let nanos = i64::try_from(later.as_nanos()).expect("a minute");
        now = Now { time: now.time + later, unix: now.unix.saturating_add(nanos) };
        for update in happen(&mut registry, &mut now, *what, body).unwrap_or_default() {
            follower.hear(update);
        }
        for update in registry.expire(now.time) {
            follower.hear(update);
        }
        assert!(registry.next_wake().is_none_or(|wake| wake > now.time));
        let topology = registry.topology(now.time);
        check_bounds(&topology);
        let written = serde_json::to_vec(&topology).expect("a topology is JSON");
        let read: Topology = serde_json::from_slice(&written).expect("a topology can be read");
        assert_eq!(read, topology);
        follower.compare(topology);
    }
});

/// Lets a line happen. What is refused changes nothing.
fn happen(registry: &mut Registry, now: &mut Now, what: u8, body: &[u8]) -> Option<Vec<Update>> {
    match what {
        b'c' => registry.announce_coconode(*now, reports::coconode(body).ok()?, PEER).ok(),
        b'm' => registry.announce_mixnode(*now, reports::mixnode(body).ok()?).ok(),
        b'p' => registry.announce_mixprovider(*now, reports::mixprovider(body).ok()?).ok(),
        b'g' => registry.announce_gateway(*now, reports::gateway(body).ok()?).ok(),
        b'r' => registry.report_metrics(*now, reports::metric(body).ok()?).ok(),
        b'd' => registry.disallow(*now, &reports::allowance(body).ok()?.pub_key).ok(),
        b'a' => registry.allow(*now, &reports::allowance(body).ok()?.pub_key).ok(),
        b'l' => registry.leave(*now, &reports::departure(body).ok()?.pub_key).ok(),
        b'h' => {
            ask_for_history(registry, *now, body);
            None
        }
        b'w' => {
            // Somebody sets the wall clock.
            now.unix = text_of(body).parse().unwrap_or(now.unix);
            None
        }
        _ => None,
    }
}

fn text_of(body: &[u8]) -> &str {
    str::from_utf8(body).unwrap_or_default()
}

/// Asks for what was reported: `since`, a blank, `step`.
fn ask_for_history(registry: &mut Registry, now: Now, body: &[u8]) {
    let (since, step) = text_of(body).split_once(' ').unwrap_or_default();
    let (since, step) = (since.parse().ok(), step.parse().ok());
    let Ok(history) = registry.history(now, since, step) else { return };
    assert!(step.is_none_or(|step| step == history.step));
    for node in &history.nodes {
        assert_eq!(node.received.len(), node.sent.len());
        let gaps = |curve: &[Option<u64>]| curve.iter().map(Option::is_none).collect::<Vec<_>>();
        assert_eq!(gaps(&node.received), gaps(&node.sent));
    }
    for metric in registry.metrics(now.time) {
        assert!(metric.sent.len() <= limits::MAX_NEXT_HOPS);
    }
}

fn check_bounds(topology: &Topology) {
    fn check(text: &str, most: usize) {
        assert!(text.len() <= most, "{text}");
        assert!(!text.contains(|c: char| c.is_control() || c == '<' || c == '>'), "{text:?}");
    }
    let key = |key: &str| check(key, limits::MAX_KEY_BYTES);
    let texts = |texts: &[&str]| texts.iter().for_each(|text| check(text, limits::MAX_TEXT_BYTES));
    assert!(topology.coco_nodes.len() <= limits::MAX_COCONODES);
    for node in &topology.coco_nodes {
        key(&node.pub_key);
        texts(&[&node.host, &node.version, &node.location, &node.kind]);
    }
    assert!(topology.mix_nodes.len() <= limits::MAX_MIXNODES);
    for node in &topology.mix_nodes {
        key(&node.pub_key);
        texts(&[&node.host, &node.version, &node.location]);
    }
    for list in [&topology.mix_provider_nodes, &topology.gateway_nodes] {
        assert!(list.len() <= limits::MAX_PROVIDERS);
        let clients: usize = list.iter().map(|node| node.registered_clients.len()).sum();
        assert!(clients <= directory_api::MAX_LISTED_CLIENTS);
        for node in list {
            key(&node.pub_key);
            texts(&[&node.client_listener, &node.mixnet_listener, &node.version, &node.location]);
            assert!(node.registered_clients.len() <= directory_api::MAX_REGISTERED_CLIENTS);
            node.registered_clients.iter().for_each(|client| key(&client.pub_key));
        }
    }
}

/// Somebody who began with an empty topology and knows nothing but the updates since.
#[derive(Default)]
struct Follower {
    coco_nodes: BTreeMap<String, CocoNodePresence>,
    mix_nodes: BTreeMap<String, MixNodePresence>,
    mix_providers: BTreeMap<String, MixProviderPresence>,
    gateways: BTreeMap<String, MixProviderPresence>,
}

impl Follower {
    fn hear(&mut self, update: Update) {
        let frame = Frame { seq: u64::MAX, timestamp: i64::MIN, update };
        let written = serde_json::to_vec(&frame).expect("a frame is JSON");
        let frame: Frame = serde_json::from_slice(&written).expect("a frame can be read");
        match frame.update {
            Update::CocoNode { node } => {
                self.coco_nodes.insert(node.pub_key.clone(), node);
            }
            Update::MixNode(node) => {
                self.mix_nodes.insert(node.pub_key.clone(), node);
            }
            Update::MixProvider(node) => {
                self.mix_providers.insert(node.pub_key.clone(), node);
            }
            Update::Gateway(node) => {
                self.gateways.insert(node.pub_key.clone(), node);
            }
            Update::Left { pub_key } => {
                for list in ListName::ALL {
                    self.forget(list, &pub_key);
                }
            }
            Update::Disallowed { pub_key } => {
                assert!(self.forget(ListName::MixNode, &pub_key), "{pub_key} was not there");
            }
            Update::Gone { pub_key, list, .. } => {
                assert!(self.forget(list, &pub_key), "{pub_key} was not there");
            }
            Update::Seen { pub_key, list } | Update::Late { pub_key, list, .. } => {
                assert!(self.knows(list, &pub_key), "{pub_key} is not there");
            }
            Update::Metric(_) => {}
            Update::Snapshot { .. } => unreachable!("the registry makes no snapshots"),
        }
    }

    fn forget(&mut self, list: ListName, pub_key: &str) -> bool {
        match list {
            ListName::CocoNode => self.coco_nodes.remove(pub_key).is_some(),
            ListName::MixNode => self.mix_nodes.remove(pub_key).is_some(),
            ListName::MixProvider => self.mix_providers.remove(pub_key).is_some(),
            ListName::Gateway => self.gateways.remove(pub_key).is_some(),
        }
    }

    fn knows(&self, list: ListName, pub_key: &str) -> bool {
        match list {
            ListName::CocoNode => self.coco_nodes.contains_key(pub_key),
            ListName::MixNode => self.mix_nodes.contains_key(pub_key),
            ListName::MixProvider => self.mix_providers.contains_key(pub_key),
            ListName::Gateway => self.gateways.contains_key(pub_key),
        }
    }

    /// The follower knows the same, but for when a node was last heard: it was told of that only
    /// when something else changed too.
    fn compare(&self, mut topology: Topology) {
        let mut known = Topology {
            coco_nodes: self.coco_nodes.values().cloned().collect(),
            mix_nodes: self.mix_nodes.values().cloned().collect(),
            mix_provider_nodes: self.mix_providers.values().cloned().collect(),
            gateway_nodes: self.gateways.values().cloned().collect(),
        };
        for topology in [&mut known, &mut topology] {
            topology.coco_nodes.iter_mut().for_each(|node| node.last_seen = 0);
            topology.mix_nodes.iter_mut().for_each(|node| node.last_seen = 0);
            topology.mix_provider_nodes.iter_mut().for_each(|node| node.last_seen = 0);
            topology.gateway_nodes.iter_mut().for_each(|node| node.last_seen = 0);
        }
        assert_eq!(known, topology);
    }
}
