//! The mixnode in Python, which the layout `custom-node` brings along, against the one in Rust: same
//! packets in, same bytes out. It needs `python3` (3.8 or later) on the path.

mod directory;

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use directory_api::MixNodePresence;
use directory_client::DirectoryClient;
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use runtime::KeyFiles;
use rustix::process::{Pid, Signal, kill_process};
use sphinx::{Hop, HopProcessor, PacketBuilder, PrivateKey, Route, Unwrapped};
use sphinx_packet::SphinxPacketBuilder;
use sphinx_packet::header::delays::Delay;
use sphinx_packet::route::{Destination, DestinationAddressBytes, Node as Place, NodeAddressBytes};
use sphinx_packet::version::Version;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use wire::{HEADER_BYTES, NodeAddress, PublicKey, WireProfile, write_frame};

use directory::{deadline, directory};

const PROFILE: WireProfile = WireProfile::CURRENT;

/// How often the directory is asked again while something is waited for.
const POLL: Duration = Duration::from_millis(20);

/// The mixnode in Python. It ends with this.
struct Python {
    child: Child,
    keys: PathBuf,
}

impl Python {
    fn start(folder: &Path, directory: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../layouts/builtin/custom-node/mixnode.py");
        let keys = folder.join("keys");
        let child = Command::new("python3")
            .arg(script)
            .args(["--host", "127.0.0.1", "--port", "0", "--layer", "2", "--name", "mix-2-1"])
            .args(["--directory", directory, "--key-dir"])
            .arg(&keys)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("install python3 (3.8 or later): it runs the mixnode of `custom-node`");
        Self { child, keys }
    }

    /// Waits until the directory has heard of it.
    async fn present(&self, directory: &DirectoryClient) -> MixNodePresence {
        let found = timeout(deadline(), async {
            loop {
                let topology = directory.topology().await.expect("a topology");
                if let [node] = topology.mix_nodes.as_slice() {
                    break node.clone();
                }
                tokio::time::sleep(POLL).await;
            }
        });
        found.await.expect("it announces itself")
    }

    fn key(&self) -> PrivateKey {
        let files = KeyFiles::in_folder(&self.keys, "sphinx");
        files.load("").expect("as the nodes have them").expect("it is there")
    }

    /// Tells it to end; how it did, and what it wrote.
    async fn end(mut self) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
        let ended = spawn_blocking(move || {
            let mut log = String::new();
            self.child.stderr.take().expect("piped").read_to_string(&mut log).expect("text");
            (self.child.wait().expect("it ends").code(), log)
        });
        timeout(deadline(), ended).await.expect("it ends soon").expect("waited for")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        drop(self.child.wait());
    }
}

/// Builds packets for a node, and knows what the mixnode in Rust makes of them.
struct Packets {
    rng: StdRng,
    builder: PacketBuilder,
    key: PrivateKey,
    processor: HopProcessor,
    /// Where the node listens, and where it is to send to.
    here: SocketAddr,
    next: SocketAddr,
    /// What has to come out, by when.
    expected: HashMap<Vec<u8>, Instant>,
}

impl Packets {
    /// A packet over so many hops, the first of which is the node.
    fn packet(&mut self, hops: usize, delay: Duration) -> Vec<u8> {
        let addresses = [self.here].into_iter().chain(std::iter::repeat(self.next));
        let hops = addresses.take(hops).enumerate().map(|(number, address)| {
            let other = PrivateKey::random(&mut self.rng);
            let key = if number == 0 { &self.key } else { &other };
            Hop { address: NodeAddress(address), key: key.public(), delay }
        });
        let route = Route { hops: hops.collect() };
        let mut text = vec![0; self.rng.random_range(0..=PROFILE.plaintext_bytes())];
        self.rng.fill_bytes(&mut text);
        let to = PublicKey::from_bytes(self.rng.random());
        let packet = self.builder.build_packet(&mut self.rng, &route, &to, &[7; 16], &text);
        packet.expect("a good route")
    }

    /// A packet of two hops with any version in its header.
    fn of_version(&mut self, version: u16) -> Vec<u8> {
        let place = |address, key: PublicKey| {
            let address = NodeAddressBytes::from_bytes(NodeAddress(address).encode());
            Place::new(address, x25519_dalek::PublicKey::from(*key.as_bytes()))
        };
        let other = PrivateKey::random(&mut self.rng);
        let places = [place(self.here, self.key.public()), place(self.next, other.public())];
        let to = Destination::new(DestinationAddressBytes::from_bytes([1; 32]), [2; 16]);
        let secret = x25519_dalek::StaticSecret::from(self.rng.random::<[u8; 32]>());
        let packet = SphinxPacketBuilder::new()
            .with_version(Version::new(version))
            .with_payload_size(PROFILE.payload_bytes)
            .with_initial_secret(&secret)
            .build_packet(b"hello", &places, &to, &[Delay::new_from_nanos(0); 2]);
        packet.expect("a good route").to_bytes()
    }

