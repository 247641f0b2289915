//! The provider as a process: sockets, mailbox, directory and supervisor around the engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contract::{
    Answer, Command, Endpoint, Event, Fatal, FatalCode, Identity, MailboxCounters, NodeMetrics,
    Outcome, Request,
};
use directory_api::{METRICS_INTERVAL, MixProviderReport, RegisteredClient};
use directory_client::DirectoryClient;
use runtime::{
    LINKS_INTERVAL, Links, MalformedFrames, Network, Process, Received, Reporter, announce, clock,
    drops, follow_topology, leave_directory, listen, load_or_create, receive_packets, with_causes,
};
use sphinx::HopProcessor;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use wire::WireProfile;

use crate::session::Sessions;
use crate::storage::Storage;
use crate::{DropReason, Mailbox, Provider, ProviderArgs, Stored};

/// Packets read from sockets that wait for the engine; when it is full, TCP holds senders back.
const MAX_WAITING: usize = 256;

/// Packets that are stored in one transaction.
const MAX_BATCH: usize = 64;

/// How long a leaving provider takes packets of mixnodes that do not know yet.
const LEAVE_GRACE: Duration = Duration::from_secs(1);

/// How long a provider that ends waits for its links to write what they have.
const FLUSH_LIMIT: Duration = Duration::from_millis(500);

/// Runs a provider until it is told to stop.
pub async fn run(args: ProviderArgs, process: Process) -> Result<(), Fatal> {
    let Process { reporter, mut requests, shutdown } = process;
    let directory = DirectoryClient::new(&args.directory)
        .map_err(|error| Fatal::new(FatalCode::Usage, with_causes(&error)))?;
    let loaded = load_or_create(&args.home, "sphinx", &mut rand::rng())?;
    let public_key = loaded.key.public();
    reporter.report(Event::Identity(Identity {
        public_keys: vec![public_key.to_string()],
        address: None,
        new: loaded.new,
    }));
    let storage = open_mailbox(&args.home.join("mailbox.sqlite"), &reporter)?;
    let (mix_listener, mix_address) =
        listen(args.listen_on(args.port), Endpoint::Mix, &reporter).await?;
    let (clients_listener, clients_address) =
        listen(args.listen_on(args.clients_port), Endpoint::Clients, &reporter).await?;

    let profile = WireProfile::CURRENT;
    let malformed = MalformedFrames::default();
    let sessions = Sessions::new(storage.clone(), public_key);
    let (packets, mut received) = mpsc::channel(MAX_WAITING);
    let (network, mut networks) = watch::channel(Arc::new(Network::default()));
    let presence = Presence {
        directory: directory.clone(),
        storage: storage.clone(),
        report: MixProviderReport {
            client_listener: format!("ws://{clients_address}"),
            mixnet_listener: mix_address.to_string(),
            pub_key: public_key.to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
            location: args.name,
            registered_clients: Vec::new(),
        },
    };
    // All of them end with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn(receive_packets(mix_listener, profile, packets, malformed.clone()));
    tasks.spawn(follow_topology(directory.clone(), network));
    tasks.spawn(sessions.clone().serve(clients_listener));
    let announcing = tasks.spawn(announce(move || presence.clone().announce(), reporter.clone()));

    let mut driver = Driver {
        engine: Provider::new(HopProcessor::new(loaded.key, profile)),
        links: Links::new(profile),
        malformed,
        reporter: reporter.clone(),
        storage,
        sessions,
        stored: 0,
    };
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut metrics_due = clock::ticks(METRICS_INTERVAL);
    let mut links_due = clock::ticks(LINKS_INTERVAL);
    let mut leaving_until = None;
    loop {
        let left = async {
            match leaving_until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = left => break,
            taken = received.recv_many(&mut batch, MAX_BATCH) => {
                if taken > 0 {
                    driver.take(std::mem::take(&mut batch)).await;
                }
            }
            Ok(()) = networks.changed() => {
                driver.engine.set_network(clock::now(), &networks.borrow_and_update());
            }
            Some(Request { id, command }) = requests.recv() => {
                let outcome = match command {
                    Command::Stop => {
                        reporter.report(Event::Answer(Answer { id, outcome: Outcome::Done }));
                        break;
                    }
                    Command::Leave => {
                        announcing.abort();
                        leave_directory(&directory, &public_key.to_string()).await;
                        leaving_until = Some(tokio::time::Instant::now() + LEAVE_GRACE);
                        Outcome::Done
                    }
                    Command::Send { .. } => {
                        Outcome::Refused { reason: "a provider sends no messages".into() }
                    }
                };
                reporter.report(Event::Answer(Answer { id, outcome }));
            }
            _ = links_due.tick() => driver.report_links(),
            _ = metrics_due.tick() => driver.report_metrics().await,
        }
    }
    driver.links.flush(FLUSH_LIMIT).await;
    // Two last reports, so that what was counted is seen.
    driver.report_links();
    driver.report_metrics().await;
    reporter.report(Event::Stopping { reason: "it was asked to".into() });
    Ok(())
}

