//! Timelines of ways that are told wholly, in part, and not at all.

use super::*;

fn at(us: u64) -> Time {
    Time::from_nanos(1_000_000_000 + us * 1000)
}

fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

fn print(number: u8) -> Print {
    Print { header: [number; 8], first: [number; 16] }
}

fn plan(nodes: &[&str]) -> Vec<PlannedHop> {
    nodes.iter().map(|&node| PlannedHop { node: node.into(), asked_us: Some(5) }).collect()
}

fn sent() -> JourneyStep {
    JourneyStep::Sent {
        t: at(0),
        node: "alice".into(),
        packet: print(1),
        route: plan(&["mix-1-1", "mix-2-1", "mix-3-1", "provider-1"]),
        back: plan(&["mix-1-2", "mix-2-2", "mix-3-2", "provider-2"]),
    }
}

/// Came and left at those microseconds, with those looks.
fn passed(way: Way, node: &str, to: &str, times: (u64, u64), looks: (u8, u8)) -> JourneyStep {
    JourneyStep::Passed {
        way,
        node: node.into(),
        came: at(times.0),
        left: at(times.1),
        asked_us: times.1 - times.0 - 1,
        before: print(looks.0),
        after: print(looks.1),
        to: to.into(),
        pool: 3,
    }
}

fn kept(way: Way, node: &str, client: &str, times: (u64, u64), look: u8) -> JourneyStep {
    JourneyStep::Kept {
        way,
        node: node.into(),
        came: at(times.0),
        stored: at(times.1),
        before: print(look),
        client: client.into(),
    }
}

fn whole() -> Vec<JourneyStep> {
    let (t, b) = (Way::There, Way::Back);
    vec![
        sent(),
        passed(t, "mix-1-1", "mix-2-1", (100, 600), (1, 2)),
        passed(t, "mix-2-1", "mix-3-1", (700, 1200), (2, 3)),
        passed(t, "mix-3-1", "provider-1", (1300, 1800), (3, 4)),
        kept(t, "provider-1", "bob", (1900, 2900), 4),
        JourneyStep::AckSent {
            t: at(3000),
            node: "provider-1".into(),
            packet: print(5),
            to: "mix-1-2".into(),
        },
        JourneyStep::Opened { t: at(3300), node: "bob".into() },
        passed(b, "mix-1-2", "mix-2-2", (3100, 3600), (5, 6)),
        passed(b, "mix-2-2", "mix-3-2", (3700, 4200), (6, 7)),
        passed(b, "mix-3-2", "provider-2", (4300, 4800), (7, 8)),
        kept(b, "provider-2", "alice", (4900, 5000), 8),
        JourneyStep::Acknowledged { t: at(5200), node: "alice".into() },
    ]
}

fn timeline(steps: Vec<JourneyStep>) -> Timeline {
    let mut journey = Journey { message: "m".into(), fragment: 0, attempt: 1, steps: Vec::new() };
    // As they are told: in any order.
    for step in steps.into_iter().rev() {
        journey.add(step);
    }
    journey.timeline().expect("its sender told")
}

fn without(mut steps: Vec<JourneyStep>, nodes: &[&str]) -> Vec<JourneyStep> {
    steps.retain(|step| match step {
        JourneyStep::Passed { node, .. } | JourneyStep::Kept { node, .. } => {
            !nodes.contains(&node.as_str())
        }
        JourneyStep::AckSent { node, .. } => !nodes.contains(&node.as_str()),
        _ => true,
    });
    steps
}

fn untold(leg: &Leg) -> Vec<(&[String], Duration)> {
    let stretches = leg.stretches.iter();
    stretches
        .filter_map(|stretch| match &stretch.place {
            Place::Untold { nodes } => Some((nodes.as_slice(), stretch.took)),
            _ => None,
        })
        .collect()
}

#[track_caller]
fn has_no_gap(leg: &Leg) {
    let mut at = leg.begin;
    for stretch in &leg.stretches {
        assert_eq!(stretch.begin, at, "{stretch:?}");
        at = at + stretch.took;
    }
}

#[test]
fn a_way_that_is_told_wholly_adds_up() {
    let line = timeline(whole());
    assert!(line.is_complete());
    let there = &line.there;
    has_no_gap(there);
    assert_eq!(line.delay(), Some(us(3300)));
    assert_eq!((there.waited(), there.on_links()), (us(1500), us(400 + 400)));
    assert_eq!((there.asked(), there.untold()), (us(3 * 499), us(0)));
    let hops: Vec<_> = there.stays().map(|stay| (stay.hop, &*stay.from, &*stay.to)).collect();
    assert_eq!(
        hops,
        [(1, "alice", "mix-2-1"), (2, "mix-1-1", "mix-3-1"), (3, "mix-2-1", "provider-1")]
    );
    let back = line.back.expect("acknowledged");
    has_no_gap(&back);
    assert_eq!((back.begin, back.took()), (at(3000), us(2200)));
    let last = back.stretches.last().expect("some");
    assert_eq!(last.place, Place::Delivery { from: "provider-2".into(), to: "alice".into() });
}

