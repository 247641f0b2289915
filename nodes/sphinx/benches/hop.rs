//! What it costs to take one layer off a packet, beside the crate `sphinx-packet` and beside the
//! multiplications alone.
//!
//! Each contender takes the bytes of packets and has the bytes to send, or the payload, in the end;
//! each asks a full replay set of its own for every packet. Packets were made beforehand.
//!
//! `cargo bench -p sphinx --bench hop --profile dist`

use std::hint::black_box;
use std::time::Instant;

use contract::Time;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sphinx::{
    BATCH, HopProcessor, MIN_REMEMBERED, PrivateKey, ReplaySet, ReplayTag, UnwrapError, Unwrapped,
};
use sphinx_packet::header::delays::Delay;
use sphinx_packet::route::{Destination, DestinationAddressBytes, Node, NodeAddressBytes};
use sphinx_packet::{ProcessedPacketData, SphinxPacket, SphinxPacketBuilder};
use wire::{NodeAddress, WireProfile};
use x25519_dalek::{StaticSecret, x25519};

/// Enough for medians that stay where they are, also beside other programs: a turn is one batch,
/// too short for most to be interrupted.
const ROUNDS: usize = 1001;

/// Batches that take turns: few enough to stay in the cache, as packets do that were just received.
const BATCHES: usize = 8;

/// Packets at once.
const FILLS: [usize; 4] = [1, 2, 4, BATCH];

fn main() {
    let mut rng = StdRng::seed_from_u64(1);
    for payload_bytes in [1024, 2048] {
        for hops in [2, 1] {
            compare(&mut rng, payload_bytes, hops);
        }
    }
}

/// All contenders on packets with so many hops to go.
fn compare(rng: &mut StdRng, payload_bytes: usize, hops: usize) {
    let key = PrivateKey::random(rng);
    let mut batch = || (0..BATCH).map(|_| packet(rng, &key, payload_bytes, hops)).collect();
    let batches: [Vec<Vec<u8>>; BATCHES] = std::array::from_fn(|_| batch());
    let profile = WireProfile { payload_bytes, ..WireProfile::CURRENT };
    let (fastest, portable) =
        (HopProcessor::new(key.clone(), profile), HopProcessor::portable(key.clone(), profile));
    let secret = StaticSecret::from(key.to_bytes());

    let mut crates = Contender::new(rng, "sphinx-packet 0.8".to_owned());
    let mut floor = Contender::new(rng, format!("floor: {hops} × x25519-dalek alone"));
    let mut ours: Vec<(&HopProcessor, usize, Contender)> = Vec::new();
    for fill in FILLS {
        let name = format!("ours, {}, {fill} at once", fastest.arithmetic());
        ours.push((&fastest, fill, Contender::new(rng, name)));
    }
    if fastest.arithmetic() == portable.arithmetic() {
        println!("this processor has nothing faster than the portable arithmetic");
    } else {
        let name = format!("ours, {}", portable.arithmetic());
        ours.push((&portable, BATCH, Contender::new(rng, name)));
    }
    // Turn by turn, so that a machine that gets slower does so for all.
    for packets in batches.iter().cycle().take(ROUNDS) {
        crates.measure(|replays| {
            for packet in packets {
                black_box(theirs(&secret, packet, replays));
            }
        });
        floor.measure(|_| {
            for packet in packets {
                let mut point = *packet.first_chunk().expect("a point");
                for _ in 0..hops {
                    point = x25519(secret.to_bytes(), black_box(point));
                }
                black_box(point);
            }
        });
        for (processor, fill, contender) in &mut ours {
            contender.measure(|replays| {
                // The one copy that is not the processor's; the crate makes it too.
                let mut copies = packets.clone();
                for batch in copies.chunks_mut(*fill) {
                    unwrap(processor, batch, replays);
                }
                black_box(copies);
            });
        }
    }

    let kind = if hops == 1 { "final" } else { "forward" };
    println!("\n{kind} hop, payload of {payload_bytes} bytes; ns per packet: median (p10 to p90)");
    let reference = crates.quantile(0.5);
    crates.print(reference);
    floor.print(reference);
    for (.., contender) in &mut ours {
        contender.print(reference);
    }
}

