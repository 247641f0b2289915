//! One identity at work: the engine with its provider, its clock, its links and its journal.

mod receiving;
mod sending;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{Deed, Event, MessageEvent, MessageStage, Time, TrafficCounters, Transits};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rand::rngs::StdRng;
use runtime::{Links, Network, NodeSeed, Reporter, Timer, Traces, clock};
use sphinx::{PacketBuilder, PrivateKey};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use wire::{ClientAddress, Fragment, Identifier, MessageId, PublicKey};

use self::receiving::{Keep, kept};
use self::sending::Accept;
use crate::asks::{Ask, Fate, Pong};
use crate::outbox::Outgoing;
use crate::provider_link::{LinkState, ProviderLink};
use crate::storage::Storage;
use crate::{Client, Output, PingId, Settings, Skipping};

/// Deliveries that wait for the engine; beyond, the provider keeps them.
const MAX_WAITING_DELIVERIES: usize = 64;

/// Confirmations that wait to be sent. As many as a provider lets go unconfirmed.
const MAX_WAITING_CONFIRMATIONS: usize = wire::MAX_CONFIRMATIONS;

/// Messages that are being written into the journal at once. Each waits for a commit, and one commit
/// serves many.
const MAX_ACCEPTING: usize = 64;

/// How long a leaving client waits for the acknowledgements of what it has sent.
const DRAIN_LIMIT: Duration = Duration::from_secs(3);

/// What an identity has counted, for whoever reports it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) traffic: TrafficCounters,
    pub(crate) received: u64,
    pub(crate) transits: Transits,
    pub(crate) dropped: BTreeMap<&'static str, u64>,
    /// Why it is not ready; none if it is.
    pub(crate) waiting_for: Option<String>,
}

/// What identities of one process share.
#[derive(Clone)]
pub(crate) struct Shared {
    /// What may be changed while identities work.
    pub(crate) settings: watch::Receiver<Settings>,
    pub(crate) packets: PacketBuilder,
    pub(crate) networks: watch::Receiver<Arc<Network>>,
    pub(crate) links: Links,
    pub(crate) timer: Arc<Timer>,
    pub(crate) reporter: Reporter,
    /// Takes what becomes of packets; none where tracing is off.
    pub(crate) traces: Option<Traces>,
}

/// What an identity keeps on disk, and what a former process has left there. One of a crowd has
/// none: it sends no messages, and takes none.
pub(crate) struct Journal {
    pub(crate) storage: Storage,
    pub(crate) outgoing: Vec<Outgoing>,
}

/// An identity that is about to work.
pub(crate) struct Identity {
    pub(crate) key: PrivateKey,
    /// What its choices are drawn from; none if from the system.
    pub(crate) seed: Option<NodeSeed>,
    /// Its provider, once one is chosen.
    pub(crate) provider: watch::Receiver<Option<PublicKey>>,
    pub(crate) rng: StdRng,
    pub(crate) shared: Shared,
    pub(crate) asks: mpsc::Receiver<Ask>,
    pub(crate) journal: Option<Journal>,
    pub(crate) tally: Arc<Mutex<Tally>>,
    /// Told when the tally says something new about readiness.
    pub(crate) changed: Arc<tokio::sync::Notify>,
}

