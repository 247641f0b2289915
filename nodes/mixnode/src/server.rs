//! The mixnode as a process: directory and supervisor around its workers.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::{Answer, Command, Endpoint, Event, Fatal, FatalCode, Outcome, Request, Time};
use directory_api::{METRICS_INTERVAL, MixNodeReport};
use directory_client::DirectoryClient;
use runtime::{
    Adversary, AnnounceAs, Double, LINKS_INTERVAL, Links, MalformedFrames, Network, Process,
    Reporter, Traces, accept_packets, announce, clock, follow_topology, leave_directory, listen,
    with_causes,
};
use sphinx::HopProcessor;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use wire::{NodeAddress, WireProfile};

use crate::report::{Logged, Posted, Reports, post_metrics};
use crate::worker::Worker;
use crate::{Mixnode, MixnodeArgs, Replays};

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
    let reporter = process.reporter.clone();
    let traces = Traces::asked_for(args.trace, &reporter)?;
    let directory = DirectoryClient::new(&args.directory)
        .map_err(|error| Fatal::new(FatalCode::Usage, with_causes(&error)))?;
    let loaded = args.load_key()?;
    reporter.report(Event::Identity(loaded.identity()));
    let (listener, address) = listen(args.listen_on(), Endpoint::Mix, &reporter).await?;
    let profile = WireProfile::CURRENT;
    let processor = if args.portable { HopProcessor::portable } else { HopProcessor::new };
    let processor = processor(loaded.key, profile);
    tracing::info!("takes packets apart with {} arithmetic", processor.arithmetic());
    let announced = AnnounceAs::announced(args.announce_host, address);
    let double = Double::new(processor.public_key(), NodeAddress(announced));
    let node = Node::start(&args, processor, double, &directory, &reporter, traces).await;
    let node = node.map_err(|error| {
        Fatal::new(FatalCode::Other, format!("cannot start the workers: {error}"))
    })?;
    node.serve(args, listener, address, directory, process).await;
    Ok(())
}

/// A mixnode whose workers wait for connections.
struct Node {
    reports: Reports,
    /// Tells of new views of the network.
    networks: watch::Receiver<Arc<Network>>,
    double: Double,
    /// All of them end with the node.
    tasks: JoinSet<()>,
}

impl Node {
    /// Starts the workers, as many as were asked for: a single one in this thread.
    async fn start(
        args: &MixnodeArgs,
        processor: HopProcessor,
        double: Double,
        directory: &DirectoryClient,
        reporter: &Reporter,
        traces: Option<Traces>,
    ) -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        let (network, networks) = watch::channel(Arc::new(Network::default()));
        let wants_topology = Arc::<Notify>::default();
        tasks.spawn(follow_topology(directory.clone(), network.clone()));
        tasks.spawn(fetch_topology(directory.clone(), network, Arc::clone(&wants_topology)));

        let replays = (!args.faithful).then(|| Replays::new(clock::now()));
        let count = args.workers.get();
        let mut workers = Vec::with_capacity(count);
        for _ in 0..count {
            let engine = Mixnode::new(processor.clone(), args.layer, args.layers, replays.clone())
                .tracing(traces.clone());
            let links = Links::new(processor.profile()).reporting_to(reporter);
            let links = links.tracing(traces.clone());
            let wants_topology = Arc::clone(&wants_topology);
            workers.push(if count == 1 {
                Worker::start_here(engine, links, wants_topology, &mut tasks)?
            } else {
                Worker::start_thread(engine, links, wants_topology).await?
            });
        }

