//! How a question is refused: a failure as JSON, under the status that HTTP has for it.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::{Failure, FailureCode};
use utoipa::IntoResponses;

/// A failure as an answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    failure: Failure,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let status = match failure.code {
            FailureCode::Usage | FailureCode::InvalidLayout => StatusCode::BAD_REQUEST,
            FailureCode::NoSuchDevnet | FailureCode::NoSuchNode => StatusCode::NOT_FOUND,
            FailureCode::Forbidden => StatusCode::FORBIDDEN,
            FailureCode::NotRunning
            | FailureCode::NameInUse
            | FailureCode::PortTaken
            | FailureCode::FileExists
            | FailureCode::Busy => StatusCode::CONFLICT,
            FailureCode::DeadlinePassed => StatusCode::GATEWAY_TIMEOUT,
            FailureCode::SendFailed | FailureCode::NodeLost => StatusCode::BAD_GATEWAY,
            FailureCode::Environment | FailureCode::Unreachable | FailureCode::Other => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self { status, failure }
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::not_understood(&rejection.body_text())
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        Self::not_understood(&rejection.body_text())
    }
}

impl Refusal {
    fn usage(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, failure: Failure::new(FailureCode::Usage, message) }
    }

    /// The request cannot be read.
    pub(super) fn not_understood(why: &str) -> Self {
        Self::usage(StatusCode::BAD_REQUEST, format!("the request is not understood: {why}"))
    }

    /// Nothing is at this path.
    pub(super) fn no_route() -> Self {
        Self::usage(StatusCode::NOT_FOUND, "there is no such route")
    }

    /// Something is at this path, for another method.
    pub(super) fn other_method() -> Self {
        Self::usage(StatusCode::METHOD_NOT_ALLOWED, "the route takes another method")
    }

    /// More than the route takes.
    pub(super) fn too_long(limit: usize) -> Self {
        let message = format!("the body is longer than {limit} bytes");
        Self::usage(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// Slower than anybody waits for.
    pub(super) fn too_slow(limit: Duration) -> Self {
        let message = format!("the body did not come within {} s", limit.as_secs());
        Self::usage(StatusCode::REQUEST_TIMEOUT, message)
    }

    /// No token, or none that opens anything.
    pub(super) fn no_token() -> Self {
        let message = "the request has no token that this devnet knows";
        let failure = Failure::new(FailureCode::Forbidden, message)
            .hint("send `Authorization: Bearer TOKEN` with what is in `control.token` or `observe.token` in the devnet's folder");
        Self { status: StatusCode::UNAUTHORIZED, failure }
    }

    /// It would change something, and came where one may only look.
    pub(super) fn only_shows() -> Self {
        let message = "this way in only shows: nothing can be changed through it";
        let hint = "`control.sock`, or over TCP the token in `control.token`, may do everything";
        Failure::new(FailureCode::Forbidden, message).hint(hint).into()
    }

    /// A web page that has no business here.
    pub(super) fn foreign(what: &str) -> Self {
        Failure::new(FailureCode::Forbidden, format!("requests {what} are refused"))
            .hint("ask by `127.0.0.1`, `[::1]` or `localhost`")
            .into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.failure)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// How any request may be refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers that `Refusal` makes")]
pub(super) enum Refused {
    /// Over TCP: no token, or an unknown one
    #[response(status = 401)]
    Unauthorized(Failure),
    /// It comes where one may only look, or from a web page
    #[response(status = 403)]
    Forbidden(Failure),
    /// No node has that name, or the devnet has just ended
    #[response(status = 404)]
    NotFound(Failure),
    /// The supervisor cannot do it
    #[response(status = 500)]
    Failed(Failure),
}

/// How a request with a body may be refused besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers that `Refusal` makes")]
pub(super) enum BodyRefused {
    /// It is not what this route takes
    #[response(status = 400)]
    BadRequest(Failure),
    /// The body came too slowly
    #[response(status = 408)]
    TooSlow(Failure),
    /// The node does not run, or not yet; the name or a port of a new one is taken; or as much is
    /// underway as may be
    #[response(status = 409)]
    Conflict(Failure),
    /// The body is too long
    #[response(status = 413)]
    TooLong(Failure),
}
