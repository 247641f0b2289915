//! The TCP socket of v0.5.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{App, OWN, QUEUE_FULL, TOO_MANY, TestClient, UNKNOWN, soon};
use crate::asks::Recipient;

/// A connection to the socket.
struct Tcp(TcpStream);

impl Tcp {
    async fn connect(client: &TestClient) -> Self {
        let stream = TcpStream::connect(client.tcp).await.expect("connects");
        stream.set_nodelay(true).expect("a TCP connection");
        Self(stream)
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("written");
    }

    /// The next bytes, which have to be these.
    async fn hears(&mut self, expected: &[u8]) {
        let mut bytes = vec![0; expected.len()];
        soon("an answer", self.0.read_exact(&mut bytes)).await.expect("open");
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(bytes, expected, "{text}");
    }
}

fn send(data: &[u8]) -> Vec<u8> {
    [&[1][..], OWN.as_bytes(), data].concat()
}

/// Requests and answers that were recorded of the original, where it is not its bounds that differ.
#[tokio::test]
async fn golden_requests_and_answers() {
    let mut client = TestClient::start().await;
    let mut app = Tcp::connect(&client).await;
    app.say(&[4]).await;
    app.hears(OWN.as_bytes()).await;
    app.say(&[3]).await;
    app.hears(&[OWN.as_bytes(), &[3; 32][..]].concat()).await;
    app.say(&[2]).await;
    app.hears(&[0, 0]).await;

    app.say(&send(b"hi carol")).await;
    app.hears(b"ok").await;
    let (message, _) = client.sent().await;
    assert_eq!((message.to, &message.data[..]), (Recipient::Key(OWN), &b"hi carol"[..]));
    client.receive(1, "hi carol").await;
    app.say(&[2]).await;
    app.hears(b"\x00\x01\x00\x08hi carol").await;
    client.until_untaken(0).await;
    app.say(&[2]).await;
    app.hears(&[0, 0]).await;

    for short in [&[1][..], &[1; 10], &send(b"")] {
        app.say(short).await;
        app.hears(b"IncompleteDataError").await;
    }
    app.say(&[9]).await;
    app.hears(b"UnknownRequestError").await;
    for (length, answer) in [(975, "ok"), (2015, "ok")] {
        app.say(&send(&vec![b'x'; length])).await;
        app.hears(answer.as_bytes()).await;
        assert_eq!(client.sent().await.0.data.len(), length);
    }
}

#[tokio::test]
async fn what_is_too_long_is_refused_as_a_whole() {
    let client = TestClient::start().await;
    let mut app = Tcp::connect(&client).await;
    for length in [2016, 2500, 20_000] {
        // The end of it looks like requests.
        app.say(&send(&vec![4; length])).await;
        let text = format!("too long message. Sent {length} bytes while the maximum is 2015");
        app.hears(text.as_bytes()).await;
    }
    app.say(&[4]).await;
    app.hears(OWN.as_bytes()).await;
}

#[tokio::test]
async fn several_messages_are_fetched_at_once_and_what_does_not_fit_stays() {
    let client = TestClient::start().await;
    let too_long = vec![7; 65_536];
    client.receive(1, &too_long).await;
    client.receive(2, "two").await;
    client.receive(3, &too_long).await;
    let longest = vec![0xff; 65_535];
    client.receive(4, &longest).await;
    let mut app = Tcp::connect(&client).await;
    app.say(&[2]).await;
    app.hears(&[&[0, 2, 0, 3, 0xff, 0xff][..], b"two", &longest].concat()).await;
    client.until_untaken(2).await;
    for _ in 0..2 {
        app.say(&[2]).await;
        app.hears(&[0, 0]).await;
    }
    client.receive(5, "five").await;
    app.say(&[2]).await;
    app.hears(b"\x00\x01\x00\x04five").await;
    // A websocket gets the rest.
    let mut app = App::connect(&client, "/").await;
    app.begin().await;
    for _ in 0..2 {
        assert_eq!(app.frame().await.into_data(), too_long);
    }
}

#[tokio::test]
async fn a_request_in_pieces_and_requests_in_one_piece_are_understood() {
    let mut client = TestClient::start().await;
    let mut app = Tcp::connect(&client).await;
    let request = send(b"x");
    for end in [1, 20, 33] {
        let (begin, rest) = request.split_at(end);
        app.say(begin).await;
        tokio::task::yield_now().await;
        app.say(rest).await;
        app.hears(b"ok").await;
        assert_eq!(client.sent().await.0.data, "x");
    }
    // What follows a request of one byte, and begins none, was always ignored.
    app.say(&[&[4, 2][..], &send(b"y")].concat()).await;
    app.hears(&[OWN.as_bytes(), &[0, 0][..], b"ok"].concat()).await;
    app.say(b"\x04\n").await;
    app.hears(OWN.as_bytes()).await;
    app.say(&[2]).await;
    app.hears(&[0, 0]).await;
}

#[tokio::test]
async fn refusals_are_bare_text() {
    let client = TestClient::start().await;
    let mut app = Tcp::connect(&client).await;
    app.say(&[&[1][..], UNKNOWN.as_bytes(), b"x"].concat()).await;
    app.hears(format!("no provider has {UNKNOWN}").as_bytes()).await;
    app.say(&send(TOO_MANY.as_bytes())).await;
    app.hears(QUEUE_FULL.as_bytes()).await;
}

/// A page could post a body that begins like a send, to a port that it may not read from.
#[tokio::test]
async fn a_browser_is_told_off_before_its_body_is_taken_for_a_request() {
    let mut client = TestClient::start().await;
    let mut app = Tcp::connect(&client).await;
    app.say(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    app.hears(b"UnknownRequestError").await;
    app.say(&send(b"from a page")).await;
    assert_eq!(soon("the end", app.0.read(&mut [0])).await.expect("a clean end"), 0);
    let mut other = Tcp::connect(&client).await;
    other.say(&send(b"from an application")).await;
    other.hears(b"ok").await;
    assert_eq!(client.sent().await.0.data, "from an application");
}

#[tokio::test]
async fn probes_and_idle_connections_harm_nobody() {
    let client = TestClient::start().await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        drop(Tcp::connect(&client).await);
        idle.push(Tcp::connect(&client).await);
    }
    let mut app = Tcp::connect(&client).await;
    app.say(&[4]).await;
    app.hears(OWN.as_bytes()).await;
    for app in &mut idle {
        app.say(&[2]).await;
        app.hears(&[0, 0]).await;
    }
}

#[test]
fn any_bytes_are_answered_and_the_next_connection_is_served() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let client = runtime.block_on(TestClient::start());
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..100),
        prop::collection::vec(0..6_u8, 1..50),
        prop::collection::vec(any::<u8>(), 2000..5000),
    ];
    proptest!(ProptestConfig::with_cases(64), |(bytes in bytes)| {
        runtime.block_on(async {
            let mut app = Tcp::connect(&client).await;
            app.say(&bytes).await;
            let mut answer = Vec::new();
            app.0.shutdown().await.expect("open");
            soon("the end", app.0.read_to_end(&mut answer)).await.expect("a clean end");
            assert!(!answer.is_empty(), "{bytes:?}");
            let mut app = Tcp::connect(&client).await;
            app.say(&[4]).await;
            app.hears(OWN.as_bytes()).await;
        });
    });
}
