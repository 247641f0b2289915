//! Many who listen at once, and one who does not.

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
