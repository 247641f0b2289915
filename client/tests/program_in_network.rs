//! `nym-client` in a network of real daemons: the lines of 2020 work, and its id stays on this
//! machine, which a tap on everything that it says shows.

#[allow(dead_code, reason = "each test uses a part of it")]
mod network;
#[allow(dead_code, unused_imports, reason = "each of the programs uses a part of it")]
#[path = "../../nodes/standalone/testing/mod.rs"]
mod testing;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use contract::Endpoint;
use directory_client::DirectoryClient;
use mixnode::MixnodeArgs;
use network::{App, Daemon, parse};
use provider::ProviderArgs;
use serde_json::json;
use testing::{Home, Running};
use tokio::task::{spawn_blocking, yield_now};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::WebSocket;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;
use wire::{ClientAddress, WireProfile, encode_base58};

/// An id as no other text has it.
const ODD: &str = "Zoe_x.9-Quxqvjk";

/// Stands between the client and a daemon, and keeps what the client says.
struct Tap {
    address: SocketAddr,
    /// Where the daemon listens, once it does.
    target: Arc<OnceLock<SocketAddr>>,
    /// Of each connection.
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Tap {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let tap = Self { address, target: Arc::default(), heard: Arc::default() };
        let (target, heard) = (Arc::clone(&tap.target), Arc::clone(&tap.heard));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let daemon = TcpStream::connect(target.wait()).expect("it listens");
                let number = {
                    let mut heard = heard.lock().expect("no panic");
                    heard.push(Vec::new());
                    heard.len() - 1
                };
                let back =
                    (daemon.try_clone().expect("cloned"), client.try_clone().expect("cloned"));
                let heard = Arc::clone(&heard);
                thread::spawn(move || {
                    pass_on(client, daemon, |said| {
                        heard.lock().expect("no panic")[number].extend_from_slice(said);
                    });
                });
                thread::spawn(move || pass_on(back.0, back.1, |_| ()));
            }
        });
        tap
    }

    fn leads_to(&self, daemon: SocketAddr) {
        self.target.set(daemon).expect("told once");
    }

    fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().expect("no panic").clone()
    }
}

/// Until one side ends or fails, which the other is told.
fn pass_on(mut from: TcpStream, mut to: TcpStream, hear: impl Fn(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        hear(&buffer[..bytes]);
        if to.write_all(&buffer[..bytes]).is_err() {
            break;
        }
    }
    // It may be closed already.
    let _ = to.shutdown(Shutdown::Write);
}

/// What was said on a connection; what is written to it goes nowhere.
struct Tape(Cursor<Vec<u8>>);

