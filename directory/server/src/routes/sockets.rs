//! Websockets: the original's stream of metrics, and our own of numbered events.

use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::response::Response;
use directory_api::{MAX_TOPOLOGY_BYTES, Topic, paths};
use runtime::ConnectionPlace;
use serde::Deserialize;

use super::App;
use crate::answer::{self, Failure};
use crate::hub::Subscription;
use crate::openapi::{self, SocketRefused};
use crate::socket::{self, Manners};

/// Bytes that are read at once. What comes in is pongs and a closing frame; the library's default of
/// 128 KiB would be taken for each of thousands of connections.
const READ_BUFFER_BYTES: usize = 1 << 10;

/// Most bytes of a message that are read. `socket` refuses shorter ones already, and says so; a client
/// hears that only if all that it has sent was read.
const MAX_READ_BYTES: usize = 16 << 10;

/// Most bytes of messages that wait in a connection. Each is written out before the next is taken,
/// so this bounds one message, the longest of which is a snapshot, and a pong beside it.
const MAX_WRITE_BUFFER_BYTES: usize = MAX_TOPOLOGY_BYTES + (4 << 10);

/// An upgrade to a websocket, by a program or by a page that may have one.
pub(super) struct Upgrade {
    upgrade: WebSocketUpgrade,
    /// Kept until the websocket ends.
    place: Option<Arc<ConnectionPlace>>,
}

impl FromRequestParts<App> for Upgrade {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        origin::check(&parts.headers, &app.options.allowed_origins).map_err(Failure::Origin)?;
        let place = parts.extensions.remove();
        let upgrade = WebSocketUpgrade::from_request_parts(parts, app).await;
        upgrade.map(|upgrade| Self { upgrade, place }).map_err(
            |rejection: WebSocketUpgradeRejection| Failure::NoUpgrade(rejection.body_text()),
        )
    }
}

impl Upgrade {
    fn serve(self, app: &App, subscription: Subscription, manners: Manners) -> Response {
        let upgrade = self
            .upgrade
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
            .max_message_size(MAX_READ_BYTES)
            .max_frame_size(MAX_READ_BYTES);
        let token = app.sockets.token();
        let (shutdown, cut_off) = (app.shutdown.clone(), app.cut_off.clone());
        upgrade.on_upgrade(move |socket: WebSocket| async move {
            tokio::select! {
                () = socket::serve(socket, subscription, manners, shutdown) => {}
                () = cut_off.cancelled() => {}
            }
            drop((token, self.place));
        })
    }
}

/// Every metric report as it comes. A websocket.
///
/// Text frames with one or more metric objects, separated by newlines. Who does not read in time
/// loses its connection. What a client sends is not listened to.
#[utoipa::path(
    get,
    path = paths::WS,
    operation_id = "metricsStream",
    tag = "streams",
    responses(
        (status = 101, description = "A websocket"),
        SocketRefused,
    ),
)]
pub(super) async fn ws(State(app): State<App>, upgrade: Upgrade) -> Result<Response, Failure> {
    let subscription = app.hub.listen().ok_or(Failure::TooManySubscribers)?;
    Ok(upgrade.serve(&app, subscription, Manners::ORIGINAL))
}

/// What a subscriber asks for.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Words separated by commas: `topology`, `presence`, `metrics`. All of them without it.
    #[param(example = "topology,metrics")]
    topics: Option<String>,
}

/// Everything that happens, numbered. A websocket. Not in the original.
///
/// Text frames with one object each, after `/ws/events/schema.json`: a snapshot of the topology
/// first, then updates. Numbers count per subscription. Who missed some because it read too slowly
/// gets a new snapshot, whose number tells how much was missed.
#[utoipa::path(
    get,
    path = paths::EVENTS,
    operation_id = "events",
    tag = "streams",
    params(EventsQuery),
    responses(
        (status = 101, description = "A websocket"),
        SocketRefused,
    ),
)]
pub(super) async fn events(
    State(app): State<App>,
    query: Result<Query<EventsQuery>, QueryRejection>,
    upgrade: Upgrade,
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
    Ok(upgrade.serve(&app, subscription, Manners::EVENTS))
}

/// JSON Schema of the frames of the event stream.
#[utoipa::path(
    get,
    path = paths::EVENTS_SCHEMA,
    operation_id = "eventsSchema",
    tag = "streams",
    responses((status = 200, description = "A JSON Schema (2020-12)", body = Object)),
)]
pub(super) async fn schema() -> Response {
    static SCHEMA: LazyLock<Bytes> = LazyLock::new(|| {
        serde_json::to_vec_pretty(&openapi::events_schema()).expect("a schema is JSON").into()
    });
    answer::prepared(SCHEMA.clone())
}
