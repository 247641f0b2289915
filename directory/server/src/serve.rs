//! The server's side of HTTP: connections that are accepted, what they may take, how they end, and
//! what surrounds every request: the console's line, its telemetry, and what web pages may read.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Level;

use crate::limits::MAX_CONNECTIONS;
use crate::routes::{App, Peer};

/// How long requests underway and websockets that say goodbye may take when the directory stops.
const GRACE: Duration = Duration::from_secs(1);

/// A client has this long for the head of a request, counted from the end of the one before, so that
/// neither slow nor forgotten connections stay.
const HEAD_DEADLINE: Duration = Duration::from_secs(60);

/// A client that does not take its answer in this time is given up.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// Bytes of a request's head, and of what is read at once of its body. Eight times what a browser
/// sends.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// Header fields of a request. A browser sends about twenty.
const MAX_HEADERS: usize = 64;

/// Serves every connection until `shutdown` is cancelled, and ends them in good order.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    app: App,
    shutdown: CancellationToken,
) {
    let connections = TaskTracker::new();
    let cut_off = CancellationToken::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS);
    let handle = |stream: TcpStream, peer: SocketAddr| {
        let (http, router, app) = (http.clone(), router.clone(), app.clone());
        let (shutdown, cut_off) = (shutdown.clone(), cut_off.clone());
        connections.track_future(async move {
            tokio::select! {
                () = connection(http, stream, peer, router, app, shutdown) => {}
                () = cut_off.cancelled() => {}
            }
        })
    };
    tokio::select! {
        () = runtime::accept(listener, MAX_CONNECTIONS, handle) => {}
        () = shutdown.cancelled() => {}
    }
    connections.close();
    app.sockets.close();
    // Who has not finished by then is cut off.
    let _ = timeout(GRACE, async { tokio::join!(connections.wait(), app.sockets.wait()) }).await;
    cut_off.cancel();
}

async fn connection(
    http: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    app: App,
    shutdown: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(target: "directory", "cannot set TCP_NODELAY: {error}");
    }
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(WRITE_DEADLINE));
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        answer(&app, &router, peer, request.map(Body::new))
    });
    let io = TokioIo::new(Box::pin(stream));
    let mut connection = std::pin::pin!(http.serve_connection(io, service).with_upgrades());
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(target: "directory", "the connection of {peer} failed: {error}");
    }
}

/// Answers one request.
async fn answer(
    app: &App,
    router: &TowerToHyperService<Router>,
    peer: SocketAddr,
    mut request: Request,
) -> Result<Response, Infallible> {
    let start = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let readers =
        request.headers().contains_key(header::ORIGIN).then(|| Readers::of(app, &request));
    let mut response = match &readers {
        Some(readers) if method == Method::OPTIONS => readers.preflight(),
        _ => {
            request.extensions_mut().insert(Peer(peer));
            router.call(request).await?
        }
    };
    if readers.is_some_and(|readers| readers.may_read(&method)) {
        let any = HeaderValue::from_static("*");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    }
    let (status, took) = (response.status(), start.elapsed());
    app.telemetry.request(&method, uri.path(), status, took);
    if tracing::enabled!(target: "directory", Level::INFO) {
        // What the console of the original shows of each request.
        let (status, peer, path) = (status.as_u16(), peer.ip(), uri.path().escape_debug());
        let method = method.as_str();
        tracing::info!(target: "directory", "{status} | {took:>9.1?} | {peer} | {method:<4} {path}");
    }
    Ok(response)
}

/// What a web page may do with an answer. Pages of any origin may read what is here, as with the
/// original: it is what everybody on this machine can ask for. Only our own pages may write.
#[derive(Clone, Copy)]
struct Readers {
    may_write: bool,
}

impl Readers {
    fn of(app: &App, request: &Request) -> Self {
        let may_write = origin::check(request.headers(), &app.options.allowed_origins).is_ok();
        Self { may_write }
    }

    fn may_read(self, method: &Method) -> bool {
        self.may_write || matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// The answer to a browser that asks whether a page may do what it is about to do.
    fn preflight(self) -> Response {
        let methods = if self.may_write { "GET,POST" } else { "GET" };
        let headers = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "Origin,Content-Length,Content-Type"),
            // Twelve hours, as in the original.
            (header::ACCESS_CONTROL_MAX_AGE, "43200"),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    }
}
