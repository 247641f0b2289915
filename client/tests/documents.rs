//! `docs/client.md` is true: its examples are played against two clients of a real network.

#[allow(dead_code, reason = "each test uses a part of it")]
mod network;

use std::collections::BTreeMap;

use client::{MAX_ATTEMPTS, MAX_QUEUED_BYTES, MAX_QUEUED_MESSAGES, PATIENCE};
use contract::Endpoint;
use futures_util::{SinkExt as _, StreamExt as _};
use network::{Daemon, Network, client_with, deadline};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use wire::PublicKey;

const PAGE: &str = include_str!("../../docs/client.md");

/// What stands for a message's id until the first line that shows it.
const IDS: [&str; 2] = ["ID1", "ID2"];

/// How the answer to a `fetch` begins.
const FETCHED: &str = r#"{"type":"fetch","#;

/// The answer to a `fetch` when there is nothing.
const NOTHING: &str = r#"{"type":"fetch","messages":[]}"#;

/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 32;

/// The blocks of a language, each with its lines.
fn examples(language: &str) -> Vec<Vec<&'static str>> {
    let mut examples = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if line.strip_prefix("```") == Some(language) {
            examples.push(lines.by_ref().take_while(|line| *line != "```").collect());
        }
    }
    assert!(!examples.is_empty(), "no example of {language}");
    examples
}

