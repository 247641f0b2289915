//! Packets over whole routes, acknowledgements, replies, tampering and sealing.

use std::net::SocketAddr;
use std::time::Duration;

use contract::Time;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::Sha256;
use sphinx::{
    Hop, HopProcessor, MAX_HOPS, PacketBuilder, PrivateKey, ReplaySet, Route, SealError,
    UnwrapError, Unwrapped, ack_packet, build_packet, open, recover_plaintext, seal,
};
use wire::{
    ADDRESS_BYTES, HEADER_BYTES, Identifier, NodeAddress, PAYLOAD_SEED_BYTES, PublicKey,
    ReplyBlock, SEAL_OVERHEAD_BYTES, WireProfile,
};

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
        assert_eq!(packet.len(), PROFILE.packet_bytes(), "every hop sees one length");
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

/// Most bytes that can be sealed into a packet.
const SECRET_BYTES: usize = PROFILE.plaintext_bytes() - SEAL_OVERHEAD_BYTES;

/// A block for a reply over so many hops, the processors along its route, and the key of whoever
/// wants the reply.
fn reply_block(
    rng: &mut StdRng,
    hops: u16,
    identifier: &Identifier,
) -> (ReplyBlock, Vec<HopProcessor>, PrivateKey) {
    let (route, processors) = route(rng, hops);
    let asker = PrivateKey::random(rng);
    let key = asker.reply_key(identifier).public();
    let builder = PacketBuilder::new(PROFILE);
    let block = builder.build_reply_block(rng, &route, &asker.public(), identifier, key);
    let block = block.expect("a good route");
    assert_eq!(Some(block.first_hop), route.first_hop());
    (block, processors, asker)
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
    fn a_reply_arrives_over_any_route_and_only_its_one_time_key_opens_it(
        seed: u64,
        hops in 1..=u16::try_from(MAX_HOPS).expect("five"),
        secret in prop::collection::vec(any::<u8>(), 0..=SECRET_BYTES),
        identifier: [u8; 16],
    ) {
        let mut rng = StdRng::seed_from_u64(seed);
        let (block, processors, asker) = reply_block(&mut rng, hops, &identifier);
        let block = ReplyBlock::decode(&block.encode()).expect("own bytes");
        let sealed = seal(&mut rng, &block.key, b"purpose", &secret).expect("a good key");
        let packet = PacketBuilder::new(PROFILE).build_reply(&block, &sealed).expect("it fits");
        let (found, payload) = travel(packet, &processors);
        let destination = asker.public();
        prop_assert_eq!(found, Unwrapped::Final { destination, identifier });
        let sealed = recover_plaintext(&payload).expect("a plaintext");
        let opened = open(&asker.reply_key(&identifier), b"purpose", sealed);
        prop_assert_eq!(opened, Ok(secret));
        let mut another = identifier;
        another[15] ^= 1;
        let somebody = PrivateKey::random(&mut rng).reply_key(&identifier);
        for key in [asker.reply_key(&another), somebody, asker] {
            prop_assert_eq!(open(&key, b"purpose", sealed), Err(SealError::NotForThisKey));
        }
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
fn a_reply_block_that_is_used_twice_is_a_replay_at_its_first_hop() {
    let mut rng = StdRng::seed_from_u64(5);
    let (block, processors, _) = reply_block(&mut rng, 3, &[9; 16]);
    let mut replays = ReplaySet::new(Time::default());
    let mut unwrap = |plaintext: &[u8]| {
        let mut packet = PacketBuilder::new(PROFILE).build_reply(&block, plaintext).expect("fits");
        processors[0].unwrap(&mut packet, |tag| replays.insert(Time::default(), tag)).map(drop)
    };
    assert_eq!(unwrap(b"first"), Ok(()));
    assert_eq!(unwrap(b"second"), Err(UnwrapError::Replay));
}

#[test]
fn a_reply_block_that_was_changed_is_refused_or_gives_noise() {
    let mut rng = StdRng::seed_from_u64(6);
    let (block, processors, _) = reply_block(&mut rng, 3, &[9; 16]);
    let good = block.encode();
    let header_at = ADDRESS_BYTES;
    let seeds_at = header_at + HEADER_BYTES + 1;
    let build = |bytes: &[u8]| {
        let block = ReplyBlock::decode(bytes).expect("a block");
        PacketBuilder::new(PROFILE).build_reply(&block, b"hello").expect("it fits")
    };
    for at in header_at..seeds_at - 1 {
        let mut changed = good.clone();
        // Not the topmost bit of the point, which the curve does not look at.
        changed[at] ^= 1;
        let refused = processors[0].unwrap(&mut build(&changed), |_| true);
        assert_eq!(refused, Err(UnwrapError::Mac), "byte {at}");
    }
    for at in seeds_at..seeds_at + 3 * PAYLOAD_SEED_BYTES {
        let mut changed = good.clone();
        changed[at] ^= 1;
        let (_, payload) = travel(build(&changed), &processors);
        assert_eq!(recover_plaintext(&payload), None, "byte {at}");
    }
    let (_, payload) = travel(build(&good), &processors);
    assert_eq!(recover_plaintext(&payload), Some(&b"hello"[..]));
}

/// Whoever has the private key finds the keys of its replies again, also with a later version of this
/// program: HKDF as the documentation says, computed by hand.
#[test]
fn a_reply_key_is_derived_as_documented() {
    let key = PrivateKey::from_bytes([7; 32]);
    let mac = |key: &[u8], text: &[&[u8]]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
        for part in text {
            mac.update(part);
        }
        mac.finalize().into_bytes()
    };
    let pseudorandom = mac(b"nym-devnet reply key 1", &[&[7; 32]]);
    let expected = mac(&pseudorandom, &[&[9; 16], &[1]]);
    assert_eq!(key.reply_key(&[9; 16]).to_bytes()[..], expected[..]);
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
    assert_eq!(sealed.len(), 6 + SEAL_OVERHEAD_BYTES);
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
