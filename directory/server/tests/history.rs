//! The hour of history on virtual time, as its readers see it.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::Time;
use directory_api::{MetricsHistory, MixMetricReport, NodeHistory};
use directory_server::{Now, Registry};
use proptest::prelude::*;

/// When the tests begin by the wall clock: seconds since 1970, a multiple of a hundred.
const BEGINNING: i64 = 1_700_000_000;

const NANOS: i64 = 1_000_000_000;

/// A moment this long after the beginning, by both clocks.
fn at(millis: u64) -> Now {
    let time = Time::from_nanos(7_777_777_777) + Duration::from_millis(millis);
    let since = i64::try_from(millis).expect("a small number") * 1_000_000;
    Now { time, unix: BEGINNING * NANOS + since }
}

fn report(registry: &mut Registry, now: Now, key: &str, received: u64, sent: &[u64]) {
    let sent: BTreeMap<_, _> =
        sent.iter().enumerate().map(|(hop, sent)| (format!("127.0.0.1:{hop}"), *sent)).collect();
    let report = MixMetricReport { pub_key: key.into(), sent, received };
    registry.report_metrics(now, report).expect("accepted");
}

/// A registry to which `m` reports a packet every second, from the beginning to this moment.
fn reporting_for(seconds: u64) -> Registry {
    let mut registry = Registry::new(at(0).time);
    for second in 0..=seconds {
        report(&mut registry, at(second * 1000 + 500), "m", 1, &[]);
    }
    registry
}

fn sum(curve: &[Option<u64>]) -> u64 {
    curve.iter().flatten().sum()
}

#[test]
fn a_report_counts_in_the_step_in_which_it_came_and_a_gap_is_not_a_zero() {
    let mut registry = Registry::new(at(0).time);
    report(&mut registry, at(0), "m", 5, &[1, 2]);
    report(&mut registry, at(9_999), "m", 6, &[4]);
    report(&mut registry, at(10_000), "m", 7, &[]);
    report(&mut registry, at(30_000), "m", 0, &[0]);
    report(&mut registry, at(31_000), "k", 1, &[]);
    let history = registry.history(at(45_000), None, None).expect("a history");
    let node = |key: &str, received: [Option<u64>; 5], sent: [Option<u64>; 5]| NodeHistory {
        pub_key: key.into(),
        received: received.to_vec(),
        sent: sent.to_vec(),
    };
    let expected = MetricsHistory {
        since: BEGINNING * NANOS,
        step: 10,
        nodes: vec![
            node("k", [None, None, None, Some(1), None], [None, None, None, Some(0), None]),
            node(
                "m",
                [Some(11), Some(7), None, Some(0), None],
                [Some(7), Some(0), None, Some(0), None],
            ),
        ],
    };
    assert_eq!(history, expected);
}

#[test]
fn who_did_not_report_in_the_time_asked_for_is_left_out() {
    let mut registry = Registry::new(at(0).time);
    assert_eq!(registry.history(at(0), None, None).expect("a history").nodes, []);
    report(&mut registry, at(0), "early", 1, &[]);
    report(&mut registry, at(60_000), "late", 1, &[]);
    let since = Some(at(10_000).unix);
    let history = registry.history(at(61_000), since, None).expect("a history");
    let keys: Vec<_> = history.nodes.iter().map(|node| node.pub_key.as_str()).collect();
    assert_eq!(keys, ["late"]);
}

/// What is asked for, and where the answer begins and how many steps it has. Seconds after the
/// beginning.
#[test]
fn steps_begin_at_whole_multiples_of_their_length() {
    for (asked_at, since, step, begins, steps) in [
        // Everything, as long as nothing is forgotten.
        (0, None, None, 0, 1),
        (9, None, None, 0, 1),
        (10, None, None, 0, 2),
        (1234, None, None, 0, 124),
        (1234, Some(-5_000_000), None, 0, 124),
        // 1 700 000 000 is 6 seconds into a step of seven, which is whole all the same.
        (1234, None, Some(7), -6, 178),
        // The present second is the last of the hour.
        (3599, None, None, 0, 360),
        // The oldest step is not whole any more.
        (3600, None, None, 10, 360),
        (3609, None, None, 10, 360),
        (3610, None, None, 20, 360),
        (7234, Some(0), None, 3640, 360),
        // Steps of six seconds are the shortest for a whole hour.
        (7234, None, Some(6), 3640, 600),
        (7234, Some(7000), Some(1), 7000, 235),
        (7234, Some(7006), None, 7000, 24),
        (7234, Some(7234), None, 7230, 1),
        // 1 700 000 000 is 800 seconds into an hour.
        (7234, None, Some(3600), 6400, 1),
    ] {
        let registry = reporting_for(asked_at);
        let now = at(asked_at * 1000 + 600);
        let unix = |second: i64| (BEGINNING + second) * NANOS;
        let case = format!("at {asked_at} since {since:?} in steps of {step:?}");
        let history = registry.history(now, since.map(unix), step).expect(&case);
        assert_eq!(history.since, unix(begins), "{case}");
        let [node] = history.nodes.as_slice() else { panic!("{case}") };
        assert_eq!(node.received.len(), steps, "{case}");
        // A packet every second: a step that is whole has as many as it has seconds.
        let step = step.unwrap_or(10);
        for packets in &node.received[usize::from(begins < 0)..steps - 1] {
            assert_eq!(*packets, Some(step), "{case}");
        }
    }
}

#[test]
fn who_asks_again_gets_the_same_steps() {
    let registry = reporting_for(5000);
    let read = |millis| registry.history(at(millis), None, Some(60)).expect("a history");
    let (first, again) = (read(5_000_700), read(5_019_999));
    assert_eq!(first, again);
    // And a minute on, the same without the oldest.
    let next = read(5_020_000);
    assert_eq!(next.since, first.since + 60 * NANOS);
    assert_eq!(next.nodes[0].received[..59], first.nodes[0].received[1..]);
}

