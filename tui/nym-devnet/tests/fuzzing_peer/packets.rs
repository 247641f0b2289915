//! Well-formed frames with packets that a node has to give up, and how many of each, so that its
//! counters can be compared with what was sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mixnode::{MAX_DELAY, MAX_POOL};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};
use sphinx::{Hop, PacketBuilder, PrivateKey, Route};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::{HEADER_BYTES, NodeAddress, PublicKey, WireProfile, write_frame};

use crate::Network;
use crate::common::limit;

/// More than the pool of a mixnode holds.
const POOL_AND_MORE: usize = MAX_POOL + 500;

/// More than the queue of a link and the buffers of two sockets hold.
const QUEUE_AND_MORE: usize = 5000;

/// Packets that are written between two looks at the rest of the attack.
const CHUNK: usize = 16;

/// Which of the two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Mixnode,
    Provider,
}

/// What is wrong with a packet.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// A bit of the header is changed.
    Tampered,
    /// It came before, whatever else it is.
    Replayed,
    /// Nobody takes packets where it goes.
    UnknownHop,
    /// It asks for a delay beyond the longest.
    Delay,
    /// It goes to a mixnode of the same layer.
    Layer,
    /// It ends where it should go on, or goes on where it should end.
    WrongEnd,
    /// It is for a client that nobody knows; its payload is noise.
    UnknownClient,
    /// It goes to a node that never reads.
    Stuck,
    /// It waits for minutes, then goes to the node that never reads.
    Waits,
}

const OF_MIXNODE: [Fault; 8] = [
    Fault::Tampered,
    Fault::Replayed,
    Fault::UnknownHop,
    Fault::Delay,
    Fault::Layer,
    Fault::WrongEnd,
    Fault::Stuck,
    Fault::Waits,
];

const OF_PROVIDER: [Fault; 4] =
    [Fault::Tampered, Fault::Replayed, Fault::WrongEnd, Fault::UnknownClient];

/// A connection that sends such packets to a node, and what the node should have counted.
pub(crate) struct Attacker {
    at: At,
    network: Arc<Network>,
    builder: PacketBuilder,
    rng: StdRng,
    stream: TcpStream,
    written: Vec<u8>,
    pub(crate) sent: u64,
    /// By the word under which they have to be counted.
    pub(crate) expected: BTreeMap<&'static str, u64>,
}

impl Attacker {
    pub(crate) async fn connect(network: Arc<Network>, at: At, rng: StdRng) -> Self {
        let address = match at {
            At::Mixnode => network.mixnode.address,
            At::Provider => network.provider.address,
        };
        let stream = TcpStream::connect(address.0).await.expect("connects");
        stream.set_nodelay(true).expect("a socket");
        let builder = PacketBuilder::new(WireProfile::CURRENT);
        let (written, expected) = (Vec::new(), BTreeMap::new());
        Self { at, network, builder, rng, stream, written, sent: 0, expected }
    }

    /// One packet with any of the faults.
    pub(crate) async fn attack(&mut self) {
        let faults: &[Fault] = match self.at {
            At::Mixnode => &OF_MIXNODE,
            At::Provider => &OF_PROVIDER,
        };
        let fault = faults[self.rng.random_range(0..faults.len())];
        self.push(fault);
        self.write().await;
    }

    /// So many of those that cost a node the most: their headers are genuine, so that each is
    /// remembered.
    pub(crate) async fn flood(&mut self, packets: usize) {
        let fault = match self.at {
            At::Mixnode => Fault::WrongEnd,
            At::Provider => Fault::UnknownClient,
        };
        self.push_many(fault, packets).await;
    }

    /// Fills whatever the node has to keep packets in.
    pub(crate) async fn fill(&mut self) {
        self.push_many(Fault::Stuck, QUEUE_AND_MORE).await;
        self.push_many(Fault::Waits, POOL_AND_MORE).await;
    }

