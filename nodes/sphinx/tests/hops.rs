//! The hop processor against the crate `sphinx-packet`: same packets in, same bytes out.
//!
//! Everything is asked of both arithmetics, the one that works everywhere and the fastest of this
//! machine.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aes::Aes128;
use ctr::Ctr64BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::Sha256;
use sphinx::{BATCH, HopProcessor, MAX_HOPS, PrivateKey, ReplayTag, UnwrapError, Unwrapped};
use sphinx_packet::constants::EXPANDED_SHARED_SECRET_HKDF_INFO;
use sphinx_packet::header::delays::Delay;
use sphinx_packet::route::{Destination, DestinationAddressBytes, Node, NodeAddressBytes};
use sphinx_packet::version::Version;
use sphinx_packet::{ProcessedPacketData, SphinxPacket, SphinxPacketBuilder};
use wire::{HEADER_BYTES, NodeAddress, PublicKey, WireProfile};
use x25519_dalek::StaticSecret;

/// Bytes of payload where their number does not matter.
const PAYLOAD_BYTES: usize = 256;

fn profile(payload_bytes: usize) -> WireProfile {
    WireProfile { flag: 4, payload_bytes }
}

/// Both processors with this key.
fn processors(key: &PrivateKey, payload_bytes: usize) -> [HopProcessor; 2] {
    let profile = profile(payload_bytes);
    [HopProcessor::new(key.clone(), profile), HopProcessor::portable(key.clone(), profile)]
}

/// What ours makes of a packet: what it finds, and the packet to send or the payload.
fn ours(
    processor: &HopProcessor,
    packet: &[u8],
    is_new: impl FnMut(ReplayTag) -> bool,
) -> Result<(Unwrapped, Vec<u8>), UnwrapError> {
    let mut bytes = packet.to_vec();
    match processor.unwrap(&mut bytes, is_new) {
        Ok(unwrapped) => Ok((unwrapped, result_bytes(unwrapped, &bytes))),
        Err(error) => {
            assert_eq!(bytes, packet, "what is refused stays as it was: {error}");
            Err(error)
        }
    }
}

fn result_bytes(unwrapped: Unwrapped, packet: &[u8]) -> Vec<u8> {
    match unwrapped {
        Unwrapped::Forward { .. } => packet.to_vec(),
        Unwrapped::Final { .. } => packet[HEADER_BYTES..].to_vec(),
    }
}

/// What the crate makes of it.
fn theirs(key: &PrivateKey, packet: &[u8]) -> Result<(Unwrapped, Vec<u8>), sphinx_packet::Error> {
    let processed =
        SphinxPacket::from_bytes(packet)?.process(&StaticSecret::from(key.to_bytes()))?;
    Ok(match processed.data {
        ProcessedPacketData::ForwardHop { next_hop_packet, next_hop_address, delay } => {
            let next = NodeAddress::decode(next_hop_address.as_bytes()).expect("an address");
            let delay = Duration::from_nanos(delay.to_nanos());
            (Unwrapped::Forward { next, delay }, next_hop_packet.to_bytes())
        }
        ProcessedPacketData::FinalHop { destination, identifier, payload } => {
            let destination = PublicKey::from_bytes(destination.as_bytes());
            (Unwrapped::Final { destination, identifier }, payload.into_bytes())
        }
    })
}

/// A packet that the crate built, and the keys of the hops that it passes.
struct Built {
    packet: Vec<u8>,
    keys: Vec<PrivateKey>,
}

/// A packet over hops with these addresses and delays.
fn build(
    rng: &mut StdRng,
    version: u16,
    payload_bytes: usize,
    hops: &[(NodeAddressBytes, u64)],
    (destination, identifier): ([u8; 32], [u8; 16]),
    plaintext: &[u8],
) -> Built {
    let keys: Vec<PrivateKey> = hops.iter().map(|_| PrivateKey::random(rng)).collect();
    let node = |((address, _), key): (&(NodeAddressBytes, u64), &PrivateKey)| {
        Node::new(*address, x25519_dalek::PublicKey::from(*key.public().as_bytes()))
    };
    let nodes: Vec<Node> = hops.iter().zip(&keys).map(node).collect();
    let delays: Vec<Delay> = hops.iter().map(|hop| Delay::new_from_nanos(hop.1)).collect();
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    let packet = SphinxPacketBuilder::new()
        .with_version(Version::new(version))
        .with_payload_size(payload_bytes)
        .with_initial_secret(&StaticSecret::from(secret))
        .build_packet(
            plaintext,
            &nodes,
            &Destination::new(DestinationAddressBytes::from_bytes(destination), identifier),
            &delays,
        )
        .expect("a good route");
    Built { packet: packet.to_bytes(), keys }
}

