//! From a connection to a websocket, or to a useful answer for whoever is no websocket.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::machine::TryParse;
use tokio_tungstenite::tungstenite::handshake::server::{Request, create_response, write_response};
use tokio_tungstenite::tungstenite::http::{Response, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

use super::linger;
use super::websocket::FRAME_BYTES;

/// Bytes of the longest request that is read. Browsers send the cookies of all local servers along.
const MAX_HEAD_BYTES: usize = 32 << 10;

/// Bytes of a usual one.
const HEAD_BYTES: usize = 2 << 10;

/// Bytes that are read and written at once. Most requests are short.
const BUFFER_BYTES: usize = 16 << 10;

/// A message in JSON, each byte of it escaped at worst, and the frame around it.
pub(super) const MAX_MESSAGE_BYTES: usize = 6 * contract::MAX_MESSAGE_BYTES + 4096;

/// Bytes that wait for an application that does not read: a frame that is being written, and as much
/// for answers to its pings. Without a bound whoever sends pings and reads nothing fills the memory.
const MAX_WRITE_BUFFER_BYTES: usize = 2 * FRAME_BYTES;

/// The path of the older API.
const OLDER_PATH: &str = "/mix";

/// A connection of an application.
pub(super) type Socket = WebSocketStream<TcpStream>;

/// Which API an application speaks, as its path says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generation {
    /// That of v0.5: it fetches, and sends text.
    Fetching,
    /// That of v0.7: messages are pushed, and it sends text and bytes.
    Pushed,
}

/// There is no websocket.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
    #[error("the connection was closed before its request was complete")]
    Closed,
    #[error("answered {status}: {text}")]
    Refused { status: StatusCode, text: String },
}

/// Makes a websocket of a connection, or says why not.
pub(super) async fn accept(
    mut stream: TcpStream,
    allowed_origins: &[String],
) -> Result<(Socket, Generation), HandshakeError> {
    let (request, rest) = match read_request(&mut stream).await {
        Ok(read) => read,
        Err(HandshakeError::Refused { status, text }) => {
            return Err(refuse(stream, status, text).await);
        }
        Err(error) => return Err(error),
    };
    if let Err(origin) = origin::check(request.headers(), allowed_origins) {
        let text = format!("pages of {origin} may not connect here; --allow-origin names others");
        return Err(refuse(stream, StatusCode::FORBIDDEN, text).await);
    }
    let response = match create_response(&request) {
        Ok(response) => response,
        Err(error) => {
            let (status, text) = explain(&error);
            return Err(refuse(stream, status, text).await);
        }
    };
    let mut head = Vec::new();
    write_response(&mut head, &response).expect("its headers are ASCII");
    stream.write_all(&head).await?;

    let generation = match request.uri().path().trim_end_matches('/') {
        OLDER_PATH => Generation::Fetching,
        _ => Generation::Pushed,
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES);
    let socket = WebSocketStream::from_partially_read(stream, rest, Role::Server, Some(config));
    Ok((socket.await, generation))
}

/// The request, and what follows it.
async fn read_request(stream: &mut TcpStream) -> Result<(Request, Vec<u8>), HandshakeError> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(HandshakeError::Closed);
        }
        match Request::try_parse(&bytes) {
            Ok(Some((length, request))) => return Ok((request, bytes.split_off(length))),
            Ok(None) if bytes.len() < MAX_HEAD_BYTES => {}
            Ok(None) => {
                let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                let text = format!("the request is longer than {MAX_HEAD_BYTES} bytes");
                return Err(HandshakeError::Refused { status, text });
            }
            Err(error) => {
                let (status, text) = explain(&error);
                return Err(HandshakeError::Refused { status, text });
            }
        }
    }
}

/// What is wrong with a request. Most often it is a browser that was pointed here.
fn explain(error: &tungstenite::Error) -> (StatusCode, String) {
    const WHAT: &str = "this is the websocket of a Nym client, for applications";
    match error {
        tungstenite::Error::Protocol(
            ProtocolError::MissingSecWebSocketVersionHeader | ProtocolError::MissingSecWebSocketKey,
        )
        | tungstenite::Error::HttpFormat(_) => {
            (StatusCode::BAD_REQUEST, format!("{WHAT}; the request is wrong: {error}"))
        }
        // No HTTP at all.
        tungstenite::Error::Protocol(ProtocolError::HttparseError(_)) => {
            (StatusCode::BAD_REQUEST, format!("{WHAT}; that was no request: {error}"))
        }
        _ => (StatusCode::UPGRADE_REQUIRED, format!("{WHAT}; connect to it with ws://")),
    }
}

/// Says why there is no websocket, in one line.
async fn refuse(mut stream: TcpStream, status: StatusCode, text: String) -> HandshakeError {
    let response = Response::builder()
        .status(status)
        .header(header::CONNECTION, "close")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(header::CONTENT_LENGTH, text.len() + 1)
        .body(())
        .expect("its headers are ASCII");
    let mut bytes = Vec::new();
    write_response(&mut bytes, &response).expect("its headers are ASCII");
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\n');
    if let Err(error) = stream.write_all(&bytes).await {
        return error.into();
    }
    linger(&mut stream).await;
    HandshakeError::Refused { status, text }
}
