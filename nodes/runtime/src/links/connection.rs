//! The task of one link: connects, and sees to what cannot be written at once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::Links;
use super::queue::Queue;
use crate::clock;

/// How long after a failed connection the first retry comes.
const FIRST_RETRY: Duration = Duration::from_millis(50);

/// The waiting time doubles up to this.
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// How long connecting may take. On one machine it is immediate or hopeless.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A link that carried nothing for so long is closed, and so is one whose other side is not there or
/// reads nothing.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// One link.
pub(super) struct Connection {
    links: Links,
    to: SocketAddr,
    signal: Arc<Notify>,
}

impl Connection {
    pub(super) fn new(links: Links, to: SocketAddr) -> Self {
        Self { links, to, signal: Arc::default() }
    }

    /// What it listens to.
    pub(super) fn signal(&self) -> Arc<Notify> {
        Arc::clone(&self.signal)
    }

    /// Carries packets until there are none for a long time, or nobody takes them.
    pub(super) async fn run(self) {
        let mut retry = FIRST_RETRY;
        let mut failing_since = None;
        loop {
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(self.to)).await {
                Ok(Ok(stream)) => {
                    match self.carry(stream).await {
                        Ok(()) => return,
                        Err(error) => tracing::debug!("link to {} broke: {error}", self.to),
                    }
                    if self.with_queue(Queue::disconnected) == Some(true) {
                        retry = FIRST_RETRY;
                        failing_since = None;
                    }
                }
                Ok(Err(error)) => tracing::debug!("cannot connect to {}: {error}", self.to),
                Err(_) => tracing::debug!("cannot connect to {}: no answer", self.to),
            }
            if failing_since.get_or_insert_with(Instant::now).elapsed() > IDLE_LIMIT {
                let mut shared = self.links.lock();
                shared.give_up(self.to);
                self.links.tell_if_all_written(&shared);
                return;
            }
            sleep(retry).await;
            retry = (retry * 2).min(LONGEST_RETRY);
        }
    }

    /// Sees to a connection until the link is idle and has ended (then the result is fine), or it
    /// breaks.
    async fn carry(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let stream = Arc::new(stream);
        // The runtime learns only now that the system takes bytes.
        stream.writable().await?;
        self.with_queue(|queue| queue.connected(Arc::clone(&stream)));
        loop {
            self.write();
            let Some((error, is_blocked, left)) = self.with_queue(|queue| {
                let idle = clock::now().saturating_since(queue.written_at());
                (queue.take_error(), queue.is_blocked(), IDLE_LIMIT.saturating_sub(idle))
            }) else {
                return Ok(());
            };
            if let Some(error) = error {
                return Err(error);
            }
            if left.is_zero() {
                if is_blocked {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                if self.ended() {
                    return Ok(());
                }
                // Something slipped in just now, and is written first.
                continue;
            }
            tokio::select! {
                () = self.signal.notified() => {}
                error = closed(&stream) => return Err(error),
                writable = stream.writable(), if is_blocked => {
                    writable?;
                    self.with_queue(Queue::unblock);
                }
                () = sleep(left) => {}
            }
        }
    }

    /// Writes what waits.
    fn write(&self) {
        let mut shared = self.links.lock();
        shared.write(self.to);
        self.links.tell_if_all_written(&shared);
    }

    /// Ends the link if nothing waits; says whether it did.
    fn ended(&self) -> bool {
        let mut shared = self.links.lock();
        let is_empty = shared.queues.get(&self.to).is_none_or(|queue| queue.len() == 0);
        if is_empty {
            shared.queues.remove(&self.to);
        }
        is_empty
    }

    fn with_queue<T>(&self, look: impl FnOnce(&mut Queue) -> T) -> Option<T> {
        self.links.lock().queues.get_mut(&self.to).map(look)
    }
}

/// Waits until the other side is gone: a read then ends, and tells so before the next packet is lost.
async fn closed(stream: &TcpStream) -> io::Error {
    loop {
        if let Err(error) = stream.readable().await {
            return error;
        }
        match stream.try_read(&mut [0]) {
            Ok(_) => return io::ErrorKind::ConnectionReset.into(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return error,
        }
    }
}
