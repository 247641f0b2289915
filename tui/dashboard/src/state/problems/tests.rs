//! Each lint with a state that has it and one that has not.

use std::collections::BTreeMap;

use contract::{Fatal, FatalCode, Lateness, NodeMetrics, Time, TrafficCounters};
use control::{
    DirectoryState, Envelope, MessageState, NodeStatus, ProcessUsage, State, StreamEvent,
};

use super::*;
use crate::fixture::{self, Fixture};

/// Seconds of ordinary traffic after which everything has settled.
const SETTLED: u64 = 12;

/// A devnet that is told what happens, second by second.
struct Told {
    fixture: Fixture,
    devnet: Devnet,
    second: u64,
}

impl Told {
    fn of(fixture: Fixture) -> Self {
        let snapshot = fixture.snapshot(Duration::ZERO);
        Self::begun(fixture, snapshot)
    }

    fn begun(mut fixture: Fixture, snapshot: control::Snapshot) -> Self {
        let event = StreamEvent::Snapshot(Box::new(snapshot.clone()));
        let Envelope { seq, t, unix_ms, .. } = fixture.at(Duration::ZERO, event);
        let devnet = Devnet::new(snapshot, (seq, Moment { t, unix_ms }), None);
        let mut told = Self { fixture, devnet, second: 0 };
        told.pass(SETTLED);
        told
    }

    /// Two by three, and nothing is wrong.
    fn calm() -> Self {
        let told = Self::of(Fixture::two_by_three());
        assert_eq!(told.found(), [], "{:#?}", told.devnet.problems.open());
        told
    }

    fn hear(&mut self, event: StreamEvent) {
        let envelope = self.fixture.at(Duration::from_secs(self.second), event);
        self.devnet.apply(envelope);
    }

    fn pass(&mut self, seconds: u64) {
        self.pass_with(seconds, |_| {});
    }

    /// The same, but every event is something else.
    fn pass_with(&mut self, seconds: u64, mut change: impl FnMut(&mut StreamEvent)) {
        for _ in 0..seconds {
            self.second += 1;
            for mut envelope in self.fixture.second(self.second) {
                change(&mut envelope.event);
                self.devnet.apply(envelope);
            }
        }
        // The second is not over before the next one begins.
        let mut problems = std::mem::take(&mut self.devnet.problems);
        problems.look(&self.devnet, self.devnet.heard);
        self.devnet.problems = problems;
    }

    /// The process comes into another state.
    fn becomes(&mut self, name: &str, change: impl FnOnce(&mut NodeStatus)) {
        let mut status = self.fixture.status(name);
        status.since_unix_ms = fixture::unix_ms(Duration::from_secs(self.second));
        change(&mut status);
        self.hear(StreamEvent::Node(status));
    }

    fn found(&self) -> Vec<(Lint, &str)> {
        let open = self.devnet.problems.open().iter();
        open.map(|problem| (problem.finding.lint, problem.finding.about.as_str())).collect()
    }

    #[track_caller]
    fn the(&self, lint: Lint) -> &Problem {
        let mut open = self.devnet.problems.open().iter();
        open.find(|problem| problem.finding.lint == lint)
            .unwrap_or_else(|| panic!("{lint:?} is not found: {:#?}", self.devnet.problems.open()))
    }

    #[track_caller]
    fn says(&self, lint: Lint, words: &[&str]) {
        let Finding { why, advice, .. } = &self.the(lint).finding;
        for words in words {
            assert!(why.contains(words), "{why}");
        }
        assert!(!advice.is_empty(), "{why}");
    }

    #[track_caller]
    fn is_over(&self, lint: Lint) {
        let is_open = self.found().iter().any(|(found, _)| *found == lint);
        assert!(!is_open, "{:#?}", self.devnet.problems.open());
        let mut past = self.devnet.problems.past();
        let past = past.find(|past| past.finding.lint == lint).expect("it is remembered");
        assert!(past.ended_unix_ms.is_some());
    }
}

/// The metrics of these processes, if the event is such.
fn metrics_of(
    event: &mut StreamEvent,
    is_meant: impl Fn(&str) -> bool,
) -> Option<&mut NodeMetrics> {
    match event {
        StreamEvent::Metrics { node, metrics } if is_meant(node) => Some(metrics),
        _ => None,
    }
}

