//! The body of a request: JSON, bounded in bytes and in time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Api;
use super::refusal::Refusal;

/// The longest message with every byte of it escaped, and the rest of its request.
pub(super) const MAX_SEND_BYTES: usize = 8 << 20;

/// The longest of all other requests has some names and numbers.
pub(super) const MAX_BODY_BYTES: usize = 16 << 10;

/// Long bodies that are read at the same time; others wait for their turn. Together they have 32 MB.
const MAX_LONG_BODIES: usize = 4;

/// Whoever asks has this long to send its body, its turn included.
pub(super) const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// Turns to read a long body.
pub(super) fn long_bodies() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MAX_LONG_BODIES))
}

/// What a body of at most `LIMIT` bytes says. Whatever it calls itself, it is read as JSON, so that
/// `curl -d` is enough: no web page gets as far as here without a token.
pub(super) struct Posted<T, const LIMIT: usize>(pub(super) T);

impl<T: DeserializeOwned, const LIMIT: usize> FromRequest<Api> for Posted<T, LIMIT> {
    type Rejection = Refusal;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Refusal> {
        let body = request.into_body();
        let size = body.size_hint();
        let fits = |bytes: u64| usize::try_from(bytes).ok().filter(|bytes| *bytes <= LIMIT);
        // Most say beforehand how much it is; nothing is read then.
        fits(size.lower()).ok_or_else(|| Refusal::too_long(LIMIT))?;
        let is_long = size.upper().and_then(fits).unwrap_or(LIMIT) > MAX_BODY_BYTES;
        let read = async {
            let _turn = if is_long {
                Some(api.long_bodies.acquire().await.expect("it is never closed"))
            } else {
                None
            };
            let bytes = read(body, LIMIT).await?;
            serde_json::from_slice(&bytes)
                .map_err(|error| Refusal::not_understood(&error.to_string()))
        };
        timeout(BODY_DEADLINE, read).await.map_err(|_| Refusal::too_slow(BODY_DEADLINE))?.map(Self)
    }
}

async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Refusal::not_understood(&error.to_string()))?;
        // Anything else is a trailer, which says nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - bytes.len() {
            return Err(Refusal::too_long(limit));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
