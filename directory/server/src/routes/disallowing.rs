//! Mixnodes that are kept out of the topology, as v0.7.0 could.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use directory_api::{Accepted, MixNodeKey, MixNodePresence};

use super::App;
use crate::answer::{self, Failure};
use crate::limits::{self, MAX_BODY_BYTES};
use crate::openapi::PostRefused;
use crate::posted::Posted;
use crate::reports;

/// Puts a mixnode back into the topology.
#[utoipa::path(
    post,
    path = "/api/presence/allow",
    operation_id = "allow",
    tag = "presence",
    request_body(content = MixNodeKey, example = json!({"pubKey": "8an1MtXSMsT8ezn3fQbyzyzBzNUKbCkvZ8oVWXNzsnMV"})),
    responses(
        (status = 200, description = "It is not disallowed, whether or not it was", body = Accepted),
        PostRefused,
    ),
)]
pub(super) async fn allow(
    State(app): State<App>,
    Posted(body): Posted<MAX_BODY_BYTES>,
) -> Result<Response, Failure> {
    let pub_key = reports::allowance(&body)?;
    limits::check_key("pubKey", &pub_key)?;
    app.hub.change(|registry, now| Ok(registry.allow(now, &pub_key)))?;
    Ok(answer::ok())
}

/// Keeps a mixnode out of the topology, present or not, until it is allowed again.
#[utoipa::path(
    post,
    path = "/api/presence/disallow",
    operation_id = "disallow",
    tag = "presence",
    request_body(content = MixNodeKey, example = json!({"pubKey": "8an1MtXSMsT8ezn3fQbyzyzBzNUKbCkvZ8oVWXNzsnMV"})),
    responses(
        (status = 201, description = "It is disallowed", body = Accepted),
        PostRefused,
    ),
)]
pub(super) async fn disallow(
    State(app): State<App>,
    Posted(body): Posted<MAX_BODY_BYTES>,
) -> Result<Response, Failure> {
    let pub_key = reports::allowance(&body)?;
    app.hub.change(|registry, now| registry.disallow(now, &pub_key))?;
    Ok(answer::created())
}

/// Mixnodes that are present and disallowed.
#[utoipa::path(
    get,
    path = "/api/presence/disallowed",
    operation_id = "disallowed",
    tag = "presence",
    responses((status = 200, description = "Sorted by key", body = Vec<MixNodePresence>)),
)]
pub(super) async fn disallowed(State(app): State<App>) -> Response {
    answer::json(StatusCode::OK, &app.hub.read(|registry, now| registry.disallowed(now.time)))
}
