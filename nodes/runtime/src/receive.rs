//! Packets from other nodes: connections are accepted, cut into packets where their bytes lie, and the
//! packets handed on.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use contract::Time;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use wire::{FrameError, WireProfile, next_packet};

use crate::{ConnectionPlace, accept_into_places, clock};

/// Most connections at once: every node of the layer before and every client, with room to spare.
const MAX_CONNECTIONS: usize = 4096;

/// Packets that are read at once, and handed on together. More would spare little, and make whatever
/// else is due wait longer.
pub const MAX_READ: usize = 16;

/// A connection on which no whole packet came for so long is closed. Links of other nodes close
/// themselves long before.
const IDLE_LIMIT: Duration = Duration::from_secs(300);

/// The same for one that was accepted when most places were taken: whoever opens thousands and sends
/// nothing keeps nobody out for long. A link that is closed like this connects again.
const CROWDED_IDLE_LIMIT: Duration = Duration::from_secs(10);

/// How often a malformed frame is worth a line in the log: whoever sends them sends many.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

/// Takes the packets of a connection. Each connection has its own.
pub trait Intake: Send + 'static {
    /// Takes packets that were read at this moment, at most [`MAX_READ`], in their order. It may change
    /// their bytes.
    fn take(&mut self, now: Time, packets: &mut [&mut [u8]]);

    /// What has to happen before more is read: while this lasts, TCP holds the sender back. False ends
    /// the connection.
    fn rest(&mut self) -> impl Future<Output = bool> + Send;
}

/// A packet and the moment at which it was read.
#[derive(Debug)]
pub struct Received {
    /// When.
    pub t: Time,
    /// The packet.
    pub packet: Vec<u8>,
}

/// Counts connections that carried something else than frames.
#[derive(Clone, Debug, Default)]
pub struct MalformedFrames {
    count: Arc<AtomicU64>,
    complained: Arc<Mutex<Option<Instant>>>,
}

impl MalformedFrames {
    /// How many, since the start.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn add(&self, peer: SocketAddr, error: FrameError) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|at| at.elapsed() >= COMPLAINT_INTERVAL) {
            *complained = Some(Instant::now());
            tracing::warn!("closed the connection of {peer}: {error} ({count} such so far)");
        }
    }
}

/// Accepts connections for ever and hands their packets on. A full channel makes the senders wait:
/// TCP holds them back.
pub async fn receive_packets(
    listener: TcpListener,
    profile: WireProfile,
    packets: mpsc::Sender<Received>,
    malformed: MalformedFrames,
) {
    accept_packets(listener, |stream, peer, place| {
        let intake = Channel { packets: packets.clone(), waiting: Vec::new() };
        read_packets(stream, peer, place, profile, intake, malformed.clone())
    })
    .await;
}

/// Accepts connections for ever, and hands each to `serve`, which reads it with [`read_packets`].
pub async fn accept_packets<F>(
    listener: TcpListener,
    serve: impl Fn(TcpStream, SocketAddr, ConnectionPlace) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    accept_into_places(listener, MAX_CONNECTIONS, serve).await;
}

/// Reads packets until the connection ends, and keeps its place until then. Only what is no frame is
/// worth a line in the log: a peer that goes away is not.
pub async fn read_packets(
    mut stream: TcpStream,
    peer: SocketAddr,
    place: ConnectionPlace,
    profile: WireProfile,
    mut intake: impl Intake,
    malformed: MalformedFrames,
) {
    // The beginning of a packet that has not come whole.
    let mut begun = Vec::new();
    let idle_limit = if place.crowded { CROWDED_IDLE_LIMIT } else { IDLE_LIMIT };
    let mut idle_until = Instant::now() + idle_limit;
    loop {
        let read =
            poll_fn(|context| poll_read(&mut stream, context, profile, &mut begun, &mut intake));
        match timeout_at(idle_until, read).await {
            Ok(Ok(Some(0))) => {}
            Ok(Ok(Some(_))) => idle_until = Instant::now() + idle_limit,
            Ok(Ok(None)) | Err(_) => return,
            Ok(Err(error)) => return malformed.add(peer, error),
        }
        if !intake.rest().await {
            return;
        }
    }
}

