//! The connection to the provider: registers, brings deliveries, takes confirmations, and comes back
//! by itself.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use runtime::{Network, ProviderEntry};
use sphinx::{PrivateKey, open};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use wire::{
    CHALLENGE_PURPOSE, ClientMessage, Delivery, MAX_CONFIRMATIONS, ProviderMessage, PublicKey,
    SUBPROTOCOL, confirmation, decode_base58, encode_base58,
};

/// How long after a lost connection the first retry comes.
const FIRST_RETRY: Duration = Duration::from_millis(50);

/// The waiting time doubles up to this.
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// How long connecting and registering may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection on which nothing came for so long is dead: the provider pings every five seconds.
const SILENCE_LIMIT: Duration = Duration::from_secs(16);

/// A delivery is 2072 bytes.
const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// What is read at once, and written. Each identity of a crowd has the buffer for reading.
const BUFFER_BYTES: usize = 4 << 10;

type Socket = WebSocketStream<TcpStream>;

/// Whether the provider is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// Registered; packets for this client are stored.
    Registered,
    /// Not, because of this.
    Down(String),
}

#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("the directory does not list {0}")]
    NotListed(PublicKey),
    #[error("its address `{0}` is not of the form ws://host:port")]
    Address(String),
    #[error("cannot connect to {url}: {source}")]
    Connect { url: String, source: std::io::Error },
    #[error("the websocket failed: {0}")]
    Socket(#[from] tungstenite::Error),
    #[error("it refused: {0}")]
    Refused(String),
    #[error("it does not speak {SUBPROTOCOL}: {0}")]
    Protocol(&'static str),
    #[error("it was silent for too long")]
    Silent,
    #[error("it closed the connection")]
    Closed,
    #[error("what it delivers cannot be kept: {0}")]
    CannotKeep(String),
}

/// What the link needs.
pub(crate) struct ProviderLink {
    pub(crate) key: PrivateKey,
    pub(crate) provider: PublicKey,
    pub(crate) networks: watch::Receiver<Arc<Network>>,
    pub(crate) state: watch::Sender<LinkState>,
    pub(crate) deliveries: mpsc::Sender<Delivery>,
    pub(crate) confirmations: mpsc::Receiver<u64>,
    /// Says why a delivery could not be kept. The provider delivers it again on the next connection.
    pub(crate) hang_up: mpsc::Receiver<String>,
}

/// Whether a provider takes this client; why not, as a sentence without a full stop.
pub(crate) async fn try_provider(key: &PrivateKey, provider: &ProviderEntry) -> Result<(), String> {
    let registered = timeout(HANDSHAKE_TIMEOUT, connect(key, provider)).await;
    registered.unwrap_or(Err(LinkError::Silent)).map(drop).map_err(|error| error.to_string())
}

impl ProviderLink {
    /// Keeps the connection up until nobody wants deliveries any more.
    pub(crate) async fn run(mut self) {
        let mut retry = FIRST_RETRY;
        loop {
            let registered = timeout(HANDSHAKE_TIMEOUT, self.connect()).await;
            let error = match registered.unwrap_or(Err(LinkError::Silent)) {
                Ok(socket) => {
                    // What could not be kept of an earlier connection is delivered again anyway.
                    while self.hang_up.try_recv().is_ok() {}
                    self.state.send_replace(LinkState::Registered);
                    let error = match self.carry(socket).await {
                        Ok(()) => return,
                        Err(error) => error,
                    };
                    // A full disk is full for longer than that.
                    if !matches!(error, LinkError::CannotKeep(_)) {
                        retry = FIRST_RETRY;
                    }
                    error
                }
                Err(error) => error,
            };
            tracing::debug!("provider {}: {error}", self.provider);
            self.state.send_replace(LinkState::Down(format!("no provider: {error}")));
            tokio::select! {
                () = sleep(retry) => retry = (retry * 2).min(LONGEST_RETRY),
                // It may have come back at another address.
                Ok(()) = self.networks.changed() => {}
            }
        }
    }

    async fn connect(&mut self) -> Result<Socket, LinkError> {
        let network = Arc::clone(&self.networks.borrow_and_update());
        let provider =
            network.provider(&self.provider).ok_or(LinkError::NotListed(self.provider))?;
        connect(&self.key, provider).await
    }

    /// Passes deliveries on and confirmations back. Fine when nobody wants them any more.
    async fn carry(&mut self, mut socket: Socket) -> Result<(), LinkError> {
        let mut numbers = Vec::with_capacity(MAX_CONFIRMATIONS);
        loop {
            tokio::select! {
                message = timeout(SILENCE_LIMIT, socket.next()) => {
                    let message = message.map_err(|_| LinkError::Silent)?;
                    match message.ok_or(LinkError::Closed)?? {
                        Message::Binary(bytes) => {
                            let delivery = Delivery::decode(&bytes)
                                .map_err(|_| LinkError::Protocol("a delivery is too short"))?;
                            if self.deliveries.send(delivery).await.is_err() {
                                return Ok(());
                            }
                        }
                        Message::Close(_) => return Err(LinkError::Closed),
                        Message::Text(text) => return Err(refusal(&text)),
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                    }
                }
                Some(reason) = self.hang_up.recv() => return Err(LinkError::CannotKeep(reason)),
                taken = self.confirmations.recv_many(&mut numbers, MAX_CONFIRMATIONS) => {
                    if taken == 0 {
                        return Ok(());
                    }
                    let frame = Message::Binary(confirmation(&numbers).into());
                    numbers.clear();
                    socket.send(frame).await?;
                }
            }
        }
    }
}

/// Connects and registers.
async fn connect(key: &PrivateKey, provider: &ProviderEntry) -> Result<Socket, LinkError> {
    let url = provider.clients_url.clone();
    let address = url.strip_prefix("ws://").ok_or_else(|| LinkError::Address(url.clone()))?;
    let address = address.trim_end_matches('/').to_owned();
    let stream = TcpStream::connect(address)
        .await
        .map_err(|source| LinkError::Connect { url: url.clone(), source })?;
    stream.set_nodelay(true).map_err(tungstenite::Error::Io)?;
    let mut request = url.into_client_request()?;
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES);
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    register(key, &provider.key, &mut socket).await?;
    Ok(socket)
}