fn open_mailbox(path: &Path, reporter: &Reporter) -> Result<Storage, Fatal> {
    let unusable = |reason: String| {
        let message = format!("cannot use the mailbox `{}`: {reason}", path.display());
        Fatal::new(FatalCode::Storage, message)
            .hint("check the space left on the disk; a file of another version can be moved away")
    };
    let mailbox = Mailbox::open(path).map_err(|error| unusable(error.to_string()))?;
    Storage::start(mailbox, reporter.clone()).map_err(|error| unusable(error.to_string()))
}

/// What the provider announces.
#[derive(Clone)]
struct Presence {
    directory: DirectoryClient,
    storage: Storage,
    report: MixProviderReport,
}

impl Presence {
    async fn announce(self) -> Result<(), directory_client::Error> {
        let Self { directory, storage, mut report } = self;
        // An error is told by the storage itself; announced without clients it can still be found.
        if let Ok(clients) = storage.ask(|mailbox| mailbox.clients()).await {
            let registered =
                clients.iter().map(|key| RegisteredClient { pub_key: key.to_string() });
            report.registered_clients = registered.collect();
        }
        directory.announce_gateway(&report).await
    }
}

struct Driver {
    engine: Provider,
    links: Links,
    malformed: MalformedFrames,
    reporter: Reporter,
    storage: Storage,
    sessions: Sessions,
    stored: u64,
}

impl Driver {
    /// Stores what came for clients; acknowledges what is safe, and only that.
    async fn take(&mut self, batch: Vec<Received>) {
        let parcels: Vec<_> =
            batch.iter().filter_map(|received| self.engine.take(&received.packet)).collect();
        if parcels.is_empty() {
            return;
        }
        let count = parcels.len();
        match self.storage.store(parcels).await {
            Ok(results) => {
                for (parcel, stored) in results {
                    match stored {
                        Stored::Yes => {
                            self.stored += 1;
                            self.sessions.notify(&parcel.client);
                            self.acknowledge(parcel.ack.as_ref());
                        }
                        Stored::UnknownClient => self.engine.drop_packet(DropReason::UnknownClient),
                        Stored::Full => self.engine.drop_packet(DropReason::MailboxFull),
                    }
                }
            }
            // Told by the storage itself. Nothing is acknowledged, so senders send again.
            Err(_) => {
                for _ in 0..count {
                    self.engine.drop_packet(DropReason::Storage);
                }
            }
        }
    }

    fn acknowledge(&mut self, ack: Option<&crate::PreparedAck>) {
        let now = clock::now();
        if let Some(ack) = ack.and_then(|ack| self.engine.acknowledge(now, &mut rand::rng(), ack)) {
            self.links.send(ack.to, ack.packet);
        }
    }

    fn report_links(&self) {
        let mut links = self.links.take_events();
        links.extend(self.sessions.take_events());
        if !links.is_empty() {
            links.sort_by_key(|link| link.t);
            self.reporter.report(Event::Links { links });
        }
    }

    async fn report_metrics(&self) {
        let counters = self.engine.counters();
        let reasons = counters.dropped.iter().map(|(reason, count)| (reason.word(), *count));
        let dropped = drops::add_up(reasons.chain([
            (drops::QUEUE, self.links.dropped()),
            (DropReason::Malformed.word(), self.malformed.count()),
        ]));
        let counted = self
            .storage
            .ask(|mailbox| Ok((mailbox.clients()?.len() as u64, mailbox.waiting_count()?)));
        let mailbox = match counted.await {
            Ok((clients, waiting)) => Some(MailboxCounters {
                clients,
                online: self.sessions.online(),
                stored: self.stored,
                delivered: self.sessions.delivered(),
                waiting,
            }),
            Err(_) => None,
        };
        self.reporter.report(Event::Metrics(NodeMetrics {
            t: clock::now(),
            received: counters.received,
            sent: self.links.sent(),
            dropped,
            pool: None,
            traffic: None,
            mailbox,
        }));
    }
}
