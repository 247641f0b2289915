//! Accepting connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// How long to wait when the system refuses a connection, so as not to turn in a tight circle.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections for ever, so many at once at most, and handles each in a task of its own.
pub async fn accept<F>(
    listener: TcpListener,
    most_at_once: usize,
    handle: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(most_at_once));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
        match listener.accept().await {
            Ok((stream, peer)) => {
                let handled = handle(stream, peer);
                tokio::spawn(async move {
                    handled.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
