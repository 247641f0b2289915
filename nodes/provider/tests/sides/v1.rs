//! `nym-devnet.v1`.

use serde_json::{Value, json};
use sphinx::PrivateKey;
use wire::{CHALLENGE_PURPOSE, Delivery, confirmation};

use crate::provider::{Home, Provider, client, client_key, payload};
use crate::pull::{ask, pull_request, register, register_request};
use crate::websocket::{Frame, Socket};

const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol: other, nym-devnet.v1";

/// A connection that has proven this key, and how many packets wait.
pub(crate) async fn log_in(provider: &Provider, key: &PrivateKey) -> (Socket, u64) {
    let mut socket = Socket::open(provider.clients, &[SUBPROTOCOL]).await;
    let hello = json!({"type": "hello", "key": key.public()});
    let challenge: Value =
        serde_json::from_str(&socket.say(&hello.to_string()).await).expect("JSON");
    let sealed = challenge["sealed"].as_str().expect("sealed");
    let prove = json!({"type": "prove", "nonce": nonce(provider, key, sealed)});
    let registered: Value =
        serde_json::from_str(&socket.say(&prove.to_string()).await).expect("JSON");
    assert_eq!(registered["type"], "registered", "{registered}");
    (socket, registered["waiting"].as_u64().expect("a number"))
}

/// What is in a challenge.
pub(crate) fn nonce(provider: &Provider, key: &PrivateKey, sealed: &str) -> String {
    let sealed = wire::decode_base58(sealed).expect("base58");
    let purpose = [CHALLENGE_PURPOSE, provider.key.as_bytes()].concat();
    wire::encode_base58(&sphinx::open(key, &purpose, &sealed).expect("it opens"))
}

async fn delivery(socket: &mut Socket) -> Delivery {
    match socket.next().await {
        Frame::Binary(bytes) => Delivery::decode(&bytes).expect("a delivery"),
        other => panic!("{other:?} instead of a delivery"),
    }
}

#[tokio::test]
async fn what_is_not_confirmed_before_the_connection_is_cut_comes_again() {
    let (home, key) = (Home::new(), client_key(3));
    home.store(key.public(), (0..3).map(|number| payload(&[number])));
    let provider = Provider::start_in(home, "").await;
    let (mut socket, waiting) = log_in(&provider, &key).await;
    assert_eq!(waiting, 3);
    let mut numbers = Vec::new();
    for number in 0..3 {
        let delivery = delivery(&mut socket).await;
        assert_eq!(delivery.payload, payload(&[number]));
        numbers.push(delivery.number);
    }
    socket.binary(&confirmation(&numbers[1..2])).await;
    provider.mailbox(|mailbox| mailbox.delivered == 1).await;
    drop(socket);
    let (mut socket, waiting) = log_in(&provider, &key).await;
    assert_eq!(waiting, 2);
    for number in [0, 2] {
        assert_eq!(delivery(&mut socket).await.payload, payload(&[number]));
    }
    // Another connection takes over, and the old one hears why it ends.
    let (mut newer, _) = log_in(&provider, &key).await;
    assert!(socket.next_text().await.contains("another connection"));
    assert_eq!(socket.next().await, Frame::Close(1008));
    assert_eq!(delivery(&mut newer).await.number, numbers[0]);
}

#[tokio::test]
async fn a_proof_takes_the_address_over_from_those_who_only_named_it() {
    let (home, key) = (Home::new(), client_key(3));
    home.store(key.public(), [payload(b"for the owner")]);
    let provider = Provider::start_in(home, "").await;
    let token = register(&provider, key.public()).await;
    let mut thief = Socket::open(provider.clients, &[]).await;
    let address = key.public();
    let authenticate = json!({
        "type": "authenticate", "address": address, "token": wire::encode_base58(&token),
    })
    .to_string();
    assert_eq!(thief.say(&authenticate).await, r#"{"type":"authenticate","status":true}"#);

    let (mut socket, waiting) = log_in(&provider, &key).await;
    assert_eq!(waiting, 1);
    assert_eq!(delivery(&mut socket).await.payload, payload(b"for the owner"));
    let mut last = thief.next().await;
    while !matches!(last, Frame::Close(_) | Frame::End) {
        last = thief.next().await;
    }
    drop(socket);

    // It stays so, also after a restart.
    let mut provider = provider;
    for _ in 0..2 {
        let answer = ask(provider.clients, &pull_request(address, &token)).await;
        assert_eq!(answer, b"InvalidToken");
        let answer = ask(provider.clients, &register_request(address)).await;
        assert_eq!(answer, br#"IOError("the address is registered with a proof of its key")"#);
        let mut socket = Socket::open(provider.clients, &[]).await;
        let register = json!({"type": "register", "address": address}).to_string();
        let refused = r#"{"type":"error","message":"the address is registered with a proof of its key; only `nym-devnet.v1` opens it"}"#;
        assert_eq!(socket.say(&register).await, refused);
        assert_eq!(socket.say(&authenticate).await, refused);
        provider = Provider::start_in(provider.stop().await, "").await;
    }

    // Unless the provider is to be as trusting as the originals.
    let provider = Provider::start_in(provider.stop().await, "--faithful").await;
    assert_eq!(register(&provider, address).await, token);
    let answer = ask(provider.clients, &pull_request(address, &token)).await;
    assert!(answer[12..].starts_with(b"for the owner"), "{}", String::from_utf8_lossy(&answer));
    // Who can prove the key can still do so.
    assert_eq!(log_in(&provider, &key).await.1, 1);
}

#[tokio::test]
async fn who_cannot_prove_the_key_hears_why_and_gets_nothing() {
    let provider = Provider::start("").await;
    let alice = client(3);
    let hello = json!({"type": "hello", "key": alice}).to_string();
    let wrong = json!({"type": "prove", "nonce": "abc"}).to_string();
    for (asked, message) in [
        (vec!["nonsense"], "expected a `hello` with the client's key"),
        (vec![wrong.as_str()], "expected a `hello` with the client's key"),
        (vec![hello.as_str(), "nonsense"], "expected a `prove` with the opened nonce"),
        (vec![hello.as_str(), wrong.as_str()], "the key is not proven: the nonce is wrong"),
    ] {
        let mut socket = Socket::open(provider.clients, &[SUBPROTOCOL]).await;
        let mut answer = String::new();
        for text in asked {
            answer = socket.say(text).await;
        }
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer, json!({"type": "error", "message": message}));
        assert_eq!(socket.next().await, Frame::Close(1008));
    }
    let answer = ask(provider.clients, &pull_request(alice, &[0; 32])).await;
    assert_eq!(answer, b"InvalidToken", "nobody is registered");
}
