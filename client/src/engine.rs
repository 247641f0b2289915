//! The client itself: when a packet leaves and what is in it, and what arriving packets mean. No
//! sockets, no clock.
//!
//! Two independent Poisson streams shape all traffic. The *slot* stream carries a fragment of a
//! message if one waits, otherwise cover; the *loop* stream always carries cover. Both kinds of
//! cover come back to the client. Nobody outside can tell the three apart.

mod build;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::{Rates, Time, TrafficCounters};
use rand::{CryptoRng, RngExt};
use runtime::Network;
use sphinx::{PacketBuilder, PrivateKey, open, recover_plaintext};
use wire::{
    ClientAddress, Fragment, Identifier, Kind, MessageId, NodeAddress, Plaintext, PublicKey,
    Reassembler, Reassembly,
};

use self::build::{Built, CannotBuild};
use crate::outbox::{MAX_ATTEMPTS, Next, Outbox, SendError};
use crate::poisson::exponential;
use crate::route::NoRoute;

/// What seals a packet's content to its recipient, and nothing else.
const PURPOSE: &[u8] = b"nym-devnet packet 1";

/// Added to one and a half times the known delays of a packet and its acknowledgement before the
/// packet goes again: processing, queues, and a provider that is just being restarted.
const ACK_MARGIN: Duration = Duration::from_millis(1500);

/// How long the probe that shows readiness may take before another is sent. It asks for no delays.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long after the provider is back nothing goes again: acknowledgements that it kept come first.
const ACKS_FIRST: Duration = Duration::from_secs(1);

/// A stream that is behind by more than this starts anew: a process that was stopped and goes on
/// must not send a burst.
const MAX_BEHIND: Duration = Duration::from_secs(1);

/// Most acknowledgements of cover that are remembered.
const MAX_COVER_ACKS: usize = 4096;

/// The identifier of packets that are not acknowledgements.
const NO_IDENTIFIER: Identifier = [0; 16];

/// How a client behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Mean intervals and delays.
    pub rates: Rates,
    /// Mix layers of the network. Configured, never guessed from what is present: a network that
    /// lost its last layer must not be taken for a shorter one.
    pub layers: u8,
    /// Whether packets carry a prepared acknowledgement, and go again without it.
    pub acks: bool,
}

/// What a client wants done, or tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this packet.
    Send {
        /// To this mixnode of layer 1.
        to: NodeAddress,
        /// The packet.
        packet: Vec<u8>,
    },
    /// A packet of a message left.
    Sent {
        /// The message.
        message: MessageId,
        /// Which fragment, from 0.
        fragment: u32,
        /// 1 for the first time.
        attempt: u32,
        /// Mixnodes in order, then the provider.
        route: Vec<NodeAddress>,
    },
    /// A fragment's acknowledgement came back.
    Acknowledged {
        /// The message.
        message: MessageId,
        /// Which fragment, from 0.
        fragment: u32,
    },
    /// A message is given up.
    Failed {
        /// The message.
        message: MessageId,
        /// Why, as a sentence without a full stop.
        reason: String,
    },
    /// A message arrived.
    Received {
        /// The message.
        message: MessageId,
        /// The whole of it.
        data: Vec<u8>,
    },
    /// The probe came back: packets pass from here to here.
    Ready {
        /// How long the probe took.
        took: Duration,
    },
}

/// A client.
#[derive(Debug)]
pub struct Client {
    key: PrivateKey,
    address: ClientAddress,
    settings: Settings,
    packets: PacketBuilder,
    network: Arc<Network>,
    outbox: Outbox,
    reassembler: Reassembler,
    next_slot: Option<Time>,
    next_loop: Option<Time>,
    probe: Probe,
    /// From when on what is not acknowledged goes again; never while the provider is out of reach, for
    /// then acknowledgements wait there.
    expires_from: Option<Time>,
    /// Acknowledgements of cover that are underway, with the moment at which they are forgotten.
    cover_acks: BTreeMap<Identifier, Time>,
    counters: TrafficCounters,
    received: u64,
    dropped: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    NotSent,
    Underway { id: MessageId, sent: Time },
    Returned,
}

