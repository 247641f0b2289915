//! The mixnode as a process: sockets, clock, drops, directory and supervisor around the engine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use contract::{
    Answer, Command, Endpoint, Event, Fatal, FatalCode, Identity, NodeMetrics, Outcome, Request,
    Time,
};
use directory_api::{METRICS_INTERVAL, MixMetricReport, MixNodeReport};
use directory_client::DirectoryClient;
use runtime::{
    LINKS_INTERVAL, Links, MalformedFrames, Network, Process, Received, Reporter, Timer, announce,
    clock, drops, follow_topology, leave_directory, listen, load_or_create, receive_packets,
    with_causes,
};
use sphinx::HopProcessor;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use wire::WireProfile;

use crate::{DropReason, Mixnode, MixnodeArgs, Output};

/// Packets read from sockets that wait for the engine; when it is full, TCP holds senders back.
const MAX_WAITING: usize = 256;

/// Packets that the engine takes before it looks at its pool again.
const MAX_BATCH: usize = 32;

/// How long a leaving node lets its pool drain.
const DRAIN_LIMIT: Duration = Duration::from_secs(3);

/// How long it stays at least: the layer before has packets for it that were made before it left.
const LEAVE_GRACE: Duration = Duration::from_secs(1);

/// How long a node that ends waits for its links to write what they have.
const FLUSH_LIMIT: Duration = Duration::from_millis(500);

/// Runs a mixnode until it is told to stop.
pub async fn run(args: MixnodeArgs, process: Process) -> Result<(), Fatal> {
    if args.layer > args.layers {
        let message = format!("layer {} is not one of the network's {}", args.layer, args.layers);
        return Err(Fatal::new(FatalCode::Usage, message));
    }
    let Process { reporter, mut requests, shutdown } = process;
    let directory = DirectoryClient::new(&args.directory)
        .map_err(|error| Fatal::new(FatalCode::Usage, with_causes(&error)))?;
    let timer = Timer::start()
        .map_err(|error| Fatal::new(FatalCode::Other, format!("cannot start a thread: {error}")))?;
    let loaded = load_or_create(&args.home, "sphinx", &mut rand::rng())?;
    let public_key = loaded.key.public().to_string();
    reporter.report(Event::Identity(Identity {
        public_keys: vec![public_key.clone()],
        address: None,
        new: loaded.new,
    }));
    let (listener, address) = listen(args.listen_on(), Endpoint::Mix, &reporter).await?;

    let profile = WireProfile::CURRENT;
    let malformed = MalformedFrames::default();
    let (packets, mut received) = mpsc::channel(MAX_WAITING);
    let (network, mut networks) = watch::channel(Arc::new(Network::default()));
    let (metrics, to_post) = mpsc::channel(1);
    let presence = MixNodeReport {
        host: address.to_string(),
        pub_key: public_key.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        location: args.name,
        layer: args.layer.into(),
    };
    // All of them end with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn(receive_packets(listener, profile, packets, malformed.clone()));
    tasks.spawn(follow_topology(directory.clone(), network.clone()));
    tasks.spawn(post_metrics(directory.clone(), to_post));
    let of_announcing = directory.clone();
    let announce_once = move || {
        let (directory, presence) = (of_announcing.clone(), presence.clone());
        async move { directory.announce_mixnode(&presence).await }
    };
    let announcing = tasks.spawn(announce(announce_once, reporter.clone()));

    let mut driver = Driver {
        engine: Mixnode::new(HopProcessor::new(loaded.key, profile), args.layer, args.layers),
        links: Links::new(profile),
        malformed,
        reporter: reporter.clone(),
        directory,
        network,
        public_key,
        metrics,
        posted: Posted::default(),
    };
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut metrics_due = clock::ticks(METRICS_INTERVAL);
    let mut links_due = clock::ticks(LINKS_INTERVAL);
    let mut leaving_since: Option<Time> = None;
    while !leaving_since.is_some_and(|since| driver.has_drained(since)) {
        let leaving = leaving_since.map(|since| {
            let limit = if driver.engine.pool() == 0 { LEAVE_GRACE } else { DRAIN_LIMIT };
            since + limit
        });
        let wake = driver.engine.next_wake().into_iter().chain(leaving).min();
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = received.recv_many(&mut batch, MAX_BATCH) => driver.take(&mut batch),
            () = timer.at(wake) => {}
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
                        leave_directory(&driver.directory, &driver.public_key).await;
                        leaving_since = Some(clock::now());
                        Outcome::Done
                    }
                    Command::Send { .. } => {
                        Outcome::Refused { reason: "a mixnode sends no messages".into() }
                    }
                };
                reporter.report(Event::Answer(Answer { id, outcome }));
            }
            _ = links_due.tick() => driver.report_links(),
            _ = metrics_due.tick() => driver.report_metrics(),
        }
        driver.poll();
    }
    driver.links.flush(FLUSH_LIMIT).await;
    // Two last reports, so that what was counted is seen.
    driver.report_links();
    driver.report_metrics();
    reporter.report(Event::Stopping { reason: "it was asked to".into() });
    Ok(())
}