/// A packet over so many hops, where only its kind matters.
fn simple(rng: &mut StdRng, hops: usize) -> Built {
    let address = NodeAddress(SocketAddr::from(([127, 0, 0, 1], 1789)));
    let hop = (NodeAddressBytes::from_bytes(address.encode()), 1_000_000);
    build(rng, 260, PAYLOAD_BYTES, &vec![hop; hops], ([1; 32], [2; 16]), b"hello")
}

fn address() -> impl Strategy<Value = NodeAddressBytes> {
    let v4 = any::<[u8; 4]>().prop_map(IpAddr::from);
    let v6 = any::<[u8; 16]>().prop_map(IpAddr::from);
    (prop_oneof![v4, v6], any::<u16>()).prop_map(|(ip, port)| {
        NodeAddressBytes::from_bytes(NodeAddress(SocketAddr::new(ip, port)).encode())
    })
}

fn delay() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), any::<u64>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_hop_does_with_a_packet_what_the_crate_does(
        seed: u64,
        version in 258..=260_u16,
        payload_bytes in prop_oneof![Just(1024), Just(2048), 33..3000_usize],
        hops in prop::collection::vec((address(), delay()), 1..=MAX_HOPS),
        destination: [u8; 32],
        identifier: [u8; 16],
        plaintext in prop::collection::vec(any::<u8>(), 0..=1007),
    ) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let plaintext = &plaintext[..plaintext.len().min(payload_bytes - 17)];
        let found = (destination, identifier);
        let built = build(rng, version, payload_bytes, &hops, found, plaintext);
        let mut packet = built.packet;
        for (i, key) in built.keys.iter().enumerate() {
            let expected = theirs(key, &packet).expect("its own packet");
            for processor in processors(key, payload_bytes) {
                let unwrapped = ours(&processor, &packet, |_| true);
                prop_assert_eq!(&unwrapped, &Ok(expected.clone()), "{:?} hop {}", processor, i);
            }
            match expected.0 {
                Unwrapped::Forward { next, delay } => {
                    prop_assert_eq!(&next.encode::<32>(), hops[i + 1].0.as_bytes());
                    prop_assert_eq!(delay, Duration::from_nanos(hops[i].1));
                    packet = expected.1;
                }
                Unwrapped::Final { destination: to, identifier: id } => {
                    prop_assert_eq!(i, hops.len() - 1);
                    prop_assert_eq!((*to.as_bytes(), id), (destination, identifier));
                    prop_assert_eq!(sphinx::recover_plaintext(&expected.1), Some(plaintext));
                }
            }
        }
    }

    #[test]
    fn a_tampered_payload_becomes_the_same_noise(seed: u64, at in 0..PAYLOAD_BYTES, flip in 1..=255_u8) {
        let rng = &mut StdRng::seed_from_u64(seed);
        for hops in [1, 2] {
            let mut built = simple(rng, hops);
            built.packet[HEADER_BYTES + at] ^= flip;
            let expected = theirs(&built.keys[0], &built.packet).expect("its header is genuine");
            for processor in processors(&built.keys[0], PAYLOAD_BYTES) {
                let unwrapped = ours(&processor, &built.packet, |_| true);
                prop_assert_eq!(unwrapped.expect("its header is genuine"), expected.clone());
            }
        }
    }
}

#[test]
fn every_byte_of_a_header_is_guarded() {
    let rng = &mut StdRng::seed_from_u64(1);
    let Built { packet, keys } = simple(rng, 2);
    let asked = |_| panic!("the tag of a header that is not genuine");
    for processor in processors(&keys[0], PAYLOAD_BYTES) {
        for at in 0..HEADER_BYTES {
            let mut tampered = packet.clone();
            // Not the topmost bit of the point, which the curve does not look at.
            tampered[at] ^= 1 << (rng.next_u32() % 7);
            assert!(theirs(&keys[0], &tampered).is_err(), "byte {at}");
            assert_eq!(ours(&processor, &tampered, asked), Err(UnwrapError::Mac), "byte {at}");
        }
    }
    for processor in processors(&keys[1], PAYLOAD_BYTES) {
        assert_eq!(ours(&processor, &packet, asked), Err(UnwrapError::Mac), "for another key");
    }
}

#[test]
fn packets_of_another_length_are_refused() {
    let Built { packet, keys } = simple(&mut StdRng::seed_from_u64(2), 1);
    for processor in processors(&keys[0], PAYLOAD_BYTES) {
        let longer = [&packet[..], &[0]].concat();
        for bytes in [&longer[..], &packet[..packet.len() - 1], &packet[..20], &[]] {
            let refused = ours(&processor, bytes, |_| panic!("nothing to remember"));
            assert_eq!(refused, Err(UnwrapError::Length(bytes.len())));
        }
    }
}

