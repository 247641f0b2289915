//! The control interface: HTTP with JSON. It hands every question to the loop and puts the answer
//! into HTTP. One list makes the router and the OpenAPI document.

mod body;
mod door;
mod openapi;
mod refusal;
mod routes;
mod serve;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use control::paths;
use tokio::sync::{Semaphore, mpsc};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
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
}

/// The routes and their description, made once.
static API: LazyLock<(Router<Api>, OpenApi)> = LazyLock::new(|| {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(routes::status))
        .routes(routes!(routes::events))
        .routes(routes!(routes::send))
        .routes(routes!(routes::inbox))
        .routes(routes!(routes::ping))
        .routes(routes!(routes::set))
        .routes(routes!(routes::add))
        .routes(routes!(routes::act, routes::remove))
        .routes(routes!(routes::down))
        .routes(routes!(document))
        .split_for_parts()
});

/// The document as it is served.
static DOCUMENT: LazyLock<Bytes> =
    LazyLock::new(|| serde_json::to_vec(&API.1).expect("a document is plain data").into());

/// All routes.
pub(crate) fn router(asks: Asks) -> Router {
    API.0
        .clone()
        .fallback(async || Refusal::no_route())
        .method_not_allowed_fallback(async || Refusal::other_method())
        .with_state(Api { asks, long_bodies: body::long_bodies() })
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
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone())
}

#[cfg(test)]
mod tests;
