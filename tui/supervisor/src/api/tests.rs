//! The interface in front of a loop that answers nothing but who wants to listen.

mod crowd;
mod document;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::Content;
use control::{
    ControlClient, ControlError, Envelope, Failure, FailureCode, LogLine, Passage, SendRequest,
    SendWait, StreamEvent,
};
use tokio::net::UnixListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::door::Door;
use super::serve::Way;
use super::*;
use crate::clock::Moment;
use crate::hub::{Hub, MAX_BEHIND, Taken};
use crate::testing::{empty_snapshot, within};

/// The control interface of a devnet of which nothing is known.
pub(super) struct Desk {
    pub(super) client: ControlClient,
    pub(super) socket: PathBuf,
    hub: Arc<Mutex<Hub>>,
    _dir: tempfile::TempDir,
    _shutdown: DropGuard,
}

impl Desk {
    pub(super) fn new() -> Self {
        let hub = Arc::new(Mutex::new(Hub::default()));
        let dir = tempfile::tempdir().expect("a folder");
        let socket = dir.path().join("control.sock");
        let (asks, mut asked) = mpsc::channel(1);
        let shutdown = CancellationToken::new();
        let (door, router) = (Door::Control, router(asks));
        let way = Way { door, router, shutdown: shutdown.clone() };
        tokio::spawn(way.serve(UnixListener::bind(&socket).expect("binds")));
        let of_loop = Arc::clone(&hub);
        tokio::spawn(async move {
            while let Some(ask) = asked.recv().await {
                let mut hub = lock(&of_loop);
                if let Ask::Confide { nodes, reply } = ask {
                    drop(reply.send(Ok(hub.confide(&nodes))));
                    continue;
                }
                let Ask::Subscribe(reply) = ask else { continue };
                let now = Moment::now();
                let subscription =
                    hub.join().unwrap_or_else(|| hub.subscribe(now, empty_snapshot()));
                drop(reply.send(Ok(subscription)));
            }
        });
        let client = ControlClient::new(&socket).expect("a client");
        Self { client, socket, hub, _dir: dir, _shutdown: shutdown.drop_guard() }
    }

    /// Lines of a log, all at once: nobody reads before the last of them is there.
    pub(super) fn publish(&self, count: usize, text: &str) {
        let mut hub = lock(&self.hub);
        for _ in 0..count {
            let line = LogLine { node: "x".into(), unix_ms: 0, line: text.into() };
            hub.publish(Moment::now(), StreamEvent::Log(line));
        }
    }
}

fn lock(hub: &Mutex<Hub>) -> MutexGuard<'_, Hub> {
    hub.lock().unwrap_or_else(PoisonError::into_inner)
}

#[tokio::test]
async fn who_falls_behind_goes_on_from_a_snapshot() {
    let desk = Desk::new();
    let mut events = within(desk.client.events()).await.expect("a stream");
    let mut next = async || within(events.next()).await.expect("readable").expect("not over");
    assert!(matches!(next().await.event, StreamEvent::Snapshot(_)));
    desk.publish(1, "x");
    assert!(matches!(next().await, event if event.seq == 1));

    let missed = MAX_BEHIND + 1;
    desk.publish(missed, "x");
    let snapshot = next().await;
    assert_eq!(snapshot.seq, 1 + u64::try_from(missed).expect("small"));
    assert!(matches!(snapshot.event, StreamEvent::Snapshot(anew) if *anew == empty_snapshot()));
    desk.publish(1, "x");
    assert_eq!(next().await.seq, snapshot.seq + 1);
}

