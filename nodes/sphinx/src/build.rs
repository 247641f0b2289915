//! Building packets, and headers for acknowledgements.
//!
//! The same random numbers make the same bytes: the padding behind the last hop's routing
//! information comes out of them too.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rand::{CryptoRng, Rng};
use wire::{
    ACK_HEADER_BYTES, HEADER_BYTES, Identifier, NodeAddress, PayloadSeed, PublicKey, WireProfile,
};
use zeroize::Zeroizing;

use crate::MAX_HOPS;
use crate::hop_keys::{
    FINAL_FLAG, FORWARD_FLAG, HopKeys, MAC_BYTES, POINT_BYTES, PayloadCipher, ROUTING_BYTES,
    SLOT_BYTES, STREAM_BYTES, VERSION,
};
use crate::node_keys::{NodeKeys, Product};

/// Bytes of the last hop's routing information: flag 1, version 3, destination 32, identifier 16.
const FINAL_BYTES: usize = 1 + 3 + 32 + 16;

/// Zeros in front of a plaintext, by which the recipient's side knows it. Behind it stand a one and
/// zeros.
const ZEROS: usize = 16;

/// A node that a packet passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Where it takes packets.
    pub address: NodeAddress,
    /// Its Sphinx key.
    pub key: PublicKey,
    /// How long the packet waits there. A final hop does not wait.
    pub delay: Duration,
}

/// The nodes that a packet passes, in order; the last is the provider of its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// 1 to [`MAX_HOPS`] of them.
    pub hops: Vec<Hop>,
}

impl Route {
    /// Where the packet goes first.
    pub fn first_hop(&self) -> Option<NodeAddress> {
        self.hops.first().map(|hop| hop.address)
    }

    /// The sum of its delays.
    pub fn delay(&self) -> Duration {
        self.hops.iter().map(|hop| hop.delay).sum()
    }
}

/// A packet cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A route without hops, or with more than a header holds.
    #[error("a route has {0} hops, expected 1 to {MAX_HOPS}")]
    Hops(usize),
    /// A delay of more than 584 years.
    #[error("a delay of {0:?} does not fit into a header")]
    Delay(Duration),
    /// No node has such a key, whatever its private key: no packet for it would ever be unwrapped.
    #[error("`{0}` on the route is not the key of any node")]
    Key(PublicKey),
    /// More than a payload holds.
    #[error("a plaintext has {bytes} bytes, a payload holds {most}")]
    Plaintext {
        /// Bytes that were to be sent.
        bytes: usize,
        /// Most that can be.
        most: usize,
    },
}

/// Builds packets, and faster the more it builds for the same nodes.
///
/// Clones share what they know of the nodes' keys, at most a megabyte: one per process is enough.
#[derive(Clone)]
pub struct PacketBuilder {
    profile: WireProfile,
    keys: Arc<NodeKeys>,
}

impl fmt::Debug for PacketBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PacketBuilder({:?}, {} tables)", self.profile, self.keys.tables())
    }
}

impl PacketBuilder {
    /// For packets of this format.
    pub fn new(profile: WireProfile) -> Self {
        Self { profile, keys: Arc::default() }
    }

