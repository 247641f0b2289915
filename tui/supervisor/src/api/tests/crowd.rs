//! Many at once, and those who do not do what they came for.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::Request;
use futures_util::stream;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::*;

const READERS: usize = 50;

/// Lines that are published at once: few enough for whoever reads.
const BATCH: usize = MAX_BEHIND / 8;

#[tokio::test]
async fn one_of_fifty_readers_never_reads_and_the_others_miss_nothing() {
    let desk = Desk::new();
    let mut idle = UnixStream::connect(&desk.socket).await.expect("connects");
    let head = format!("GET {} HTTP/1.1\r\nhost: supervisor\r\n\r\n", paths::EVENTS);
    idle.write_all(head.as_bytes()).await.expect("asks");
    // It listens when the head of its answer has come.
    within(idle.read_exact(&mut [0; 1])).await.expect("an answer");

    let mut readers = Vec::new();
    for _ in 1..READERS {
        let mut events = within(desk.client.events()).await.expect("a stream");
        let first = within(events.next()).await.expect("readable").expect("not over");
        assert!(matches!(first.event, StreamEvent::Snapshot(_)));
        readers.push(events);
    }
    // More than may wait for one together with what a socket holds.
    let lines = 2 * MAX_BEHIND;
    for batch in 0..lines / BATCH {
        desk.publish(BATCH, "x");
        for events in &mut readers {
            for number in batch * BATCH + 1..=(batch + 1) * BATCH {
                let event = within(events.next()).await.expect("readable").expect("not over");
                assert_eq!(event.seq, u64::try_from(number).expect("small"));
                assert!(matches!(event.event, StreamEvent::Log(_)), "nobody else fell behind");
            }
        }
    }
    // What waited for the idle one was given up when it became too much.
    assert_eq!(lock(&desk.hub).waiting_bytes(), 0);

    // Its next line but those that were underway is a snapshot again.
    let mut idle = tokio::io::BufReader::new(idle);
    let mut line = String::new();
    let last = lines.to_string();
    let mut snapshots = 0;
    while snapshots < 2 {
        line.clear();
        let read = tokio::io::AsyncBufReadExt::read_line(&mut idle, &mut line);
        assert!(within(read).await.expect("readable") > 0);
        snapshots += usize::from(line.contains(r#""type":"snapshot""#));
    }
    assert!(line.starts_with(&format!(r#"{{"seq":{last},"#)), "{line}");
}

#[tokio::test]
async fn who_says_nothing_keeps_nobody_out() {
    let desk = Desk::new();
    let mut silent = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        silent.push(UnixStream::connect(&desk.socket).await.expect("connects"));
    }
    let stream = within(desk.client.events()).await;
    assert!(stream.is_ok(), "some of the silent ones were sent away");
}

/// A body that says that it comes and never does.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let (asks, _asked) = mpsc::channel(1);
    let router = TowerToHyperService::new(router(asks));
    let lines = stream::pending::<Result<Bytes, Infallible>>();
    for path in [paths::SEND, paths::SET] {
        let request = Request::post(path).body(Body::from_stream(lines.clone()));
        let answer = router.call(request.expect("a request")).await.expect("an answer");
        assert_eq!(answer.status(), 408, "{path}");
    }
}
