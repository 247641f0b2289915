//! Applications on real sockets, with a real inbox. The driver is a test's: it answers as told, and
//! what it was asked to send can be looked at.

mod bounds;
mod delivery;
mod handshakes;
mod requests;
mod tcp;
mod websocket;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use wire::{
    ClientAddress, Content, Fragment, Identifier, Kind, MessageId, PublicKey, ReplyBlock,
    fragment_count,
};

use super::Applications;
use crate::asks::{Accepted, Ask, Fate, NewMessage, Recipient};
use crate::storage::Storage;

/// The client's own key and its provider's.
const OWN: PublicKey = PublicKey::from_bytes([1; 32]);
const PROVIDER: PublicKey = PublicKey::from_bytes([2; 32]);

/// A key that no provider has.
const UNKNOWN: PublicKey = PublicKey::from_bytes([9; 32]);

/// The id that the driver gives to messages without one.
const GIVEN: MessageId = MessageId([0xcd; 16]);

/// What the driver refuses.
const TOO_MANY: &str = "one too many";
const QUEUE_FULL: &str = "100 packets wait to be sent; try again when some are";
const NO_PROVIDER: &str = "the client has no provider yet";

/// How long a test waits for anything; a slow machine stretches it with an environment variable.
fn deadline() -> Duration {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
    let factor = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1.0);
    Duration::from_secs(20).mul_f64(factor)
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(deadline(), future).await.unwrap_or_else(|_| panic!("{what} did not happen in time"))
}

fn address(client: PublicKey) -> ClientAddress {
    ClientAddress { client, provider: PROVIDER }
}

/// A message that the driver accepted, and where to tell what became of it.
type Sent = (NewMessage, Option<oneshot::Sender<Fate>>);

/// A client as its applications see it.
struct TestClient {
    applications: Applications,
    storage: Storage,
    websocket: SocketAddr,
    tcp: SocketAddr,
    sent: mpsc::UnboundedReceiver<Sent>,
    /// The driver and both sockets. All end with the test.
    tasks: JoinSet<()>,
    _home: TempDir,
}

impl TestClient {
    async fn start() -> Self {
        Self::start_with(Some(PROVIDER)).await
    }

    async fn start_with(provider: Option<PublicKey>) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let (storage, _) = Storage::open(home.path()).expect("a new file");
        let (asks, asked) = mpsc::channel(4);
        let (sent, accepted) = mpsc::unbounded_channel();
        let origins = vec!["https://chat.example".to_owned()];
        let applications = Applications::new(asks, storage.clone(), origins, OWN);
        let mut tasks = JoinSet::new();
        tasks.spawn(drive(provider, asked, sent));
        let mut listeners = Vec::new();
        for _ in 0..2 {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.expect("a port"));
        }
        let [websocket, tcp] = listeners.try_into().expect("two");
        let address = |listener: &TcpListener| listener.local_addr().expect("bound");
        Self {
            websocket: address(&websocket),
            tcp: address(&tcp),
            sent: accepted,
            _home: home,
            tasks: {
                tasks.spawn(applications.clone().serve_websockets(websocket));
                tasks.spawn(applications.clone().serve_tcp(tcp));
                tasks
            },
            applications,
            storage,
        }
    }

    /// What the driver was asked to send next.
    async fn sent(&mut self) -> Sent {
        soon("a send", self.sent.recv()).await.expect("the driver is there")
    }

    /// A message comes.
    async fn receive(&self, id: u8, data: impl AsRef<[u8]>) {
        self.receive_as(Kind::Message, id, data.as_ref(), None).await;
    }

    /// A message with so many reply blocks.
    async fn receive_with_blocks(&self, id: u8, data: &[u8], blocks: usize) {
        let mut bytes = [0; ReplyBlock::BYTES];
        // An IPv4 address; a route of one hop.
        bytes[0] = 4;
        bytes[wire::ADDRESS_BYTES + wire::HEADER_BYTES] = 1;
        let block = ReplyBlock::decode(&bytes).expect("a block");
        let data = Content::encode(&vec![block; blocks], data).expect("few blocks");
        self.receive_as(Kind::MessageWithReplies, id, &data, None).await;
    }

    async fn receive_as(&self, kind: Kind, id: u8, data: &[u8], came_by: Option<Identifier>) {
        let message = MessageId([id; 16]);
        let count = fragment_count(data.len()).expect("not too long");
        let mut fragments = (0..count).map(|index| {
            let fragment = Fragment::of(kind, message, data, index).expect("one of them");
            (fragment, came_by)
        });
        loop {
            let some: Vec<_> = fragments.by_ref().take(1000).collect();
            if some.is_empty() {
                return;
            }
            self.storage.keep(some).await.expect("kept");
        }
    }

    /// How many messages nobody has taken.
    async fn untaken(&self) -> usize {
        let (mut count, mut after) = (0, 0);
        while let Some(next) = self.storage.next(after, u64::MAX).await.expect("read") {
            (count, after) = (count + 1, next.number);
        }
        count
    }

    async fn until_untaken(&self, count: usize) {
        let reached = async {
            while self.untaken().await != count {
                tokio::task::yield_now().await;
            }
        };
        soon("that so many are not taken", reached).await;
    }
}