#[test]
fn who_failed_says_why_and_what_to_do() {
    let mut told = Told::calm();
    told.becomes("mix-1-1", |status| {
        status.state = State::Failed;
        status.reason = "ended 5 times within 60 s".into();
        status.fatal = Some(Fatal::new(FatalCode::Storage, "disk full").hint("make room"));
    });
    told.pass(1);
    told.says(Lint::Failed, &["5 times", "it said: disk full"]);
    let Problem { finding, .. } = told.the(Lint::Failed);
    assert_eq!((finding.severity, finding.advice.as_str()), (Severity::Bad, "make room"));
    assert_eq!(finding.command.as_deref(), Some("start mix-1-1"));
    assert_eq!(finding.node(), Some("mix-1-1"));
    told.becomes("mix-1-1", |_| {});
    told.pass(1);
    told.is_over(Lint::Failed);
}

#[test]
fn who_ends_by_itself_is_counted() {
    let mut told = Told::calm();
    told.becomes("mix-2-2", |status| {
        status.state = State::BackingOff;
        status.restarts = 3;
        status.reason = "killed by SIGKILL; starts again in 2 s".into();
    });
    told.pass(1);
    told.says(Lint::Crashed, &["SIGKILL", "3 restarts"]);
}

#[test]
fn who_was_killed_is_told_of_though_it_is_back_at_once() {
    let mut told = Told::calm();
    told.becomes("mix-2-2", |status| {
        status.restarts = 1;
        status.last_exit = Some("killed by SIGKILL".into());
    });
    told.pass(1);
    assert_eq!(told.found(), [(Lint::Crashed, "mix-2-2")]);
    told.says(Lint::Crashed, &["killed by SIGKILL", "1 restart"]);
    told.pass(11);
    told.is_over(Lint::Crashed);
}

#[test]
fn who_does_not_become_ready_says_what_it_waits_for() {
    let mut told = Told::calm();
    told.becomes("alice", |status| {
        status.state = State::Present;
        status.reason = "no provider in the directory yet".into();
    });
    told.pass(9);
    assert_eq!(told.found(), [], "it may take its time");
    told.pass(2);
    told.says(Lint::Unready, &["no provider"]);
}

#[test]
fn a_pause_is_a_note_and_no_problem() {
    let mut told = Told::calm();
    told.becomes("mix-2-2", |status| status.state = State::Paused);
    told.pass(1);
    assert_eq!(told.the(Lint::Paused).finding.command.as_deref(), Some("resume mix-2-2"));
    assert_eq!(told.devnet.problems.count(), 0);
}

#[test]
fn a_layer_without_a_mixnode_is_missing() {
    let mut told = Told::calm();
    told.becomes("mix-2-1", |status| status.state = State::Stopped);
    told.pass(1);
    assert_eq!(told.found(), [], "one is left");
    told.becomes("mix-2-2", |status| status.state = State::Stopped);
    told.becomes("provider-1", |status| status.state = State::Stopped);
    told.pass(1);
    assert_eq!(told.found(), [(Lint::Missing, "layer 2"), (Lint::Missing, "providers")]);
    told.says(Lint::Missing, &["mix-2-1 is stopped", "mix-2-2 is stopped"]);
    assert_eq!(told.the(Lint::Missing).finding.command.as_deref(), Some("start mix-2-1"));
}

#[test]
fn a_devnet_that_comes_up_misses_nothing() {
    let fixture = Fixture::two_by_three();
    let mut snapshot = fixture.snapshot(Duration::ZERO);
    for node in &mut snapshot.nodes {
        node.state = State::Starting;
    }
    snapshot.directory = DirectoryState::Connecting;
    let mut problems = Problems::default();
    let now = |seconds| Moment {
        t: Time::default() + Duration::from_secs(seconds),
        unix_ms: fixture::unix_ms(Duration::from_secs(seconds)),
    };
    let devnet = Devnet::new(snapshot, (1, now(1)), None);
    problems.look(&devnet, now(9));
    assert_eq!(problems.open(), []);
    problems.look(&devnet, now(15));
    assert!(problems.count() > 4, "then it does");
}

#[test]
fn who_does_not_announce_itself_is_late_and_then_gone() {
    let mut told = Told::calm();
    told.fixture.silent = vec!["mix-3-1"];
    told.pass(4);
    told.says(Lint::Late, &["last heard 4", "every 1.5 s"]);
    told.pass(7);
    told.says(Lint::Gone, &["forgotten"]);
    assert_eq!(told.the(Lint::Gone).finding.severity, Severity::Bad);
    told.is_over(Lint::Late);
}

