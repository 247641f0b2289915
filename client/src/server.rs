//! A client, or a crowd of them, as a process.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use contract::{Answer, Attack, Command, Endpoint, Event, Fatal, FatalCode, Outcome, Request};
use directory_api::METRICS_INTERVAL;
use directory_client::DirectoryClient;
use runtime::{
    Adversary, Fallback, LINKS_INTERVAL, Links, ListenOn, LoadedKey, Network, Process, Reporter,
    Timer, Traces, clock, follow_topology, listen, load_key, with_causes,
};
use sphinx::PacketBuilder;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{PublicKey, WireProfile};

use crate::applications::Applications;
use crate::asks::{Ask, NewMessage, message_id};
use crate::choice::choose_provider;
use crate::crowd::{Crowd, crowd_key};
use crate::identity::{Journal, Shared};
use crate::storage::{Restored, Storage};
use crate::{ClientArgs, SocketType};

/// Requests of the supervisor that are being answered.
const MAX_WAITING_REQUESTS: usize = 64;

/// How long identities may take to stop, and links to write what they have.
const STOP_LIMIT: Duration = Duration::from_millis(300);

/// How long the journal may take to be closed. What is in it stays there however the process ends.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Runs a client until it is told to stop, or a crowd: identities that only send cover.
pub async fn run_client(args: ClientArgs, process: Process) -> Result<(), Fatal> {
    let Some(identities) = args.crowd else {
        let key = load_key(&args.key_files("identity"), args.node_seed().as_ref())?;
        let opened = Storage::open(&args.home)?;
        let sockets = Sockets::open(&args, &process.reporter).await?;
        return run(&args, vec![key], Some((opened, sockets)), process).await;
    };
    let keys = (1..=usize::from(identities)).map(|number| crowd_key(&args, number));
    let keys = keys.collect::<Result<_, _>>()?;
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
    let traces = Traces::asked_for(args.trace, &reporter)?;
    let timer = Timer::start().map_err(|error| {
        Fatal::new(FatalCode::Other, format!("cannot start the timer: {error}"))
    })?;
    let (network, networks) = watch::channel(Arc::new(Network::default()));
    // All of them end with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn(follow_topology(directory, network));
    let (settings, changing) = watch::channel(args.settings());
    let shared = Shared {
        settings: changing,
        packets: PacketBuilder::new(WireProfile::CURRENT),
        networks: networks.clone(),
        links: Links::new(WireProfile::CURRENT).tracing(traces.clone()),
        timer: Arc::new(timer),
        reporter: reporter.clone(),
        traces,
    };
    let first_key = keys[0].key.clone();
    let mut former = None;
    let (mut journal, mut sockets_of) = (None, None);
    if let Some(((storage, restored), sockets)) = client {
        former = restored.provider;
        if let Some(damaged) = &restored.damaged {
            tracing::warn!("{damaged}");
        }
        journal = Some(Journal { storage, outgoing: restored.outgoing });
        sockets_of = Some(sockets);
    }
    let mut crowd = Crowd::start(args, keys, journal, shared, settings);
    if let (Some(sockets), Some(asks), Some(storage)) =
        (sockets_of, crowd.only_client(), crowd.storage.clone())
    {
        let applications = Applications::new(
            asks,
            storage,
            args.allow_origin.iter().cloned().map(String::from).collect(),
            first_key.public(),
        );
        sockets.serve(&applications, &mut tasks);
    }
    let choice =
        choose_provider(networks, args.provider.clone(), former, first_key, reporter.clone());
    let result = work(&mut crowd, choice, requests, &shutdown).await;
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

/// Works until it is told to stop, or all identities have left.
async fn work(
    crowd: &mut Crowd,
    choice: impl Future<Output = PublicKey>,
    mut requests: mpsc::Receiver<Request>,
    shutdown: &CancellationToken,
) -> Result<(), Fatal> {
    let mut links_due = clock::ticks(LINKS_INTERVAL);
    let mut metrics_due = clock::ticks(METRICS_INTERVAL);
    let reporter = crowd.shared.reporter.clone();
    let changed = Arc::clone(&crowd.changed);
    let mut adversary = Adversary::new([crowd.shared.links.clone()], reporter.clone());
    let mut answers = JoinSet::new();
    let mut choice = std::pin::pin!(choice);
    let mut has_chosen = false;
    let storage = crowd.storage.clone();
    loop {
        let has_room = answers.len() < MAX_WAITING_REQUESTS;
        tokio::select! {
            () = shutdown.cancelled() => break,
            fatal = broken(storage.as_ref()) => return Err(fatal),
            provider = &mut choice, if !has_chosen => {
                has_chosen = true;
                crowd.chosen(provider).await;
            }
            Some(Request { id, command }) = requests.recv(), if has_room => match command {
                Command::Stop => {
                    reporter.report(done(id));
                    break;
                }
                Command::Leave => {
                    crowd.leave().await;
                    reporter.report(done(id));
                }
                Command::Send { to, content, message } => {
                    let sent = send(crowd.only_client(), to, content, message);
                    answers.spawn(answer(id, sent, reporter.clone()));
                }
                Command::Set { change } => crowd.set(id, change),
                Command::Ping => {
                    let ponged = ping(crowd.only_client());
                    answers.spawn(answer(id, ponged, reporter.clone()));
                }
                Command::Attack { attack: Attack::Skip { layer } } => {
                    let skipped = skip(crowd.only_client(), layer);
                    answers.spawn(answer(id, skipped, reporter.clone()));
                }
                Command::Attack { attack } => adversary.begin(id, attack),
                Command::Inbox { after } => {
                    let page = page(crowd.storage.clone(), after);
                    answers.spawn(answer(id, page, reporter.clone()));
                }
            },
            // The identities that are there are let at it in between.
            () = yield_now(), if crowd.is_growing() => crowd.grow(),
            Some(_) = answers.join_next() => {}
            ended = crowd.identities.join_next() => match ended {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    let message = format!("an identity has failed: {error}");
                    return Err(Fatal::new(FatalCode::Other, message));
                }
                // All have left.
                None => break,
            },
            () = changed.notified() => crowd.report_readiness(&reporter),
            _ = links_due.tick() => report_links(&crowd.shared),
            _ = metrics_due.tick() => crowd.report_metrics(),
        }
    }
    let stopping = async {
        crowd.tell_all(|| Ask::Stop).await;
        while crowd.identities.join_next().await.is_some() {}
    };
    let _ = timeout(STOP_LIMIT, stopping).await;
    crowd.shared.links.flush(STOP_LIMIT).await;
    report_links(&crowd.shared);
    crowd.report_metrics();
    Ok(())
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
    message: Option<String>,
) -> Result<Outcome, String> {
    let stopping = || "the client is stopping".to_owned();
    let data = content.into_bytes().map_err(|error| error.to_string())?;
    let to = to.parse().map_err(|error: wire::KeyError| error.to_string())?;
    let id =
        message.map(|id| message_id(&id).ok_or("the message's id is not 32 hexadecimal digits"));
    let id = id.transpose()?;
    let message = NewMessage { to, data: data.into(), id, reply_blocks: 0, confirm: false };
    let (answer, answered) = oneshot::channel();
    let asks = asks.ok_or("a crowd sends no messages")?;
    asks.send(Ask::Send { message, answer }).await.map_err(|_| stopping())?;
    let accepted = answered.await.map_err(|_| stopping())??;
    Ok(Outcome::Accepted { message: accepted.message.to_string() })
}

