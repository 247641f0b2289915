//! A subscription to the directory's events. It reconnects, and notices what it missed.
//!
//! There is no task behind it: everything happens inside [`Subscription::next`], which the owner
//! polls in its own loop.

use std::pin::Pin;
use std::time::Duration;

use directory_api::{Frame, Update};
use futures_util::StreamExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::tungstenite::{self, Message, protocol::WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::address::EventsAddress;
use crate::calls::refusal;
use crate::{
    CALL_TIMEOUT, Cause, FIRST_RETRY, LONGEST_RETRY, MAX_EVENT_BYTES, SILENCE_LIMIT,
    SubscriptionError,
};

/// Bytes of a connection's buffers. Every node of a devnet holds a subscription, and most events
/// are a few hundred bytes; the library's own default is 128 KiB for each direction.
const BUFFER_BYTES: usize = 4 << 10;

/// A client writes nothing but pongs and one closing frame, at most 125 bytes each.
const MAX_WRITE_BUFFER_BYTES: usize = 16 << 10;

/// What a subscription tells its owner.
#[derive(Debug)]
pub enum SubscriptionEvent {
    /// A connection is there; a snapshot follows.
    Connected,
    /// The directory sent this. After each `Connected` the first is a snapshot.
    Update(Frame),
    /// There is no connection. What was known may be stale until the next snapshot.
    Disconnected {
        /// Why.
        error: SubscriptionError,
        /// When it is tried again, from now.
        retry_in: Duration,
    },
}

/// A subscription: ask it for the [`next`](Self::next) event. It never ends.
pub struct Subscription {
    address: EventsAddress,
    state: State,
    retry: Duration,
}

enum State {
    Waiting { until: Instant },
    Connecting(Pin<Box<dyn Future<Output = Result<Socket, SubscriptionError>> + Send>>),
    Open(Box<Connection>),
}

type Socket = WebSocketStream<TcpStream>;

struct Connection {
    socket: Socket,
    heard: Instant,
    /// The number that the next frame should bear; nothing before the first snapshot.
    expected: Option<u64>,
}

impl Subscription {
    pub(crate) fn new(address: EventsAddress) -> Self {
        let state = State::Connecting(Box::pin(connect(address.clone())));
        Self { address, state, retry: FIRST_RETRY }
    }

    /// Where it connects: `ws://host:port/ws/events?topics=…`.
    pub fn url(&self) -> &str {
        &self.address.url
    }

    /// Waits for what happens next. Safe to cancel: a future that is dropped loses nothing, and the
    /// next call goes on where it stopped.
    pub async fn next(&mut self) -> SubscriptionEvent {
        loop {
            let error = match &mut self.state {
                State::Waiting { until } => {
                    sleep_until(*until).await;
                    self.state = State::Connecting(Box::pin(connect(self.address.clone())));
                    continue;
                }
                State::Connecting(connecting) => match connecting.as_mut().await {
                    Ok(socket) => {
                        let heard = Instant::now();
                        let connection = Connection { socket, heard, expected: None };
                        self.state = State::Open(Box::new(connection));
                        return SubscriptionEvent::Connected;
                    }
                    Err(error) => error,
                },
                State::Open(connection) => match connection.next(&self.address.url).await {
                    Ok(frame) => {
                        // Only now: a directory that accepts and closes at once is not there yet.
                        self.retry = FIRST_RETRY;
                        return SubscriptionEvent::Update(frame);
                    }
                    Err(error) => error,
                },
            };
            let retry_in = self.retry;
            self.retry = (self.retry * 2).min(LONGEST_RETRY);
            self.state = State::Waiting { until: Instant::now() + retry_in };
            return SubscriptionEvent::Disconnected { error, retry_in };
        }
    }
}

impl Connection {
    async fn next(&mut self, url: &str) -> Result<Frame, SubscriptionError> {
        loop {
            let Ok(message) = timeout_at(self.heard + SILENCE_LIMIT, self.socket.next()).await
            else {
                return Err(SubscriptionError::Silent { url: url.into(), after: SILENCE_LIMIT });
            };
            self.heard = Instant::now();
            match message {
                Some(Ok(Message::Text(text))) => return self.frame(url, &text),
                // The library has queued the pong; asking for the next message sends it.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_) | Message::Frame(_))) => {
                    let reason = "it is not text".into();
                    return Err(SubscriptionError::Unreadable { url: url.into(), reason });
                }
                Some(Ok(Message::Close(_))) | None => {
                    return Err(SubscriptionError::Closed { url: url.into() });
                }
                Some(Err(error)) => {
                    return Err(SubscriptionError::Lost {
                        url: url.into(),
                        cause: Cause::of(error),
                    });
                }
            }
        }
    }

    fn frame(&mut self, url: &str, text: &str) -> Result<Frame, SubscriptionError> {
        let unreadable = |reason| SubscriptionError::Unreadable { url: url.into(), reason };
        let frame: Frame =
            serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        // A snapshot heals whatever was missed before it.
        if !matches!(frame.update, Update::Snapshot { .. }) {
            match self.expected {
                None => return Err(unreadable("the first one is no snapshot".into())),
                Some(expected) if expected != frame.seq => {
                    return Err(SubscriptionError::Gap {
                        url: url.into(),
                        expected,
                        got: frame.seq,
                    });
                }
                Some(_) => {}
            }
        }
        self.expected = Some(frame.seq.wrapping_add(1));
        Ok(frame)
    }
}

async fn connect(address: EventsAddress) -> Result<Socket, SubscriptionError> {
    let EventsAddress { url, host, port } = address;
    let open = async {
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        stream.set_nodelay(true)?;
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
            .max_message_size(Some(MAX_EVENT_BYTES))
            .max_frame_size(Some(MAX_EVENT_BYTES));
        client_async_with_config(url.as_str(), stream, Some(config)).await
    };
    match timeout(CALL_TIMEOUT, open).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(tungstenite::Error::Http(response))) => {
            let status = response.status().as_u16();
            let text = response.body().as_deref().map(refusal).unwrap_or_default();
            Err(SubscriptionError::Refused { url, status, text })
        }
        Ok(Err(error)) => Err(SubscriptionError::Unreachable { url, cause: Cause::of(error) }),
        Err(_) => Err(SubscriptionError::TimedOut { url, after: CALL_TIMEOUT }),
    }
}
