//! What it costs to build a packet, the header of its acknowledgement, a reply block and a reply,
//! beside the crate `sphinx-packet` and beside what the arithmetic and the ciphers alone take.
//!
//! `cargo bench -p sphinx --bench build --profile dist`

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aes::Aes128;
use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use chacha20::ChaCha20;
use ctr::Ctr64BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use curve25519_dalek::edwards::EdwardsBasepointTable;
use curve25519_dalek::traits::BasepointTable;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, Scalar};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use lioness_rs::Lioness;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::Sha256;
use sphinx::{Hop, PacketBuilder, PrivateKey, Route};
use sphinx_packet::header::delays::Delay;
use sphinx_packet::route::{Destination, DestinationAddressBytes, Node, NodeAddressBytes};
use sphinx_packet::version::PAYLOAD_KEYS_SEEDS_VERSION;
use sphinx_packet::{SURB, SURBMaterial, SphinxPacketBuilder};
use wire::{NodeAddress, PublicKey, ReplyBlock, WireProfile};
use x25519_dalek::x25519;

/// Enough for medians that stay where they are, also beside other programs: each call is timed by
/// itself, and few are interrupted.
const ROUNDS: usize = 1001;

/// Uses after which each key has its table.
const WARM_UP: usize = 100;

/// Three mixnodes and a provider.
const HOPS: usize = 4;

const PROFILE: WireProfile = WireProfile::CURRENT;

/// The shortest payload that the crate builds a header with.
const THROW_AWAY_BYTES: usize = 64;

fn main() {
    let mut rng = StdRng::seed_from_u64(1);
    let setting = Setting::new(&mut rng);
    let warm = PacketBuilder::new(PROFILE);
    for _ in 0..WARM_UP {
        setting.ours(&warm, &mut rng);
    }
    let floor = Floor::new(&setting);

    let mut rows = [
        Row::new("packet and header: sphinx-packet 0.8"),
        Row::new("  ours, nodes met for the first time"),
        Row::new("  ours, nodes met before"),
        Row::new("  ours, nodes with tables"),
        Row::new("  floor: arithmetic with tables, ciphers"),
        Row::new("packet: sphinx-packet 0.8"),
        Row::new("  ours, nodes with tables"),
        Row::new("header: sphinx-packet 0.8"),
        Row::new("  ours, nodes with tables"),
        Row::new("reply block: sphinx-packet 0.8"),
        Row::new("  ours, nodes with tables"),
        Row::new("reply, from a block's bytes: sphinx-packet 0.8"),
        Row::new("  ours"),
    ];
    let their_block = setting.their_reply_block();
    let our_block = setting.our_reply_block(&warm, &mut rng);
    // Turn by turn, so that a machine that gets slower does so for all.
    for _ in 0..ROUNDS {
        rows[0].measure(|| (setting.their_packet(), setting.their_header()));
        rows[1].measure(|| setting.ours(&PacketBuilder::new(PROFILE), &mut rng));
        let met = PacketBuilder::new(PROFILE);
        setting.ours(&met, &mut rng);
        rows[2].measure(|| setting.ours(&met, &mut rng));
        rows[3].measure(|| setting.ours(&warm, &mut rng));
        rows[4].measure(|| floor.packet_and_header());
        rows[5].measure(|| setting.their_packet());
        rows[6].measure(|| setting.our_packet(&warm, &mut rng));
        rows[7].measure(|| setting.their_header());
        rows[8].measure(|| setting.our_header(&warm, &mut rng));
        rows[9].measure(|| setting.their_reply_block());
        rows[10].measure(|| setting.our_reply_block(&warm, &mut rng));
        rows[11].measure(|| setting.their_reply(&their_block));
        rows[12].measure(|| setting.our_reply(&warm, &our_block));
    }
    println!("{HOPS} hops, payload of {} bytes; medians, p10 to p90, µs", PROFILE.payload_bytes);
    let mut theirs = 0.0;
    for row in &mut rows {
        if !row.name.starts_with(' ') {
            theirs = row.quantile(0.5);
        }
        row.print(theirs);
    }

    let mut steps = [
        Row::new("one multiplication: X25519 ladder"),
        Row::new("  of a point"),
        Row::new("  with a table"),
        Row::new("making a table"),
    ];
    let key = *setting.route.hops[0].key.as_bytes();
    let (table, scalar) = (&floor.tables[0], floor.scalar);
    let point = table.basepoint();
    for _ in 0..ROUNDS {
        steps[0].measure(|| x25519(scalar.to_bytes(), black_box(key)));
        steps[1].measure(|| (black_box(point) * scalar).to_montgomery());
        steps[2].measure(|| (&**table * black_box(&scalar)).to_montgomery());
        steps[3].measure(|| EdwardsBasepointTable::create(black_box(&point)));
    }
    let ladder = steps[0].quantile(0.5);
    for step in &mut steps {
        step.print(ladder);
    }
    println!("a table has {} bytes", size_of::<EdwardsBasepointTable>());
}