async fn post_metrics(directory: DirectoryClient, mut reports: mpsc::Receiver<MixMetricReport>) {
    while let Some(report) = reports.recv().await {
        if let Err(error) = directory.report_metrics(&report).await {
            tracing::debug!("{}", with_causes(&error));
        }
    }
}

struct Driver {
    engine: Mixnode,
    links: Links,
    malformed: MalformedFrames,
    reporter: Reporter,
    directory: DirectoryClient,
    network: watch::Sender<Arc<Network>>,
    public_key: String,
    metrics: mpsc::Sender<MixMetricReport>,
    posted: Posted,
}

/// What the directory was told already: its reports are per interval, the engine counts from the
/// start.
#[derive(Default)]
struct Posted {
    received: u64,
    sent: BTreeMap<SocketAddr, u64>,
}

impl Driver {
    /// Whether a node that leaves since then can go.
    fn has_drained(&self, since: Time) -> bool {
        let left = clock::now().saturating_since(since);
        left >= DRAIN_LIMIT || (left >= LEAVE_GRACE && self.engine.pool() == 0)
    }

    fn take(&mut self, batch: &mut Vec<Received>) {
        for Received { t, packet } in batch.drain(..) {
            self.engine.take(t, &packet);
        }
    }

    fn poll(&mut self) {
        for output in self.engine.poll(clock::now()) {
            match output {
                Output::Forward { to, packet } => self.links.send(to, packet),
                Output::RefreshTopology => self.refresh_topology(),
            }
        }
    }

    fn refresh_topology(&self) {
        let (directory, network) = (self.directory.clone(), self.network.clone());
        tokio::spawn(async move {
            match directory.topology().await {
                Ok(topology) => {
                    network.send_replace(Arc::new(Network::from_topology(&topology)));
                }
                Err(error) => tracing::warn!("{}", with_causes(&error)),
            }
        });
    }

    fn report_links(&self) {
        let links = self.links.take_events();
        if !links.is_empty() {
            self.reporter.report(Event::Links { links });
        }
    }

    fn report_metrics(&mut self) {
        let counters = self.engine.counters();
        let sent = counters.sent.iter().filter_map(|(to, count)| {
            let new = count - self.posted.sent.get(to).copied().unwrap_or(0);
            (new > 0).then(|| (to.to_string(), new))
        });
        let report = MixMetricReport {
            pub_key: self.public_key.clone(),
            sent: sent.collect(),
            received: counters.received - self.posted.received,
        };
        // While the last report is still underway this one waits: its packets go with the next.
        if self.metrics.try_send(report).is_ok() {
            self.posted = Posted { received: counters.received, sent: counters.sent.clone() };
        }

        let reasons = counters.dropped.iter().map(|(reason, count)| (reason.word(), *count));
        let dropped = drops::add_up(reasons.chain([
            (drops::QUEUE, self.links.dropped()),
            (DropReason::Malformed.word(), self.malformed.count()),
        ]));
        self.reporter.report(Event::Metrics(NodeMetrics {
            t: clock::now(),
            received: counters.received,
            sent: self.links.sent(),
            dropped,
            pool: Some(self.engine.pool() as u64),
            traffic: None,
            mailbox: None,
        }));
    }
}
