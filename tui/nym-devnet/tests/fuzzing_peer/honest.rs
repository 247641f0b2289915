//! Somebody honest, who sends packets through both nodes to himself and counts what comes back: each
//! packet, and its acknowledgement.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};
use sphinx::{Hop, PacketBuilder, PrivateKey, Route, open, recover_plaintext};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;
use wire::{
    CHALLENGE_PURPOSE, ClientMessage, Delivery, Identifier, Plaintext, ProviderMessage,
    SEALED_BYTES, SUBPROTOCOL, WireProfile, confirmation, write_frame,
};

use crate::Network;
use crate::common::limit;

/// How often a packet is sent on each of the two connections.
const INTERVAL: Duration = Duration::from_millis(40);

/// The longest delay that is asked of the mixnode, in milliseconds.
const MAX_DELAY_MS: u64 = 20;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What became of the packets.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// On their way, with the moment at which they were written.
    packets: HashMap<u64, Instant>,
    /// Packets whose acknowledgement is on its way.
    acks: HashMap<u64, Instant>,
    sent: u64,
    /// From writing a packet to its delivery, delays asked of the mixnode included.
    latencies: Latencies,
    ack_latencies: Latencies,
}

/// Times, of which the worst matters.
#[derive(Debug, Default)]
struct Latencies {
    /// By whole milliseconds.
    counts: HashMap<u128, u64>,
    worst: Duration,
}

impl Latencies {
    fn add(&mut self, latency: Duration) {
        *self.counts.entry(latency.as_millis()).or_default() += 1;
        self.worst = self.worst.max(latency);
    }

    /// Of so many in a thousand, the slowest, in milliseconds.
    fn quantile_ms(&self, per_mille: u64) -> u128 {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_unstable();
        let total: u64 = self.counts.values().sum();
        let mut left = total * per_mille / 1000;
        for (ms, count) in counts {
            if *count >= left {
                return *ms;
            }
            left -= count;
        }
        0
    }
}

/// The honest client. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Honest {
    key: PrivateKey,
    network: Arc<Network>,
    builder: PacketBuilder,
    account: Arc<Mutex<Account>>,
}

