//! A minute of a 2×3 network with two clients, on virtual time.

mod simulation;

use std::time::Duration;

use contract::{Rates, Time};
use simulation::{Simulation, Told, What};

const CLASSIC: Rates = Rates {
    hop_delay: Duration::from_millis(200),
    slot: Duration::from_millis(500),
    loop_cover: Duration::from_secs(1),
    slot_cover: true,
};

const ALICE: usize = 0;
const BOB: usize = 1;

fn at(seconds: u64) -> Time {
    Time::default() + Duration::from_secs(seconds)
}

/// Runs a minute in which alice sends a message of two packets to bob after ten seconds.
fn minute(seed: u64) -> (Simulation, wire::MessageId, Vec<u8>) {
    let mut simulation = Simulation::new(seed, 2, 3, 2, CLASSIC);
    simulation.run_until(at(10));
    let data = vec![b'x'; 2000];
    let message = simulation.send(ALICE, BOB, &data);
    simulation.run_until(at(60));
    (simulation, message, data)
}

fn told(simulation: &Simulation, client: usize) -> Vec<&Told> {
    simulation
        .records
        .iter()
        .filter_map(|record| match &record.what {
            What::Client { client: c, output } if *c == client => Some(output),
            _ => None,
        })
        .collect()
}

#[test]
fn a_message_arrives_through_one_mixnode_of_each_layer_and_is_acknowledged() {
    let (simulation, message, data) = minute(1);
    let alice = told(&simulation, ALICE);
    let bob = told(&simulation, BOB);

    assert!(bob.contains(&&Told::Received(message, data)), "bob has it");
    let acknowledged = alice.iter().filter(|t| ***t == Told::Acknowledged(message)).count();
    assert_eq!(acknowledged, 2, "both packets are acknowledged");
    let routes: Vec<_> = alice
        .iter()
        .filter_map(|told| match told {
            Told::Sent { message: m, attempt: 1, route } if *m == message => Some(route),
            _ => None,
        })
        .collect();
    assert_eq!(routes.len(), 2);
    for route in routes {
        let layers: Vec<Option<u8>> = route.iter().map(|hop| simulation.layer_of(*hop)).collect();
        assert_eq!(layers, [Some(1), Some(2), Some(3), None], "then the provider");
    }
}

#[test]
fn cover_and_acknowledgements_come_back_and_nothing_is_dropped() {
    let (simulation, ..) = minute(2);
    for client in [ALICE, BOB] {
        let counters = simulation.client(client).counters();
        let sent = counters.cover + counters.loops;
        // 180 are expected in a minute; five standard deviations either way.
        assert!((113..=247).contains(&sent), "{counters:?}");
        // What left in the last seconds is still underway: 0.6 s on average for 3 packets a second.
        assert!(counters.loops_returned + 12 >= sent, "{counters:?}");
        let expected = sent + counters.real + counters.retransmitted;
        assert!(counters.acks_returned + 24 >= expected, "{counters:?}");
        assert!(simulation.client(client).dropped().is_empty());
    }
    assert!(simulation.provider().counters().dropped.is_empty());
    for mixnode in simulation.mixnodes() {
        assert!(mixnode.counters().dropped.is_empty());
        assert!(mixnode.counters().received > 100, "all mixnodes have work");
    }
}

/// That they are exponential is shown where a client's traffic is looked at by itself.
#[test]
fn delays_are_kept_to_the_nanosecond() {
    let (simulation, ..) = minute(3);
    let mut delayed = 0;
    for record in &simulation.records {
        if let What::Mixed { asked, waited, .. } = &record.what {
            assert_eq!(asked, waited);
            // The probe asks for none.
            delayed += u32::from(!asked.is_zero());
        }
    }
    assert!(delayed > 1500, "{delayed}");
}

#[test]
fn what_a_broken_mixnode_loses_is_sent_again_and_arrives_once() {
    let mut simulation = Simulation::new(8, 3, 3, 2, CLASSIC);
    simulation.run_until(at(5));
    simulation.break_mixnode_of(2);
    let sent: Vec<wire::MessageId> =
        (0..10_u8).map(|n| simulation.send(ALICE, BOB, &[n])).collect();
    simulation.run_until(at(180));
    for message in &sent {
        let received = |told: &&&Told| matches!(told, Told::Received(id, _) if id == message);
        assert_eq!(told(&simulation, BOB).iter().filter(received).count(), 1);
    }
    // A third of all packets and a third of all acknowledgements are lost.
    assert!(simulation.client(ALICE).counters().retransmitted >= 5);
    assert_eq!(simulation.client(ALICE).counters().unacknowledged, 0);
    let failed = |told: &&Told| matches!(told, Told::Failed(_));
    assert!(!told(&simulation, ALICE).into_iter().any(|told| failed(&told)));
}

#[test]
fn a_message_to_nobody_fails_with_the_reason_and_holds_up_no_other() {
    let mut simulation = Simulation::new(9, 1, 3, 2, CLASSIC);
    simulation.run_until(at(5));
    let lost = simulation.send_to_nobody(ALICE);
    let message = simulation.send(ALICE, BOB, b"hello");
    simulation.run_until(at(30));
    assert!(told(&simulation, BOB).contains(&&Told::Received(message, b"hello".to_vec())));
    assert!(!told(&simulation, ALICE).contains(&&Told::Failed(lost)));
    let patience = client::PATIENCE.as_secs();
    simulation.run_until(at(patience));
    assert!(!told(&simulation, ALICE).contains(&&Told::Failed(lost)), "it may come back");
    simulation.run_until(at(patience + 10));
    assert!(told(&simulation, ALICE).contains(&&Told::Failed(lost)));
}

#[test]
fn readiness_is_shown_by_a_probe_without_delays() {
    let mut simulation = Simulation::new(4, 1, 3, 1, CLASSIC);
    assert!(simulation.client(0).waiting_for().is_some_and(|reason| reason.contains("layer 1")));
    simulation.run_until(at(0) + Duration::from_millis(1));
    // Four links of 100 µs.
    assert_eq!(told(&simulation, 0), [&Told::Ready(Duration::from_micros(400))]);
    assert_eq!(simulation.client(0).waiting_for(), None);
}

#[test]
fn the_directory_sees_every_node_and_every_packet() {
    let (mut simulation, ..) = minute(5);
    let now = simulation.now();
    let topology = simulation.registry().topology(now);
    assert_eq!(topology.mix_nodes.len(), 6);
    assert_eq!(topology.gateway_nodes[0].registered_clients.len(), 2);
    let metrics = simulation.registry().metrics(now);
    assert_eq!(metrics.len(), 18, "six mixnodes, a window of three seconds");
    assert!(metrics.iter().all(|metric| metric.received > 0 || metric.sent.is_empty()));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, ..) = minute(6);
    let (again, ..) = minute(6);
    let (other, ..) = minute(7);
    assert!(one.records.len() > 3000, "{}", one.records.len());
    assert_eq!(one.records, again.records);
    assert_ne!(one.records, other.records);
}
