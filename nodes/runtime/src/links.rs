//! Links to other nodes: one connection per next hop, a bounded queue in front of each. All packets
//! that a process sends into the mixnet leave through here.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::LinkEvent;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout};
use wire::{NodeAddress, WireProfile, write_frame};

use crate::clock;

/// Packets that wait for one next hop: 2.5 MB. When it is full, packets for that hop are dropped and
/// counted; others are not affected.
const MAX_QUEUED: usize = 1024;

/// Packets that are written at once.
const MAX_BATCH: usize = 32;

/// How long after a failed connection the first retry comes.
const FIRST_RETRY: Duration = Duration::from_millis(50);

/// The waiting time doubles up to this.
const LONGEST_RETRY: Duration = Duration::from_secs(2);

/// How long connecting may take. On one machine it is immediate or hopeless.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A link that carried nothing for so long is closed, and so is one whose other side is not there.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// How often a node reports what left on its links.
pub const LINKS_INTERVAL: Duration = Duration::from_millis(100);

/// Link events that wait to be taken; ten seconds of a thousand packets a second.
const MAX_EVENTS: usize = 10_000;

/// The links of a process. Cheap to clone. Needs to be inside a runtime.
#[derive(Clone, Debug)]
pub struct Links {
    profile: WireProfile,
    shared: Arc<Mutex<Shared>>,
    /// Told when nothing waits any more.
    all_written: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Shared {
    queues: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>,
    events: Vec<LinkEvent>,
    sent: u64,
    dropped: u64,
    /// Packets that were taken and are neither written nor given up.
    waiting: u64,
}

impl Links {
    /// Links that carry packets of this format.
    pub fn new(profile: WireProfile) -> Self {
        Self { profile, shared: Arc::default(), all_written: Arc::default() }
    }

    /// Sends a packet, or drops and counts it if the queue of that link is full.
    pub fn send(&self, to: NodeAddress, packet: Vec<u8>) {
        let mut shared = self.lock();
        // A link that was idle has closed its queue: a new one takes its place.
        let open = shared.queues.get(&to.0).filter(|queue| !queue.is_closed());
        let queue = if let Some(queue) = open {
            queue
        } else {
            let (queue, packets) = mpsc::channel(MAX_QUEUED);
            let link = Link { links: self.clone(), to: to.0, packets };
            tokio::spawn(link.run());
            shared.queues.entry(to.0).insert_entry(queue).into_mut()
        };
        match queue.try_send(packet) {
            Ok(()) => shared.waiting += 1,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => shared.dropped += 1,
        }
    }

    /// Waits until everything that was taken is written, but no longer than this.
    pub async fn flush(&self, limit: Duration) {
        let written = async {
            loop {
                // Before the look, so that what happens between is not missed.
                let all_written = self.all_written.notified();
                if self.lock().waiting == 0 {
                    return;
                }
                all_written.await;
            }
        };
        // Who is not reached by then will not be.
        let _ = timeout(limit, written).await;
    }

    /// Packets written to links since the start.
    pub fn sent(&self) -> u64 {
        self.lock().sent
    }

    /// Packets dropped since the start because a queue was full.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// What left since this was last asked, oldest first.
    pub fn take_events(&self) -> Vec<LinkEvent> {
        std::mem::take(&mut self.lock().events)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing in here can panic halfway through a change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One link: takes packets from its queue and writes them.
struct Link {
    links: Links,
    to: SocketAddr,
    packets: mpsc::Receiver<Vec<u8>>,
}

impl Link {
    async fn run(mut self) {
        let mut retry = FIRST_RETRY;
        let mut failing_since = None;
        // Frames that are not known to be written. After a broken connection they go again: a
        // packet that arrives twice does no harm, one that never arrives has to be sent anew.
        let mut unwritten = Batch::default();
        while !self.is_done(&unwritten) {
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(self.to)).await {
                Ok(Ok(stream)) => {
                    let mut written = false;
                    match self.carry(stream, &mut unwritten, &mut written).await {
                        Ok(()) => {
                            // What slipped in just now is still written.
                            self.packets.close();
                            continue;
                        }
                        Err(error) => tracing::debug!("link to {} broke: {error}", self.to),
                    }
                    if written {
                        retry = FIRST_RETRY;
                        failing_since = None;
                    }
                }
                Ok(Err(error)) => tracing::debug!("cannot connect to {}: {error}", self.to),
                Err(_) => tracing::debug!("cannot connect to {}: no answer", self.to),
            }
            if failing_since.get_or_insert_with(Instant::now).elapsed() > IDLE_LIMIT {
                self.give_up(&unwritten);
                return;
            }
            sleep(retry).await;
            retry = (retry * 2).min(LONGEST_RETRY);
        }
    }

    fn is_done(&self, unwritten: &Batch) -> bool {
        self.packets.is_closed() && self.packets.is_empty() && unwritten.lengths.is_empty()
    }

    /// Nobody is there any more: drops and counts everything that waits.
    fn give_up(&mut self, unwritten: &Batch) {
        self.packets.close();
        let mut dropped = unwritten.lengths.len() as u64;
        while self.packets.try_recv().is_ok() {
            dropped += 1;
        }
        let mut shared = self.links.lock();
        shared.dropped += dropped;
        self.links.done(&mut shared, dropped);
    }

    /// Writes packets until the link is idle (then the result is fine) or breaks.
    /// `written` becomes true with the first.
    async fn carry(
        &mut self,
        mut stream: TcpStream,
        batch: &mut Batch,
        written: &mut bool,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (mut reader, mut writer) = stream.split();
        let mut byte = [0];
        loop {
            if batch.lengths.is_empty() {
                let mut packets = Vec::new();
                tokio::select! {
                    taken = timeout(IDLE_LIMIT, self.packets.recv_many(&mut packets, MAX_BATCH)) => {
                        if matches!(taken, Err(_) | Ok(0)) {
                            return Ok(());
                        }
                    }
                    // Nobody sends on a link backwards: a read ends when the other side is gone,
                    // and tells so before the next packet is lost.
                    read = reader.read(&mut byte) => {
                        read?;
                        return Err(io::ErrorKind::ConnectionReset.into());
                    }
                }
                for packet in &packets {
                    write_frame(self.links.profile, packet, &mut batch.bytes);
                    batch.lengths.push(u32::try_from(packet.len()).expect("a packet is small"));
                }
            }
            writer.write_all(&batch.bytes).await?;
            *written = true;
            self.links.record(self.to, batch);
        }
    }
}

/// Frames on their way to a socket.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Bytes of each packet.
    lengths: Vec<u32>,
}

impl Links {
    /// So many packets do not wait any more.
    fn done(&self, shared: &mut Shared, count: u64) {
        shared.waiting -= count;
        if shared.waiting == 0 {
            self.all_written.notify_waiters();
        }
    }

    /// Counts a batch that was written, and empties it.
    fn record(&self, to: SocketAddr, batch: &mut Batch) {
        let t = clock::now();
        let mut shared = self.lock();
        let count = batch.lengths.len() as u64;
        shared.sent += count;
        self.done(&mut shared, count);
        for bytes in batch.lengths.drain(..) {
            if shared.events.len() < MAX_EVENTS {
                shared.events.push(LinkEvent { t, dst: to.to_string(), bytes });
            }
        }
        batch.bytes.clear();
    }
}
