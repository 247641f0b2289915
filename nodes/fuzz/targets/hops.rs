//! Packets as hops get them: any bytes, and good packets that were changed on the way. The fastest
//! arithmetic of this machine, in batches, does what the one that works everywhere does, one by one.

#![no_main]

use std::net::SocketAddr;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sphinx::{
    BATCH, Hop, HopProcessor, MAX_HOPS, PrivateKey, ReplayTag, Route, UnwrapError, Unwrapped,
    build_packet, recover_plaintext,
};
use wire::{HEADER_BYTES, NodeAddress, WireProfile};

/// Packets are short: their length does not matter to what is looked for.
const PROFILE: WireProfile = WireProfile { flag: 4, payload_bytes: 64 };

/// The topmost bit of a point, which the curve does not look at.
const IGNORED: (usize, u8) = (31, 0x80);

fuzz_target!(|data: &[u8]| {
    let Some(([seed, hops], rest)) = data.split_first_chunk() else { return };
    let key = PrivateKey::from_bytes([*seed; 32]);
    let (good, delay) = good_packet(&key, *seed, 1 + usize::from(*hops) % MAX_HOPS);

    // Each command is a packet of the batch: what is done to which byte of which packet.
    let mut packets = vec![good.clone(), rest.to_vec()];
    for [what, at, by] in rest.as_chunks().0.iter().take(2 * BATCH) {
        packets.push(changed(&good, *what, usize::from(*at), *by));
    }
    let outcomes = unwrap_both(&key, &packets);

    let Ok((unwrapped, _)) = &outcomes[0] else { panic!("a good packet is refused") };
    match unwrapped {
        Unwrapped::Forward { delay: found, .. } => assert_eq!(*found, delay),
        Unwrapped::Final { .. } => assert_eq!(usize::from(*hops) % MAX_HOPS, 0),
    }
    for (packet, outcome) in packets.iter().zip(&outcomes) {
        check(&good, unwrapped, packet, outcome);
    }
});

type Outcome = Result<(Unwrapped, ReplayTag), UnwrapError>;

/// A packet of which only the good one's header may be accepted.
fn check(good: &[u8], of_good: &Unwrapped, packet: &[u8], outcome: &Outcome) {
    if packet.len() != good.len() {
        assert_eq!(*outcome, Err(UnwrapError::Length(packet.len())));
        return;
    }
    let mut header = packet[..HEADER_BYTES].to_vec();
    header[IGNORED.0] &= !IGNORED.1;
    let mut expected = good[..HEADER_BYTES].to_vec();
    expected[IGNORED.0] &= !IGNORED.1;
    if header == expected {
        // Whatever became of the payload: it is noise to the last hop.
        assert_eq!(outcome.as_ref().map(|(unwrapped, _)| unwrapped), Ok(of_good));
    } else {
        assert_eq!(*outcome, Err(UnwrapError::Mac));
    }
}

/// What both arithmetics make of the packets: the fastest of all at once, the other of each alone.
fn unwrap_both(key: &PrivateKey, packets: &[Vec<u8>]) -> Vec<Outcome> {
    let fastest = HopProcessor::new(key.clone(), PROFILE);
    let portable = HopProcessor::portable(key.clone(), PROFILE);
    let mut changed = packets.to_vec();
    let mut tags = Vec::new();
    let mut results = Vec::new();
    let mut slices: Vec<&mut [u8]> = changed.iter_mut().map(Vec::as_mut_slice).collect();
    fastest.unwrap_batch(
        &mut slices,
        |tag| {
            tags.push(tag);
            true
        },
        |index, result| {
            assert_eq!(index, results.len(), "outcomes come in order");
            results.push(result);
        },
    );
    let mut tags = tags.into_iter();
    let mut outcomes = Vec::new();
    for ((packet, changed), result) in packets.iter().zip(&changed).zip(results) {
        let mut alone = packet.clone();
        let mut tag = None;
        let expected = portable.unwrap(&mut alone, |found| tag.replace(found).is_none());
        assert_eq!(result, expected);
        assert_eq!(*changed, alone, "the bytes differ");
        assert_eq!(tag, tag.and_then(|_| tags.next()), "the tags differ");
        if result.is_err() {
            assert_eq!(alone, *packet, "what is refused stays as it was");
        }
        if let Ok(Unwrapped::Final { .. }) = result {
            let text = recover_plaintext(&alone[HEADER_BYTES..]);
            assert!(text.is_none_or(|text| text.len() <= PROFILE.plaintext_bytes()));
        }
        outcomes.push(result.map(|unwrapped| (unwrapped, tag.expect("its header is genuine"))));
    }
    assert_eq!(tags.next(), None);
    outcomes
}

/// A packet over so many hops, the first with this key; and the delay that it asks of that.
fn good_packet(key: &PrivateKey, seed: u8, hops: usize) -> (Vec<u8>, Duration) {
    let rng = &mut StdRng::seed_from_u64(seed.into());
    let delay = Duration::from_nanos(u64::MAX >> (seed % 64));
    let address = NodeAddress(SocketAddr::from(([127, 0, 0, 1], 1789)));
    let first = Hop { address, key: key.public(), delay };
    let others = (1..hops).map(|_| Hop { key: PrivateKey::random(rng).public(), ..first });
    let route = Route { hops: [first].into_iter().chain(others.collect::<Vec<_>>()).collect() };
    let destination = PrivateKey::random(rng).public();
    let packet = build_packet(rng, PROFILE, &route, &destination, &[7; 16], b"hello");
    (packet.expect("a good route"), delay)
}

fn changed(good: &[u8], what: u8, at: usize, by: u8) -> Vec<u8> {
    let mut packet = good.to_vec();
    let at = (at + 256 * usize::from(what >> 7)) % packet.len();
    match what % 6 {
        0 => packet[at] ^= by,
        1 => packet.truncate(at),
        2 => packet.insert(at, by),
        3 => packet[at..].fill(by),
        4 => packet[..32].fill(by),
        _ => packet.rotate_left(at),
    }
    packet
}
