//! Whoever connects and is no application harms nobody, and hears what is wrong.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, http};

use super::{App, TestClient, masked, soon};

/// Writes this, and reads until the other side closes.
async fn exchange(client: &TestClient, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(client.websocket).await.expect("connects");
    stream.write_all(bytes).await.expect("written");
    let mut answer = Vec::new();
    soon("an end", stream.read_to_end(&mut answer)).await.expect("a clean end");
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn who_is_no_websocket_reads_what_this_is() {
    let client = TestClient::start().await;
    let host = "Host: localhost\r\n";
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    for (request, status, says) in [
        (format!("GET / HTTP/1.1\r\n{host}\r\n"), 426, "connect to it with ws://"),
        (format!("HEAD /mix HTTP/1.1\r\n{host}\r\n"), 426, "connect to it with ws://"),
        (
            format!("POST / HTTP/1.1\r\n{host}Content-Length: 9\r\n\r\n{{\"a\": 1}}\n"),
            426,
            "connect to it with ws://",
        ),
        (format!("GET / HTTP/1.1\r\n{host}{upgrade}Sec-WebSocket-Version: 13\r\n\r\n"), 400, "Key"),
        (format!("GET / HTTP/1.1\r\n{host}{upgrade}Sec-WebSocket-Key: x\r\n\r\n"), 400, "Version"),
        (format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(40_000)), 431, "32768 bytes"),
        ("\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), 400, "no request"),
    ] {
        let answer = exchange(&client, request.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        let length = format!("content-length: {}", body.len());
        assert!(head.to_lowercase().contains(&length), "{answer}");
        assert_eq!(body.find('\n'), Some(body.len() - 1), "one line: {answer}");
        assert!(body.contains(says), "{request}: {answer}");
    }
    App::connect(&client, "/").await.begin().await;
}

#[tokio::test]
async fn half_open_connections_and_probes_are_dropped() {
    let client = TestClient::start().await;
    drop(TcpStream::connect(client.websocket).await.expect("connects"));
    let mut half_open = Vec::new();
    for begun in ["", "GET / HTTP/1.1\r\nHost:"] {
        let mut stream = TcpStream::connect(client.websocket).await.expect("connects");
        stream.write_all(begun.as_bytes()).await.expect("written");
        half_open.push(stream);
    }
    // Served beside them.
    let mut app = App::connect(&client, "/").await;
    app.begin().await;
    // The clock goes on as soon as everybody waits for it.
    tokio::time::pause();
    for mut stream in half_open {
        assert_eq!(stream.read(&mut [0]).await.expect("a clean end"), 0);
    }
    tokio::time::resume();
    app.begin().await;
}

#[tokio::test]
async fn somebody_elses_page_is_refused() {
    let client = TestClient::start().await;
    for (origin, status) in [
        (None, 101),
        (Some("http://localhost:3000"), 101),
        (Some("http://127.0.0.1"), 101),
        (Some("file://"), 101),
        (Some("https://chat.example"), 101),
        (Some("https://chat.example:8443"), 403),
        (Some("http://evil.example"), 403),
        (Some("null"), 403),
    ] {
        for path in ["/", "/mix"] {
            let url = format!("ws://{}{path}", client.websocket);
            let mut request = url.into_client_request().expect("a request");
            if let Some(origin) = origin {
                let origin = origin.parse().expect("a header");
                request.headers_mut().insert(http::header::ORIGIN, origin);
            }
            let found = match soon("a handshake", connect_async(request)).await {
                Ok((_, response)) => response.status(),
                Err(tungstenite::Error::Http(response)) => {
                    let body = String::from_utf8_lossy(response.body().as_deref().unwrap_or(b""));
                    assert!(body.contains("may not connect here"), "{body}");
                    response.status()
                }
                Err(error) => panic!("{origin:?}: {error}"),
            };
            assert_eq!(found.as_u16(), status, "{origin:?}");
        }
    }
}

#[tokio::test]
async fn a_request_may_come_right_behind_the_handshake() {
    let client = TestClient::start().await;
    let mut stream = TcpStream::connect(client.websocket).await.expect("connects");
    let head = "GET /mix HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n\
                Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let request = masked(r#"{"type":"ownDetails"}"#);
    // One byte at a time first, then the rest at once.
    for byte in &head.as_bytes()[..40] {
        stream.write_all(&[*byte]).await.expect("written");
    }
    let rest = [&head.as_bytes()[40..], &request].concat();
    stream.write_all(&rest).await.expect("written");
    let mut read = Vec::new();
    let answered = async {
        while !String::from_utf8_lossy(&read).contains(r#""type":"ownDetails","address""#) {
            assert_ne!(stream.read_buf(&mut read).await.expect("read"), 0, "{read:?}");
        }
    };
    soon("an answer", answered).await;
    // The key of the example in RFC 6455.
    assert!(String::from_utf8_lossy(&read).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}
