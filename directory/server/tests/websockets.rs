//! `/ws` and `/ws/events` over real websockets. That `/ws` carries what the originals sent is in
//! `golden.rs`.

mod support;

use std::time::Duration;

use directory_api::{Frame, ListName, Topic, Update};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Client, StatusCode};
use support::{Directory, soon};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<TcpStream>;

async fn try_connect(
    directory: &Directory,
    path: &str,
    origin: Option<&'static str>,
) -> Result<Socket, tungstenite::Error> {
    let stream = TcpStream::connect(directory.address).await?;
    let mut request = format!("ws://{}{path}", directory.address).into_client_request()?;
    if let Some(origin) = origin {
        request.headers_mut().insert("Origin", origin.parse().expect("a header"));
    }
    soon(client_async(request, stream)).await.map(|(socket, _)| socket)
}

async fn connect(directory: &Directory, path: &str) -> Socket {
    try_connect(directory, path, None).await.expect("a websocket")
}

/// The next text frame.
async fn text(socket: &mut Socket) -> String {
    loop {
        match soon(socket.next()).await.expect("an open socket").expect("a message") {
            Message::Text(text) => return text.as_str().to_owned(),
            Message::Ping(_) => {}
            other => panic!("{other:?} instead of text"),
        }
    }
}

async fn frame(socket: &mut Socket) -> Frame {
    let text = text(socket).await;
    let frame: Frame = serde_json::from_str(&text).expect("a frame");
    // The hub puts frames together from parts: they must be what the type itself would be.
    assert_eq!(serde_json::to_string(&frame).expect("JSON"), text);
    frame
}

/// The frame by which the directory ends a connection.
async fn close_code(socket: &mut Socket) -> CloseCode {
    loop {
        match soon(socket.next()).await.expect("an open socket").expect("a message") {
            Message::Close(Some(close)) => return close.code,
            Message::Ping(_) => {}
            other => panic!("{other:?} instead of the end"),
        }
    }
}

async fn post(directory: &Directory, path: &str, body: impl Into<reqwest::Body>) {
    let request = Client::new().post(directory.url(path)).body(body);
    let response = soon(request.send()).await.expect("an answer");
    assert!(response.status().is_success(), "{path}: {}", response.status());
}

