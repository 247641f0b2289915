//! What becomes of packets and messages, machines and clocks.

use super::*;

#[test]
fn a_message_that_failed_is_told_for_a_while() {
    let mut told = Told::calm();
    let mut message = fixture::failed(fixture::message("alice", "bob", "hello"));
    message.accepted_unix_ms = fixture::unix_ms(Duration::from_secs(told.second));
    assert_eq!(message.state, MessageState::Failed);
    told.hear(StreamEvent::Message(message));
    told.pass(1);
    told.says(Lint::Undelivered, &["no acknowledgement"]);
    told.pass(301);
    told.is_over(Lint::Undelivered);
}

#[test]
fn drops_that_rise_are_told_with_their_reasons() {
    let mut told = Told::calm();
    let mut lost = 0;
    told.pass_with(10, |event| {
        if let Some(metrics) = metrics_of(event, |name| name == "mix-2-1") {
            lost += 10;
            metrics.dropped = BTreeMap::from([("queue".into(), lost), ("replay".into(), 2)]);
        }
    });
    assert_eq!(told.found(), [(Lint::Drops, "mix-2-1")]);
    told.says(Lint::Drops, &["100 packets dropped", "% of what it took", "100 as queue"]);
    assert_eq!(told.the(Lint::Drops).finding.severity, Severity::Bad);
    assert!(told.the(Lint::Drops).finding.advice.contains("next hop"));
    // They stay what they are: a minute later they are old.
    told.pass_with(70, |event| {
        if let Some(metrics) = metrics_of(event, |name| name == "mix-2-1") {
            metrics.dropped = BTreeMap::from([("queue".into(), 100), ("replay".into(), 2)]);
        }
    });
    told.is_over(Lint::Drops);
}

#[test]
fn packets_that_nobody_misses_are_a_note() {
    let mut told = Told::calm();
    let mut late = 0;
    told.pass_with(10, |event| {
        if let Some(metrics) = metrics_of(event, |name| name == "bob") {
            late += 3;
            metrics.dropped = BTreeMap::from([("unknown-ack".into(), late), ("mac".into(), 2)]);
        }
    });
    assert_eq!(told.the(Lint::Drops).finding.severity, Severity::Note);
    assert!(told.the(Lint::Drops).finding.advice.contains("held them up"));
    assert_eq!(told.devnet.problems.count(), 0);
}

#[test]
fn a_node_that_takes_less_than_is_sent_to_it_is_lossy() {
    let mut told = Told::calm();
    told.pass_with(45, |event| {
        if let StreamEvent::Directory { update: directory_api::Update::Metric(metric), .. } = event
            && metric.received > 0
        {
            // All the others take what is sent to them.
            let is_it = metric.pub_key == fixture::key("mix-2-1");
            metric.received = if is_it { 13 } else { 80 };
        }
    });
    assert_eq!(told.found(), [(Lint::Lossy, "mix-2-1")]);
    told.says(Lint::Lossy, &["in 30 s", "% were lost"]);
}

/// Its neighbours have counted what it sent before as well; that belongs to no time in which they took.
#[test]
fn a_node_that_was_away_for_a_while_makes_nobody_lossy() {
    let mut told = Told::calm();
    told.pass(30);
    let hop = |name| told.fixture.status(name).addresses[&contract::Endpoint::Mix].to_string();
    let all = BTreeMap::from([(hop("mix-2-1"), 42), (hop("mix-2-2"), 24)]);
    told.fixture.silent = vec!["mix-1-1"];
    told.pass_with(8, |event| {
        // While it is away the other one of its layer gets what it got, and the next layer no less.
        if let StreamEvent::Directory { update: directory_api::Update::Metric(metric), .. } = event
            && metric.pub_key == fixture::key("mix-1-2")
        {
            metric.sent = all.clone();
        }
    });
    told.fixture.silent = vec![];
    for _ in 0..40 {
        told.pass(1);
        let is_lossy = told.found().iter().any(|(lint, _)| *lint == Lint::Lossy);
        assert!(!is_lossy, "{:#?}", told.devnet.problems.open());
    }
}

/// It has reported for a second, not for five.
#[test]
fn a_node_that_has_just_come_up_and_took_nothing_yet_is_not_silent() {
    let mut told = Told::calm();
    told.becomes("mix-2-2", |status| status.pid = Some(9999));
    let nothing = |event: &mut StreamEvent| {
        if let StreamEvent::Directory { update: directory_api::Update::Metric(metric), .. } = event
            && metric.pub_key == fixture::key("mix-2-2")
        {
            metric.received = 0;
        }
    };
    told.pass_with(3, nothing);
    assert_eq!(told.found(), []);
    told.pass_with(3, nothing);
    assert_eq!(told.found(), [(Lint::Silent, "mix-2-2")]);
}

#[test]
fn clocks_at_the_ends_of_time_do_no_harm() {
    let told = Told::calm();
    let mut figures = Figures::default();
    for (seconds, unix_ms) in [(1, u64::MAX), (u64::MAX / 1_000_000_000, 0), (2, u64::MAX)] {
        let t = Time::default() + Duration::from_secs(seconds);
        let now = Moment { t, unix_ms };
        figures.directory_is_ahead(i64::MIN);
        figures.take(&told.devnet, now);
        super::super::loads::clocks(&Look { devnet: &told.devnet, now, figures: &figures });
    }
}

