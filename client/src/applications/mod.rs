//! The local sockets of a client, for applications: a websocket that speaks both generations of the
//! native client's API, and the TCP socket of v0.5.
//!
//! Requests go to the client's driver as [`Ask`]s; received messages come straight from [`Storage`],
//! where every connection reads at its own speed: a slow one costs no memory but what it is just being
//! sent. A message is *taken* once an application has it, written to a connection that gets pushes or
//! in an answer to a `fetch`. Reading it on the dashboard takes nothing.

mod answer;
mod claims;
mod fetch;
mod handshake;
mod pushes;
mod request;
mod session;
mod tcp;
#[cfg(test)]
mod tests;
mod websocket;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{ClientAddress, PublicKey};

use self::claims::Claims;
use crate::asks::{Accepted, Ask, NewMessage};
use crate::storage::{Storage, StorageError};

/// Most connections of applications at once on each socket, those included that have not said anything
/// yet. A port scanner that holds hundreds open must not keep the one application out.
const MAX_CONNECTIONS: usize = 1024;

/// How long an application may leave what is written to it unread before it is cut off.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the other side may take to close a connection that has ended.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// From this size on, JSON and base64 are read and written on another thread: the client's own has
/// packets to send, each at its moment, and a megabyte of JSON takes milliseconds.
const LARGE_BYTES: usize = 64 << 10;

/// What all connections of applications share. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Applications {
    asks: mpsc::Sender<Ask>,
    storage: Storage,
    allowed_origins: Arc<[String]>,
    public_key: PublicKey,
    claims: Claims,
}

/// Why a request cannot be answered as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    /// The client's own reason.
    #[error("{0}")]
    Told(String),
    #[error("the client is stopping")]
    Stopping,
    #[error("the inbox cannot be read: {0}")]
    Inbox(String),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::Inbox(error.to_string())
    }
}

impl Applications {
    /// The applications of the client with this key. Pages of `allowed_origins` may connect besides
    /// those of this machine.
    pub(crate) fn new(
        asks: mpsc::Sender<Ask>,
        storage: Storage,
        allowed_origins: Vec<String>,
        public_key: PublicKey,
    ) -> Self {
        let allowed_origins = allowed_origins.into();
        Self { asks, storage, allowed_origins, public_key, claims: Claims::default() }
    }

    /// Accepts websockets until it is dropped, which ends them. May run for several listeners of a
    /// client.
    pub(crate) async fn serve_websockets(self, listener: TcpListener) {
        tell_start("websocket", &listener);
        let stopping = CancellationToken::new();
        let _guard = stopping.clone().drop_guard();
        runtime::accept_into_places(listener, MAX_CONNECTIONS, |stream, peer, place| {
            let (applications, stopping) = (self.clone(), stopping.clone());
            async move {
                let served = websocket::serve(applications, stream, place.crowded, stopping);
                tell_end(peer, served.await);
                drop(place);
            }
        })
        .await;
    }

    /// Accepts TCP connections that speak the byte protocol of v0.5 until it is dropped, which ends
    /// them.
    pub(crate) async fn serve_tcp(self, listener: TcpListener) {
        tell_start("tcp socket", &listener);
        let stopping = CancellationToken::new();
        let _guard = stopping.clone().drop_guard();
        runtime::accept(listener, MAX_CONNECTIONS, |stream, peer| {
            let (applications, stopping) = (self.clone(), stopping.clone());
            async move {
                let serving = tcp::serve(applications, stream);
                if let Some(served) = stopping.run_until_cancelled(serving).await {
                    tell_end(peer, served);
                }
            }
        })
        .await;
    }

    async fn send(&self, message: NewMessage) -> Result<Accepted, Refusal> {
        self.ask(|answer| Ask::Send { message, answer }).await?.map_err(Refusal::Told)
    }

    async fn address(&self) -> Result<ClientAddress, Refusal> {
        self.ask(|answer| Ask::Address { answer }).await?.map_err(Refusal::Told)
    }

    async fn clients(&self) -> Result<Vec<ClientAddress>, Refusal> {
        self.ask(|answer| Ask::Clients { answer }).await
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Refusal> {
        let (sender, answer) = oneshot::channel();
        self.asks.send(ask(sender)).await.map_err(|_| Refusal::Stopping)?;
        answer.await.map_err(|_| Refusal::Stopping)
    }
}

/// The phrase is that of the originals, whose users look for it.
fn tell_start(what: &str, listener: &TcpListener) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!("Starting {what} listener at {address}");
    }
}

fn tell_end<E: std::fmt::Display>(peer: SocketAddr, served: Result<(), E>) {
    if let Err(error) = served {
        tracing::debug!("application {peer}: {error}");
    }
}

/// Works on so many bytes, on another thread if they are many. None while the process ends.
async fn off_thread<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if bytes < LARGE_BYTES {
        return Some(work());
    }
    tokio::task::spawn_blocking(work).await.ok()
}

/// Lets the other side read what was written last: a connection that is dropped with something unread
/// takes back what the other side has not read either.
async fn linger(stream: &mut TcpStream) {
    let mut unread = [0; 4096];
    let reading = async {
        stream.shutdown().await?;
        while stream.read(&mut unread).await? > 0 {}
        Ok::<(), std::io::Error>(())
    };
    // Whether it ends well or not, the connection is dropped.
    let _ = timeout(CLOSE_TIMEOUT, reading).await;
}
