//! The daemons together, over real TCP, HTTP and websockets.

#[allow(dead_code, reason = "each test uses a part of it")]
mod network;

use contract::{Change, Command, Content, Endpoint, Event, MessageStage, Outcome};
use directory_client::DirectoryClient;
use futures_util::{SinkExt, StreamExt};
use network::{App, Network, deadline};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use wire::{Delivery, WireProfile};

#[tokio::test]
async fn an_application_sends_and_another_receives() {
    let network = Network::start().await;
    let mut alice = App::connect(&network.alice).await;
    let mut bob = App::connect(&network.bob).await;
    let to = bob.own_address().await;
    assert!(to.contains('@'), "{to}");

    let sent = alice.ask(json!({"type": "send", "message": "hello bob", "recipient": to})).await;
    assert_eq!(sent, json!({"type": "send"}));
    assert_eq!(bob.next().await, Message::Text("hello bob".into()));

    let long = "x".repeat(20_000);
    alice.ask(json!({"type": "send", "message": long, "recipient_address": to})).await;
    assert_eq!(bob.next().await, Message::Text(long.into()));

    // An object is its JSON; a bare key is looked up once the provider has announced it.
    let client = to.split('@').next().expect("a key");
    let announced = async {
        while !alice.ask(json!({"type": "getClients"})).await["clients"]
            .to_string()
            .contains(client)
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(deadline(), announced).await.expect("bob is announced");
    alice.ask(json!({"type": "send", "message": {"n": 1}, "recipient": client})).await;
    assert_eq!(bob.next().await, Message::Text(r#"{"n":1}"#.into()));
}

#[tokio::test]
async fn bytes_come_back_as_bytes() {
    let network = Network::start().await;
    let mut alice = App::connect(&network.alice).await;
    let address: wire::ClientAddress = alice.own_address().await.parse().expect("an address");
    let mut request = [address.client.as_bytes().as_slice(), address.provider.as_bytes()].concat();
    request.extend_from_slice(&[0xff, 0, 7]);
    alice.0.send(Message::Binary(request.into())).await.expect("sent");
    assert_eq!(alice.next().await, Message::Text(r#"{"type":"send"}"#.into()));
    assert_eq!(alice.next().await, Message::Binary(vec![0xff, 0, 7].into()));
}

#[tokio::test]
async fn wrong_requests_get_a_useful_answer_and_the_client_goes_on() {
    let network = Network::start().await;
    let mut alice = App::connect(&network.alice).await;
    let key = wire::PublicKey::from_bytes([9; 32]).to_string();
    for (request, part) in [
        (json!({"type": "dance"}), "unknown variant `dance`"),
        (json!({"type": "send", "message": "x"}), "missing field `recipient`"),
        (
            json!({"type": "send", "message": "x", "recipient": "nobody"}),
            "`nobody` is not a base58",
        ),
        (json!({"type": "send", "message": "x", "recipient": "a@b"}), "`a` is not a base58"),
        (json!({"type": "send", "message": "x", "recipient": key}), "no provider in the directory"),
    ] {
        let answer = alice.ask(request.clone()).await;
        assert_eq!(answer["type"], "error", "{request}");
        let message = answer["message"].as_str().expect("a text");
        assert!(message.contains(part), "{request}: {message}");
    }
    alice.0.send(Message::Text("no JSON".into())).await.expect("sent");
    assert!(alice.next().await.to_string().contains("received invalid request"));
    alice.0.send(Message::Binary(vec![1, 2].into())).await.expect("sent");
    assert!(alice.next().await.to_string().contains("invalid binary request"));
    assert!(alice.own_address().await.contains('@'));
}

#[tokio::test]
async fn somebody_elses_web_page_is_refused_and_a_port_probe_harms_nobody() {
    let network = Network::start().await;
    let app = network.alice.address(Endpoint::App).await;
    let clients = network.provider.address(Endpoint::Clients).await;
    drop(TcpStream::connect(app).await.expect("connects"));
    for address in [app, clients] {
        let mut request = format!("ws://{address}/").into_client_request().expect("a request");
        let origin = "http://evil.example".parse().expect("a header");
        request.headers_mut().insert("Origin", origin);
        match connect_async(request).await {
            Err(tungstenite::Error::Http(response)) => assert_eq!(response.status(), 403),
            other => panic!("not refused: {other:?}"),
        }
    }
    assert!(App::connect(&network.alice).await.own_address().await.contains('@'));
}

#[tokio::test]
async fn a_supervisor_sends_and_hears_every_stage() {
    let network = Network::start().await;
    let address = |event: &Event| match event {
        Event::Identity(identity) => identity.address.clone(),
        _ => None,
    };
    let to = network.bob.wait_for("address", address).await;
    let content = Content::Text("from the supervisor".into());
    network.alice.request(7, Command::Send { to, content: content.clone(), message: None }).await;
    let accepted = |event: &Event| match event {
        Event::Answer(answer) if answer.id == 7 => Some(answer.outcome.clone()),
        _ => None,
    };
    let Outcome::Accepted { message: id } = network.alice.wait_for("answer", accepted).await else {
        panic!("not accepted");
    };
    let stage = |event: &Event| match event {
        Event::Message(event) if event.message == id => Some(event.stage.clone()),
        _ => None,
    };
    let mut mixnodes = Vec::new();
    for mixnode in &network.mixnodes {
        mixnodes.push(mixnode.address(Endpoint::Mix).await.to_string());
    }
    mixnodes.push(network.provider.address(Endpoint::Mix).await.to_string());
    let sent = MessageStage::Sent { fragment: 0, attempt: 1, route: mixnodes, trace: None };
    let is = |wanted: MessageStage| move |event: &Event| stage(event).filter(|s| *s == wanted);
    network.alice.wait_for("sent", is(sent)).await;
    let bobs = |event: &Event| match event {
        Event::Message(event) => Some((event.message.clone(), event.stage.clone())),
        _ => None,
    };
    let received = network.bob.wait_for("received", bobs).await;
    assert_eq!(received, (id.clone(), MessageStage::Received { content }));
    network
        .alice
        .wait_for("acknowledged", |event| match event {
            Event::Message(event) if event.message == id => {
                matches!(event.stage, MessageStage::Acknowledged { fragment: 0, .. }).then_some(())
            }
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn what_is_no_packet_is_dropped_and_counted_and_the_nodes_go_on() {
    let network = Network::start().await;
    let packet = vec![0x5a; WireProfile::CURRENT.packet_bytes()];
    let mut frame = Vec::new();
    wire::write_frame(WireProfile::CURRENT, &packet, &mut frame);
    for node in [&network.mixnodes[0], &network.provider] {
        let address = node.address(Endpoint::Mix).await;
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(&frame).await.expect("written");
        node.dropped("mac", 1).await;
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("written");
        node.dropped("malformed", 1).await;
        let closed = timeout(deadline(), stream.read(&mut [0])).await.expect("it is closed");
        assert!(matches!(closed, Ok(0) | Err(_)));
    }
    let mut alice = App::connect(&network.alice).await;
    let to = alice.own_address().await;
    alice.ask(json!({"type": "send", "message": "still here", "recipient": to})).await;
    assert_eq!(alice.next().await, Message::Text("still here".into()));
}

#[tokio::test]
async fn the_directory_hears_of_every_node_its_packets_and_its_leave() {
    let mut network = Network::start().await;
    let directory = DirectoryClient::new(&network.directory).expect("an address");
    let complete = async {
        loop {
            let topology = directory.topology().await.expect("answers");
            let metrics = directory.metrics().await.expect("answers");
            let clients: usize =
                topology.gateway_nodes.iter().map(|node| node.registered_clients.len()).sum();
            if topology.mix_nodes.len() == 3
                && clients == 2
                && metrics.iter().any(|m| m.received > 0)
            {
                return topology;
            }
        }
    };
    let topology = timeout(deadline(), complete).await.expect("all are there");
    assert_eq!(topology.gateway_nodes[0].location, "provider-1");

    let mut leaver = network.mixnodes.remove(0);
    leaver.request(1, Command::Leave).await;
    leaver.ended().await.expect("a clean end");
    let topology = directory.topology().await.expect("answers");
    let mut layers: Vec<u64> = topology.mix_nodes.iter().map(|node| node.layer).collect();
    layers.sort_unstable();
    assert_eq!(layers, [2, 3]);
}

#[tokio::test]
async fn a_provider_keeps_packets_until_their_client_confirms_them() {
    let mut network = Network::start().await;
    let address = network.bob.wait_for("address", |event| match event {
        Event::Identity(identity) => identity.address.clone(),
        _ => None,
    });
    let to = address.await;
    network.bob.shutdown.cancel();
    network.bob.ended().await.expect("a clean end");
    let mut alice = App::connect(&network.alice).await;
    alice.ask(json!({"type": "send", "message": "for later", "recipient": to})).await;
    // Acknowledged means stored.
    network
        .alice
        .wait_for("acknowledged", |event| match event {
            Event::Message(event) => {
                matches!(event.stage, MessageStage::Acknowledged { .. }).then_some(())
            }
            _ => None,
        })
        .await;

    // Bob's key, taken from his folder, reads without confirming: twice the same.
    let home = network.home.path().join("bob");
    let key = runtime::load_or_create(&home, "identity", &mut rand::rng()).expect("there").key;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let mut socket = network::register(&network.provider, &key).await;
        let frame = timeout(deadline(), socket.next()).await.expect("in time");
        let frame = frame.expect("open").expect("no error").into_data();
        seen.push(Delivery::decode(&frame).expect("a delivery").number);
    }
    assert_eq!(seen[0], seen[1]);

    let bob = network::client(network.home.path(), &network.directory, "bob");
    assert_eq!(
        bob.wait_for("received", |event| match event {
            Event::Message(event) => Some(event.stage.clone()),
            _ => None,
        })
        .await,
        MessageStage::Received { content: Content::Text("for later".into()) }
    );
}

#[tokio::test]
async fn nobody_registers_with_a_key_that_is_not_theirs() {
    let network = Network::start().await;
    let mut socket = network::connect_provider(&network.provider).await;
    let key = wire::PublicKey::from_bytes([9; 32]);
    for text in [
        json!({"type": "hello", "key": key}).to_string(),
        json!({"type": "prove", "nonce": "1111"}).to_string(),
    ] {
        socket.send(Message::Text(text.into())).await.expect("sent");
    }
    let mut last = String::new();
    while let Ok(Some(Ok(Message::Text(text)))) = timeout(deadline(), socket.next()).await {
        last = text.to_string();
    }
    assert!(last.contains("the nonce is wrong"), "{last}");
}

#[tokio::test]
async fn a_client_without_a_directory_says_what_it_waits_for() {
    let home = tempfile::tempdir().expect("a folder");
    // Bound and never answered, so that nobody else gets the port.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nowhere = format!("http://{}", silent.local_addr().expect("bound"));
    let waiting = |event: &Event| match event {
        Event::Waiting { reason } => Some(reason.clone()),
        _ => None,
    };
    let mixnode = network::mixnode(home.path(), &nowhere, 1);
    let mut client = network::client(home.path(), &nowhere, "alice");
    let reason = mixnode.wait_for("a reason", waiting).await;
    assert!(reason.contains(&nowhere), "{reason}");
    let reason = client.wait_for("a reason", waiting).await;
    assert_eq!(reason, "the provider `provider-1` is not in the directory; none is");

    // It answers while it waits, and stops when asked.
    let send = Command::Send { to: "x".into(), content: Content::Text("x".into()), message: None };
    client.request(1, send).await;
    let refused = |event: &Event| match event {
        Event::Answer(answer) if answer.id == 1 => Some(answer.outcome.clone()),
        _ => None,
    };
    assert!(matches!(client.wait_for("answer", refused).await, Outcome::Refused { .. }));
    client.request(2, Command::Stop).await;
    client.ended().await.expect("a clean end");
    mixnode.shutdown.cancel();
}

/// Identities that are still to come when it is asked to leave would not know of it.
#[tokio::test]
async fn a_crowd_that_is_growing_leaves_when_it_is_asked_to() {
    let home = tempfile::tempdir().expect("a folder");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nowhere = format!("http://{}", silent.local_addr().expect("bound"));
    let mut crowd = network::client_with(home.path(), &nowhere, "crowd", "--crowd 2");
    let change = Change { crowd: Some(500), ..Change::default() };
    crowd.request(1, Command::Set { change }).await;
    crowd.request(2, Command::Leave).await;
    let refused = |event: &Event| match event {
        Event::Answer(answer) if answer.id == 1 => Some(answer.outcome.clone()),
        _ => None,
    };
    assert!(matches!(crowd.wait_for("answer", refused).await, Outcome::Refused { .. }));
    crowd.ended().await.expect("a clean end");
}

#[tokio::test]
async fn what_was_accepted_waits_for_its_layer_and_outlives_the_client() {
    let mut network = Network::start().await;
    let waiting = |event: &Event| match event {
        Event::Waiting { reason } if reason.contains("layer 2") => Some(()),
        _ => None,
    };
    network.mixnodes[1].request(1, Command::Leave).await;
    network.mixnodes[1].ended().await.expect("a clean end");
    network.alice.wait_for("a missing layer", waiting).await;
    let to = App::connect(&network.bob).await.own_address().await;
    let content = Content::Text("late, not lost".into());
    let send = Command::Send { to, content, message: None };
    network.alice.request(1, send).await;
    let accepted = |event: &Event| match event {
        Event::Answer(answer) if answer.id == 1 => Some(answer.outcome.clone()),
        _ => None,
    };
    let Outcome::Accepted { message } = network.alice.wait_for("an answer", accepted).await else {
        panic!("it is held back, not refused");
    };
    network.alice.request(2, Command::Stop).await;
    network.alice.ended().await.expect("a clean end");

    network.mixnodes[1] = network::mixnode(network.home.path(), &network.directory, 2);
    network.alice = network::client(network.home.path(), &network.directory, "alice");
    let received = |event: &Event| match event {
        Event::Message(event) if event.message == message => match &event.stage {
            MessageStage::Received { content } => Some(content.clone()),
            _ => None,
        },
        _ => None,
    };
    let content = network.bob.wait_for("the message", received).await;
    assert_eq!(content, Content::Text("late, not lost".into()));
    network.alice.ready().await;
}

#[tokio::test]
async fn who_is_asked_to_stop_says_so_once_and_of_a_signal_its_receiver_tells() {
    let mut network = Network::start().await;
    let said =
        |node: &network::Daemon| node.reported(|event| matches!(event, Event::Stopping { .. }));
    let [asked, signalled, ..] = network.mixnodes.as_mut_slice() else { panic!("three") };
    for node in [&mut network.bob, asked] {
        node.request(1, Command::Stop).await;
        node.ended().await.expect("a clean end");
        assert_eq!(said(node), 1);
    }
    for node in [&mut network.alice, signalled, &mut network.provider] {
        node.shutdown.cancel();
        node.ended().await.expect("a clean end");
        assert_eq!(said(node), 0);
    }
}

#[tokio::test]
async fn a_taken_port_is_fatal_and_names_the_port() {
    let network = Network::start().await;
    let taken = network.mixnodes[0].address(Endpoint::Mix).await.port();
    let home = tempfile::tempdir().expect("a folder");
    let mut second = network::mixnode_on_port(home.path(), &network.directory, taken);
    let fatal = second.ended().await.expect_err("refused");
    assert_eq!(fatal.code.exit_code(), 4);
    assert!(fatal.message.contains(&taken.to_string()), "{fatal}");
}
