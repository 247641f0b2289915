//! The client's side of HTTP/1.1, with as little work as possible between two requests.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Header fields of an answer. The directories send about five.
const MAX_HEADERS: usize = 32;

/// Bytes that a read may bring: a topology of a hundred nodes is 18 000.
const READ_BUFFER_BYTES: usize = 64 << 10;

/// One connection, kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Bytes of the body, without what chunks add.
    pub(crate) body_bytes: usize,
}

impl Answer {
    pub(crate) fn is_success(self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(READ_BUFFER_BYTES) })
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(answer) = whole_answer(&self.buffer).map_err(io::Error::other)? {
                return Ok(answer);
            }
        }
    }
}

/// A request as bytes.
pub(crate) fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let about_the_body = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {length}\r\n")
    };
    format!("{method} {path} HTTP/1.1\r\nHost: directory\r\n{about_the_body}\r\n{body}").into()
}

/// The answer that fills the buffer; none if more has to come.
fn whole_answer(buffer: &[u8]) -> Result<Option<Answer>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(buffer).map_err(|error| format!("the answer is not HTTP: {error}"))?;
    let httparse::Status::Complete(head_bytes) = parsed else { return Ok(None) };
    let body = &buffer[head_bytes..];
    let field = |name: &str| {
        let field = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(field.value).ok()
    };
    let lengths = if let Some(length) = field("content-length") {
        let length = length.parse().map_err(|_| format!("a length of `{length}`"))?;
        (body.len() >= length).then_some((length, length))
    } else if field("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        chunks(body)?
    } else {
        return Err("the answer does not say how long it is".into());
    };
    let Some((body_bytes, bytes_read)) = lengths else { return Ok(None) };
    if body.len() > bytes_read {
        return Err("there is more than the answer".into());
    }
    Ok(Some(Answer { status: head.code.unwrap_or_default(), body_bytes }))
}

/// Bytes of a body in chunks, without and with what the chunks add; none if more has to come. The Go
/// server sends whatever is longer than 2 KiB that way.
fn chunks(body: &[u8]) -> Result<Option<(usize, usize)>, String> {
    let (mut length, mut at) = (0, 0);
    loop {
        let Some(rest) = body.get(at..) else { return Ok(None) };
        let parsed = httparse::parse_chunk_size(rest).map_err(|_| "a chunk without a length")?;
        let httparse::Status::Complete((line, chunk)) = parsed else { return Ok(None) };
        let chunk = usize::try_from(chunk).map_err(|_| "a chunk longer than the memory")?;
        length += chunk;
        at = at.saturating_add(line + 2).saturating_add(chunk);
        if chunk == 0 {
            return Ok((at <= body.len()).then_some((length, at)));
        }
    }
}
