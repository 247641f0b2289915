//! Servers that know nothing: they read a request and write a fixed answer. What they cost is what
//! HTTP costs on this machine, with bare sockets and with the library that the directory uses.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Floor {
    /// Looks for the end of the request, and no further.
    Sockets,
    /// What hyper's own first example does.
    Hyper,
}

/// Serves until somebody ends the process. Prints where.
pub(crate) async fn run(floor: Floor, answer_bytes: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("listening on {}", listener.local_addr().expect("bound"));
    let body = "x".repeat(answer_bytes);
    let mut whole = String::new();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8";
    write!(whole, "{head}\r\ncontent-length: {answer_bytes}\r\n\r\n{body}").expect("memory");
    let (whole, body) = (Bytes::from(whole), Bytes::from(body));
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        match floor {
            Floor::Sockets => drop(tokio::spawn(sockets(stream, whole.clone()))),
            Floor::Hyper => drop(tokio::spawn(hyper(stream, body.clone()))),
        }
    }
}

async fn sockets(mut stream: TcpStream, answer: Bytes) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(8 << 10);
    while stream.read_buf(&mut buffer).await? > 0 {
        if is_whole(&buffer) {
            buffer.clear();
            stream.write_all(&answer).await?;
        }
    }
    Ok(())
}

/// Whether the request has come to its end: to be asked for one at a time.
fn is_whole(request: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut head = httparse::Request::new(&mut headers);
    let Ok(httparse::Status::Complete(head_bytes)) = head.parse(request) else { return false };
    let length = head.headers.iter().find(|header| header.name == "Content-Length");
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
    request.len() >= head_bytes + length.unwrap_or(0)
}

async fn hyper(stream: TcpStream, body: Bytes) -> hyper::Result<()> {
    let service = service_fn(|request: Request<Incoming>| {
        let body = body.clone();
        async move {
            // Whether it could be read shows when the next request is read.
            let _ = request.into_body().collect().await;
            let answer = Response::builder()
                .header("content-type", "application/json; charset=utf-8")
                .body(Full::new(body));
            Ok::<_, Infallible>(answer.expect("two constants"))
        }
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
}