impl Identity {
    /// Works until it is asked to leave.
    pub(crate) async fn run(self) {
        let Self { key, seed, mut provider, rng, shared, mut asks, journal, tally, changed } = self;
        let networks = shared.networks.clone();
        let provider = tokio::select! {
            // What is asked once there is a provider is for the driver.
            biased;
            chosen = provider.wait_for(Option::is_some) => match chosen.map(|chosen| *chosen) {
                Ok(Some(provider)) => provider,
                Ok(None) | Err(_) => return,
            },
            () = answer_without_provider(&mut asks, &networks) => return,
        };
        let (deliveries, mut delivered) = mpsc::channel(MAX_WAITING_DELIVERIES);
        let (confirmations, to_confirm) = mpsc::channel(MAX_WAITING_CONFIRMATIONS);
        let (state, mut states) = watch::channel(LinkState::Down("not connected yet".into()));
        let (lost, hang_up) = mpsc::channel(1);
        let link = ProviderLink {
            key: key.clone(),
            provider,
            networks: shared.networks.clone(),
            state,
            deliveries,
            confirmations: to_confirm,
            hang_up,
        };
        // Ends with this function.
        let mut tasks = JoinSet::new();
        tasks.spawn(link.run());

        let mut networks = shared.networks.clone();
        let mut settings = shared.settings.clone();
        let at_first = *settings.borrow_and_update();
        let engine = Client::new(key, provider, at_first, shared.packets.clone());
        let mut engine = engine.seeded(seed).tracing(shared.traces.clone());
        engine.set_network(Arc::clone(&networks.borrow_and_update()));
        let timer = Arc::clone(&shared.timer);
        let journal = journal.map(|Journal { storage, outgoing }| (storage, outgoing));
        let (storage, left) = journal.unzip();
        let mut driver = Driver {
            engine,
            rng,
            shared,
            storage,
            fates: HashMap::new(),
            pings: HashMap::new(),
            accepting: FuturesUnordered::new(),
            keeping: None,
            confirmations,
            lost,
            tally,
            changed,
            registered: false,
            leaving: false,
            told: String::new(),
        };
        driver.take_up(left.unwrap_or_default());
        let mut leaving_until: Option<Time> = None;
        let mut batch = Vec::with_capacity(MAX_WAITING_DELIVERIES);
        while !leaving_until.is_some_and(|until| driver.is_idle() || until <= clock::now()) {
            let wake = driver.next_wake().into_iter().chain(leaving_until).min();
            let is_free = driver.keeping.is_none();
            let has_room = driver.accepting.len() < MAX_ACCEPTING;
            tokio::select! {
                () = timer.at(wake) => {}
                taken = delivered.recv_many(&mut batch, MAX_WAITING_DELIVERIES), if is_free => {
                    if taken > 0 {
                        driver.deliver(batch.drain(..));
                    }
                }
                (numbers, kept) = kept(&mut driver.keeping), if !is_free => {
                    driver.kept(numbers, kept);
                }
                Some(accepting) = driver.accepting.next() => driver.accepted(accepting),
                // Without it nothing would ever come, and that at once, again and again.
                Some(ended) = tasks.join_next() => ended.expect("the link does not panic"),
                Ok(()) = networks.changed() => {
                    driver.engine.set_network(Arc::clone(&networks.borrow_and_update()));
                }
                Ok(()) = settings.changed() => {
                    let rates = settings.borrow_and_update().rates;
                    driver.engine.set_rates(clock::now(), &mut driver.rng, rates);
                }
                Ok(()) = states.changed() => {
                    let state = states.borrow_and_update().clone();
                    driver.link_changed(&state);
                }
                ask = asks.recv(), if has_room => match ask {
                    Some(Ask::Leave) => {
                        driver.leaving = true;
                        leaving_until.get_or_insert_with(|| clock::now() + DRAIN_LIMIT);
                    }
                    Some(Ask::Stop) | None => break,
                    Some(ask) => driver.take(ask),
                },
            }
            driver.poll();
            driver.update_tally(match &*states.borrow() {
                LinkState::Registered => None,
                LinkState::Down(reason) => Some(reason.clone()),
            });
        }
        driver.finish_writing().await;
    }
}

/// What there is to answer as long as there is no provider. Ends when it is asked to.
async fn answer_without_provider(
    asks: &mut mpsc::Receiver<Ask>,
    networks: &watch::Receiver<Arc<Network>>,
) {
    let no_provider = || {
        "this client has no provider yet, and so no address: none that it may use is in the \
         directory and answers"
            .to_owned()
    };
    while let Some(ask) = asks.recv().await {
        // Whoever does not wait for the answer any more does not get it.
        match ask {
            Ask::Send { answer, .. } => drop(answer.send(Err(no_provider()))),
            Ask::Address { answer } => drop(answer.send(Err(no_provider()))),
            Ask::Clients { answer } => drop(answer.send(clients_of(&networks.borrow()))),
            Ask::Ping { answer } => drop(answer.send(Err(no_provider()))),
            Ask::Skip { answer, .. } => drop(answer.send(Err(no_provider()))),
            Ask::Leave | Ask::Stop => return,
        }
    }
}

