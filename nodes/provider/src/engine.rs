//! The mixnet side of a provider: what to store for whom, and which acknowledgement to send once it
//! is stored. No sockets, no clock, no storage.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{AckTrace, PacketTrace, Print, Time};
use rand::Rng;
use runtime::{Network, Place, Places, Received, Traces, digits};
use sphinx::{
    HopProcessor, ReplaySet, UnwrapError, Unwrapped, ack_packet, print_of, recover_plaintext,
};
use wire::{ACK_HEADER_BYTES, HEADER_BYTES, Identifier, NodeAddress, Plaintext, PublicKey};

/// Why a packet was given up. The words are those of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Not a Sphinx packet, or its routing information makes no sense.
    Malformed,
    /// The MAC of the header is wrong.
    Mac,
    /// It came before.
    Replay,
    /// Its header has a version that this program does not know.
    Version,
    /// It wants to go on, and a provider is the end.
    ForwardHop,
    /// Nobody of that key is registered here.
    UnknownClient,
    /// As much waits for the client as may.
    MailboxFull,
    /// As much waits for all clients together as may.
    ProviderFull,
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
            Self::Replay => "replay",
            Self::Version => "version",
            Self::ForwardHop => "forward-hop",
            Self::UnknownClient => "unknown-client",
            Self::MailboxFull => "mailbox-full",
            Self::ProviderFull => "provider-full",
            Self::Storage => "storage",
            Self::AckHop => "ack-hop",
        }
    }
}

