//! Links over real TCP: packets arrive, broken connections come back, nobody holds up others.

use std::net::SocketAddr;
use std::time::Duration;

use contract::{Event, PacketTrace};
use runtime::{Links, MalformedFrames, Passing, Received, Traces, clock, receive_packets};
use sphinx::print_of;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wire::{NodeAddress, WireProfile};

const PROFILE: WireProfile = WireProfile::CURRENT;

fn deadline() -> Duration {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
    let factor = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1.0);
    Duration::from_secs(20).mul_f64(factor)
}

fn packet(number: u8) -> Vec<u8> {
    vec![number; PROFILE.packet_bytes()]
}

/// A node that takes packets at this address, or at any free one.
async fn node(
    at: Option<SocketAddr>,
) -> (SocketAddr, mpsc::Receiver<Received>, JoinHandle<()>, MalformedFrames) {
    let at = at.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
    let listener = TcpListener::bind(at).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (packets, received) = mpsc::channel(64);
    let malformed = MalformedFrames::default();
    let task = tokio::spawn(receive_packets(listener, PROFILE, packets, malformed.clone()));
    (address, received, task, malformed)
}

async fn next(received: &mut mpsc::Receiver<Received>) -> u8 {
    let next = timeout(deadline(), received.recv()).await.expect("in time").expect("open");
    assert_eq!(next.packet.len(), PROFILE.packet_bytes());
    next.packet[0]
}

#[tokio::test]
async fn packets_arrive_in_order_and_every_one_is_told() {
    let (address, mut received, _task, malformed) = node(None).await;
    let links = Links::new(PROFILE);
    for number in 0..100 {
        links.send(NodeAddress(address), packet(number));
    }
    for number in 0..100 {
        assert_eq!(next(&mut received).await, number);
    }
    links.flush(deadline()).await;
    let events = links.take_events();
    assert_eq!(events.len(), 100);
    assert!(events.iter().all(|event| event.dst == address.to_string() && event.bytes == 2396));
    assert!(events.is_sorted_by_key(|event| event.t));
    assert_eq!((links.sent(), links.dropped(), malformed.count()), (100, 0, 0));
    assert!(links.take_events().is_empty(), "each is told once");
}

#[tokio::test]
async fn each_identity_is_told_by_its_number_and_what_nobody_takes_is_counted() {
    let (address, mut received, _task, _) = node(None).await;
    let reading = tokio::spawn(async move { while received.recv().await.is_some() {} });
    let links = Links::new(PROFILE);
    let third = links.of_identity(3);
    links.send(NodeAddress(address), packet(0));
    third.send(NodeAddress(address), packet(1));
    links.send(NodeAddress(address), packet(2));
    links.flush(deadline()).await;
    // All of them see the same events, each once.
    let from: Vec<_> = third.take_events().iter().map(|event| event.from).collect();
    assert_eq!((from, links.take_lost()), (vec![None, Some(3), None], 0));
    for number in 0..10_050_u64 {
        third.send(NodeAddress(address), packet(1));
        // No queue overflows meanwhile.
        if number % 50 == 49 {
            links.flush(deadline()).await;
        }
    }
    assert_eq!((links.take_events().len(), links.take_lost()), (10_000, 50));
    assert_eq!((links.take_events().len(), links.take_lost()), (0, 0), "each is told once");
    assert_eq!((links.sent(), links.dropped()), (10_053, 0));
    reading.abort();
}

/// A process that has much else to do sends for a while before the tasks of its links have their turn.
#[tokio::test]
async fn a_full_batch_does_not_wait_for_the_links_task() {
    let (address, mut received, _task, _) = node(None).await;
    let links = Links::new(PROFILE);
    links.send(NodeAddress(address), packet(0));
    assert_eq!(next(&mut received).await, 0);
    for number in 1..=40 {
        links.send(NodeAddress(address), packet(number));
    }
    // Nothing else has run since.
    assert_eq!((links.sent(), links.dropped()), (1 + 32, 0));
    for number in 1..=40 {
        assert_eq!(next(&mut received).await, number);
    }
    // Whoever tells what became of one of them names it by its moment.
    links.flush(deadline()).await;
    let moments: Vec<_> = links.take_events().iter().map(|event| event.t).collect();
    assert!(moments.len() == 41 && moments.is_sorted_by(|one, other| one < other), "{moments:?}");
}

#[tokio::test]
async fn a_node_that_starts_late_or_comes_back_gets_what_waited() {
    let (address, received, task, _) = node(None).await;
    // Gone before the first packet.
    task.abort();
    let _ = task.await;
    drop(received);
    let links = Links::new(PROFILE);
    links.send(NodeAddress(address), packet(1));
    let listener = TcpListener::bind(address).await.expect("the port is free again");
    let (mut stream, _) =
        timeout(deadline(), listener.accept()).await.expect("in time").expect("ok");
    let mut frame = vec![0; 1 + PROFILE.packet_bytes()];
    stream.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[1], 1);
    // The connection breaks; the link notices before it loses the next packet.
    drop(stream);
    let (mut stream, _) =
        timeout(deadline(), listener.accept()).await.expect("in time").expect("ok");
    links.send(NodeAddress(address), packet(2));
    stream.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[1], 2);
}

