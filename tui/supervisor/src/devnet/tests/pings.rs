//! Pings that are answered, refused, lost with their client, or never answered.

use contract::{Answer, Event, Outcome};
use control::{PingRequest, Pong};
use tokio::sync::oneshot;

use super::*;
use crate::child::ChildEvent;

type Answered = oneshot::Receiver<Result<Pong, Failure>>;

fn ping(devnet: &mut Devnet, now: Moment, client: &str) -> Answered {
    let (reply, answer) = oneshot::channel();
    let request = PingRequest { client: client.into(), timeout_ms: 1000 };
    devnet.answer(now, Ask::Ping { request, reply });
    answer
}

fn answer(devnet: &mut Devnet, now: Moment, id: u64, outcome: Outcome) {
    let alice = devnet.source(devnet.find("alice").expect("alice"));
    let event = Event::Answer(Answer { id, outcome });
    devnet.child_event(now, alice, ChildEvent::Event(Box::new(event)));
}

#[tokio::test]
async fn whoever_pings_hears_what_became_of_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let (spec, claim) = spec(dir.path(), false);
    let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("cat")));
    let now = Moment::now();
    let failed =
        |mut answered: Answered| answered.try_recv().expect("answered").expect_err("no pong");
    let stopped = failed(ping(&mut devnet, now, "alice"));
    assert_eq!(stopped.code, FailureCode::NotRunning);
    assert!(stopped.message.ends_with("it is planned: not started yet"), "{stopped}");
    assert_eq!(failed(ping(&mut devnet, now, "mix-1-1")).code, FailureCode::Usage);
    assert_eq!(failed(ping(&mut devnet, now, "nobody")).code, FailureCode::NoSuchNode);

    devnet.directory_opened(now, "http://127.0.0.1:1".into());
    let [mut back, lost, late, gone] = [(); 4].map(|()| ping(&mut devnet, now, "alice"));
    let pong = Outcome::Pong {
        queued_us: 1500,
        travelled_us: 20_000,
        asked_us: 19_000,
        route: vec!["127.0.0.1:1".into()],
    };
    answer(&mut devnet, now, 1, pong);
    let pong = back.try_recv().expect("answered").expect("a pong");
    assert!((pong.queued_ms - 1.5).abs() < 1e-9 && (pong.travelled_ms - 20.0).abs() < 1e-9);
    assert_eq!(pong.route, ["127.0.0.1:1"], "nobody of this devnet");
    answer(&mut devnet, now, 2, Outcome::Refused { reason: "it is not back".into() });
    let lost = failed(lost);
    assert_eq!(lost.code, FailureCode::SendFailed);
    assert_eq!(lost.message, "no ping from `alice`: it is not back");

    let deadline = devnet.next_wake().expect("the wait ends");
    assert_eq!(deadline, now.t + Duration::from_secs(1));
    devnet.wake(Moment { t: deadline, ..now });
    assert_eq!(failed(late).code, FailureCode::DeadlinePassed);
    assert_eq!(failed(gone).code, FailureCode::DeadlinePassed);

    let killed = ping(&mut devnet, now, "alice");
    let alice = devnet.source(devnet.find("alice").expect("alice"));
    devnet.child_event(now, alice, ChildEvent::Exited(Exit::Signal(9)));
    let killed = failed(killed);
    assert_eq!(killed.code, FailureCode::NotRunning);
    assert!(killed.message.contains("killed by SIGKILL"), "{killed}");
    let bob = ping(&mut devnet, now, "bob");
    devnet.go_down(now, "a test says so");
    assert!(failed(bob).message.ends_with("the devnet is going down"));
}