impl Client {
    /// A client of the provider with this key. `packets` builds what it sends, and is best a clone of
    /// that of the other clients in the process.
    pub fn new(
        key: PrivateKey,
        provider: PublicKey,
        settings: Settings,
        packets: PacketBuilder,
    ) -> Self {
        Self {
            address: ClientAddress { client: key.public(), provider },
            key,
            settings,
            packets,
            network: Arc::default(),
            outbox: Outbox::default(),
            reassembler: Reassembler::default(),
            next_slot: None,
            next_loop: None,
            probe: Probe::NotSent,
            expires_from: None,
            cover_acks: BTreeMap::new(),
            counters: TrafficCounters::default(),
            received: 0,
            dropped: BTreeMap::new(),
        }
    }

    /// Where it can be reached.
    pub fn address(&self) -> ClientAddress {
        self.address
    }

    /// Takes a new view of the network.
    pub fn set_network(&mut self, network: Arc<Network>) {
        self.network = network;
    }

    /// The provider delivers from now on, or does not any more.
    pub fn set_online(&mut self, now: Time, online: bool) {
        self.expires_from = online.then(|| now + ACKS_FIRST);
    }

    /// Gives up everything that is not done, because of this.
    pub fn abandon(&mut self, reason: &str) -> Vec<Output> {
        let failed = |message| Output::Failed { message, reason: reason.into() };
        self.outbox.abandon().into_iter().map(failed).collect()
    }

    /// The address that a text means: `client@provider`, or a bare key of a client that a provider
    /// in the directory names.
    pub fn resolve(&self, text: &str) -> Result<ClientAddress, String> {
        if text.contains('@') {
            return text.parse().map_err(|error: wire::KeyError| error.to_string());
        }
        let client: PublicKey = text.parse().map_err(|error: wire::KeyError| error.to_string())?;
        match self.network.provider_of(&client) {
            Some(provider) => Ok(ClientAddress { client, provider: provider.key }),
            None => Err(format!("no provider in the directory has a client {client}")),
        }
    }

    /// Accepts a message; returns its id and the number of its fragments.
    pub fn send(
        &mut self,
        rng: &mut impl CryptoRng,
        to: ClientAddress,
        data: &[u8],
    ) -> Result<(MessageId, u32), SendError> {
        let message = MessageId(rng.random());
        self.outbox.accept(message, to, data).map(|fragments| (message, fragments))
    }

