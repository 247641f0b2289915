//! Links: a stream of bytes, and the places at which reads cut it. The packets are those of a reading
//! of the whole stream at once, wherever it is cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{WireProfile, next_packet};

/// Packets are short, so that many fit into an input.
const PROFILE: WireProfile = WireProfile { flag: 4, payload_bytes: 2 };

/// The first bytes say how much comes with each read, in turn.
const CUTS: usize = 4;

fuzz_target!(|data: &[u8]| {
    let Some((cuts, mut stream)) = data.split_first_chunk::<CUTS>() else { return };
    let (expected, is_good) = slow_reading(stream);
    let mut left = Vec::new();
    let mut packets = Vec::new();
    let mut broken = false;
    for cut in cuts.iter().cycle() {
        if stream.is_empty() || broken {
            break;
        }
        // Up to 765 bytes: two packets and a bit.
        let (read, rest) = stream.split_at((3 * usize::from(*cut)).clamp(1, stream.len()));
        stream = rest;
        left.extend_from_slice(read);
        let mut bytes = left.as_mut_slice();
        broken = loop {
            match next_packet(PROFILE, &mut bytes) {
                Ok(Some(packet)) => packets.push(packet.to_vec()),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken || bytes.len() < PROFILE.frame_bytes(), "a whole frame is left");
        left = bytes.to_vec();
    }
    assert_eq!(packets, expected);
    assert_eq!(broken, !is_good);
});

/// The packets of a stream, and whether it is one of frames up to its end.
fn slow_reading(mut stream: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut packets = Vec::new();
    while let Some((flag, rest)) = stream.split_first() {
        if *flag != PROFILE.flag {
            return (packets, false);
        }
        let Some((packet, rest)) = rest.split_at_checked(PROFILE.packet_bytes()) else { break };
        packets.push(packet.to_vec());
        stream = rest;
    }
    (packets, true)
}
