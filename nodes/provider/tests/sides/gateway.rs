//! The websocket of v0.7.

use directory_api::MixNodeReport;
use directory_client::DirectoryClient;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wire::{Forward, NodeAddress, PublicKey, WireProfile};

use crate::provider::{Home, Provider, client, payload, soon};
use crate::pull::register;
use crate::websocket::{Frame, Socket};

/// What the original answered: `>>>` is what was sent, and with what in mind, `<<<` the answer.
const RECORDED: &str = include_str!("recorded/v0.7.0-gateway.txt");

/// Bytes of a packet.
const PACKET_BYTES: usize = WireProfile::CURRENT.packet_bytes();

/// A provider that sees mixnodes of these layers at these addresses. The first of layer 1 has been sent
/// a packet.
pub(crate) async fn with_mixnodes(home: Home, options: &str, mixnodes: &[(&str, u64)]) -> Provider {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let directory = format!("http://{}", listener.local_addr().expect("bound"));
    let defaults = directory_server::Options::default();
    tokio::spawn(directory_server::run(listener, defaults, CancellationToken::new()));
    let calls = DirectoryClient::new(&directory).expect("an address");
    for (number, (host, layer)) in (100..).zip(mixnodes) {
        let report = MixNodeReport {
            host: (*host).to_owned(),
            pub_key: client(number).to_string(),
            version: "0.1.0".into(),
            location: "here".into(),
            layer: *layer,
        };
        calls.announce_mixnode(&report).await.expect("announced");
    }
    let provider = Provider::start_at(home, &directory, options).await;
    if let Some((first, _)) = mixnodes.iter().find(|(_, layer)| *layer == 1) {
        forward_when_known(&provider, first).await;
    }
    provider
}

