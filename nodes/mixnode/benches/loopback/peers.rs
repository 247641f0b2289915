//! The node's peers: who sends to it, and the next hops, which read what comes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use contract::Time;
use runtime::clock;
use wire::next_packet;

use crate::network::Network;
use crate::node::Node;
use crate::packets::{PROFILE, Packet};

/// Packets that are written and read at once.
const BATCH: usize = 32;

/// After so long without a packet none is coming any more.
const SILENCE: Duration = Duration::from_secs(3);

/// How often it is looked whether all have come.
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// What has come at the next hops.
#[derive(Default)]
pub(crate) struct Arrivals {
    count: AtomicU64,
    last: AtomicU64,
    /// The first bytes of each packet, and when it came.
    seen: Mutex<Vec<([u8; 8], Time)>>,
}

impl Arrivals {
    /// Reads at all next hops until the node is gone.
    pub(crate) fn start(network: &Network) -> Arc<Self> {
        let arrivals = Arc::<Self>::default();
        for next in &network.next_hops {
            let listener = next.listener.try_clone().expect("a handle");
            let arrivals = Arc::clone(&arrivals);
            thread::spawn(move || {
                // One connection for each node; the next node's thread takes the next.
                if let Ok((stream, _)) = listener.accept() {
                    arrivals.read(stream);
                }
            });
        }
        arrivals
    }

    fn read(&self, mut stream: TcpStream) {
        let mut buffer = vec![0; BATCH * PROFILE.frame_bytes()];
        let mut begun = 0;
        while let Ok(read @ 1..) = stream.read(&mut buffer[begun..]) {
            let now = clock::now();
            let end = begun + read;
            let mut bytes = &mut buffer[..end];
            let mut seen = Vec::with_capacity(BATCH);
            while let Some(packet) = next_packet(PROFILE, &mut bytes).expect("frames") {
                seen.push((*packet.first_chunk().expect("a packet is longer"), now));
            }
            begun = bytes.len();
            buffer.copy_within(end - begun..end, 0);
            let count = seen.len() as u64;
            self.seen.lock().expect("not poisoned").append(&mut seen);
            self.last.store(now.as_nanos(), Ordering::Relaxed);
            self.count.fetch_add(count, Ordering::Release);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// When the last packet came.
    pub(crate) fn last(&self) -> Time {
        Time::from_nanos(self.last.load(Ordering::Relaxed))
    }

    /// What has come since this was last called.
    pub(crate) fn take(&self) -> Vec<([u8; 8], Time)> {
        std::mem::take(&mut self.seen.lock().expect("not poisoned"))
    }

    /// Waits until so many have come since the start, or no more come. Meanwhile looks at something now
    /// and then.
    pub(crate) fn wait(&self, count: u64, mut look: impl FnMut()) {
        let begin = clock::now();
        while self.count() < count {
            look();
            thread::sleep(LOOK_INTERVAL);
            if clock::now().saturating_since(self.last().max(begin)) > SILENCE {
                return;
            }
        }
    }
}

/// Connections to a node.
pub(crate) struct Senders(Vec<TcpStream>);

impl Senders {
    pub(crate) fn connect(node: &Node, count: u16) -> Self {
        let connect = |_| {
            let stream = TcpStream::connect(node.address).expect("it listens");
            stream.set_nodelay(true).expect("a socket can");
            stream
        };
        Self((0..count).map(connect).collect())
    }

    /// Sends packets as fast as the node takes them, over all connections at once.
    pub(crate) fn send(&self, packets: &[Packet]) {
        thread::scope(|scope| {
            for (stream, part) in
                self.0.iter().zip(packets.chunks(packets.len().div_ceil(self.0.len())))
            {
                scope.spawn(move || {
                    let mut stream = stream;
                    let mut buffer = Vec::with_capacity(BATCH * PROFILE.frame_bytes());
                    for batch in part.chunks(BATCH) {
                        buffer.clear();
                        for packet in batch {
                            buffer.extend_from_slice(&packet.frame);
                        }
                        stream.write_all(&buffer).expect("the node reads");
                    }
                });
            }
        });
    }

    /// Sends each packet at its moment, over one connection after the other. Returns when they were
    /// really sent.
    pub(crate) fn send_at<'a>(
        &self,
        packets: impl Iterator<Item = (Time, &'a Packet)>,
    ) -> Vec<Time> {
        let streams = self.0.iter().cycle();
        let send = |((at, packet), mut stream): ((Time, &Packet), &TcpStream)| {
            thread::sleep(at.saturating_since(clock::now()));
            let now = clock::now();
            stream.write_all(&packet.frame).expect("the node reads");
            now
        };
        packets.zip(streams).map(send).collect()
    }
}
