//! A client, or a crowd of them, as a process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::{
    Answer, Command, Endpoint, Event, Fatal, FatalCode, Identity as Who, NodeMetrics, Outcome,
    Request, TrafficCounters,
};
use directory_api::METRICS_INTERVAL;
use directory_client::DirectoryClient;
use rand::SeedableRng;
use rand::rngs::StdRng;
use runtime::{
    LINKS_INTERVAL, Links, LoadedKey, Network, Process, Reporter, Timer, clock, drops,
    follow_topology, listen, load_or_create, with_causes,
};
use sphinx::PacketBuilder;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{ClientAddress, PublicKey, WireProfile};

use crate::application;
use crate::identity::{Ask, Identity, Shared, Tally};
use crate::inbox::Inbox;
use crate::{ClientArgs, CrowdArgs, args::TrafficArgs};

/// Requests that wait for an identity.
const MAX_WAITING_ASKS: usize = 64;

/// How long identities may take to stop, and links to write what they have.
const STOP_LIMIT: Duration = Duration::from_millis(300);

/// Runs a client until it is told to stop.
pub async fn run_client(args: ClientArgs, process: Process) -> Result<(), Fatal> {
    let key = load_or_create(&args.traffic.home, "identity", &mut rand::rng())?;
    let listener = listen(args.listen_on(), Endpoint::App, &process.reporter).await?.0;
    run(&args.traffic, vec![key], Some(listener), process).await
}

/// Runs a crowd until it is told to stop: identities that only send cover traffic.
pub async fn run_crowd(args: CrowdArgs, process: Process) -> Result<(), Fatal> {
    let key = |number| {
        let name = format!("identity_{number}");
        load_or_create(&args.traffic.home, &name, &mut rand::rng())
    };
    let keys: Vec<LoadedKey> = (1..=args.identities).map(key).collect::<Result<_, _>>()?;
    run(&args.traffic, keys, None, process).await
}

async fn run(
    args: &TrafficArgs,
    keys: Vec<LoadedKey>,
    listener: Option<TcpListener>,
    process: Process,
) -> Result<(), Fatal> {
    let Process { reporter, mut requests, shutdown } = process;
    let directory = DirectoryClient::new(&args.directory)
        .map_err(|error| Fatal::new(FatalCode::Usage, with_causes(&error)))?;
    let timer = Timer::start().map_err(|error| {
        Fatal::new(FatalCode::Other, format!("cannot start the timer: {error}"))
    })?;
    let mut who = Who {
        public_keys: keys.iter().map(|loaded| loaded.key.public().to_string()).collect(),
        address: None,
        new: keys.iter().all(|loaded| loaded.new),
    };
    reporter.report(Event::Identity(who.clone()));

    let (network, mut networks) = watch::channel(Arc::new(Network::default()));
    // All of them end with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn(follow_topology(directory, network));
    let found = tokio::select! {
        () = shutdown.cancelled() => None,
        () = refuse_until_stopped(&mut requests, &reporter) => None,
        found = find_provider(&mut networks, args.provider.as_deref(), &reporter) => Some(found),
    };
    if let Some(provider) = found {
        if let (Some(_), [loaded]) = (&listener, keys.as_slice()) {
            let address = ClientAddress { client: loaded.key.public(), provider };
            who.address = Some(address.to_string());
            reporter.report(Event::Identity(who));
        }
        let shared = Shared {
            settings: args.settings(),
            packets: PacketBuilder::new(WireProfile::CURRENT),
            networks,
            links: Links::new(WireProfile::CURRENT),
            timer: Arc::new(timer),
            reporter: reporter.clone(),
        };
        let crowd = Crowd::start(keys, provider, &shared);
        if let Some(listener) = listener {
            let (asks, inbox) = (crowd.asks[0].clone(), crowd.inbox.clone());
            tasks.spawn(application::serve(listener, asks, inbox));
        }
        crowd.work(&shared, requests, &shutdown).await?;
    }
    // Of a signal its receiver has told.
    if !shutdown.is_cancelled() {
        reporter.report(Event::Stopping { reason: "it was asked to".into() });
    }
    Ok(())
}

