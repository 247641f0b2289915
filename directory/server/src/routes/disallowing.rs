//! Mixnodes that are kept out of the topology, as v0.7.0 could.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use directory_api::{Accepted, MixNodeKey, MixNodePresence, Refused, paths};

use super::App;
use crate::answer::{self, Failure};
use crate::limits::MAX_BODY_BYTES;
use crate::openapi::PostRefused;
use crate::posted::Posted;
use crate::reports;

/// Puts a mixnode back into the topology.
#[utoipa::path(
    post,
    path = paths::ALLOW,
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
    let node = reports::allowance(&body)?;
    app.hub.change(|registry, now| registry.allow(now, &node.pub_key)).await?;
    Ok(answer::ok())
}

/// Keeps a mixnode out of the topology, present or not, until it is allowed again.
#[utoipa::path(
    post,
    path = paths::DISALLOW,
    operation_id = "disallow",
    tag = "presence",
    request_body(content = MixNodeKey, example = json!({"pubKey": "8an1MtXSMsT8ezn3fQbyzyzBzNUKbCkvZ8oVWXNzsnMV"})),
    responses(
        (status = 201, description = "It is disallowed", body = Accepted),
        (status = 503, description = "Too many are disallowed already", body = Refused),
        PostRefused,
    ),
)]
pub(super) async fn disallow(
    State(app): State<App>,
    Posted(body): Posted<MAX_BODY_BYTES>,
) -> Result<Response, Failure> {
    let node = reports::allowance(&body)?;
    app.hub.change(|registry, now| registry.disallow(now, &node.pub_key)).await?;
    Ok(answer::created())
}

/// Mixnodes that are present and disallowed.
#[utoipa::path(
    get,
    path = paths::DISALLOWED,
    operation_id = "disallowed",
    tag = "presence",
    responses((status = 200, description = "Sorted by key", body = Vec<MixNodePresence>)),
)]
pub(super) async fn disallowed(State(app): State<App>) -> Response {
    answer::json(StatusCode::OK, &app.hub.read(|registry, now| registry.disallowed(now.time)))
}
