//! What pages in a browser may do here (CORS).

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// What the page that a request comes from may do. Pages of any origin may read what is here, as
/// with the original: it is what everybody on this machine can ask for. Only our own pages may write.
#[derive(Clone, Copy)]
pub(crate) struct PageRights {
    may_write: bool,
}

impl PageRights {
    /// None if no page asks: then there is nothing to say to a browser.
    pub(crate) fn of(request: &Request, allowed_origins: &[String]) -> Option<Self> {
        let headers = request.headers();
        headers
            .contains_key(header::ORIGIN)
            .then(|| Self { may_write: origin::check(headers, allowed_origins).is_ok() })
    }

    /// The answer to a browser that asks whether a page may do what it is about to do.
    pub(crate) fn preflight(self) -> Response {
        let methods = if self.may_write { "GET,POST" } else { "GET" };
        let headers = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "Origin,Content-Length,Content-Type"),
            // Twelve hours, as in the original.
            (header::ACCESS_CONTROL_MAX_AGE, "43200"),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    }

    /// Lets the page have the answer to its request if it may.
    pub(crate) fn mark(self, method: &Method, response: &mut Response) {
        if self.may_write || matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            let any = HeaderValue::from_static("*");
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
        }
    }
}
