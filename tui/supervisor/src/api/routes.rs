//! What each route asks of the loop.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use control::{
    AddRequest, DevnetInfo, DownReport, DownRequest, Envelope, Failure, FailureCode, Inbox,
    MessageStatus, NodeAction, NodeStatus, PingRequest, Pong, SendRequest, SetRequest, Snapshot,
    paths,
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::body::{MAX_BODY_BYTES, MAX_SEND_BYTES, Posted};
use super::refusal::{BodyRefused, Refusal, Refused};
use super::{Api, Asks};
use crate::ask::{Ask, Reply};
use crate::hub::{Subscription, Taken};

type Answer<T> = Result<Json<T>, Refusal>;

/// The whole state.
#[utoipa::path(
    get,
    path = paths::STATUS,
    operation_id = "status",
    tag = "look",
    responses((status = 200, description = "As it is now", body = Snapshot), Refused),
)]
pub(super) async fn status(State(api): State<Api>) -> Answer<Box<Snapshot>> {
    answer(&api.asks, Ask::Status).await
}

/// Everything that happens, from now on.
///
/// One JSON object a line, without end. The first is a snapshot; a reader that falls behind gets
/// another, whose number shows how many events it missed. The stream ends after an event `down`, or
/// with the supervisor.
#[utoipa::path(
    get,
    path = paths::EVENTS,
    operation_id = "events",
    tag = "look",
    responses(
        (status = 200, description = "Lines, each of them like this", body = Envelope, content_type = "application/x-ndjson"),
        Refused,
    ),
)]
pub(super) async fn events(State(api): State<Api>) -> Result<Response, Refusal> {
    let Subscription { snapshot, events } = ask(&api.asks, Ask::Subscribe).await?;
    let begin = (Some(snapshot), events, api.asks);
    let lines = stream::unfold(begin, |(first, mut events, asks)| async {
        let line: Bytes = match first {
            Some(snapshot) => shared(snapshot),
            None => match events.next().await {
                Taken::Line(line) => line,
                Taken::Overrun => {
                    let anew = ask(&asks, Ask::Subscribe).await.ok()?;
                    events = anew.events;
                    shared(anew.snapshot)
                }
                Taken::Closed => return None,
            },
        };
        Some((Ok::<_, Infallible>(line), (None, events, asks)))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)).into_response())
}

/// A line that is kept for others as long as this one has not gone out.
fn shared(line: Arc<Bytes>) -> Bytes {
    struct Shared(Arc<Bytes>);
    impl AsRef<[u8]> for Shared {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    Bytes::from_owner(Shared(line))
}

/// Send a message.
///
/// Answered when the client accepted it, or with `"wait": "delivered"` when the recipient has it.
#[utoipa::path(
    post,
    path = paths::SEND,
    operation_id = "send",
    tag = "messages",
    request_body(content = SendRequest, example = json!({
        "from": "alice",
        "to": "bob",
        "content": {"text": "hello"},
        "wait": "delivered",
        "timeout_ms": 30_000,
    })),
    responses(
        (status = 200, description = "How far it has come", body = MessageStatus),
        (status = 502, description = "It could not be delivered", body = Failure),
        (status = 504, description = "The time is over; it may still arrive", body = Failure),
        BodyRefused,
        Refused,
    ),
)]
pub(super) async fn send(
    State(api): State<Api>,
    Posted(request): Posted<SendRequest, MAX_SEND_BYTES>,
) -> Answer<MessageStatus> {
    answer(&api.asks, |reply| Ask::Send { request, reply }).await
}

/// Whose messages, and from where on.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct InboxQuery {
    /// Name of the client.
    #[param(example = "alice")]
    client: String,
    /// Only what has a greater number. Without it, from the first on.
    #[serde(default)]
    #[param(default = 0)]
    after: u64,
}

/// A page of what a client keeps of what it received.
///
/// Reading it takes nothing from an application. A client that is just being started again is waited
/// for.
#[utoipa::path(
    get,
    path = paths::INBOX,
    operation_id = "inbox",
    tag = "messages",
    params(InboxQuery),
    responses(
        (status = 200, description = "The page", body = Inbox),
        (status = 400, description = "No client is named, or not a client", body = Failure),
        (status = 409, description = "The client does not run", body = Failure),
        (status = 504, description = "It does not answer", body = Failure),
        Refused,
    ),
)]
pub(super) async fn inbox(
    State(api): State<Api>,
    query: Result<Query<InboxQuery>, QueryRejection>,
) -> Answer<Inbox> {
    let Query(InboxQuery { client, after }) = query?;
    answer(&api.asks, |reply| Ask::Inbox { client, after, reply }).await
}

