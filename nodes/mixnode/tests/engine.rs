//! The mixnode's decisions on virtual time.

mod common;

use std::time::Duration;

use common::{Bench, MIX_2, PROVIDER, SETTLED, address, network};
use contract::Time;
use mixnode::{DropReason, MAX_DELAY, MAX_POOL, Replays, UNKNOWN_HOP_HOLD};
use runtime::VANISHED_GRACE;
use sphinx::Hop;

/// After the start of the node, when nothing can have vanished unseen.
fn ms(ms: u64) -> Time {
    SETTLED + Duration::from_millis(ms)
}

#[test]
fn a_packet_leaves_when_its_delay_is_over_and_not_before() {
    let mut bench = Bench::new();
    let slow = bench.packet(Duration::from_millis(20), MIX_2);
    let fast = bench.packet(Duration::from_millis(5), MIX_2);
    bench.take(ms(0), &[slow]);
    bench.take(ms(1), &[fast]);
    assert_eq!(bench.mixnode.pool(), 2);
    assert_eq!(bench.mixnode.next_wake(), Some(ms(6)));
    assert_eq!(bench.departures(ms(5)), []);
    assert_eq!(bench.departures(ms(6)), [(MIX_2, Some(ms(6)))]);
    assert_eq!(bench.mixnode.next_wake(), Some(ms(20)));
    assert_eq!(bench.departures(ms(25)), [(MIX_2, Some(ms(20)))]);
    assert_eq!(bench.mixnode.next_wake(), None);
    assert_eq!(bench.mixnode.counters().sent.values().sum::<u64>(), 2);
}

#[test]
fn packets_that_come_together_leave_as_the_processor_made_them() {
    let mut bench = Bench::new();
    // More than are unwrapped at once, the delays backwards, one of them broken.
    let mut packets: Vec<Vec<u8>> =
        (0..20).map(|n| bench.packet(Duration::from_millis(20 - n), MIX_2)).collect();
    packets[3][100] ^= 1;
    let expected: Vec<Vec<u8>> = packets.iter().filter_map(|packet| bench.onward(packet)).collect();
    bench.take(ms(0), &packets);
    assert_eq!(bench.dropped(DropReason::Mac), 1);
    assert_eq!(bench.mixnode.pool(), 19);
    assert_eq!(bench.departures(ms(20)).len(), 19);
    assert!(bench.sent.iter().eq(expected.iter().rev()));
    assert_eq!(bench.frames.used(), 0, "the room of all is free again");
}

#[test]
fn a_packet_that_comes_again_is_dropped_whichever_worker_took_it() {
    let mut bench = Bench::new();
    let packet = bench.packet(Duration::ZERO, MIX_2);
    let replays = Replays::new(ms(0));
    let mut workers =
        [bench.mixnode_with(Some(replays.clone())), bench.mixnode_with(Some(replays))];
    for (worker, engine) in workers.iter_mut().enumerate() {
        engine.take(ms(0), &mut [&mut packet.clone()], &mut bench.frames);
        assert_eq!(engine.pool(), 1 - worker);
        assert_eq!(engine.counters().dropped.get(&DropReason::Replay), [None, Some(&1)][worker]);
    }
}

#[test]
fn the_originals_took_replays_and_skipped_layers() {
    let mut bench = Bench::new();
    bench.mixnode = bench.mixnode_with(None);
    let packet = bench.packet(Duration::ZERO, PROVIDER);
    bench.take(ms(0), &[packet.clone(), packet]);
    let expected = [(PROVIDER, Some(ms(0))); 2];
    assert_eq!(bench.departures(ms(0)), expected);
    assert!(bench.mixnode.counters().dropped.is_empty());
}

#[test]
fn layers_cannot_be_skipped() {
    let mut bench = Bench::new();
    let packets = [1, PROVIDER].map(|port| bench.packet(Duration::ZERO, port));
    bench.take(ms(0), &packets);
    assert_eq!(bench.departures(ms(0)), []);
    assert!(bench.mixnode.wants_topology(ms(0)), "the view may be an old one");
    // It is not.
    bench.mixnode.set_network(ms(5), &network(&[MIX_2]));
    assert_eq!(bench.departures(ms(5)), []);
    let over = ms(0) + UNKNOWN_HOP_HOLD;
    assert_eq!(bench.mixnode.next_wake(), Some(over));
    assert_eq!(bench.departures(over), []);
    assert_eq!(bench.dropped(DropReason::Layer), 2);
    assert_eq!((bench.mixnode.pool(), bench.frames.used()), (0, 0));
}

