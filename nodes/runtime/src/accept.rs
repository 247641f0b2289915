//! Accepting connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// How long to wait when the system refuses a connection, so as not to turn in a tight circle.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// One of the places that a listener has. It is free again when this is dropped.
#[derive(Debug)]
pub struct ConnectionPlace {
    /// Given back with the place.
    pub permit: OwnedSemaphorePermit,
    /// More than half of the places are taken: who holds this one should soon make something of it.
    pub crowded: bool,
}

/// Accepts connections for ever, so many at once at most, and handles each in a task of its own.
/// Its place is taken until the task ends.
pub async fn accept<F>(
    listener: TcpListener,
    most_at_once: usize,
    handle: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let handle = |stream, peer, place| {
        let handled = handle(stream, peer);
        async move {
            handled.await;
            drop(place);
        }
    };
    accept_into_places(listener, most_at_once, handle).await;
}

/// The same for connections that outlive the task that handles them: whoever has the connection at
/// last keeps its place.
///
/// There are fewer places than `most_at_once` if this process may not open that many files.
pub async fn accept_into_places<F>(
    listener: TcpListener,
    most_at_once: usize,
    handle: impl Fn(TcpStream, SocketAddr, ConnectionPlace) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let most_at_once = most_at_once.min(most_that_can_be_opened());
    let places = Arc::new(Semaphore::new(most_at_once));
    let mut is_refused = false;
    loop {
        let permit = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
        match listener.accept().await {
            Ok((stream, peer)) => {
                if is_refused {
                    tracing::info!("connections are accepted again");
                    is_refused = false;
                }
                let crowded = places.available_permits() < most_at_once / 2;
                tokio::spawn(handle(stream, peer, ConnectionPlace { permit, crowded }));
            }
            Err(error) => {
                // Said once: it fails many times a second until something changes.
                if !is_refused {
                    tracing::warn!("cannot accept a connection: {error}; goes on trying");
                    is_refused = true;
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Who waits for a place waits quietly; who is accepted beyond what the system lets this process
/// open is refused many times a second. A quarter remains for all else, such as links and the log.
fn most_that_can_be_opened() -> usize {
    let files = getrlimit(Resource::Nofile).current;
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    (files - files / 4).min(Semaphore::MAX_PERMITS)
}