/// Sends packets there, numbered from 0, until one is dropped; returns how many.
async fn overflow(links: &Links, to: SocketAddr) -> u32 {
    let before = links.dropped();
    let overflow = async {
        let mut number = 0_u32;
        while links.dropped() == before {
            let mut packet = packet(0);
            packet[..4].copy_from_slice(&number.to_be_bytes());
            links.send(NodeAddress(to), packet);
            number += 1;
            tokio::task::yield_now().await;
        }
        number
    };
    timeout(deadline(), overflow).await.expect("its queue is bounded")
}

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_other_links_are_not_affected() {
    // They accept and never read. More of them than there is room for in all.
    let links = Links::new(PROFILE);
    let mut stuck = Vec::new();
    for _ in 0..6 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        overflow(&links, listener.local_addr().expect("bound")).await;
        stuck.push(listener);
    }
    let (address, mut received, _task, _) = node(None).await;
    for number in 0..50 {
        links.send(NodeAddress(address), packet(number));
    }
    for number in 0..50 {
        assert_eq!(next(&mut received).await, number);
    }
    assert_eq!(links.dropped(), 6);
}

#[tokio::test]
async fn what_was_written_in_part_goes_again_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let links = Links::new(PROFILE);
    let count = overflow(&links, address).await - 1;
    // Whatever the system has of it is lost with the connection; it surely ends in a packet.
    let (broken, _) = timeout(deadline(), listener.accept()).await.expect("in time").expect("ok");
    drop(broken);
    let (mut stream, _) =
        timeout(deadline(), listener.accept()).await.expect("in time").expect("ok");
    let mut frame = vec![0; PROFILE.frame_bytes()];
    let mut numbers = Vec::new();
    while numbers.last() != Some(&(count - 1)) {
        let read = timeout(deadline(), stream.read_exact(&mut frame)).await;
        read.expect("in time").expect("a frame");
        assert_eq!(frame[0], PROFILE.flag);
        numbers.push(u32::from_be_bytes([frame[1], frame[2], frame[3], frame[4]]));
    }
    let first = numbers[0];
    assert!(first > 0, "the system took some before");
    assert!(numbers.iter().copied().eq(first..count), "none is missing, none comes twice");
    links.flush(deadline()).await;
    assert_eq!(links.sent(), u64::from(count));
}

#[tokio::test]
async fn what_is_no_frame_closes_the_connection_and_only_that() {
    let (address, mut received, _task, malformed) = node(None).await;
    let mut hostile = TcpStream::connect(address).await.expect("connects");
    tokio::io::AsyncWriteExt::write_all(&mut hostile, b"GET / HTTP/1.1\r\n")
        .await
        .expect("written");
    let end = timeout(deadline(), hostile.read(&mut [0])).await.expect("closed");
    assert!(matches!(end, Ok(0) | Err(_)));
    let links = Links::new(PROFILE);
    links.send(NodeAddress(address), packet(3));
    assert_eq!(next(&mut received).await, 3);
    assert_eq!(malformed.count(), 1);
}

fn traced(traces: &Traces) -> Vec<PacketTrace> {
    match traces.take() {
        Some(Event::Packets { packets, lost: 0 }) => packets,
        None => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_passed_is_told_when_it_is_written_and_with_that_moment() {
    let (address, mut received, _task, _) = node(None).await;
    let traces = Traces::default();
    let links = Links::new(PROFILE).tracing(Some(traces.clone()));
    let (before, after) = (print_of(&packet(1)), print_of(&packet(2)));
    let came = clock::now();
    let asked = Duration::from_millis(3);
    let passing = Passing { came, asked, before, after, pool: 4 };
    let mut batch = links.batch();
    let frame = batch.frames().put(&packet(2)).expect("room");
    batch.push(NodeAddress(address), frame, None, Some(Box::new(passing.clone())));
    batch.write();
    assert_eq!(traced(&traces), [], "there is no connection yet");
    // One that does not pass through, but begins here, is told by whoever sent it.
    links.send(NodeAddress(address), packet(3));
    let first = timeout(deadline(), received.recv()).await.expect("in time").expect("open");
    assert_eq!((first.packet[0], next(&mut received).await), (2, 3));
    links.flush(deadline()).await;
    let all = traced(&traces);
    let [PacketTrace::Passed { left, .. }] = all[..] else { panic!("one passed") };
    // It was written then, and the other side has it since.
    assert!(came < left);
    assert_eq!(left, links.take_events()[0].t, "one moment, to whoever looks");
    assert!(left < first.t, "nothing comes before it has left");
    assert_eq!(all, [passing.left(left, address)]);
}

#[tokio::test]
async fn what_finds_no_room_is_told_as_it_came() {
    let traces = Traces::default();
    let links = Links::new(PROFILE).tracing(Some(traces.clone()));
    // Takes connections, and reads nothing; in this one task nobody connects meanwhile.
    let stuck = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let to = NodeAddress(stuck.local_addr().expect("bound"));
    let mut sent = 0;
    while links.dropped() == 0 {
        links.send(to, packet(1));
        sent += 1;
        assert!(sent < 10_000, "a queue is bounded");
    }
    let came = print_of(&packet(7));
    let after = print_of(&packet(8));
    let passing =
        Passing { came: clock::now(), asked: Duration::ZERO, before: came, after, pool: 0 };
    let mut batch = links.batch();
    let frame = batch.frames().put(&packet(8)).expect("room");
    batch.push(to, frame, None, Some(Box::new(passing)));
    batch.write();
    let dropped: Vec<_> = traced(&traces)
        .into_iter()
        .map(|trace| match trace {
            PacketTrace::Dropped { before, reason, .. } => (before, reason),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(dropped, [(print_of(&packet(1)), "queue".into()), (came, "queue".into())]);
}
