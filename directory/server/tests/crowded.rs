//! What the lists hold together, so that whoever reads them knows how long they can be.

use std::net::Ipv4Addr;
use std::time::Duration;

use contract::Time;
use directory_api::{
    CocoNodeReport, Frame, ListName, MAX_LISTED_CLIENTS, MAX_REGISTERED_CLIENTS,
    MAX_TOPOLOGY_BYTES, MixNodeReport, MixProviderReport, RegisteredClient, Update,
};
use directory_server::{Now, Refusal, Registry, limits};

/// A moment this long after the start, by both clocks.
fn at(millis: u64) -> Now {
    let time = Time::from_nanos(0) + Duration::from_millis(millis);
    Now { time, unix: i64::try_from(time.as_nanos()).expect("a small number") }
}

/// Mixproviders and gateways are counted apart.
#[test]
fn the_clients_of_all_providers_in_a_list_are_bounded_together() {
    let crowded = |key: &str, clients| MixProviderReport {
        pub_key: key.into(),
        version: "0.7.0".into(),
        registered_clients: vec![RegisteredClient { pub_key: "c".into() }; clients],
        ..MixProviderReport::default()
    };
    let (most, all) = (MAX_REGISTERED_CLIENTS, MAX_LISTED_CLIENTS);
    let mut registry = Registry::new(at(0).time);
    for index in 0..all / most {
        registry.announce_gateway(at(0), crowded(&index.to_string(), most)).expect("room");
    }
    registry.announce_gateway(at(0), crowded("none", 0)).expect("it has no clients");
    let refusal = registry.announce_gateway(at(1), crowded("one more", 1));
    let (list, count) = (ListName::Gateway, 1);
    assert_eq!(refusal, Err(Refusal::ClientsFull { list, count, others: all, capacity: all }));
    registry.announce_mixprovider(at(1), crowded("one more", 1)).expect("another list");
    registry.announce_gateway(at(9000), crowded("0", most)).expect("it takes the place of itself");
    registry.announce_gateway(at(9000), crowded("0", most - 1)).expect("fewer");
    registry.announce_gateway(at(9000), crowded("one more", 1)).expect("room");
    // All but these two are gone.
    registry.announce_gateway(at(10_000), crowded("many", most)).expect("room again");
}

/// Programs that read the topology rely on it. Every character of these texts is escaped.
#[test]
fn the_topology_is_never_longer_than_it_may_be() {
    let text = |length: usize| "\"".repeat(length);
    let key = |index: usize| {
        let number = index.to_string();
        number.clone() + &text(limits::MAX_KEY_BYTES - number.len())
    };
    let long = || text(limits::MAX_TEXT_BYTES);
    let now = Now { unix: i64::MIN, ..at(0) };
    let mut registry = Registry::new(now.time);
    for index in 0..limits::MAX_MIXNODES {
        let (host, pub_key, version, location) = (long(), key(index), long(), long());
        let report = MixNodeReport { host, pub_key, version, location, layer: u64::MAX };
        registry.announce_mixnode(now, report).expect("room");
    }
    for index in 0..limits::MAX_COCONODES {
        let host = format!("localhost:{}", text(limits::MAX_TEXT_BYTES - "localhost:".len()));
        let (pub_key, version, location, kind) = (key(index), long(), long(), long());
        let report = CocoNodeReport { host, pub_key, version, location, kind };
        registry.announce_coconode(now, report, Ipv4Addr::LOCALHOST.into()).expect("room");
    }
    for index in 0..limits::MAX_PROVIDERS {
        let client = RegisteredClient { pub_key: text(limits::MAX_KEY_BYTES) };
        let report = MixProviderReport {
            client_listener: long(),
            mixnet_listener: long(),
            pub_key: key(index),
            version: long(),
            location: long(),
            registered_clients: vec![client; MAX_LISTED_CLIENTS / limits::MAX_PROVIDERS],
        };
        registry.announce_mixprovider(now, report.clone()).expect("room");
        registry.announce_gateway(now, report).expect("room");
    }
    let update = Update::Snapshot { topology: registry.topology(now.time) };
    let snapshot = Frame { seq: u64::MAX, timestamp: i64::MIN, update };
    let length = serde_json::to_string(&snapshot).expect("JSON").len();
    assert!((MAX_TOPOLOGY_BYTES / 2..=MAX_TOPOLOGY_BYTES).contains(&length), "{length} bytes");
}