/// A connection that has registered.
async fn log_in(provider: &Provider, client: PublicKey) -> Socket {
    let mut socket = Socket::open(provider.clients, &[]).await;
    let answer = socket.say(&register_text(client)).await;
    assert!(answer.starts_with(r#"{"type":"register","token":""#), "{answer}");
    socket
}

fn register_text(client: PublicKey) -> String {
    json!({"type": "register", "address": client}).to_string()
}

fn forward(to: &str, packet: &[u8]) -> Vec<u8> {
    Forward { first_hop: NodeAddress(to.parse().expect("an address")), packet }.encode()
}

/// Sends packets until their first hop is known, which the provider learns from the directory.
async fn forward_when_known(provider: &Provider, to: &str) {
    let mut socket = log_in(provider, client(200)).await;
    let known = async {
        loop {
            socket.binary(&forward(to, &[0; PACKET_BYTES])).await;
            match socket.next_text().await.as_str() {
                r#"{"type":"send","status":true}"# => return,
                other => assert!(other.contains("is no mixnode of layer 1"), "{other}"),
            }
        }
    };
    soon("the first hop in the provider's view", known).await;
}

#[tokio::test]
async fn every_recorded_answer_of_the_original_is_given() {
    let first_hop = "127.0.0.1:9990";
    let provider = with_mixnodes(Home::new(), "", &[(first_hop, 1)]).await;
    let mut socket = Socket::open(provider.clients, &[]).await;
    let mut token = String::new();
    let mut lines = RECORDED.lines();
    while let Some(line) = lines.next() {
        let asked = line.strip_prefix(">>> ").expect("something that was sent");
        let recorded = lines.next().and_then(|line| line.strip_prefix("<<< ")).expect("an answer");
        let asked = asked.replace("<token>", &token);
        if let Some(text) = asked.strip_suffix(" (new connection, right token)") {
            // One live connection for each address.
            assert_eq!(
                Socket::open(provider.clients, &[]).await.say(text).await,
                r#"{"type":"error","message":"unexpected failure"}"#
            );
            // The goodbye comes when the login is free.
            socket.close().await;
            assert_eq!(socket.next().await, Frame::Close(0));
            socket = Socket::open(provider.clients, &[]).await;
        }
        let text = asked.split_once(" (").map_or(asked.as_str(), |(text, _)| text);
        match text.strip_prefix("binary ") {
            None => socket.text(text.trim()).await,
            Some("2 bytes") => socket.binary(&[4, 0]).await,
            Some("107 bytes") => socket.binary(&forward(first_hop, &[0; 100])).await,
            Some("1379 bytes") if asked.ends_with("(bad address type)") => {
                socket.binary(&[9; 1379]).await;
            }
            Some("1379 bytes") => socket.binary(&forward(first_hop, &[0; PACKET_BYTES])).await,
            Some(other) => panic!("nothing sends {other}"),
        }
        let answer = socket.next_text().await;
        // The one difference: packets are longer.
        let expected = recorded.replace("expected: 1372", "expected: 2396");
        if expected.contains("<base58 of 32 bytes>") {
            let value: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
            token = value["token"].as_str().expect("a token").to_owned();
            assert_eq!(wire::decode_base58(&token).map(|token| token.len()), Some(32));
            assert_eq!(expected.replace("<base58 of 32 bytes>", &token), answer, "{asked}");
        } else {
            assert_eq!(answer, expected, "{asked}");
        }
    }
}

#[tokio::test]
async fn all_that_waits_is_pushed_in_order_and_what_comes_meanwhile_behind_it() {
    let (home, alice) = (Home::new(), client(3));
    let stored: Vec<Vec<u8>> =
        (0..600).map(|number| format!("message {number}").into_bytes()).collect();
    home.store(alice, stored.iter().map(|text| payload(text)));
    let provider = Provider::start_in(home, "").await;
    let mut socket = log_in(&provider, alice).await;
    // The push is under way: more than one batch of it is read, and not all.
    let (first, first_pings) = socket.pushed(400).await;
    let meanwhile: Vec<Vec<u8>> =
        (600..650).map(|number| format!("message {number}").into_bytes()).collect();
    let plaintexts: Vec<&[u8]> = meanwhile.iter().map(Vec::as_slice).collect();
    provider.deliver(alice, &plaintexts).await;
    let (more, pings) = socket.pushed(250).await;
    let (more, rest) = more.split_at(200);
    assert!(first == stored[..400] && more == &stored[400..], "not what was stored, in its order");
    assert_eq!(rest.len(), 50);
    assert!(meanwhile.iter().all(|text| rest.contains(text)));
    assert!(!first_pings.is_empty() && !pings.is_empty(), "a ping behind each batch");
}

#[tokio::test]
async fn only_a_pong_deletes_what_was_pushed_before_its_ping() {
    let (home, alice) = (Home::new(), client(3));
    let texts = [b"one".to_vec(), b"two".to_vec(), vec![7; 2048]];
    home.store(alice, [payload(&texts[0]), payload(&texts[1]), texts[2].clone()]);
    let provider = Provider::start_in(home, "").await;

    // Cut before any pong, while another answer shows that the connection lived.
    let mut socket = log_in(&provider, alice).await;
    assert_eq!(socket.pushed(3).await.0, texts);
    assert!(matches!(socket.next().await, Frame::Ping(_)));
    socket.pong(b"not asked for").await;
    socket.pong(&0_u64.to_be_bytes()).await;
    assert_eq!(socket.say("text").await, r#"{"type":"error","message":"invalid request"}"#);
    drop(socket);
    let home = provider.stop().await;
    assert_eq!(home.waiting_for(alice), 3);

    // Everything again, and a pong for the first push but not for the second.
    let provider = Provider::start_in(home, "").await;
    let mut socket = log_in(&provider, alice).await;
    assert_eq!(socket.pushed(3).await.0, texts);
    let Frame::Ping(first) = socket.next().await else { panic!("no ping behind the packets") };
    provider.deliver(alice, &[b"three"]).await;
    assert_eq!(socket.pushed(1).await.0, [b"three"]);
    assert!(matches!(socket.next().await, Frame::Ping(second) if second != first));
    socket.pong(&first).await;
    provider.mailbox(|mailbox| mailbox.delivered == 3).await;
    assert_eq!(socket.say("text").await, r#"{"type":"error","message":"invalid request"}"#);
    assert_eq!(provider.stop().await.waiting_for(alice), 1);
}

#[tokio::test]
async fn packets_go_to_mixnodes_of_layer_1_and_nowhere_else() {
    let mixnode = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let first = mixnode.local_addr().expect("bound").to_string();
    let second = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let deeper = second.local_addr().expect("bound").to_string();
    let provider = with_mixnodes(Home::new(), "", &[(&first, 1), (&deeper, 2)]).await;
    let mut socket = log_in(&provider, client(3)).await;
    let packet: Vec<u8> =
        (0..PACKET_BYTES).map(|at| u8::try_from(at % 251).expect("one")).collect();
    socket.binary(&forward(&first, &packet)).await;
    assert_eq!(socket.next_text().await, r#"{"type":"send","status":true}"#);
    for to in [deeper.as_str(), &provider.mix.to_string(), "127.0.0.1:9"] {
        socket.binary(&forward(to, &packet)).await;
        let expected = json!({
            "type": "error", "message": format!("the first hop {to} is no mixnode of layer 1"),
        });
        let answer: serde_json::Value =
            serde_json::from_str(&socket.next_text().await).expect("JSON");
        assert_eq!(answer, expected);
    }
    let (mut link, _) = soon("a link", mixnode.accept()).await.expect("accepted");
    let mut frame = vec![0; 1 + PACKET_BYTES];
    // The first one made sure that the way is open.
    for _ in 0..2 {
        soon("a frame", link.read_exact(&mut frame)).await.expect("read");
    }
    assert_eq!(frame[0], WireProfile::CURRENT.flag);
    assert!(frame[1..] == packet, "the packet as it was sent");
}

#[tokio::test]
async fn both_sides_without_proof_share_accounts_and_the_mailbox() {
    let provider = Provider::start("").await;
    let alice = client(3);
    let token = wire::encode_base58(&register(&provider, alice).await);
    let mut socket = Socket::open(provider.clients, &[]).await;
    let authenticate = json!({"type": "authenticate", "address": alice, "token": token});
    let answer = socket.say(&authenticate.to_string()).await;
    assert_eq!(answer, r#"{"type":"authenticate","status":true}"#);
    provider.deliver(alice, &[b"hello"]).await;
    assert_eq!(socket.pushed(1).await.0, [b"hello"]);
}

#[tokio::test]
async fn a_provider_is_in_both_lists_and_leaves_both() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let directory = format!("http://{}", listener.local_addr().expect("bound"));
    let options = directory_server::Options::default();
    tokio::spawn(directory_server::run(listener, options, CancellationToken::new()));
    let home = Home::new();
    home.store(client(3), []);
    let more = "--name provider-1 --announce-host 127.0.0.2 --clients-announce-host 127.0.0.3:77";
    let provider = Provider::start_at(home, &directory, more).await;
    provider.event(|event| matches!(event, contract::Event::Ready { .. }).then_some(())).await;
    let calls = DirectoryClient::new(&directory).expect("an address");
    let topology = calls.topology().await.expect("a topology");
    let (as_provider, as_gateway) = (&topology.mix_provider_nodes[0], &topology.gateway_nodes[0]);
    assert_eq!(as_provider.client_listener, "127.0.0.3:77");
    assert_eq!(as_gateway.client_listener, "ws://127.0.0.3:77");
    for node in [as_provider, as_gateway] {
        assert_eq!(node.pub_key, provider.key.to_string());
        assert_eq!(node.mixnet_listener, format!("127.0.0.2:{}", provider.mix.port()));
        assert_eq!(node.location, "provider-1");
        assert_eq!(node.registered_clients[0].pub_key, client(3).to_string());
    }
    // Whoever follows the topology has it once.
    let network = runtime::Network::from_topology(&topology);
    assert_eq!(network.providers().len(), 1);
    provider.leave().await;
    let topology = calls.topology().await.expect("a topology");
    assert!(topology.mix_provider_nodes.is_empty() && topology.gateway_nodes.is_empty());
}
