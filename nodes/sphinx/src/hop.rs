//! Taking off one layer.

use std::time::Duration;

use sphinx_packet::payload::Payload;
use sphinx_packet::{ErrorKind, ProcessedPacketData, SphinxPacket};
use wire::{Identifier, NodeAddress, PublicKey, WireProfile};

use crate::PrivateKey;

/// What a hop finds in a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unwrapped {
    /// The packet goes on.
    Forward {
        /// Where to.
        next: NodeAddress,
        /// How long it waits first.
        delay: Duration,
        /// The packet to send then; as long as the one that came.
        packet: Vec<u8>,
    },
    /// The packet ends here.
    Final {
        /// The client that it is for.
        destination: PublicKey,
        /// The identifier beside it.
        identifier: Identifier,
        /// The payload with its last layer taken off, [`WireProfile::payload_bytes`] long. A data
        /// packet's begins with zeros, see [`recover_plaintext`]; an acknowledgement's is random.
        payload: Vec<u8>,
    },
}

/// A packet that a hop cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnwrapError {
    /// Not of the network's one length.
    #[error("a packet has {0} bytes")]
    Length(usize),
    /// The header was not made for this hop's key, or was changed on the way.
    #[error("the MAC of the header is wrong")]
    Mac,
    /// The header is genuine and makes no sense.
    #[error("the header names no next hop")]
    Malformed,
}

impl UnwrapError {
    /// The word under which it is counted.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Mac => "mac",
            Self::Length(_) | Self::Malformed => "malformed",
        }
    }
}

/// Takes one layer off packets, with the key of a hop.
#[derive(Clone, Debug)]
pub struct HopProcessor {
    key: PrivateKey,
    profile: WireProfile,
}

impl HopProcessor {
    /// For the node with this key.
    pub fn new(key: PrivateKey, profile: WireProfile) -> Self {
        Self { key, profile }
    }

    /// The public key of the hop.
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// The format of its packets.
    pub fn profile(&self) -> WireProfile {
        self.profile
    }

    /// Takes one layer off.
    pub fn unwrap(&self, packet: &[u8]) -> Result<Unwrapped, UnwrapError> {
        if packet.len() != self.profile.packet_bytes() {
            return Err(UnwrapError::Length(packet.len()));
        }
        let packet = SphinxPacket::from_bytes(packet).map_err(|_| UnwrapError::Malformed)?;
        let processed = packet.process(self.key.secret()).map_err(|error| match error.kind() {
            ErrorKind::InvalidHeader => UnwrapError::Mac,
            _ => UnwrapError::Malformed,
        })?;
        Ok(match processed.data {
            ProcessedPacketData::ForwardHop { next_hop_packet, next_hop_address, delay } => {
                Unwrapped::Forward {
                    next: NodeAddress::decode(next_hop_address.as_bytes())
                        .map_err(|_| UnwrapError::Malformed)?,
                    delay: delay.to_duration(),
                    packet: next_hop_packet.to_bytes(),
                }
            }
            ProcessedPacketData::FinalHop { destination, identifier, payload } => {
                Unwrapped::Final {
                    destination: PublicKey::from_bytes(destination.as_bytes()),
                    identifier,
                    payload: payload.into_bytes(),
                }
            }
        })
    }
}

/// The plaintext in a final payload; none where it does not begin with Sphinx's zeros, as in an
/// acknowledgement or a packet that was tampered with.
pub fn recover_plaintext(payload: &[u8]) -> Option<Vec<u8>> {
    Payload::from_bytes(payload).ok()?.recover_plaintext().ok()
}
