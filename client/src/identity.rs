//! One identity at work: the engine with its provider, its clock and its links.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{Content, Event, MessageEvent, MessageStage, Time, TrafficCounters};
use directory_api::METRICS_INTERVAL;
use rand::rngs::StdRng;
use runtime::{Links, Network, Reporter, Timer, clock};
use sphinx::{PacketBuilder, PrivateKey};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use wire::{ClientAddress, Delivery, PublicKey};

use crate::inbox::Inbox;
use crate::provider_link::{LinkState, ProviderLink};
use crate::{Client, Output, Settings};

/// Deliveries that wait for the engine; beyond, the provider keeps them.
const MAX_WAITING_DELIVERIES: usize = 64;

/// Confirmations that wait to be sent. As many as a provider lets go unconfirmed.
const MAX_WAITING_CONFIRMATIONS: usize = wire::MAX_CONFIRMATIONS;

/// How long a leaving client waits for the acknowledgements of what it has sent.
const DRAIN_LIMIT: Duration = Duration::from_secs(3);

/// What an identity can be asked.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Send a message; answered with its id in hexadecimal, or why not.
    Send { to: String, data: Vec<u8>, answer: oneshot::Sender<Result<String, String>> },
    /// Its own address.
    Address { answer: oneshot::Sender<ClientAddress> },
    /// The clients of all providers.
    Clients { answer: oneshot::Sender<Vec<ClientAddress>> },
    /// Wait for what is underway, at most 3 s, then end.
    Leave,
    /// End now.
    Stop,
}

/// What an identity has counted, for whoever reports it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) traffic: TrafficCounters,
    pub(crate) received: u64,
    pub(crate) dropped: BTreeMap<String, u64>,
    /// Why it is not ready; none if it is.
    pub(crate) waiting_for: Option<String>,
}

/// What identities of one process share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) packets: PacketBuilder,
    pub(crate) networks: watch::Receiver<Arc<Network>>,
    pub(crate) links: Links,
    pub(crate) timer: Arc<Timer>,
    pub(crate) reporter: Reporter,
}

/// An identity that is about to work.
pub(crate) struct Identity {
    pub(crate) key: PrivateKey,
    pub(crate) provider: PublicKey,
    pub(crate) rng: StdRng,
    pub(crate) shared: Shared,
    pub(crate) asks: mpsc::Receiver<Ask>,
    pub(crate) inbox: Inbox,
    pub(crate) tally: Arc<Mutex<Tally>>,
    /// Told when the tally says something new about readiness.
    pub(crate) changed: Arc<tokio::sync::Notify>,
}

impl Identity {
    /// Works until it is asked to leave.
    pub(crate) async fn run(self) {
        let Self { key, provider, rng, shared, mut asks, inbox, tally, changed } = self;
        let (deliveries, mut delivered) = mpsc::channel(MAX_WAITING_DELIVERIES);
        let (confirmations, to_confirm) = mpsc::channel(MAX_WAITING_CONFIRMATIONS);
        let (state, mut states) = watch::channel(LinkState::Down("not connected yet".into()));
        let link = ProviderLink {
            key: key.clone(),
            provider,
            networks: shared.networks.clone(),
            state,
            deliveries,
            confirmations: to_confirm,
        };
        // Ends with this function.
        let mut tasks = JoinSet::new();
        tasks.spawn(link.run());

        let mut networks = shared.networks.clone();
        let mut engine = Client::new(key, provider, shared.settings, shared.packets.clone());
        engine.set_network(Arc::clone(&networks.borrow_and_update()));
        let timer = Arc::clone(&shared.timer);
        let mut driver = Driver {
            engine,
            rng,
            shared,
            inbox,
            tally,
            changed,
            registered: false,
            leaving: false,
        };
        let mut tally_due = clock::ticks(METRICS_INTERVAL);
        let mut leaving_until: Option<Time> = None;
        while !leaving_until.is_some_and(|until| driver.is_idle() || until <= clock::now()) {
            let wake = driver.next_wake().into_iter().chain(leaving_until).min();
            tokio::select! {
                () = timer.at(wake) => {}
                Some(delivery) = delivered.recv() => {
                    let number = driver.deliver(delivery);
                    // An error means that the link is just ending; the packet comes again.
                    let _ = confirmations.try_send(number);
                }
                Ok(()) = networks.changed() => {
                    driver.engine.set_network(Arc::clone(&networks.borrow_and_update()));
                }
                Ok(()) = states.changed() => {
                    let state = states.borrow_and_update().clone();
                    driver.link_changed(&state);
                }
                ask = asks.recv() => match ask {
                    Some(Ask::Leave) => {
                        driver.leaving = true;
                        leaving_until = Some(clock::now() + DRAIN_LIMIT);
                    }
                    Some(Ask::Stop) | None => break,
                    Some(ask) => driver.take(ask),
                },
                _ = tally_due.tick() => {}
            }
            driver.poll();
            driver.update_tally(match &*states.borrow() {
                LinkState::Registered => None,
                LinkState::Down(reason) => Some(reason.clone()),
            });
        }
        let outputs = driver.engine.abandon("the client stopped before it was acknowledged");
        driver.carry_out(outputs);
    }
}

