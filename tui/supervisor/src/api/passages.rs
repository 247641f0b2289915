//! The route by which nodes work for somebody: what only they know of packets.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use control::{Envelope, Failure, paths};
use futures_util::stream;
use serde::Deserialize;

use super::Api;
use super::refusal::{Refusal, Refused};
use super::routes::ask;
use crate::ask::Ask;
use crate::hub::Taken;

/// Whose knowledge is wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PassagesQuery {
    /// Names of mixnodes and providers, with commas between them.
    #[param(example = "mix-1-1,provider-1")]
    nodes: String,
}

/// What corrupt nodes know of packets, from now on.
///
/// For an adversary for whom these nodes work: which packet became which at a mixnode, and in whose
/// mailbox a provider put it. One JSON object a line, without end, each an event `passages`; nothing of
/// it is in the stream of all events. A reader that falls behind is not waited for: its stream ends.
#[utoipa::path(
    get,
    path = paths::PASSAGES,
    operation_id = "passages",
    tag = "look",
    params(PassagesQuery),
    responses(
        (status = 200, description = "Lines, each of them like this", body = Envelope, content_type = "application/x-ndjson"),
        (status = 400, description = "No packets pass through a node of that name", body = Failure),
        (status = 409, description = "Nodes tell nothing, tracing is off", body = Failure),
        Refused,
    ),
)]
pub(super) async fn passages(
    State(api): State<Api>,
    query: Result<Query<PassagesQuery>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(PassagesQuery { nodes }) = query?;
    let nodes = nodes.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let told = ask(&api.asks, |reply| Ask::Confide { nodes, reply }).await?;
    let lines = stream::unfold(told, |told| async {
        match told.next().await {
            Taken::Line(line) => Some((Ok::<_, Infallible>(line), told)),
            Taken::Overrun | Taken::Closed => None,
        }
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)).into_response())
}
