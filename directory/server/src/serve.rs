//! The server's side of HTTP: connections that are accepted, what they may take, how they end, and
//! what surrounds every request: the console's line and its telemetry.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use runtime::ConnectionPlace;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Level;

use crate::cors::PageRights;
use crate::gather::Gather;
use crate::limits::MAX_CONNECTIONS;
use crate::routes::{App, Peer};

/// How long requests underway and websockets that say goodbye may take when the directory stops.
const GRACE: Duration = Duration::from_secs(1);

/// A client has this long for the head of a request, counted from the end of the one before, so that
/// neither slow nor forgotten connections stay.
const HEAD_DEADLINE: Duration = Duration::from_secs(60);

/// The same for who comes when more than half of the places are taken: that half goes round quickly,
/// so that nobody can keep all others out with connections that say nothing.
const CROWDED_HEAD_DEADLINE: Duration = Duration::from_secs(2);

/// A client that does not take its answer in this time is given up.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// Bytes of a request's head, and of what is read at once of its body. Eight times what a browser
/// sends.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// Serves every connection until `shutdown` is cancelled, and ends them in good order.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    app: App,
    shutdown: CancellationToken,
) {
    // Also when nobody waits for this any more: no task outlives it.
    let _cut_off = app.cut_off.clone().drop_guard();
    let connections = TaskTracker::new();
    let mut http = http1::Builder::new();
    // The library takes a hundred header fields, five times what a browser sends; another number would
    // cost every request an array on the heap.
    http.timer(TokioTimer::new()).max_buf_size(MAX_HEAD_BYTES);
    let handle = |stream: TcpStream, peer: SocketAddr, place: ConnectionPlace| {
        let (mut http, router, app) = (http.clone(), router.clone(), app.clone());
        http.header_read_timeout(if place.crowded { CROWDED_HEAD_DEADLINE } else { HEAD_DEADLINE });
        // On a socket for both families, IPv4 comes as part of IPv6.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        connections.track_future(async move {
            tokio::select! {
                () = connection(http, stream, peer, router, &app, place) => {}
                () = app.cut_off.cancelled() => {}
            }
        })
    };
    tokio::select! {
        () = runtime::accept_into_places(listener, MAX_CONNECTIONS, handle) => {}
        () = shutdown.cancelled() => {}
    }
    connections.close();
    app.sockets.close();
    let all_ended = async || tokio::join!(connections.wait(), app.sockets.wait());
    if timeout(GRACE, all_ended()).await.is_err() {
        app.cut_off.cancel();
        // Nothing holds them up now but a turn of each.
        let _ = timeout(GRACE, all_ended()).await;
    }
}

async fn connection(
    http: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    app: &App,
    place: ConnectionPlace,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(target: "directory", "cannot set TCP_NODELAY: {error}");
    }
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(WRITE_DEADLINE));
    let router = TowerToHyperService::new(router);
    // A websocket keeps its place when it leaves this task.
    let place = Arc::new(place);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        answer(app, &router, peer, &place, request.map(Body::new))
    });
    let io = TokioIo::new(Gather(Box::pin(stream)));
    let mut connection = std::pin::pin!(http.serve_connection(io, service).with_upgrades());
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = app.shutdown.cancelled() => {
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
    place: &Arc<ConnectionPlace>,
    mut request: Request,
) -> Result<Response, Infallible> {
    let start = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let rights = PageRights::of(&request, &app.options.allowed_origins);
    let mut response = match rights {
        Some(rights) if method == Method::OPTIONS => rights.preflight(),
        _ => {
            request.extensions_mut().insert(Peer(peer));
            if request.headers().contains_key(header::UPGRADE) {
                request.extensions_mut().insert(Arc::clone(place));
            }
            router.call(request).await?
        }
    };
    if let Some(rights) = rights {
        rights.mark(&method, &mut response);
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

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::Options;
    use crate::budget::Budget;
    use crate::hub::Hub;
    use crate::routes::{self, Shared};

    /// HTTP is done with a connection that became a websocket, but the connection is still there.
    #[tokio::test]
    async fn a_websocket_keeps_its_place() {
        let places = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&places).try_acquire_owned().expect("a place");
        let place = ConnectionPlace { permit, crowded: false };
        let app = Arc::new(Shared {
            hub: Hub::new(Arc::default()),
            options: Options::default(),
            telemetry: Arc::default(),
            budget: Budget::default(),
            sockets: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            cut_off: CancellationToken::new(),
        });
        let router = routes::router(Arc::clone(&app));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("ws://{}/ws", listener.local_addr().expect("an address"));
        let serving = async {
            let (stream, peer) = listener.accept().await.expect("a connection");
            connection(http1::Builder::new(), stream, peer, router, &app, place).await;
        };
        let (client, ()) = tokio::join!(tokio_tungstenite::connect_async(url), serving);
        let (mut socket, _) = client.expect("a websocket");
        assert_eq!(places.available_permits(), 0);
        socket.close(None).await.expect("open until now");
        while socket.next().await.is_some() {}
        let _place = places.acquire().await.expect("given back");
    }
}