/// Answers requests while there is nobody who could carry them out, until one says to stop.
async fn refuse_until_stopped(requests: &mut mpsc::Receiver<Request>, reporter: &Reporter) {
    while let Some(Request { id, command }) = requests.recv().await {
        let outcome = match command {
            Command::Stop | Command::Leave => Outcome::Done,
            Command::Send { .. } => {
                let reason = "the client waits for its provider to be in the directory".into();
                Outcome::Refused { reason }
            }
        };
        let done = outcome == Outcome::Done;
        reporter.report(Event::Answer(Answer { id, outcome }));
        if done {
            return;
        }
    }
    // Nobody asks any more; the lifeline tells when to stop.
    std::future::pending::<()>().await;
}

/// Waits until the provider is in the directory; returns its key.
async fn find_provider(
    networks: &mut watch::Receiver<Arc<Network>>,
    wanted: Option<&str>,
    reporter: &Reporter,
) -> PublicKey {
    let mut told = false;
    loop {
        {
            let network = networks.borrow_and_update();
            let found = match wanted {
                Some(name) => network.provider_called(name),
                // Whoever has the fewest clients.
                None => network.providers().iter().min_by_key(|node| node.clients.len()),
            };
            if let Some(found) = found {
                return found.key;
            }
        }
        if !told {
            told = true;
            let reason = match wanted {
                Some(name) => format!("the provider {name} is not in the directory"),
                None => "no provider is in the directory".into(),
            };
            reporter.report(Event::Waiting { reason });
        }
        if networks.changed().await.is_err() {
            // Only when the process ends.
            std::future::pending::<()>().await;
        }
    }
}

/// The identities of a process: one for a client, many for a crowd.
struct Crowd {
    identities: JoinSet<()>,
    asks: Vec<mpsc::Sender<Ask>>,
    tallies: Vec<Arc<Mutex<Tally>>>,
    inbox: Inbox,
    changed: Arc<Notify>,
    ready: bool,
    told: Option<String>,
}

impl Crowd {
    fn start(keys: Vec<LoadedKey>, provider: PublicKey, shared: &Shared) -> Self {
        let mut crowd = Self {
            identities: JoinSet::new(),
            asks: Vec::new(),
            tallies: Vec::new(),
            inbox: Inbox::default(),
            changed: Arc::default(),
            ready: false,
            told: None,
        };
        for LoadedKey { key, .. } in keys {
            let (ask, asks) = mpsc::channel(MAX_WAITING_ASKS);
            let waiting_for = Some("it has just started".into());
            let tally = Arc::new(Mutex::new(Tally { waiting_for, ..Tally::default() }));
            let identity = Identity {
                key,
                provider,
                rng: StdRng::from_rng(&mut rand::rng()),
                shared: shared.clone(),
                asks,
                inbox: crowd.inbox.clone(),
                tally: Arc::clone(&tally),
                changed: Arc::clone(&crowd.changed),
            };
            crowd.asks.push(ask);
            crowd.tallies.push(tally);
            crowd.identities.spawn(identity.run());
        }
        crowd
    }

