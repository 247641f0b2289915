//! The routes: what a request becomes, and how it is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use directory_api::{Accepted, Refused, Topic, paths};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::fields::BadBody;
use crate::hub::{Hub, Subscription};
use crate::limits::{MAX_BODY_BYTES, MAX_SUBSCRIBERS, Refusal};
use crate::socket::{self, MAX_INBOUND_BYTES, Manners};
use crate::{Options, host, reports};

/// POST: a validator is present. Of the original; no node of a devnet is one.
const COCONODES: &str = "/api/presence/coconodes";

/// Bytes of a websocket's buffers. What comes in is short, and the library's default is 128 KiB
/// for each direction of each connection.
const SOCKET_BUFFER_BYTES: usize = 4 << 10;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) hub: Arc<Hub>,
    pub(crate) options: Arc<Options>,
    /// Knows the open websockets, so that they can say goodbye before the directory stops.
    pub(crate) sockets: TaskTracker,
    pub(crate) shutdown: CancellationToken,
}

type Body = Result<Bytes, BytesRejection>;

/// All routes of the directory.
pub(crate) fn router(app: App) -> Router {
    let guard = middleware::from_fn_with_state(app.clone(), check_origin);
    Router::new()
        .route(COCONODES, post(add_coconode))
        .route(paths::MIXNODES, post(add_mixnode))
        .route(paths::MIXPROVIDERS, post(add_mixprovider))
        .route(paths::GATEWAYS, post(add_gateway))
        .route(paths::LEAVE, post(leave))
        .route(paths::WS, get(ws))
        .route(paths::EVENTS, get(events))
        .route_layer(guard.clone())
        .route(paths::METRICS, post(add_metric).layer(guard).get(list_metrics))
        .route(paths::TOPOLOGY, get(topology))
        .route(paths::HEALTHCHECK, get(healthcheck))
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(log))
        .with_state(app)
}

async fn healthcheck() -> Response {
    readable(json(&Accepted { ok: true }))
}

async fn topology(State(app): State<App>) -> Response {
    readable(app.hub.topology())
}

async fn list_metrics(State(app): State<App>) -> Response {
    readable(app.hub.metrics())
}

async fn add_coconode(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    body: Body,
) -> Result<Response, Failure> {
    let mut report = reports::coconode(&body?)?;
    report.host = host::seen_from(&report.host, peer.ip());
    app.hub.change(|registry, now| registry.announce_coconode(now, report))?;
    Ok(created())
}

async fn add_mixnode(State(app): State<App>, body: Body) -> Result<Response, Failure> {
    let report = reports::mixnode(&body?)?;
    app.hub.change(|registry, now| registry.announce_mixnode(now, report))?;
    Ok(created())
}

async fn add_mixprovider(State(app): State<App>, body: Body) -> Result<Response, Failure> {
    let report = reports::mixprovider(&body?)?;
    app.hub.change(|registry, now| registry.announce_mixprovider(now, report))?;
    Ok(created())
}

async fn add_gateway(State(app): State<App>, body: Body) -> Result<Response, Failure> {
    let report = reports::gateway(&body?)?;
    app.hub.change(|registry, now| registry.announce_gateway(now, report))?;
    Ok(created())
}

async fn leave(State(app): State<App>, body: Body) -> Result<Response, Failure> {
    let departure = reports::departure(&body?)?;
    app.hub.change(|registry, now| Ok(registry.leave(now, &departure.pub_key)))?;
    Ok(answer(StatusCode::OK, json(&Accepted { ok: true })))
}

async fn add_metric(State(app): State<App>, body: Body) -> Result<Response, Failure> {
    let report = reports::metric(&body?)?;
    app.hub.change(|registry, now| registry.report_metrics(now, report))?;
    Ok(created())
}

async fn ws(State(app): State<App>, upgrade: WebSocketUpgrade) -> Result<Response, Failure> {
    let subscription = app.hub.listen().ok_or(Failure::TooManySubscribers)?;
    Ok(open(app, upgrade, subscription, Manners::ORIGINAL))
}

#[derive(Deserialize)]
struct EventsQuery {
    topics: Option<String>,
}

async fn events(
    State(app): State<App>,
    query: Result<Query<EventsQuery>, axum::extract::rejection::QueryRejection>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let Query(query) = query.map_err(|rejection| Failure::Query(rejection.body_text()))?;
    let topics = match query.topics.as_deref() {
        None | Some("") => Topic::ALL.to_vec(),
        Some(words) => words
            .split(',')
            .map(|word| Topic::parse(word).ok_or_else(|| Failure::Topic(word.into())))
            .collect::<Result<_, _>>()?,
    };
    let subscription = app.hub.subscribe(topics).ok_or(Failure::TooManySubscribers)?;
    Ok(open(app, upgrade, subscription, Manners::EVENTS))
}

fn open(
    app: App,
    upgrade: WebSocketUpgrade,
    subscription: Subscription,
    manners: Manners,
) -> Response {
    // Long messages are refused by `socket`, which says so to the client; the library only sees to
    // it that they do not fill the memory.
    let upgrade = upgrade
        .read_buffer_size(SOCKET_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(2 * MAX_INBOUND_BYTES)
        .max_frame_size(2 * MAX_INBOUND_BYTES);
    let token = app.sockets.token();
    upgrade.on_upgrade(move |socket: WebSocket| async move {
        socket::serve(socket, subscription, manners, app.shutdown).await;
        drop(token);
    })
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found").into_response()
}

/// Keeps foreign web pages from everything that writes, and from websockets.
async fn check_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    match origin::check(request.headers(), &app.options.allowed_origins) {
        Ok(()) => next.run(request).await,
        Err(origin) => Failure::Origin(origin).into_response(),
    }
}

/// A line for each request, as on the original's console.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let start = Instant::now();
    let response = next.run(request).await;
    let (status, latency) = (response.status().as_u16(), start.elapsed());
    tracing::info!(target: "directory", "{method} {} {status} {latency:.1?}", path.escape_debug());
    response
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the body is longer than {MAX_BODY_BYTES} bytes")]
    BodyTooLong,
    #[error("the body cannot be read: {0}")]
    Body(String),
    #[error(transparent)]
    BadBody(#[from] BadBody),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(
        "pages of `{0}` may not use this directory: neither of this machine nor allowed by name"
    )]
    Origin(String),
    #[error("the query cannot be read: {0}")]
    Query(String),
    #[error("there is no topic `{0}`; there are topology, presence and metrics")]
    Topic(String),
    #[error("there are {MAX_SUBSCRIBERS} subscribers already")]
    TooManySubscribers,
}

impl From<BytesRejection> for Failure {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLong,
            _ => Self::Body(rejection.body_text()),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self {
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Origin(_) => StatusCode::FORBIDDEN,
            Self::TooManySubscribers => StatusCode::SERVICE_UNAVAILABLE,
            Self::Body(_)
            | Self::BadBody(_)
            | Self::Refused(_)
            | Self::Query(_)
            | Self::Topic(_) => StatusCode::BAD_REQUEST,
        };
        answer(status, json(&Refused { error: self.to_string() }))
    }
}

fn created() -> Response {
    answer(StatusCode::CREATED, json(&Accepted { ok: true }))
}

fn answer(status: StatusCode, json: Bytes) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], json).into_response()
}

/// An answer that pages of any origin may read, as with the original: it says what everybody on
/// this machine can ask for.
fn readable(json: Bytes) -> Response {
    ([(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")], answer(StatusCode::OK, json)).into_response()
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("the directory's types are JSON").into()
}
