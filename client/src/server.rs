//! A client, or a crowd of them, as a process.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    Fallback, KeyFiles, LINKS_INTERVAL, Links, ListenOn, LoadedKey, Network, Process, Reporter,
    Timer, clock, drops, follow_topology, listen, with_causes,
};
use sphinx::PacketBuilder;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{ClientAddress, PublicKey, WireProfile};

use crate::applications::Applications;
use crate::asks::{Ask, NewMessage};
use crate::choice::choose_provider;
use crate::identity::{Identity, Journal, Shared, Tally};
use crate::storage::{Restored, Storage};
use crate::{ClientArgs, SocketType};

/// Requests that wait for an identity.
const MAX_WAITING_ASKS: usize = 64;

/// Requests of the supervisor that are being answered.
const MAX_WAITING_REQUESTS: usize = 64;

/// How long identities may take to stop, and links to write what they have.
const STOP_LIMIT: Duration = Duration::from_millis(300);

/// How long the journal may take to be closed. What is in it stays there however the process ends.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Runs a client until it is told to stop, or a crowd: identities that only send cover.
pub async fn run_client(args: ClientArgs, process: Process) -> Result<(), Fatal> {
    let Some(identities) = args.crowd else {
        let key = args.key_files("identity").load_or_create(&mut rand::rng())?;
        let opened = Storage::open(&args.home)?;
        let sockets = Sockets::open(&args, &process.reporter).await?;
        return run(&args, vec![key], Some((opened, sockets)), process).await;
    };
    let key = |number| {
        let files = KeyFiles::in_folder(&args.home, &format!("identity_{number}"));
        files.load_or_create(&mut rand::rng())
    };
    let keys = (1..=identities).map(key).collect::<Result<_, _>>()?;
    run(&args, keys, None, process).await
}

/// Where applications connect.
struct Sockets {
    websockets: Vec<TcpListener>,
    tcp: Option<TcpListener>,
}

impl Sockets {
    async fn open(args: &ClientArgs, reporter: &Reporter) -> Result<Self, Fatal> {
        let mut sockets = Self { websockets: Vec::new(), tcp: None };
        if args.socket_type == SocketType::None {
            return Ok(sockets);
        }
        let listener = listen(args.listen_on(), Endpoint::App, reporter).await?.0;
        if args.socket_type == SocketType::Tcp {
            sockets.tcp = Some(listener);
            return Ok(sockets);
        }
        sockets.websockets.push(listener);
        if let Some(port) = args.second_port {
            let on = ListenOn { port, fallback: Fallback::No, ..args.listen_on() };
            match listen(on, Endpoint::SecondApp, reporter).await {
                Ok((listener, _)) => sockets.websockets.push(listener),
                // It was only for applications that cannot be told another port.
                Err(fatal) => tracing::info!("without a second port: {fatal}"),
            }
        }
        Ok(sockets)
    }

    fn serve(self, applications: &Applications, tasks: &mut JoinSet<()>) {
        for listener in self.websockets {
            tasks.spawn(applications.clone().serve_websockets(listener));
        }
        if let Some(listener) = self.tcp {
            tasks.spawn(applications.clone().serve_tcp(listener));
        }
    }
}

async fn run(
    args: &ClientArgs,
    keys: Vec<LoadedKey>,
    client: Option<((Storage, Restored), Sockets)>,
    process: Process,
) -> Result<(), Fatal> {
    let Process { reporter, requests, shutdown } = process;
    let directory = DirectoryClient::new(&args.directory)
        .map_err(|error| Fatal::new(FatalCode::Usage, with_causes(&error)))?;
    let timer = Timer::start().map_err(|error| {
        Fatal::new(FatalCode::Other, format!("cannot start the timer: {error}"))
    })?;
    let who = Who {
        public_keys: keys.iter().map(|loaded| loaded.key.public().to_string()).collect(),
        address: None,
        new: keys.iter().all(|loaded| loaded.new),
    };
    reporter.report(Event::Identity(who.clone()));

    let (network, networks) = watch::channel(Arc::new(Network::default()));
    // All of them end with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn(follow_topology(directory, network));
    let (provider, chosen) = watch::channel(None);
    let shared = Shared {
        settings: args.settings(),
        packets: PacketBuilder::new(WireProfile::CURRENT),
        networks: networks.clone(),
        links: Links::new(WireProfile::CURRENT),
        timer: Arc::new(timer),
        reporter: reporter.clone(),
    };
    let first_key = keys[0].key.clone();
    let mut former = None;
    let mut crowd = Crowd::new(provider, who);
    if let Some(((storage, restored), sockets)) = client {
        former = restored.provider;
        if let Some(damaged) = &restored.damaged {
            tracing::warn!("{damaged}");
        }
        let outgoing = restored.outgoing;
        let journal = Journal { storage: storage.clone(), outgoing };
        let asks = crowd.start(keys, Some(journal), &chosen, &shared);
        let applications = Applications::new(
            asks[0].clone(),
            storage.clone(),
            args.allow_origin.iter().cloned().map(String::from).collect(),
            first_key.public(),
        );
        sockets.serve(&applications, &mut tasks);
        crowd.storage = Some(storage);
    } else {
        crowd.start(keys, None, &chosen, &shared);
    }
    let choice =
        choose_provider(networks, args.provider.clone(), former, first_key, reporter.clone());
    let result = crowd.work(&shared, choice, requests, &shutdown).await;
    // Applications first: they use the journal.
    tasks.shutdown().await;
    if let Some(storage) = &crowd.storage
        && !storage.close(CLOSE_LIMIT).await
    {
        tracing::warn!("the journal is still being written; nothing is lost by that");
    }
    // Of a signal its receiver has told.
    if result.is_ok() && !shutdown.is_cancelled() {
        reporter.report(Event::Stopping { reason: "it was asked to".into() });
    }
    result
}

