//! A websocket of an application, from its first byte to its last: what is read waits here for the
//! [`Session`], what the session has to say is written here.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;

use super::handshake::{HandshakeError, Socket, accept};
use super::session::Session;
use super::{Applications, CLOSE_TIMEOUT, Refusal, WRITE_TIMEOUT, linger};

/// How long a connection may take to become a websocket.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);

/// The same while more than half of the places are taken, so that whoever holds connections open
/// without a word loses them quickly.
pub(super) const CROWDED_HANDSHAKE_TIMEOUT: Duration = Duration::from_millis(250);

/// Requests that are read ahead while another is carried out. One, so that an application that writes
/// before it reads does not wait for a client that writes to it; one may be long.
const MAX_READ_AHEAD: usize = 1;

/// Longer messages are written in frames of this size, so that the websocket's own buffer never holds
/// a second copy of a whole one. Only their last frame is marked as such; libraries put them together.
pub(super) const FRAME_BYTES: usize = 256 << 10;

/// What v0.5 says to whoever sends it binary data.
const BINARY_REFUSED: &str = "binary messages aren't yet supported";

/// Where frames for an application go.
pub(super) type Sink = SplitSink<Socket, Message>;

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
    #[error("it took longer than {0:?} to say what it wants")]
    Silent(Duration),
    #[error("the websocket failed: {0}")]
    Socket(#[from] tungstenite::Error),
    #[error("it left what was written to it unread for {WRITE_TIMEOUT:?}")]
    Unread,
    #[error("{BINARY_REFUSED}")]
    Binary,
    #[error("{0}")]
    Refusal(#[from] Refusal),
}

/// Serves an application until it goes.
pub(super) async fn serve(
    applications: Applications,
    stream: TcpStream,
    crowded: bool,
    stopping: CancellationToken,
) -> Result<(), End> {
    stream.set_nodelay(true).map_err(HandshakeError::Io)?;
    let limit = if crowded { CROWDED_HANDSHAKE_TIMEOUT } else { HANDSHAKE_TIMEOUT };
    let accepted = timeout(limit, accept(stream, &applications.allowed_origins)).await;
    let (socket, generation) = accepted.map_err(|_| End::Silent(limit))??;

    let (mut sink, mut stream) = socket.split();
    let mut session = Session::new(applications, generation);
    let conversation = async {
        let (frames, read) = mpsc::channel(MAX_READ_AHEAD);
        let reading = pin!(read_frames(&mut stream, frames));
        let serving = pin!(session.run(&mut sink, read));
        match select(reading, serving).await {
            // What it asked before it went is still done.
            Either::Left((ended, serving)) => {
                let _ = timeout(WRITE_TIMEOUT, serving).await;
                ended
            }
            Either::Right((ended, _)) => ended,
        }
    };
    let ended = stopping.run_until_cancelled(conversation).await;
    let ended = ended.unwrap_or(Err(End::Refusal(Refusal::Stopping)));
    let socket = sink.reunite(stream).expect("two halves of one");
    close(socket, &ended).await;
    ended
}

/// Reads until the other side says goodbye. Pings are answered by the library.
async fn read_frames(
    stream: &mut SplitStream<Socket>,
    frames: mpsc::Sender<Message>,
) -> Result<(), End> {
    while let Some(frame) = stream.next().await {
        let frame = frame?;
        if matches!(frame, Message::Text(_) | Message::Binary(_))
            && frames.send(frame).await.is_err()
        {
            break;
        }
    }
    Ok(())
}

/// Writes a message. The application has to read some of it again and again.
pub(super) async fn write(sink: &mut Sink, message: Message) -> Result<(), End> {
    let (mut data, mut bytes) = match message {
        Message::Text(text) => (Data::Text, Bytes::from(text)),
        other => (Data::Binary, other.into_data()),
    };
    loop {
        let rest = bytes.split_off(bytes.len().min(FRAME_BYTES));
        let frame = Frame::message(bytes, OpCode::Data(data), rest.is_empty());
        let sent = timeout(WRITE_TIMEOUT, sink.send(Message::Frame(frame))).await;
        sent.map_err(|_| End::Unread)??;
        if rest.is_empty() {
            return Ok(());
        }
        (data, bytes) = (Data::Continue, rest);
    }
}

/// Says goodbye, and why where the application can know better.
async fn close(mut socket: Socket, ended: &Result<(), End>) {
    let (code, reason) = match ended {
        Ok(()) => (CloseCode::Normal, String::new()),
        Err(End::Binary) => (CloseCode::Unsupported, BINARY_REFUSED.into()),
        Err(End::Refusal(Refusal::Stopping)) => (CloseCode::Away, Refusal::Stopping.to_string()),
        Err(End::Refusal(refusal)) => (CloseCode::Error, refusal.to_string()),
        Err(End::Socket(error)) => match error {
            tungstenite::Error::Capacity(_) => {
                let most = contract::MAX_MESSAGE_BYTES;
                (CloseCode::Size, format!("a message has at most {most} bytes"))
            }
            tungstenite::Error::Utf8(_) => (CloseCode::Invalid, error.to_string()),
            tungstenite::Error::Protocol(_) => (CloseCode::Protocol, error.to_string()),
            _ => return,
        },
        Err(End::Handshake(_) | End::Silent(_) | End::Unread) => return,
    };
    let frame = CloseFrame { code, reason: shorten(reason).into() };
    // The other side may be gone already, or have said goodbye before.
    let _ = timeout(CLOSE_TIMEOUT, socket.close(Some(frame))).await;
    linger(socket.get_mut()).await;
}

/// A frame that says goodbye has room for so many bytes of it.
const MAX_REASON_BYTES: usize = 123;

fn shorten(mut reason: String) -> String {
    while reason.len() > MAX_REASON_BYTES {
        reason.pop();
    }
    reason
}