    /// The packet has to be passed on, as Rust would do it and not before its delay is over.
    fn expect(&mut self, packet: &[u8]) {
        let mut out = packet.to_vec();
        let unwrapped = self.processor.unwrap(&mut out, |_| true).expect("a good packet");
        let Unwrapped::Forward { next, delay } = unwrapped else { panic!("{unwrapped:?}") };
        assert_eq!(next.0, self.next);
        self.expected.insert(out, Instant::now() + delay);
    }
}

/// What came out is one of those that had to.
fn took(expected: &mut HashMap<Vec<u8>, Instant>, frame: &[u8]) {
    assert_eq!(frame[0], PROFILE.flag);
    let due = expected.remove(&frame[1..]);
    let due = due.expect("a packet came out that Rust would not have sent, or twice");
    assert!(Instant::now() >= due, "it did not wait");
}

#[tokio::test]
async fn the_mixnode_in_python_does_with_every_packet_what_the_one_in_rust_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = directory().await;
    let node = Python::start(folder.path(), directory.address());
    let present = node.present(&directory).await;

    // Who it is.
    let key = node.key();
    assert_eq!(present.pub_key, key.public().to_string());
    assert_eq!((present.location.as_str(), present.layer), ("mix-2-1", 2));
    let mode = fs::metadata(node.keys.join("private_sphinx.pem")).expect("there").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let next = listener.local_addr().expect("bound");
    let here = present.host.parse().expect("an address");
    let seed = rand::random();
    println!("seed {seed}");
    let mut packets = Packets {
        rng: StdRng::seed_from_u64(seed),
        builder: PacketBuilder::new(PROFILE),
        processor: HopProcessor::portable(key.clone(), PROFILE),
        key,
        here,
        next,
        expected: HashMap::new(),
    };

    // What no frame begins with ends its own connection, and no other.
    let mut stream = TcpStream::connect(here).await.expect("it listens");
    let mut garbage = TcpStream::connect(here).await.expect("it listens");
    garbage.write_all(&[PROFILE.flag ^ 1]).await.expect("written");
    let end = timeout(deadline(), garbage.read(&mut [0])).await.expect("it hangs up");
    assert_eq!(end.expect("properly"), 0);

    // Bad packets come first and ask for no delay: if one got through, it would come out too early.
    let good = packets.packet(3, Duration::ZERO);
    let mut written = vec![good.clone(), good.clone()];
    packets.expect(&good);
    for at in [0, 31, 32, 47, 48, HEADER_BYTES - 1] {
        let mut tampered = packets.packet(3, Duration::ZERO);
        tampered[at] ^= 1;
        written.push(tampered);
    }
    written.push(packets.packet(1, Duration::ZERO));
    written.push(packets.packet(2, Duration::from_secs(301)));
    written.push(packets.of_version(257));
    // A hop cannot see that a payload was changed. It makes noise of it, the same in every language.
    let mut noise = packets.packet(4, Duration::ZERO);
    noise[HEADER_BYTES + 77] ^= 0x10;
    let versions = [258, 259, 260].map(|version| packets.of_version(version));
    let delayed = (0..20).map(|number| packets.packet(2 + number % 4, Duration::from_millis(150)));
    for packet in delayed.collect::<Vec<_>>().into_iter().chain(versions).chain([noise]) {
        packets.expect(&packet);
        written.push(packet);
    }
    let (received, sent) = (written.len() as u64, packets.expected.len() as u64);
    let mut frames = Vec::new();
    for packet in &written {
        write_frame(PROFILE, packet, &mut frames);
    }
    stream.write_all(&frames).await.expect("written");

    let (mut link, _) =
        timeout(deadline(), listener.accept()).await.expect("it connects").expect("accepted");
    let mut frame = vec![0; PROFILE.frame_bytes()];
    let Packets { mut expected, .. } = packets;
    while !expected.is_empty() {
        let read = timeout(deadline(), link.read_exact(&mut frame)).await;
        read.unwrap_or_else(|_| panic!("{} never came", expected.len())).expect("a frame");
        took(&mut expected, &frame);
    }

    // What it told the directory.
    let told = timeout(deadline(), async {
        loop {
            let history = directory.metrics_history(None, None).await.expect("a history");
            let sum = |counts: &[Option<u64>]| counts.iter().flatten().sum::<u64>();
            let told = history.nodes.first().map(|node| (sum(&node.received), sum(&node.sent)));
            if told == Some((received, sent)) {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
    });
    told.await.expect("it reports what it counted");

    let (code, log) = node.end().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("Traceback"), "{log}");
    for counted in ["'mac': 6", "'replay': 1", "'final-hop': 1", "'delay': 1", "'version': 1"] {
        assert!(log.contains(counted), "{counted}: {log}");
    }
    let left = directory.topology().await.expect("a topology");
    assert_eq!(left.mix_nodes, [], "it said that it leaves");

    // It comes back as the same.
    let again = Python::start(folder.path(), directory.address());
    assert_eq!(again.present(&directory).await.pub_key, present.pub_key);
}
