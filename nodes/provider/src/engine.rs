//! The mixnet side of a provider: what to store for whom, and which acknowledgement to send once it
//! is stored. No sockets, no clock, no storage.

use std::collections::BTreeMap;

use contract::Time;
use rand::Rng;
use runtime::{Network, Place, Places};
use sphinx::{HopProcessor, UnwrapError, Unwrapped, ack_packet, recover_plaintext};
use wire::{ACK_HEADER_BYTES, Identifier, NodeAddress, Plaintext, PublicKey};

/// Why a packet was given up. The words are those of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Not a Sphinx packet, or its routing information makes no sense.
    Malformed,
    /// The MAC of the header is wrong.
    Mac,
    /// It wants to go on, and a provider is the end.
    ForwardHop,
    /// Nobody of that key is registered here.
    UnknownClient,
    /// The client's mailbox is full.
    MailboxFull,
    /// The mailbox could not write.
    Storage,
    /// An acknowledgement's first hop is no mixnode of layer 1.
    AckHop,
}

impl DropReason {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Mac => "mac",
            Self::ForwardHop => "forward-hop",
            Self::UnknownClient => "unknown-client",
            Self::MailboxFull => "mailbox-full",
            Self::Storage => "storage",
            Self::AckHop => "ack-hop",
        }
    }
}

/// An acknowledgement that a sender prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedAck {
    first_hop: NodeAddress,
    header: [u8; ACK_HEADER_BYTES],
}

/// Something to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// For this client.
    pub client: PublicKey,
    /// The identifier of the final hop.
    pub identifier: Identifier,
    /// The payload as Sphinx left it.
    pub payload: Vec<u8>,
    /// To be sent once it is safely stored; none for what is itself an acknowledgement.
    pub ack: Option<PreparedAck>,
}

/// A packet to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckToSend {
    /// To this mixnode of layer 1.
    pub to: NodeAddress,
    /// The packet.
    pub packet: Vec<u8>,
}

/// Packets since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Taken from links, those that are dropped included.
    pub received: u64,
    /// Acknowledgements sent.
    pub acks: u64,
    /// Given up, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
}

/// The mixnet side of a provider.
#[derive(Debug)]
pub struct Provider {
    processor: HopProcessor,
    places: Places,
    counters: Counters,
}

impl Provider {
    /// A provider with this key.
    pub fn new(processor: HopProcessor) -> Self {
        Self { processor, places: Places::default(), counters: Counters::default() }
    }

    /// Takes a new view of the network.
    pub fn set_network(&mut self, now: Time, network: &Network) {
        self.places.update(now, network);
    }

    /// Takes a packet; returns what to store.
    pub fn take(&mut self, packet: &[u8]) -> Option<Parcel> {
        self.counters.received += 1;
        match self.processor.unwrap(packet) {
            Ok(Unwrapped::Final { destination, identifier, payload }) => {
                let ack = prepared_ack(&payload);
                Some(Parcel { client: destination, identifier, payload, ack })
            }
            Ok(Unwrapped::Forward { .. }) => {
                self.drop_packet(DropReason::ForwardHop);
                None
            }
            Err(UnwrapError::Mac) => {
                self.drop_packet(DropReason::Mac);
                None
            }
            Err(_) => {
                self.drop_packet(DropReason::Malformed);
                None
            }
        }
    }

    /// The packet to send for a parcel that is safely stored now.
    ///
    /// Its first hop must be a mixnode of layer 1: a sender must not be able to make a provider
    /// connect to any address it likes.
    pub fn acknowledge(
        &mut self,
        now: Time,
        rng: &mut impl Rng,
        ack: &PreparedAck,
    ) -> Option<AckToSend> {
        if self.places.find(now, ack.first_hop.0) != Some(Place::Layer(1)) {
            self.drop_packet(DropReason::AckHop);
            return None;
        }
        self.counters.acks += 1;
        let packet = ack_packet(rng, self.processor.profile(), &ack.header);
        Some(AckToSend { to: ack.first_hop, packet })
    }

    /// Counts a parcel that could not be stored. Nobody acknowledges it, so its sender tries again.
    pub fn drop_packet(&mut self, reason: DropReason) {
        *self.counters.dropped.entry(reason).or_default() += 1;
    }

    /// Packets since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// The acknowledgement prepared in a payload. An acknowledgement's own payload is noise and has
/// none, which is what keeps providers from acknowledging acknowledgements.
fn prepared_ack(payload: &[u8]) -> Option<PreparedAck> {
    let plaintext = Plaintext::decode(&recover_plaintext(payload)?).ok()?;
    Some(PreparedAck { first_hop: plaintext.ack_first_hop?, header: plaintext.ack_header })
}
