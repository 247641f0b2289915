//! What a mixnode tells of packets where tracing is on, on virtual time.

mod common;

use std::time::Duration;

use common::{Bench, MIX_2, PROVIDER, SETTLED, address};
use contract::{Event, PacketTrace, Time};
use mixnode::{DropReason, MAX_DELAY, MAX_POOL, UNKNOWN_HOP_HOLD};
use runtime::{MAX_TRACES, Traces};
use sphinx::{Hop, print_of};

fn ms(ms: u64) -> Time {
    SETTLED + Duration::from_millis(ms)
}

fn dropped(traces: &Traces) -> Vec<PacketTrace> {
    match traces.take() {
        Some(Event::Packets { packets, lost: 0 }) => packets,
        None => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_packet_that_leaves_says_how_it_came_and_how_it_goes() {
    let traces = Traces::default();
    let mut bench = Bench::new().tracing(&traces);
    // More than are unwrapped at once.
    let packets: Vec<Vec<u8>> =
        (0..20).map(|n| bench.packet(Duration::from_millis(n), MIX_2)).collect();
    bench.take(ms(3), &packets);
    for (number, packet) in (0..).zip(&packets) {
        let left = ms(3 + number);
        let departure = bench.mixnode.next_departure(left, &mut bench.frames).expect("it is due");
        let onward = bench.frames.bytes(&departure.frame)[1..].to_vec();
        bench.frames.release(departure.frame);
        assert_eq!(Some(&onward), bench.onward(packet).as_ref());
        let passing = departure.passing.expect("tracing is on");
        let expected = PacketTrace::Passed {
            came: ms(3),
            left,
            asked_us: number * 1000,
            before: print_of(packet),
            after: print_of(&onward),
            to: address(MIX_2).to_string(),
            pool: u32::try_from(number).expect("small"),
        };
        assert_eq!(passing.left(left, departure.to.0), expected);
    }
    assert_eq!(dropped(&traces), [], "none was given up");
}

#[test]
fn without_tracing_nothing_is_kept_of_a_packet() {
    let mut bench = Bench::new();
    let mut packets = vec![bench.packet(Duration::ZERO, MIX_2), bench.packet(MAX_DELAY * 2, MIX_2)];
    packets.push(packets[0].clone());
    bench.take(ms(0), &packets);
    let departure = bench.mixnode.next_departure(ms(0), &mut bench.frames).expect("it is due");
    assert_eq!(departure.passing, None);
    bench.frames.release(departure.frame);
}

#[test]
fn what_is_given_up_is_told_with_its_reason() {
    let traces = Traces::default();
    let mut bench = Bench::new().tracing(&traces);
    let good = bench.packet(Duration::ZERO, MIX_2);
    let mut changed = bench.packet(Duration::ZERO, MIX_2);
    changed[100] ^= 1;
    let slow = bench.packet(MAX_DELAY + Duration::from_nanos(1), MIX_2);
    let last =
        bench.build(vec![Hop { address: address(1), key: bench.key, delay: Duration::ZERO }]);
    // Both are held for a while, for another view might know their next hops.
    let skips = bench.packet(Duration::ZERO, PROVIDER);
    let nowhere = bench.packet(Duration::ZERO, 77);
    let packets = [&good, &good, &changed, &slow, &last, &skips, &nowhere].map(Clone::clone);
    bench.take(ms(0), &packets);
    bench.take(ms(0), &[vec![7; 9]]);
    assert_eq!(bench.departures(ms(0)).len(), 1);
    let over = ms(0) + UNKNOWN_HOP_HOLD;
    bench.mixnode.set_network(ms(1), &common::network(&[MIX_2]));
    assert_eq!(bench.departures(over), []);
    let expected = [
        (&good[..], ms(0), DropReason::Replay),
        (&changed, ms(0), DropReason::Mac),
        (&slow, ms(0), DropReason::Delay),
        (&last, ms(0), DropReason::FinalHop),
        (&[7; 9], ms(0), DropReason::Malformed),
        (&skips, over, DropReason::Layer),
        (&nowhere, over, DropReason::UnknownHop),
    ];
    let expected = expected.map(|(packet, t, reason)| {
        assert_eq!(bench.dropped(reason), 1, "{reason:?}");
        PacketTrace::Dropped { t, before: print_of(packet), reason: reason.word().into() }
    });
    assert_eq!(dropped(&traces), expected);
}

#[test]
fn a_full_pool_tells_which_packet_it_gave_up() {
    let traces = Traces::default();
    let mut bench = Bench::new().tracing(&traces);
    let packets: Vec<Vec<u8>> = (0..=MAX_POOL as u64)
        .map(|n| bench.packet(Duration::from_millis(1000 + n), MIX_2))
        .collect();
    bench.take(ms(0), &packets);
    let gave_up = |packet: &[u8], t| PacketTrace::Dropped {
        t,
        before: print_of(packet),
        reason: "pool-full".into(),
    };
    assert_eq!(dropped(&traces), [gave_up(&packets[MAX_POOL], ms(0))], "the longest, if it is new");
    let short = bench.packet(Duration::ZERO, MIX_2);
    bench.take(ms(1), &[short]);
    assert_eq!(dropped(&traces), [gave_up(&packets[MAX_POOL - 1], ms(1))], "or if it was there");
}

#[test]
fn a_flood_is_counted_and_not_kept() {
    let traces = Traces::default();
    let mut bench = Bench::new().tracing(&traces);
    let packet = bench.packet(MAX_DELAY * 2, MIX_2);
    bench.take(ms(0), &vec![packet; MAX_TRACES + 5]);
    let Some(Event::Packets { packets, lost: 5 }) = traces.take() else { panic!("bounded") };
    assert_eq!(packets.len(), MAX_TRACES);
}