async fn ping(asks: Option<mpsc::Sender<Ask>>) -> Result<Outcome, String> {
    let stopping = || "the client is stopping".to_owned();
    let (answer, answered) = oneshot::channel();
    let asks = asks.ok_or("only a client can be pinged, and this is a crowd")?;
    asks.send(Ask::Ping { answer }).await.map_err(|_| stopping())?;
    let pong = answered.await.map_err(|_| stopping())??;
    let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Ok(Outcome::Pong {
        queued_us: microseconds(pong.queued),
        travelled_us: microseconds(pong.travelled),
        asked_us: microseconds(pong.asked),
        route: pong.route.iter().map(ToString::to_string).collect(),
    })
}

async fn skip(asks: Option<mpsc::Sender<Ask>>, layer: u8) -> Result<Outcome, String> {
    let stopping = || "the client is stopping".to_owned();
    let (answer, answered) = oneshot::channel();
    let asks = asks.ok_or("only a client can leave out a layer, and this is a crowd")?;
    asks.send(Ask::Skip { layer, answer }).await.map_err(|_| stopping())?;
    let deed = answered.await.map_err(|_| stopping())??;
    Ok(Outcome::Attacked { deed })
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
    Ok(Outcome::Inbox { messages: page.messages, more: page.more, last: Some(page.last) })
}

fn report_links(shared: &Shared) {
    if let Some(traces) = &shared.traces {
        traces.report(&shared.reporter);
    }
    let (lost, links) = (shared.links.take_lost(), shared.links.take_events());
    runtime::report_links(&shared.reporter, links, lost);
}
