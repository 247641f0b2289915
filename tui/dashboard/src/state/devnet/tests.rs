//! What events make of a devnet.

use std::time::Duration;

use super::*;
use crate::fixture::{self, Fixture};

fn devnet(fixture: &mut Fixture) -> Devnet {
    let snapshot = Box::new(fixture.snapshot(Duration::ZERO));
    let first = fixture.at(Duration::ZERO, StreamEvent::Snapshot(snapshot.clone()));
    let moment = Moment { t: first.t, unix_ms: first.unix_ms };
    Devnet::new(*snapshot, (first.seq, moment), None)
}

fn metric(second: u64, sent: &[(&str, u64)]) -> StreamEvent {
    let unix_ms = i64::try_from(fixture::unix_ms(Duration::from_secs(second))).expect("small");
    let metric = MixMetric {
        pub_key: fixture::key("mix-1-1"),
        sent: sent.iter().map(|&(hop, count)| (hop.to_owned(), count)).collect(),
        received: 40,
        timestamp: unix_ms * 1_000_000,
    };
    StreamEvent::Directory { node: None, update: Update::Metric(metric) }
}

#[test]
fn reports_that_arrive_in_a_bunch_make_the_rates_they_would_have_made_one_by_one() {
    let mut fixture = Fixture::two_by_three();
    let mut devnet = devnet(&mut fixture);
    let (first, second) = ("127.0.0.1:9982", "127.0.0.1:9983");
    for at in 1..=6 {
        // The second hop gets its first packet late, and a stranger is not of this map.
        let hops = [(first, 30), (second, 10), ("10.0.0.1:1", 7)];
        let hops = if at <= 4 { &hops[..1] } else { &hops[..] };
        let envelope = fixture.at(Duration::from_secs(6), metric(at, hops));
        devnet.apply(envelope);
    }
    let now = devnet.heard.t;
    let node = devnet.node("mix-1-1").expect("a node of the fixture");
    assert_eq!(node.received.rate(now), Some(40.0));
    let rates: Vec<(&str, Option<f64>)> =
        node.links.iter().map(|(next, link)| (next.as_str(), link.meter.rate(now))).collect();
    assert_eq!(rates, [("mix-2-1", Some(30.0)), ("mix-2-2", Some(4.0))]);
}

/// Alice after some seconds of traffic, and the moment.
fn busy(fixture: &mut Fixture) -> (Devnet, Moment) {
    let mut devnet = devnet(fixture);
    for second in 1..=6 {
        fixture.second(second).into_iter().for_each(|envelope| devnet.apply(envelope));
    }
    let now = devnet.heard;
    assert_eq!(alice(&devnet).sent.rate(now.t), Some(3.0));
    (devnet, now)
}

fn alice(devnet: &Devnet) -> &Node {
    devnet.node("alice").expect("a node of the fixture")
}

/// What is known of alice is not of the process before, and what that had counted is not taken
/// for the beginning of what this one counts.
fn assert_begins_anew(mut devnet: Devnet, now: Moment) {
    let node = alice(&devnet);
    assert!(node.metrics.is_none() && node.usage.is_none());
    assert_eq!((node.received.rate(now.t), node.sent.rate(now.t)), (None, None));
    assert!(node.links.values().all(|link| link.meter.rate(now.t).is_none()));
    let mut metrics = NodeMetrics { sent: 1000, ..NodeMetrics::default() };
    for (after, rate) in [(1, None), (2, Some(7.0))] {
        metrics.t = now.t + Duration::from_secs(after);
        let node = devnet.node_mut("alice").expect("a node of the fixture");
        node.report(metrics.clone());
        assert_eq!(node.sent.rate(metrics.t), rate);
        assert_eq!(node.links["mix-1-1"].meter.rate(metrics.t), Some(0.0));
        metrics.sent += 7;
    }
}

