//! The plaintext that a provider finds in a packet for one of its clients:
//!
//! | bytes | what |
//! |---|---|
//! | 348 | Sphinx header of the acknowledgement, prepared by the sender |
//! | 19 | address of its first hop, zero-padded; all zeros if there is none |
//! | 1664 | sealed to the recipient's key: 48 bytes of overhead, then the [fragment](crate::Fragment) |

use crate::{ADDRESS_BYTES, HEADER_BYTES, NodeAddress, WireProfile};

/// Bytes of the prepared header of an acknowledgement.
pub const ACK_HEADER_BYTES: usize = HEADER_BYTES;

/// Bytes of the whole plaintext.
pub const PLAINTEXT_BYTES: usize = WireProfile::CURRENT.plaintext_bytes();

/// Bytes of the sealed part.
pub const SEALED_BYTES: usize = PLAINTEXT_BYTES - ACK_HEADER_BYTES - ADDRESS_BYTES;

/// Bytes that sealing adds: 32 ephemeral key, 16 tag.
pub const SEAL_OVERHEAD_BYTES: usize = 48;

/// Bytes of the sealed part once it is opened.
pub const INNER_BYTES: usize = SEALED_BYTES - SEAL_OVERHEAD_BYTES;

/// Bytes of a message that one packet carries: kind, message id, index, count and length go off.
pub const FRAGMENT_DATA_BYTES: usize = INNER_BYTES - 1 - 16 - 4 - 4 - 2;

/// The plaintext, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plaintext {
    /// Header of the acknowledgement; random where there is none.
    pub ack_header: [u8; ACK_HEADER_BYTES],
    /// Where the acknowledgement goes first; none if the sender wants none.
    pub ack_first_hop: Option<NodeAddress>,
    /// Sealed to the recipient: [`SEALED_BYTES`] long.
    pub sealed: Vec<u8>,
}

/// Bytes are not such a plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaintextError {
    /// Not of the one length that there is.
    #[error("the plaintext of a packet has {0} bytes, expected {PLAINTEXT_BYTES}")]
    Length(usize),
    /// The first hop of the acknowledgement is not an address.
    #[error("the first hop of the acknowledgement: {0}")]
    FirstHop(#[from] crate::AddressError),
}

impl Plaintext {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        debug_assert_eq!(self.sealed.len(), SEALED_BYTES, "sealing has one length");
        let mut bytes = Vec::with_capacity(PLAINTEXT_BYTES);
        bytes.extend_from_slice(&self.ack_header);
        let first_hop = self.ack_first_hop.map_or([0; ADDRESS_BYTES], NodeAddress::encode);
        bytes.extend_from_slice(&first_hop);
        bytes.extend_from_slice(&self.sealed);
        bytes
    }

    /// Takes the bytes apart.
    pub fn decode(bytes: &[u8]) -> Result<Self, PlaintextError> {
        let wrong_length = PlaintextError::Length(bytes.len());
        if bytes.len() != PLAINTEXT_BYTES {
            return Err(wrong_length);
        }
        let (ack_header, rest) =
            bytes.split_first_chunk::<ACK_HEADER_BYTES>().ok_or(wrong_length)?;
        let (first_hop, sealed) = rest.split_first_chunk::<ADDRESS_BYTES>().ok_or(wrong_length)?;
        let ack_first_hop = if first_hop == &[0; ADDRESS_BYTES] {
            None
        } else {
            Some(NodeAddress::decode(first_hop)?)
        };
        Ok(Self { ack_header: *ack_header, ack_first_hop, sealed: sealed.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of the published layout. A change here is a change of the wire format.
    #[test]
    fn the_layout_has_the_documented_sizes() {
        assert_eq!(WireProfile::CURRENT.packet_bytes(), 2396);
        assert_eq!(PLAINTEXT_BYTES, 2031);
        assert_eq!(SEALED_BYTES, 1664);
        assert_eq!(INNER_BYTES, 1616);
        assert_eq!(FRAGMENT_DATA_BYTES, 1589);
    }

    #[test]
    fn golden_bytes() {
        let plaintext = Plaintext {
            ack_header: [1; ACK_HEADER_BYTES],
            ack_first_hop: Some(NodeAddress("127.0.0.1:9980".parse().expect("an address"))),
            sealed: vec![2; SEALED_BYTES],
        };
        let bytes = plaintext.encode();
        assert_eq!(bytes.len(), PLAINTEXT_BYTES);
        assert_eq!(bytes[347..357], [1, 4, 0x26, 0xfc, 127, 0, 0, 1, 0, 0]);
        assert_eq!(bytes[366..368], [0, 2]);
        assert_eq!(Plaintext::decode(&bytes), Ok(plaintext.clone()));
        let without = Plaintext { ack_first_hop: None, ..plaintext };
        assert_eq!(Plaintext::decode(&without.encode()), Ok(without));
    }

    #[test]
    fn another_length_and_a_wrong_first_hop_are_refused() {
        assert_eq!(Plaintext::decode(&[0; 5]), Err(PlaintextError::Length(5)));
        let mut bytes = vec![0; PLAINTEXT_BYTES];
        bytes[ACK_HEADER_BYTES] = 9;
        assert!(matches!(Plaintext::decode(&bytes), Err(PlaintextError::FirstHop(_))));
    }
}
