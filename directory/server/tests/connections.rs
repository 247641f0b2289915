//! Connections that drip, stall, overflow or talk nonsense are ended, and nobody else notices.
//!
//! Time is paused: whenever everybody waits, it jumps to the next deadline.

mod support;

use std::io::ErrorKind;
use std::net::Ipv6Addr;

use directory_server::Options;
use futures_util::StreamExt as _;
use reqwest::{Client, StatusCode};
use support::Directory;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_tungstenite::connect_async;
use tokio_util::sync::CancellationToken;

async fn connect(directory: &Directory) -> TcpStream {
    TcpStream::connect(directory.address).await.expect("a connection")
}

/// Everything that comes until the directory closes the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    String::from_utf8_lossy(&all).into_owned()
}

async fn is_there(directory: &Directory) {
    let request = Client::new().get(directory.url("/api/healthcheck")).send();
    assert_eq!(request.await.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_given_up_after_a_minute() {
    let directory = Directory::start().await;
    for beginning in ["", "GET", "GET /api/healthcheck HTTP/1.1\r\nHost: d\r\nX-Slow: "] {
        let mut stream = connect(&directory).await;
        stream.write_all(beginning.as_bytes()).await.expect("room");
        let start = Instant::now();
        until_closed(&mut stream).await;
        let seconds = start.elapsed().as_secs();
        assert!((59..=61).contains(&seconds), "{seconds} s after `{beginning}`");
    }
    is_there(&directory).await;
    directory.stop().await;
}

/// Dripping does not help: the deadline is one for the whole head.
#[tokio::test(start_paused = true)]
async fn a_head_that_drips_in_is_given_up_at_the_same_time() {
    let directory = Directory::start().await;
    let mut stream = connect(&directory).await;
    let start = Instant::now();
    let mut drops = 0;
    while stream.write_all(b"G").await.is_ok() && drops < 1000 {
        drops += 1;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let seconds = start.elapsed().as_secs();
    assert!((59..=65).contains(&seconds), "{seconds} s");
    directory.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_refused_and_the_connection_closed() {
    let directory = Directory::start().await;
    for head in ["Content-Length: 99", "Transfer-Encoding: chunked"] {
        let mut stream = connect(&directory).await;
        let request = format!("POST /api/metrics/mixes HTTP/1.1\r\nHost: d\r\n{head}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("room");
        let start = Instant::now();
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.ends_with(r#"{"error":"the body did not come within 10 s"}"#), "{answer}");
        assert_eq!(start.elapsed().as_secs(), 10);
    }
    directory.stop().await;
}

/// A body that is too long is refused at once, also if its length was not said beforehand.
#[tokio::test]
async fn nothing_is_read_of_a_body_that_says_it_is_too_long() {
    let directory = Directory::start().await;
    let mut stream = connect(&directory).await;
    let head = "POST /api/metrics/mixes HTTP/1.1\r\nHost: d\r\nContent-Length: 99999999999\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("room");
    let answer = support::soon(until_closed(&mut stream)).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.ends_with(r#"{"error":"the body is longer than 65536 bytes"}"#), "{answer}");

    let mut stream = connect(&directory).await;
    let head = "POST /api/metrics/mixes HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("room");
    let chunk = [b"4000\r\n".as_slice(), &[b' '; 0x4000], b"\r\n"].concat();
    for _ in 0..5 {
        // It may have closed already.
        let _ = stream.write_all(&chunk).await;
    }
    let answer = support::soon(until_closed(&mut stream)).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    directory.stop().await;
}

#[tokio::test]
async fn nonsense_and_endless_heads_are_refused() {
    let directory = Directory::start().await;
    let many = "X: y\r\n".repeat(100);
    let long = format!("X: {}\r\n", "y".repeat(64 << 10));
    for (request, status) in [
        ("\x16\x03\x01 this is no HTTP\r\n\r\n".to_owned(), "400"),
        (format!("GET /api/healthcheck HTTP/1.1\r\nHost: d\r\n{many}\r\n"), "431"),
        (format!("GET /api/healthcheck HTTP/1.1\r\nHost: d\r\n{long}\r\n"), "431"),
    ] {
        let mut stream = connect(&directory).await;
        // It may answer before it has read everything.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = support::soon(until_closed(&mut stream)).await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.is_empty() || answer.starts_with(&expected), "{answer}");
    }
    is_there(&directory).await;
    directory.stop().await;
}

/// Somebody who asks again and again and never reads fills a buffer of the system and no more.
#[tokio::test(start_paused = true)]
async fn who_does_not_take_answers_is_given_up() {
    let directory = Directory::start().await;
    let mut stream = connect(&directory).await;
    let request = "GET /swagger/swagger-ui-bundle.js HTTP/1.1\r\nHost: d\r\n\r\n".repeat(100);
    let start = Instant::now();
    // More than a hundred megabytes of answers; at some time the requests do not fit either.
    while stream.write_all(request.as_bytes()).await.is_ok() {
        let waited = start.elapsed().as_secs();
        assert!(waited < 60, "still there after {waited} s");
    }
    is_there(&directory).await;
    directory.stop().await;
}

/// Bodies that stall take at most so much memory together; who sends a short one does not notice.
#[tokio::test(start_paused = true)]
async fn long_bodies_wait_for_each_other_and_short_ones_do_not() {
    let directory = Directory::start().await;
    let head = |length: usize| {
        format!(
            "POST /api/presence/mixproviders HTTP/1.1\r\nHost: d\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let start = Instant::now();
    let mut stalled = Vec::new();
    for _ in 0..64 + 2 {
        let mut stream = connect(&directory).await;
        stream.write_all(head(1 << 20).as_bytes()).await.expect("room");
        stalled.push(stream);
    }
    let mut short = connect(&directory).await;
    short.write_all(format!("{}xx", head(2)).as_bytes()).await.expect("room");
    let mut answer = [0; 12];
    short.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 400");
    assert_eq!(start.elapsed().as_secs(), 0);
    // The last two never get to send theirs.
    for (place, stream) in stalled.iter_mut().enumerate().rev() {
        let answer = until_closed(stream).await;
        let (status, seconds) = if place < 64 { ("408", 10) } else { ("503", 1) };
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{place}: {answer}");
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
    directory.stop().await;
}

/// However small the pieces are in which it comes.
#[tokio::test]
async fn a_body_that_comes_in_pieces_is_read_whole() {
    let directory = Directory::start().await;
    let mut stream = connect(&directory).await;
    let head = "POST /api/metrics/mixes HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("room");
    for byte in r#"{"pubKey":"m","sent":{},"received":1}"#.chars() {
        stream.write_all(format!("1\r\n{byte}\r\n").as_bytes()).await.expect("room");
    }
    stream.write_all(b"0\r\n\r\n").await.expect("room");
    let answer = support::soon(until_closed(&mut stream)).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    directory.stop().await;
}

/// Whoever drops the future of `run` has no tasks left.
#[tokio::test]
async fn connections_end_with_the_directory_that_is_dropped() {
    let (listener, shutdown) = (TcpListener::bind("127.0.0.1:0").await, CancellationToken::new());
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let directory =
        tokio::spawn(directory_server::run(listener, Options::default(), shutdown.clone()));
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.expect("a websocket");
    let mut idle = TcpStream::connect(address).await.expect("a connection");
    directory.abort();
    assert!(directory.await.expect_err("it was dropped").is_cancelled());
    let end = async { while matches!(socket.next().await, Some(Ok(_))) {} };
    support::soon(end).await;
    support::soon(until_closed(&mut idle)).await;
}

/// On a socket for both families, who comes over IPv4 is not stored as an address of IPv6.
#[tokio::test]
async fn a_validator_is_stored_with_the_address_that_others_know_it_by() {
    let directory =
        Directory::start_at((Ipv6Addr::UNSPECIFIED, 0).into(), Options::default()).await;
    let url = |path| format!("http://127.0.0.1:{}{path}", directory.address.port());
    let report = r#"{"host":"10.1.2.3:4001","pubKey":"k","version":"1","location":"","type":"v"}"#;
    let post = Client::new().post(url("/api/presence/coconodes")).body(report).send();
    assert_eq!(post.await.expect("an answer").status(), StatusCode::CREATED);
    let topology = Client::new().get(url("/api/presence/topology")).send();
    let topology = topology.await.expect("an answer").text().await.expect("a body");
    assert!(topology.contains(r#""host":"127.0.0.1:4001""#), "{topology}");
    directory.stop().await;
}