#[test]
fn a_process_started_anew_has_no_counts_of_the_one_before() {
    let mut fixture = Fixture::two_by_three();
    let (mut devnet, now) = busy(&mut fixture);
    devnet.count_links("alice", &[leaving(now)]);
    let status = NodeStatus { pid: Some(1), ..fixture.status("alice") };
    devnet.apply(fixture.at(Duration::from_secs(6), StreamEvent::Node(status)));
    assert_begins_anew(devnet, now);
}

#[test]
fn a_process_started_anew_while_nobody_listened_has_no_counts_of_the_one_before() {
    let mut fixture = Fixture::two_by_three();
    let (mut devnet, now) = busy(&mut fixture);
    devnet.count_links("alice", &[leaving(now)]);
    let mut snapshot = fixture.snapshot(Duration::from_secs(6));
    for status in &mut snapshot.nodes {
        if status.name == "alice" {
            status.pid = Some(1);
        }
    }
    let seq = devnet.seq + 5000;
    let devnet = Devnet::new(snapshot, (seq, now), Some(devnet));
    let bob = devnet.node("bob").expect("a node of the fixture");
    assert_eq!(bob.sent.rate(now.t), Some(3.0));
    assert_begins_anew(devnet, now);
}

fn leaving(now: Moment) -> LinkEvent {
    LinkEvent { t: now.t, from: None, dst: "mix-1-1".into(), bytes: 2396 }
}

#[test]
fn a_snapshot_tells_how_many_events_were_missed() {
    let fixture = &mut Fixture::two_by_three();
    let mut devnet = devnet(fixture);
    let heard = devnet.heard;
    // As often the number of a snapshot is ahead of the latest event, as many were lost.
    for (ahead, lost) in [(0, 0), (1, 0), (1, 0), (4097, 4097), (0, 4097), (2, 4099)] {
        let seq = devnet.seq + ahead;
        let snapshot = fixture.snapshot(Duration::ZERO);
        devnet = Devnet::new(snapshot, (seq, heard), Some(devnet));
        assert_eq!(devnet.lost, lost, "{ahead} ahead");
    }
}

#[test]
fn what_goes_to_identities_of_a_crowd_goes_to_its_process() {
    let mut devnet = devnet(&mut Fixture::two_by_three());
    let to = |dst: &str| LinkEvent { dst: dst.into(), bytes: 2072, ..leaving(devnet.heard) };
    let links = ["crowd-1", "crowd-8", "alice", "crowd-1", "stranger-1"].map(to);
    devnet.count_links("provider-1", &links);
    let node = devnet.node("provider-1").expect("a node of the fixture");
    let counted = node.links.iter().map(|(next, link)| (next.as_str(), link.pending));
    assert_eq!(counted.collect::<Vec<_>>(), [("alice", 1), ("crowd", 3)]);
}

/// Made when a crowd was one sender and one recipient.
#[test]
fn a_recording_of_before_shows_the_same_links() {
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../control/tests/recordings/crowd-as-one.jsonl");
    let mut recording = control::Recording::open(file.as_ref()).expect("a recording");
    let Some(Envelope { seq, t, unix_ms, event }) = recording.next_event() else {
        panic!("it begins")
    };
    let StreamEvent::Snapshot(snapshot) = event else { panic!("with a snapshot") };
    let mut devnet = Devnet::new(*snapshot, (seq, Moment { t, unix_ms }), None);
    while let Some(envelope) = recording.next_event() {
        devnet.apply(envelope);
    }
    for (name, expected) in [
        ("provider-1", &["alice", "crowd", "mix-1-1"][..]),
        ("crowd", &["mix-1-1"]),
        ("alice", &["mix-1-1"]),
        ("mix-1-1", &["provider-1"]),
    ] {
        let node = devnet.node(name).expect("a node of the recording");
        assert_eq!(node.links.keys().collect::<Vec<_>>(), expected, "{name}");
    }
}