#[test]
fn nodes_that_told_nothing_are_one_stretch_and_the_sum_stays() {
    // The print behind a silent node is not known, so what follows cannot be told either.
    let line = timeline(without(whole(), &["mix-2-1", "mix-3-1", "provider-1"]));
    assert_eq!(line.delay(), Some(us(3300)));
    let nodes = ["mix-2-1", "mix-3-1", "provider-1"].map(String::from);
    assert_eq!(untold(&line.there), [(&nodes[..], us(2700))]);
    assert!(!line.is_complete());
    has_no_gap(&line.there);
    let back = line.back.expect("told of");
    assert_eq!(untold(&back), [(&["provider-1".to_owned()][..], us(2500))]);
    assert_eq!(back.stays().next().expect("it told").from, "provider-1");
    has_no_gap(&back);

    let line = timeline(without(whole(), &["mix-2-2"]));
    let back = line.back.expect("told of");
    assert_eq!(untold(&back), [(&["mix-2-2".to_owned()][..], us(700))]);
    let third = back.stays().nth(1).expect("it told");
    assert_eq!((third.hop, third.from.as_str()), (3, "mix-2-2"));
    has_no_gap(&back);
}

#[test]
fn a_way_that_goes_on_says_where_to() {
    let mut steps = whole();
    steps.truncate(1);
    let line = timeline(steps.clone());
    assert_eq!((line.delay(), &line.back), (None, &None));
    let next = ["mix-1-1", "mix-2-1", "mix-3-1", "provider-1"].map(String::from).into();
    assert_eq!(line.there.end, LegEnd::Open { after: "alice".into(), next });
    steps.extend(whole().drain(1..5));
    let line = timeline(steps);
    let next = vec!["bob".into()];
    assert_eq!(line.there.end, LegEnd::Open { after: "provider-1".into(), next });
    assert_eq!(line.there.took(), us(2900));
}

#[test]
fn a_reply_knows_only_the_next_hop() {
    let mut steps = whole();
    let JourneyStep::Sent { route, back, .. } = &mut steps[0] else { panic!("sent first") };
    *route = vec![PlannedHop { node: "mix-1-1".into(), asked_us: None }];
    back.clear();
    steps.truncate(3);
    let line = timeline(steps);
    let next = vec!["mix-3-1".into()];
    assert_eq!(line.there.end, LegEnd::Open { after: "mix-2-1".into(), next });
    assert_eq!(line.there.stays().count(), 2);
    assert!(!line.asks_for_ack);
}

#[test]
fn a_dropped_packet_ends_where_it_was_dropped() {
    let mut steps = whole();
    steps.truncate(2);
    let (node, reason) = ("mix-2-1".to_owned(), "queue".to_owned());
    let dropped = JourneyStep::Dropped {
        way: Way::There,
        node: node.clone(),
        t: at(650),
        reason: reason.clone(),
    };
    steps.push(dropped);
    let line = timeline(steps);
    assert_eq!(line.there.end, LegEnd::Dropped { node, reason });
    assert_eq!(line.there.took(), us(650));

    // A link that is stuck: who sent it gives it up itself.
    let mut steps = whole();
    steps.truncate(6);
    let (node, reason) = ("provider-1".to_owned(), "queue".to_owned());
    let t = at(3000);
    steps.push(JourneyStep::Dropped { way: Way::Back, node, t, reason });
    let back = timeline(steps).back.expect("it was sent");
    assert_eq!((back.stretches.len(), back.took()), (0, us(0)));
    assert!(matches!(back.end, LegEnd::Dropped { .. }));
}

#[test]
fn who_looked_at_the_clock_too_late_is_corrected() {
    let mut steps = whole();
    // It was read 30 µs before its writer says that it had written it, twice.
    steps[2] = passed(Way::There, "mix-2-1", "mix-3-1", (570, 1200), (2, 3));
    let JourneyStep::Sent { t, .. } = &mut steps[0] else { panic!("sent first") };
    *t = at(130);
    let line = timeline(steps);
    has_no_gap(&line.there);
    assert_eq!(line.there.begin, at(100));
    assert_eq!(line.delay(), Some(us(3200)));
    assert_eq!(line.there.stretches[1].took, us(470));
    assert_eq!(line.there.stretches[2].took, us(0));
}

#[test]
fn an_attempt_that_was_counted_anew_is_the_last_one() {
    let mut steps = whole();
    steps.truncate(2);
    let JourneyStep::Sent { route, back, node, .. } = sent() else { panic!("sent") };
    let again = JourneyStep::Sent { t: at(9000), node, packet: print(9), route, back };
    steps.push(again);
    steps.push(passed(Way::There, "mix-1-1", "mix-2-1", (9100, 9600), (9, 10)));
    let line = timeline(steps);
    assert_eq!(line.there.begin, at(9000));
    assert_eq!(line.there.stays().count(), 1);
}