struct Driver {
    engine: Client,
    rng: StdRng,
    shared: Shared,
    /// None for one of a crowd.
    storage: Option<Storage>,
    /// Who wants to know what becomes of a message.
    fates: HashMap<MessageId, Vec<oneshot::Sender<Fate>>>,
    /// Who waits for a ping.
    pings: HashMap<PingId, oneshot::Sender<Result<Pong, String>>>,
    accepting: FuturesUnordered<Accept>,
    /// Pieces that are being written, with the deliveries to confirm then. One batch at a time: what
    /// comes meanwhile is the next.
    keeping: Option<Keep>,
    confirmations: mpsc::Sender<u64>,
    /// Ends the connection to the provider, which then delivers again what is not confirmed.
    lost: mpsc::Sender<String>,
    tally: Arc<Mutex<Tally>>,
    changed: Arc<tokio::sync::Notify>,
    /// Whether the provider has known this client at any time: before, a packet to it is lost.
    registered: bool,
    /// Whether it takes no more messages.
    leaving: bool,
    /// What the log said last about the provider.
    told: String,
}

impl Driver {
    /// Goes on with what a former process has left.
    fn take_up(&mut self, left: Vec<Outgoing>) {
        if !left.is_empty() {
            tracing::info!("{} messages are not acknowledged yet and go on", left.len());
        }
        for outgoing in left {
            let message = outgoing.message;
            let told = sending::stage_of(&outgoing);
            match self.engine.enqueue(clock::now(), outgoing) {
                // Whoever watches may never have heard of it.
                Some(fragments) => self.report(message, told(fragments)),
                None => self.finish(message, &Fate::Acknowledged),
            }
        }
    }

    /// What is being written is on disk soon, whatever happens here: whoever waits for it hears that.
    async fn finish_writing(&mut self) {
        while let Some(accepting) = self.accepting.next().await {
            self.accepted(accepting);
        }
        if self.keeping.is_some() {
            let (numbers, kept) = kept(&mut self.keeping).await;
            self.kept(numbers, kept);
        }
    }

    fn next_wake(&self) -> Option<Time> {
        self.engine.next_wake().filter(|_| self.registered)
    }

    fn is_idle(&self) -> bool {
        let counters = self.engine.counters();
        counters.queued == 0
            && counters.unacknowledged == 0
            && self.accepting.is_empty()
            && self.keeping.is_none()
    }

    fn link_changed(&mut self, state: &LinkState) {
        match state {
            LinkState::Registered => {
                self.tell(&format!("registered at provider {}", self.engine.address().provider));
                self.registered = true;
                self.engine.set_online(clock::now(), true);
            }
            LinkState::Down(reason) => {
                self.tell(reason);
                self.engine.set_online(clock::now(), false);
            }
        }
    }

    /// Into the log, once: a link tries again and again. A crowd would tell it a thousand times.
    fn tell(&mut self, what: &str) {
        if self.storage.is_some() && self.told != what {
            tracing::info!("{what}");
            what.clone_into(&mut self.told);
        }
    }

    fn poll(&mut self) {
        if self.registered {
            let outputs = self.engine.poll(clock::now(), &mut self.rng);
            self.carry_out(outputs);
        }
    }

    /// Does what it is asked.
    fn take(&mut self, ask: Ask) {
        // Whoever does not wait for the answer any more does not get it.
        match ask {
            Ask::Send { message, answer } => self.take_message(message, answer),
            Ask::Address { answer } => drop(answer.send(Ok(self.engine.address()))),
            Ask::Clients { answer } => {
                drop(answer.send(clients_of(&self.shared.networks.borrow())));
            }
            Ask::Ping { answer } => self.ping(answer),
            Ask::Skip { layer, answer } => drop(answer.send(self.skip(layer))),
            Ask::Leave | Ask::Stop => unreachable!("the loop takes them"),
        }
    }

    fn ping(&mut self, answer: oneshot::Sender<Result<Pong, String>>) {
        // Whoever does not wait for the answer any more does not get it.
        if !self.registered {
            return drop(answer.send(Err("its provider has not taken it yet".into())));
        }
        match self.engine.ping(clock::now()) {
            Ok(ping) => drop(self.pings.insert(ping, answer)),
            Err(error) => drop(answer.send(Err(error.to_string()))),
        }
    }

