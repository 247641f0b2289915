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
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
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

/// A route with its description, made when it is asked for.
type Route = fn() -> UtoipaMethodRouter<App>;

/// The routes of the API.
const ROUTES: [Route; 16] = [
    || routes!(general::healthcheck),
    || routes!(metrics::add_metric, metrics::list_metrics),
    || routes!(metrics::history),
    || routes!(presence::add_coconode),
    || routes!(presence::add_mixnode),
    || routes!(presence::add_mixprovider),
    || routes!(presence::add_gateway),
    || routes!(presence::leave),
    || routes!(presence::topology),
    || routes!(disallowing::allow),
    || routes!(disallowing::disallow),
    || routes!(disallowing::disallowed),
    || routes!(sockets::ws),
    || routes!(sockets::events),
    || routes!(sockets::schema),
    || routes!(metrics::prometheus),
];

/// The description of the routes. It takes half a megabyte, so nobody keeps it.
pub(crate) fn document() -> OpenApi {
    let frame = OpenApiRouter::with_openapi(openapi::frame());
    let described = ROUTES.iter().fold(frame, |router, route| router.routes(route()));
    let mut document = described.into_openapi();
    if let Some(components) = &mut document.components {
        bounds::add(components);
    }
    document
}

/// Method and path of every route.
static LISTING: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let of_api = ROUTES.iter().flat_map(|route| route().1.paths).flat_map(|(path, item)| {
        let methods = [("GET", item.get.is_some()), ("POST", item.post.is_some())];
        methods
            .into_iter()
            .filter(|(_, is_there)| *is_there)
            .map(move |(name, _)| (name, path.clone()))
    });
    let pages = [page::PATH, swagger::PATH].map(|path| ("GET", path.to_owned()));
    let mut listing: Vec<_> = pages.into_iter().chain(of_api).collect();
    listing[2..].sort_by(|a, b| a.1.cmp(&b.1));
    listing
});

/// All routes of the directory.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let (_, paths, methods) = route();
        for path in paths.paths.keys() {
            router = router.route(path, methods.clone());
        }
    }
    router
        .merge(swagger::routes())
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
