//! Taking off one layer.

use std::time::Duration;

use wire::{HEADER_BYTES, Identifier, NodeAddress, PAYLOAD_OVERHEAD_BYTES, PublicKey, WireProfile};
use zeroize::Zeroizing;

use crate::PrivateKey;
use crate::hop_keys::{
    FINAL_FLAG, FORWARD_FLAG, HopKeys, MAC_BYTES, POINT_BYTES, PayloadCipher, ROUTING_BYTES,
    ReplayTag, SLOT_BYTES, STREAM_BYTES,
};
use crate::x25519::{self, LANES, X25519};

/// Where the parts of a header are.
const MAC_AT: usize = POINT_BYTES;
const ROUTING_AT: usize = POINT_BYTES + MAC_BYTES;
const _: () = assert!(ROUTING_AT + ROUTING_BYTES == HEADER_BYTES);

/// Packets whose layers are taken off together: as many as the fastest arithmetic does at once.
pub const BATCH: usize = LANES;

/// What a hop finds in a packet, whose bytes it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwrapped {
    /// The packet goes on: its bytes are now those to send.
    Forward {
        /// Where to.
        next: NodeAddress,
        /// How long it waits first.
        delay: Duration,
    },
    /// The packet ends here: what follows its header is now the payload with its last layer taken
    /// off. A data packet's begins with zeros, see [`recover_plaintext`]; an acknowledgement's is
    /// random.
    Final {
        /// The client that it is for.
        destination: PublicKey,
        /// The identifier beside it.
        identifier: Identifier,
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
    /// It came before.
    #[error("the packet is a replay")]
    Replay,
    /// The header is genuine, of a format that this program does not know.
    #[error("the header has version {0}")]
    Version(u32),
    /// The header is genuine and makes no sense.
    #[error("the header names no next hop")]
    Malformed,
}

/// Takes one layer off packets, with the key of a hop.
#[derive(Clone)]
pub struct HopProcessor {
    key: PrivateKey,
    profile: WireProfile,
    x25519: &'static dyn X25519,
}

impl std::fmt::Debug for HopProcessor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HopProcessor({:?}, {})", self.key, self.x25519.name())
    }
}

impl HopProcessor {
    /// For the node with this key, with the fastest arithmetic of this processor.
    pub fn new(key: PrivateKey, profile: WireProfile) -> Self {
        Self { key, profile, x25519: x25519::fastest() }
    }

    /// The same with the arithmetic that works everywhere, to compare with.
    pub fn portable(key: PrivateKey, profile: WireProfile) -> Self {
        Self { key, profile, x25519: &x25519::Portable }
    }

    /// The public key of the hop.
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// The format of its packets.
    pub fn profile(&self) -> WireProfile {
        self.profile
    }