thread_local! {
    /// Where the connections of a thread are read into, one after the other: what has come is handed on
    /// before another's turn, so that a connection that waits needs no memory for it.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reads once, and hands on what has come whole: so many packets. None is the end.
fn poll_read(
    stream: &mut TcpStream,
    context: &mut Context<'_>,
    profile: WireProfile,
    begun: &mut Vec<u8>,
    intake: &mut impl Intake,
) -> Poll<Result<Option<usize>, FrameError>> {
    BUFFER.with_borrow_mut(|buffer| {
        let length = MAX_READ * profile.frame_bytes();
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        buffer[..begun.len()].copy_from_slice(begun);
        let mut read = ReadBuf::new(&mut buffer[begun.len()..length]);
        let result = Pin::new(stream).poll_read(context, &mut read);
        let end = begun.len() + read.filled().len();
        if result.is_pending() && begun.is_empty() {
            // It may wait for long.
            *begun = Vec::new();
        }
        if ready!(result).is_err() || end == begun.len() {
            return Poll::Ready(Ok(None));
        }
        let (count, rest) = hand_on(profile, &mut buffer[..end], intake)?;
        begun.clear();
        begun.extend_from_slice(rest);
        Poll::Ready(Ok(Some(count)))
    })
}

/// Cuts bytes into packets and hands them on together; returns how many, and what is left. Those in
/// front of a fault still count.
fn hand_on<'a>(
    profile: WireProfile,
    mut bytes: &'a mut [u8],
    intake: &mut impl Intake,
) -> Result<(usize, &'a [u8]), FrameError> {
    let now = clock::now();
    let mut packets: [&mut [u8]; MAX_READ] = Default::default();
    let mut count = 0;
    let fault = loop {
        match next_packet(profile, &mut bytes) {
            Ok(Some(packet)) => {
                packets[count] = packet;
                count += 1;
            }
            Ok(None) => break None,
            Err(fault) => break Some(fault),
        }
    };
    if count > 0 {
        intake.take(now, &mut packets[..count]);
    }
    fault.map_or(Ok((count, bytes)), Err)
}

/// Hands packets to a task that takes them one by one.
struct Channel {
    packets: mpsc::Sender<Received>,
    waiting: Vec<Received>,
}

impl Intake for Channel {
    fn take(&mut self, now: Time, packets: &mut [&mut [u8]]) {
        let received = packets.iter().map(|packet| Received { t: now, packet: packet.to_vec() });
        self.waiting.extend(received);
    }

    async fn rest(&mut self) -> bool {
        for received in self.waiting.drain(..) {
            if self.packets.send(received).await.is_err() {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::sync::Semaphore;
    use tokio::time::sleep;

    use super::*;

    const PROFILE: WireProfile = WireProfile { flag: 4, payload_bytes: 52 };

    #[tokio::test(start_paused = true)]
    async fn only_whole_packets_keep_a_connection_and_not_for_long_where_it_is_crowded() {
        for (crowded, limit) in [(false, IDLE_LIMIT), (true, CROWDED_IDLE_LIMIT)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("bound");
            let mut sender = TcpStream::connect(address).await.expect("it listens");
            let (stream, peer) = listener.accept().await.expect("a connection");
            let places = Arc::new(Semaphore::new(1));
            let permit = Arc::clone(&places).try_acquire_owned().expect("there is one");
            let (packets, mut received) = mpsc::channel(1);
            let begin = Instant::now();
            let first_after = limit / 2;
            let sending = async {
                sleep(first_after).await;
                let frame = vec![PROFILE.flag; PROFILE.frame_bytes()];
                sender.write_all(&frame).await.expect("it reads");
                assert!(received.recv().await.is_some());
                // Then one byte after the other, none of which is too late for the one before.
                for _ in 0..64 {
                    sleep(limit / 8).await;
                    sender.write_all(&[PROFILE.flag]).await.expect("it reads");
                }
            };
            let place = ConnectionPlace { permit, crowded };
            let intake = Channel { packets, waiting: Vec::new() };
            let reading =
                read_packets(stream, peer, place, PROFILE, intake, MalformedFrames::default());
            tokio::select! {
                () = reading => {}
                () = sending => panic!("bytes without a packet keep the connection"),
            }
            let lasted = begin.elapsed();
            let expected = first_after + limit;
            let soon = expected + Duration::from_millis(10);
            assert!((expected..soon).contains(&lasted), "{lasted:?}, crowded: {crowded}");
            assert_eq!(places.available_permits(), 1, "its place is free");
        }
    }
}
