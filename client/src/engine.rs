//! The client itself: when a packet leaves and what is in it, and what arriving packets mean. No
//! sockets, no clock.
//!
//! Two independent Poisson streams shape all traffic. The *slot* stream carries a fragment of a
//! message if one waits, otherwise cover; the *loop* stream always carries cover. Both kinds of
//! cover come back to the client. Nobody outside can tell the three apart.

mod arrive;
mod build;
mod compose;
mod output;
mod ping;
mod skip;
mod transit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::{Rates, Time, TrafficCounters, Transits};
use rand::{CryptoRng, RngExt};
use runtime::{Network, NodeSeed, Traces};
use sphinx::{OwnSeal, PacketBuilder, PrivateKey};
use wire::{ClientAddress, Identifier, MessageId, PublicKey};

use self::build::{Built, CannotBuild};
pub use self::compose::{ComposeError, Composed};
pub use self::output::Output;
use self::ping::Pings;
pub use self::ping::{MAX_PINGS, PingError, PingId};
pub use self::skip::{SkipError, Skipping};
use crate::choices::{Choices, Purpose};
use crate::health::Health;
use crate::outbox::{Next, Outbox, Outgoing, To, Way};
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
/// must not send a burst. Counted as `overload`, for a process that cannot keep up comes here too.
const MAX_BEHIND: Duration = Duration::from_secs(1);

/// Most acknowledgements of cover that are remembered.
const MAX_COVER_ACKS: usize = 4096;

/// How often acknowledgements of cover are looked through for those that will not come.
const COVER_ACKS_INTERVAL: Duration = Duration::from_secs(1);

/// Packets that are built at once. Building takes a fifth of a millisecond each: who falls behind must
/// still hear what arrives and what it is asked.
const MAX_BUILT_AT_ONCE: usize = 8;

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

