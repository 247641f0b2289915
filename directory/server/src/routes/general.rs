//! Whether the directory is there.

use axum::response::Response;
use directory_api::Accepted;

use crate::answer;

/// Is the directory there?
#[utoipa::path(
    get,
    path = "/api/healthcheck",
    operation_id = "healthCheck",
    tag = "healthcheck",
    responses((status = 200, description = "It is", body = Accepted)),
)]
pub(super) async fn healthcheck() -> Response {
    answer::ok()
}
