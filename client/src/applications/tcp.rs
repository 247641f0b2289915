//! The TCP socket of v0.5: requests and answers of bytes, without lengths or markers.
//!
//! | request | bytes | answer |
//! |---|---|---|
//! | send | `01`, the recipient's key (32), at least one byte of data | `ok` |
//! | fetch | `02` | number of messages, length of each (2 bytes each, big-endian), messages |
//! | clients | `03` | the keys of all clients (32 each), one after the other |
//! | own key | `04` | 32 bytes |
//!
//! Errors are bare text. What one read gives is one request, as in the original: nothing else says
//! where the data of a send ends. Where it can be decided this is kinder. A send without data waits a
//! moment for the rest. Behind a request of one byte another may follow. And what is longer than a
//! request may be is refused as a whole, where the original took its end for another request.
//!
//! A message that is longer than its two bytes of length can say stays in the inbox, for a websocket.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use wire::{PublicKey, encode_entries};

use super::{Applications, Refusal, WRITE_TIMEOUT, linger};
use crate::asks::{NewMessage, Recipient};
use crate::storage::Received;

/// Bytes of the longest request: those of the original's one read.
pub(super) const MAX_REQUEST_BYTES: usize = 2048;

/// What a send has before its data.
const SEND_HEAD_BYTES: usize = 1 + PublicKey::BYTES;

/// Bytes of the longest message that can be sent here.
const MAX_DATA_BYTES: usize = MAX_REQUEST_BYTES - SEND_HEAD_BYTES;

/// How long the rest of a request may take. The original did not wait for it at all.
const REST_LIMIT: Duration = Duration::from_millis(250);

/// How long a request may go on beyond its bounds until the connection ends.
const EXCESS_LIMIT: Duration = Duration::from_secs(2);

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("it left what was written to it unread for {WRITE_TIMEOUT:?}")]
    Unread,
    #[error("it sent more than a request may have for {EXCESS_LIMIT:?}")]
    Excess,
    #[error("it speaks HTTP")]
    Http,
    #[error("{0}")]
    Refusal(#[from] Refusal),
}

/// An error as the originals named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum RequestError {
    #[error("IncompleteDataError")]
    Incomplete,
    #[error("UnknownRequestError")]
    Unknown,
    #[error("too long message. Sent {0} bytes while the maximum is {MAX_DATA_BYTES}")]
    TooLong(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Request {
    Send { to: PublicKey, data: Vec<u8> },
    Fetch,
    Clients,
    OwnKey,
}

impl Request {
    /// The request at the beginning of these bytes, and how many of them it has.
    fn decode(bytes: &[u8]) -> Result<(Self, usize), RequestError> {
        match bytes.split_first() {
            Some((1, rest)) => match rest.split_first_chunk() {
                Some((to, data)) if !data.is_empty() => {
                    let to = PublicKey::from_bytes(*to);
                    Ok((Self::Send { to, data: data.to_vec() }, bytes.len()))
                }
                _ => Err(RequestError::Incomplete),
            },
            Some((2, _)) => Ok((Self::Fetch, 1)),
            Some((3, _)) => Ok((Self::Clients, 1)),
            Some((4, _)) => Ok((Self::OwnKey, 1)),
            _ => Err(RequestError::Unknown),
        }
    }

    /// Whether a request may begin like this.
    fn begins(bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|first| (1..=4).contains(first))
    }
}

struct Connection {
    applications: Applications,
    stream: TcpStream,
    /// Up to here the inbox has nothing that a fetch could carry.
    nothing_up_to: u64,
}

/// Answers requests until the other side goes.
pub(super) async fn serve(applications: Applications, stream: TcpStream) -> Result<(), End> {
    stream.set_nodelay(true)?;
    Connection { applications, stream, nothing_up_to: 0 }.serve().await
}

