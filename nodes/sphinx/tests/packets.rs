//! Packets over whole routes, acknowledgements, tampering and sealing.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sphinx::{
    Hop, HopProcessor, MAX_HOPS, PacketBuilder, PrivateKey, Route, SealError, UnwrapError,
    Unwrapped, ack_packet, build_packet, open, recover_plaintext, seal,
};
use wire::{HEADER_BYTES, NodeAddress, PublicKey, WireProfile};

const PROFILE: WireProfile = WireProfile::CURRENT;

/// A route of so many hops and the processors along it. Hop `i` has port `1000 + i` and delay `i` ms.
fn route(rng: &mut StdRng, hops: u16) -> (Route, Vec<HopProcessor>) {
    let keys: Vec<PrivateKey> = (0..hops).map(|_| PrivateKey::random(rng)).collect();
    let hop = |(i, key): (u16, &PrivateKey)| Hop {
        address: NodeAddress(SocketAddr::from(([127, 0, 0, 1], 1000 + i))),
        key: key.public(),
        delay: Duration::from_millis(i.into()),
    };
    let route = Route { hops: (0..).zip(&keys).map(hop).collect() };
    (route, keys.into_iter().map(|key| HopProcessor::new(key, PROFILE)).collect())
}

/// Takes the packet along the hops; returns what the last one finds and the payload there.
fn travel(mut packet: Vec<u8>, processors: &[HopProcessor]) -> (Unwrapped, Vec<u8>) {
    for (i, processor) in (0..).zip(processors) {
        let before = packet.clone();
        match processor.unwrap(&mut packet, |_| true).expect("own packet") {
            Unwrapped::Forward { next, delay } => {
                assert_eq!(next.0.port(), 1001 + i);
                assert_eq!(delay, Duration::from_millis(i.into()));
                assert_ne!(packet, before);
            }
            found @ Unwrapped::Final { .. } => return (found, packet.split_off(HEADER_BYTES)),
        }
    }
    panic!("the packet did not end at the last hop");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_packet_arrives_over_any_route(
        seed: u64,
        hops in 1..=u16::try_from(MAX_HOPS).expect("five"),
        plaintext in prop::collection::vec(any::<u8>(), 0..=PROFILE.plaintext_bytes()),
        destination: [u8; 32],
        identifier: [u8; 16],
    ) {
        let mut rng = StdRng::seed_from_u64(seed);
        let (route, processors) = route(&mut rng, hops);
        let destination = PublicKey::from_bytes(destination);
        let packet = build_packet(&mut rng, PROFILE, &route, &destination, &identifier, &plaintext)
            .expect("a good route");
        prop_assert_eq!(packet.len(), PROFILE.packet_bytes());
        let (found, payload) = travel(packet, &processors);
        prop_assert_eq!(found, Unwrapped::Final { destination, identifier });
        prop_assert_eq!(recover_plaintext(&payload), Some(&plaintext[..]));
    }

    #[test]
    fn any_bytes_are_refused(seed: u64, mut packet in prop::collection::vec(any::<u8>(), 64)) {
        let mut rng = StdRng::seed_from_u64(seed);
        let (_, processors) = route(&mut rng, 1);
        let refused = processors[0].unwrap(&mut packet, |_| true);
        prop_assert_eq!(refused, Err(UnwrapError::Length(64)));
        packet.resize(PROFILE.packet_bytes(), 0x5a);
        prop_assert_eq!(processors[0].unwrap(&mut packet, |_| true), Err(UnwrapError::Mac));
    }
}

#[test]
fn an_acknowledgement_travels_like_any_packet_and_carries_its_identifier() {
    let mut rng = StdRng::seed_from_u64(1);
    let (route, processors) = route(&mut rng, 4);
    let sender = PublicKey::from_bytes([7; 32]);
    let builder = PacketBuilder::new(PROFILE);
    let header = builder.build_header(&mut rng, &route, &sender, &[9; 16]).expect("a good route");
    let packet = ack_packet(&mut rng, PROFILE, &header);
    assert_eq!(packet.len(), PROFILE.packet_bytes());
    let (found, payload) = travel(packet, &processors);
    assert_eq!(found, Unwrapped::Final { destination: sender, identifier: [9; 16] });
    assert_eq!(recover_plaintext(&payload), None, "its payload is noise");
}

#[test]
fn a_flipped_bit_in_the_header_dies_at_the_next_hop_and_in_the_payload_at_the_end() {
    let mut rng = StdRng::seed_from_u64(2);
    let (route, processors) = route(&mut rng, 3);
    let to = PublicKey::from_bytes([1; 32]);
    let packet = build_packet(&mut rng, PROFILE, &route, &to, &[0; 16], b"hi").expect("good");
    for byte in [0, 31, 32, 47, 48, 347] {
        let mut tampered = packet.clone();
        tampered[byte] ^= 1;
        let refused = processors[0].unwrap(&mut tampered, |_| true);
        assert_eq!(refused, Err(UnwrapError::Mac), "byte {byte}");
    }
    let mut tampered = packet.clone();
    tampered[2000] ^= 1;
    let (_, payload) = travel(tampered, &processors);
    assert_eq!(recover_plaintext(&payload), None);
    let for_another_key = processors[1].unwrap(&mut packet.clone(), |_| true);
    assert_eq!(for_another_key, Err(UnwrapError::Mac));
}

#[test]
fn what_is_sealed_opens_with_the_right_key_and_purpose_only() {
    let mut rng = StdRng::seed_from_u64(4);
    let key = PrivateKey::random(&mut rng);
    let sealed = seal(&mut rng, &key.public(), b"test", b"secret").expect("a good key");
    assert_eq!(sealed.len(), 6 + wire::SEAL_OVERHEAD_BYTES);
    assert_eq!(open(&key, b"test", &sealed), Ok(b"secret".to_vec()));
    assert_eq!(open(&key, b"other", &sealed), Err(SealError::NotForThisKey));
    let other = PrivateKey::random(&mut rng);
    assert_eq!(open(&other, b"test", &sealed), Err(SealError::NotForThisKey));
    let mut tampered = sealed.clone();
    tampered[40] ^= 1;
    assert_eq!(open(&key, b"test", &tampered), Err(SealError::NotForThisKey));
    assert_eq!(open(&key, b"test", &sealed[..47]), Err(SealError::TooShort(47)));
    assert!(seal(&mut rng, &PublicKey::from_bytes([0; 32]), b"test", b"x").is_err());
}
