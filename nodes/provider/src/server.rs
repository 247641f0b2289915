//! The provider as a process: sockets, mailbox, directory and supervisor around the engine.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contract::{
    Answer, Command, Endpoint, Event, Fatal, FatalCode, MailboxCounters, NodeMetrics, Outcome,
    Request,
};
use directory_api::METRICS_INTERVAL;
use directory_client::DirectoryClient;
use runtime::{
    Adversary, AnnounceAs, Double, LINKS_INTERVAL, Links, MalformedFrames, Network, Process,
    Received, Reporter, Traces, announce, clock, drops, follow_topology, leave_directory, listen,
    receive_packets, report_links, with_causes,
};
use sphinx::{HopProcessor, ReplaySet};
use storage::DatabaseError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wire::{NodeAddress, WireProfile};

use crate::presence::Presence;
use crate::sessions::{Rules, Sessions};
use crate::storage::Storage;
use crate::{DropReason, MailboxError, Parcel, Provider, ProviderArgs, Quotas, Stored};

/// Packets read from sockets that wait for the engine; when it is full, TCP holds senders back.
const MAX_ARRIVED: usize = 256;

/// Packets that are stored in one transaction.
const MAX_BATCH: usize = 64;

/// How long a leaving provider takes packets of mixnodes that do not know yet.
const LEAVE_GRACE: Duration = Duration::from_secs(1);

/// How long a provider that ends waits for its clients' connections to end, and for its links to
/// write what they have.
const FLUSH_LIMIT: Duration = Duration::from_millis(500);

/// How long it waits for the mailbox to be closed, which writes its log of a few MB back.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Runs a provider until it is told to stop.
pub async fn run(args: ProviderArgs, process: Process) -> Result<(), Fatal> {
    let is_alone = process.is_alone();
    let Process { reporter, mut requests, shutdown } = process;
    let traces = Traces::asked_for(args.trace, &reporter)?;
    let directory = DirectoryClient::new(&args.directory)
        .map_err(|error| Fatal::new(FatalCode::Usage, with_causes(&error)))?;
    let loaded = args.load_key()?;
    let public_key = loaded.key.public();
    reporter.report(Event::Identity(loaded.identity()));
    let mailbox = args.home.join("mailbox.sqlite");
    let storage = open_mailbox(&mailbox, args.quotas(), &reporter)?;
    let (mix_listener, mix_address) = listen(args.listen_on(), Endpoint::Mix, &reporter).await?;
    let (clients_listener, clients_address) =
        listen(args.clients_listen_on(), Endpoint::Clients, &reporter).await?;

    let profile = WireProfile::CURRENT;
    let malformed = MalformedFrames::default();
    let links = Links::new(profile).tracing(traces.clone());
    let rules = Rules { pad: args.pad, faithful: args.faithful, profile };
    let sessions = Sessions::new(storage.clone(), &loaded.key, links.clone(), rules);
    let (packets, mut received) = mpsc::channel(MAX_ARRIVED);
    let (network, mut networks) = watch::channel(Arc::new(Network::default()));
    let report = args.report(&public_key, mix_address, clients_address);
    let presence = Presence::new(directory.clone(), storage.clone(), report);
    // All of them end with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn(receive_packets(mix_listener, profile, packets, malformed.clone()));
    tasks.spawn(follow_topology(directory.clone(), network));
    tasks.spawn(sessions.clone().serve(clients_listener));
    let announcing = tasks.spawn(announce(move || presence.clone().announce(), reporter.clone()));

    let replays = (!args.faithful).then(|| ReplaySet::new(clock::now()));
    let engine = Provider::new(HopProcessor::new(loaded.key, profile), replays);
    let announced = AnnounceAs::announced(args.announce_host, mix_address);
    let mut driver = Driver {
        engine: engine.tracing(traces.clone()),
        double: Double::new(public_key, NodeAddress(announced)),
        links,
        malformed,
        reporter: reporter.clone(),
        storage,
        sessions,
        stored: 0,
        traces,
    };
    let mailbox_in_use = driver.storage.clone();
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut metrics_due = clock::ticks(METRICS_INTERVAL);
    let mut links_due = clock::ticks(LINKS_INTERVAL);
    let mut adversary = Adversary::new([driver.links.clone()], reporter.clone());
    let mut leaving_until = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => {
                // Who is supervised has lost the supervisor, and probably the directory too.
                if is_alone {
                    announcing.abort();
                    leave_directory(&directory, &public_key.to_string()).await;
                }
                break;
            }
            () = reached(leaving_until) => break,
            reason = mailbox_in_use.broken() => {
                return Err(broken_mailbox(&mailbox, reason));
            }
            taken = received.recv_many(&mut batch, MAX_BATCH) => {
                if taken > 0 {
                    driver.take(std::mem::take(&mut batch)).await;
                }
            }
            Ok(()) = networks.changed() => driver.set_network(&networks.borrow_and_update().clone()),
            Some(Request { id, command }) = requests.recv() => {
                let outcome = match command {
                    Command::Stop => {
                        reporter.report(Event::Answer(Answer { id, outcome: Outcome::Done }));
                        break;
                    }
                    Command::Leave => {
                        // Asked again, it goes no later.
                        if leaving_until.is_none() {
                            announcing.abort();
                            leave_directory(&directory, &public_key.to_string()).await;
                            leaving_until = Some(Instant::now() + LEAVE_GRACE);
                        }
                        Outcome::Done
                    }
                    Command::Attack { attack } => {
                        adversary.begin(id, attack);
                        continue;
                    }
                    Command::Send { .. } | Command::Inbox { .. } | Command::Set { .. } | Command::Ping => refused(),
                };
                reporter.report(Event::Answer(Answer { id, outcome }));
            }
            _ = links_due.tick() => driver.report_links(),
            _ = metrics_due.tick() => driver.report_metrics(),
        }
    }
    tasks.shutdown().await;
    driver.end().await;
    // Of a signal its receiver has told.
    if !shutdown.is_cancelled() {
        reporter.report(Event::Stopping { reason: "it was asked to".into() });
    }
    Ok(())
}

