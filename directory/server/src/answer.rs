//! Answers: what was accepted, and why something was not.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use directory_api::{Accepted, Refused, Topic};
use serde::Serialize;

use crate::fields::BadBody;
use crate::limits::MAX_SUBSCRIBERS;
use crate::posted::BODY_DEADLINE;
use crate::version::BadVersion;
use crate::{BadQuery, Refusal};

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the body is longer than {limit} bytes")]
    BodyTooLong { limit: usize },
    #[error("the body did not come within {} s", BODY_DEADLINE.as_secs())]
    BodyTooSlow,
    #[error("the body cannot be read: {0}")]
    Body(String),
    #[error(transparent)]
    BadBody(#[from] BadBody),
    #[error(transparent)]
    BadVersion(#[from] BadVersion),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    BadHistory(#[from] BadQuery),
    #[error(
        "pages of `{0}` may not use this directory: neither of this machine nor allowed by name"
    )]
    Origin(String),
    #[error("this is a websocket: {0}")]
    NoUpgrade(String),
    #[error("the query cannot be read: {0}")]
    Query(String),
    #[error("there is no topic `{0}`; there are {all}", all = Topic::ALL.map(Topic::as_str).join(", "))]
    Topic(String),
    #[error("there are {MAX_SUBSCRIBERS} subscribers already")]
    TooManySubscribers,
    #[error("too many long bodies or histories are on their way already: ask again later")]
    Busy,
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Self::BodyTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BadVersion(BadVersion::TooOld { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Origin(_) => StatusCode::FORBIDDEN,
            Self::Refused(Refusal::WindowFull { .. }) => StatusCode::TOO_MANY_REQUESTS,
            Self::Refused(
                Refusal::ListFull { .. } | Refusal::ClientsFull { .. } | Refusal::TooManyDisallowed,
            )
            | Self::TooManySubscribers
            | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Body(_)
            | Self::BadBody(_)
            | Self::BadVersion(_)
            | Self::Refused(_)
            | Self::BadHistory(_)
            | Self::NoUpgrade(_)
            | Self::Query(_)
            | Self::Topic(_) => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = json(self.status(), &Refused { error: self.to_string() });
        match self {
            Self::NoUpgrade(_) => {
                let version = HeaderValue::from_static("13");
                response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, version);
            }
            // The rest of the body is not read: what follows it on the connection cannot be found.
            Self::BodyTooLong { .. } | Self::BodyTooSlow | Self::Body(_) | Self::Busy => {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            _ => {}
        }
        response
    }
}

/// `{"ok":true}`: done.
pub(crate) fn ok() -> Response {
    json(StatusCode::OK, &Accepted { ok: true })
}

/// `{"ok":true}`: what was posted is there now.
pub(crate) fn created() -> Response {
    json(StatusCode::CREATED, &Accepted { ok: true })
}

/// Nothing is here, in the words of the original.
pub(crate) fn not_found() -> Response {
    let plain = [(header::CONTENT_TYPE, "text/plain")];
    (StatusCode::NOT_FOUND, plain, "404 page not found").into_response()
}

/// An answer of JSON that is there already.
pub(crate) fn prepared(json: Bytes) -> Response {
    with_type(StatusCode::OK, json)
}

/// Any other answer in JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let json = serde_json::to_vec(value).expect("the directory's types are JSON");
    with_type(status, json.into())
}

fn with_type(status: StatusCode, json: Bytes) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], json).into_response()
}