/// Measurements of one thing, in microseconds each.
struct Row {
    name: &'static str,
    micros: Vec<f64>,
}

impl Row {
    fn new(name: &'static str) -> Self {
        Self { name, micros: Vec::new() }
    }

    fn measure<T>(&mut self, call: impl FnOnce() -> T) {
        let start = Instant::now();
        let result = black_box(call());
        self.micros.push(start.elapsed().as_secs_f64() * 1e6);
        drop(result);
    }

    fn quantile(&mut self, part: f64) -> f64 {
        self.micros.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a thousand values"
        )]
        let index = ((self.micros.len() - 1) as f64 * part).round() as usize;
        self.micros[index]
    }

    fn print(&mut self, reference: f64) {
        let [low, median, high] = [0.1, 0.5, 0.9].map(|part| self.quantile(part));
        let name = self.name;
        println!("{name:<47}{median:>8.1} ({low:.1} to {high:.1}){:>8.3}", median / reference);
    }
}

/// One route for all.
struct Setting {
    route: Route,
    nodes: Vec<Node>,
    delays: Vec<Delay>,
    plaintext: Vec<u8>,
}

const DESTINATION: [u8; 32] = [1; 32];
const IDENTIFIER: [u8; 16] = [2; 16];

impl Setting {
    fn new(rng: &mut StdRng) -> Self {
        let hop = |_| Hop {
            address: NodeAddress(SocketAddr::from(([127, 0, 0, 1], 1789))),
            key: PrivateKey::random(rng).public(),
            delay: Duration::from_millis(10),
        };
        let hops: Vec<Hop> = (0..HOPS).map(hop).collect();
        let node = |hop: &Hop| {
            let address = NodeAddressBytes::from_bytes(hop.address.encode());
            Node::new(address, x25519_dalek::PublicKey::from(*hop.key.as_bytes()))
        };
        let mut plaintext = vec![0; PROFILE.plaintext_bytes()];
        rng.fill_bytes(&mut plaintext);
        Self {
            nodes: hops.iter().map(node).collect(),
            delays: vec![Delay::new_from_millis(10); HOPS],
            route: Route { hops },
            plaintext,
        }
    }

    fn theirs(&self, payload_bytes: usize, plaintext: &[u8]) -> sphinx_packet::SphinxPacket {
        let destination = DestinationAddressBytes::from_bytes(DESTINATION);
        SphinxPacketBuilder::new()
            .with_payload_size(payload_bytes)
            .build_packet(
                plaintext,
                &self.nodes,
                &Destination::new(destination, IDENTIFIER),
                &self.delays,
            )
            .expect("a good route")
    }

    fn their_packet(&self) -> Vec<u8> {
        self.theirs(PROFILE.payload_bytes, &self.plaintext).to_bytes()
    }

    fn their_header(&self) -> Vec<u8> {
        self.theirs(THROW_AWAY_BYTES, &[]).header.to_bytes()
    }

    fn our_packet(&self, builder: &PacketBuilder, rng: &mut StdRng) -> Vec<u8> {
        let to = PublicKey::from_bytes(DESTINATION);
        builder.build_packet(rng, &self.route, &to, &IDENTIFIER, &self.plaintext).expect("good")
    }

    fn our_header(&self, builder: &PacketBuilder, rng: &mut StdRng) -> [u8; 348] {
        let to = PublicKey::from_bytes(DESTINATION);
        builder.build_header(rng, &self.route, &to, &IDENTIFIER).expect("good")
    }

