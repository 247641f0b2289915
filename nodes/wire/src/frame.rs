//! Framing on links between nodes: one flag byte that names the packet type and size, then the
//! packet, as in Nym v0.7.

use crate::WireProfile;

/// A link does not carry frames. Nothing after the fault can be trusted: close the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A frame begins with a byte that names no packet of this network.
    #[error("a frame begins with {found}, expected {expected}")]
    UnknownFlag {
        /// The byte.
        found: u8,
        /// What this network uses.
        expected: u8,
    },
}

/// Appends a frame.
pub fn write_frame(profile: WireProfile, packet: &[u8], out: &mut Vec<u8>) {
    debug_assert_eq!(packet.len(), profile.packet_bytes(), "all packets have one length");
    out.reserve(profile.frame_bytes());
    out.push(profile.flag);
    out.extend_from_slice(packet);
}

/// Cuts the next packet off the front of what came on a link, where it lies; none if it has not come
/// whole. What is then left belongs in front of what comes next, and is shorter than a frame.
#[expect(clippy::mut_mut, reason = "what is cut off is taken out of the slice")]
pub fn next_packet<'a>(
    profile: WireProfile,
    bytes: &mut &'a mut [u8],
) -> Result<Option<&'a mut [u8]>, FrameError> {
    match bytes.first() {
        Some(&flag) if flag != profile.flag => {
            Err(FrameError::UnknownFlag { found: flag, expected: profile.flag })
        }
        _ => Ok(bytes.split_off_mut(..profile.frame_bytes()).map(|frame| &mut frame[1..])),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: WireProfile = WireProfile { flag: 4, payload_bytes: 52 };

    #[test]
    fn a_frame_is_the_flag_and_the_packet() {
        let packet = vec![7; WireProfile::CURRENT.packet_bytes()];
        let mut bytes = Vec::new();
        write_frame(WireProfile::CURRENT, &packet, &mut bytes);
        assert_eq!(bytes.len(), 2397);
        assert_eq!(bytes[0], 4);
        assert_eq!(bytes[1..], packet);
    }

    #[test]
    fn an_unknown_flag_is_an_error_as_soon_as_it_comes() {
        let unknown = Err(FrameError::UnknownFlag { found: 9, expected: 4 });
        assert_eq!(next_packet(SMALL, &mut &mut [9][..]), unknown);
        assert_eq!(next_packet(SMALL, &mut &mut [4, 9][..]), Ok(None));
        assert_eq!(next_packet(SMALL, &mut &mut [][..]), Ok(None));
    }

    proptest! {
        #[test]
        fn packets_survive_any_cutting(
            fills in prop::collection::vec(any::<u8>(), 1..8),
            cuts in prop::collection::vec(1_usize..900, 1..20),
        ) {
            let packets: Vec<Vec<u8>> =
                fills.iter().map(|&fill| vec![fill; SMALL.packet_bytes()]).collect();
            let mut stream = Vec::new();
            for packet in &packets {
                write_frame(SMALL, packet, &mut stream);
            }
            let mut left = Vec::new();
            let mut got = Vec::new();
            let mut cuts = cuts.iter().cycle();
            let mut rest = stream.as_slice();
            while !rest.is_empty() {
                let cut = (*cuts.next().expect("cycled")).min(rest.len());
                left.extend_from_slice(&rest[..cut]);
                rest = &rest[cut..];
                let mut bytes = left.as_mut_slice();
                while let Some(packet) = next_packet(SMALL, &mut bytes).expect("own frames") {
                    got.push(packet.to_vec());
                }
                prop_assert!(bytes.len() < SMALL.frame_bytes());
                left = bytes.to_vec();
            }
            prop_assert_eq!(got, packets);
            prop_assert!(left.is_empty());
        }
    }
}