    /// The name of the arithmetic that it uses.
    pub fn arithmetic(&self) -> &'static str {
        self.x25519.name()
    }

    /// Takes one layer off a packet, in place.
    ///
    /// `is_new` is asked for the tag of each packet whose header is genuine, and says whether it
    /// comes for the first time; see [`ReplaySet::insert`](crate::ReplaySet::insert).
    pub fn unwrap(
        &self,
        packet: &mut [u8],
        is_new: impl FnMut(ReplayTag) -> bool,
    ) -> Result<Unwrapped, UnwrapError> {
        let mut outcome = Err(UnwrapError::Length(packet.len()));
        self.unwrap_batch(&mut [packet], is_new, |_, result| outcome = result);
        outcome
    }

    /// Takes one layer off each packet, in place, and tells the outcome of each with its index, in
    /// their order. Any number of packets is fine; [`BATCH`] at once are done for the price of
    /// fewer where the processor can.
    pub fn unwrap_batch(
        &self,
        packets: &mut [&mut [u8]],
        mut is_new: impl FnMut(ReplayTag) -> bool,
        mut outcome: impl FnMut(usize, Result<Unwrapped, UnwrapError>),
    ) {
        for (chunk, packets) in packets.chunks_mut(BATCH).enumerate() {
            for (lane, result) in self.unwrap_chunk(packets, &mut is_new).into_iter().enumerate() {
                if let Some(result) = result {
                    outcome(chunk * BATCH + lane, result);
                }
            }
        }
    }

    /// At most [`BATCH`] packets; none where there is no packet.
    fn unwrap_chunk(
        &self,
        packets: &mut [&mut [u8]],
        is_new: &mut impl FnMut(ReplayTag) -> bool,
    ) -> [Option<Result<Unwrapped, UnwrapError>>; BATCH] {
        let count = packets.len();
        let mut outcomes = [None; BATCH];

        // What is secret is erased: the stack of a thread is used again, not cleaned.
        let scalars = Zeroizing::new([*self.key.secret().as_bytes(); BATCH]);
        let mut shared = Zeroizing::new([[0; POINT_BYTES]; BATCH]);
        for (shared, packet) in shared.iter_mut().zip(&*packets) {
            // A packet of a wrong length is refused below, whatever comes out here.
            *shared = packet.first_chunk().copied().unwrap_or_default();
        }
        self.x25519.multiply(&scalars[..count], &mut shared[..count]);

        let mut blindings = Zeroizing::new([[0; 32]; BATCH]);
        let mut points = [[0; POINT_BYTES]; BATCH];
        let mut lanes = [0; BATCH];
        let mut forwards = 0;
        for (lane, packet) in packets.iter_mut().enumerate() {
            let opened = if packet.len() == self.profile.packet_bytes() {
                let keys = HopKeys::expand(&shared[lane]);
                Self::open(&keys, packet, is_new).map(|(unwrapped, cipher)| {
                    if matches!(unwrapped, Unwrapped::Forward { .. }) {
                        blindings[forwards] = *keys.blinding();
                        points[forwards] = *packet.first_chunk().expect("it has its length");
                        lanes[forwards] = lane;
                        forwards += 1;
                    }
                    cipher.decrypt(&mut packet[HEADER_BYTES..]);
                    unwrapped
                })
            } else {
                Err(UnwrapError::Length(packet.len()))
            };
            outcomes[lane] = Some(opened);
        }

        self.x25519.multiply(&blindings[..forwards], &mut points[..forwards]);
        for (point, lane) in points.iter().zip(&lanes[..forwards]) {
            packets[*lane][..POINT_BYTES].copy_from_slice(point);
        }
        outcomes
    }

    /// Checks the header and takes this hop's routing information off; all but the point is then as
    /// the next hop gets it.
    fn open(
        keys: &HopKeys,
        packet: &mut [u8],
        is_new: &mut impl FnMut(ReplayTag) -> bool,
    ) -> Result<(Unwrapped, PayloadCipher), UnwrapError> {
        let header = packet.first_chunk_mut::<HEADER_BYTES>().expect("it has its length");
        if !keys.is_mac(&header[ROUTING_AT..], &header[MAC_AT..ROUTING_AT]) {
            return Err(UnwrapError::Mac);
        }
        if !is_new(keys.replay_tag()) {
            return Err(UnwrapError::Replay);
        }
        let mut routing = [0; STREAM_BYTES];
        routing[..ROUTING_BYTES].copy_from_slice(&header[ROUTING_AT..]);
        for (byte, hidden) in routing.iter_mut().zip(keys.stream()) {
            *byte ^= hidden;
        }
        let (slot, rest) = routing.split_first_chunk::<SLOT_BYTES>().expect("it is longer");
        let version = u32::from_be_bytes([0, slot[1], slot[2], slot[3]]);
        let cipher = u16::try_from(version).ok().and_then(|version| keys.payload_cipher(version));
        let cipher = cipher.ok_or(UnwrapError::Version(version))?;
        match slot[0] {
            FORWARD_FLAG => {
                let next = NodeAddress::decode(&slot[4..36]).map_err(|_| UnwrapError::Malformed)?;
                let delay = slot[36..].first_chunk().expect("a delay has eight bytes");
                header[MAC_AT..ROUTING_AT].copy_from_slice(&slot[44..]);
                header[ROUTING_AT..].copy_from_slice(rest);
                let delay = Duration::from_nanos(u64::from_be_bytes(*delay));
                Ok((Unwrapped::Forward { next, delay }, cipher))
            }
            FINAL_FLAG => {
                let destination = slot[4..].first_chunk().expect("a key has 32 bytes");
                let destination = PublicKey::from_bytes(*destination);
                let identifier = *slot[36..].first_chunk().expect("an identifier has 16");
                Ok((Unwrapped::Final { destination, identifier }, cipher))
            }
            _ => Err(UnwrapError::Malformed),
        }
    }
}

