//! What the counters of processes come to.

use contract::{TrafficCounters, Transits};

use super::*;
use crate::fixture;

const START: u64 = 1_000_000;

fn at(seconds: u64) -> Moment {
    let t = Time::from_nanos(seconds * 1_000_000_000);
    Moment { t, unix_ms: (START + seconds) * 1000 }
}

/// A report of a process that has sent so much.
fn report(seconds: u64, real: u64, cover: u64) -> NodeMetrics {
    let traffic = TrafficCounters { real, cover, ..TrafficCounters::default() };
    let mut transits = Transits::default();
    (0..cover).for_each(|_| transits.add(Duration::from_millis(500)));
    NodeMetrics {
        t: at(seconds).t,
        received: cover,
        sent: real + cover,
        traffic: Some(traffic),
        transits: Some(transits),
        dropped: [("queue".to_owned(), real)].into(),
        ..NodeMetrics::default()
    }
}

fn heard(reports: &[(u64, u64, u64)]) -> Traffic {
    let mut traffic = Traffic::default();
    let mut before: Option<NodeMetrics> = None;
    for &(seconds, real, cover) in reports {
        let new = report(seconds, real, cover);
        traffic.count(("alice", Role::Client), at(seconds), before.as_ref(), &new);
        before = Some(new);
    }
    traffic
}

#[test]
fn counters_count_from_the_first_report_on() {
    let traffic = heard(&[(1, 100, 1000), (2, 101, 1003), (3, 103, 1007)]);
    let now = at(3);
    let share = Share { real: 3, cover: 7, ..Share::default() };
    assert_eq!(traffic.shares(Window::Minute, now), share);
    assert_eq!(traffic.counted_for(Window::Minute, now), Some(2));
    let curve = traffic.rates.curve(["alice"], Flow::Out, Window::Minute, second(now));
    assert_eq!(curve[57..], [None, Some(4.0), Some(5.0)]);
    let lost = traffic.losses.window(Window::Minute, second(now));
    assert_eq!(lost.iter().map(|lost| lost.count).collect::<Vec<_>>(), [3]);
}

#[test]
fn what_was_counted_while_nobody_listened_is_no_heap() {
    let traffic = heard(&[(1, 0, 0), (2, 1, 1), (62, 900, 900), (63, 901, 902)]);
    let share = traffic.shares(Window::FiveMinutes, at(63));
    assert_eq!((share.real, share.cover), (2, 3));
}

#[test]
fn a_report_that_was_held_up_belongs_to_the_moment_at_which_it_was_made() {
    let mut traffic = Traffic::default();
    let (first, second_report) = (report(1, 0, 0), report(2, 0, 9));
    traffic.count(("alice", Role::Client), at(1), None, &first);
    traffic.count(("alice", Role::Client), at(6), Some(&first), &second_report);
    let curve = traffic.rates.curve(["alice"], Flow::Out, Window::Minute, second(at(2)));
    assert_eq!(curve[59], Some(9.0));
}

#[test]
fn providers_send_acknowledgements_and_mixnodes_nothing_of_their_own() {
    let mut traffic = Traffic::default();
    for (node, role) in [("p", Role::Provider), ("m", Role::Mixnode)] {
        let counted =
            |seconds, sent| NodeMetrics { t: at(seconds).t, sent, ..NodeMetrics::default() };
        let (first, next) = (counted(1, 40), counted(2, 49));
        traffic.count((node, role), at(1), None, &first);
        traffic.count((node, role), at(2), Some(&first), &next);
    }
    let share = traffic.shares(Window::Minute, at(2));
    assert_eq!(share, Share { acks: 9, ..Share::default() });
    // The rates of mixnodes are those of the directory.
    let curve = |node| traffic.rates.curve([node], Flow::Out, Window::Minute, second(at(2)));
    assert_eq!((curve("p")[59], curve("m")[59]), (Some(9.0), None));
}

#[test]
fn other_delays_begin_measuring_and_pools_anew() {
    let fixture = fixture::Fixture::two_by_three();
    let info = fixture.snapshot(Duration::ZERO).devnet;
    let mut traffic = heard(&[(1, 0, 0), (2, 0, 90)]);
    traffic.asked(&info, at(2));
    assert_eq!(traffic.delays.changed(), None);
    let slower = DevnetInfo { slot_ms: 900.0, ..info.clone() };
    traffic.asked(&slower, at(3));
    assert_eq!(traffic.delays.changed(), None, "waiting for a slot is no part of the delay");
    traffic.asked(&DevnetInfo { hop_delay_ms: 50.0, ..info }, at(10));
    let since = second(at(13));
    assert_eq!(
        (traffic.delays.changed(), traffic.pools.since(second(at(11)))),
        (Some(since), since)
    );
}
