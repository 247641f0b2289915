//! Packets from other nodes: connections are accepted, cut into packets, and the packets handed on.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::Time;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use wire::{FrameError, FrameReader, WireProfile};

use crate::{accept, clock};

/// Most connections at once: every node of the layer before and every client, with room to spare.
const MAX_CONNECTIONS: usize = 4096;

/// Bytes that are read at once: six packets.
const READ_BYTES: usize = 16 << 10;

/// A packet and the moment at which it was read.
#[derive(Debug)]
pub struct Received {
    /// When.
    pub t: Time,
    /// The packet.
    pub packet: Vec<u8>,
}

/// A connection on which nothing came for so long is closed. Links of other nodes close themselves
/// long before.
const IDLE_LIMIT: Duration = Duration::from_secs(300);

/// How often a malformed frame is worth a line in the log: whoever sends them sends many.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

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
    accept(listener, MAX_CONNECTIONS, |stream, peer| {
        let (packets, malformed) = (packets.clone(), malformed.clone());
        async move {
            if let Err(error) = read_packets(stream, profile, &packets).await {
                malformed.add(peer, error);
            }
        }
    })
    .await;
}

/// Reads packets until the connection ends. Only what is no frame is an error: a peer that goes away
/// is not worth a line in the log.
async fn read_packets(
    mut stream: TcpStream,
    profile: WireProfile,
    packets: &mpsc::Sender<Received>,
) -> Result<(), FrameError> {
    let mut reader = FrameReader::new(profile);
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(Ok(read @ 1..)) = timeout(IDLE_LIMIT, stream.read(&mut buffer)).await {
        let t = clock::now();
        reader.push(&buffer[..read])?;
        while let Some(packet) = reader.next_packet()? {
            if packets.send(Received { t, packet: packet.to_vec() }).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
