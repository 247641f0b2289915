//! Connections that drip, stall, overflow or talk nonsense are ended, and nobody else notices.
//!
//! Time is paused: whenever everybody waits, it jumps to the next deadline.

mod support;

use std::io::ErrorKind;

use reqwest::{Client, StatusCode};
use support::Directory;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

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
