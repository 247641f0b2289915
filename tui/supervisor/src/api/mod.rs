//! The control interface: HTTP with JSON. It hands every question to the loop and puts the answer
//! into HTTP. One list makes the router and the OpenAPI document.

mod attacks;
mod body;
mod door;
mod history;
mod openapi;
mod passages;
mod refusal;
mod routes;
mod serve;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use control::paths;
use tokio::sync::{Semaphore, mpsc};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::ask::Ask;
use refusal::Refusal;

pub(crate) use serve::{MAX_CONNECTIONS, Server};

type Asks = mpsc::Sender<Ask>;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Api {
    asks: Asks,
    long_bodies: Arc<Semaphore>,
    histories: Arc<Semaphore>,
}

/// A route with its description, made when it is asked for.
type Route = fn() -> UtoipaMethodRouter<Api>;

/// The routes.
const ROUTES: [Route; 13] = [
    || routes!(routes::status),
    || routes!(routes::events),
    || routes!(passages::passages),
    || routes!(routes::send),
    || routes!(routes::inbox),
    || routes!(history::history),
    || routes!(routes::ping),
    || routes!(attacks::attack),
    || routes!(routes::set),
    || routes!(routes::add),
    || routes!(routes::act, routes::remove),
    || routes!(routes::down),
    || routes!(document),
];

/// The document as it is served. It takes half a megabyte to make, so it is made anew for everybody who
/// asks.
fn describe() -> Bytes {
    let frame = OpenApiRouter::with_openapi(openapi::frame());
    let described = ROUTES.iter().fold(frame, |router, route| router.routes(route()));
    serde_json::to_vec(&described.into_openapi()).expect("a document is plain data").into()
}

/// All routes.
pub(crate) fn router(asks: Asks) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let (_, paths, methods) = route();
        for path in paths.paths.keys() {
            router = router.route(path, methods.clone());
        }
    }
    router
        .fallback(async || Refusal::no_route())
        .method_not_allowed_fallback(async || Refusal::other_method())
        .with_state(Api { asks, long_bodies: body::long_bodies(), histories: history::turns() })
}

/// This document.
#[utoipa::path(
    get,
    path = paths::OPENAPI,
    operation_id = "document",
    tag = "look",
    responses((status = 200, description = "OpenAPI 3.1", body = Object), refusal::Refused),
)]
async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], describe())
}

#[cfg(test)]
mod tests;
