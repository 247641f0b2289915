//! A real network inside a test: every daemon on a port of its own, events kept for the test.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args, FromArgMatches};
use client::{ClientArgs, run_client};
use contract::{Command, Endpoint, Event, Fatal, Request};
use futures_util::{SinkExt, StreamExt};
use mixnode::MixnodeArgs;
use provider::ProviderArgs;
use runtime::{Process, Reporter};
use serde_json::{Value, json};
use sphinx::PrivateKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use wire::{CHALLENGE_PURPOSE, PublicKey, SUBPROTOCOL};

/// How long a test waits for anything; a slow machine stretches it with an environment variable.
pub(crate) fn deadline() -> Duration {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
    let factor = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1.0);
    Duration::from_secs(20).mul_f64(factor)
}

/// A daemon that runs in this test, and everything that it has reported.
pub(crate) struct Daemon {
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) shutdown: CancellationToken,
    events: Arc<Mutex<Vec<Event>>>,
    news: Arc<Notify>,
    task: Option<JoinHandle<Result<(), Fatal>>>,
}

impl Daemon {
    pub(crate) fn start<F>(run: impl FnOnce(Process) -> F) -> Self
    where
        F: Future<Output = Result<(), Fatal>> + Send + 'static,
    {
        let events = Arc::new(Mutex::new(Vec::new()));
        let news = Arc::new(Notify::new());
        let reporter = {
            let (events, news) = (Arc::clone(&events), Arc::clone(&news));
            Reporter::new(move |event| {
                events.lock().expect("not poisoned").push(event);
                news.notify_one();
            })
        };
        let (requests, receiver) = mpsc::channel(8);
        let shutdown = CancellationToken::new();
        let process = Process { reporter, requests: receiver, shutdown: shutdown.clone() };
        let task = Some(tokio::spawn(run(process)));
        Self { requests, shutdown, events, news, task }
    }

    /// Everything that it has reported.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.lock().expect("not poisoned").clone()
    }

    /// Waits until it reports something more.
    pub(crate) async fn news(&self) {
        timeout(deadline(), self.news.notified()).await.expect("it reports every second");
    }

    /// How many such events it has reported.
    pub(crate) fn reported(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.events.lock().expect("not poisoned").iter().filter(|event| is(event)).count()
    }

    /// Waits until an event is one of these, past ones included.
    pub(crate) async fn wait_for<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        let found = timeout(deadline(), async {
            loop {
                if let Some(found) =
                    self.events.lock().expect("not poisoned").iter().find_map(&pick)
                {
                    return found;
                }
                self.news.notified().await;
            }
        });
        let Ok(found) = found.await else {
            panic!("no {what} in {:#?}", self.events.lock().expect("not poisoned"));
        };
        found
    }

    pub(crate) async fn ready(&self) {
        let ready = |event: &Event| matches!(event, Event::Ready { .. }).then_some(());
        self.wait_for("readiness", ready).await;
    }

    pub(crate) async fn address(&self, of: Endpoint) -> SocketAddr {
        self.wait_for("address", |event| match event {
            Event::Listening(listening) if listening.endpoint == of => Some(listening.address),
            _ => None,
        })
        .await
    }

    /// Its public key.
    pub(crate) async fn key(&self) -> PublicKey {
        self.wait_for("key", |event| match event {
            Event::Identity(identity) => identity.public_keys[0].parse().ok(),
            _ => None,
        })
        .await
    }

    /// Waits until it has dropped so many packets for this reason.
    pub(crate) async fn dropped(&self, reason: &str, count: u64) {
        self.wait_for(&format!("{count} drops for {reason}"), |event| match event {
            Event::Metrics(metrics) => {
                metrics.dropped.get(reason).filter(|n| **n >= count).copied()
            }
            _ => None,
        })
        .await;
    }

    pub(crate) async fn request(&self, id: u64, command: Command) {
        self.requests.send(Request { id, command }).await.expect("it takes requests");
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> Result<(), Fatal> {
        let task = self.task.take().expect("asked once");
        timeout(deadline(), task).await.expect("it ends in time").expect("it does not panic")
    }
}

/// Parses options as a command line would.
pub(crate) fn parse<A: Args + FromArgMatches>(line: &str) -> A {
    let command = A::augment_args(clap::Command::new("test").no_binary_name(true));
    let matches = command.try_get_matches_from(line.split_whitespace()).expect("good options");
    A::from_arg_matches(&matches).expect("good options")
}

/// The directory's task and address.
pub(crate) async fn directory(shutdown: CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let options = directory_server::Options::default();
    tokio::spawn(directory_server::run(listener, options, shutdown));
    format!("http://{address}")
}

