//! Building packets, and headers for acknowledgements.

use std::time::Duration;

use rand::{CryptoRng, Rng};
use sphinx_packet::SphinxPacketBuilder;
use sphinx_packet::header::delays::Delay;
use sphinx_packet::route::{Destination, DestinationAddressBytes, Node, NodeAddressBytes};
use wire::{ACK_HEADER_BYTES, HEADER_BYTES, Identifier, NodeAddress, PublicKey, WireProfile};
use x25519_dalek::StaticSecret;

use crate::MAX_HOPS;

/// The payload that is built beside a header of which only the header is wanted: as short as the
/// payload cipher allows.
const THROW_AWAY_PAYLOAD_BYTES: usize = 64;

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
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A route without hops, or with more than a header holds.
    #[error("a route has {0} hops, expected 1 to {MAX_HOPS}")]
    Hops(usize),
    /// A delay of more than 584 years.
    #[error("a delay of {0:?} does not fit into a header")]
    Delay(Duration),
    /// The Sphinx library refused.
    #[error("the Sphinx packet cannot be built: {0}")]
    Sphinx(#[from] sphinx_packet::Error),
}

/// A packet for a client of the route's last hop.
///
/// `destination` and `identifier` are what the last hop finds in the header, `plaintext` is at most
/// [`WireProfile::plaintext_bytes`] long.
pub fn build_packet(
    rng: &mut impl CryptoRng,
    profile: WireProfile,
    route: &Route,
    destination: &PublicKey,
    identifier: &Identifier,
    plaintext: &[u8],
) -> Result<Vec<u8>, BuildError> {
    let packet = build(rng, profile.payload_bytes, route, destination, identifier, plaintext)?;
    Ok(packet.to_bytes())
}

/// The header alone, to be sent in front of another's payload: this is what a sender prepares so
/// that the recipient's provider can acknowledge without learning where the sender is.
pub fn build_header(
    rng: &mut impl CryptoRng,
    route: &Route,
    destination: &PublicKey,
    identifier: &Identifier,
) -> Result<[u8; ACK_HEADER_BYTES], BuildError> {
    let packet = build(rng, THROW_AWAY_PAYLOAD_BYTES, route, destination, identifier, &[])?;
    let mut header = [0; ACK_HEADER_BYTES];
    header.copy_from_slice(&packet.header.to_bytes());
    Ok(header)
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

fn build(
    rng: &mut impl CryptoRng,
    payload_bytes: usize,
    route: &Route,
    destination: &PublicKey,
    identifier: &Identifier,
    plaintext: &[u8],
) -> Result<sphinx_packet::SphinxPacket, BuildError> {
    if !(1..=MAX_HOPS).contains(&route.hops.len()) {
        return Err(BuildError::Hops(route.hops.len()));
    }
    let mut nodes = Vec::with_capacity(route.hops.len());
    let mut delays = Vec::with_capacity(route.hops.len());
    for hop in &route.hops {
        let key = x25519_dalek::PublicKey::from(*hop.key.as_bytes());
        nodes.push(Node::new(NodeAddressBytes::from_bytes(hop.address.encode()), key));
        let nanos = hop.delay.as_nanos();
        let nanos = u64::try_from(nanos).map_err(|_| BuildError::Delay(hop.delay))?;
        delays.push(Delay::new_from_nanos(nanos));
    }
    let destination = DestinationAddressBytes::from_bytes(*destination.as_bytes());
    let destination = Destination::new(destination, *identifier);
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    let packet = SphinxPacketBuilder::new()
        .with_payload_size(payload_bytes)
        .with_initial_secret(&StaticSecret::from(secret))
        .build_packet(plaintext, &nodes, &destination, &delays)?;
    Ok(packet)
}