/// A packet whose first hop has this key.
fn packet(rng: &mut StdRng, key: &PrivateKey, payload_bytes: usize, hops: usize) -> Vec<u8> {
    let address = NodeAddress(([127, 0, 0, 1], 1789).into());
    let node = Node::new(
        NodeAddressBytes::from_bytes(address.encode()),
        (*key.public().as_bytes()).into(),
    );
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    SphinxPacketBuilder::new()
        .with_payload_size(payload_bytes)
        .with_initial_secret(&StaticSecret::from(secret))
        .build_packet(
            b"hello",
            &vec![node; hops],
            &Destination::new(DestinationAddressBytes::from_bytes([1; 32]), [2; 16]),
            &vec![Delay::new_from_millis(10); hops],
        )
        .expect("a good route")
        .to_bytes()
}

/// The crate in two steps, as a node has to do it that checks for replays.
fn theirs(secret: &StaticSecret, packet: &[u8], replays: &mut Replays) -> Vec<u8> {
    let packet = SphinxPacket::from_bytes(packet).expect("a packet");
    let keys = packet.header.compute_expanded_shared_secret(secret);
    packet.header.ensure_header_integrity(&keys).expect("a genuine header");
    assert!(replays.is_new(ReplayTag(*keys.replay_tag().first_chunk().expect("32 bytes"))));
    // This checks the MAC once more, which takes 0.3 µs; the crate offers nothing else.
    match packet.process_with_expanded_secret(&keys).expect("a genuine packet").data {
        ProcessedPacketData::ForwardHop { next_hop_packet, .. } => next_hop_packet.to_bytes(),
        ProcessedPacketData::FinalHop { payload, .. } => payload.into_bytes(),
    }
}

fn unwrap(processor: &HopProcessor, batch: &mut [Vec<u8>], replays: &mut Replays) {
    let check = |outcome: Result<Unwrapped, UnwrapError>| {
        black_box(outcome.expect("a genuine packet"));
    };
    // As many slices as there are packets; the list itself costs nothing.
    let count = batch.len();
    let mut slices: [&mut [u8]; BATCH] = std::array::from_fn(|_| &mut [][..]);
    for (slice, packet) in slices.iter_mut().zip(batch) {
        *slice = packet;
    }
    processor.unwrap_batch(&mut slices[..count], |tag| replays.is_new(tag), |_, out| check(out));
}

/// A replay set in its steady state, for packets that come again and again.
struct Replays {
    set: ReplaySet,
    round: u64,
}

impl Replays {
    fn new(rng: &mut StdRng) -> Self {
        let mut set = ReplaySet::new(Time::default());
        for _ in 0..MIN_REMEMBERED * 3 / 2 {
            let mut tag = [0; 16];
            rng.fill_bytes(&mut tag);
            set.insert(Time::default(), ReplayTag(tag));
        }
        Self { set, round: 0 }
    }

    /// Another round's tag of the same packet is another tag.
    fn is_new(&mut self, mut tag: ReplayTag) -> bool {
        for (byte, round) in tag.0.iter_mut().zip(self.round.to_le_bytes()) {
            *byte ^= round;
        }
        self.set.insert(Time::default(), tag)
    }
}

/// One way to do it, and how long it took in each turn.
struct Contender {
    name: String,
    replays: Replays,
    nanos: Vec<f64>,
}

impl Contender {
    fn new(rng: &mut StdRng, name: String) -> Self {
        Self { name, replays: Replays::new(rng), nanos: Vec::new() }
    }

    fn measure(&mut self, turn: impl FnOnce(&mut Replays)) {
        self.replays.round += 1;
        let start = Instant::now();
        turn(&mut self.replays);
        let packets = f64::from(u32::try_from(BATCH).expect("few"));
        self.nanos.push(start.elapsed().as_secs_f64() * 1e9 / packets);
    }

    fn quantile(&mut self, part: f64) -> f64 {
        self.nanos.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a thousand values"
        )]
        let index = ((self.nanos.len() - 1) as f64 * part).round() as usize;
        self.nanos[index]
    }

    fn print(&mut self, reference: f64) {
        let [low, median, high] = [0.1, 0.5, 0.9].map(|part| self.quantile(part));
        println!(
            "{:<34}{median:>8.0} ({low:.0} to {high:.0}) {:>9.0} per second and core {:>7.2} × the crate",
            self.name,
            1e9 / median,
            reference / median,
        );
    }
}