/// Bytes of zeros in front of a plaintext.
const ZEROS: usize = PAYLOAD_OVERHEAD_BYTES - 1;

/// The plaintext in a final payload; none where it does not begin with Sphinx's zeros, as in an
/// acknowledgement or a packet that was tampered with.
pub fn recover_plaintext(payload: &[u8]) -> Option<&[u8]> {
    let (zeros, rest) = payload.split_at_checked(ZEROS)?;
    if zeros.iter().any(|&byte| byte != 0) {
        return None;
    }
    let end = rest.iter().rposition(|&byte| byte != 0)?;
    (rest[end] == 1).then(|| &rest[..end])
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sphinx_packet::SphinxPacketBuilder;
    use sphinx_packet::header::delays::Delay;
    use sphinx_packet::route::{Destination, DestinationAddressBytes, Node, NodeAddressBytes};
    use x25519_dalek::StaticSecret;

    use super::*;

    /// Counts the multiplications that it does.
    struct Counting(AtomicUsize);

    impl X25519 for Counting {
        fn name(&self) -> &'static str {
            "counting"
        }

        fn multiply(&self, scalars: &[[u8; 32]], points: &mut [[u8; 32]]) {
            self.0.fetch_add(points.len(), Ordering::Relaxed);
            x25519::Portable.multiply(scalars, points);
        }
    }

    #[test]
    fn only_a_genuine_new_packet_that_goes_on_costs_a_second_multiplication() {
        static COUNTING: Counting = Counting(AtomicUsize::new(0));
        let profile = WireProfile::CURRENT;
        let key = PrivateKey::from_bytes([1; 32]);
        let processor = HopProcessor { key: key.clone(), profile, x25519: &COUNTING };
        let address = NodeAddress(([127, 0, 0, 1], 1789).into());
        let node = Node::new(
            NodeAddressBytes::from_bytes(address.encode()),
            (*key.public().as_bytes()).into(),
        );
        let destination = Destination::new(DestinationAddressBytes::from_bytes([2; 32]), [3; 16]);
        let packet = |hops: usize| {
            SphinxPacketBuilder::new()
                .with_payload_size(profile.payload_bytes)
                .with_initial_secret(&StaticSecret::from([4; 32]))
                .build_packet(
                    b"hello",
                    &vec![node.clone(); hops],
                    &destination,
                    &vec![Delay::new_from_nanos(5); hops],
                )
                .expect("a good route")
                .to_bytes()
        };
        let cost = |packet: &[u8], is_new: bool| {
            let before = COUNTING.0.load(Ordering::Relaxed);
            let outcome = processor.unwrap(&mut packet.to_vec(), |_| is_new);
            (outcome, COUNTING.0.load(Ordering::Relaxed) - before)
        };
        let (forward, last) = (packet(2), packet(1));
        assert!(matches!(cost(&forward, true), (Ok(Unwrapped::Forward { .. }), 2)));
        assert!(matches!(cost(&last, true), (Ok(Unwrapped::Final { .. }), 1)));
        assert_eq!(cost(&forward, false), (Err(UnwrapError::Replay), 1));
        let mut tampered = forward;
        tampered[100] ^= 1;
        assert_eq!(cost(&tampered, true), (Err(UnwrapError::Mac), 1));
    }
}
