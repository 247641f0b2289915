//! The control interface: HTTP with JSON on the devnet's socket. It hands every question to the
//! loop and puts the answer into HTTP.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use control::{
    AddRequest, DownRequest, Failure, FailureCode, NodeAction, PingRequest, SendRequest,
    SetRequest, paths,
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, oneshot};

use crate::ask::{Ask, Reply};
use crate::hub::Subscription;

/// The longest request: a message of a megabyte in which JSON escapes every byte.
const MAX_BODY_BYTES: usize = 8 << 20;

type Asks = mpsc::Sender<Ask>;

/// All routes.
pub(crate) fn router(asks: Asks) -> Router {
    Router::new()
        .route(paths::STATUS, get(status))
        .route(paths::EVENTS, get(events))
        .route(paths::SEND, post(send))
        .route(paths::INBOX, get(inbox))
        .route(paths::PING, post(ping))
        .route(paths::SET, post(set))
        .route(paths::NODES, post(add))
        .route(&format!("{}/{{node}}", paths::NODES), post(act).delete(remove))
        .route(paths::DOWN, post(down))
        .fallback(async || Refusal(Failure::new(FailureCode::Usage, "there is no such route")))
        .method_not_allowed_fallback(async || {
            Refusal(Failure::new(FailureCode::Usage, "the route takes another method"))
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(asks)
}

async fn status(State(asks): State<Asks>) -> Response {
    answer(&asks, Ask::Status).await
}

async fn send(
    State(asks): State<Asks>,
    request: Result<Json<SendRequest>, JsonRejection>,
) -> Response {
    match request {
        Ok(Json(request)) => answer(&asks, |reply| Ask::Send { request, reply }).await,
        Err(rejection) => wrong(&rejection.body_text()),
    }
}

#[derive(Deserialize)]
struct InboxQuery {
    client: String,
    #[serde(default)]
    after: u64,
}

async fn inbox(
    State(asks): State<Asks>,
    query: Result<Query<InboxQuery>, QueryRejection>,
) -> Response {
    match query {
        Ok(Query(InboxQuery { client, after })) => {
            answer(&asks, |reply| Ask::Inbox { client, after, reply }).await
        }
        Err(rejection) => wrong(&rejection.body_text()),
    }
}

async fn ping(
    State(asks): State<Asks>,
    request: Result<Json<PingRequest>, JsonRejection>,
) -> Response {
    match request {
        Ok(Json(request)) => answer(&asks, |reply| Ask::Ping { request, reply }).await,
        Err(rejection) => wrong(&rejection.body_text()),
    }
}

async fn set(
    State(asks): State<Asks>,
    request: Result<Json<SetRequest>, JsonRejection>,
) -> Response {
    match request {
        Ok(Json(request)) => answer(&asks, |reply| Ask::Set { request, reply }).await,
        Err(rejection) => wrong(&rejection.body_text()),
    }
}

async fn add(
    State(asks): State<Asks>,
    request: Result<Json<AddRequest>, JsonRejection>,
) -> Response {
    match request {
        Ok(Json(request)) => answer(&asks, |reply| Ask::Add { request, reply }).await,
        Err(rejection) => wrong(&rejection.body_text()),
    }
}

async fn remove(State(asks): State<Asks>, Path(node): Path<String>) -> Response {
    answer(&asks, |reply| Ask::Remove { node, reply }).await
}

async fn act(
    State(asks): State<Asks>,
    Path(node): Path<String>,
    action: Result<Json<NodeAction>, JsonRejection>,
) -> Response {
    match action {
        Ok(Json(action)) => answer(&asks, |reply| Ask::Act { node, action, reply }).await,
        Err(rejection) => wrong(&rejection.body_text()),
    }
}

async fn down(
    State(asks): State<Asks>,
    request: Result<Json<DownRequest>, JsonRejection>,
) -> Response {
    match request {
        Ok(Json(request)) => answer(&asks, |reply| Ask::Down { request, reply }).await,
        Err(rejection) => wrong(&rejection.body_text()),
    }
}

async fn events(State(asks): State<Asks>) -> Response {
    let Subscription { snapshot, events } = match ask(&asks, Ask::Subscribe).await {
        Ok(subscription) => subscription,
        Err(failure) => return Refusal(failure).into_response(),
    };
    let lines = stream::unfold((Some(snapshot), events, asks), |(first, mut events, asks)| async {
        let line: Bytes = match first {
            Some(snapshot) => snapshot,
            None => match events.recv().await {
                Ok(line) => line,
                // It fell behind: it goes on from a new snapshot.
                Err(RecvError::Lagged(_)) => {
                    let anew = ask(&asks, Ask::Subscribe).await.ok()?;
                    events = anew.events;
                    anew.snapshot
                }
                Err(RecvError::Closed) => return None,
            },
        };
        Some((Ok::<_, Infallible>(line), (None, events, asks)))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

async fn answer<T: Serialize>(asks: &Asks, question: impl FnOnce(Reply<T>) -> Ask) -> Response {
    match ask(asks, question).await {
        Ok(answer) => Json(answer).into_response(),
        Err(failure) => Refusal(failure).into_response(),
    }
}

async fn ask<T>(asks: &Asks, question: impl FnOnce(Reply<T>) -> Ask) -> Result<T, Failure> {
    let ended = || Failure::new(FailureCode::NoSuchDevnet, "the devnet has just ended");
    let (reply, answer) = oneshot::channel();
    asks.send(question(reply)).await.map_err(|_| ended())?;
    answer.await.map_err(|_| ended())?
}

fn wrong(why: &str) -> Response {
    Refusal(Failure::new(FailureCode::Usage, format!("the request is not understood: {why}")))
        .into_response()
}

/// A failure as an answer.
struct Refusal(Failure);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self.0.code {
            FailureCode::Usage | FailureCode::InvalidLayout => StatusCode::BAD_REQUEST,
            FailureCode::NoSuchDevnet | FailureCode::NoSuchNode => StatusCode::NOT_FOUND,
            FailureCode::Forbidden => StatusCode::FORBIDDEN,
            FailureCode::NotRunning | FailureCode::NameInUse | FailureCode::PortTaken => {
                StatusCode::CONFLICT
            }
            FailureCode::DeadlinePassed => StatusCode::GATEWAY_TIMEOUT,
            FailureCode::SendFailed | FailureCode::NodeLost => StatusCode::BAD_GATEWAY,
            FailureCode::Environment | FailureCode::Unreachable | FailureCode::Other => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        (status, Json(self.0)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    use contract::Content;
    use control::{ControlClient, ControlError, LogLine, SendWait, StreamEvent};
    use tokio::net::UnixListener;

    use super::*;
    use crate::clock::Moment;
    use crate::hub::{Hub, MAX_BEHIND};
    use crate::testing::{empty_snapshot, within};

    /// The interface in front of a loop that only knows how to subscribe.
    fn serve(hub: Arc<Mutex<Hub>>) -> (ControlClient, tempfile::TempDir) {
        let dir = tempfile::tempdir().expect("a folder");
        let socket = dir.path().join("control.sock");
        let (asks, mut asked) = mpsc::channel(1);
        let server = axum::serve(UnixListener::bind(&socket).expect("binds"), router(asks));
        tokio::spawn(server.into_future());
        tokio::spawn(async move {
            while let Some(ask) = asked.recv().await {
                let Ask::Subscribe(reply) = ask else { continue };
                let hub = hub.lock().unwrap_or_else(PoisonError::into_inner);
                drop(reply.send(Ok(hub.subscribe(Moment::now(), empty_snapshot()))));
            }
        });
        (ControlClient::new(socket).expect("a client"), dir)
    }

    #[tokio::test]
    async fn who_falls_behind_goes_on_from_a_snapshot() {
        let hub = Arc::new(Mutex::new(Hub::new()));
        let (client, _dir) = serve(hub.clone());
        let publish = |count: usize| {
            let mut hub = hub.lock().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..count {
                let line = LogLine { node: "x".into(), unix_ms: 0, line: "x".into() };
                hub.publish(Moment::now(), StreamEvent::Log(line));
            }
        };
        let mut events = within(client.events()).await.expect("a stream");
        let mut next = async || within(events.next()).await.expect("readable").expect("not over");
        assert!(matches!(next().await.event, StreamEvent::Snapshot(_)));
        publish(1);
        assert!(matches!(next().await, event if event.seq == 1));

        // One thread: the stream is not read before all of them are there.
        let missed = MAX_BEHIND + 1;
        publish(missed);
        let snapshot = next().await;
        assert_eq!(snapshot.seq, 1 + u64::try_from(missed).expect("small"));
        assert!(matches!(snapshot.event, StreamEvent::Snapshot(anew) if *anew == empty_snapshot()));
        publish(1);
        assert_eq!(next().await.seq, snapshot.seq + 1);
    }

    #[tokio::test]
    async fn what_is_not_understood_is_refused_with_a_reason() {
        let (client, _dir) = serve(Arc::new(Mutex::new(Hub::new())));
        // The loop does not answer this, so it is as if it had ended.
        let error = within(client.status()).await.expect_err("nobody answers");
        assert!(matches!(error, ControlError::Refused(failure)
            if failure.code == FailureCode::NoSuchDevnet));
        let endless = SendRequest {
            from: "alice".into(),
            to: "bob".into(),
            content: Content::Text("x".into()),
            wait: SendWait::Delivered,
            timeout: Duration::MAX,
        };
        let error = within(client.send(&endless)).await.expect_err("nobody answers");
        assert!(matches!(error, ControlError::Refused(_)), "{error}");

        let http =
            reqwest::Client::builder().unix_socket(client.socket()).build().expect("a client");
        for (path, body) in [
            (paths::SEND, "{}"),
            (paths::SEND, "nonsense"),
            (paths::DOWN, r#"{"purge":"yes"}"#),
            ("/v1/nodes/alice", r#"{"action":"explode"}"#),
            ("/v1/elsewhere", "{}"),
            (paths::STATUS, "{}"),
        ] {
            let request = http.post(format!("http://supervisor{path}"));
            let request = request.header("content-type", "application/json").body(body);
            let answer = within(request.send()).await.expect("an answer");
            assert_eq!(answer.status(), 400, "{path} {body}");
            let failure: Failure = answer.json().await.expect("a failure");
            assert_eq!(failure.code, FailureCode::Usage);
        }
    }
}
