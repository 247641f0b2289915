//! Truth about cover: of everybody alike, in whatever order it is told, and never too much.

use std::collections::BTreeMap;

use contract::{AckTrace, PacketTrace, Print};
use proptest::prelude::*;

use super::super::{Batch, Journeys};
use super::*;
use crate::names::Names;

const LAYERS: u8 = 3;

fn at(ms: u64) -> Time {
    Time::from_nanos(1_000_000_000 + ms * 1_000_000)
}

/// How a packet looks on its n-th link. The hash of a header begins with anything, so this mixes well
/// (the last steps of `SplitMix64`).
fn print(number: u64, link: u8) -> Print {
    let mut look = (number * 16 + u64::from(link)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    look = (look ^ (look >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    look = (look ^ (look >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Print { header: (look ^ (look >> 31)).to_be_bytes(), first: [0; 16] }
}

/// What a node tells, and which.
type Tell = (String, PacketTrace);

/// A packet of cover and its acknowledgement. They are two packets, of which the second has an odd
/// number.
fn cover(number: u64, from: Option<u32>, start: u64) -> Vec<Tell> {
    let node = if from.is_some() { "crowd" } else { "alice" };
    let packet = print(2 * number, 0);
    let mut tells = vec![(node.to_owned(), PacketTrace::Covered { t: at(start), packet, from })];
    tells.extend(passes(2 * number, start));
    let packet = print(2 * number + 1, 0);
    let ack = Some(AckTrace { t: at(start + 81), packet, to: "127.0.0.1:1".into() });
    tells.push(kept(2 * number, start, ack));
    tells.extend(passes(2 * number + 1, start + 85));
    tells.push(kept(2 * number + 1, start + 85, None));
    tells
}

fn passes(number: u64, start: u64) -> Vec<Tell> {
    let pass = |layer: u8| {
        let came = start + u64::from(layer) * 20;
        let passed = PacketTrace::Passed {
            came: at(came),
            left: at(came + 10),
            asked_us: 10_000,
            before: print(number, layer - 1),
            after: print(number, layer),
            to: "127.0.0.1:1".into(),
            pool: 5,
        };
        (format!("mix-{layer}-1"), passed)
    };
    (1..=LAYERS).map(pass).collect()
}

fn kept(number: u64, start: u64, ack: Option<AckTrace>) -> Tell {
    let (came, stored) = (at(start + 80), at(start + 81));
    let before = print(number, LAYERS);
    let client = "key".to_owned();
    ("provider-1".into(), PacketTrace::Kept { came, stored, before, client, ack, noise: None })
}

fn origin(left: u64, origin: &str, carried: Carried) -> Origin {
    Origin {
        left: at(left),
        mix: "mix-3-1".into(),
        provider: "provider-1".into(),
        origin: origin.into(),
        carried,
    }
}

fn tell(journeys: &mut Journeys, now: Time, (node, packet): Tell) -> Vec<Origin> {
    let records = Batch::new(vec![packet], 0).packets;
    let news = journeys.hear_packets(now, &node, records, &Names::default());
    assert_eq!(news.steps, [], "it belongs to no message");
    news.origins
}

fn tell_all(tells: Vec<Tell>) -> (Journeys, Vec<Origin>) {
    let mut journeys = Journeys::default();
    let origins = tells.into_iter().flat_map(|told| tell(&mut journeys, at(0), told)).collect();
    (journeys, origins)
}

#[test]
fn of_cover_and_its_acknowledgement_it_is_told_who_sent_them() {
    for (from, name) in [(None, "alice"), (Some(3), "crowd-3")] {
        let (journeys, origins) = tell_all(cover(1, from, 0));
        let ack = origin(155, "provider-1", Carried::Ack);
        assert_eq!(origins, [origin(70, name, Carried::Cover), ack]);
        assert_eq!(journeys.origins.followed.len(), 0, "nothing more is awaited");
    }
}

proptest! {
    #[test]
    fn in_whatever_order_it_is_told(
        tells in Just([cover(1, None, 0), cover(2, Some(2), 200)].concat()).prop_shuffle()
    ) {
        let (journeys, mut origins) = tell_all(tells);
        origins.sort_by_key(|origin| origin.left);
        prop_assert_eq!(origins, [
            origin(70, "alice", Carried::Cover),
            origin(155, "provider-1", Carried::Ack),
            origin(270, "crowd-2", Carried::Cover),
            origin(355, "provider-1", Carried::Ack),
        ]);
        prop_assert_eq!(journeys.origins.followed.len(), 0);
    }
}

#[test]
fn nobody_is_in_the_sample_more_often_than_others() {
    const SECONDS: u64 = 30;
    const IDENTITIES: u64 = 10;
    let mut journeys = Journeys::default();
    let mut of: BTreeMap<String, u64> = BTreeMap::new();
    let mut told_in: BTreeMap<u64, u64> = BTreeMap::new();
    for number in 0..1000 * SECONDS {
        let from = u32::try_from(number % IDENTITIES + 1).expect("few");
        for told in cover(number, Some(from), number) {
            for origin in tell(&mut journeys, at(number), told) {
                *of.entry(origin.origin).or_default() += 1;
                *told_in.entry(number / 1000).or_default() += 1;
            }
        }
    }
    // In the first second it is not known yet how many there are.
    let later: Vec<u64> = told_in.into_values().skip(2).collect();
    let mean = later.iter().sum::<u64>() / later.len() as u64;
    assert!((WANTED_A_SECOND / 2..=WANTED_A_SECOND).contains(&mean), "{later:?}");
    // One of two packets is an acknowledgement. All within five standard deviations.
    let all: u64 = of.values().sum();
    let acks = of.remove("provider-1").expect("some");
    let is_close = |count: u64, expected: u64| count.abs_diff(expected).pow(2) < 25 * expected;
    assert!(is_close(acks, all / 2), "{acks} of {all}");
    assert_eq!(of.len() as u64, IDENTITIES);
    for (name, count) in &of {
        let expected = (all - acks) / IDENTITIES;
        assert!(is_close(*count, expected), "{name}: {count}, not {expected}");
    }
}

#[test]
fn what_comes_together_is_not_told_together() {
    let mut journeys = Journeys::default();
    for number in 0..2000 {
        for told in cover(number, None, number).into_iter().take(4) {
            assert_eq!(tell(&mut journeys, at(number * 100), told), []);
        }
    }
    // A provider that was stopped tells of packets of many seconds at once.
    let all =
        (0..2000).flat_map(|number| tell(&mut journeys, at(200_000), kept(2 * number, 0, None)));
    assert_eq!(all.count() as u64, MAX_A_SECOND);
}

#[test]
fn what_never_arrives_is_forgotten() {
    let mut journeys = Journeys::default();
    let first_of = |number: u64| cover(number, None, 0).swap_remove(0);
    let mut now = 0;
    for number in 0..8 * MAX_FOLLOWED as u64 {
        // Twenty a second: all of them are in the sample.
        now = number * 50;
        tell(&mut journeys, at(now), first_of(number));
        assert!(journeys.origins.followed.len() <= MAX_FOLLOWED);
    }
    let began = journeys.origins.followed.values().map(|followed| followed.began);
    let oldest = began.min().expect("the latest are followed");
    assert!(at(now).saturating_since(oldest) < Duration::from_secs(480), "{oldest:?}");
    assert!(journeys.origins.followed.len() > 100);
}

#[test]
fn who_is_given_up_or_goes_in_circles_is_not_told() {
    let mut dropped = cover(1, None, 0);
    let reason = "mac".to_owned();
    let given_up = PacketTrace::Dropped { t: at(30), before: print(2, 1), reason };
    dropped[2] = ("mix-2-1".into(), given_up);
    let (journeys, origins) = tell_all(dropped);
    assert_eq!(origins, [origin(155, "provider-1", Carried::Ack)]);
    assert_eq!(journeys.origins.followed.len(), 0);

    let mut circle = cover(1, None, 0);
    let PacketTrace::Passed { before, after, .. } = &mut circle[1].1 else { panic!("passed") };
    *after = *before;
    circle.swap(0, 1);
    circle.truncate(2);
    let (journeys, origins) = tell_all(circle);
    assert_eq!((origins.len(), journeys.origins.followed.len()), (0, 0));
}
