//! Presence: nodes announce themselves and leave; everybody reads the topology.

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, body::Bytes};
use directory_api::{
    Accepted, CocoNodeReport, Departure, MixNodeReport, MixProviderReport, Refused, Topology, paths,
};

use super::{App, Peer};
use crate::answer::{self, Failure};
use crate::limits::{MAX_BODY_BYTES, MAX_PROVIDER_BODY_BYTES};
use crate::openapi::PostRefused;
use crate::posted::Posted;
use crate::{reports, version};

/// A validator is present.
///
/// Of the original network; no node of a devnet is one. Its `host` is replaced by the address that
/// the request came from, unless it is loopback.
#[utoipa::path(
    post,
    path = paths::COCONODES,
    operation_id = "addCocoNode",
    tag = "presence",
    request_body(content = CocoNodeReport, example = json!({
        "host": "127.0.0.1:4001",
        "pubKey": "8an1MtXSMsT8ezn3fQbyzyzBzNUKbCkvZ8oVWXNzsnMV",
        "version": "0.5.0",
        "location": "here",
        "type": "validator",
    })),
    responses(
        (status = 201, description = "It is in the topology", body = Accepted),
        (status = 503, description = "Its list is full", body = Refused),
        PostRefused,
    ),
)]
pub(super) async fn add_coconode(
    State(app): State<App>,
    Extension(Peer(peer)): Extension<Peer>,
    Posted(body): Posted<MAX_BODY_BYTES>,
) -> Result<Response, Failure> {
    let report = reports::coconode(&body)?;
    app.hub.change(|registry, now| registry.announce_coconode(now, report, peer.ip())).await?;
    Ok(answer::created())
}

/// A mixnode is present.
///
/// To be repeated every 1.5 seconds: who is silent for ten is forgotten.
#[utoipa::path(
    post,
    path = paths::MIXNODES,
    operation_id = "addMixNode",
    tag = "presence",
    request_body(content = MixNodeReport, example = json!({
        "host": "127.0.0.1:9980",
        "pubKey": "8an1MtXSMsT8ezn3fQbyzyzBzNUKbCkvZ8oVWXNzsnMV",
        "version": "0.7.0",
        "location": "mix-1-1",
        "layer": 1,
    })),
    responses(
        (status = 201, description = "It is in the topology, unless it is disallowed", body = Accepted),
        (status = 503, description = "Its list is full", body = Refused),
        (status = 422, description = "Its version is too old (only with `--min-mixnode-version`)", body = Refused),
        PostRefused,
    ),
)]
pub(super) async fn add_mixnode(
    State(app): State<App>,
    Posted(body): Posted<MAX_BODY_BYTES>,
) -> Result<Response, Failure> {
    let report = reports::mixnode(&body)?;
    if let Some(minimum) = &app.options.min_mixnode_version {
        version::check(&report.version, minimum)?;
    }
    app.hub.change(|registry, now| registry.announce_mixnode(now, report)).await?;
    Ok(answer::created())
}

/// A store-and-forward provider is present (v0.5).
#[utoipa::path(
    post,
    path = paths::MIXPROVIDERS,
    operation_id = "addMixProvider",
    tag = "presence",
    request_body(content = MixProviderReport, example = json!({
        "clientListener": "127.0.0.1:9000",
        "mixnetListener": "127.0.0.1:4000",
        "pubKey": "8ZouG7osPVrDnueErMiFgcRXt3QAwKSMsT6tQocgin2B",
        "version": "0.5.0",
        "location": "provider-1",
        "registeredClients": [{"pubKey": "F179RRLmuU3TvGJoj4X8kyBkCaH2khSTnjF7SseoLKuC"}],
    })),
    responses(
        (status = 201, description = "It is in the topology", body = Accepted),
        (status = 503, description = "Its list is full", body = Refused),
        PostRefused,
    ),
)]
pub(super) async fn add_mixprovider(
    State(app): State<App>,
    Posted(body): Posted<MAX_PROVIDER_BODY_BYTES>,
) -> Result<Response, Failure> {
    let report = reports::mixprovider(&body)?;
    app.hub.change(|registry, now| registry.announce_mixprovider(now, report)).await?;
    Ok(answer::created())
}

/// A gateway is present (v0.7).
#[utoipa::path(
    post,
    path = paths::GATEWAYS,
    operation_id = "addGateway",
    tag = "presence",
    request_body(content = MixProviderReport, example = json!({
        "clientListener": "ws://127.0.0.1:9000",
        "mixnetListener": "127.0.0.1:4000",
        "pubKey": "8ZouG7osPVrDnueErMiFgcRXt3QAwKSMsT6tQocgin2B",
        "version": "0.7.0",
        "location": "provider-1",
        "registeredClients": [{"pubKey": "F179RRLmuU3TvGJoj4X8kyBkCaH2khSTnjF7SseoLKuC"}],
    })),
    responses(
        (status = 201, description = "It is in the topology", body = Accepted),
        (status = 503, description = "Its list is full", body = Refused),
        PostRefused,
    ),
)]
pub(super) async fn add_gateway(
    State(app): State<App>,
    Posted(body): Posted<MAX_PROVIDER_BODY_BYTES>,
) -> Result<Response, Failure> {
    let report = reports::gateway(&body)?;
    app.hub.change(|registry, now| registry.announce_gateway(now, report)).await?;
    Ok(answer::created())
}

/// A node leaves.
///
/// It is taken out of every list at once, instead of after ten seconds. Not in the original.
#[utoipa::path(
    post,
    path = paths::LEAVE,
    operation_id = "leave",
    tag = "presence",
    request_body(content = Departure, example = json!({"pubKey": "8an1MtXSMsT8ezn3fQbyzyzBzNUKbCkvZ8oVWXNzsnMV"})),
    responses(
        (status = 200, description = "It is in no list, whether or not it was", body = Accepted),
        PostRefused,
    ),
)]
pub(super) async fn leave(
    State(app): State<App>,
    Posted(body): Posted<MAX_BODY_BYTES>,
) -> Result<Response, Failure> {
    let departure = reports::departure(&body)?;
    app.hub.change(|registry, now| registry.leave(now, &departure.pub_key)).await?;
    Ok(answer::ok())
}

/// Everything that is present.
#[utoipa::path(
    get,
    path = paths::TOPOLOGY,
    operation_id = "topology",
    tag = "presence",
    responses((status = 200, description = "All lists, sorted by key", body = Topology)),
)]
pub(super) async fn topology(State(app): State<App>) -> Response {
    let json: Bytes = app.hub.topology();
    answer::prepared(json)
}