impl Honest {
    /// Registers, and begins to take what is delivered. That ends with `stop`.
    pub(crate) async fn start(
        network: Arc<Network>,
        rng: &mut StdRng,
        stop: CancellationToken,
    ) -> Self {
        let key = PrivateKey::random(rng);
        let socket = register(&network, &key).await;
        let builder = PacketBuilder::new(WireProfile::CURRENT);
        let honest = Self { key, network, builder, account: Arc::default() };
        let taking = honest.clone().take(socket);
        tokio::spawn(async move {
            tokio::select! {
                () = taking => {}
                () = stop.cancelled() => {}
            }
        });
        honest
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends packets until `stop`, some whole, some cut in two at every byte in turn.
    pub(crate) async fn send(self, mut rng: StdRng, stop: CancellationToken) {
        let connect = || async {
            let stream = TcpStream::connect(self.network.mixnode.address.0).await;
            let stream = stream.expect("an honest peer gets in first");
            stream.set_nodelay(true).expect("a socket");
            stream
        };
        let (mut whole, mut cut) = (connect().await, connect().await);
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut frame = Vec::new();
        let mut cut_at = usize::from(rng.random::<u16>());
        while !stop.is_cancelled() {
            ticks.tick().await;
            for stream in [&mut whole, &mut cut] {
                let number = self.account().sent;
                let packet = self.packet(&mut rng, number);
                frame.clear();
                write_frame(WireProfile::CURRENT, &packet, &mut frame);
                self.note_sent(number);
                let written = if number.is_multiple_of(2) {
                    stream.write_all(&frame).await
                } else {
                    cut_at = cut_at % (frame.len() - 1) + 1;
                    let (first, second) = frame.split_at(cut_at);
                    let written = stream.write_all(first).await;
                    // Whoever reads has the first half by then, or else both at once.
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    written.and(stream.write_all(second).await)
                };
                written.expect("a node does not hang up on an honest peer");
            }
        }
    }

    fn note_sent(&self, number: u64) {
        let now = Instant::now();
        let mut account = self.account();
        account.sent += 1;
        account.packets.insert(number, now);
        account.acks.insert(number, now);
    }

    /// A packet over both nodes to this client, and a way back for its acknowledgement.
    fn packet(&self, rng: &mut StdRng, number: u64) -> Vec<u8> {
        let mut hop = |hop: Hop| {
            let delay = Duration::from_millis(rng.random_range(0..=MAX_DELAY_MS));
            Hop { delay, ..hop }
        };
        let provider = self.network.provider;
        let mut route = || Route { hops: vec![hop(self.network.mixnode), provider] };
        let (there, back) = (route(), route());
        let to = self.key.public();
        let mut identifier = Identifier::default();
        identifier[..8].copy_from_slice(&number.to_be_bytes());
        let ack_header = self.builder.build_header(rng, &back, &to, &identifier);
        let mut sealed = vec![0; SEALED_BYTES];
        rng.fill_bytes(&mut sealed);
        sealed[..8].copy_from_slice(&number.to_be_bytes());
        let ack_header = ack_header.expect("a good route");
        let plaintext = Plaintext { ack_header, ack_first_hop: back.first_hop(), sealed };
        let packet = self.builder.build_packet(
            rng,
            &there,
            &to,
            &Identifier::default(),
            &plaintext.encode(),
        );
        packet.expect("a good route")
    }

    /// Takes deliveries and confirms them.
    async fn take(self, mut socket: Socket) {
        loop {
            let message = socket.next().await.expect("the provider keeps an honest client");
            let Message::Binary(bytes) = message.expect("the provider keeps an honest client")
            else {
                continue;
            };
            let delivery = Delivery::decode(&bytes).expect("a delivery");
            self.note(&delivery);
            let confirmed = Message::Binary(confirmation(&[delivery.number]).into());
            socket.send(confirmed).await.expect("the provider keeps an honest client");
        }
    }

    fn note(&self, delivery: &Delivery) {
        let mut account = self.account();
        let account = &mut *account;
        let (number, waiting, latencies) =
            if let Some(plaintext) = recover_plaintext(&delivery.payload) {
                let plaintext = Plaintext::decode(plaintext).expect("as it was sent");
                let number = *plaintext.sealed.first_chunk().expect("it is long enough");
                (number, &mut account.packets, &mut account.latencies)
            } else {
                let number = *delivery.identifier.first_chunk().expect("it is long enough");
                (number, &mut account.acks, &mut account.ack_latencies)
            };
        let number = u64::from_be_bytes(number);
        let sent = waiting.remove(&number).unwrap_or_else(|| panic!("{number} came twice"));
        latencies.add(sent.elapsed());
    }

    /// Waits until every packet and every acknowledgement has come.
    pub(crate) async fn until_all_came(&self, seconds: u64) {
        let all_came = async {
            let mut looks = interval(Duration::from_millis(10));
            loop {
                looks.tick().await;
                let account = self.account();
                if account.packets.is_empty() && account.acks.is_empty() {
                    return;
                }
            }
        };
        if timeout(limit(seconds), all_came).await.is_err() {
            let account = self.account();
            let (packets, acks) = (account.packets.len(), account.acks.len());
            panic!(
                "of {} packets {packets} did not arrive within {seconds} s, nor {acks} acknowledgements",
                account.sent
            );
        }
    }

    /// How many packets were sent, how long the slowest of packets and acknowledgements took, and
    /// all of it in words.
    pub(crate) fn result(&self) -> (u64, Duration, String) {
        let account = self.account();
        let words = |latencies: &Latencies| {
            let [half, most] = [500, 990].map(|per_mille| latencies.quantile_ms(per_mille));
            format!("{half}/{most}/{} ms", latencies.worst.as_millis())
        };
        let text = format!(
            "{} honest, {}+{} underway, took {} and acknowledged {} (median/p99/worst)",
            account.sent,
            account.packets.len(),
            account.acks.len(),
            words(&account.latencies),
            words(&account.ack_latencies),
        );
        (account.sent, account.latencies.worst.max(account.ack_latencies.worst), text)
    }
}

/// Connects to the provider and proves the key.
pub(crate) async fn register(network: &Network, key: &PrivateKey) -> Socket {
    let url = format!("ws://{}/", network.clients);
    let mut request = url.into_client_request().expect("a request");
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    let (mut socket, _) = connect_async(request).await.expect("connects");
    say(&mut socket, &ClientMessage::Hello { key: key.public() }).await;
    let ProviderMessage::Challenge { sealed } = hear(&mut socket).await else {
        panic!("no challenge")
    };
    let purpose = [CHALLENGE_PURPOSE, network.provider.key.as_bytes()].concat();
    let sealed = wire::decode_base58(&sealed).expect("base58");
    let nonce = open(key, &purpose, &sealed).expect("it is for this key");
    say(&mut socket, &ClientMessage::Prove { nonce: wire::encode_base58(&nonce) }).await;
    let registered = hear(&mut socket).await;
    assert!(matches!(registered, ProviderMessage::Registered { .. }), "{registered:?}");
    socket
}

async fn say(socket: &mut Socket, message: &ClientMessage) {
    let text = serde_json::to_string(message).expect("messages are JSON");
    socket.send(Message::Text(text.into())).await.expect("sent");
}

async fn hear(socket: &mut Socket) -> ProviderMessage {
    let message = socket.next().await.expect("open").expect("a message");
    serde_json::from_str(message.to_text().expect("a text")).expect("a message")
}