    /// A packet for a client of the route's last hop.
    ///
    /// `destination` and `identifier` are what the last hop finds in the header, `plaintext` is at
    /// most [`WireProfile::plaintext_bytes`] long.
    pub fn build_packet(
        &self,
        rng: &mut impl CryptoRng,
        route: &Route,
        destination: &PublicKey,
        identifier: &Identifier,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, BuildError> {
        let mut packet = self.bare_packet(plaintext)?;
        let (header, payload) = parts(&mut packet);
        let keys = self.write_header(rng, route, destination, identifier, header)?;
        add_layers(payload, keys.iter().flatten().map(HopKeys::payload_seed));
        Ok(packet)
    }

    /// A packet whose payload is without layers, and whose header is zeros.
    pub(crate) fn bare_packet(&self, plaintext: &[u8]) -> Result<Vec<u8>, BuildError> {
        let most = self.profile.plaintext_bytes();
        if plaintext.len() > most {
            return Err(BuildError::Plaintext { bytes: plaintext.len(), most });
        }
        let mut packet = vec![0; self.profile.packet_bytes()];
        let (_, payload) = parts(&mut packet);
        let (text, padding) = payload[ZEROS..].split_at_mut(plaintext.len());
        text.copy_from_slice(plaintext);
        padding[0] = 1;
        Ok(packet)
    }

    /// The header alone, to be sent in front of another's payload: this is what a sender prepares so
    /// that the recipient's provider can acknowledge without learning where the sender is.
    pub fn build_header(
        &self,
        rng: &mut impl CryptoRng,
        route: &Route,
        destination: &PublicKey,
        identifier: &Identifier,
    ) -> Result<[u8; ACK_HEADER_BYTES], BuildError> {
        let mut header = [0; ACK_HEADER_BYTES];
        self.write_header(rng, route, destination, identifier, &mut header)?;
        Ok(header)
    }

    /// Writes a header over zeros; returns the keys of the hops.
    pub(crate) fn write_header(
        &self,
        rng: &mut impl CryptoRng,
        route: &Route,
        destination: &PublicKey,
        identifier: &Identifier,
        header: &mut [u8; HEADER_BYTES],
    ) -> Result<[Option<HopKeys>; MAX_HOPS], BuildError> {
        if !(1..=MAX_HOPS).contains(&route.hops.len()) {
            return Err(BuildError::Hops(route.hops.len()));
        }
        let mut delays = [0; MAX_HOPS];
        for (nanos, hop) in delays.iter_mut().zip(&route.hops) {
            let delay = u64::try_from(hop.delay.as_nanos());
            *nanos = delay.map_err(|_| BuildError::Delay(hop.delay))?;
        }
        let nodes = self.keys.of(&route.hops)?;

        let (point, rest) = header.split_at_mut(POINT_BYTES);
        let (mac, routing) = rest.split_at_mut(MAC_BYTES);
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *secret);
        let (mut product, first_point) = Product::new(&secret);
        point.copy_from_slice(&first_point);
        let mut streams = [[0; STREAM_BYTES]; MAX_HOPS];
        let mut hop_keys = [const { None }; MAX_HOPS];
        for ((node, stream), slot) in nodes.iter().flatten().zip(&mut streams).zip(&mut hop_keys) {
            let keys = HopKeys::expand(&node.multiply(&product));
            product.multiply(keys.blinding());
            *stream = keys.stream();
            *slot = Some(keys);
        }

        let last = route.hops.len() - 1;
        let (own, filler) = routing.split_at_mut(ROUTING_BYTES - last * SLOT_BYTES);
        fill(filler, &streams[..last]);
        own[0] = FINAL_FLAG;
        own[1..4].copy_from_slice(&version());
        own[4..36].copy_from_slice(destination.as_bytes());
        own[36..FINAL_BYTES].copy_from_slice(identifier);
        // Zeros would tell the last hop how long the route was.
        rng.fill_bytes(&mut own[FINAL_BYTES..]);
        hide(own, &streams[last]);
        let mut keys = hop_keys.iter().flatten().rev();
        let mut next_mac = keys.next().expect("there is a last hop").mac(routing);

        // From the last but one back to the first: each puts its own in front of what is there, and
        // pushes a slot out at the end, which the filler brings back.
        for (hop, keys) in (0..last).rev().zip(keys) {
            routing.copy_within(..ROUTING_BYTES - SLOT_BYTES, SLOT_BYTES);
            routing[0] = FORWARD_FLAG;
            routing[1..4].copy_from_slice(&version());
            routing[4..36].copy_from_slice(&route.hops[hop + 1].address.encode::<32>());
            routing[36..44].copy_from_slice(&delays[hop].to_be_bytes());
            routing[44..SLOT_BYTES].copy_from_slice(&next_mac);
            hide(routing, &streams[hop]);
            next_mac = keys.mac(routing);
        }
        mac.copy_from_slice(&next_mac);
        Ok(hop_keys)
    }
}

/// The header and the payload of a packet.
pub(crate) fn parts(packet: &mut [u8]) -> (&mut [u8; HEADER_BYTES], &mut [u8]) {
    packet.split_first_chunk_mut().expect("a packet is longer than its header")
}

/// Hides a payload under one layer for each hop of a route, whose seeds these are.
pub(crate) fn add_layers<'a>(
    payload: &mut [u8],
    seeds: impl DoubleEndedIterator<Item = &'a PayloadSeed>,
) {
    for seed in seeds.rev() {
        PayloadCipher::seeded(seed).encrypt(payload);
    }
}

/// The version in the three bytes of a slot.
fn version() -> [u8; 3] {
    let [high, low] = VERSION.to_be_bytes();
    [0, high, low]
}

/// Hides routing information, or shows it again.
fn hide(routing: &mut [u8], stream: &[u8]) {
    for (byte, hidden) in routing.iter_mut().zip(stream) {
        *byte ^= hidden;
    }
}

/// Writes over zeros what stands at the end of the last hop's routing information: the ends of the
/// streams with which the hops before fill up what they take off, each hiding what came before it.
fn fill(filler: &mut [u8], streams: &[[u8; STREAM_BYTES]]) {
    for (hop, stream) in streams.iter().enumerate() {
        let length = (hop + 1) * SLOT_BYTES;
        hide(&mut filler[..length], &stream[STREAM_BYTES - length..]);
    }
}

/// A packet by a builder that is used once, see [`PacketBuilder::build_packet`].
pub fn build_packet(
    rng: &mut impl CryptoRng,
    profile: WireProfile,
    route: &Route,
    destination: &PublicKey,
    identifier: &Identifier,
    plaintext: &[u8],
) -> Result<Vec<u8>, BuildError> {
    PacketBuilder::new(profile).build_packet(rng, route, destination, identifier, plaintext)
}

/// A packet from a prepared header: its payload is random, and stays so at every hop.
pub fn ack_packet(
    rng: &mut impl Rng,
    profile: WireProfile,
    header: &[u8; ACK_HEADER_BYTES],
) -> Vec<u8> {
    let mut packet = vec![0; profile.packet_bytes()];
    let (front, payload) = packet.split_at_mut(HEADER_BYTES);
    front.copy_from_slice(header);
    rng.fill_bytes(payload);
    packet
}