    /// Reports and takes requests until it is asked to stop.
    async fn work(
        mut self,
        shared: &Shared,
        mut requests: mpsc::Receiver<Request>,
        shutdown: &CancellationToken,
    ) -> Result<(), Fatal> {
        let changed = Arc::clone(&self.changed);
        let mut metrics_due = clock::ticks(METRICS_INTERVAL);
        let mut links_due = clock::ticks(LINKS_INTERVAL);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(Request { id, command }) = requests.recv() => {
                    let stop = command == Command::Stop;
                    let outcome = match command {
                        Command::Stop => Outcome::Done,
                        Command::Leave => {
                            self.tell_all(|| Ask::Leave).await;
                            Outcome::Done
                        }
                        Command::Send { to, content } => self.send(to, content).await,
                    };
                    shared.reporter.report(Event::Answer(Answer { id, outcome }));
                    if stop {
                        break;
                    }
                }
                ended = self.identities.join_next() => match ended {
                    Some(Ok(())) => {}
                    Some(Err(error)) => {
                        let message = format!("an identity has failed: {error}");
                        return Err(Fatal::new(FatalCode::Other, message));
                    }
                    // All have left.
                    None => break,
                },
                () = changed.notified() => self.report_readiness(&shared.reporter),
                _ = links_due.tick() => report_links(shared),
                _ = metrics_due.tick() => self.report_metrics(shared),
            }
        }
        // So that each can say what it gives up.
        let stopping = async {
            self.tell_all(|| Ask::Stop).await;
            while self.identities.join_next().await.is_some() {}
        };
        let _ = timeout(STOP_LIMIT, stopping).await;
        shared.links.flush(STOP_LIMIT).await;
        report_links(shared);
        self.report_metrics(shared);
        Ok(())
    }

    async fn tell_all(&self, ask: impl Fn() -> Ask) {
        for asks in &self.asks {
            // An identity that has ended already needs no telling.
            let _ = asks.send(ask()).await;
        }
    }

    async fn send(&self, to: String, content: contract::Content) -> Outcome {
        let data = match content.into_bytes() {
            Ok(data) => data,
            Err(error) => return Outcome::Refused { reason: error.to_string() },
        };
        let [asks] = self.asks.as_slice() else {
            return Outcome::Refused { reason: "a crowd sends no messages".into() };
        };
        let (answer, answered) = oneshot::channel();
        let asked = asks.send(Ask::Send { to, data, answer }).await.is_ok();
        match answered.await {
            Ok(Ok(message)) if asked => Outcome::Accepted { message },
            Ok(Err(reason)) => Outcome::Refused { reason },
            _ => Outcome::Refused { reason: "the client is stopping".into() },
        }
    }

    fn tallies(&self) -> impl Iterator<Item = Tally> {
        self.tallies.iter().map(|t| t.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn report_readiness(&mut self, reporter: &Reporter) {
        if self.ready {
            return;
        }
        let all = self.tallies.len();
        let waiting: Vec<String> = self.tallies().filter_map(|t| t.waiting_for).collect();
        let Some(first) = waiting.first() else {
            self.ready = true;
            let reason = match all {
                1 => "a probe packet came back".into(),
                _ => format!("a probe packet of each of its {all} identities came back"),
            };
            return reporter.report(Event::Ready { reason });
        };
        // How many wait changes too often to be told each time; why the first waits does not.
        if self.told.as_ref() != Some(first) {
            self.told = Some(first.clone());
            let reason = match all {
                1 => first.clone(),
                _ => {
                    format!("{} of {all} identities wait, the first because {first}", waiting.len())
                }
            };
            reporter.report(Event::Waiting { reason });
        }
    }

    /// The counters. Also gives back what a burst has left.
    fn report_metrics(&self, shared: &Shared) {
        shared.links.give_memory_back();
        let mut traffic = TrafficCounters::default();
        let mut received = 0;
        let mut tallies = Vec::new();
        for tally in self.tallies() {
            traffic += tally.traffic;
            received += tally.received;
            tallies.push(tally.dropped);
        }
        let reasons = tallies.iter().flatten().map(|(reason, count)| (reason.as_str(), *count));
        let dropped = drops::add_up(reasons.chain([
            (drops::QUEUE, shared.links.dropped()),
            ("inbox-full", self.inbox.forgotten()),
        ]));
        shared.reporter.report(Event::Metrics(NodeMetrics {
            t: clock::now(),
            received,
            sent: shared.links.sent(),
            dropped,
            traffic: Some(traffic),
            ..NodeMetrics::default()
        }));
    }
}

fn report_links(shared: &Shared) {
    let links = shared.links.take_events();
    if !links.is_empty() {
        shared.reporter.report(Event::Links { links });
    }
}