impl Read for Tape {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The messages that a client sent on a websocket: its frames are masked, so that nothing can be
/// found in them as they are.
fn unmask(said: &[u8]) -> Vec<u8> {
    let head = said.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let tape = Tape(Cursor::new(said[head..].to_vec()));
    let mut socket = WebSocket::from_raw_socket(tape, Role::Server, None);
    let mut messages = Vec::new();
    while let Ok(message) = socket.read() {
        messages.extend_from_slice(&message.into_data());
    }
    messages
}

fn hex(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = text.bytes().flat_map(|byte| [byte / 16, byte % 16]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A text as it may hide in other bytes.
fn disguises(text: &str) -> BTreeSet<Vec<u8>> {
    let hex = hex(text);
    let whole = [encode_base58(text.as_bytes()), hex.to_uppercase(), hex];
    let plain = [text.to_owned(), text.to_lowercase(), text.to_uppercase()];
    let mut disguises: BTreeSet<Vec<u8>> =
        whole.into_iter().chain(plain).map(String::into_bytes).collect();
    for (before, engine) in (0..3).flat_map(|before| [(before, STANDARD), (before, URL_SAFE)]) {
        let padded = [&vec![0; before], text.as_bytes()].concat();
        let encoded = engine.encode(&padded).into_bytes();
        // Without the letters at its ends, which have bits of what stands around it.
        disguises.insert(encoded[(before * 8).div_ceil(6)..padded.len() * 8 / 6].to_vec());
    }
    disguises
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A mixnode in each of three layers and a provider, with taps where a client connects.
struct Network {
    mixnodes: Vec<Daemon>,
    provider: Daemon,
    directory: String,
    at_directory: Tap,
    at_mixnode: Tap,
    at_provider: Tap,
}

impl Network {
    async fn start(home: &Path) -> Self {
        let [at_directory, at_mixnode, at_provider] = [Tap::new(), Tap::new(), Tap::new()];
        let directory = network::directory(CancellationToken::new()).await;
        let real = directory.strip_prefix("http://").and_then(|address| address.parse().ok());
        at_directory.leads_to(real.expect("an address"));
        let first = parse::<MixnodeArgs>(&format!(
            "--home {} --directory {directory} --layer 1 --port 0 --announce-host {}",
            home.join("mix-1-1").display(),
            at_mixnode.address
        ));
        let mut mixnodes = vec![Daemon::start(|process| mixnode::run(first, process))];
        mixnodes.extend((2..=3).map(|layer| network::mixnode(home, &directory, layer)));
        let args = parse::<ProviderArgs>(&format!(
            "--home {} --directory {directory} --port 0 --clients-port 0 --clients-announce-host {}",
            home.join("provider").display(),
            at_provider.address
        ));
        let provider = Daemon::start(|process| provider::run(args, process));
        let network = Self { mixnodes, provider, directory, at_directory, at_mixnode, at_provider };
        network.at_mixnode.leads_to(network.mixnodes[0].address(Endpoint::Mix).await);
        network.at_provider.leads_to(network.provider.address(Endpoint::Clients).await);
        network
    }

    /// The directory as the client sees it.
    fn url(&self) -> String {
        format!("http://localhost:{}", self.at_directory.address.port())
    }

    /// The topology as JSON, once this is in it.
    async fn topology_with(&self, text: &str) -> String {
        let directory = DirectoryClient::new(&self.directory).expect("its address");
        let has_it = async {
            loop {
                let topology = directory.topology().await.expect("an answer");
                let topology = serde_json::to_string(&topology).expect("JSON");
                if topology.contains(text) {
                    return topology;
                }
                yield_now().await;
            }
        };
        timeout(network::deadline(), has_it).await.expect("in time")
    }
}

/// Runs these lines; returns the client when it is ready.
async fn run(init: String, run: String) -> (Home, Running) {
    let started = spawn_blocking(move || {
        let home = Home::of(env!("CARGO_BIN_EXE_nym-client"));
        home.succeed(&init);
        let mut client = home.start(&run);
        client.line("ready: ");
        (home, client)
    });
    started.await.expect("no panic")
}

async fn end(client: Running) {
    let (status, log) = spawn_blocking(move || client.end()).await.expect("no panic");
    assert!(status.success(), "{log:#?}");
}

#[tokio::test]
async fn the_lines_of_2020_join_a_network() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = Network::start(folder.path()).await;
    let websocket = format!("websocket --id zorro --directory {} --port 0", network.url());
    let (_home, client) = run("init --id zorro".into(), websocket).await;
    end(client).await;
}

#[tokio::test]
async fn its_id_stays_on_this_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = Network::start(folder.path()).await;
    let line = format!("run --id {ODD} --directory {} --port 0 --fastmode", network.url());
    let (_home, mut client) = run(format!("init --id {ODD}"), line).await;
    let address = client.listens("app");
    // A message travels, to the client itself, so that it speaks to everybody that it ever does.
    let mut app = App(connect_async(format!("ws://{address}/")).await.expect("connects").0);
    let own = app.own_address().await;
    let sent = json!({"type": "send", "recipient": own, "message": "hello", "withReply": 1});
    assert_eq!(app.ask(sent).await["type"], "send");
    assert_eq!(app.next().await.into_text().expect("text").as_str(), "hello");
    let own: ClientAddress = own.parse().expect("an address");
    // The provider tells the directory of it with its next presence.
    let topology = network.topology_with(&own.client.to_string()).await;
    end(client).await;

    assert_eq!(own.provider, network.provider.key().await);
    let mailbox = folder.path().join("provider/mailbox.sqlite");
    let log = fs::read(mailbox.with_extension("sqlite-wal")).unwrap_or_default();
    let places = [
        ("the directory", network.at_directory.heard().concat(), b"GET /".to_vec()),
        ("the topology", topology.into(), own.client.to_string().into()),
        ("the mixnode", network.at_mixnode.heard().concat(), Vec::new()),
        (
            "the provider",
            network.at_provider.heard().iter().flat_map(|said| unmask(said)).collect(),
            own.client.to_string().into(),
        ),
        ("its websocket", network.at_provider.heard().concat(), b"Upgrade: websocket".to_vec()),
        (
            "its mailbox",
            [fs::read(mailbox).expect("it is there"), log].concat(),
            own.client.to_string().into(),
        ),
    ];
    for (place, bytes, expected) in places {
        // What the client has to say there is found; of a packet, only that there is one.
        let is_heard = match expected.as_slice() {
            [] => bytes.len() > WireProfile::CURRENT.packet_bytes(),
            expected => contains(&bytes, expected),
        };
        assert!(is_heard, "{place} has not heard enough in {} bytes", bytes.len());
        for disguise in disguises(ODD) {
            let shown = String::from_utf8_lossy(&disguise);
            assert!(!contains(&bytes, &disguise), "{place} has heard the id, as {shown}");
        }
    }
}

/// What the search finds, so that finding nothing means something.
#[test]
fn a_disguised_id_is_found() {
    let message = format!("{{\"client\": \"{ODD}\"}}");
    let whole = encode_base58(ODD.as_bytes());
    let mut hiding = vec![
        message.clone(),
        message.to_lowercase(),
        hex(&message),
        hex(&message).to_uppercase(),
        whole,
    ];
    for before in ["", "1", "12"] {
        hiding.push(STANDARD.encode(format!("{before}{message}")));
    }
    for text in hiding {
        assert!(disguises(ODD).iter().any(|it| contains(text.as_bytes(), it)), "{text}");
    }
}
