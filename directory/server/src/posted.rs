//! The body of a request that writes: bounded in bytes and in time, and not from a foreign page.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use http_body_util::BodyExt as _;
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
        let size = body.size_hint();
        let fits = |bytes: u64| usize::try_from(bytes).ok().filter(|bytes| *bytes <= LIMIT);
        // Most say beforehand how much it is; nothing is read then.
        fits(size.lower()).ok_or(Failure::BodyTooLong { limit: LIMIT })?;
        let most = size.upper().and_then(fits).unwrap_or(LIMIT);
        let share = app.budget.body(most).await?;
        let read = timeout(BODY_DEADLINE, read(body, LIMIT)).await;
        let bytes = read.map_err(|_| Failure::BodyTooSlow)??;
        Ok(Self(share.hold(bytes)))
    }
}

/// The body as one piece. Pieces are not kept as they come: the smallest would take thirty times its
/// length.
async fn read(mut body: Body, limit: usize) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Body(error.to_string()))?;
        // Anything else is a trailer, which says nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - bytes.len() {
            return Err(Failure::BodyTooLong { limit });
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}