/// The identities of a process: one for a client, many for a crowd.
struct Crowd {
    identities: JoinSet<()>,
    asks: Vec<mpsc::Sender<Ask>>,
    tallies: Vec<Arc<Mutex<Tally>>>,
    /// None of a crowd.
    storage: Option<Storage>,
    provider: watch::Sender<Option<PublicKey>>,
    who: Who,
    changed: Arc<Notify>,
    readiness: Readiness,
}

/// What was told last about readiness.
#[derive(Debug, PartialEq, Eq)]
enum Readiness {
    Unknown,
    Waiting { reason: String, was_ready: bool },
    Ready,
}

impl Crowd {
    fn new(provider: watch::Sender<Option<PublicKey>>, who: Who) -> Self {
        Self {
            identities: JoinSet::new(),
            asks: Vec::new(),
            tallies: Vec::new(),
            storage: None,
            provider,
            who,
            changed: Arc::default(),
            readiness: Readiness::Unknown,
        }
    }

    /// Starts an identity for each key. A journal is that of the first.
    fn start(
        &mut self,
        keys: Vec<LoadedKey>,
        mut journal: Option<Journal>,
        provider: &watch::Receiver<Option<PublicKey>>,
        shared: &Shared,
    ) -> &[mpsc::Sender<Ask>] {
        for LoadedKey { key, .. } in keys {
            let (asks, waiting) = mpsc::channel(MAX_WAITING_ASKS);
            let waiting_for = Some("it is not connected yet".to_owned());
            let tally = Arc::new(Mutex::new(Tally { waiting_for, ..Tally::default() }));
            let identity = Identity {
                key,
                provider: provider.clone(),
                rng: StdRng::from_rng(&mut rand::rng()),
                shared: shared.clone(),
                asks: waiting,
                journal: journal.take(),
                tally: Arc::clone(&tally),
                changed: Arc::clone(&self.changed),
            };
            self.identities.spawn(identity.run());
            self.asks.push(asks);
            self.tallies.push(tally);
        }
        &self.asks
    }