/// The crate knows no unknown version: the payload's key comes out of a seed for all but 1, 257 and
/// 258. Packets that really are of those first versions die at the second hop, for the crate's scalars
/// are not theirs. Ours refuses what it would have to guess.
#[test]
fn unknown_versions_are_refused_where_the_crate_guesses() {
    let rng = &mut StdRng::seed_from_u64(3);
    let address = NodeAddress(SocketAddr::from(([127, 0, 0, 1], 1789)));
    let hops = [(NodeAddressBytes::from_bytes(address.encode()), 5); 2];
    for version in [0, 1, 256, 257, 261, 512, u16::MAX] {
        let built = build(rng, version, PAYLOAD_BYTES, &hops, ([1; 32], [2; 16]), b"hello");
        assert!(theirs(&built.keys[0], &built.packet).is_ok(), "version {version}");
        for processor in processors(&built.keys[0], PAYLOAD_BYTES) {
            let refused = ours(&processor, &built.packet, |_| true);
            assert_eq!(refused, Err(UnwrapError::Version(version.into())));
        }
    }
}

/// A one-hop packet with this point, and the keys that come out of the point that is shared, and this
/// routing information. Written out here once more, from the description of the format.
fn forge(point: [u8; 32], shared: [u8; 32], slot: &[u8]) -> Vec<u8> {
    let mut keys = [0; 32];
    Hkdf::<Sha256>::new(Some(b""), &shared)
        .expand(EXPANDED_SHARED_SECRET_HKDF_INFO, &mut keys)
        .expect("32 bytes");
    let mut routing = [0; 300];
    routing[..slot.len()].copy_from_slice(slot);
    Ctr64BE::<Aes128>::new_from_slices(&keys[..16], &[0; 16])
        .expect("16 bytes each")
        .apply_keystream(&mut routing);
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&keys[16..]).expect("any length");
    mac.update(&routing);
    let mac = mac.finalize().into_bytes();
    [&point[..], &mac[..16], &routing, &[0x5a; PAYLOAD_BYTES]].concat()
}

/// A forward hop's routing information: to 10.0.0.1, port 2.
fn forward_slot() -> [u8; 60] {
    let mut slot = [7; 60];
    slot[..4].copy_from_slice(&[1, 0, 1, 4]);
    let address: [u8; 32] = NodeAddress(SocketAddr::from(([10, 0, 0, 1], 2))).encode();
    slot[4..36].copy_from_slice(&address);
    slot
}

#[test]
fn points_that_nobody_sends_are_left_to_the_mac_as_in_the_crate() {
    let key = PrivateKey::random(&mut StdRng::seed_from_u64(4));
    let number = |low: u8, rest: u8, high: u8| {
        let mut bytes = [rest; 32];
        bytes[0] = low;
        bytes[31] = high;
        bytes
    };
    // With 9, the base point, everybody shares the node's public key. Adding p, 2^255 - 19, or the
    // topmost bit names the same point.
    let public = *key.public().as_bytes();
    let base = [number(9, 0, 0), number(0xf6, 0xff, 0x7f), number(9, 0, 0x80)];
    // With a point of low order everybody shares zero: 0, 1, p - 1, p and p + 1 are such points.
    let low_order =
        [(0, 0, 0), (1, 0, 0), (0xec, 0xff, 0x7f), (0xed, 0xff, 0x7f), (0xee, 0xff, 0x7f)];
    let low_order = low_order.map(|(low, rest, high)| (number(low, rest, high), [0; 32]));
    for (point, shared) in base.map(|point| (point, public)).into_iter().chain(low_order) {
        let forged = forge(point, shared, &forward_slot());
        let expected = theirs(&key, &forged).expect("a genuine MAC");
        let wrong = forge(point, [1; 32], &forward_slot());
        assert!(theirs(&key, &wrong).is_err(), "a wrong MAC");
        for processor in processors(&key, PAYLOAD_BYTES) {
            assert_eq!(ours(&processor, &forged, |_| true), Ok(expected.clone()), "{point:02x?}");
            assert_eq!(ours(&processor, &wrong, |_| true), Err(UnwrapError::Mac));
        }
    }
}

