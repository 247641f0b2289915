//! Connections to the control interface: how many there are, how long one may take, how they end.

use std::convert::Infallible;
use std::fs::Permissions;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::serve::{Listener, ListenerExt as _};
use control::{Failure, FailureCode};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Asks;
use super::door::{Door, Tokens};
use crate::folder::{Claim, FolderError};

/// Connections at the same time, by each way in. A dashboard has two, most commands one. Who comes
/// beyond that waits until one ends.
pub(crate) const MAX_CONNECTIONS: usize = 128;

/// Who connects has this long for the head of a request, counted from the end of the one before, so
/// that forgotten connections do not stay. Longer than our own client keeps one for later.
const HEAD_DEADLINE: Duration = Duration::from_secs(60);

/// The same for who comes when more than half of the places are taken.
const CROWDED_HEAD_DEADLINE: Duration = Duration::from_secs(2);

/// Who came over TCP and does not take its answer in this time is given up.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// Bytes of a request's head, and of what is read at once of its body.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// The open ways in.
pub(crate) struct Server {
    control: UnixListener,
    observe: UnixListener,
    tcp: Option<(TcpListener, SocketAddr, Tokens)>,
}

impl Server {
    /// Opens the sockets in the folder, and the port if one is wanted. A folder that was claimed has
    /// none of these files.
    pub(crate) async fn open(claim: &Claim, port: Option<u16>) -> Result<Self, Failure> {
        let folder = claim.folder();
        let control = listen(&folder.socket())?;
        let observe = listen(&folder.observe_socket())?;
        let tcp = match port {
            Some(port) => {
                let (listener, address) = listen_on(port).await?;
                let tokens = Tokens::draw(&mut rand::rng());
                claim.write_tokens(&tokens.control, &tokens.observe)?;
                Some((listener, address, tokens))
            }
            None => None,
        };
        Ok(Self { control, observe, tcp })
    }

    /// Where it listens on loopback.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().map(|(_, address, _)| *address)
    }

    /// Answers until `shutdown` is cancelled, then lets requests underway end.
    pub(crate) async fn serve(self, asks: Asks, shutdown: CancellationToken) {
        let router = super::router(asks);
        let way = |door| Way { door, router: router.clone(), shutdown: shutdown.clone() };
        let tcp = async {
            if let Some((listener, _, tokens)) = self.tcp {
                let listener = listener.tap_io(|stream| {
                    // Lines of the stream would wait for each other.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!("cannot set TCP_NODELAY: {error}");
                    }
                });
                way(Door::Tcp(tokens)).serve(listener).await;
            }
        };
        tokio::join!(
            way(Door::Control).serve(self.control),
            way(Door::Observe).serve(self.observe),
            tcp
        );
    }
}

/// Opens a socket that only the user can reach.
fn listen(path: &Path) -> Result<UnixListener, FolderError> {
    let error = |cause| FolderError::Io {
        attempt: "open the control socket",
        path: path.to_owned(),
        cause,
    };
    let listener = UnixListener::bind(path).map_err(error)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(error)?;
    Ok(listener)
}

/// Opens a port of this machine that others cannot reach.
async fn listen_on(port: u16) -> Result<(TcpListener, SocketAddr), Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let opened = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    opened.await.map_err(|error: io::Error| {
        let message = format!("cannot listen on `{address}` for the control interface: {error}");
        if error.kind() == io::ErrorKind::AddrInUse {
            Failure::new(FailureCode::PortTaken, message)
                .hint("--control-port 0 takes any free one")
        } else {
            Failure::new(FailureCode::Environment, message)
        }
    })
}

/// A way in, with what is behind it.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) door: Door,
    pub(super) router: Router,
    pub(super) shutdown: CancellationToken,
}

impl Way {
    /// Serves every connection until the end, and ends them in good order.
    pub(super) async fn serve<L: Listener>(self, mut listener: L) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let connections = TaskTracker::new();
        let accept = async {
            loop {
                let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
                let (stream, _) = listener.accept().await;
                let is_crowded = places.available_permits() < MAX_CONNECTIONS / 2;
                let way = self.clone();
                connections.spawn(async move {
                    way.connection(stream, is_crowded).await;
                    drop(place);
                });
            }
        };
        tokio::select! {
            () = accept => {}
            () = self.shutdown.cancelled() => {}
        }
        connections.close();
        connections.wait().await;
    }

    async fn connection<S>(&self, stream: S, is_crowded: bool)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = TimeoutWriter::new(stream);
        stream.set_timeout((!self.door.is_patient()).then_some(WRITE_DEADLINE));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).max_buf_size(MAX_HEAD_BYTES);
        http.header_read_timeout(if is_crowded { CROWDED_HEAD_DEADLINE } else { HEAD_DEADLINE });
        let router = TowerToHyperService::new(self.router.clone());
        let service = service_fn(|request: Request<Incoming>| self.answer(&router, request));
        let io = TokioIo::new(Box::pin(stream));
        let mut connection = std::pin::pin!(http.serve_connection(io, service));
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!("a connection to the control interface failed: {error}");
        }
    }

    async fn answer(
        &self,
        router: &TowerToHyperService<Router>,
        request: Request<Incoming>,
    ) -> Result<Response, Infallible> {
        match self.door.admit(request.method(), request.headers()) {
            Ok(()) => router.call(request.map(Body::new)).await,
            Err(refusal) => Ok(refusal.into_response()),
        }
    }
}
