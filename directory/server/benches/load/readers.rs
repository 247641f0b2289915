//! Readers of `/ws`: they take everything, and count it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Websockets that are being read.
pub(crate) struct Readers {
    counts: Vec<Arc<AtomicU64>>,
    news: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Readers {
    /// Opens this many. `buffer_bytes` is what one read may bring: small where there are many. The
    /// error is [`io::ErrorKind::NotFound`] if the server has no websocket.
    pub(crate) async fn open(
        address: SocketAddr,
        count: usize,
        buffer_bytes: usize,
    ) -> io::Result<Self> {
        let (mut counts, news, mut tasks) = (Vec::new(), Arc::new(Notify::new()), JoinSet::new());
        let config = WebSocketConfig::default().read_buffer_size(buffer_bytes);
        for number in 0..count {
            let failed = |error: Error| {
                let is_absent = matches!(&error, Error::Http(answer) if answer.status() == 404);
                let kind = if is_absent { io::ErrorKind::NotFound } else { io::ErrorKind::Other };
                io::Error::new(kind, format!("websocket {} of {count}: {error}", number + 1))
            };
            let stream = TcpStream::connect(address).await.map_err(|error| failed(error.into()))?;
            let opening = client_async_with_config("ws://directory/ws", stream, Some(config));
            let (mut socket, _) = opening.await.map_err(failed)?;
            let seen = Arc::new(AtomicU64::new(0));
            counts.push(Arc::clone(&seen));
            let news = Arc::clone(&news);
            tasks.spawn(async move {
                while let Some(Ok(message)) = socket.next().await {
                    let Message::Text(text) = message else { continue };
                    // The original may put several into one frame, a line each.
                    let lines = text.as_str().lines().count() as u64;
                    seen.fetch_add(lines, Ordering::Relaxed);
                    news.notify_one();
                }
            });
        }
        Ok(Self { counts, news, _tasks: tasks })
    }

    /// Waits until each has read this many, or none has read anything new for `patience`. How many
    /// messages are missing then.
    pub(crate) async fn missing(&self, each: u64, patience: Duration) -> u64 {
        loop {
            let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
            let missing = counts.map(|count| each.abs_diff(count)).sum();
            if missing == 0 || timeout(patience, self.news.notified()).await.is_err() {
                return missing;
            }
        }
    }
}