/// The driver.
async fn drive(
    provider: Option<PublicKey>,
    mut asked: mpsc::Receiver<Ask>,
    sent: mpsc::UnboundedSender<Sent>,
) {
    while let Some(ask) = asked.recv().await {
        match ask {
            Ask::Send { message, answer } => {
                let refusal = match &message.to {
                    Recipient::Key(UNKNOWN) => Some(format!("no provider has {UNKNOWN}")),
                    _ if message.data == TOO_MANY => Some(QUEUE_FULL.to_owned()),
                    _ => None,
                };
                if let Some(refusal) = refusal {
                    let _ = answer.send(Err(refusal));
                    continue;
                }
                let (teller, fate) = oneshot::channel();
                let (teller, fate) =
                    (message.confirm.then_some(teller), message.confirm.then_some(fate));
                let accepted = Accepted { message: message.id.unwrap_or(GIVEN), fate };
                let _ = sent.send((message, teller));
                let _ = answer.send(Ok(accepted));
            }
            Ask::Address { answer } => {
                let known = provider.map(|provider| ClientAddress { client: OWN, provider });
                let _ = answer.send(known.ok_or_else(|| NO_PROVIDER.into()));
            }
            Ask::Clients { answer } => {
                let others = [OWN, PublicKey::from_bytes([3; 32])].map(address);
                let _ = answer.send(others.to_vec());
            }
            Ask::Ping { .. } | Ask::Skip { .. } => panic!("no application can ask for that"),
            Ask::Leave | Ask::Stop => return,
        }
    }
}

/// A short text frame as a client writes it, masked with zeros.
fn masked(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).ok().filter(|&length| length < 126).expect("short");
    [&[0x81, 0x80 + length, 0, 0, 0, 0][..], text.as_bytes()].concat()
}

/// An application on the websocket.
struct App(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl App {
    async fn connect(client: &TestClient, path: &str) -> Self {
        let url = format!("ws://{}{path}", client.websocket);
        Self(soon("a handshake", connect_async(url)).await.expect("connects").0)
    }

    async fn say(&mut self, request: &Value) {
        self.0.send(Message::text(request.to_string())).await.expect("sent");
    }

    async fn frame(&mut self) -> Message {
        soon("a frame", self.0.next()).await.expect("open").expect("no error")
    }

    async fn json(&mut self) -> Value {
        let frame = self.frame().await;
        serde_json::from_str(frame.to_text().expect("text")).expect("JSON")
    }

    /// The next frame after this request, as it is.
    async fn text(&mut self, request: &Value) -> String {
        self.say(request).await;
        self.frame().await.into_text().expect("text").to_string()
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.say(&request).await;
        self.json().await
    }

    /// Has a request answered, which begins the pushes.
    async fn begin(&mut self) {
        assert_eq!(self.ask(json!({"type": "ownDetails"})).await["address"], OWN.to_string());
    }

    /// What a `fetch` gives.
    async fn fetch(&mut self) -> Vec<Value> {
        let answer = self.ask(json!({"type": "fetch"})).await;
        assert_eq!(answer["type"], "fetch", "{answer}");
        answer["messages"].as_array().expect("a list").clone()
    }
}
