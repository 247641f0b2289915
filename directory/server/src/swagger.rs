//! The API described for machines, and the page that lets people try it: both need no network.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use utoipa_swagger_ui::{Config, serve};

use crate::routes::App;
use crate::{answer, routes};

/// Where people find the page, as in the original.
pub(crate) const PATH: &str = "/swagger/index.html";

/// Where the document is, as in the original.
const DOCUMENT: &str = "/swagger/doc.json";

/// Scripts and styles from here alone. Swagger UI sets style attributes, and draws with data URLs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The document and the files of Swagger UI.
pub(crate) fn routes() -> Router<App> {
    let config = Arc::new(Config::from(DOCUMENT));
    let to_the_page = || async { Redirect::permanent(PATH) };
    Router::new()
        .route(DOCUMENT, get(document))
        .route("/swagger", get(to_the_page))
        .route("/swagger/", get(to_the_page))
        .route(
            "/swagger/{*file}",
            get(move |file: Result<Path<String>, PathRejection>| async move {
                // A path that is not Unicode is the name of no file.
                file.map_or_else(|_| answer::not_found(), |Path(file)| swagger_file(&file, config))
            }),
        )
}

/// Made anew for everybody who asks: it takes milliseconds, and few ask.
async fn document() -> Response {
    let json = routes::document().to_json().expect("the document is JSON");
    answer::prepared(Bytes::from(json))
}

fn swagger_file(file: &str, config: Arc<Config<'static>>) -> Response {
    match serve(file, config) {
        Ok(Some(file)) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_str(&file.content_type)),
                (header::CONTENT_SECURITY_POLICY, Ok(HeaderValue::from_static(POLICY))),
                (header::X_CONTENT_TYPE_OPTIONS, Ok(HeaderValue::from_static("nosniff"))),
            ];
            let bytes = match file.bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            let mut response = Response::new(Body::from(bytes));
            for (name, value) in headers {
                if let Ok(value) = value {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Ok(None) => answer::not_found(),
        Err(error) => {
            tracing::error!(target: "directory", "cannot show Swagger UI's `{file}`: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// The largest file has 1.4 MB: an answer that nobody takes must not hold a copy of it.
    #[tokio::test]
    async fn answers_share_the_bytes_of_a_file() {
        let config = Arc::new(Config::from(DOCUMENT));
        let mut places = Vec::new();
        for _ in 0..2 {
            let response = swagger_file("swagger-ui-bundle.js", Arc::clone(&config));
            let bytes = response.into_body().collect().await.expect("in memory").to_bytes();
            assert!(bytes.len() > 1 << 20, "{} bytes", bytes.len());
            // Kept, so that no other can take its place.
            places.push(bytes);
        }
        assert_eq!(places[0].as_ptr(), places[1].as_ptr());
    }
}