async fn post_metric(directory: &Directory, received: u64) {
    let body = format!(r#"{{"pubKey":"m","sent":{{"127.0.0.1:9981":3}},"received":{received}}}"#);
    post(directory, "/api/metrics/mixes", body).await;
}

async fn post_mixnode(directory: &Directory, key: &str, host: &str) {
    let body = format!(r#"{{"host":"{host}","pubKey":"{key}","version":"0.7.0","layer":1}}"#);
    post(directory, "/api/presence/mixnodes", body).await;
}

#[tokio::test]
async fn what_a_client_says_reaches_nobody() {
    let directory = Directory::start().await;
    let mut speaker = connect(&directory, "/ws").await;
    let mut other = connect(&directory, "/ws").await;
    speaker.send(Message::text("x".repeat(512))).await.expect("sent");
    // The pong shows that what came before the ping has been read.
    speaker.send(Message::Ping("after".into())).await.expect("sent");
    let pong = soon(speaker.next()).await.expect("an open socket").expect("a message");
    assert_eq!(pong, Message::Pong("after".into()));
    post_metric(&directory, 1).await;
    for socket in [&mut speaker, &mut other] {
        assert!(text(socket).await.starts_with(r#"{"pubKey":"m""#));
    }
    directory.stop().await;
}

#[tokio::test]
async fn a_client_that_says_too_much_is_closed() {
    let directory = Directory::start().await;
    for path in ["/ws", "/ws/events?topics=metrics"] {
        for message in [
            Message::text("x".repeat(513)),
            Message::binary([0; 513].as_slice()),
            Message::text("x".repeat(10_000)),
        ] {
            let mut socket = connect(&directory, path).await;
            if path != "/ws" {
                frame(&mut socket).await;
            }
            socket.send(message).await.expect("sent");
            assert_eq!(close_code(&mut socket).await, CloseCode::Size, "{path}");
        }
    }
    directory.stop().await;
}

#[tokio::test]
async fn a_client_that_says_goodbye_is_answered() {
    let directory = Directory::start().await;
    for path in ["/ws", "/ws/events?topics=metrics"] {
        let mut socket = connect(&directory, path).await;
        if path != "/ws" {
            frame(&mut socket).await;
        }
        let goodbye = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
        socket.send(Message::Close(Some(goodbye))).await.expect("sent");
        assert_eq!(close_code(&mut socket).await, CloseCode::Normal, "{path}");
    }
    directory.stop().await;
}

#[tokio::test]
async fn only_pages_of_this_machine_get_a_websocket() {
    let directory = Directory::start().await;
    for path in ["/ws", "/ws/events"] {
        let error = try_connect(&directory, path, Some("http://evil.example")).await;
        let Err(tungstenite::Error::Http(response)) = error else {
            panic!("{path} let a foreign page in");
        };
        assert_eq!(response.status(), StatusCode::FORBIDDEN.as_u16(), "{path}");
        try_connect(&directory, path, Some("http://127.0.0.1:8080")).await.expect(path);
    }
    directory.stop().await;
}

#[tokio::test]
async fn events_begin_with_a_snapshot_and_are_numbered_per_subscription() {
    let directory = Directory::start().await;
    post_mixnode(&directory, "m", "h:1").await;
    let mut all = connect(&directory, "/ws/events").await;
    let mut topology = connect(&directory, "/ws/events?topics=topology").await;
    let mut metrics = connect(&directory, "/ws/events?topics=metrics,presence").await;
    for socket in [&mut all, &mut topology, &mut metrics] {
        let first = frame(socket).await;
        assert_eq!(first.seq, 0);
        let Update::Snapshot { topology } = first.update else { panic!("{:?}", first.update) };
        assert_eq!(topology.mix_nodes.len(), 1);
    }
    post_mixnode(&directory, "m", "h:1").await;
    post_mixnode(&directory, "m", "h:2").await;
    post_metric(&directory, 7).await;
    post(&directory, "/api/presence/leave", r#"{"pubKey":"m"}"#).await;

    let seen = || Update::Seen { pub_key: "m".into(), list: ListName::MixNode };
    let left = || Update::Left { pub_key: "m".into() };
    assert_eq!(frame(&mut all).await.update, seen());
    let changed = frame(&mut all).await;
    assert_eq!(changed.seq, 2);
    assert!(matches!(&changed.update, Update::MixNode(node) if node.host == "h:2"));
    assert_eq!(frame(&mut all).await.update, seen());
    let metric = frame(&mut all).await;
    assert!(matches!(&metric.update, Update::Metric(metric) if metric.received == 7));
    let last = frame(&mut all).await;
    assert_eq!((last.seq, last.update), (5, left()));

    assert_eq!(frame(&mut topology).await, Frame { seq: 1, ..changed });
    let last = frame(&mut topology).await;
    assert_eq!((last.seq, last.update), (2, left()));

    for seq in 1..=2 {
        let next = frame(&mut metrics).await;
        assert_eq!((next.seq, next.update), (seq, seen()));
    }
    assert_eq!(frame(&mut metrics).await, Frame { seq: 3, ..metric });
    directory.stop().await;
}

#[tokio::test]
async fn an_unknown_topic_is_refused_by_name() {
    let directory = Directory::start().await;
    for (query, complaint) in [
        ("?topics=topology,weather", "there is no topic `weather`"),
        ("?topics=topology,", "there is no topic ``"),
        ("?topics=metrics&topics=presence", "the query cannot be read"),
    ] {
        let error = try_connect(&directory, &format!("/ws/events{query}"), None).await;
        let Err(tungstenite::Error::Http(response)) = error else {
            panic!("{query} was accepted");
        };
        assert_eq!(response.status(), StatusCode::BAD_REQUEST.as_u16(), "{query}");
        let body = String::from_utf8_lossy(response.body().as_deref().expect("a body"));
        assert!(body.contains(complaint), "{query}: {body}");
    }
    for topic in Topic::ALL {
        connect(&directory, &format!("/ws/events?topics={}", topic.as_str())).await;
    }
    directory.stop().await;
}

/// A reader that stops reading loses its connection when its queue is full, and nobody else has to wait.
#[tokio::test]
async fn a_slow_reader_loses_its_connection_and_holds_up_nobody() {
    let directory = Directory::start().await;
    let socket = TcpSocket::new_v4().expect("a socket");
    // So that little fits between the two ends.
    socket.set_recv_buffer_size(4096).expect("a smaller buffer");
    let stream = soon(socket.connect(directory.address)).await.expect("a connection");
    let url = format!("ws://{}/ws", directory.address);
    let (mut slow, _) = soon(client_async(url, stream)).await.expect("a websocket");
    let mut reader = connect(&directory, "/ws").await;

    // More than a queue and the buffers of a connection hold.
    let sent: Vec<_> = (0..100).map(|hop| format!("\"{hop}{}\":1", "h".repeat(250))).collect();
    let body = format!(r#"{{"pubKey":"m","sent":{{{}}},"received":1}}"#, sent.join(","));
    let (client, url) = (Client::new(), directory.url("/api/metrics/mixes"));
    let (messages, mut slowest) = (500, Duration::ZERO);
    for _ in 0..messages {
        let start = Instant::now();
        let request = client.post(&url).body(body.clone()).send();
        assert_eq!(soon(request).await.expect("an answer").status(), StatusCode::CREATED);
        slowest = slowest.max(start.elapsed());
        text(&mut reader).await;
    }
    // The directory would wait ten seconds for a client to take a message.
    assert!(slowest < Duration::from_secs(5), "a report waited {slowest:?} for the slow reader");

    let mut got = 0;
    while let Some(Ok(message)) = soon(slow.next()).await {
        got += message.to_text().map_or(0, |text| text.lines().count());
    }
    assert!(got < messages, "all {got} messages arrived: it kept its connection");
    directory.stop().await;
}

/// One thread serves all: whoever reads gets a turn before a burst has overrun it.
#[tokio::test]
async fn a_burst_of_reports_does_not_overrun_a_reader_that_keeps_up() {
    let directory = Directory::start().await;
    let mut reader = connect(&directory, "/ws").await;
    let body = r#"{"pubKey":"m","sent":{},"received":1}"#;
    let head = "POST /api/metrics/mixes HTTP/1.1\r\nHost: d\r\nContent-Length: ";
    let burst = format!("{head}{}\r\n\r\n{body}", body.len()).repeat(10);
    let mut posters = Vec::new();
    for _ in 0..100 {
        posters.push(soon(TcpStream::connect(directory.address)).await.expect("a connection"));
    }
    for poster in &mut posters {
        soon(poster.write_all(burst.as_bytes())).await.expect("room");
    }
    let mut got = 0;
    while got < 1000 {
        got += text(&mut reader).await.lines().count();
    }
    assert_eq!(got, 1000);
    directory.stop().await;
}

#[tokio::test]
async fn websockets_are_closed_when_the_directory_stops() {
    let directory = Directory::start().await;
    let mut sockets = [connect(&directory, "/ws").await, connect(&directory, "/ws/events").await];
    frame(&mut sockets[1]).await;
    directory.stop().await;
    for socket in &mut sockets {
        assert_eq!(close_code(socket).await, CloseCode::Away);
    }
}
