//! What becomes of a client's traffic when its rates are changed, and when it is pinged, on virtual
//! time.

mod samples;
mod simulation;

use std::time::Duration;

use client::{MAX_PINGS, PingError};
use contract::{Rates, Time, TrafficCounters};
use samples::{KS_CRITICAL, ks_exponential};
use simulation::{Simulation, Told, What};

const ALICE: usize = 0;
const BOB: usize = 1;

const CLASSIC: Rates = rates(200, 500, 1000);

const fn rates(hop_delay_ms: u64, slot_ms: u64, loop_cover_ms: u64) -> Rates {
    Rates {
        hop_delay: Duration::from_millis(hop_delay_ms),
        slot: Duration::from_millis(slot_ms),
        loop_cover: Duration::from_millis(loop_cover_ms),
        slot_cover: true,
    }
}

fn at(ms: u64) -> Time {
    Time::default() + Duration::from_millis(ms)
}

/// Seconds between the moments at which a client sent in slots, and of its loops, the first from now on.
fn intervals(simulation: &mut Simulation, until: Time) -> [Vec<f64>; 2] {
    let counts = |simulation: &Simulation| {
        let counters = simulation.client(ALICE).counters();
        [slots(&counters), counters.loops]
    };
    let mut intervals = [Vec::new(), Vec::new()];
    let (mut last, mut before) = ([simulation.now(); 2], counts(simulation));
    while let Some(wake) = simulation.client(ALICE).next_wake().filter(|wake| *wake <= until) {
        simulation.run_until(wake);
        let now = counts(simulation);
        for stream in 0..2 {
            for _ in before[stream]..now[stream] {
                intervals[stream].push(wake.saturating_since(last[stream]).as_secs_f64());
                last[stream] = wake;
            }
        }
        before = now;
    }
    simulation.run_until(until);
    intervals
}

fn slots(counters: &TrafficCounters) -> u64 {
    counters.real + counters.retransmitted + counters.cover
}

#[test]
fn from_a_change_on_both_streams_have_their_new_means() {
    let fast = rates(50, 100, 200);
    for (seed, before, after, until) in [(1, CLASSIC, fast, 50_000), (2, fast, CLASSIC, 160_000)] {
        let mut simulation = Simulation::new(seed, 1, 3, 1, before);
        simulation.run_until(at(10_000));
        simulation.set_rates(ALICE, after);
        // The first of the intervals began before, and is no exception: that is what "no memory" means.
        let [slots, loops] = intervals(&mut simulation, at(until));
        for (intervals, mean) in [(slots, after.slot), (loops, after.loop_cover)] {
            let distance = ks_exponential(&intervals, mean.as_secs_f64());
            assert!(distance < KS_CRITICAL, "{} of {mean:?}: {distance}", intervals.len());
        }
    }
}

/// A stream that is as good as off has its next event in hours. Nobody waits for that.
#[test]
fn a_stream_that_slept_wakes_at_once_and_one_that_falls_asleep_sends_no_more() {
    let asleep = rates(50, 3_600_000, 3_600_000);
    let mut simulation = Simulation::new(3, 1, 3, 1, asleep);
    simulation.run_until(at(10_000));
    let sent = |simulation: &Simulation| {
        let counters = simulation.client(ALICE).counters();
        slots(&counters) + counters.loops
    };
    assert_eq!(sent(&simulation), 0);
    simulation.set_rates(ALICE, rates(50, 100, 100));
    simulation.run_until(at(12_000));
    let awake = sent(&simulation);
    // 40 are expected; five standard deviations either way.
    assert!((9..=71).contains(&awake), "{awake}");
    simulation.set_rates(ALICE, asleep);
    simulation.run_until(at(20_000));
    assert_eq!(sent(&simulation), awake);
}

/// Slots without a message stay empty then, and the first message shows that there is one.
#[test]
fn without_cover_in_slots_a_client_sends_more_when_it_has_something_to_say() {
    let bare = Rates { slot_cover: false, ..rates(50, 100, 1000) };
    let mut simulation = Simulation::new(4, 1, 3, 2, bare);
    simulation.run_until(at(20_000));
    let counters = simulation.client(ALICE).counters();
    assert_eq!(slots(&counters), 0);
    assert!(counters.loops > 0, "{counters:?}");
    simulation.send(ALICE, BOB, b"hello");
    simulation.run_until(at(22_000));
    let counters = simulation.client(ALICE).counters();
    assert_eq!((counters.real, counters.cover), (1, 0), "{counters:?}");
    simulation.set_rates(ALICE, Rates { slot_cover: true, ..bare });
    simulation.run_until(at(24_000));
    // 20 are expected; five standard deviations either way.
    let cover = simulation.client(ALICE).counters().cover;
    assert!((1..=43).contains(&cover), "{cover}");
}

