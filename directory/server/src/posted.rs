//! The body of a request that writes: bounded in bytes and in time, and not from a foreign page.

use std::time::Duration;

use axum::body::{Bytes, HttpBody as _, to_bytes};
use axum::extract::{FromRequest, Request};
use tokio::time::timeout;

use crate::answer::Failure;
use crate::routes::App;

/// A client has this long to send its body.
pub(crate) const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// A body of at most `LIMIT` bytes. Whoever takes it has passed the check of `Origin`: a web page in
/// the user's browser can post anywhere on this machine.
pub(crate) struct Posted<const LIMIT: usize>(pub(crate) Bytes);

impl<const LIMIT: usize> FromRequest<App> for Posted<LIMIT> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        origin::check(request.headers(), &app.options.allowed_origins).map_err(Failure::Origin)?;
        let body = request.into_body();
        let too_long = || Failure::BodyTooLong { limit: LIMIT };
        // Most say beforehand how much it is; nothing is read then.
        if body.size_hint().lower() > LIMIT as u64 {
            return Err(too_long());
        }
        let read = timeout(BODY_DEADLINE, to_bytes(body, LIMIT)).await;
        let body = read.map_err(|_| Failure::BodyTooSlow)?;
        body.map(Self).map_err(|error| {
            let error = error.into_inner();
            if error.is::<http_body_util::LengthLimitError>() {
                too_long()
            } else {
                Failure::Body(error.to_string())
            }
        })
    }
}
