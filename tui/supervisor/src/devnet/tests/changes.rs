//! Nodes that come and go, and parameters that change, in a loop that is driven by hand.

use control::{AddRequest, SetRequest};
use layouts::GrowError;

use super::*;
use crate::child::{ChildEvent, NodeId, Source};

/// A devnet of the usual plan whose processes read what they are told into a file and do nothing else.
/// Its directory is open.
fn devnet(dir: &Path) -> (Devnet, Moment) {
    let (mut spec, claim) = spec(dir, false);
    spec.plan = Plan::new(Layout::default(), Ports::Auto).expect("a network");
    let told = dir.to_owned();
    let launcher: Launcher = Box::new(move |node, _| {
        let mut command = Command::new("sh");
        command.args(["-c", "exec cat >> \"$TOLD\""]);
        command.env("TOLD", told.join(&node.name));
        command
    });
    let mut devnet = Devnet::new(spec, claim, launcher);
    let now = Moment::now();
    devnet.directory_opened(now, "http://127.0.0.1:1".into());
    (devnet, now)
}

fn names(devnet: &Devnet) -> Vec<&str> {
    let names: Vec<&str> = devnet.store.nodes().iter().map(|node| node.name.as_str()).collect();
    let own: Vec<&str> = devnet.nodes.iter().map(|node| node.plan.name.as_str()).collect();
    assert_eq!(names, own, "both lists are in the same order");
    names
}

/// The process of a node ends.
fn end(devnet: &mut Devnet, now: Moment, name: &str) {
    let source = devnet.source(devnet.find(name).expect(name));
    devnet.child_event(now, source, ChildEvent::Exited(Exit::Code(0)));
    devnet.wake(now);
}

#[tokio::test]
async fn a_node_comes_into_its_place_and_is_forgotten_when_it_has_ended() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut devnet, now) = devnet(dir.path());
    let added = devnet.add(now, &AddRequest::Mixnode { layer: 2 }).expect("there is room");
    assert_eq!((added.name.as_str(), added.state), ("mix-2-2", State::Starting));
    assert_eq!(names(&devnet)[2..5], ["mix-2-1", "mix-2-2", "mix-3-1"]);
    assert_eq!(devnet.store.snapshot(now).devnet.widths, [1, 2, 1]);

    let former = devnet.source(devnet.find("mix-2-1").expect("it is there"));
    let leaving = devnet.remove(now, "mix-2-1").expect("there is another");
    assert_eq!(leaving.state, State::Stopping);
    let again = devnet.remove(now, "mix-2-1").expect("it goes on with that");
    assert_eq!(again.state, State::Stopping);
    let refused = devnet.act(now, "mix-2-1", NodeAction::Start).expect_err("it is leaving");
    assert!(refused.message.ends_with("it is being removed"), "{refused}");
    // Its name is its own until it is gone.
    devnet.add(now, &AddRequest::Mixnode { layer: 2 }).expect("there is room");
    assert_eq!(names(&devnet)[2..5], ["mix-2-1", "mix-2-2", "mix-2-3"]);
    end(&mut devnet, now, "mix-2-1");
    assert_eq!(names(&devnet)[2..5], ["mix-2-2", "mix-2-3", "mix-3-1"]);
    let unknown = devnet.remove(now, "mix-2-1").expect_err("it is gone");
    assert_eq!(unknown.code, FailureCode::NoSuchNode);

    // What it said last is not taken for its successor's.
    let text = "late".to_owned();
    let before = devnet.store.snapshot(now).logs.len();
    devnet.child_event(now, former, ChildEvent::Log(text));
    assert_eq!(devnet.store.snapshot(now).logs.len(), before);
    devnet.add(now, &AddRequest::Mixnode { layer: 2 }).expect("there is room");
    assert_eq!(names(&devnet)[2..5], ["mix-2-1", "mix-2-2", "mix-2-3"]);
    let latest = devnet.source(devnet.find("mix-2-1").expect("it is there again"));
    assert_ne!(latest.node, former.node);
}

#[tokio::test]
async fn one_that_crashes_while_it_is_removed_is_forgotten_and_not_started_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut devnet, now) = devnet(dir.path());
    for (name, exit) in [("alice", Exit::Signal(9)), ("crowd", Exit::Code(1))] {
        let source = devnet.source(devnet.find(name).expect(name));
        devnet.remove(now, name).expect("nobody needs it");
        devnet.child_event(now, source, ChildEvent::Exited(exit));
        devnet.wake(now);
        assert!(devnet.find(name).is_err());
    }
    // One that waits to be started again is gone at once.
    let bob = devnet.source(devnet.find("bob").expect("bob"));
    devnet.child_event(now, bob, ChildEvent::Exited(Exit::Signal(11)));
    assert_eq!(devnet.store.node("bob").expect("bob").state, State::BackingOff);
    devnet.remove(now, "bob").expect("nobody needs it");
    devnet.wake(now);
    assert!(devnet.find("bob").is_err());
    let info = devnet.store.snapshot(now).devnet;
    assert_eq!((info.clients, info.crowd), (0, 0));
}