#[test]
fn a_directory_that_is_not_heard_makes_nobody_late() {
    let mut told = Told::calm();
    let error = "connection refused".to_owned();
    let state = DirectoryState::Reconnecting { error, retry_in_ms: 500 };
    told.hear(StreamEvent::DirectoryLink { state });
    told.fixture.silent = vec!["mix-3-1"];
    told.pass(4);
    assert_eq!(told.found(), [(Lint::Unheard, "directory")]);
    told.says(Lint::Unheard, &["connection refused", "500 ms"]);
    told.hear(StreamEvent::DirectoryLink { state: DirectoryState::Live });
    told.fixture.silent = vec![];
    told.pass(2);
    told.is_over(Lint::Unheard);
}

#[test]
fn who_announces_itself_and_takes_nothing_is_silent() {
    let mut told = Told::calm();
    told.pass_with(6, |event| {
        if let StreamEvent::Directory { update: directory_api::Update::Metric(metric), .. } = event
            && metric.pub_key == fixture::key("mix-2-2")
        {
            metric.received = 0;
        }
    });
    let silent = told.the(Lint::Silent);
    assert_eq!(silent.finding.about, "mix-2-2");
    told.says(Lint::Silent, &["took no packet for 5 s", "one of 2 in layer 2", "pkt/s"]);
}

#[test]
fn a_process_that_has_just_come_back_is_not_silent() {
    let mut told = Told::calm();
    let nothing = |event: &mut StreamEvent| {
        if let StreamEvent::Directory { update: directory_api::Update::Metric(metric), .. } = event
            && metric.pub_key == fixture::key("mix-2-2")
        {
            metric.received = 0;
        }
    };
    told.pass_with(3, nothing);
    told.becomes("mix-2-2", |status| {
        status.since_unix_ms = fixture::unix_ms(Duration::from_secs(SETTLED + 3));
    });
    told.pass_with(4, nothing);
    assert_eq!(told.found(), [], "packets have hardly had the time to come");
    told.pass_with(2, nothing);
    assert_eq!(told.found(), [(Lint::Silent, "mix-2-2")]);
}

#[test]
fn a_process_that_stands_still_is_silent() {
    let mut told = Told::calm();
    told.fixture.silent = vec!["bob"];
    told.pass(7);
    assert_eq!(told.found(), [(Lint::Silent, "bob")]);
    told.says(Lint::Silent, &["told nothing for"]);
    told.fixture.silent = vec![];
    told.pass(1);
    told.is_over(Lint::Silent);
}

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
        loads::clocks(&Look { devnet: &told.devnet, now, figures: &figures });
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
    let found = loads::clocks(&look);
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

#[test]
fn the_worst_stands_first_and_everything_is_bounded() {
    let mut told = Told::calm();
    told.becomes("mix-1-1", |status| status.state = State::Paused);
    told.becomes("bob", |status| status.state = State::BackingOff);
    told.becomes("alice", |status| status.state = State::BackingOff);
    told.becomes("crowd", |status| status.state = State::Failed);
    told.pass(1);
    assert_eq!(
        told.found(),
        [
            (Lint::Failed, "crowd"),
            (Lint::Crashed, "alice"),
            (Lint::Crashed, "bob"),
            (Lint::Paused, "mix-1-1"),
        ]
    );
    let problems = &told.devnet.problems;
    assert_eq!(problems.count(), 3);
    assert_eq!(problems.alike(&problems.open()[1].finding), 2);
    assert_eq!(Lint::Crashed.headline(2), "2 nodes have crashed or were killed");
    let since = problems.open()[1].since_unix_ms;
    told.pass(5);
    assert_eq!(told.devnet.problems.open()[1].since_unix_ms, since, "since it began");

    for round in 0..200 {
        let state = if round % 2 == 0 { State::Ready } else { State::BackingOff };
        told.becomes("alice", |status| status.state = state);
        told.pass(1);
    }
    assert_eq!(told.devnet.problems.past().len(), MAX_PAST);
    told.becomes("alice", |_| {});
    told.pass(PAST_FOR.as_secs() + 2);
    assert_eq!(told.devnet.problems.past().len(), 0, "and forgotten");
}