#[test]
fn genuine_headers_that_make_no_sense_are_refused() {
    let key = PrivateKey::random(&mut StdRng::seed_from_u64(5));
    let mut base = [0; 32];
    base[0] = 9;
    let changed = |at: usize, to: u8| {
        let mut slot = forward_slot();
        slot[at] = to;
        forge(base, *key.public().as_bytes(), &slot)
    };
    let cases = [
        (changed(0, 0), UnwrapError::Malformed),
        (changed(0, 3), UnwrapError::Malformed),
        // The crate hands an address out as bytes; ours wants one that can be dialled.
        (changed(4, 5), UnwrapError::Malformed),
        (changed(35, 1), UnwrapError::Malformed),
        (changed(1, 1), UnwrapError::Version(0x01_01_04)),
    ];
    for processor in processors(&key, PAYLOAD_BYTES) {
        assert!(ours(&processor, &changed(0, 1), |_| true).is_ok());
        for (packet, error) in &cases {
            assert_eq!(ours(&processor, packet, |_| true), Err(*error));
        }
    }
}

#[test]
fn a_packet_passes_once() {
    let Built { packet, keys } = simple(&mut StdRng::seed_from_u64(6), 2);
    for processor in processors(&keys[0], PAYLOAD_BYTES) {
        let mut seen = HashSet::new();
        assert!(ours(&processor, &packet, |tag| seen.insert(tag)).is_ok());
        let mut other_payload = packet.clone();
        other_payload[HEADER_BYTES] ^= 1;
        for replay in [&packet, &other_payload] {
            let second = ours(&processor, replay, |tag| seen.insert(tag));
            assert_eq!(second, Err(UnwrapError::Replay));
        }
    }
}

/// The kinds of packets in a batch.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Forward,
    Final,
    Tampered,
    ForAnother,
    Short,
    Replay,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn in_a_batch_each_packet_fares_as_alone(
        seed: u64,
        kinds in prop::collection::vec(
            prop::sample::select(vec![
                Kind::Forward, Kind::Final, Kind::Tampered, Kind::ForAnother, Kind::Short, Kind::Replay,
            ]),
            0..=2 * BATCH + 1,
        ),
    ) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let key = PrivateKey::random(rng);
        let public = *key.public().as_bytes();
        let mut last_good = None;
        let mut packets = Vec::new();
        let mut expected = Vec::new();
        for (i, kind) in (0..).zip(&kinds) {
            // Each packet has a point of its own, hence a tag of its own.
            let mut ephemeral = [0; 32];
            rng.fill_bytes(&mut ephemeral);
            let ephemeral = StaticSecret::from(ephemeral);
            let point = x25519_dalek::PublicKey::from(&ephemeral).to_bytes();
            let shared = ephemeral.diffie_hellman(&public.into()).to_bytes();
            let mut slot = forward_slot();
            slot[6] = i;
            if matches!(kind, Kind::Final) {
                slot[0] = 2;
            }
            let mut packet = forge(point, shared, &slot);
            expected.push(match kind {
                Kind::Forward | Kind::Final => {
                    last_good = Some(packet.clone());
                    Ok(theirs(&key, &packet).expect("a genuine packet"))
                }
                Kind::Tampered => {
                    packet[40] ^= 1;
                    Err(UnwrapError::Mac)
                }
                Kind::ForAnother => {
                    packet = forge(point, point, &slot);
                    Err(UnwrapError::Mac)
                }
                Kind::Short => {
                    packet.pop();
                    Err(UnwrapError::Length(packet.len()))
                }
                Kind::Replay => {
                    if let Some(good) = &last_good {
                        packet.clone_from(good);
                        Err(UnwrapError::Replay)
                    } else {
                        last_good = Some(packet.clone());
                        Ok(theirs(&key, &packet).expect("a genuine packet"))
                    }
                }
            });
            packets.push(packet);
        }
        for processor in processors(&key, PAYLOAD_BYTES) {
            let mut after = packets.clone();
            let mut slices: Vec<&mut [u8]> = after.iter_mut().map(Vec::as_mut_slice).collect();
            let mut seen = HashSet::new();
            let mut outcomes = Vec::new();
            processor.unwrap_batch(
                &mut slices,
                |tag| seen.insert(tag),
                |index, outcome| {
                    assert_eq!(index, outcomes.len(), "in order, each once");
                    outcomes.push(outcome);
                },
            );
            prop_assert_eq!(outcomes.len(), packets.len());
            for (i, outcome) in outcomes.into_iter().enumerate() {
                let found = outcome.map(|unwrapped| (unwrapped, result_bytes(unwrapped, &after[i])));
                prop_assert_eq!(&found, &expected[i], "packet {} of {:?}", i, kinds);
                if found.is_err() {
                    prop_assert_eq!(&after[i], &packets[i], "what is refused stays as it was");
                }
            }
        }
    }
}
