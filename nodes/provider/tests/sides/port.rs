//! One port for everybody, also for those who are no clients.

use contract::Event;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::provider::{Provider, client, soon};
use crate::pull::{ask, register, register_request};
use crate::websocket::{Frame, Socket};

#[tokio::test]
async fn who_is_no_client_is_answered_or_dropped_and_harms_nobody() {
    let provider = Provider::start("").await;
    let alice = client(3);
    let mut held = Vec::new();
    // A port probe, and one that says nothing.
    drop(TcpStream::connect(provider.clients).await.expect("connects"));
    held.push(TcpStream::connect(provider.clients).await.expect("connects"));
    // Half a handshake, which is kept open.
    for begin in [&b"G"[..], b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: webso"] {
        let mut stream = TcpStream::connect(provider.clients).await.expect("connects");
        stream.write_all(begin).await.expect("written");
        held.push(stream);
    }
    // No websocket at all, too long a head, another protocol.
    for request in [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        [&b"GET /"[..], &b"a".repeat(200_000), b" HTTP/1.1\r\n\r\n"].concat(),
        b"GIVE ME MY MAIL\r\n\r\n".to_vec(),
    ] {
        let mut stream = TcpStream::connect(provider.clients).await.expect("connects");
        // It may be closed before it has taken all.
        let _ = stream.write_all(&request).await;
        let mut answer = Vec::new();
        let _ = soon("the end", stream.read_to_end(&mut answer)).await;
        assert!(!answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    }
    // Garbage is answered for each read, as the original does.
    let answer = ask(provider.clients, &[0x16; 3000]).await;
    assert!(answer.starts_with(b"InvalidRequest"));
    assert_eq!(answer.len() % b"InvalidRequest".len(), 0);

    assert_eq!(register(&provider, alice).await.len(), 32);
    let socket = Socket::open(provider.clients, &[]).await;
    drop((socket, held));
}

#[tokio::test]
async fn what_a_web_page_lets_its_browser_post_is_no_request() {
    let provider = Provider::start("").await;
    let mut stream = TcpStream::connect(provider.clients).await.expect("connects");
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
    let mut answer = Vec::new();
    soon("the end", stream.read_to_end(&mut answer)).await.expect("read");
    assert_eq!(answer, b"InvalidRequest", "and nobody reads the body, which the page chose");
}

#[tokio::test]
async fn foreign_pages_and_unknown_subprotocols_are_refused_with_a_reason() {
    let provider = Provider::start("").await;
    for (header, status) in [
        ("Origin: http://evil.example", "403"),
        ("Origin: null", "403"),
        ("Sec-WebSocket-Protocol: graphql-ws", "400"),
    ] {
        let (_, head) = Socket::ask(provider.clients, &[header]).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{header}: {head}");
    }
    Socket::open(provider.clients, &["Origin: http://localhost:3000"]).await;
}

#[tokio::test]
async fn too_long_a_frame_ends_the_connection_and_no_other() {
    let provider = Provider::start("").await;
    let mut socket = Socket::open(provider.clients, &[]).await;
    let mut other = Socket::open(provider.clients, &[]).await;
    socket.binary(&vec![0; 20_000]).await;
    assert!(matches!(socket.next().await, Frame::Close(1009) | Frame::End));
    let answer = other.say("hello").await;
    assert_eq!(answer, r#"{"type":"error","message":"malformed request"}"#);
}

#[tokio::test]
async fn a_client_that_never_reads_holds_up_nobody_else() {
    let provider = Provider::start("").await;
    let alice = client(3);
    // As many requests as the sockets' buffers hold, and no answer is ever read.
    let stuck = TcpStream::connect(provider.clients).await.expect("connects");
    let garbage = vec![9; 1 << 20];
    soon("the buffers full", async {
        let mut written = 0;
        loop {
            stuck.writable().await.expect("open");
            match stuck.try_write(&garbage) {
                Ok(bytes) => written += bytes,
                // Full for now; it is read again unless answers are stuck.
                Err(_) if written > 4 << 20 => return,
                Err(_) => {
                    assert_eq!(ask(provider.clients, &register_request(alice)).await.len(), 32);
                }
            }
        }
    })
    .await;
    assert_eq!(register(&provider, alice).await.len(), 32);
    drop(stuck);
}

#[tokio::test]
async fn a_packet_that_comes_twice_is_stored_once_unless_that_is_not_wanted() {
    for (options, stored) in [("", 1), ("--faithful", 2)] {
        let provider = Provider::start(options).await;
        register(&provider, client(3)).await;
        let packet = provider.packet(client(3), b"hello");
        provider.send(&[packet.clone(), packet]).await;
        provider
            .event(|event| match event {
                Event::Metrics(metrics) if metrics.received == 2 => metrics.mailbox,
                _ => None,
            })
            .await;
        provider.mailbox(|mailbox| mailbox.stored == stored).await;
        assert_eq!(provider.stop().await.waiting_for(client(3)), stored);
    }
}