/// What nodes know is for those who asked about these nodes, and for nobody else.
#[tokio::test]
async fn passages_are_told_to_those_who_asked_and_to_no_others() {
    let desk = Desk::new();
    let mut events = within(desk.client.events()).await.expect("a stream");
    assert!(within(events.next()).await.expect("readable").is_some(), "a snapshot");
    assert!(!lock(&desk.hub).has_insiders());
    let mut one = within(desk.client.passages(&["mix-1-1"])).await.expect("a stream");
    let mut two = within(desk.client.passages(&["mix-1-1", "mix-2-1"])).await.expect("a stream");
    assert!(lock(&desk.hub).has_insiders());
    for node in ["mix-3-1", "mix-2-1", "mix-1-1"] {
        let to = "provider-1".to_owned();
        let passage = Passage::Mixed { came: None, left: contract::Time::from_nanos(7), to };
        lock(&desk.hub).tell(Moment::now(), node, vec![passage]);
    }
    desk.publish(1, "x");
    let mut told = Vec::new();
    for is_first in [true, false, false] {
        let stream = if is_first { &mut one } else { &mut two };
        let envelope = within(stream.next()).await.expect("readable").expect("not over");
        let StreamEvent::Passages { node, .. } = envelope.event else { panic!("{envelope:?}") };
        assert_eq!(envelope.seq, 0, "it is no event of the devnet");
        told.push(node);
    }
    assert_eq!(told, ["mix-1-1", "mix-2-1", "mix-1-1"]);
    let next = within(events.next()).await.expect("readable").expect("not over");
    assert!(matches!(next, Envelope { seq: 1, event: StreamEvent::Log(_), .. }), "{next:?}");
    // Nobody is kept who has gone.
    drop((one, two));
    let gone = async {
        while lock(&desk.hub).has_insiders() {
            tokio::task::yield_now().await;
        }
    };
    within(gone).await;
}

/// A reader that does not read costs nothing from then on, and hears that it was left behind.
#[tokio::test]
async fn whoever_is_told_and_does_not_read_is_told_no_more() {
    let hub = &mut Hub::default();
    let slow = hub.confide(&["mix-1-1".to_owned()]);
    let tell = |hub: &Hub| hub.tell(Moment::now(), "mix-1-1", Vec::new());
    (0..MAX_BEHIND).for_each(|_| tell(hub));
    assert!(hub.has_insiders() && hub.is_confided("mix-1-1"));
    tell(hub);
    assert!(!hub.has_insiders() && !hub.is_confided("mix-1-1"));
    assert_eq!(slow.next().await, Taken::Overrun);
    let again = hub.confide(&["mix-1-1".to_owned()]);
    tell(hub);
    assert!(matches!(again.next().await, Taken::Line(_)) && hub.has_insiders());
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_a_reason() {
    let desk = Desk::new();
    // The loop does not answer this, so it is as if it had ended.
    let error = within(desk.client.status()).await.expect_err("nobody answers");
    assert!(matches!(error, ControlError::Refused(failure)
        if failure.code == FailureCode::NoSuchDevnet));
    let endless = SendRequest {
        from: "alice".into(),
        to: "bob".into(),
        content: Content::Text("x".into()),
        wait: SendWait::Delivered,
        timeout_ms: u64::MAX,
    };
    let error = within(desk.client.send(&endless)).await.expect_err("nobody answers");
    assert!(matches!(error, ControlError::Refused(_)), "{error}");

    let http = reqwest::Client::builder().unix_socket(&*desk.socket).build();
    let http = http.expect("a client");
    let long = format!(r#"{{"purge":false,"why":"{}"}}"#, "x".repeat(body::MAX_BODY_BYTES));
    for (path, body, status) in [
        (paths::SEND, "{}", 400),
        (paths::SEND, "nonsense", 400),
        (paths::DOWN, r#"{"purge":"yes"}"#, 400),
        (paths::DOWN, &long, 413),
        ("/v1/nodes/alice", r#"{"action":"explode"}"#, 400),
        ("/v1/nodes/%ff", r#"{"action":"stop"}"#, 400),
        ("/v1/elsewhere", "{}", 404),
        (paths::STATUS, "{}", 405),
    ] {
        let request = http.post(format!("http://supervisor{path}")).body(body.to_owned());
        let answer = within(request.send()).await.expect("an answer");
        assert_eq!(answer.status(), status, "{path} {body}");
        let failure: Failure = answer.json().await.expect("a failure");
        assert_eq!(failure.code, FailureCode::Usage);
    }
    let request = http.get("http://supervisor/v1/inbox?after=1");
    assert_eq!(within(request.send()).await.expect("an answer").status(), 400, "whose?");
}