fn refused() -> Outcome {
    Outcome::Refused { reason: "a provider has no messages and no traffic of its own".into() }
}

/// Waits for a moment, or for ever.
async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

fn open_mailbox(path: &Path, quotas: Quotas, reporter: &Reporter) -> Result<Storage, Fatal> {
    let Quotas { per_client, total } = quotas;
    if per_client.packets > total.packets {
        tracing::warn!(
            "the quota of one client, {} packets, is larger than that of all together, {}",
            per_client.packets,
            total.packets
        );
    }
    let opened = Storage::open(path, quotas, reporter.clone());
    let (storage, damaged) = opened.map_err(|error| unusable_mailbox(path, &error))?;
    if let Some(damaged) = damaged {
        tracing::error!(
            "{damaged}, and the provider starts with an empty one: what waited in it is not \
             delivered"
        );
    }
    Ok(storage)
}

fn unusable_mailbox(path: &Path, error: &MailboxError) -> Fatal {
    let message = format!("cannot use the mailbox `{}`: {error}", path.display());
    let fatal = Fatal::new(FatalCode::Storage, message);
    match error {
        MailboxError::File(error) => fatal.hint(error.hint()),
        MailboxError::TooManyClients | MailboxError::TooManyNamed => fatal,
    }
}

fn broken_mailbox(path: &Path, reason: &str) -> Fatal {
    let message = format!("cannot use the mailbox `{}`: {reason}", path.display());
    Fatal::new(FatalCode::Storage, message).hint(DatabaseError::START_AGAIN)
}

struct Driver {
    engine: Provider,
    double: Double,
    links: Links,
    malformed: MalformedFrames,
    reporter: Reporter,
    storage: Storage,
    sessions: Sessions,
    stored: u64,
    /// None where tracing is off.
    traces: Option<Traces>,
}

impl Driver {
    /// Takes a new view of the network.
    fn set_network(&mut self, network: &Network) {
        let now = clock::now();
        self.double.look_out(network);
        self.engine.set_network(now, network);
        self.sessions.set_network(now, network);
    }

    /// Stores what came for clients; acknowledges what is safe, and only that.
    async fn take(&mut self, batch: Vec<Received>) {
        let parcels: Arc<[_]> = self.engine.take(clock::now(), batch).into();
        if parcels.is_empty() {
            return;
        }
        match self.storage.store(Arc::clone(&parcels)).await {
            Ok(results) => {
                for (parcel, stored) in parcels.iter().zip(results) {
                    let reason = match stored {
                        Stored::Yes => {
                            self.keep(parcel);
                            continue;
                        }
                        Stored::UnknownClient => DropReason::UnknownClient,
                        Stored::ClientFull => DropReason::MailboxFull,
                        Stored::ProviderFull => DropReason::ProviderFull,
                    };
                    self.engine.not_stored(clock::now(), parcel, reason);
                }
            }
            // Told by the storage itself. Nothing is acknowledged, so senders send again.
            Err(_) => {
                for parcel in &*parcels {
                    self.engine.not_stored(clock::now(), parcel, DropReason::Storage);
                }
            }
        }
    }

    /// A parcel is safe: its client may have it, and its sender hears of it.
    fn keep(&mut self, parcel: &Parcel) {
        let now = clock::now();
        self.stored += 1;
        self.sessions.notify(&parcel.client);
        if let Some(ack) = self.engine.stored(now, &mut rand::rng(), parcel) {
            self.links.send(ack.to, ack.packet);
        }
    }

    /// Lets everything end that is under way.
    async fn end(&self) {
        self.sessions.close(FLUSH_LIMIT).await;
        self.links.flush(FLUSH_LIMIT).await;
        // Two last reports, so that what was counted is seen.
        self.report_links();
        self.report_metrics();
        if !self.storage.close(CLOSE_LIMIT).await {
            tracing::warn!("the mailbox is still busy: its log belongs to it, keep them together");
        }
    }

    fn report_links(&self) {
        if let Some(traces) = &self.traces {
            traces.report(&self.reporter);
        }
        let (pushed, lost) = self.sessions.take_events();
        let lost = lost + self.links.take_lost();
        let links = self.links.take_events().into_iter().chain(pushed);
        report_links(&self.reporter, links.collect(), lost);
    }

    /// The counters. Also gives back what a burst has left.
    fn report_metrics(&self) {
        self.links.give_memory_back();
        let counters = self.engine.counters();
        let reasons = counters.dropped.iter().map(|(reason, count)| (reason.word(), *count));
        let dropped = drops::add_up(reasons.chain([
            (drops::QUEUE, self.links.dropped()),
            (DropReason::Malformed.word(), self.malformed.count()),
        ]));
        let (clients, waiting) = self.storage.counts();
        let mailbox = MailboxCounters {
            clients,
            online: self.sessions.online(),
            stored: self.stored,
            delivered: self.sessions.delivered(),
            waiting,
        };
        let t = clock::now();
        self.reporter.report(Event::Metrics(NodeMetrics {
            t,
            received: counters.received,
            sent: self.links.sent(),
            dropped,
            replay_window: self.engine.replay_window(t).map(|window| window.as_secs()),
            mailbox: Some(mailbox),
            ..NodeMetrics::default()
        }));
    }
}