struct Driver {
    engine: Client,
    rng: StdRng,
    shared: Shared,
    inbox: Inbox,
    tally: Arc<Mutex<Tally>>,
    changed: Arc<tokio::sync::Notify>,
    /// Whether the provider has known this client at any time: before, a packet to it is lost.
    registered: bool,
    /// Whether it takes no more messages.
    leaving: bool,
}

impl Driver {
    fn next_wake(&self) -> Option<Time> {
        self.engine.next_wake().filter(|_| self.registered)
    }

    fn is_idle(&self) -> bool {
        let counters = self.engine.counters();
        counters.queued == 0 && counters.unacknowledged == 0
    }

    fn link_changed(&mut self, state: &LinkState) {
        match state {
            LinkState::Registered => {
                tracing::debug!("registered at provider {}", self.engine.address().provider);
                self.registered = true;
                self.engine.set_online(clock::now(), true);
            }
            LinkState::Down(reason) => {
                tracing::info!("{reason}");
                self.engine.set_online(clock::now(), false);
            }
        }
    }

    fn poll(&mut self) {
        if self.registered {
            let outputs = self.engine.poll(clock::now(), &mut self.rng);
            self.carry_out(outputs);
        }
    }

    fn deliver(&mut self, delivery: Delivery) -> u64 {
        let Delivery { number, identifier, payload } = delivery;
        let outputs = self.engine.deliver(clock::now(), &identifier, &payload);
        self.carry_out(outputs);
        number
    }

    /// Does what it is asked.
    fn take(&mut self, ask: Ask) {
        // Whoever does not wait for the answer any more does not get it.
        match ask {
            Ask::Send { to, data, answer } => drop(answer.send(self.send(&to, &data))),
            Ask::Address { answer } => drop(answer.send(self.engine.address())),
            Ask::Clients { answer } => {
                let network = self.shared.networks.borrow().clone();
                let clients = network.providers().iter().flat_map(|provider| {
                    let clients = provider.clients.iter();
                    clients.map(|&client| ClientAddress { client, provider: provider.key })
                });
                drop(answer.send(clients.collect()));
            }
            Ask::Leave | Ask::Stop => unreachable!("the loop takes them"),
        }
    }

    fn send(&mut self, to: &str, data: &[u8]) -> Result<String, String> {
        if self.leaving {
            return Err("the client is stopping".into());
        }
        let address = self.engine.resolve(to)?;
        let sent = self.engine.send(&mut self.rng, address, data);
        let (message, fragments) = sent.map_err(|error| error.to_string())?;
        self.report(
            message,
            MessageStage::Accepted {
                to: address.to_string(),
                content: Content::from_bytes(data.to_vec()),
                fragments,
            },
        );
        Ok(message.to_string())
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { to, packet } => self.shared.links.send(to, packet),
                Output::Sent { message, fragment, attempt, route } => {
                    let route = route.iter().map(ToString::to_string).collect();
                    self.report(message, MessageStage::Sent { fragment, attempt, route });
                }
                Output::Acknowledged { message, fragment } => {
                    self.report(message, MessageStage::Acknowledged { fragment });
                }
                Output::Failed { message, reason } => {
                    self.report(message, MessageStage::Failed { reason });
                }
                Output::Received { message, data } => {
                    let content = Content::from_bytes(data.clone());
                    self.inbox.push(data);
                    self.report(message, MessageStage::Received { content });
                }
                Output::Ready { took } => tracing::debug!("the probe came back after {took:?}"),
            }
        }
    }

    fn report(&self, message: wire::MessageId, stage: MessageStage) {
        let event = MessageEvent { t: clock::now(), message: message.to_string(), stage };
        self.shared.reporter.report(Event::Message(event));
    }

    fn update_tally(&mut self, link_down: Option<String>) {
        let waiting_for = if self.registered { self.engine.waiting_for() } else { link_down };
        let dropped = self.engine.dropped().iter().map(|(reason, n)| ((*reason).to_owned(), *n));
        let new = Tally {
            traffic: self.engine.counters(),
            received: self.engine.received(),
            dropped: dropped.collect(),
            waiting_for,
        };
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        if tally.waiting_for != new.waiting_for {
            self.changed.notify_one();
        }
        *tally = new;
    }
}
