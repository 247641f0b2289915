//! The routes. One list makes the router, the OpenAPI document and the list at the start.

mod disallowing;
mod general;
mod metrics;
mod presence;
mod sockets;

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::budget::Budget;
use crate::hub::Hub;
use crate::telemetry::Telemetry;
use crate::{Options, answer, bounds, openapi, page, swagger};

/// What the handlers share.
pub(crate) type App = Arc<Shared>;

/// Everything behind the routes.
pub(crate) struct Shared {
    pub(crate) hub: Arc<Hub>,
    pub(crate) options: Options,
    pub(crate) telemetry: Arc<Telemetry>,
    /// What is left of the memory that requests share.
    pub(crate) budget: Budget,
    /// Knows the open websockets, so that they can say goodbye before the directory stops.
    pub(crate) sockets: TaskTracker,
    pub(crate) shutdown: CancellationToken,
    /// Ends whatever has not ended by itself some time after `shutdown`.
    pub(crate) cut_off: CancellationToken,
}

/// The other end of the connection that a request came over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The routes of the API and their description, made once.
static API: LazyLock<(Router<App>, OpenApi)> = LazyLock::new(|| {
    let (router, mut document) = OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(general::healthcheck))
        .routes(routes!(metrics::add_metric, metrics::list_metrics))
        .routes(routes!(metrics::history))
        .routes(routes!(presence::add_coconode))
        .routes(routes!(presence::add_mixnode))
        .routes(routes!(presence::add_mixprovider))
        .routes(routes!(presence::add_gateway))
        .routes(routes!(presence::leave))
        .routes(routes!(presence::topology))
        .routes(routes!(disallowing::allow))
        .routes(routes!(disallowing::disallow))
        .routes(routes!(disallowing::disallowed))
        .routes(routes!(sockets::ws))
        .routes(routes!(sockets::events))
        .routes(routes!(sockets::schema))
        .routes(routes!(metrics::prometheus))
        .split_for_parts();
    if let Some(components) = &mut document.components {
        bounds::add(components);
    }
    (router, document)
});

/// Method and path of every route.
static LISTING: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let of_api = API.1.paths.paths.iter().flat_map(|(path, item)| {
        let methods = [("GET", item.get.is_some()), ("POST", item.post.is_some())];
        methods.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| (name, path.clone()))
    });
    let pages = [page::PATH, swagger::PATH].map(|path| ("GET", path.to_owned()));
    pages.into_iter().chain(of_api).collect()
});

/// All routes of the directory.
pub(crate) fn router(app: App) -> Router {
    let (api, document) = &*API;
    api.clone()
        .merge(swagger::routes(document))
        .merge(page::router())
        .fallback(nothing_here)
        .method_not_allowed_fallback(nothing_here)
        .with_state(app)
}

/// Method and path of every route, for the list at the start.
pub(crate) fn listing() -> &'static [(&'static str, String)] {
    &LISTING
}

/// What the original answered where nothing is: a hint at the path without its last slash, or 404.
async fn nothing_here(request: Request) -> Response {
    let (method, path) = (request.method().as_str(), request.uri().path());
    if let Some(path) = path.strip_suffix('/')
        && LISTING.iter().any(|(known, route)| *known == method && route == path)
    {
        let is_get = *request.method() == Method::GET;
        let status =
            if is_get { StatusCode::MOVED_PERMANENTLY } else { StatusCode::TEMPORARY_REDIRECT };
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        return (status, [(header::LOCATION, format!("{path}{query}"))]).into_response();
    }
    answer::not_found()
}
