//! `docs/provider.md` is true: its examples are played against a provider.

use serde_json::Value;

use crate::gateway::with_mixnodes;
use crate::provider::{Home, Provider, client, client_key};
use crate::pull::ask;
use crate::v1::nonce;
use crate::websocket::{Frame, Socket};

const PAGE: &str = include_str!("../../../../docs/provider.md");

/// What a remark says when a packet arrives.
const ARRIVES: &str = "# arrives: ";

/// The blocks of a language, each with what follows its name, and its lines.
fn examples(language: &str) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut examples = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        let Some(options) = line.strip_prefix("```").and_then(|l| l.strip_prefix(language)) else {
            continue;
        };
        let block = lines.by_ref().take_while(|line| *line != "```").collect();
        examples.push((options.trim(), block));
    }
    assert!(!examples.is_empty(), "no example of {language}");
    examples
}

/// The bytes that are written as hexadecimal, as text in quotes, and with `*` for repetition.
fn bytes(written: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = written;
    while !rest.is_empty() {
        let (part, behind) = if let Some(quoted) = rest.strip_prefix('"') {
            let (text, behind) = quoted.split_once('"').expect("a second quote");
            (text.as_bytes().to_vec(), behind)
        } else {
            let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
            let hex = &rest.as_bytes()[..end];
            let pairs = hex.chunks(2).map(|pair| {
                let pair = std::str::from_utf8(pair).expect("ASCII");
                u8::from_str_radix(pair, 16).unwrap_or_else(|_| panic!("`{pair}` in {written}"))
            });
            (pairs.collect(), &rest[end..])
        };
        let (times, behind) = match behind.strip_prefix('*') {
            Some(number) => number.split_once(' ').unwrap_or((number, "")),
            None => ("1", behind),
        };
        bytes.extend(part.repeat(times.parse().expect("a number")));
        rest = behind.trim_start();
    }
    bytes
}

/// Makes a packet arrive, if that is what the line says; says whether it is a remark.
async fn remark(provider: &Provider, line: &str, arrived: &mut u64) -> bool {
    if let Some(text) = line.strip_prefix(ARRIVES) {
        provider.deliver(client(3), &[&bytes(text)]).await;
        *arrived += 1;
        provider.mailbox(|mailbox| mailbox.stored == *arrived).await;
    }
    line.starts_with('#')
}

#[tokio::test]
async fn register_and_pull_are_as_documented() {
    for (options, lines) in examples("pull") {
        let provider = Provider::start(options).await;
        let (mut answer, mut arrived) = (Vec::new(), 0);
        for line in lines {
            if remark(&provider, line, &mut arrived).await {
            } else if let Some(request) = line.strip_prefix("> ") {
                answer = ask(provider.clients, &bytes(request)).await;
            } else {
                let expected = line.strip_prefix("< ").expect("an answer");
                assert!(answer == bytes(expected), "{line}\n{answer:02x?}");
            }
        }
    }
}

/// Plays an example on a websocket.
async fn play(provider: &Provider, socket: &mut Socket, lines: &[&str]) {
    let (mut arrived, mut sealed) = (0, String::new());
    for line in lines {
        if remark(provider, line, &mut arrived).await {
            continue;
        }
        let (from, what) = line.split_at(2);
        match (from, what.split_once(' ')) {
            ("> ", Some(("pong", pong))) => socket.pong(&bytes(pong)).await,
            ("< ", Some(("ping", ping))) => {
                assert_eq!(socket.next().await, Frame::Ping(bytes(ping)), "{line}");
            }
            ("> ", _) if what.starts_with('{') => {
                let opened = what.replace('…', &sealed);
                socket.text(&opened).await;
            }
            ("< ", _) if what.starts_with('{') => {
                let text = socket.next_text().await;
                if what.contains('…') {
                    let value: Value = serde_json::from_str(&text).expect("JSON");
                    let challenge = value["sealed"].as_str().expect("a challenge").to_owned();
                    assert_eq!(text.replace(&challenge, "…"), what);
                    sealed = nonce(provider, &client_key(3), &challenge);
                } else {
                    assert_eq!(text, what);
                }
            }
            ("> ", _) => socket.binary(&bytes(what)).await,
            ("< ", _) => {
                assert!(socket.next().await == Frame::Binary(bytes(what)), "{line}");
            }
            _ => panic!("what is `{line}`?"),
        }
    }
    if arrived > 0 {
        provider.mailbox(|mailbox| mailbox.delivered == arrived && mailbox.waiting == 0).await;
    }
}

#[tokio::test]
async fn the_gateway_is_as_documented() {
    for (_, lines) in examples("gateway") {
        let provider = with_mixnodes(Home::new(), "", &[("127.0.0.1:9990", 1)]).await;
        let mut socket = Socket::open(provider.clients, &[]).await;
        play(&provider, &mut socket, &lines).await;
    }
}

#[tokio::test]
async fn our_own_protocol_is_as_documented() {
    for (_, lines) in examples("v1") {
        let provider = Provider::start("").await;
        let protocol = "Sec-WebSocket-Protocol: nym-devnet.v1";
        let mut socket = Socket::open(provider.clients, &[protocol]).await;
        play(&provider, &mut socket, &lines).await;
    }
}

#[test]
fn every_error_is_in_its_table() {
    use wire::{GatewayError, NodeAddress};
    let any = NodeAddress("127.0.0.1:1".parse().expect("an address"));
    let errors = [
        GatewayError::MalformedRequest,
        GatewayError::NotAuthenticated,
        GatewayError::MalformedAddress,
        GatewayError::MalformedToken,
        GatewayError::Failure,
        GatewayError::InvalidRequest,
        GatewayError::FirstHop,
        GatewayError::Size { actual: 0, expected: 2396 },
        GatewayError::NotLayerOne(any),
        GatewayError::Proven,
    ];
    for error in errors {
        let row = error.to_string().replace("actual: 0", "actual: A").replace("127.0.0.1:1", "A:P");
        let found = PAGE.lines().any(|line| {
            line.starts_with(&format!("| `{row}` |"))
                || line.starts_with(&format!("| `` {row} `` |"))
        });
        assert!(found, "no row for `{row}`");
    }
}

#[test]
fn bounds_are_what_the_page_says() {
    let (of_one, of_all) = (::provider::MAX_WAITING_PER_CLIENT, ::provider::MAX_WAITING);
    for text in [
        format!("has {} bytes", wire::PADDED_ANSWER_BYTES),
        format!("| clients of a provider | {} |", ::provider::MAX_CLIENTS),
        format!("| clients without a proof | {} of them |", ::provider::MAX_NAMED_CLIENTS),
        format!("| packets that wait | {of_one} for a client, {of_all} for all;"),
    ] {
        assert!(PAGE.contains(&text), "no `{text}`");
    }
}
