//! The route by which attacks are run.

use axum::Json;
use axum::extract::State;
use control::{AttackRequest, AttackStatus, paths};

use super::Api;
use super::body::{MAX_BODY_BYTES, Posted};
use super::refusal::{BodyRefused, Refusal, Refused};
use super::routes::ask;
use crate::ask::Ask;

/// Run an attack on the devnet, and hear what its defences answered.
///
/// Answered when it is over, also where it went through, was not carried out, or nothing is known of it:
/// `end` says so. `attack` events tell of each step.
#[utoipa::path(
    post,
    path = paths::ATTACKS,
    operation_id = "attack",
    tag = "change",
    request_body(content = AttackRequest, example = json!({
        "plan": {"attack": "replay", "from": "alice", "to": "mix-1-1", "times": 2},
    })),
    responses((status = 200, description = "It is over", body = AttackStatus), BodyRefused, Refused),
)]
pub(super) async fn attack(
    State(api): State<Api>,
    Posted(request): Posted<AttackRequest, MAX_BODY_BYTES>,
) -> Result<Json<AttackStatus>, Refusal> {
    Ok(Json(ask(&api.asks, |reply| Ask::Attack { request, reply }).await?))
}
