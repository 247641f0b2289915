//! Each lint with a state that has it and one that has not.

mod loads;
mod processes;

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

    let mut told = Told::of(Fixture::sized(20, 3));
    let mixnodes = told.devnet.with_role(&[contract::Role::Mixnode]);
    let mixnodes: Vec<String> = mixnodes.map(|node| node.name().to_owned()).collect();
    assert!(mixnodes.len() > MAX_PAST);
    for state in [State::Paused, State::Ready] {
        for name in &mixnodes {
            told.becomes(name, |status| status.state = state);
        }
        told.pass(1);
    }
    assert_eq!(told.devnet.problems.past().len(), MAX_PAST);
    told.pass(PAST_FOR.as_secs() + 2);
    assert_eq!(told.devnet.problems.past().len(), 0, "and forgotten");
}

#[test]
fn what_comes_and_goes_is_one_line_with_a_count_and_the_last_time() {
    let mut told = Told::calm();
    let mut flap = |name: &str| {
        told.becomes(name, |status| status.state = State::Paused);
        told.pass(2);
        told.becomes(name, |_| {});
        told.pass(2);
        let past = told.devnet.problems.past();
        past.map(|past| (past.finding.about.clone(), past.times, past.ended_unix_ms)).collect()
    };
    let first: Vec<_> = flap("mix-1-1");
    let [(_, 1, Some(ended))] = first[..] else { panic!("{first:?}") };
    let other: Vec<_> = flap("mix-1-2");
    assert_eq!(other[1..], first, "another node has a line of its own");
    let again: Vec<_> = flap("mix-1-1");
    let abouts: Vec<_> = again.iter().map(|(about, times, _)| (about.as_str(), *times)).collect();
    assert_eq!(abouts, [("mix-1-1", 2), ("mix-1-2", 1)]);
    assert!(again[0].2 > Some(ended), "{again:?}");
}

#[test]
fn what_stops_because_the_devnet_goes_down_is_no_problem() {
    let mut told = Told::calm();
    told.becomes("mix-2-1", |status| status.state = State::Stopped);
    told.becomes("mix-2-2", |status| status.state = State::Stopped);
    told.pass(1);
    let before = [(Lint::Missing, "layer 2")];
    assert_eq!(told.found(), before);
    let names: Vec<String> = told.devnet.nodes.iter().map(|node| node.name().to_owned()).collect();
    let is_up = |name: &&String| !name.starts_with("mix-2");
    for name in names.iter().rev().filter(is_up) {
        for state in [State::Stopping, State::Stopped] {
            told.becomes(name, |status| {
                status.state = state;
                status.reason = format!("{}; exit code 0", control::STOPS_WITH_ALL);
            });
            told.pass(1);
            assert_eq!(told.found(), before, "{name}");
        }
    }
    let error = "connection refused".to_owned();
    let state = DirectoryState::Reconnecting { error, retry_in_ms: 250 };
    told.hear(StreamEvent::DirectoryLink { state });
    told.pass(20);
    assert_eq!(told.found(), before);
    // A process that fails then has failed.
    told.becomes("provider-1", |status| status.state = State::Failed);
    told.pass(1);
    assert_eq!(told.found(), [(Lint::Failed, "provider-1"), before[0]]);
}