        let to_directory =
            (!args.no_metrics).then(|| mpsc::channel(1)).map(|(reports, to_post)| {
                tasks.spawn(post_metrics(directory.clone(), to_post));
                reports
            });
        let reports = Reports {
            workers,
            malformed: MalformedFrames::default(),
            replays,
            traces,
            reporter: reporter.clone(),
            public_key: processor.public_key().to_string(),
            directory: to_directory,
            posted: Posted::default(),
            logged: Logged::new(clock::now()),
        };
        Ok(Self { reports, networks, double, tasks })
    }

    /// Accepts connections, and hands them to the workers in turn.
    fn accept(&mut self, listener: TcpListener) {
        let (workers, malformed) = (self.reports.workers.clone(), self.reports.malformed.clone());
        let turn = AtomicUsize::new(0);
        self.tasks.spawn(accept_packets(listener, move |stream, peer, place| {
            let worker = &workers[turn.fetch_add(1, Ordering::Relaxed) % workers.len()];
            worker.clone().serve(stream, peer, place, WireProfile::CURRENT, malformed.clone())
        }));
    }

    /// Announces the node until the handle is aborted.
    fn announce(
        &mut self,
        args: MixnodeArgs,
        address: SocketAddr,
        directory: DirectoryClient,
    ) -> AbortHandle {
        let presence = MixNodeReport {
            host: AnnounceAs::announced(args.announce_host, address).to_string(),
            pub_key: self.reports.public_key.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            location: args.location.unwrap_or(args.name),
            layer: args.layer.into(),
        };
        let announce_once = move || {
            let (directory, presence) = (directory.clone(), presence.clone());
            async move { directory.announce_mixnode(&presence).await }
        };
        self.tasks.spawn(announce(announce_once, self.reports.reporter.clone()))
    }

    /// Takes packets until it is told to stop.
    async fn serve(
        mut self,
        args: MixnodeArgs,
        listener: TcpListener,
        address: SocketAddr,
        directory: DirectoryClient,
        process: Process,
    ) {
        let is_alone = process.is_alone();
        let Process { reporter, mut requests, shutdown } = process;
        self.accept(listener);
        let announcing = self.announce(args, address, directory.clone());
        let public_key = self.reports.public_key.clone();
        let leave = async || {
            announcing.abort();
            leave_directory(&directory, &public_key).await;
        };
        let mut metrics_due = clock::ticks(METRICS_INTERVAL);
        let mut links_due = clock::ticks(LINKS_INTERVAL);
        let links = self.reports.workers.iter().map(|worker| worker.links().clone());
        let mut adversary = Adversary::new(links, reporter.clone());
        let mut leaving_since = None;
        while !leaving_since.is_some_and(|since| self.has_drained(since)) {
            tokio::select! {
                () = shutdown.cancelled() => {
                    // Who is supervised has lost the supervisor, and probably the directory too.
                    if is_alone {
                        leave().await;
                    }
                    break;
                }
                Ok(()) = self.networks.changed() => self.show_network(),
                Some(Request { id, command }) = requests.recv() => {
                    let outcome = match command {
                        Command::Stop => {
                            reporter.report(Event::Answer(Answer { id, outcome: Outcome::Done }));
                            break;
                        }
                        Command::Leave => {
                            if leaving_since.is_none() {
                                leave().await;
                                leaving_since = Some(clock::now());
                            }
                            Outcome::Done
                        }
                        Command::Attack { attack } => {
                            adversary.begin(id, attack);
                            continue;
                        }
                        Command::Send { .. } | Command::Inbox { .. } | Command::Set { .. } | Command::Ping => {
                            Outcome::Refused { reason: "a mixnode has no messages and no traffic of its own".into() }
                        }
                    };
                    reporter.report(Event::Answer(Answer { id, outcome }));
                }
                // Also looks whether a leaving node has drained.
                _ = links_due.tick() => self.reports.report_links(),
                _ = metrics_due.tick() => self.reports.report_metrics(),
            }
        }
        // All of them write meanwhile, so one limit is enough for all.
        let flushed = async {
            for worker in &self.reports.workers {
                worker.links().flush(FLUSH_LIMIT).await;
            }
        };
        let _ = timeout(FLUSH_LIMIT, flushed).await;
        // Two last reports, so that what was counted is seen.
        self.reports.report_links();
        self.reports.report_metrics();
        // Of a signal its receiver has told.
        if !shutdown.is_cancelled() {
            reporter.report(Event::Stopping { reason: "it was asked to".into() });
        }
    }

    /// Shows the workers the newest view of the network.
    fn show_network(&mut self) {
        let network = Arc::clone(&self.networks.borrow_and_update());
        self.double.look_out(&network);
        for worker in &self.reports.workers {
            worker.set_network(clock::now(), &network);
        }
    }

    /// Whether a node that leaves since then can go.
    fn has_drained(&self, since: Time) -> bool {
        let left = clock::now().saturating_since(since);
        let is_empty = |worker: &Worker| worker.with_engine(|engine| engine.pool() == 0);
        left >= DRAIN_LIMIT || (left >= LEAVE_GRACE && self.reports.workers.iter().all(is_empty))
    }
}

/// Fetches the topology whenever an engine wants it, for ever.
async fn fetch_topology(
    directory: DirectoryClient,
    network: watch::Sender<Arc<Network>>,
    wanted: Arc<Notify>,
) {
    let mut failing = false;
    loop {
        wanted.notified().await;
        match directory.topology().await {
            Ok(topology) => {
                failing = false;
                network.send_replace(Arc::new(Network::from_topology(&topology)));
            }
            // Said once: while packets wait for an unknown hop it is asked for several times a second.
            Err(error) if !failing => {
                failing = true;
                tracing::warn!("{}", with_causes(&error));
            }
            Err(_) => {}
        }
    }
}
