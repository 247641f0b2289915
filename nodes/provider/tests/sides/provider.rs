//! A provider inside a test.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::provider::{Mailbox, Parcel, Protocol, ProviderArgs, Quotas};
use clap::{Args, FromArgMatches};
use contract::{Command, Endpoint, Event, Fatal, MailboxCounters, Request};
use runtime::{Process, Reporter};
use sphinx::{Hop, PrivateKey, Route, build_packet};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{NodeAddress, PublicKey, WireProfile, write_frame};

/// Nobody listens there: such a provider is in no directory.
const NO_DIRECTORY: &str = "http://127.0.0.1:9";

/// A private key of 32 bytes of 2.
const KEY_FILE: &str = "-----BEGIN X25519 PRIVATE KEY-----\n\
    AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n\
    -----END X25519 PRIVATE KEY-----\n";

/// Waits for something, but not for ever; a slow machine stretches it with an environment variable.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let factor = std::env::var("NYM_DEVNET_TEST_TIMEOUT_FACTOR").ok();
    let factor = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1.0);
    let Ok(done) = timeout(Duration::from_secs(20).mul_f64(factor), future).await else {
        panic!("{what} does not happen")
    };
    done
}

/// The key of the client with this number.
pub(crate) fn client_key(number: u8) -> PrivateKey {
    PrivateKey::from_bytes([number; 32])
}

/// The address of the client with this number.
pub(crate) fn client(number: u8) -> PublicKey {
    client_key(number).public()
}

/// The payload of a packet into which its sender put this.
pub(crate) fn payload(plaintext: &[u8]) -> Vec<u8> {
    let mut payload = [&[0; 16], plaintext, &[1]].concat();
    payload.resize(WireProfile::CURRENT.payload_bytes, 0);
    payload
}

/// A provider's folder, with what is in it before it starts.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("private_sphinx.pem"), KEY_FILE).expect("written");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    fn mailbox(&self) -> Mailbox {
        Mailbox::open(&self.path().join("mailbox.sqlite"), Quotas::default()).expect("a mailbox")
    }

    /// Registers a client and stores these payloads for it, in this order.
    pub(crate) fn store(&self, client: PublicKey, payloads: impl IntoIterator<Item = Vec<u8>>) {
        let mut mailbox = self.mailbox();
        mailbox.register(&client, Protocol::Tcp).expect("registered");
        let parcel =
            |payload| Parcel { client, identifier: [0; 16], payload, ack: None, arrival: None };
        let parcels: Vec<Parcel> = payloads.into_iter().map(parcel).collect();
        let stored = mailbox.store(&parcels).expect("stored");
        assert!(stored.iter().all(|stored| *stored == ::provider::Stored::Yes), "{stored:?}");
    }

    /// How many packets wait for a client; only while the provider is stopped.
    pub(crate) fn waiting_for(&self, client: PublicKey) -> u64 {
        self.mailbox().waiting_for(&client).packets
    }
}

/// A provider that runs in this test.
pub(crate) struct Provider {
    home: Home,
    pub(crate) key: PublicKey,
    pub(crate) mix: SocketAddr,
    pub(crate) clients: SocketAddr,
    events: Arc<Mutex<Vec<Event>>>,
    news: Arc<Notify>,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Fatal>>,
    requests: mpsc::Sender<Request>,
}

impl Provider {
    /// With a new mailbox.
    pub(crate) async fn start(options: &str) -> Self {
        Self::start_in(Home::new(), options).await
    }

    pub(crate) async fn start_in(home: Home, options: &str) -> Self {
        Self::start_at(home, NO_DIRECTORY, options).await
    }