#[test]
fn what_cannot_be_answered_is_refused_with_what_could() {
    let registry = reporting_for(4000);
    let now = at(4_000_600);
    for (since, step, expected) in [
        (None, Some(0), "a `step` of 0 s is not possible: take one of 1 to 3600 s"),
        (None, Some(3601), "a `step` of 3601 s is not possible: take one of 1 to 3600 s"),
        (
            None,
            Some(u64::MAX),
            "a `step` of 18446744073709551615 s is not possible: take one of 1 to 3600 s",
        ),
        (
            None,
            Some(1),
            "a `step` of 1 s makes 3600 steps, and at most 600 are given: take a `step` of at least 6 \
             s, or a later `since`",
        ),
        (
            Some(now.unix - 1300 * NANOS),
            Some(2),
            "a `step` of 2 s makes 651 steps, and at most 600 are given: take a `step` of at least 3 \
             s, or a later `since`",
        ),
        (
            Some(now.unix + 1_500_000_000),
            None,
            "`since` is 1.5 s in the future: it counts nanoseconds since 1970, and the directory's \
             clock shows 1700004000600000000",
        ),
    ] {
        let refused = registry.history(now, since, step).expect_err(expected);
        assert_eq!(refused.to_string(), expected);
        if let Some(least) = expected.split("at least ").nth(1) {
            let least = least[..1].parse().expect("a digit");
            registry.history(now, since, Some(least)).expect("what is proposed is possible");
            registry.history(now, since, Some(least - 1)).expect_err("it is the least");
        }
    }
}

#[test]
fn a_wall_clock_that_is_set_moves_the_labels_and_nothing_else() {
    for (set_by, moved_by) in [
        (0, 0),
        // The wall clock of a machine is corrected all the time.
        (900_000_000, 0),
        (-900_000_000, 0),
        (1_200_000_000, 1),
        (86_400 * NANOS, 86_400),
        (-3600 * NANOS, -3600),
        (-1_700_000_000 * NANOS, -1_700_000_000),
    ] {
        let mut registry = reporting_for(99);
        let set = |now: Now| Now { unix: now.unix + set_by, ..now };
        for second in 100..200 {
            report(&mut registry, set(at(second * 1000 + 500)), "m", 1, &[]);
        }
        let history = registry.history(set(at(199_600)), None, Some(1)).expect("a history");
        assert_eq!(history.since, (BEGINNING + moved_by) * NANOS, "{set_by}");
        assert_eq!(history.nodes[0].received, [Some(1); 200], "{set_by}");
    }
}

/// What may happen to a directory.
#[derive(Clone, Debug)]
enum Happening {
    /// Time passes: milliseconds.
    Pass(u64),
    /// Somebody sets the wall clock: nanoseconds.
    Set(i64),
    /// One of three mixnodes reports packets taken and passed on.
    Report(u8, u64, Vec<u64>),
}

fn happening() -> impl Strategy<Value = Happening> {
    let sent = prop::collection::vec(0..100_000_000_u64, 0..3);
    prop_oneof![
        // All of them together are less than the hour that is kept.
        (0..35_000_u64).prop_map(Happening::Pass),
        prop_oneof![-2 * NANOS..2 * NANOS, any::<i64>()].prop_map(Happening::Set),
        (0..3_u8, 0..100_000_000_u64, sent)
            .prop_map(|(node, received, sent)| Happening::Report(node, received, sent)),
    ]
}

proptest! {
    #[test]
    fn a_read_of_everything_adds_up_to_what_was_reported(
        story in prop::collection::vec(happening(), 1..100),
        step in 7..=3600_u64,
    ) {
        let mut registry = Registry::new(at(0).time);
        let mut now = at(0);
        let mut reported: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for happening in story {
            match happening {
                Happening::Pass(millis) => {
                    now.time = now.time + Duration::from_millis(millis);
                    let nanos = i64::try_from(millis).expect("a small number") * 1_000_000;
                    now.unix = now.unix.saturating_add(nanos);
                }
                Happening::Set(nanos) => now.unix = now.unix.saturating_add(nanos),
                Happening::Report(node, received, sent) => {
                    report(&mut registry, now, &node.to_string(), received, &sent);
                    let sums = reported.entry(node.to_string()).or_default();
                    sums.0 += received;
                    sums.1 += sent.iter().sum::<u64>();
                }
            }
        }
        let history = registry.history(now, None, Some(step)).expect("a history");
        let read: BTreeMap<_, _> = history
            .nodes
            .iter()
            .map(|node| (node.pub_key.clone(), (sum(&node.received), sum(&node.sent))))
            .collect();
        prop_assert_eq!(read, reported);
        let length = history.nodes.first().map_or(0, |node| node.received.len());
        for node in &history.nodes {
            prop_assert_eq!(node.received.len(), length);
            prop_assert_eq!(node.sent.len(), length);
            let both = node.received.iter().zip(&node.sent);
            prop_assert!(both.into_iter().all(|(one, other)| one.is_some() == other.is_some()));
        }
        let ends = i128::from(history.since) + i128::from(step) * length as i128 * i128::from(NANOS);
        let since = i128::from(history.since);
        // At the ends of the calendar there is no whole second left to begin with.
        if since.abs() < i128::from(i64::MAX) - 3600 * i128::from(NANOS) && length > 0 {
            prop_assert_eq!(since.rem_euclid(i128::from(step) * i128::from(NANOS)), 0);
            prop_assert!(ends > i128::from(now.unix) - i128::from(NANOS));
        }
    }
}
