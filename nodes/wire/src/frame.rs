//! Framing on links between nodes: one flag byte that names the packet type and size, then the
//! packet, as in Nym v0.7.

use crate::WireProfile;

/// How many packets' worth of bytes a reader holds before it is asked for packets. A read from a
/// socket is smaller than that.
const READ_AHEAD_PACKETS: usize = 32;

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
    /// More bytes were pushed than a reader holds.
    #[error("more than {0} bytes were read ahead")]
    TooFarAhead(usize),
}

/// Appends a frame.
pub fn write_frame(profile: WireProfile, packet: &[u8], out: &mut Vec<u8>) {
    debug_assert_eq!(packet.len(), profile.packet_bytes(), "all packets have one length");
    out.reserve(1 + packet.len());
    out.push(profile.flag);
    out.extend_from_slice(packet);
}

/// Cuts a stream of bytes into packets.
#[derive(Debug)]
pub struct FrameReader {
    profile: WireProfile,
    buffer: Vec<u8>,
    consumed: usize,
}

impl FrameReader {
    /// For a link that carries packets of this format.
    pub fn new(profile: WireProfile) -> Self {
        Self { profile, buffer: Vec::new(), consumed: 0 }
    }

    /// The most bytes that may be pushed before packets are taken out.
    pub fn capacity(&self) -> usize {
        READ_AHEAD_PACKETS * (1 + self.profile.packet_bytes())
    }

    /// Adds bytes as they came from the socket.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        if self.buffer.len() + bytes.len() > self.capacity() {
            return Err(FrameError::TooFarAhead(self.capacity()));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole packet, if it has arrived.
    pub fn next_packet(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let Some(&flag) = self.buffer.get(self.consumed) else { return Ok(None) };
        if flag != self.profile.flag {
            return Err(FrameError::UnknownFlag { found: flag, expected: self.profile.flag });
        }
        let begin = self.consumed + 1;
        let end = begin + self.profile.packet_bytes();
        if self.buffer.len() < end {
            return Ok(None);
        }
        self.consumed = end;
        Ok(Some(&self.buffer[begin..end]))
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
    fn an_unknown_flag_and_reading_too_far_ahead_are_errors() {
        let mut reader = FrameReader::new(SMALL);
        reader.push(&[9]).expect("one byte");
        assert_eq!(reader.next_packet(), Err(FrameError::UnknownFlag { found: 9, expected: 4 }));
        let mut reader = FrameReader::new(SMALL);
        let capacity = reader.capacity();
        assert!(reader.push(&vec![4; capacity]).is_ok());
        assert_eq!(reader.push(&[4]), Err(FrameError::TooFarAhead(capacity)));
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
            let mut reader = FrameReader::new(SMALL);
            let mut got = Vec::new();
            let mut cuts = cuts.iter().cycle();
            let mut rest = stream.as_slice();
            while !rest.is_empty() {
                let cut = (*cuts.next().expect("cycled")).min(rest.len());
                reader.push(&rest[..cut]).expect("room");
                rest = &rest[cut..];
                while let Some(packet) = reader.next_packet().expect("own frames") {
                    got.push(packet.to_vec());
                }
            }
            prop_assert_eq!(got, packets);
        }
    }
}