/// Let a client send a packet to itself, through all layers.
#[utoipa::path(
    post,
    path = paths::PING,
    operation_id = "ping",
    tag = "messages",
    request_body(content = PingRequest, example = json!({"client": "alice", "timeout_ms": 30_000})),
    responses(
        (status = 200, description = "It is back", body = Pong),
        (status = 502, description = "The client could not send it", body = Failure),
        (status = 504, description = "It did not come back in time", body = Failure),
        BodyRefused,
        Refused,
    ),
)]
pub(super) async fn ping(
    State(api): State<Api>,
    Posted(request): Posted<PingRequest, MAX_BODY_BYTES>,
) -> Answer<Pong> {
    answer(&api.asks, |reply| Ask::Ping { request, reply }).await
}

/// Go on with other parameters.
///
/// They hold from the next packet on; no process is started again.
#[utoipa::path(
    post,
    path = paths::SET,
    operation_id = "set",
    tag = "change",
    request_body(content = SetRequest, example = json!({"hop_delay_ms": 50.0, "loop_cover_ms": 200.0})),
    responses((status = 200, description = "The devnet as it is now", body = DevnetInfo), BodyRefused, Refused),
)]
pub(super) async fn set(
    State(api): State<Api>,
    Posted(request): Posted<SetRequest, MAX_BODY_BYTES>,
) -> Answer<DevnetInfo> {
    answer(&api.asks, |reply| Ask::Set { request, reply }).await
}

/// One more node.
#[utoipa::path(
    post,
    path = paths::NODES,
    operation_id = "add",
    tag = "change",
    request_body(content = AddRequest, example = json!({"role": "mixnode", "layer": 1})),
    responses((status = 200, description = "It is being started", body = NodeStatus), BodyRefused, Refused),
)]
pub(super) async fn add(
    State(api): State<Api>,
    Posted(request): Posted<AddRequest, MAX_BODY_BYTES>,
) -> Answer<NodeStatus> {
    answer(&api.asks, |reply| Ask::Add { request, reply }).await
}

/// Do something to a process.
#[utoipa::path(
    post,
    path = paths::NODE,
    operation_id = "act",
    tag = "change",
    params(("node" = String, Path, description = "Its name", example = "mix-1-1")),
    request_body(content = NodeAction, example = json!({"action": "restart"})),
    responses((status = 200, description = "How it is now", body = NodeStatus), BodyRefused, Refused),
)]
pub(super) async fn act(
    State(api): State<Api>,
    node: Result<Path<String>, PathRejection>,
    Posted(action): Posted<NodeAction, MAX_BODY_BYTES>,
) -> Answer<NodeStatus> {
    let Path(node) = node?;
    answer(&api.asks, |reply| Ask::Act { node, action, reply }).await
}

/// One node less.
///
/// It leaves the directory, drains for at most 3 s and ends; an event `removed` tells when it is gone.
#[utoipa::path(
    delete,
    path = paths::NODE,
    operation_id = "remove",
    tag = "change",
    params(("node" = String, Path, description = "Its name", example = "bob")),
    responses(
        (status = 200, description = "It was asked to leave", body = NodeStatus),
        (status = 400, description = "The devnet cannot be without it", body = Failure),
        (status = 409, description = "Not now", body = Failure),
        Refused,
    ),
)]
pub(super) async fn remove(
    State(api): State<Api>,
    node: Result<Path<String>, PathRejection>,
) -> Answer<NodeStatus> {
    let Path(node) = node?;
    answer(&api.asks, |reply| Ask::Remove { node, reply }).await
}

/// Stop everything.
///
/// Answered when it is stopped.
#[utoipa::path(
    post,
    path = paths::DOWN,
    operation_id = "down",
    tag = "change",
    request_body(content = DownRequest, example = json!({"purge": false})),
    responses((status = 200, description = "It is stopped", body = DownReport), BodyRefused, Refused),
)]
pub(super) async fn down(
    State(api): State<Api>,
    Posted(request): Posted<DownRequest, MAX_BODY_BYTES>,
) -> Answer<DownReport> {
    answer(&api.asks, |reply| Ask::Down { request, reply }).await
}

async fn answer<T: Serialize>(asks: &Asks, question: impl FnOnce(Reply<T>) -> Ask) -> Answer<T> {
    Ok(Json(ask(asks, question).await?))
}

pub(super) async fn ask<T>(
    asks: &Asks,
    question: impl FnOnce(Reply<T>) -> Ask,
) -> Result<T, Failure> {
    let ended = || Failure::new(FailureCode::NoSuchDevnet, "the devnet has just ended");
    let (reply, answer) = oneshot::channel();
    asks.send(question(reply)).await.map_err(|_| ended())?;
    answer.await.map_err(|_| ended())?
}