    /// With a seed for each hop, as ours has.
    fn their_reply_block(&self) -> Vec<u8> {
        let destination = DestinationAddressBytes::from_bytes(DESTINATION);
        let destination = Destination::new(destination, IDENTIFIER);
        let (nodes, delays) = (self.nodes.clone(), self.delays.clone());
        SURBMaterial::new(nodes, delays, destination, PAYLOAD_KEYS_SEEDS_VERSION)
            .construct_SURB()
            .expect("a good route")
            .to_bytes()
    }

    fn their_reply(&self, block: &[u8]) -> Vec<u8> {
        SURB::from_bytes(block)
            .and_then(|block| block.use_surb(&self.plaintext, PROFILE.payload_bytes))
            .expect("a good block")
            .0
            .to_bytes()
    }

    fn our_reply_block(&self, builder: &PacketBuilder, rng: &mut StdRng) -> Vec<u8> {
        let to = PublicKey::from_bytes(DESTINATION);
        let block = builder.build_reply_block(rng, &self.route, &to, &IDENTIFIER, to);
        block.expect("good").encode()
    }

    fn our_reply(&self, builder: &PacketBuilder, block: &[u8]) -> Vec<u8> {
        let block = ReplyBlock::decode(block).expect("own bytes");
        builder.build_reply(&block, &self.plaintext).expect("it fits")
    }

    fn ours(&self, builder: &PacketBuilder, rng: &mut StdRng) -> (Vec<u8>, [u8; 348]) {
        (self.our_packet(builder, rng), self.our_header(builder, rng))
    }
}

/// What cannot be saved with tables: per header one multiplication of the base point; per hop one
/// with a table, the derivation of keys, the stream, the MAC; per packet and hop the payload.
struct Floor {
    tables: Vec<Box<EdwardsBasepointTable>>,
    scalar: Scalar,
}

impl Floor {
    fn new(setting: &Setting) -> Self {
        let table = |hop: &Hop| {
            let point = MontgomeryPoint(*hop.key.as_bytes()).to_edwards(0).expect("a node's key");
            Box::new(EdwardsBasepointTable::create(&point))
        };
        let tables = setting.route.hops.iter().map(table).collect();
        Self { tables, scalar: Scalar::from_bytes_mod_order([0x5a; 32]) }
    }

    fn packet_and_header(&self) -> Vec<u8> {
        let mut packet = vec![0; PROFILE.packet_bytes()];
        for key in self.header(&mut packet) {
            let mut payload_key = [0; 192];
            expand(&key[32..48], &mut payload_key);
            let cipher = Lioness::<ChaCha20, Blake2bMac<U32>>::new(&payload_key.into());
            cipher.encrypt_block(&mut packet[348..]).expect("long enough");
        }
        self.header(&mut [0; 348]);
        packet
    }

    fn header(&self, header: &mut [u8]) -> [[u8; 288]; HOPS] {
        let scalar = black_box(&self.scalar);
        header[..32].copy_from_slice(&EdwardsPoint::mul_base(scalar).to_montgomery().to_bytes());
        let mut all_keys = [[0; 288]; HOPS];
        for (table, keys) in self.tables.iter().zip(&mut all_keys) {
            let shared = (&**table * scalar).to_montgomery();
            expand(shared.as_bytes(), keys);
            let (stream_key, rest) = keys.split_first_chunk::<16>().expect("288 bytes");
            let mut stream = [0; 360];
            Ctr64BE::<Aes128>::new(stream_key.into(), &[0; 16].into()).apply_keystream(&mut stream);
            for (byte, hidden) in header[48..348].iter_mut().zip(stream) {
                *byte ^= hidden;
            }
            let mut mac = Hmac::<Sha256>::new_from_slice(&rest[..16]).expect("any length");
            mac.update(&header[48..348]);
            header[32..48].copy_from_slice(&mac.finalize().into_bytes()[..16]);
        }
        all_keys
    }
}

/// With an information string as long as Sphinx's.
fn expand(secret: &[u8], keys: &mut [u8]) {
    Hkdf::<Sha256>::new(None, secret).expand(&[0; 97], keys).expect("few bytes");
}
