//! A clock that stands still or goes backwards: a client neither panics nor sends a burst, its streams
//! go on, and a message that nobody acknowledges is told as failed, once. One that is faster than the
//! client: it counts what it leaves out, and stays responsive.

mod records;

use std::sync::Arc;
use std::time::Duration;

use client::{Client, Output, Settings};
use contract::{Rates, Time};
use directory_api::Topology;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use runtime::Network;
use sphinx::{PacketBuilder, PrivateKey};
use wire::{PublicKey, WireProfile};

const RATES: Rates = Rates {
    hop_delay: Duration::from_millis(50),
    slot: Duration::from_secs(1),
    loop_cover: Duration::from_secs(1),
    slot_cover: true,
};

/// More than both streams send in the second that a client makes up for, but once in a million times.
const BURST: usize = 12;

/// One mixnode, and this provider.
fn network(rng: &mut StdRng, provider: PublicKey) -> Network {
    Network::from_topology(&Topology {
        mix_nodes: vec![records::mixnode(1, 1, PrivateKey::random(rng).public())],
        gateway_nodes: vec![records::provider(2, provider)],
        ..Topology::default()
    })
}

#[test]
fn whatever_the_clock_does_streams_go_on_and_a_message_has_an_end() {
    for seed in 0..4 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let provider = PrivateKey::random(rng).public();
        let settings = Settings { rates: RATES, layers: 1, acks: true };
        let packets = PacketBuilder::new(WireProfile::CURRENT);
        let mut client = Client::new(PrivateKey::random(rng), provider, settings, packets);
        let own = client.address();
        client.set_network(Arc::new(network(rng, provider)));
        let mut now = Time::default() + Duration::from_secs(3600);
        let mut latest = now;
        client.set_online(now, true);
        let (message, _) = client.send(now, rng, own, b"hello".as_slice().into()).expect("short");
        let mut failed = 0;
        let mut poll = |client: &mut Client, rng: &mut StdRng, now| {
            let outputs = client.poll(now, rng);
            let sends =
                outputs.iter().filter(|output| matches!(output, Output::Send { .. })).count();
            assert!(sends < BURST, "seed {seed}: {sends} at once");
            let is_end = |output: &&Output| matches!(output, Output::Failed { message: of, .. } if *of == message);
            failed += outputs.iter().filter(is_end).count();
            (sends, failed)
        };
        for _ in 0..200 {
            let ms = match rng.random_range(0..10) {
                0 => rng.random_range(-60_000..0),
                1 => rng.random_range(0..60_000),
                2..6 => rng.random_range(0..200),
                _ => 0,
            };
            now = Time::from_nanos(now.as_nanos().saturating_add_signed(ms * 1_000_000));
            latest = latest.max(now);
            poll(&mut client, rng, now);
        }
        // The clock goes on from the latest moment that it ever showed.
        let end = latest + Duration::from_secs(120);
        now = latest;
        let mut sent = 0;
        while now < end {
            let (sends, _) = poll(&mut client, rng, now);
            sent += sends;
            // What it makes up for may take several turns.
            let mut wake = client.next_wake().expect("its streams go on");
            for _ in 0..BURST {
                if wake > now {
                    break;
                }
                sent += poll(&mut client, rng, now).0;
                wake = client.next_wake().expect("its streams go on");
            }
            assert!(wake > now, "seed {seed}: it turns in a circle");
            now = wake;
        }
        // Two minutes of two packets a second, and of a probe that never returns.
        assert!((250..480).contains(&sent), "seed {seed}: {sent}");
        assert_eq!(poll(&mut client, rng, now).1, 1, "seed {seed}: the message has one end");
    }
}

/// Each of its turns takes so long that a hundred packets of either stream are due after it.
#[test]
fn who_cannot_keep_up_says_so_and_builds_little_in_a_turn() {
    let rng = &mut StdRng::seed_from_u64(9);
    let provider = PrivateKey::random(rng).public();
    let often = Duration::from_millis(1);
    let rates = Rates { slot: often, loop_cover: often, ..RATES };
    let settings = Settings { rates, layers: 1, acks: true };
    let packets = PacketBuilder::new(WireProfile::CURRENT);
    let mut client = Client::new(PrivateKey::random(rng), provider, settings, packets);
    let own = client.address();
    client.set_network(Arc::new(network(rng, provider)));
    let mut now = Time::default();
    client.set_online(now, true);
    for second in 0..15 {
        let (message, fragments) =
            client.send(now, rng, own, vec![1; 3000].into()).expect("there is room");
        let mut sent = 0;
        // Ten turns of four slots. The turn in which a stream begins anew uses none.
        for _ in 0..10 {
            now = now + Duration::from_millis(100);
            let outputs = client.poll(now, rng);
            let sends = outputs.iter().filter(|output| matches!(output, Output::Send { .. }));
            // The probe goes besides.
            assert!(sends.count() <= 8 + 1);
            let is_sent = |output: &&Output| matches!(output, Output::Sent { message: of, attempt: 1, .. } if *of == message);
            sent += u32::try_from(outputs.iter().filter(is_sent).count()).expect("few");
        }
        assert_eq!(sent, fragments, "in second {second}");
    }
    // In a dozen turns either stream gets a second behind.
    let dropped = client.dropped().get("overload").copied().unwrap_or(0);
    assert!((15..=30).contains(&dropped), "{dropped}");
}
