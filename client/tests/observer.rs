//! What an observer of the links is told, counted at both ends of every link: clients, a crowd that
//! grows, acknowledgements, replies of the provider and pushes, over real TCP.

#[allow(dead_code, reason = "each test uses a part of it")]
mod network;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use client::{ClientArgs, run_client};
use contract::{
    Change, Command, Endpoint, Event, LinkEvent, NodeMetrics, Outcome, PacketTrace, Time,
};
use mixnode::MixnodeArgs;
use network::{App, Daemon, deadline, directory, parse};
use provider::ProviderArgs;
use serde_json::json;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::WireProfile;

const LAYERS: u8 = 3;

/// Streams with this interval send nothing while a test runs.
const NEVER: Duration = Duration::from_secs(3600);

/// What a process has told.
struct Told(Vec<Event>);

impl Told {
    fn of(daemon: &Daemon) -> Self {
        Self(daemon.events())
    }

    fn links(&self) -> Vec<LinkEvent> {
        let links = self.0.iter().filter_map(|event| match event {
            Event::Links { links, lost: 0 } => Some(links.clone()),
            Event::Links { lost, .. } | Event::Lost { count: lost, .. } => {
                panic!("too few for {lost} to be lost")
            }
            _ => None,
        });
        links.flatten().collect()
    }

    fn packets(&self) -> Vec<PacketTrace> {
        let packets = self.0.iter().filter_map(|event| match event {
            Event::Packets { packets, lost: 0 } => Some(packets.clone()),
            Event::Packets { lost, .. } => panic!("too few for {lost} to be lost"),
            _ => None,
        });
        packets.flatten().collect()
    }

    fn metrics(&self) -> NodeMetrics {
        let metrics = self.0.iter().rev().find_map(|event| match event {
            Event::Metrics(metrics) => Some(metrics.clone()),
            _ => None,
        });
        metrics.unwrap_or_default()
    }

    /// Its keys, as it told them last.
    fn keys(&self) -> Vec<String> {
        let keys = self.0.iter().rev().find_map(|event| match event {
            Event::Identity(identity) => Some(identity.public_keys.clone()),
            _ => None,
        });
        keys.unwrap_or_default()
    }
}

/// A process, and what packets for it are told to go to.
struct Place {
    name: String,
    daemon: Daemon,
    /// Its address; of clients, their keys.
    known_by: BTreeSet<String>,
}

/// How many packets came to each process: as those told that sent them, and as it counted itself.
fn counted(places: &[Place]) -> BTreeMap<String, (u64, u64)> {
    let mut sent_to: BTreeMap<String, u64> = BTreeMap::new();
    for place in places {
        for link in Told::of(&place.daemon).links() {
            *sent_to.entry(link.dst).or_default() += 1;
        }
    }
    let mut counted = BTreeMap::new();
    for Place { name, daemon, known_by } in places {
        let told = known_by.iter().filter_map(|known| sent_to.remove(known)).sum();
        counted.insert(name.clone(), (told, Told::of(daemon).metrics().received));
    }
    assert_eq!(sent_to, BTreeMap::new(), "all go to somebody");
    counted
}

async fn set(daemon: &Daemon, id: u64, change: Change) {
    daemon.request(id, Command::Set { change }).await;
    let done = |event: &Event| match event {
        Event::Answer(answer) if answer.id == id => Some(answer.outcome.clone()),
        _ => None,
    };
    assert_eq!(daemon.wait_for("answer", done).await, Outcome::Done);
}