pub(crate) fn mixnode(home: &Path, directory: &str, layer: u8) -> Daemon {
    let line = format!(
        "--name mix-{layer}-1 --home {} --directory {directory} --layer {layer} --port 0",
        home.join(format!("mix-{layer}-1")).display()
    );
    let args: MixnodeArgs = parse(&line);
    Daemon::start(|process| mixnode::run(args, process))
}

pub(crate) fn provider(home: &Path, directory: &str) -> Daemon {
    let line = format!(
        "--name provider-1 --home {} --directory {directory} --port 0 --clients-port 0",
        home.join("provider-1").display()
    );
    let args: ProviderArgs = parse(&line);
    Daemon::start(|process| provider::run(args, process))
}

pub(crate) fn client(home: &Path, directory: &str, name: &str) -> Daemon {
    client_with(home, directory, name, "")
}

/// A client with more options.
pub(crate) fn client_with(home: &Path, directory: &str, name: &str, more: &str) -> Daemon {
    let line = format!(
        "--name {name} --home {} --directory {directory} --provider provider-1 --port 0 \
         --hop-delay 2ms --slot 40ms --loop-cover 2s {more}",
        home.join(name).display()
    );
    let args: ClientArgs = parse(&line);
    Daemon::start(|process| run_client(args, process))
}

/// A network of one mixnode in each of three layers, a provider and two clients.
pub(crate) struct Network {
    pub(crate) home: tempfile::TempDir,
    pub(crate) directory: String,
    pub(crate) mixnodes: Vec<Daemon>,
    pub(crate) provider: Daemon,
    pub(crate) alice: Daemon,
    pub(crate) bob: Daemon,
}

impl Network {
    pub(crate) async fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let directory = directory(CancellationToken::new()).await;
        let network = Self {
            mixnodes: (1..=3).map(|layer| mixnode(home.path(), &directory, layer)).collect(),
            provider: provider(home.path(), &directory),
            alice: client(home.path(), &directory, "alice"),
            bob: client(home.path(), &directory, "bob"),
            home,
            directory,
        };
        network.alice.ready().await;
        network.bob.ready().await;
        network
    }
}

/// An application on the websocket of a client.
pub(crate) struct App(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl App {
    pub(crate) async fn connect(client: &Daemon) -> Self {
        let url = format!("ws://{}/", client.address(Endpoint::App).await);
        Self(connect_async(url).await.expect("connects").0)
    }

    pub(crate) async fn next(&mut self) -> Message {
        let frame = timeout(deadline(), self.0.next()).await.expect("a frame in time");
        frame.expect("not closed").expect("no error")
    }

    pub(crate) async fn ask(&mut self, request: Value) -> Value {
        self.0.send(Message::Text(request.to_string().into())).await.expect("sent");
        let text = self.next().await.into_text().expect("text");
        serde_json::from_str(&text).expect("JSON")
    }

    pub(crate) async fn own_address(&mut self) -> String {
        let answer = self.ask(json!({"type": "selfAddress"})).await;
        answer["address"].as_str().expect("an address").to_owned()
    }
}

pub(crate) fn mixnode_on_port(home: &Path, directory: &str, port: u16) -> Daemon {
    let line = format!("--home {} --directory {directory} --layer 1 --port {port}", home.display());
    let args: MixnodeArgs = parse(&line);
    Daemon::start(|process| mixnode::run(args, process))
}

/// A connection to a provider that has not registered.
pub(crate) async fn connect_provider(
    provider: &Daemon,
) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let url = format!("ws://{}/", provider.address(Endpoint::Clients).await);
    let mut request = url.into_client_request().expect("a request");
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    connect_async(request).await.expect("connects").0
}

/// A connection that has registered with this key.
pub(crate) async fn register(
    provider: &Daemon,
    key: &PrivateKey,
) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let mut socket = connect_provider(provider).await;
    let provider_key = provider.key().await;
    let hello = json!({"type": "hello", "key": key.public()});
    socket.send(Message::Text(hello.to_string().into())).await.expect("sent");
    let challenge = socket.next().await.expect("open").expect("no error");
    let challenge: Value =
        serde_json::from_str(&challenge.into_text().expect("text")).expect("JSON");
    let sealed = challenge["sealed"].as_str().and_then(wire::decode_base58).expect("sealed");
    let purpose = [CHALLENGE_PURPOSE, provider_key.as_bytes()].concat();
    let nonce = sphinx::open(key, &purpose, &sealed).expect("it opens");
    let proof = json!({"type": "prove", "nonce": wire::encode_base58(&nonce)});
    socket.send(Message::Text(proof.to_string().into())).await.expect("sent");
    let registered = socket.next().await.expect("open").expect("no error");
    assert!(registered.to_string().contains("registered"), "{registered}");
    socket
}
