//! Whether the directory is there.

use axum::response::Response;
use directory_api::{Accepted, paths};

use crate::answer;

/// Is the directory there?
#[utoipa::path(
    get,
    path = paths::HEALTHCHECK,
    operation_id = "healthCheck",
    tag = "healthcheck",
    responses((status = 200, description = "It is", body = Accepted)),
)]
pub(super) async fn healthcheck() -> Response {
    answer::ok()
}