#[tokio::test]
async fn what_would_be_no_network_is_refused_with_a_hint() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut devnet, now) = devnet(dir.path());
    for name in ["directory", "mix-1-1", "provider-1"] {
        let refused = devnet.remove(now, name).expect_err(name);
        assert_eq!(refused.code, FailureCode::InvalidLayout, "{refused}");
        assert!(refused.hint.is_some_and(|hint| hint.contains("`nym-devnet")));
    }
    for (request, what) in [
        (SetRequest::default(), "nothing was named"),
        (SetRequest { slot_ms: Some(-1.0), ..SetRequest::default() }, "-1 ms is no time"),
        (SetRequest { hop_delay_ms: Some(f64::NAN), ..SetRequest::default() }, "is no time"),
        (SetRequest { loop_cover_ms: Some(0.0), ..SetRequest::default() }, "loop cover in"),
        (SetRequest { crowd: Some(2000), ..SetRequest::default() }, "crowd: 2000"),
    ] {
        let refused = devnet.set(now, &request).expect_err(what);
        assert_eq!(refused.code.exit_code(), 2, "{refused}");
        assert!(refused.message.contains(what), "{refused}");
    }
    devnet.remove(now, "crowd").expect("nobody needs it");
    let crowd = SetRequest { crowd: Some(4), ..SetRequest::default() };
    let refused = devnet.set(now, &crowd).expect_err("the former has not ended");
    assert_eq!(refused.code, FailureCode::NameInUse);
    assert_eq!(refused.hint, GrowError::NameInUse(String::new()).hint());
    end(&mut devnet, now, "crowd");
    assert_eq!(devnet.set(now, &crowd).expect("it is gone").crowd, 4);
    assert_eq!(names(&devnet).last(), Some(&"crowd"));

    devnet.go_down(now, "a test says so");
    let add = devnet.add(now, &AddRequest::Provider).expect_err("too late");
    let remove = devnet.remove(now, "alice").expect_err("too late");
    let set = devnet.set(now, &crowd).expect_err("too late");
    for refused in [add, remove, set] {
        assert!(refused.message.ends_with("the devnet is going down"), "{refused}");
    }
}

#[tokio::test]
async fn new_parameters_reach_those_that_run_and_those_that_will() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut devnet, now) = devnet(dir.path());
    let request = SetRequest { slot_ms: Some(50.0), crowd: Some(9), ..SetRequest::default() };
    let info = devnet.set(now, &request).expect("a network");
    assert_eq!((info.crowd, info.profile.as_str()), (9, "classic, changed"));
    assert!((info.slot_ms - 50.0).abs() < 1e-9 && (info.hop_delay_ms - 200.0).abs() < 1e-9);
    let told = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap_or_default();
    within(async {
        while ["alice", "bob", "crowd"].iter().any(|name| !told(name).ends_with('\n')) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let rates = devnet.spec.plan.layout.rates;
    let change = contract::Change {
        hop_delay: Some(rates.hop_delay),
        slot: Some(Duration::from_millis(50)),
        loop_cover: Some(rates.loop_cover),
        slot_cover: Some(true),
        crowd: None,
    };
    for (name, crowd) in [("alice", None), ("bob", None), ("crowd", Some(9))] {
        let request: contract::Request = serde_json::from_str(&told(name)).expect("one request");
        let change = contract::Change { crowd, ..change };
        assert_eq!(request.command, contract::Command::Set { change }, "{name}");
    }
    assert_eq!(told("mix-1-1"), "", "a mixnode has no rates");

    let index = devnet.find("alice").expect("alice");
    let plan = devnet.nodes[index].plan.clone();
    let context = crate::arguments::Context {
        plan: &devnet.spec.plan,
        folder: devnet.claim.folder(),
        directory: None,
        bound: &BTreeMap::new(),
    };
    let line = crate::arguments::arguments(&plan, &context);
    assert!(line.windows(2).any(|pair| pair == ["--slot", "50ms"]), "{line:?}");
}

#[tokio::test]
async fn an_event_of_a_node_that_never_was_is_not_taken_for_anybodys() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut devnet, now) = devnet(dir.path());
    let nobody = Source { node: NodeId(u64::MAX), generation: 1 };
    devnet.child_event(now, nobody, ChildEvent::Exited(Exit::Code(0)));
    assert_eq!(names(&devnet).len(), 8);
}