impl From<UnwrapError> for DropReason {
    fn from(error: UnwrapError) -> Self {
        match error {
            UnwrapError::Mac => Self::Mac,
            UnwrapError::Replay => Self::Replay,
            UnwrapError::Version(_) => Self::Version,
            UnwrapError::Length(_) | UnwrapError::Malformed => Self::Malformed,
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
    /// How its packet came; none where tracing is off.
    pub arrival: Option<Arrival>,
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it was taken from the link.
    pub came: Time,
    /// As it came.
    pub before: Print,
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
    /// None if replays are not looked for.
    replays: Option<ReplaySet>,
    places: Places,
    counters: Counters,
    /// Takes what becomes of packets; none where tracing is off.
    traces: Option<Traces>,
}

impl Provider {
    /// A provider with this key. Without a replay set it is as the original ones were: it takes a packet
    /// as often as it comes.
    pub fn new(processor: HopProcessor, replays: Option<ReplaySet>) -> Self {
        let (places, counters) = Default::default();
        Self { processor, replays, places, counters, traces: None }
    }

    /// The same where tracing is on, if it is.
    #[must_use]
    pub fn tracing(self, traces: Option<Traces>) -> Self {
        Self { traces, ..self }
    }

    /// Takes a new view of the network.
    pub fn set_network(&mut self, now: Time, network: &Network) {
        self.places.update(now, network);
    }

    /// Takes packets that have come; returns what to store, in their order.
    pub fn take(&mut self, now: Time, mut packets: Vec<Received>) -> Vec<Parcel> {
        self.counters.received += packets.len() as u64;
        let mut arrivals: Vec<Option<Arrival>> = vec![None; packets.len()];
        if self.traces.is_some() {
            // Now: taking off the layer changes them.
            for (arrival, Received { t, packet }) in arrivals.iter_mut().zip(&packets) {
                *arrival = Some(Arrival { came: *t, before: print_of(packet) });
            }
        }
        let mut outcomes = Vec::with_capacity(packets.len());
        let mut bytes: Vec<&mut [u8]> =
            packets.iter_mut().map(|received| received.packet.as_mut_slice()).collect();
        self.processor.unwrap_batch(
            &mut bytes,
            |tag| self.replays.as_mut().is_none_or(|replays| replays.insert(now, tag)),
            |_, outcome| outcomes.push(outcome),
        );
        let unwrapped = packets.into_iter().zip(arrivals).zip(outcomes);
        let parcels = unwrapped.filter_map(|((Received { packet, .. }, arrival), outcome)| {
            self.take_unwrapped(now, packet, arrival, outcome)
        });
        parcels.collect()
    }

    fn take_unwrapped(
        &mut self,
        now: Time,
        mut packet: Vec<u8>,
        arrival: Option<Arrival>,
        outcome: Result<Unwrapped, UnwrapError>,
    ) -> Option<Parcel> {
        let before = arrival.map(|arrival| arrival.before);
        match outcome {
            Ok(Unwrapped::Final { destination, identifier }) => {
                packet.drain(..HEADER_BYTES);
                let ack = prepared_ack(&packet);
                Some(Parcel { client: destination, identifier, payload: packet, ack, arrival })
            }
            Ok(Unwrapped::Forward { .. }) => {
                self.drop_packet(now, DropReason::ForwardHop, before);
                None
            }
            Err(error) => {
                self.drop_packet(now, error.into(), before);
                None
            }
        }
    }

    /// How far back every packet is remembered, so that a replayed one is noticed; none if replays are
    /// not looked for.
    pub fn replay_window(&self, now: Time) -> Option<Duration> {
        self.replays.as_ref().map(|replays| replays.window(now))
    }

    /// A parcel is safely stored now: returns the acknowledgement to send for it, if there is one.
    ///
    /// Its first hop must be a mixnode of layer 1: a sender must not be able to make a provider
    /// connect to any address it likes.
    pub fn stored(&mut self, now: Time, rng: &mut impl Rng, parcel: &Parcel) -> Option<AckToSend> {
        let ack = parcel.ack.as_ref().and_then(|ack| self.acknowledge(now, rng, ack));
        if let (Some(traces), Some(Arrival { came, before })) = (&self.traces, parcel.arrival) {
            let ack = ack.as_ref().map(|AckToSend { to, packet }| AckTrace {
                t: now,
                packet: print_of(packet),
                to: to.to_string(),
            });
            let client = parcel.client.to_string();
            let is_noise = ack.is_none() && recover_plaintext(&parcel.payload).is_none();
            let noise = is_noise.then(|| digits(&parcel.identifier));
            traces.push(PacketTrace::Kept { came, stored: now, before, client, ack, noise });
        }
        ack
    }

    fn acknowledge(
        &mut self,
        now: Time,
        rng: &mut impl Rng,
        ack: &PreparedAck,
    ) -> Option<AckToSend> {
        if !self.places.is(now, ack.first_hop.0, Place::Layer(1)) {
            let print = self.traces.is_some().then(|| print_of(&ack.header));
            self.drop_packet(now, DropReason::AckHop, print);
            return None;
        }
        self.counters.acks += 1;
        let packet = ack_packet(rng, self.processor.profile(), &ack.header);
        Some(AckToSend { to: ack.first_hop, packet })
    }

    /// A parcel could not be stored. Nobody acknowledges it, so its sender tries again.
    pub fn not_stored(&mut self, now: Time, parcel: &Parcel, reason: DropReason) {
        self.drop_packet(now, reason, parcel.arrival.map(|arrival| arrival.before));
    }

    fn drop_packet(&mut self, now: Time, reason: DropReason, before: Option<Print>) {
        *self.counters.dropped.entry(reason).or_default() += 1;
        if let (Some(traces), Some(before)) = (&self.traces, before) {
            traces.dropped(now, before, reason.word());
        }
    }

    /// Packets since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// The acknowledgement prepared in a payload. An acknowledgement's own payload is noise and has
/// none, which is what keeps providers from acknowledging acknowledgements.
fn prepared_ack(payload: &[u8]) -> Option<PreparedAck> {
    let plaintext = Plaintext::decode(recover_plaintext(payload)?).ok()?;
    Some(PreparedAck { first_hop: plaintext.ack_first_hop?, header: plaintext.ack_header })
}