/// Whoever changes rates again and again, by next to nothing, leaves no trace: an interval that is
/// drawn anew in its middle is as long as one that is not.
#[test]
fn many_changes_do_not_show_in_the_times() {
    let one = rates(10, 20, 1000);
    let other = Rates { slot: one.slot + Duration::from_nanos(1), ..one };
    let mut simulation = Simulation::new(4, 1, 3, 1, one);
    simulation.run_until(at(1000));
    let mut all = Vec::new();
    let mut rest = 0.0;
    for step in 0..4000_u64 {
        simulation.set_rates(ALICE, if step % 2 == 0 { other } else { one });
        let from = 1000 + step * 5;
        let [mut some, _] = intervals(&mut simulation, at(from + 5));
        let within: f64 = some.iter().sum();
        if let Some(first) = some.first_mut() {
            *first += rest;
            rest = 0.0;
        }
        rest += 0.005 - within;
        all.extend(some);
    }
    let distance = ks_exponential(&all, one.slot.as_secs_f64());
    assert!(distance < KS_CRITICAL, "{} intervals: {distance}", all.len());
}

#[test]
fn what_is_underway_during_a_change_arrives_and_is_not_sent_again() {
    // A route of these delays takes longer than the new ones would be waited for.
    let mut simulation = Simulation::new(5, 2, 3, 2, rates(2000, 50, 1000));
    simulation.run_until(at(5000));
    let messages: Vec<_> = (0..20_u8).map(|n| simulation.send(ALICE, BOB, &[n])).collect();
    simulation.run_until(at(7500));
    assert_eq!(simulation.client(ALICE).counters().queued, 0, "all of them are underway");
    simulation.set_rates(ALICE, rates(10, 500, 1000));
    simulation.set_rates(BOB, CLASSIC);
    simulation.run_until(at(60_000));
    let counters = simulation.client(ALICE).counters();
    assert_eq!((counters.retransmitted, counters.unacknowledged), (0, 0), "{counters:?}");
    for message in messages {
        let received = |what: &What| matches!(what, What::Client { client: BOB, output: Told::Received(id, _) } if *id == message);
        assert_eq!(simulation.records.iter().filter(|record| received(&record.what)).count(), 1);
    }
}

fn told(simulation: &Simulation) -> Vec<Told> {
    let told = simulation.records.iter().filter_map(|record| match &record.what {
        What::Client { client: ALICE, output } => Some(output.clone()),
        _ => None,
    });
    told.filter(|told| matches!(told, Told::Pong { .. } | Told::PingLost(..))).collect()
}

#[test]
fn a_ping_leaves_in_a_slot_and_tells_how_long_it_took() {
    let mut simulation = Simulation::new(6, 1, 3, 1, CLASSIC);
    assert!(matches!(simulation.ping(ALICE), Err(PingError::NoWay(_))), "nothing is there yet");
    simulation.run_until(at(10_000));
    let before = simulation.client(ALICE).counters();
    let pings: Vec<_> =
        (0..MAX_PINGS).map(|_| simulation.ping(ALICE).expect("there is a way")).collect();
    assert_eq!(simulation.ping(ALICE), Err(PingError::TooMany));
    simulation.run_until(at(60_000));
    let told = told(&simulation);
    assert_eq!(told.len(), pings.len());
    let mut last_queued = Duration::ZERO;
    for asked_for in &pings {
        let pong = told.iter().find_map(|told| match told {
            Told::Pong { ping, queued, travelled, asked, hops } if ping == asked_for => {
                Some((*queued, *travelled, *asked, *hops))
            }
            _ => None,
        });
        let (queued, travelled, asked, hops) = pong.expect("it came back");
        assert!(queued > last_queued, "one after the other, in slots");
        last_queued = queued;
        // Four links of 100 µs, and delays are kept to the nanosecond.
        assert_eq!(travelled, asked + Duration::from_micros(400));
        assert_eq!(hops, 4);
    }
    // They are cover like any other: 100 slots are expected, five standard deviations either way.
    let counters = simulation.client(ALICE).counters();
    let slots = slots(&counters) - slots(&before);
    assert!((50..=150).contains(&slots), "{counters:?}");
    simulation.ping(ALICE).expect("there is room again");
}

#[test]
fn a_ping_that_is_lost_is_told_so_after_one_and_a_half_times_its_delay_and_a_margin() {
    let mut simulation = Simulation::new(7, 1, 3, 1, CLASSIC);
    simulation.run_until(at(5000));
    simulation.break_mixnode_of(2);
    let ping = simulation.ping(ALICE).expect("nobody knows yet that it is broken");
    simulation.run_until(at(60_000));
    let told = told(&simulation);
    let [Told::PingLost(lost, reason)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*lost, ping);
    let numbers: Vec<u64> = reason.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [patience, asked] = numbers[..] else { panic!("{reason}") };
    // Each is cut to whole milliseconds.
    assert!(patience.abs_diff(asked * 3 / 2 + 1500) <= 2, "{reason}");
}