    pub(crate) async fn start_at(home: Home, directory: &str, options: &str) -> Self {
        let line = format!(
            "--home {} --directory {directory} --port 0 --clients-port 0 {options}",
            home.path().display()
        );
        let command = ProviderArgs::augment_args(clap::Command::new("test").no_binary_name(true));
        let matches = command.try_get_matches_from(line.split_whitespace()).expect("good options");
        let args = ProviderArgs::from_arg_matches(&matches).expect("good options");

        let events = Arc::new(Mutex::new(Vec::new()));
        let news = Arc::new(Notify::new());
        let reporter = {
            let (events, news) = (Arc::clone(&events), Arc::clone(&news));
            Reporter::new(move |event| {
                events.lock().expect("not poisoned").push(event);
                news.notify_one();
            })
        };
        let shutdown = CancellationToken::new();
        let (requests, receiver) = mpsc::channel(1);
        let process = Process { reporter, requests: receiver, shutdown: shutdown.clone() };
        let mut provider = Self {
            home,
            key: PrivateKey::from_bytes([2; 32]).public(),
            mix: SocketAddr::from(([0, 0, 0, 0], 0)),
            clients: SocketAddr::from(([0, 0, 0, 0], 0)),
            events,
            news,
            shutdown,
            task: tokio::spawn(::provider::run(args, process)),
            requests,
        };
        provider.mix = provider.address(Endpoint::Mix).await;
        provider.clients = provider.address(Endpoint::Clients).await;
        provider
    }

    /// Stops it; its folder stays.
    pub(crate) async fn stop(self) -> Home {
        self.shutdown.cancel();
        let ended = soon("the end of the provider", self.task).await;
        ended.expect("it does not panic").expect("it ends well");
        let log = self.home.path().join("mailbox.sqlite-wal");
        assert!(!log.exists(), "the mailbox is complete without its log");
        self.home
    }

    /// Lets it leave its directory.
    pub(crate) async fn leave(&self) {
        let request = Request { id: 1, command: Command::Leave };
        self.requests.send(request).await.expect("it takes requests");
        self.event(|event| matches!(event, Event::Answer(_)).then_some(())).await;
    }

    async fn address(&self, of: Endpoint) -> SocketAddr {
        self.event(|event| match event {
            Event::Listening(listening) if listening.endpoint == of => Some(listening.address),
            _ => None,
        })
        .await
    }

    /// Waits until an event is one of these, past ones included.
    pub(crate) async fn event<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> T {
        soon("an event of the provider", async {
            loop {
                let found = self.events.lock().expect("not poisoned").iter().rev().find_map(&pick);
                if let Some(found) = found {
                    return found;
                }
                assert!(!self.task.is_finished(), "it ended: {:?}", self.events);
                self.news.notified().await;
            }
        })
        .await
    }

    /// Waits until its counters of the mailbox are such.
    pub(crate) async fn mailbox(&self, is_such: impl Fn(&MailboxCounters) -> bool) {
        self.event(|event| match event {
            Event::Metrics(metrics) => metrics.mailbox.as_ref().is_some_and(&is_such).then_some(()),
            _ => None,
        })
        .await;
    }

    /// A packet for this client with this in it.
    pub(crate) fn packet(&self, client: PublicKey, plaintext: &[u8]) -> Vec<u8> {
        let hop = Hop { address: NodeAddress(self.mix), key: self.key, delay: Duration::ZERO };
        let route = Route { hops: vec![hop] };
        let (rng, profile) = (&mut rand::rng(), WireProfile::CURRENT);
        build_packet(rng, profile, &route, &client, &[0; 16], plaintext).expect("a packet")
    }

    /// Sends packets to the mixnet's side, over one link.
    pub(crate) async fn send(&self, packets: &[Vec<u8>]) {
        let mut link = TcpStream::connect(self.mix).await.expect("connects");
        for packet in packets {
            let mut frame = Vec::new();
            write_frame(WireProfile::CURRENT, packet, &mut frame);
            link.write_all(&frame).await.expect("written");
        }
    }

    /// Sends packets, each with one of these for this client.
    pub(crate) async fn deliver(&self, client: PublicKey, plaintexts: &[&[u8]]) {
        let packets: Vec<_> = plaintexts.iter().map(|text| self.packet(client, text)).collect();
        self.send(&packets).await;
    }
}