async fn register(
    key: &PrivateKey,
    provider: &PublicKey,
    socket: &mut Socket,
) -> Result<(), LinkError> {
    send_text(socket, &ClientMessage::Hello { key: key.public() }).await?;
    let ProviderMessage::Challenge { sealed } = receive_text(socket).await? else {
        return Err(LinkError::Protocol("expected a challenge"));
    };
    let purpose = [CHALLENGE_PURPOSE, provider.as_bytes()].concat();
    let nonce = decode_base58(&sealed)
        .and_then(|sealed| open(key, &purpose, &sealed).ok())
        .ok_or(LinkError::Protocol("the challenge does not open"))?;
    send_text(socket, &ClientMessage::Prove { nonce: encode_base58(&nonce) }).await?;
    match receive_text(socket).await? {
        ProviderMessage::Registered { .. } => Ok(()),
        _ => Err(LinkError::Protocol("expected to be registered")),
    }
}

async fn send_text(socket: &mut Socket, message: &ClientMessage) -> Result<(), LinkError> {
    let text = serde_json::to_string(message).expect("messages are JSON");
    Ok(socket.send(Message::Text(text.into())).await?)
}

async fn receive_text(socket: &mut Socket) -> Result<ProviderMessage, LinkError> {
    loop {
        match socket.next().await.ok_or(LinkError::Closed)?? {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(ProviderMessage::Error { message }) => return Err(LinkError::Refused(message)),
                Ok(message) => return Ok(message),
                Err(_) => return Err(LinkError::Protocol("not one of its messages")),
            },
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            Message::Close(_) => return Err(LinkError::Closed),
            Message::Binary(_) => return Err(LinkError::Protocol("a delivery came too early")),
        }
    }
}

fn refusal(text: &str) -> LinkError {
    match serde_json::from_str(text) {
        Ok(ProviderMessage::Error { message }) => LinkError::Refused(message),
        _ => LinkError::Protocol("text between deliveries"),
    }
}