#[tokio::test]
async fn every_packet_is_told_once_by_who_sent_it_and_by_nobody_else() {
    let home = tempfile::tempdir().expect("a folder");
    let directory = directory(CancellationToken::new()).await;
    let line = |name: &str, more: &str| {
        let home = home.path().join(name);
        format!(
            "--name {name} --home {} --directory {directory} --port 0 --trace {more}",
            home.display()
        )
    };
    let mut places = Vec::new();
    for layer in 1..=LAYERS {
        let name = format!("mix-{layer}-1");
        let args: MixnodeArgs = parse(&line(&name, &format!("--layer {layer}")));
        let daemon = Daemon::start(|process| mixnode::run(args, process));
        let known_by = [daemon.address(Endpoint::Mix).await.to_string()].into();
        places.push(Place { name, daemon, known_by });
    }
    let args: ProviderArgs = parse(&line("provider-1", "--clients-port 0"));
    let daemon = Daemon::start(|process| provider::run(args, process));
    let known_by = [daemon.address(Endpoint::Mix).await.to_string()].into();
    places.push(Place { name: "provider-1".into(), daemon, known_by });
    let provider = places.len() - 1;
    for (name, crowd) in [("alice", ""), ("bob", ""), ("crowd", "--crowd 3")] {
        let rates = "--provider provider-1 --hop-delay 5ms --slot 100ms --loop-cover 200ms";
        let args: ClientArgs = parse(&line(name, &format!("{rates} {crowd}")));
        let daemon = Daemon::start(|process| run_client(args, process));
        places.push(Place { name: name.into(), daemon, known_by: BTreeSet::new() });
    }
    let clients = provider + 1;
    for place in &places[clients..] {
        place.daemon.ready().await;
    }
    let crowd = &places[clients + 2].daemon;
    set(crowd, 1, Change { crowd: Some(5), ..Change::default() }).await;
    let mut alice = App::connect(&places[clients].daemon).await;
    let mut bob = App::connect(&places[clients + 1].daemon).await;
    let to = bob.own_address().await;
    alice.ask(json!({"type": "send", "message": "x".repeat(20_000), "recipient": to})).await;
    bob.next().await;
    let is_fifth = |event: &Event| match event {
        Event::Links { links, .. } => links.iter().any(|link| link.from == Some(5)).then_some(()),
        _ => None,
    };
    crowd.wait_for("packet of the last identity", is_fifth).await;

    let asleep = Change { slot: Some(NEVER), loop_cover: Some(NEVER), ..Change::default() };
    for place in &mut places[clients..] {
        set(&place.daemon, 2, asleep).await;
        place.known_by = Told::of(&place.daemon).keys().into_iter().collect();
    }
    // What is underway arrives, and is counted once a second.
    let all_agree = async {
        while counted(&places).values().any(|(told, counted)| told != counted) {
            places[provider].daemon.news().await;
        }
    };
    let agreed = timeout(deadline(), all_agree).await.is_ok();
    assert!(agreed, "told by senders, and counted by recipients: {:?}", counted(&places));
    for place in &mut places {
        place.daemon.request(3, Command::Stop).await;
        place.daemon.ended().await.expect("it stops");
    }
    for (name, (told, counted)) in counted(&places) {
        assert_eq!(told, counted, "{name}");
        assert!(told > 10, "{name} got {told}");
    }

    let packet_bytes = u32::try_from(WireProfile::CURRENT.packet_bytes()).expect("small");
    for Place { name, daemon, .. } in &places {
        let told = Told::of(daemon);
        let links = told.links();
        assert!(links.is_sorted_by_key(|link| link.t), "{name} tells in order");
        let between_nodes = |link: &&LinkEvent| link.dst.contains(':');
        let onward: Vec<&LinkEvent> = links.iter().filter(between_nodes).collect();
        assert_eq!(onward.len() as u64, told.metrics().sent, "{name}");
        assert!(onward.iter().all(|link| link.bytes == packet_bytes));
        assert_eq!(links.len() > onward.len(), name == "provider-1", "who pushes");
        let identities: BTreeSet<Option<u32>> = links.iter().map(|link| link.from).collect();
        match name.as_str() {
            "crowd" => assert_eq!(identities, (1..=5).map(Some).collect()),
            _ => assert_eq!(identities, [None].into(), "{name}"),
        }
        matches_what_it_did(name, &told.packets(), &links);
    }
}

/// An observer and a trace are told the same moments, and cover comes from who made it.
fn matches_what_it_did(name: &str, packets: &[PacketTrace], links: &[LinkEvent]) {
    if name.starts_with("mix-") {
        let mut passed: Vec<(Time, &str)> = Vec::new();
        for packet in packets {
            if let PacketTrace::Passed { left, to, .. } = packet {
                passed.push((*left, to));
            }
        }
        let mut told: Vec<_> = links.iter().map(|link| (link.t, link.dst.as_str())).collect();
        passed.sort_unstable();
        told.sort_unstable();
        assert_eq!(passed, told, "{name}");
    }
    if name == "crowd" {
        let count = |identities: Vec<Option<u32>>| {
            let mut counts: BTreeMap<Option<u32>, usize> = BTreeMap::new();
            for identity in identities {
                *counts.entry(identity).or_default() += 1;
            }
            counts
        };
        let covered = packets.iter().filter_map(|packet| match packet {
            PacketTrace::Covered { from, .. } => Some(*from),
            _ => None,
        });
        let told = links.iter().map(|link| link.from);
        assert_eq!(count(covered.collect()), count(told.collect()), "all of it is cover");
    }
}
