//! Processes that fail, stop, wait, fall silent.

use super::*;

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