/// A client.
#[derive(Debug)]
pub struct Client {
    key: PrivateKey,
    /// Seals cover, which is for nobody else.
    own_seal: OwnSeal,
    address: ClientAddress,
    settings: Settings,
    packets: PacketBuilder,
    network: Arc<Network>,
    choices: Choices,
    health: Health,
    outbox: Outbox,
    next_slot: Option<Time>,
    next_loop: Option<Time>,
    probe: Probe,
    pings: Pings,
    /// From when on what is not acknowledged goes again; never while the provider is out of reach, for
    /// then acknowledgements wait there.
    expires_from: Option<Time>,
    /// Acknowledgements of cover that are underway, with the moment at which they are forgotten.
    cover_acks: BTreeMap<Identifier, Time>,
    cover_acks_seen: Time,
    counters: TrafficCounters,
    received: u64,
    dropped: BTreeMap<&'static str, u64>,
    /// When the streams began; none until then.
    began: Option<Time>,
    /// How long cover took, since this was last taken.
    transits: Transits,
    /// Takes what becomes of packets; none where tracing is off.
    traces: Option<Traces>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Slot,
    Loop,
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
            own_seal: key.own_seal(),
            key,
            settings,
            packets,
            network: Arc::default(),
            choices: Choices::default(),
            health: Health::default(),
            outbox: Outbox::default(),
            next_slot: None,
            next_loop: None,
            probe: Probe::NotSent,
            pings: Pings::default(),
            expires_from: None,
            cover_acks: BTreeMap::new(),
            cover_acks_seen: Time::default(),
            counters: TrafficCounters::default(),
            received: 0,
            dropped: BTreeMap::new(),
            began: None,
            transits: Transits::default(),
            traces: None,
        }
    }

    /// Draws its intervals, routes and delays from this seed, if there is one, and not from the random
    /// numbers that it is given. The keys of its packets and all identifiers still come from those.
    #[must_use]
    pub fn seeded(self, seed: Option<NodeSeed>) -> Self {
        Self { choices: Choices::of(seed), ..self }
    }

    /// The same where tracing is on, if it is: [`Output::Sent`] tells more, and cover that is sent and
    /// what is opened are told.
    #[must_use]
    pub fn tracing(self, traces: Option<Traces>) -> Self {
        Self { traces, ..self }
    }

    /// Where it can be reached.
    pub fn address(&self) -> ClientAddress {
        self.address
    }

    /// Takes a new view of the network.
    pub fn set_network(&mut self, network: Arc<Network>) {
        self.health.retain(&network, self.settings.layers);
        self.network = network;
    }

    /// Goes on with other rates, from the next packet on. What is underway keeps the delays that it was
    /// sent with, and is waited for accordingly.
    pub fn set_rates(&mut self, now: Time, rng: &mut impl CryptoRng, rates: Rates) {
        let before = std::mem::replace(&mut self.settings.rates, rates);
        for (next, purpose, before, mean) in [
            (&mut self.next_slot, Purpose::SlotInterval, before.slot, rates.slot),
            (&mut self.next_loop, Purpose::LoopInterval, before.loop_cover, rates.loop_cover),
        ] {
            // A Poisson stream has no memory: whenever one looks, the time to its next event has the
            // same distribution. So that is drawn anew, and there is no interval between old and new.
            // What is due already belongs to the time before.
            if before != mean && next.is_some_and(|due| due > now) {
                *next = Some(now + exponential(&mut self.choices.next(purpose, rng), mean));
            }
        }
    }

    /// The provider delivers from now on, or does not any more.
    pub fn set_online(&mut self, now: Time, online: bool) {
        self.expires_from = online.then(|| now + ACKS_FIRST);
    }

    /// What is due, or as much of it as can be built without being deaf for long. The first call
    /// starts the streams.
    pub fn poll(&mut self, now: Time, rng: &mut impl CryptoRng) -> Vec<Output> {
        let mut outputs = Vec::new();
        self.began.get_or_insert(now);
        self.poll_probe(now, rng, &mut outputs);
        self.pings.expire(now, &mut outputs);
        let mut failed = Vec::new();
        if self.expires_from.is_some_and(|from| from <= now) {
            let missed = self.outbox.miss(now);
            self.health.missed(now, &missed.mixnodes);
            failed = missed.failed;
        }
        let Self { outbox, network, .. } = self;
        failed.extend(outbox.expire(now, |way| is_there(network, way)));
        outputs.extend(failed.into_iter().map(|(message, why)| {
            let reason = why.to_string();
            Output::Failed { message, reason }
        }));
        let Rates { slot, loop_cover, .. } = self.settings.rates;
        for _ in 0..MAX_BUILT_AT_ONCE / 2 {
            let slot_is_due = self.advance(now, rng, Stream::Slot, slot);
            if slot_is_due {
                self.fire_slot(now, rng, &mut outputs);
            }
            let loop_is_due = self.advance(now, rng, Stream::Loop, loop_cover);
            if loop_is_due && self.send_cover(now, rng, Purpose::Loop, &mut outputs) {
                self.counters.loops += 1;
            }
            if !slot_is_due && !loop_is_due {
                break;
            }
        }
        if now.saturating_since(self.cover_acks_seen) >= COVER_ACKS_INTERVAL {
            self.cover_acks_seen = now;
            self.cover_acks.retain(|_, until| *until > now);
        }
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
        let pings = self.pings.next_deadline();
        [self.next_slot, self.next_loop, expiry, probe, pings].into_iter().flatten().min()
    }

    /// Why packets do not pass, as a sentence without a full stop; none if they do.
    pub fn waiting_for(&self) -> Option<String> {
        if let Some(layer) = self.network.missing_layer(self.settings.layers) {
            return Some(NoRoute::Layer(layer).to_string());
        }
        let provider = self.address.provider;
        if self.network.provider(&provider).is_none() {
            return Some(NoRoute::Provider(provider).to_string());
        }
        (self.probe != Probe::Returned).then(|| "the probe packet has not come back".into())
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

    /// Counts something that is given up.
    pub fn count_drop(&mut self, reason: &'static str) {
        *self.dropped.entry(reason).or_default() += 1;
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
        if let Ok(built) = self.build_cover(now, rng, Purpose::Probe, id, Duration::ZERO) {
            outputs.push(self.send_built_cover(now, built));
            self.probe = Probe::Underway { id, sent: now };
        } else {
            // Nothing is sent while there is no route, and no wake-up is needed: the network changes
            // first.
            self.probe = Probe::NotSent;
        }
    }

    fn fire_slot(&mut self, now: Time, rng: &mut impl CryptoRng, outputs: &mut Vec<Output>) {
        if self.send_ping(now, rng, outputs) {
            self.counters.cover += 1;
            return;
        }
        // Without a route back to itself there is no cover, and real packets alone would be seen.
        let next = if self.is_connected() {
            let Self { outbox, network, .. } = self;
            outbox.next(|way| is_there(network, way))
        } else {
            None
        };
        let sent = match next {
            Some(next) => self.send_fragment(now, rng, &next, outputs),
            None => false,
        };
        let covers = !sent && self.settings.rates.slot_cover;
        if covers && self.send_cover(now, rng, Purpose::Cover, outputs) {
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
        let Next { fragment, to, attempt, .. } = next;
        let (message, attempt) = (fragment.message, *attempt);
        let mut built = match self.build_fragment(now, rng, next) {
            Ok(built) => built,
            // Another route is chosen at the next slot.
            Err(CannotBuild::NoRoute(_) | CannotBuild::Hop(_)) => return false,
            Err(CannotBuild::Recipient(error)) => {
                self.outbox.remove(message);
                let reason = format!("the recipient's key is no use: {error}");
                outputs.push(Output::Failed { message, reason });
                return false;
            }
        };
        if attempt == 1 {
            self.counters.real += 1;
        } else {
            self.counters.retransmitted += 1;
        }
        if let To::Block(block, _) = *to {
            outputs.push(Output::BlockUsed { message, block });
        }
        let fragment = fragment.index;
        let trace = built.take_trace();
        let (send, route, awaited) = built.into_parts();
        let finished = self.outbox.sent(next, awaited);
        outputs.extend([send, Output::Sent { message, fragment, attempt, route, trace }]);
        if finished {
            outputs.push(Output::Finished { message });
        }
        true
    }

    /// Sends cover to itself; says whether there was a route.
    fn send_cover(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        purpose: Purpose,
        outputs: &mut Vec<Output>,
    ) -> bool {
        let id = MessageId(rng.random());
        let delay = self.settings.rates.hop_delay;
        let Ok(built) = self.build_cover(now, rng, purpose, id, delay) else {
            self.count_drop("no-route");
            return false;
        };
        outputs.push(self.send_built_cover(now, built));
        true
    }

    /// Moves a Poisson stream on if it is due; says whether it was. The next moment counts from the last
    /// one and not from now, so that late wake-ups do not slow the stream down.
    fn advance(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        stream: Stream,
        mean: Duration,
    ) -> bool {
        let (next, purpose) = match stream {
            Stream::Slot => (&mut self.next_slot, Purpose::SlotInterval),
            Stream::Loop => (&mut self.next_loop, Purpose::LoopInterval),
        };
        let mut interval = || exponential(&mut self.choices.next(purpose, rng), mean);
        match *next {
            Some(due) if due > now => false,
            Some(due) if now.saturating_since(due) <= MAX_BEHIND => {
                *next = Some(due + interval());
                true
            }
            behind => {
                *next = Some(now + interval());
                if behind.is_some() {
                    self.count_drop("overload");
                }
                false
            }
        }
    }

    fn send_built_cover(&mut self, now: Time, built: Built) -> Output {
        if let Some(traces) = &self.traces {
            traces.covered(now, built.print());
        }
        let (send, _, awaited) = built.into_parts();
        if let Some(awaited) = awaited
            && self.cover_acks.len() < MAX_COVER_ACKS
        {
            // Twice as long as a fragment's: nothing is sent again, so late ones do no harm.
            let until = awaited.deadline + awaited.deadline.saturating_since(now);
            self.cover_acks.insert(awaited.identifier, until);
        }
        send
    }

    /// Whether packets from this client can come back to it right now.
    fn is_connected(&self) -> bool {
        self.network.missing_layer(self.settings.layers).is_none()
            && is_there(&self.network, Way::Provider(&self.address.provider))
    }
}

fn is_there(network: &Network, way: Way<'_>) -> bool {
    match way {
        Way::Provider(key) => network.provider(key).is_some(),
        // Somebody else says where a reply goes first: only where packets of this client go too.
        Way::FirstHop(address) => network.layer(1).iter().any(|node| node.address == *address),
    }
}