#[test]
fn who_sends_again_is_told_with_the_share() {
    let mut told = Told::calm();
    let mut count = 0;
    told.pass_with(10, |event| {
        if let Some(metrics) = metrics_of(event, |name| name == "alice") {
            count += 1;
            metrics.traffic = Some(TrafficCounters {
                real: 4 * count,
                retransmitted: count,
                ..TrafficCounters::default()
            });
        }
    });
    assert_eq!(told.found(), [(Lint::Again, "alice")]);
    told.says(Lint::Again, &["sent again in", "% of those with messages"]);
}

#[test]
fn a_machine_that_is_too_slow_is_told_by_its_load_and_its_lateness() {
    let mut told = Told::calm();
    told.pass_with(11, |event| match event {
        StreamEvent::Usage { usage, .. } => {
            *usage = ProcessUsage { cpu_percent: 20.0, ..*usage };
        }
        event => {
            if let Some(metrics) = metrics_of(event, |name| name.starts_with("mix-")) {
                let late = Lateness { packets: 100, median_us: 900, p99_us: 30_000 };
                metrics.lateness = Some(late);
            }
        }
    });
    assert_eq!(told.found(), [(Lint::Overload, "processors"), (Lint::Lateness, "mixnodes")]);
    told.says(Lint::Overload, &["2.2 of 2 cores"]);
    told.says(Lint::Lateness, &["30.0 ms"]);
    assert!(told.the(Lint::Lateness).finding.advice.contains("make the network smaller"));
    // What is advised is less than what is, whatever that is.
    let info = &told.devnet.info;
    let twice = format!("set slot={}ms cover={}ms", 2.0 * info.slot_ms, 2.0 * info.loop_cover_ms);
    let command = told.the(Lint::Lateness).finding.command.clone();
    assert_eq!(command, Some(twice));
    // Its figures are well again soon, and it is over fifteen seconds later: it might come back.
    told.pass(10);
    assert_eq!(told.found(), [(Lint::Overload, "processors"), (Lint::Lateness, "mixnodes")]);
    told.pass(20);
    told.is_over(Lint::Overload);
    told.is_over(Lint::Lateness);
}

#[test]
fn what_a_busy_machine_adds_is_told_where_it_counts_beside_the_delays() {
    let mut told = Told::calm();
    let late = |p99_us| {
        move |event: &mut StreamEvent| {
            if let Some(metrics) = metrics_of(event, |name| name.starts_with("mix-")) {
                let late = Lateness { packets: 100, median_us: 900, p99_us };
                metrics.lateness = Some(late);
            }
        }
    };
    told.pass_with(11, late(15_000));
    assert_eq!(told.found(), [], "less than a tenth of 200 ms");
    let mut told = Told::calm();
    told.pass_with(11, late(25_000));
    assert_eq!(told.found(), [(Lint::Lateness, "mixnodes")]);
    let advice = &told.the(Lint::Lateness).finding.advice;
    assert!(advice.contains("other programs"), "these use little: {advice}");
}

#[test]
fn clocks_that_differ_or_are_set_are_told() {
    let mut told = Told::calm();
    told.pass_with(1, |event| {
        if let StreamEvent::Directory { update: directory_api::Update::Metric(metric), .. } = event
        {
            metric.timestamp += 5_000_000_000;
        }
    });
    assert_eq!(told.found(), [(Lint::Clock, "directory")]);
    told.says(Lint::Clock, &["5.0 s ahead"]);
    told.pass(2);
    told.is_over(Lint::Clock);

    // An hour back, with everything that uses it.
    let mut figures = Figures::default();
    let moment = |seconds: u64, unix_ms: u64| Moment {
        t: Time::default() + Duration::from_secs(seconds),
        unix_ms,
    };
    figures.take(&told.devnet, moment(1, 10_000_000));
    figures.take(&told.devnet, moment(2, 10_001_005));
    assert_eq!(figures.set(), None);
    let back = moment(3, 6_402_000);
    figures.take(&told.devnet, back);
    let set = figures.set().expect("noticed");
    assert_eq!((set.by_ms, set.at_unix_ms), (-3_600_005, 6_402_000));
    let look = Look { devnet: &told.devnet, now: back, figures: &figures };
    let found = super::super::loads::clocks(&look);
    assert!(found[0].why.contains("set back by 3600.0 s"), "{}", found[0].why);
}

#[test]
fn lost_events_are_told_for_a_minute() {
    let mut told = Told::calm();
    told.hear(StreamEvent::Lost { node: "alice".into(), count: 7, links: 0 });
    told.pass(1);
    told.says(Lint::Lost, &["7 events in the last minute, 7 in all"]);
    told.pass(70);
    told.is_over(Lint::Lost);
}

#[test]
fn a_client_without_a_crowd_is_lone() {
    let mut fixture = Fixture::two_by_three();
    fixture.crowd = 0;
    let told = Told::of(fixture);
    assert_eq!(told.found(), [(Lint::Lone, "alice"), (Lint::Lone, "bob")]);
    told.says(Lint::Lone, &["1 other sender and no crowd"]);
    assert_eq!(told.devnet.problems.count(), 0, "somebody wanted it so");

    let mut fixture = Fixture::two_by_three();
    (fixture.crowd, fixture.clients) = (0, vec!["alice", "bob", "carol"]);
    assert_eq!(Told::of(fixture).found(), []);
}
