//! Packets from other nodes: connections are accepted, cut into packets, and the packets handed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::Time;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep;
use wire::{FrameReader, WireProfile};

use crate::clock;

/// Most connections at once: every node of the layer before and every client, with room to spare.
const MAX_CONNECTIONS: usize = 4096;

/// Bytes that are read at once: six packets.
const READ_BYTES: usize = 16 << 10;

/// How long to wait when the system refuses a connection, so as not to turn in a tight circle.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
pub struct MalformedFrames(Arc<AtomicU64>);

impl MalformedFrames {
    /// How many, since the start.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
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
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (packets, malformed) = (packets.clone(), malformed.clone());
                tokio::spawn(async move {
                    if let Err(error) = read_packets(stream, profile, &packets).await {
                        malformed.0.fetch_add(1, Ordering::Relaxed);
                        tracing::warn!("closed the connection of {peer}: {error}");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Reads packets until the connection ends. Only what is no frame is an error: a peer that goes away
/// is not worth a line in the log.
async fn read_packets(
    mut stream: TcpStream,
    profile: WireProfile,
    packets: &mpsc::Sender<Received>,
) -> Result<(), wire::FrameError> {
    let mut reader = FrameReader::new(profile);
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
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