    /// Sends a packet of cover that leaves out a layer.
    fn skip(&mut self, layer: u8) -> Result<Deed, String> {
        if !self.registered {
            return Err("its provider has not taken it yet".into());
        }
        let t = clock::now();
        let skipping = self.engine.skip(t, &mut self.rng, layer);
        let Skipping { send, packet, route } = skipping.map_err(|error| error.to_string())?;
        self.carry_out(vec![send]);
        let route = route.iter().map(ToString::to_string).collect();
        Ok(Deed::Skipped { t, packet, route })
    }

    fn ping_is_over(&mut self, ping: PingId, how: Result<Pong, String>) {
        if let Some(answer) = self.pings.remove(&ping) {
            // Nobody waits any more.
            let _ = answer.send(how);
        }
    }

    /// Does what the engine wants done. Returns pieces of messages that arrived.
    fn carry_out(&mut self, outputs: Vec<Output>) -> Vec<(Fragment, Option<Identifier>)> {
        let mut arrived = Vec::new();
        let mut left = clock::now();
        for output in outputs {
            match output {
                Output::Send { to, packet } => {
                    // Before, for it may be there when this returns.
                    left = clock::now();
                    self.shared.links.send(to, packet);
                }
                Output::Sent { message, fragment, attempt, route, trace } => {
                    let route = route.iter().map(ToString::to_string).collect();
                    let stage = MessageStage::Sent { fragment, attempt, route, trace };
                    self.report_of(left, message, stage);
                }
                Output::BlockUsed { message, block } => {
                    if let Some(storage) = &self.storage {
                        storage.block_used(message, block);
                    }
                }
                Output::Acknowledged { message, fragment, attempt } => {
                    if let Some(storage) = &self.storage {
                        storage.acknowledged(message, fragment);
                    }
                    let attempt = self.shared.traces.as_ref().map(|_| attempt);
                    self.report(message, MessageStage::Acknowledged { fragment, attempt });
                }
                Output::Finished { message } => self.finish(message, &Fate::Acknowledged),
                Output::Failed { message, reason } => {
                    self.finish(message, &Fate::Failed(reason.clone()));
                    self.report(message, MessageStage::Failed { reason });
                }
                Output::Received { fragment, block } => arrived.push((fragment, block)),
                Output::Ready { took } => tracing::debug!("the probe came back after {took:?}"),
                Output::Pong { ping, queued, travelled, asked, route } => {
                    self.ping_is_over(ping, Ok(Pong { queued, travelled, asked, route }));
                }
                Output::PingLost { ping, reason } => self.ping_is_over(ping, Err(reason)),
            }
        }
        arrived
    }

    /// A message is done, one way or the other.
    fn finish(&mut self, message: MessageId, fate: &Fate) {
        if let Some(storage) = &self.storage {
            storage.finished(message);
        }
        for waiting in self.fates.remove(&message).into_iter().flatten() {
            // Nobody waits any more.
            let _ = waiting.send(fate.clone());
        }
    }

    fn report(&self, message: MessageId, stage: MessageStage) {
        self.report_of(clock::now(), message, stage);
    }

    /// Something that happened to a message at this moment.
    fn report_of(&self, t: Time, message: MessageId, stage: MessageStage) {
        let event = MessageEvent { t, message: message.to_string(), stage };
        self.shared.reporter.report(Event::Message(event));
    }

    fn update_tally(&mut self, link_down: Option<String>) {
        let waiting_for = link_down.or_else(|| self.engine.waiting_for());
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.traffic = self.engine.counters();
        tally.received = self.engine.received();
        tally.transits.merge(&self.engine.take_transits());
        // At every packet, and rarely is there anything new.
        if tally.dropped != *self.engine.dropped() {
            tally.dropped.clone_from(self.engine.dropped());
        }
        if tally.waiting_for != waiting_for {
            tally.waiting_for = waiting_for;
            self.changed.notify_one();
        }
    }
}

/// The clients of all providers.
pub(crate) fn clients_of(network: &Network) -> Vec<ClientAddress> {
    let clients = network.providers().iter().flat_map(|provider| {
        let clients = provider.clients.iter();
        clients.map(|&client| ClientAddress { client, provider: provider.key })
    });
    clients.collect()
}