impl Connection {
    async fn serve(&mut self) -> Result<(), End> {
        // One byte more than fits, to see that there is more.
        let mut buffer = [0; MAX_REQUEST_BYTES + 1];
        loop {
            let mut length = self.stream.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            let mut begin = 0;
            while begin < length {
                let request = Request::decode(&buffer[begin..length]);
                if request == Err(RequestError::Incomplete) {
                    buffer.copy_within(begin..length, 0);
                    (begin, length) = (0, length - begin);
                    let more = timeout(REST_LIMIT, self.stream.read(&mut buffer[length..])).await;
                    if let Ok(more @ 1..) = more.unwrap_or(Ok(0)) {
                        length += more;
                        continue;
                    }
                }
                let request = match request {
                    Ok((Request::Send { data, .. }, _)) if data.len() > MAX_DATA_BYTES => {
                        Err(RequestError::TooLong(data.len() + self.skip_excess().await?))
                    }
                    request => request,
                };
                match request {
                    Ok((request, bytes)) => {
                        begin += bytes;
                        self.carry_out(request).await?;
                        if !Request::begins(&buffer[begin..length]) {
                            // The original ignored what follows.
                            break;
                        }
                    }
                    Err(error) => {
                        self.write(error.to_string().as_bytes()).await?;
                        if buffer[begin].is_ascii_uppercase() {
                            // A page in a browser can have it post anything, but not without a line
                            // of HTTP before. What follows that is no request.
                            linger(&mut self.stream).await;
                            return Err(End::Http);
                        }
                        break;
                    }
                }
            }
        }
    }

    /// Reads the rest of a request that is too long: what comes without a pause. How much it is.
    async fn skip_excess(&mut self) -> Result<usize, End> {
        let end = Instant::now() + EXCESS_LIMIT;
        let mut buffer = [0; 4096];
        let mut bytes = 0;
        loop {
            let pause = Instant::now() + REST_LIMIT;
            if pause > end {
                return Err(End::Excess);
            }
            match timeout_at(pause, self.stream.read(&mut buffer)).await {
                Ok(Ok(more @ 1..)) => bytes += more,
                Ok(Err(error)) => return Err(error.into()),
                Ok(Ok(0)) | Err(_) => return Ok(bytes),
            }
        }
    }

    async fn carry_out(&mut self, request: Request) -> Result<(), End> {
        match request {
            Request::Send { to, data } => {
                let message = NewMessage {
                    to: Recipient::Key(to),
                    data: data.into(),
                    id: None,
                    reply_blocks: 0,
                    confirm: false,
                };
                match self.applications.send(message).await {
                    Ok(_) => self.write(b"ok").await,
                    Err(refusal) => self.write(refusal.to_string().as_bytes()).await,
                }
            }
            Request::Fetch => self.fetch().await,
            Request::Clients => match self.applications.clients().await {
                Ok(clients) => {
                    let keys: Vec<_> = clients.iter().map(|to| *to.client.as_bytes()).collect();
                    self.write(keys.as_flattened()).await
                }
                Err(refusal) => self.write(refusal.to_string().as_bytes()).await,
            },
            Request::OwnKey => {
                let key = self.applications.public_key;
                self.write(key.as_bytes()).await
            }
        }
    }

    async fn fetch(&mut self) -> Result<(), End> {
        let bytes_of = |received: &Received| {
            u16::try_from(received.data.len()).ok().map(|bytes| 2 + usize::from(bytes))
        };
        let out = match self.applications.hand_out(self.nothing_up_to, bytes_of).await {
            Ok(out) => out,
            Err(refusal) => return self.write(refusal.to_string().as_bytes()).await,
        };
        self.nothing_up_to = out.left_up_to;
        let entries: Vec<&[u8]> = out.messages.iter().map(|received| &received.data[..]).collect();
        let answer = encode_entries(&entries);
        self.write(&answer).await?;
        Ok(self.applications.taken(out.claim).await?)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let written = timeout(WRITE_TIMEOUT, self.stream.write_all(bytes)).await;
        Ok(written.map_err(|_| End::Unread)??)
    }
}
