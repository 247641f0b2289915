//! The websocket for applications, as the native client of Nym v0.7 had it: JSON requests, received
//! messages pushed as plain frames.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use runtime::accept;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};
use wire::{ClientAddress, PublicKey};

use crate::identity::Ask;
use crate::inbox::Inbox;

/// Most connections of applications at once, those included that have not said anything yet. A
/// port scanner that holds hundreds open must not keep the one application out.
const MAX_CONNECTIONS: usize = 1024;

/// How long a connection may take to become a websocket.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an application may take to read a frame before it is cut off.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A message in JSON, each byte of it escaped at worst, and the frame around it.
const MAX_MESSAGE_BYTES: usize = 6 * contract::MAX_MESSAGE_BYTES + 4096;

/// Bytes that are read at once. Most requests are short.
const READ_BUFFER_BYTES: usize = 16 << 10;

/// A binary request begins with two keys: recipient and its provider.
const BINARY_HEAD_BYTES: usize = 2 * PublicKey::BYTES;

type Socket = WebSocketStream<TcpStream>;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum AppRequest {
    Send {
        message: serde_json::Value,
        #[serde(alias = "recipient_address")]
        recipient: String,
    },
    SelfAddress,
    GetClients,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum AppResponse {
    Send,
    SelfAddress { address: String },
    GetClients { clients: Vec<String> },
    Error { message: String },
}

/// In what kind of frame an application gets messages: that of its own last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PushKind {
    /// It has sent none: text where it is UTF-8.
    Unknown,
    Text,
    Binary,
}

/// Accepts applications for ever.
pub(crate) async fn serve(listener: TcpListener, asks: mpsc::Sender<Ask>, inbox: Inbox) {
    accept(listener, MAX_CONNECTIONS, |stream, peer| {
        let (asks, inbox) = (asks.clone(), inbox.clone());
        async move {
            if let Err(error) = application(stream, asks, &inbox).await {
                tracing::debug!("application {peer}: {error}");
            }
        }
    })
    .await;
}

async fn application(
    stream: TcpStream,
    asks: mpsc::Sender<Ask>,
    inbox: &Inbox,
) -> Result<(), tungstenite::Error> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(READ_BUFFER_BYTES);
    let handshake = accept_hdr_async_with_config(stream, check_request, Some(config));
    let timed_out = || tungstenite::Error::Io(std::io::ErrorKind::TimedOut.into());
    let mut socket = timeout(HANDSHAKE_TIMEOUT, handshake).await.map_err(|_| timed_out())??;
    let mut connection =
        Connection { asks, push_kind: PushKind::Unknown, messages: None, unwritten: None };
    let result = connection.serve(&mut socket, inbox).await;
    if let Some(messages) = connection.messages {
        inbox.give_back(connection.unwritten, messages);
    }
    result
}

async fn write(socket: &mut Socket, message: Message) -> Result<(), tungstenite::Error> {
    match timeout(WRITE_TIMEOUT, socket.send(message)).await {
        Ok(sent) => sent,
        Err(_) => Err(tungstenite::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

struct Connection {
    asks: mpsc::Sender<Ask>,
    push_kind: PushKind,
    /// Messages for this application. Pushes wait for the first answer: a program that asks for its
    /// address takes the first frame for the answer.
    messages: Option<mpsc::Receiver<Arc<Vec<u8>>>>,
    /// The message that is being written.
    unwritten: Option<Arc<Vec<u8>>>,
}

impl Connection {
    async fn serve(
        &mut self,
        socket: &mut Socket,
        inbox: &Inbox,
    ) -> Result<(), tungstenite::Error> {
        loop {
            let messages = &mut self.messages;
            let next_message = async {
                match messages {
                    Some(messages) => messages.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                frame = socket.next() => {
                    let Some(frame) = frame else { return Ok(()) };
                    let response = match frame? {
                        Message::Text(text) => self.take_text(&text).await,
                        Message::Binary(bytes) => self.take_binary(&bytes).await,
                        Message::Close(_) => return Ok(()),
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
                    };
                    let text = serde_json::to_string(&response).expect("responses are JSON");
                    write(socket, Message::Text(text.into())).await?;
                    self.messages.get_or_insert_with(|| inbox.connect());
                }
                message = next_message => {
                    // None: it did not read, and was dropped from the inbox.
                    let Some(message) = message else { return socket.close(None).await };
                    let frame = self.push(&message);
                    self.unwritten = Some(message);
                    write(socket, frame).await?;
                    self.unwritten = None;
                }
            }
        }
    }

    async fn take_text(&mut self, text: &str) -> AppResponse {
        match serde_json::from_str(text) {
            Ok(AppRequest::Send { message, recipient }) => {
                self.push_kind = PushKind::Text;
                // A string stands for itself, anything else for its JSON.
                let data = match message {
                    serde_json::Value::String(text) => text.into_bytes(),
                    other => other.to_string().into_bytes(),
                };
                self.send(recipient, data).await
            }
            Ok(AppRequest::SelfAddress) => {
                let answer = self.ask(|answer| Ask::Address { answer }).await;
                answer.map_or_else(ended, |address| AppResponse::SelfAddress {
                    address: address.to_string(),
                })
            }
            Ok(AppRequest::GetClients) => {
                let answer = self.ask(|answer| Ask::Clients { answer }).await;
                answer.map_or_else(ended, |clients| AppResponse::GetClients {
                    clients: clients.iter().map(ToString::to_string).collect(),
                })
            }
            Err(error) => {
                AppResponse::Error { message: format!("received invalid request. err: {error}") }
            }
        }
    }

    async fn take_binary(&mut self, bytes: &[u8]) -> AppResponse {
        self.push_kind = PushKind::Binary;
        let split = bytes.split_at_checked(BINARY_HEAD_BYTES).and_then(|(head, data)| {
            let (client, provider) = head.split_first_chunk()?;
            let client = PublicKey::from_bytes(*client);
            let provider = PublicKey::from_bytes(provider.try_into().ok()?);
            Some((ClientAddress { client, provider }, data))
        });
        match split {
            Some((address, data)) => self.send(address.to_string(), data.to_vec()).await,
            None => AppResponse::Error { message: "invalid binary request".into() },
        }
    }

    async fn send(&self, to: String, data: Vec<u8>) -> AppResponse {
        match self.ask(|answer| Ask::Send { to, data, answer }).await {
            Some(Ok(_)) => AppResponse::Send,
            Some(Err(message)) => AppResponse::Error { message },
            None => ended(),
        }
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.asks.send(ask(sender)).await.ok()?;
        answer.await.ok()
    }

    fn push(&self, message: &[u8]) -> Message {
        match (self.push_kind, std::str::from_utf8(message)) {
            (PushKind::Unknown | PushKind::Text, Ok(text)) => Message::Text(text.into()),
            _ => Message::Binary(message.to_vec().into()),
        }
    }
}

fn ended() -> AppResponse {
    AppResponse::Error { message: "the client is stopping".into() }
}

/// Somebody else's web page must not read messages.
#[expect(clippy::result_large_err, reason = "the websocket library's signature")]
fn check_request(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    match origin::check(request.headers(), &[]) {
        Ok(()) => Ok(response),
        Err(origin) => {
            let text = format!("pages of {origin} may not connect here");
            let mut response = ErrorResponse::new(Some(text));
            *response.status_mut() = StatusCode::FORBIDDEN;
            Err(response)
        }
    }
}