    /// Packets that a client has to be given.
    pub(crate) async fn store(&mut self, client: &PublicKey, packets: usize) {
        for _ in 0..packets {
            let packet = self.packet(&[self.network.provider], client);
            self.put(&packet);
            self.write().await;
        }
    }

    async fn push_many(&mut self, fault: Fault, packets: usize) {
        for packet in 0..packets {
            self.push(fault);
            if packet % CHUNK == 0 {
                self.write().await;
                // Building is all that this thread does otherwise.
                tokio::task::yield_now().await;
            }
        }
        self.write().await;
    }

    async fn write(&mut self) {
        let written = self.stream.write_all(&self.written).await;
        written.expect("frames are no reason to hang up");
        self.written.clear();
    }

    /// Ends the connection, once the node has read everything.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.expect("open");
        let end = timeout(limit(30), self.stream.read(&mut [0])).await;
        assert_eq!(end.expect("a node reads on").expect("it hangs up, too"), 0);
    }

    fn put(&mut self, packet: &[u8]) {
        write_frame(WireProfile::CURRENT, packet, &mut self.written);
        self.sent += 1;
    }

    /// It has to be counted under this word.
    fn expect(&mut self, word: &'static str) {
        *self.expected.entry(word).or_default() += 1;
    }

    fn packet(&mut self, hops: &[Hop], to: &PublicKey) -> Vec<u8> {
        let mut noise = vec![0; WireProfile::CURRENT.plaintext_bytes()];
        self.rng.fill_bytes(&mut noise);
        let route = Route { hops: hops.to_vec() };
        let packet = self.builder.build_packet(&mut self.rng, &route, to, &[0; 16], &noise);
        packet.expect("a good route")
    }

    fn push(&mut self, fault: Fault) {
        let Network { mixnode, provider, silent, .. } = *self.network;
        let nobody = PrivateKey::random(&mut self.rng).public();
        let here = match self.at {
            At::Mixnode => mixnode,
            At::Provider => provider,
        };
        // Port 1 takes no packets.
        let nowhere = NodeAddress(([127, 0, 0, 1], 1).into());
        let (hops, word) = match (fault, self.at) {
            (Fault::Tampered, _) => (vec![here], Some("mac")),
            (Fault::Replayed | Fault::WrongEnd, At::Mixnode) => (vec![mixnode], Some("final-hop")),
            (Fault::WrongEnd, At::Provider) => (vec![provider, mixnode], Some("forward-hop")),
            (Fault::Replayed, At::Provider) | (Fault::UnknownClient, _) => {
                (vec![provider], Some("unknown-client"))
            }
            (Fault::UnknownHop, _) => {
                (vec![mixnode, Hop { address: nowhere, ..provider }], Some("unknown-hop"))
            }
            (Fault::Delay, _) => {
                let delay = MAX_DELAY + Duration::from_nanos(self.rng.next_u64() >> 4) / 8;
                let too_long = Hop { delay: delay + Duration::from_nanos(1), ..mixnode };
                (vec![too_long, provider], Some("delay"))
            }
            (Fault::Layer, _) => (vec![mixnode, mixnode, provider], Some("layer")),
            (Fault::Stuck, _) => (vec![mixnode, silent], None),
            (Fault::Waits, _) => (vec![Hop { delay: MAX_DELAY * 2 / 3, ..mixnode }, silent], None),
        };
        let mut packet = self.packet(&hops, &nobody);
        if matches!(fault, Fault::Tampered) {
            let at = self.rng.random_range(0..HEADER_BYTES);
            // Not the topmost bit of the point, which the curve does not look at.
            packet[at] ^= 1 << self.rng.random_range(0..7);
        }
        self.put(&packet);
        if let Some(word) = word {
            self.expect(word);
        }
        if matches!(fault, Fault::Replayed) {
            for _ in 0..self.rng.random_range(1..4) {
                self.put(&packet);
                self.expect("replay");
            }
        }
    }
}
