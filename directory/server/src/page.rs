//! The page for people at `/`: files that are part of the program, and the headers that keep
//! everything else out of them.
//!
//! What a browser shows there comes from strangers, so that the page may only run and load what
//! this directory serves under its own origin: even a text that became markup could do nothing.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;
use axum::routing::get;

/// Scripts, styles and pictures of this origin, requests and websockets to it, and nothing else;
/// no form, no base address, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                          connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
                          form-action 'none'; frame-ancestors 'none'";

/// Where the page is.
pub(crate) const PATH: &str = "/";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../page/", $name))
    };
}

/// Path, content type and text of each file. They name each other by relative paths.
const FILES: [(&str, &str, &str); 18] = [
    (PATH, HTML, file!("index.html")),
    ("/page/page.css", CSS, file!("page.css")),
    ("/page/icon.svg", SVG, file!("icon.svg")),
    ("/page/main.js", SCRIPT, file!("main.js")),
    ("/page/model.js", SCRIPT, file!("model.js")),
    ("/page/rates.js", SCRIPT, file!("rates.js")),
    ("/page/connection.js", SCRIPT, file!("connection.js")),
    ("/page/status.js", SCRIPT, file!("status.js")),
    ("/page/layout.js", SCRIPT, file!("layout.js")),
    ("/page/links.js", SCRIPT, file!("links.js")),
    ("/page/map.js", SCRIPT, file!("map.js")),
    ("/page/card.js", SCRIPT, file!("card.js")),
    ("/page/packets.js", SCRIPT, file!("packets.js")),
    ("/page/table.js", SCRIPT, file!("table.js")),
    ("/page/log.js", SCRIPT, file!("log.js")),
    ("/page/words.js", SCRIPT, file!("words.js")),
    ("/page/format.js", SCRIPT, file!("format.js")),
    ("/page/dom.js", SCRIPT, file!("dom.js")),
];

/// The routes of the page.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.into_iter().fold(Router::new(), |router, (path, content_type, text)| {
        router.route(path, get(async move || answer(content_type, text)))
    })
}

fn answer(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // Another version of the program may answer under this address next time.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}
