//! Attacks that are asked for over the control interface.

use contract::{Answer, Deed, Endpoint, Event, Outcome, Print};
use control::{AttackPlan, AttackRequest, AttackStatus, Failure, FailureCode, Verdict};
use tokio::sync::oneshot;

use super::*;
use crate::exit::Exit;

type Answered = oneshot::Receiver<Result<AttackStatus, Failure>>;

fn attack(devnet: &mut Devnet, now: Moment, plan: AttackPlan) -> Answered {
    let (reply, answered) = oneshot::channel();
    let request = AttackRequest { plan, wait_ms: 1000 };
    devnet.answer(now, Ask::Attack { request, reply });
    answered
}

fn replay(from: &str, to: &str) -> AttackPlan {
    AttackPlan::Replay { from: from.into(), to: to.into(), times: 1 }
}

fn failed(mut answered: Answered) -> Failure {
    answered.try_recv().expect("answered").expect_err("refused")
}

fn over(devnet: &mut Devnet, now: Moment, mut answered: Answered) -> AttackStatus {
    devnet.wake(now);
    answered.try_recv().expect("answered").expect("a status")
}

#[tokio::test]
async fn whoever_attacks_hears_what_came_of_it_and_everybody_else_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let (spec, claim) = spec(dir.path(), false);
    let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("cat")));
    let now = Moment::now();
    let stopped = failed(attack(&mut devnet, now, replay("alice", "mix-1-1")));
    assert_eq!(stopped.code, FailureCode::NotRunning, "{stopped}");
    let nobody = failed(attack(&mut devnet, now, replay("alice", "mix-9-9")));
    assert_eq!(nobody.code, FailureCode::NoSuchNode);

    devnet.directory_opened(now, "http://127.0.0.1:1".into());
    let unopened = failed(attack(&mut devnet, now, replay("alice", "mix-1-1")));
    assert!(unopened.message.contains("has not opened its port"), "{unopened}");
    let mixnode = devnet.find("mix-1-1").expect("it is there");
    devnet.store.change_node(now, mixnode, |status| {
        status.addresses.insert(Endpoint::Mix, "127.0.0.1:9980".parse().expect("an address"));
    });

    let asked = attack(&mut devnet, now, replay("alice", "mix-1-1"));
    assert_eq!(devnet.store.snapshot(now).attacks.len(), 1, "it is shown from the beginning");
    let alice = devnet.source(devnet.find("alice").expect("alice"));
    let packet = Print { header: [1; 8], first: [1; 16] };
    let deed = Deed::Replayed { t: now.t, packet, copies: 1, last: now.t };
    let answer = Answer { id: 1, outcome: Outcome::Attacked { deed } };
    devnet.child_event(now, alice, ChildEvent::Event(Box::new(Event::Answer(answer))));
    let dropped =
        contract::PacketTrace::Dropped { t: now.t, before: packet, reason: "replay".into() };
    let packets = Event::Packets { packets: vec![dropped], lost: 0 };
    let source = devnet.source(mixnode);
    devnet.child_event(now, source, ChildEvent::Event(Box::new(packets)));
    let status = over(&mut devnet, now, asked);
    assert_eq!(status.verdict(), Some(Verdict::Stopped));
    assert_eq!(devnet.store.snapshot(now).attacks, [status]);

    let killed = attack(&mut devnet, now, replay("alice", "mix-1-1"));
    devnet.child_event(now, alice, ChildEvent::Exited(Exit::Signal(9)));
    let status = over(&mut devnet, now, killed);
    assert_eq!(status.verdict(), Some(Verdict::NotDone));

    let late = attack(&mut devnet, now, replay("bob", "mix-1-1"));
    let busy = [(); 3].map(|()| attack(&mut devnet, now, replay("bob", "mix-1-1")));
    let one_more = failed(attack(&mut devnet, now, replay("bob", "mix-1-1")));
    assert_eq!(one_more.code, FailureCode::Busy);
    // A second for the packet, a tenth for its copy, and three for the answer.
    let deadline = now.t + Duration::from_millis(4100);
    let status = over(&mut devnet, Moment { t: deadline, ..now }, late);
    assert_eq!(status.verdict(), Some(Verdict::NotDone));
    drop(busy);

    let last = attack(&mut devnet, now, replay("bob", "mix-1-1"));
    devnet.go_down(now, "a test says so");
    let status = over(&mut devnet, now, last);
    assert_eq!(status.end.and_then(|end| end.reason).as_deref(), Some("the devnet is going down"));
    let refused = failed(attack(&mut devnet, now, replay("bob", "mix-1-1")));
    assert_eq!(refused.code, FailureCode::NotRunning);
}

/// Only nodes that packets pass through work for somebody, and only where they tell anything.
#[tokio::test]
async fn whoever_asks_what_nodes_know_has_to_name_some_that_know_anything() {
    for trace in [true, false] {
        let dir = tempfile::tempdir().expect("a folder");
        let (mut spec, claim) = spec(dir.path(), false);
        spec.plan.layout.trace = trace;
        let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("cat")));
        let mut confide = |nodes: &[&str]| {
            let nodes = nodes.iter().map(|&node| node.to_owned()).collect();
            let (reply, mut answered) = oneshot::channel();
            devnet.answer(Moment::now(), Ask::Confide { nodes, reply });
            answered.try_recv().expect("answered").map(drop).map_err(|failure| failure.code)
        };
        let told = [
            confide(&["mix-1-1"]),
            confide(&[]),
            confide(&["mix-1-1", "alice"]),
            confide(&["mix-9-9"]),
        ];
        let wanted = if trace {
            let (usage, unknown) = (FailureCode::Usage, FailureCode::NoSuchNode);
            [Ok(()), Err(usage), Err(usage), Err(unknown)]
        } else {
            [Err(FailureCode::NotRunning); 4]
        };
        assert_eq!(told, wanted, "tracing {trace}");
    }
}
