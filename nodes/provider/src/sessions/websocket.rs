//! What both protocols on websockets share: the handshake, deadlines, pings, and pushing packets.

use std::time::Duration;

use futures_util::SinkExt;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};
use wire::{Delivery, ProviderMessage, SUBPROTOCOL};

use super::Shared;
use super::online::Login;
use crate::{MailboxError, Protocol};

/// How long the handshake may take, and the registration of a client of this program.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the provider pings.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// A connection on which nothing came for so long is dead: three pings without an answer. A client
/// that takes nothing for so long is given up too.
const SILENCE_LIMIT: Duration = Duration::from_secs(16);

/// A client sends at most a packet with its first hop: 2415 bytes. What is too long by some is still
/// answered; what does not fit in here ends the connection.
const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// Deliveries wait for a client that does not read at most here: the rest stays in the mailbox.
const MAX_WRITE_BUFFER_BYTES: usize = 1 << 20;

/// Deliveries are written in pieces of this size. Most connections are idle, and have the buffer.
const WRITE_BUFFER_BYTES: usize = 4 << 10;

/// A client's websocket.
pub(super) type Socket = WebSocketStream<TcpStream>;

/// Why a session ended. Who says wrong things is told so; all others just go.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
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
    #[error("the handshake took longer than {HANDSHAKE_TIMEOUT:?}")]
    Handshake,
    #[error("nobody logged in")]
    NoLogin,
    #[error("another connection of this client took over")]
    Replaced,
    #[error("the connection is closed")]
    Closed,
}

/// Makes a websocket of a connection.
pub(super) async fn accept(stream: TcpStream) -> Result<(Socket, Protocol), SessionError> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
        .read_buffer_size(WRITE_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES);
    let mut protocol = Protocol::Websocket;
    #[expect(clippy::result_large_err, reason = "the websocket library's signature")]
    let check = |request: &Request, mut response: Response| {
        protocol = wanted(request.headers())?;
        if protocol == Protocol::V1 {
            let accepted = HeaderValue::from_static(SUBPROTOCOL);
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, accepted);
        }
        Ok(response)
    };
    let accepting = accept_hdr_async_with_config(stream, check, Some(config));
    let accepted = timeout(HANDSHAKE_TIMEOUT, accepting).await;
    let socket = accepted.map_err(|_| SessionError::Handshake)??;
    Ok((socket, protocol))
}

/// What a client wants to speak; it must not be somebody else's web page.
#[expect(clippy::result_large_err, reason = "the websocket library's signature")]
fn wanted(headers: &HeaderMap) -> Result<Protocol, ErrorResponse> {
    let refuse = |status, text: String| {
        let mut response = ErrorResponse::new(Some(text));
        *response.status_mut() = status;
        Err(response)
    };
    if let Err(origin) = origin::check(headers, &[]) {
        return refuse(StatusCode::FORBIDDEN, format!("pages of {origin} may not connect here"));
    }
    let mut offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().peekable();
    if offered.peek().is_none() {
        return Ok(Protocol::Websocket);
    }
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    if offered.any(|name| name.trim() == SUBPROTOCOL) {
        return Ok(Protocol::V1);
    }
    let text = format!(
        "this provider speaks the websocket subprotocol {SUBPROTOCOL}, and that of v0.7 if none is \
         asked for"
    );
    refuse(StatusCode::BAD_REQUEST, text)
}

/// Ends a session, and says why where the other side can know better.
pub(super) async fn close(
    socket: &mut Socket,
    protocol: Protocol,
    result: Result<(), SessionError>,
) {
    let code = match &result {
        Err(SessionError::Socket(tungstenite::Error::Capacity(_))) => CloseCode::Size,
        Err(SessionError::Socket(_)) => return,
        Ok(()) | Err(SessionError::Closed) => CloseCode::Normal,
        Err(_) => CloseCode::Policy,
    };
    let goodbye = async {
        if code == CloseCode::Normal {
            // The answer to the other side's own goodbye.
            return Ok(SinkExt::close(socket).await?);
        }
        if let (Err(error), CloseCode::Policy, Protocol::V1) = (&result, code, protocol) {
            send_json(socket, &ProviderMessage::Error { message: error.to_string() }).await?;
        }
        let frame = CloseFrame { code, reason: "".into() };
        Ok::<(), SessionError>(socket.close(Some(frame)).await?)
    };
    // The other side may be gone already.
    let _ = timeout(HANDSHAKE_TIMEOUT, goodbye).await;
}

/// Writes a frame. A client that does not read must not hold its task up for ever.
pub(super) async fn send(socket: &mut Socket, message: Message) -> Result<(), SessionError> {
    let sent = timeout(SILENCE_LIMIT, socket.send(message)).await;
    Ok(sent.map_err(|_| SessionError::Silent)??)
}

/// Writes a text frame.
pub(super) async fn send_json(
    socket: &mut Socket,
    message: &impl Serialize,
) -> Result<(), SessionError> {
    let text = serde_json::to_string(message).expect("messages are JSON");
    send(socket, Message::Text(text.into())).await
}

/// Whether the other side is still there.
#[derive(Debug)]
pub(super) struct Pulse {
    heard: Instant,
    ping_at: Instant,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let heard = Instant::now();
        Self { heard, ping_at: heard + PING_INTERVAL }
    }

    /// Something came.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Waits until the next ping is due.
    pub(super) async fn due(&self) {
        sleep_until(self.ping_at).await;
    }

    /// Pings, or gives up.
    pub(super) async fn ping(
        &mut self,
        socket: &mut Socket,
        content: Vec<u8>,
    ) -> Result<(), SessionError> {
        if self.heard.elapsed() > SILENCE_LIMIT {
            return Err(SessionError::Silent);
        }
        send(socket, Message::Ping(content.into())).await?;
        self.ping_at = Instant::now() + PING_INTERVAL;
        Ok(())
    }
}

impl Shared {
    /// Writes what waits for a client after this number, at most so many packets, each as `frame`
    /// makes it. Returns their numbers.
    pub(super) async fn push(
        &self,
        socket: &mut Socket,
        login: &Login<'_>,
        after: u64,
        limit: usize,
        frame: impl Fn(&Delivery) -> Vec<u8>,
    ) -> Result<Vec<u64>, SessionError> {
        let client = login.client();
        let waiting = self.storage.waiting(client, after, limit).await?;
        let mut numbers = Vec::with_capacity(waiting.len());
        for delivery in &waiting {
            let bytes = frame(delivery);
            let length = bytes.len();
            let fed = timeout(SILENCE_LIMIT, socket.feed(Message::Binary(bytes.into()))).await;
            fed.map_err(|_| SessionError::Silent)??;
            self.online.record(&client, length);
            numbers.push(delivery.number);
        }
        timeout(SILENCE_LIMIT, socket.flush()).await.map_err(|_| SessionError::Silent)??;
        Ok(numbers)
    }
}
