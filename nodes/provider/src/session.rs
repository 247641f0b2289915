//! A client's connection: proof of its key, then deliveries and confirmations.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::LinkEvent;
use futures_util::{SinkExt, StreamExt};
use rand::RngExt;
use runtime::{accept, clock};
use sphinx::seal;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};
use tokio_util::sync::CancellationToken;
use wire::{
    CHALLENGE_PURPOSE, ClientMessage, MAX_CONFIRMATIONS, NONCE_BYTES, ProviderMessage, PublicKey,
    SUBPROTOCOL, confirmed,
};

use crate::MailboxError;
use crate::storage::Storage;

/// Most connections of clients at once.
const MAX_CONNECTIONS: usize = 4096;

/// How long a connection may take to become a registered client's.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the provider pings.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// A connection on which nothing came for so long is dead: three pings without an answer.
const SILENCE_LIMIT: Duration = Duration::from_secs(16);

/// A client sends keys, nonces and at most 256 numbers.
const MAX_MESSAGE_BYTES: usize = 4096;

/// Deliveries wait for a client that does not read at most here: the rest stays in the mailbox.
const MAX_WRITE_BUFFER_BYTES: usize = 1 << 20;

type Socket = WebSocketStream<TcpStream>;

/// Why a session ended. Who says wrong things is told so; all others just go.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    #[error("the websocket failed: {0}")]
    Socket(#[from] tungstenite::Error),
    #[error("{0}")]
    Mailbox(#[from] MailboxError),
    #[error("expected {expected}")]
    Unexpected { expected: &'static str },
    #[error("the key is not proven: the nonce is wrong")]
    NotProven,
    #[error("the key is not valid: {0}")]
    Key(#[from] sphinx::SealError),
    #[error("the confirmation is wrong: {0}")]
    Confirmation(#[from] wire::MailboxError),
    #[error("nothing came for {SILENCE_LIMIT:?}")]
    Silent,
    #[error("another connection of this client took over")]
    Replaced,
    #[error("the connection is closed")]
    Closed,
}

/// The sessions of a provider. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    storage: Storage,
    /// The provider's own key: what is sealed for its challenge opens no other provider's.
    own_key: PublicKey,
    online: Arc<Mutex<Online>>,
}

#[derive(Debug, Default)]
struct Online {
    sessions: HashMap<PublicKey, Session>,
    events: Vec<LinkEvent>,
    delivered: u64,
}

#[derive(Clone, Debug, Default)]
struct Session {
    news: Arc<Notify>,
    replaced: CancellationToken,
}

/// Link events that wait to be taken; ten seconds of a thousand deliveries a second.
const MAX_EVENTS: usize = 10_000;

impl Sessions {
    pub(crate) fn new(storage: Storage, own_key: PublicKey) -> Self {
        Self { storage, own_key, online: Arc::default() }
    }

    /// Clients connected right now.
    pub(crate) fn online(&self) -> u64 {
        self.lock().sessions.len() as u64
    }

    /// Packets confirmed since the start.
    pub(crate) fn delivered(&self) -> u64 {
        self.lock().delivered
    }

    /// What left towards clients since this was last asked.
    pub(crate) fn take_events(&self) -> Vec<LinkEvent> {
        std::mem::take(&mut self.lock().events)
    }

    /// Something was stored for this client.
    pub(crate) fn notify(&self, client: &PublicKey) {
        if let Some(session) = self.lock().sessions.get(client) {
            session.news.notify_one();
        }
    }

    /// Accepts connections for ever.
    pub(crate) async fn serve(self, listener: TcpListener) {
        accept(listener, MAX_CONNECTIONS, |stream, peer| {
            let sessions = self.clone();
            async move { sessions.connection(stream, peer).await }
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Online> {
        // Nothing in here can panic halfway through a change.
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr) {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES))
            .read_buffer_size(MAX_MESSAGE_BYTES)
            .write_buffer_size(MAX_MESSAGE_BYTES)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES);
        let handshake = async {
            stream.set_nodelay(true)?;
            accept_hdr_async_with_config(stream, check_request, Some(config)).await
        };
        let mut socket = match timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => return tracing::debug!("{peer} is no client: {error}"),
            Err(_) => return tracing::debug!("{peer} is no client: no handshake"),
        };
        let registered = timeout(HANDSHAKE_TIMEOUT, self.register(&mut socket)).await;
        let result = match registered.unwrap_or(Err(SessionError::Silent)) {
            Ok(client) => {
                tracing::info!("client {client} connected");
                let result = self.deliver(&mut socket, client).await;
                tracing::info!("client {client} disconnected");
                result
            }
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::debug!("session of {peer}: {error}");
            if !matches!(error, SessionError::Socket(_) | SessionError::Closed) {
                // The other side may be gone already.
                let message = ProviderMessage::Error { message: error.to_string() };
                let goodbye = async {
                    send_text(&mut socket, &message).await?;
                    Ok::<(), SessionError>(socket.close(None).await?)
                };
                let _ = timeout(HANDSHAKE_TIMEOUT, goodbye).await;
            }
        }
    }

    /// Lets a client prove its key; returns it.
    async fn register(&self, socket: &mut Socket) -> Result<PublicKey, SessionError> {
        let expected = "a `hello` with the client's key";
        let ClientMessage::Hello { key } = receive_text(socket, expected).await? else {
            return Err(SessionError::Unexpected { expected });
        };
        let nonce: [u8; NONCE_BYTES] = rand::rng().random();
        let purpose = [CHALLENGE_PURPOSE, self.own_key.as_bytes()].concat();
        let sealed = seal(&mut rand::rng(), &key, &purpose, &nonce)?;
        let sealed = wire::encode_base58(&sealed);
        send_text(socket, &ProviderMessage::Challenge { sealed }).await?;

        let expected = "a `prove` with the opened nonce";
        let ClientMessage::Prove { nonce: proof } = receive_text(socket, expected).await? else {
            return Err(SessionError::Unexpected { expected });
        };
        // The nonce is used once, so that the time of this comparison tells nothing of use.
        if proof != wire::encode_base58(&nonce) {
            return Err(SessionError::NotProven);
        }
        let waiting = self
            .storage
            .ask(move |mailbox| {
                if mailbox.register(&key)? {
                    tracing::info!("client {key} is new");
                }
                mailbox.waiting_for(&key)
            })
            .await?;
        send_text(socket, &ProviderMessage::Registered { waiting }).await?;
        Ok(key)
    }

    /// Delivers packets as they come, until the connection ends.
    async fn deliver(&self, socket: &mut Socket, client: PublicKey) -> Result<(), SessionError> {
        let session = Session::default();
        let before = self.lock().sessions.insert(client, session.clone());
        if let Some(before) = before {
            before.replaced.cancel();
        }
        let result = self.deliver_in(socket, client, &session).await;
        let mut online = self.lock();
        // Whoever took over stays.
        if online.sessions.get(&client).is_some_and(|now| Arc::ptr_eq(&now.news, &session.news)) {
            online.sessions.remove(&client);
        }
        result
    }

    async fn deliver_in(
        &self,
        socket: &mut Socket,
        client: PublicKey,
        session: &Session,
    ) -> Result<(), SessionError> {
        let mut sent_up_to = 0;
        let mut unconfirmed = 0;
        let mut heard = Instant::now();
        let mut ping_at = heard + PING_INTERVAL;
        // What waits from before this connection.
        session.news.notify_one();
        loop {
            tokio::select! {
                () = session.replaced.cancelled() => return Err(SessionError::Replaced),
                () = session.news.notified(), if unconfirmed < MAX_CONFIRMATIONS => {
                    let limit = MAX_CONFIRMATIONS - unconfirmed;
                    let (number, sent) = self.send_waiting(socket, client, sent_up_to, limit).await?;
                    sent_up_to = number;
                    unconfirmed += sent;
                }
                message = socket.next() => {
                    heard = Instant::now();
                    match message.ok_or(SessionError::Closed)?? {
                        Message::Binary(bytes) => {
                            let numbers = confirmed(&bytes)?;
                            unconfirmed = unconfirmed.saturating_sub(numbers.len());
                            self.confirm(client, numbers).await?;
                            session.news.notify_one();
                        }
                        Message::Close(_) => return Err(SessionError::Closed),
                        Message::Text(_) => {
                            return Err(SessionError::Unexpected { expected: "confirmations" });
                        }
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                    }
                }
                () = tokio::time::sleep_until(ping_at) => {
                    if heard.elapsed() > SILENCE_LIMIT {
                        return Err(SessionError::Silent);
                    }
                    let ping = socket.send(Message::Ping(Vec::new().into()));
                    timeout(SILENCE_LIMIT, ping).await.map_err(|_| SessionError::Silent)??;
                    ping_at = Instant::now() + PING_INTERVAL;
                }
            }
        }
    }

    /// Sends what waits after this number; returns the last number and how many were sent.
    async fn send_waiting(
        &self,
        socket: &mut Socket,
        client: PublicKey,
        after: u64,
        limit: usize,
    ) -> Result<(u64, usize), SessionError> {
        let waiting = self.storage.ask(move |mailbox| mailbox.waiting(&client, after, limit));
        let waiting = waiting.await?;
        let mut last = after;
        for delivery in &waiting {
            let bytes = delivery.encode();
            let length = u32::try_from(bytes.len()).expect("a packet is small");
            // A client that does not read must not hold this task up for ever.
            let fed = timeout(SILENCE_LIMIT, socket.feed(Message::Binary(bytes.into()))).await;
            fed.map_err(|_| SessionError::Silent)??;
            last = delivery.number;
            let mut online = self.lock();
            if online.events.len() < MAX_EVENTS {
                let (t, dst) = (clock::now(), client.to_string());
                online.events.push(LinkEvent { t, dst, bytes: length });
            }
        }
        timeout(SILENCE_LIMIT, socket.flush()).await.map_err(|_| SessionError::Silent)??;
        Ok((last, waiting.len()))
    }

    async fn confirm(&self, client: PublicKey, numbers: Vec<u64>) -> Result<(), SessionError> {
        let deleted = self.storage.ask(move |mailbox| mailbox.confirm(&client, &numbers)).await?;
        self.lock().delivered += deleted;
        Ok(())
    }
}

/// Who connects must speak this program's subprotocol, and must not be somebody else's web page.
#[expect(clippy::result_large_err, reason = "the websocket library's signature")]
fn check_request(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let refuse = |status, text: String| {
        let mut response = ErrorResponse::new(Some(text));
        *response.status_mut() = status;
        Err(response)
    };
    if let Err(origin) = origin::check(request.headers(), &[]) {
        return refuse(StatusCode::FORBIDDEN, format!("pages of {origin} may not connect here"));
    }
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    if !offered.any(|name| name.trim() == SUBPROTOCOL) {
        let text = format!("this provider speaks the websocket subprotocol {SUBPROTOCOL}");
        return refuse(StatusCode::BAD_REQUEST, text);
    }
    let accepted = HeaderValue::from_static(SUBPROTOCOL);
    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, accepted);
    Ok(response)
}

async fn send_text(socket: &mut Socket, message: &ProviderMessage) -> Result<(), SessionError> {
    let text = serde_json::to_string(message).expect("messages are JSON");
    Ok(socket.send(Message::Text(text.into())).await?)
}

async fn receive_text(
    socket: &mut Socket,
    expected: &'static str,
) -> Result<ClientMessage, SessionError> {
    loop {
        match socket.next().await.ok_or(SessionError::Closed)?? {
            Message::Text(text) => {
                return serde_json::from_str(&text)
                    .map_err(|_| SessionError::Unexpected { expected });
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            Message::Close(_) => return Err(SessionError::Closed),
            Message::Binary(_) => return Err(SessionError::Unexpected { expected }),
        }
    }
}
