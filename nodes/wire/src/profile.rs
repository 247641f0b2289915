//! Sizes of packets.

/// Bytes of a Sphinx header: 32 group element, 16 MAC, 300 routing information.
pub const HEADER_BYTES: usize = 348;

/// Most hops of a route: mixnodes and the provider. A Sphinx header has room for no more.
pub const MAX_HOPS: usize = 5;

/// Bytes that Sphinx takes from a payload: 16 zero bytes in front, one end marker.
pub const PAYLOAD_OVERHEAD_BYTES: usize = 17;

/// Bytes of the identifier in a final hop's routing information.
pub const IDENTIFIER_BYTES: usize = 16;

/// The identifier that a final hop finds beside the destination: which acknowledgement this is, or
/// all zeros.
pub type Identifier = [u8; IDENTIFIER_BYTES];

/// A wire format: which flag byte announces a packet, and how long packets are. All packets of a
/// network have one length, whether they carry data, cover or an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireProfile {
    /// The byte in front of each packet. Nym v0.7 used 0 to 3 for its own sizes.
    pub flag: u8,
    /// Bytes of the payload, Sphinx's overhead included.
    pub payload_bytes: usize,
}

impl WireProfile {
    /// The format of this program: `sphinx-packet` 0.8 with a payload of 2048 bytes.
    pub const CURRENT: Self = Self { flag: 4, payload_bytes: 2048 };

    /// Bytes of a packet: header and payload.
    pub const fn packet_bytes(self) -> usize {
        HEADER_BYTES + self.payload_bytes
    }

    /// Bytes of a packet on a link: the flag, then the packet.
    pub const fn frame_bytes(self) -> usize {
        1 + self.packet_bytes()
    }

    /// Bytes of a payload that a sender can use.
    pub const fn plaintext_bytes(self) -> usize {
        self.payload_bytes - PAYLOAD_OVERHEAD_BYTES
    }
}