/// What names on the page stand for.
#[derive(Clone, Default)]
struct Names(BTreeMap<&'static str, String>);

impl Names {
    /// The text with what its names stand for.
    fn fill(&self, text: &str) -> String {
        // From the last: `ALICE-KEY` begins with `ALICE`.
        let names = self.0.iter().rev();
        names.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// Learns the ids that `expected` has a name for and that the page has not shown before.
    fn learn(&mut self, expected: &str, actual: &str) {
        for id in IDS {
            let filled = self.fill(expected);
            if let Some((before, _)) = filled.split_once(id) {
                let learnt = actual.get(before.len()..before.len() + ID_DIGITS);
                self.0.insert(id, learnt.unwrap_or_default().to_owned());
            }
        }
    }

    /// The bytes that are written as hexadecimal, as text in quotes, or as a key or an address.
    fn bytes(&self, written: &str) -> Vec<u8> {
        let (mut bytes, mut rest) = (Vec::new(), written);
        while !rest.is_empty() {
            let (part, behind) = if let Some(text) = rest.strip_prefix('"') {
                let (text, behind) = text.split_once('"').expect("a second quote");
                (text.as_bytes().to_vec(), behind)
            } else {
                let (part, behind) = rest.split_once(' ').unwrap_or((rest, ""));
                (self.named(part).unwrap_or_else(|| hexadecimal(part)), behind)
            };
            bytes.extend(part);
            rest = behind.trim_start();
        }
        bytes
    }

    fn named(&self, name: &str) -> Option<Vec<u8>> {
        let keys = self.0.get(name)?.split('@').map(|key| key.parse().expect("a key"));
        Some(keys.flat_map(|key: PublicKey| *key.as_bytes()).collect())
    }
}

fn hexadecimal(written: &str) -> Vec<u8> {
    let pairs = written.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(pair, 16).unwrap_or_else(|_| panic!("`{pair}` in {written}"))
    });
    pairs.collect()
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection to alice's or bob's client, as the page names it: `alice/mix` is that path of alice's.
async fn connect(network: &Network, name: &str) -> Socket {
    let (client, path) = name.split_once('/').unwrap_or((name, ""));
    let client = match client {
        "alice" => &network.alice,
        "bob" => &network.bob,
        _ => panic!("who is `{client}`?"),
    };
    let url = format!("ws://{}/{path}", client.address(Endpoint::App).await);
    connect_async(url).await.expect("connects").0
}

async fn address_of(client: &Daemon) -> String {
    let url = format!("ws://{}/mix", client.address(Endpoint::App).await);
    let (mut socket, _) = connect_async(url).await.expect("connects");
    let request = r#"{"type":"selfAddress"}"#;
    socket.send(Message::Text(request.into())).await.expect("sent");
    let answer = next(&mut socket).await.into_text().expect("text");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    answer["address"].as_str().expect("an address").to_owned()
}

async fn next(socket: &mut Socket) -> Message {
    let frame = timeout(deadline(), socket.next()).await.expect("a frame in time");
    frame.expect("not gone").expect("no error")
}

#[tokio::test]
async fn the_examples_are_true() {
    let network = Network::start().await;
    let mut names = Names::default();
    for (name, key, client) in
        [("ALICE", "ALICE-KEY", &network.alice), ("BOB", "BOB-KEY", &network.bob)]
    {
        let address = address_of(client).await;
        let (client, _) = address.split_once('@').expect("client@provider");
        names.0.insert(key, client.to_owned());
        names.0.insert(name, address);
    }
    until_listed(&network, &names.0["BOB-KEY"]).await;
    for lines in examples("app") {
        play(&network, names.clone(), &lines).await;
    }
}

/// Waits until alice's client knows the provider of this key.
async fn until_listed(network: &Network, key: &str) {
    let mut socket = connect(network, "alice/mix").await;
    let listed = async {
        loop {
            socket.send(Message::Text(r#"{"type":"getClients"}"#.into())).await.expect("sent");
            if next(&mut socket).await.to_text().expect("text").contains(key) {
                return;
            }
        }
    };
    timeout(deadline(), listed).await.expect("the provider has announced it");
}

/// Plays an example, on connections of its own.
async fn play(network: &Network, mut names: Names, lines: &[&str]) {
    let mut sockets: BTreeMap<&str, Socket> = BTreeMap::new();
    let mut request = Message::Text("".into());
    for line in lines.iter().filter(|line| !line.starts_with('#')) {
        let (name, what) = line.split_once(' ').expect("who, and what");
        let (name, direction) = name.split_at(name.len() - 1);
        if !sockets.contains_key(name) {
            sockets.insert(name, connect(network, name).await);
        }
        let socket = sockets.get_mut(name).expect("there now");
        if direction == ">" {
            request = match what.strip_prefix("binary ") {
                Some(bytes) => Message::Binary(names.bytes(bytes).into()),
                None => Message::Text(names.fill(what).into()),
            };
            socket.send(request.clone()).await.expect("sent");
            continue;
        }
        assert_eq!(direction, "<", "{line}");
        let mut frame = next(socket).await;
        if what.starts_with(FETCHED) && what != NOTHING {
            let again = async {
                while frame.to_text().is_ok_and(|text| text == NOTHING) {
                    socket.send(request.clone()).await.expect("sent");
                    frame = next(socket).await;
                }
            };
            timeout(deadline(), again).await.expect("something to fetch in time");
        }
        expect(what, frame, &mut names);
    }
    // A message that is pushed to a connection that is no more would be missing in the next example.
    for (_, mut socket) in sockets {
        // One that the client has closed is closed already.
        drop(socket.close(None).await);
        let gone = async { while let Some(Ok(_)) = socket.next().await {} };
        timeout(deadline(), gone).await.expect("it is closed in time");
    }
}

/// A frame is what the page says.
fn expect(what: &str, frame: Message, names: &mut Names) {
    match frame {
        Message::Text(text) => {
            names.learn(what, &text);
            assert_eq!(text.as_str(), names.fill(what), "{what}");
        }
        Message::Binary(bytes) => {
            let expected = what.strip_prefix("binary ").expect(what);
            assert_eq!(bytes, names.bytes(expected), "{what}");
        }
        Message::Close(Some(frame)) => {
            let close = format!("close {} {}", u16::from(frame.code), frame.reason);
            assert_eq!(close, what, "{what}");
        }
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test]
async fn the_tcp_socket_is_as_documented() {
    let network = Network::start().await;
    let carol = client_with(network.home.path(), &network.directory, "carol", "--socket-type tcp");
    carol.ready().await;
    let mut names = Names::default();
    names.0.insert("CAROL-KEY", carol.key().await.to_string());
    until_listed(&network, &names.0["CAROL-KEY"]).await;
    let address = carol.address(Endpoint::App).await;
    for lines in examples("tcp") {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let mut request = Vec::new();
        for line in lines.iter().filter(|line| !line.starts_with('#')) {
            let (direction, what) = line.split_at(2);
            if direction == "> " {
                request = names.bytes(what);
                stream.write_all(&request).await.expect("written");
                continue;
            }
            let expected = names.bytes(what);
            let mut answer = vec![0; expected.len()];
            let reading = async {
                // A fetch that finds nothing has a shorter answer than one that is not empty.
                loop {
                    stream.read_exact(&mut answer[..2]).await.expect("an answer");
                    if request != [2] || answer[..2] == expected[..2] {
                        break;
                    }
                    stream.write_all(&request).await.expect("written");
                }
                stream.read_exact(&mut answer[2..]).await.expect("an answer");
            };
            timeout(deadline(), reading).await.expect(line);
            assert_eq!(answer, expected, "{line}");
        }
    }
}

#[test]
fn bounds_are_what_the_page_says() {
    for text in [
        format!("| a message | {} bytes;", contract::MAX_MESSAGE_BYTES),
        format!("| {MAX_QUEUED_BYTES} bytes, {MAX_QUEUED_MESSAGES} messages; then `send`"),
        format!("| reply blocks of a message | {} |", wire::MAX_REPLY_BLOCKS),
        format!("a packet was sent {MAX_ATTEMPTS} times without an acknowledgement"),
        format!("not in the directory for {} minutes", PATIENCE.as_secs() / 60),
        format!("Blocks have {} bytes", wire::ReplyBlock::BYTES),
    ] {
        assert!(PAGE.contains(&text), "no `{text}`");
    }
}