#[test]
fn an_unknown_next_hop_is_asked_for_once_and_held_for_a_while() {
    let mut bench = Bench::new();
    bench.mixnode = bench.mixnode_with(Some(Replays::new(ms(0))));
    let packets = [MIX_2, MIX_2].map(|port| bench.packet(Duration::ZERO, port));
    bench.take(ms(0), &packets);
    assert_eq!(bench.departures(ms(0)), []);
    assert!(bench.mixnode.wants_topology(ms(0)));
    assert!(!bench.mixnode.wants_topology(ms(0)), "once for both");
    assert_eq!(bench.mixnode.pool(), 2);
    bench.mixnode.set_network(ms(10), &network(&[MIX_2]));
    // How long they were held says nothing about the timer.
    assert_eq!(bench.departures(ms(10)), [(MIX_2, None); 2]);

    // Whoever comes soon after waits its turn, but does see a newer view than it met.
    let packet = bench.packet(Duration::ZERO, 77);
    bench.take(ms(20), &[packet]);
    assert_eq!(bench.departures(ms(20)), []);
    assert!(!bench.mixnode.wants_topology(ms(20)));
    let next = bench.mixnode.next_wake().expect("it is held");
    assert!(next < ms(1000), "{next}");
    assert_eq!(bench.departures(next), []);
    assert!(bench.mixnode.wants_topology(next));
    let deadline = ms(20) + UNKNOWN_HOP_HOLD;
    assert_eq!(bench.mixnode.next_wake(), Some(deadline));
    assert_eq!(bench.departures(deadline), []);
    assert_eq!(bench.dropped(DropReason::UnknownHop), 1);
    assert_eq!((bench.mixnode.pool(), bench.frames.used()), (0, 0));
}

#[test]
fn made_up_next_hops_leave_room_for_others() {
    let mut bench = Bench::new();
    let packets: Vec<_> = (0..2000).map(|_| bench.packet(Duration::ZERO, 77)).collect();
    bench.take(ms(0), &packets);
    assert_eq!(bench.departures(ms(0)), []);
    let held = bench.mixnode.pool() as u64;
    assert!(held < 2000, "{held}");
    assert_eq!(bench.dropped(DropReason::UnknownHop), 2000 - held);
    let good = bench.packet(Duration::ZERO, MIX_2);
    bench.take(ms(1), &[good]);
    assert_eq!(bench.departures(ms(1)), [(MIX_2, Some(ms(1)))]);
}

#[test]
fn a_full_pool_gives_up_whoever_would_stay_longest() {
    let mut bench = Bench::new();
    // What counts is the room that a packet takes, so the same one will do.
    bench.mixnode = bench.mixnode_with(None);
    let long = bench.packet(MAX_DELAY, MIX_2);
    bench.take(ms(0), &vec![long; MAX_POOL]);
    let short = bench.packet(Duration::from_millis(5), MIX_2);
    bench.take(ms(0), &[short]);
    assert_eq!(bench.mixnode.pool(), MAX_POOL);
    assert_eq!(bench.dropped(DropReason::PoolFull), 1);
    assert_eq!(bench.departures(ms(5)).len(), 1, "the short one was kept");
}

#[test]
fn a_next_hop_that_vanished_is_accepted_for_a_while() {
    let mut bench = Bench::new();
    bench.mixnode.set_network(ms(0), &network(&[]));
    let over = ms(0) + VANISHED_GRACE;
    let within = Time::from_nanos(over.as_nanos() - 1);
    for (now, expected) in [(within, 1), (over, 0)] {
        let packet = bench.packet(Duration::ZERO, MIX_2);
        bench.take(now, &[packet]);
        assert_eq!(bench.departures(now).len(), expected);
    }
}

#[test]
fn what_cannot_be_passed_on_is_counted_by_reason() {
    let mut bench = Bench::new();
    let good = bench.packet(Duration::ZERO, MIX_2);
    let mut tampered = good.clone();
    tampered[40] ^= 1;
    let endless = bench.packet(MAX_DELAY + Duration::from_nanos(1), MIX_2);
    let here = Hop { address: address(1), key: bench.key, delay: Duration::ZERO };
    let ends_here = bench.build(vec![here]);
    bench.take(ms(0), &[tampered, b"short".to_vec(), endless, ends_here]);
    for reason in [DropReason::Mac, DropReason::Malformed, DropReason::Delay, DropReason::FinalHop]
    {
        assert_eq!(bench.dropped(reason), 1, "{}", reason.word());
    }
    assert_eq!(bench.mixnode.counters().received, 4);
    assert_eq!((bench.mixnode.pool(), bench.frames.used()), (0, 0));
}