    /// Everything that is due. The first call starts the streams.
    pub fn poll(&mut self, now: Time, rng: &mut impl CryptoRng) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.poll_probe(now, rng, &mut outputs);
        if self.expires_from.is_some_and(|from| from <= now) {
            for message in self.outbox.expire(now) {
                let reason = format!("not acknowledged after {MAX_ATTEMPTS} attempts");
                outputs.push(Output::Failed { message, reason });
            }
        }
        let Self { outbox, network, settings, .. } = self;
        let reachable = |to: &ClientAddress| is_reachable(network, settings.layers, to);
        for (message, to) in outbox.expire_blocked(now, reachable) {
            let missing = network.missing_layer(settings.layers).map(NoRoute::Layer);
            let reason = missing.unwrap_or(NoRoute::Provider(to.provider)).to_string();
            outputs.push(Output::Failed { message, reason });
        }
        let Rates { slot, loop_cover, .. } = self.settings.rates;
        while advance(&mut self.next_slot, now, slot, rng) {
            self.fire_slot(now, rng, &mut outputs);
        }
        while advance(&mut self.next_loop, now, loop_cover, rng) {
            if self.send_cover(now, rng, &mut outputs) {
                self.counters.loops += 1;
            }
        }
        self.cover_acks.retain(|_, until| *until > now);
        outputs
    }

    /// When to poll next.
    pub fn next_wake(&self) -> Option<Time> {
        let probe = match self.probe {
            Probe::Underway { sent, .. } => Some(sent + PROBE_TIMEOUT),
            Probe::NotSent | Probe::Returned => None,
        };
        let expiry = self.expires_from.zip(self.outbox.next_deadline());
        let expiry = expiry.map(|(from, deadline)| deadline.max(from));
        [self.next_slot, self.next_loop, expiry, probe].into_iter().flatten().min()
    }

    /// Takes a packet that the provider delivered.
    pub fn deliver(&mut self, now: Time, identifier: &Identifier, payload: &[u8]) -> Vec<Output> {
        self.received += 1;
        if *identifier != NO_IDENTIFIER {
            return self.take_ack(identifier).into_iter().collect();
        }
        let opened = recover_plaintext(payload)
            .and_then(|bytes| Plaintext::decode(bytes).ok())
            .and_then(|plaintext| open(&self.key, PURPOSE, &plaintext.sealed).ok())
            .and_then(|bytes| Fragment::decode(&bytes).ok());
        let Some(fragment) = opened else {
            self.drop_packet("malformed");
            return Vec::new();
        };
        match fragment.kind {
            Kind::LoopCover => self.take_cover(now, fragment.message).into_iter().collect(),
            Kind::Message => match self.reassembler.take(fragment) {
                Ok(Reassembly::Complete { message, data }) => {
                    vec![Output::Received { message, data }]
                }
                Ok(Reassembly::Incomplete) => Vec::new(),
                Ok(Reassembly::Duplicate) => {
                    self.drop_packet("duplicate");
                    Vec::new()
                }
                Err(_) => {
                    self.drop_packet("malformed");
                    Vec::new()
                }
            },
        }
    }

    /// Why packets do not pass yet, as a sentence without a full stop; none once the probe came back.
    pub fn waiting_for(&self) -> Option<String> {
        if self.probe == Probe::Returned {
            return None;
        }
        if let Some(layer) = self.network.missing_layer(self.settings.layers) {
            return Some(NoRoute::Layer(layer).to_string());
        }
        let provider = self.address.provider;
        if self.network.provider(&provider).is_none() {
            return Some(NoRoute::Provider(provider).to_string());
        }
        Some("the probe packet has not come back".into())
    }

    /// Packets sent and returned since the start.
    pub fn counters(&self) -> TrafficCounters {
        TrafficCounters {
            queued: self.outbox.queued() as u64,
            unacknowledged: self.outbox.unacknowledged() as u64,
            ..self.counters
        }
    }

    /// Packets that the provider delivered since the start.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Packets given up since the start, by reason.
    pub fn dropped(&self) -> &BTreeMap<&'static str, u64> {
        &self.dropped
    }

    fn drop_packet(&mut self, reason: &'static str) {
        *self.dropped.entry(reason).or_default() += 1;
    }

    fn take_ack(&mut self, identifier: &Identifier) -> Option<Output> {
        if let Some(acknowledged) = self.outbox.acknowledge(identifier) {
            self.counters.acks_returned += 1;
            let fragment = acknowledged.index;
            return Some(Output::Acknowledged { message: acknowledged.message, fragment });
        }
        if self.cover_acks.remove(identifier).is_some() {
            self.counters.acks_returned += 1;
        } else {
            self.drop_packet("unknown-ack");
        }
        None
    }

    fn take_cover(&mut self, now: Time, cover: MessageId) -> Option<Output> {
        match self.probe {
            Probe::Underway { id, sent } if id == cover => {
                self.probe = Probe::Returned;
                Some(Output::Ready { took: now.saturating_since(sent) })
            }
            _ => {
                self.counters.loops_returned += 1;
                None
            }
        }
    }

    fn poll_probe(&mut self, now: Time, rng: &mut impl CryptoRng, outputs: &mut Vec<Output>) {
        let due = match self.probe {
            Probe::NotSent => true,
            Probe::Underway { sent, .. } => sent + PROBE_TIMEOUT <= now,
            Probe::Returned => false,
        };
        if !due {
            return;
        }
        // One id for all attempts: a probe that comes back late has come back.
        let id = match self.probe {
            Probe::Underway { id, .. } => id,
            Probe::NotSent | Probe::Returned => MessageId(rng.random()),
        };
        let cover = cover(id);
        if let Ok(built) = self.build(now, rng, self.address, &cover, Duration::ZERO) {
            self.remember_cover_ack(now, &built);
            outputs.push(built.output());
            self.probe = Probe::Underway { id, sent: now };
        } else {
            // Nothing is sent while there is no route, and no wake-up is needed: the network changes
            // first.
            self.probe = Probe::NotSent;
        }
    }

    fn fire_slot(&mut self, now: Time, rng: &mut impl CryptoRng, outputs: &mut Vec<Output>) {
        let Self { outbox, network, settings, address, .. } = self;
        // Without a route back to itself there is no cover, and real packets alone would be seen.
        let next = if is_reachable(network, settings.layers, address) {
            outbox.next(|to| is_reachable(network, settings.layers, to))
        } else {
            None
        };
        let sent = match next {
            Some(next) => self.send_fragment(now, rng, &next, outputs),
            None => false,
        };
        if !sent && self.send_cover(now, rng, outputs) {
            self.counters.cover += 1;
        }
    }

    /// Sends a fragment; says whether the slot was used.
    fn send_fragment(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        next: &Next,
        outputs: &mut Vec<Output>,
    ) -> bool {
        let (message, fragment, attempt) = (next.message, next.index, next.attempt);
        let mean_delay = self.settings.rates.hop_delay;
        match self.build(now, rng, next.to, &next.fragment, mean_delay) {
            Ok(built) => {
                self.outbox.sent(next, built.ack);
                if attempt == 1 {
                    self.counters.real += 1;
                } else {
                    self.counters.retransmitted += 1;
                }
                let route = built.route.hops.iter().map(|hop| hop.address).collect();
                outputs.push(built.output());
                outputs.push(Output::Sent { message, fragment, attempt, route });
                true
            }
            // Another route is chosen at the next slot.
            Err(CannotBuild::NoRoute | CannotBuild::Hop(_)) => false,
            Err(CannotBuild::Recipient(error)) => {
                self.outbox.fail(message);
                let reason = format!("the recipient's address is no use: {error}");
                outputs.push(Output::Failed { message, reason });
                false
            }
        }
    }

    /// Sends cover to itself; says whether there was a route.
    fn send_cover(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        outputs: &mut Vec<Output>,
    ) -> bool {
        let cover = cover(MessageId(rng.random()));
        let Ok(built) = self.build(now, rng, self.address, &cover, self.settings.rates.hop_delay)
        else {
            self.drop_packet("no-route");
            return false;
        };
        self.remember_cover_ack(now, &built);
        outputs.push(built.output());
        true
    }

    fn remember_cover_ack(&mut self, now: Time, built: &Built) {
        if let Some((identifier, deadline)) = built.ack
            && self.cover_acks.len() < MAX_COVER_ACKS
        {
            // Twice as long as a fragment's: nothing is sent again, so late ones do no harm.
            self.cover_acks.insert(identifier, deadline + deadline.saturating_since(now));
        }
    }
}

/// Whether a packet can be sent to this client right now.
fn is_reachable(network: &Network, layers: u8, to: &ClientAddress) -> bool {
    network.missing_layer(layers).is_none() && network.provider(&to.provider).is_some()
}

fn cover(message: MessageId) -> Fragment {
    Fragment { kind: Kind::LoopCover, message, index: 0, count: 1, data: Vec::new() }
}

/// Moves a Poisson stream on if it is due; says whether it was. The next moment counts from the
/// last one and not from now, so that late wake-ups do not slow the stream down.
fn advance(next: &mut Option<Time>, now: Time, mean: Duration, rng: &mut impl CryptoRng) -> bool {
    match *next {
        Some(due) if due > now => false,
        Some(due) if now.saturating_since(due) <= MAX_BEHIND => {
            *next = Some(due + exponential(rng, mean));
            true
        }
        _ => {
            *next = Some(now + exponential(rng, mean));
            false
        }
    }
}