    /// Works until it is told to stop, or all identities have left.
    async fn work(
        &mut self,
        shared: &Shared,
        choice: impl Future<Output = PublicKey>,
        mut requests: mpsc::Receiver<Request>,
        shutdown: &CancellationToken,
    ) -> Result<(), Fatal> {
        let mut links_due = clock::ticks(LINKS_INTERVAL);
        let mut metrics_due = clock::ticks(METRICS_INTERVAL);
        let changed = Arc::clone(&self.changed);
        let mut answers = JoinSet::new();
        let mut choice = std::pin::pin!(choice);
        let mut has_chosen = false;
        let storage = self.storage.clone();
        loop {
            let has_room = answers.len() < MAX_WAITING_REQUESTS;
            tokio::select! {
                () = shutdown.cancelled() => break,
                fatal = broken(storage.as_ref()) => return Err(fatal),
                provider = &mut choice, if !has_chosen => {
                    has_chosen = true;
                    self.chosen(provider, shared).await;
                }
                Some(Request { id, command }) = requests.recv(), if has_room => match command {
                    Command::Stop => {
                        shared.reporter.report(done(id));
                        break;
                    }
                    Command::Leave => {
                        self.tell_all(|| Ask::Leave).await;
                        shared.reporter.report(done(id));
                    }
                    Command::Send { to, content } => {
                        let sent = send(self.only_client(), to, content);
                        answers.spawn(answer(id, sent, shared.reporter.clone()));
                    }
                    Command::Set { .. } | Command::Ping => {
                        let reason = "not possible yet".into();
                        let outcome = Outcome::Refused { reason };
                        shared.reporter.report(Event::Answer(Answer { id, outcome }));
                    }
                    Command::Inbox { after } => {
                        let page = page(self.storage.clone(), after);
                        answers.spawn(answer(id, page, shared.reporter.clone()));
                    }
                },
                Some(_) = answers.join_next() => {}
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

    /// The provider is known: so is the address of a client.
    async fn chosen(&mut self, provider: PublicKey, shared: &Shared) {
        if let (Some(storage), Some(key)) = (&self.storage, self.who.public_keys.first()) {
            if let Err(error) = storage.choose_provider(provider).await {
                tracing::warn!("the next start may choose another provider: {error}");
            }
            if let Ok(client) = key.parse() {
                self.who.address = Some(ClientAddress { client, provider }.to_string());
                shared.reporter.report(Event::Identity(self.who.clone()));
            }
        }
        self.provider.send_replace(Some(provider));
    }

    async fn tell_all(&self, ask: impl Fn() -> Ask) {
        for asks in &self.asks {
            // An identity that has ended already needs no telling.
            let _ = asks.send(ask()).await;
        }
    }

    /// Whom to ask to send a message; none of a crowd.
    fn only_client(&self) -> Option<mpsc::Sender<Ask>> {
        self.storage.is_some().then(|| self.asks.first().cloned()).flatten()
    }

    fn tallies(&self) -> impl Iterator<Item = MutexGuard<'_, Tally>> {
        self.tallies.iter().map(|tally| tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn report_readiness(&mut self, reporter: &Reporter) {
        let all = self.tallies.len();
        let (mut waiting, mut first) = (0, None);
        for tally in self.tallies() {
            if let Some(reason) = &tally.waiting_for {
                waiting += 1;
                first.get_or_insert_with(|| reason.clone());
            }
        }
        let was_ready = match self.readiness {
            Readiness::Ready => true,
            Readiness::Waiting { was_ready, .. } => was_ready,
            Readiness::Unknown => false,
        };
        let Some(first) = first else {
            if self.readiness != Readiness::Ready {
                let reason = match all {
                    _ if was_ready => "packets pass again".into(),
                    1 => "a probe packet came back".into(),
                    _ => format!("a probe packet of each of its {all} identities came back"),
                };
                self.readiness = Readiness::Ready;
                reporter.report(Event::Ready { reason });
            }
            return;
        };
        // How many wait changes too often to be told each time; why the first waits does not.
        if matches!(&self.readiness, Readiness::Waiting { reason, .. } if *reason == first) {
            return;
        }
        let reason = match all {
            1 => first.clone(),
            _ => format!("{waiting} of {all} identities wait, the first because {first}"),
        };
        self.readiness = Readiness::Waiting { reason: first, was_ready };
        reporter.report(Event::Waiting { reason });
    }

    /// The counters. Also gives back what a burst has left.
    fn report_metrics(&self, shared: &Shared) {
        shared.links.give_memory_back();
        let mut traffic = TrafficCounters::default();
        let mut received = 0;
        let mut reasons = vec![(drops::QUEUE, shared.links.dropped())];
        for tally in self.tallies() {
            traffic += tally.traffic;
            received += tally.received;
            reasons.extend(tally.dropped.iter().map(|(reason, count)| (*reason, *count)));
        }
        let dropped = drops::add_up(reasons);
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

fn done(id: u64) -> Event {
    Event::Answer(Answer { id, outcome: Outcome::Done })
}

async fn answer(id: u64, outcome: impl Future<Output = Result<Outcome, String>>, to: Reporter) {
    let outcome = outcome.await.unwrap_or_else(|reason| Outcome::Refused { reason });
    to.report(Event::Answer(Answer { id, outcome }));
}

async fn send(
    asks: Option<mpsc::Sender<Ask>>,
    to: String,
    content: contract::Content,
) -> Result<Outcome, String> {
    let stopping = || "the client is stopping".to_owned();
    let data = content.into_bytes().map_err(|error| error.to_string())?;
    let to = to.parse().map_err(|error: wire::KeyError| error.to_string())?;
    let message = NewMessage { to, data: data.into(), id: None, reply_blocks: 0, confirm: false };
    let (answer, answered) = oneshot::channel();
    let asks = asks.ok_or("a crowd sends no messages")?;
    asks.send(Ask::Send { message, answer }).await.map_err(|_| stopping())?;
    let accepted = answered.await.map_err(|_| stopping())??;
    Ok(Outcome::Accepted { message: accepted.message.to_string() })
}

/// Waits until the journal cannot be used any more. Without one, for ever.
async fn broken(storage: Option<&Storage>) -> Fatal {
    match storage {
        Some(storage) => storage.broken().await,
        None => pending().await,
    }
}

async fn page(storage: Option<Storage>, after: u64) -> Result<Outcome, String> {
    let storage = storage.ok_or("a crowd has no inbox")?;
    let page = storage.page(after).await.map_err(|error| error.to_string())?;
    Ok(Outcome::Inbox { messages: page.0, more: page.1 })
}

fn report_links(shared: &Shared) {
    let links = shared.links.take_events();
    if !links.is_empty() {
        shared.reporter.report(Event::Links { links });
    }
}
