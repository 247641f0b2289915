//! Many who listen at once, and one who does not.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::*;
use crate::hub::MAX_BEHIND_BYTES;

const READERS: usize = 50;

/// Bytes of a line that only one in a few of which fits into what may wait.
const LONG: usize = MAX_BEHIND_BYTES / 8;

/// What it takes to keep up with whatever others do not read.
#[tokio::test]
async fn one_of_fifty_readers_never_reads_and_the_others_miss_nothing() {
    let desk = Desk::new();
    let mut idle = UnixStream::connect(desk.client.socket()).await.expect("connects");
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
    let text = "x".repeat(LONG);
    // Far more than may wait for one, and than a socket holds.
    let lines = 3 * MAX_BEHIND_BYTES / LONG;
    let mut seen = 0;
    for number in 1..=lines {
        desk.publish(1, &text);
        for events in &mut readers {
            let event = within(events.next()).await.expect("readable").expect("not over");
            assert_eq!(event.seq, u64::try_from(number).expect("small"));
            assert!(matches!(event.event, StreamEvent::Log(_)), "nobody else fell behind");
            seen += 1;
        }
        assert!(lock(&desk.hub).waiting_bytes() <= MAX_BEHIND_BYTES);
    }
    assert_eq!(seen, lines * readers.len());
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
