//! Who gets which messages: fetched or pushed, in what form, and when they are taken.

use std::io::ErrorKind;

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::Message;
use wire::{Kind, MessageId};

use super::super::WRITE_TIMEOUT;
use super::super::fetch::{MAX_FETCHED, MAX_FETCHED_BYTES};
use super::{App, OWN, PROVIDER, TestClient, address, masked, soon};

const BYTES: [u8; 3] = [0xff, 0, 0xfe];

#[tokio::test]
async fn a_fetched_message_is_gone_and_the_older_api_is_never_pushed_one() {
    let client = TestClient::start().await;
    let mut app = App::connect(&client, "/mix").await;
    app.begin().await;
    for (id, text) in [(1, "one"), (2, ""), (3, "☃ \"three\"")] {
        client.receive(id, text).await;
    }
    // What nobody pushes to it stays until it asks, and another asks for nothing of it again.
    app.begin().await;
    assert_eq!(client.untaken().await, 3);
    assert_eq!(app.fetch().await, ["one", "", "☃ \"three\""]);
    client.until_untaken(0).await;
    assert!(app.fetch().await.is_empty());
    assert!(App::connect(&client, "/mix").await.fetch().await.is_empty());
}

#[tokio::test]
async fn a_pushed_message_goes_to_every_connection_of_the_newer_kind() {
    let client = TestClient::start().await;
    client.receive(1, "before").await;
    let mut older = App::connect(&client, "/mix").await;
    older.begin().await;
    let mut first = App::connect(&client, "/").await;
    first.begin().await;
    assert_eq!(first.frame().await, Message::text("before"));
    client.until_untaken(0).await;

    let mut second = App::connect(&client, "/").await;
    second.begin().await;
    for id in 2..50 {
        client.receive(id, format!("message {id}")).await;
    }
    for id in 2..50 {
        let expected = Message::text(format!("message {id}"));
        assert_eq!(first.frame().await, expected);
        // What somebody had taken before it came is not for it.
        assert_eq!(second.frame().await, expected);
    }
    client.until_untaken(0).await;
    assert!(older.fetch().await.is_empty());
    // Whoever looks at the inbox sees all, and takes none.
    let page = client.storage.page(0).await.expect("read");
    assert_eq!((page.messages.len(), page.more), (49, false));
}

#[tokio::test]
async fn who_looks_at_the_inbox_takes_no_message_from_an_application() {
    let client = TestClient::start().await;
    client.receive(1, "looked at").await;
    assert_eq!(client.storage.page(0).await.expect("read").messages.len(), 1);
    assert_eq!(App::connect(&client, "/mix").await.fetch().await, ["looked at"]);
}

#[tokio::test]
async fn pushes_wait_until_the_first_request_is_answered() {
    let client = TestClient::start().await;
    client.receive(1, "early").await;
    let mut app = App::connect(&client, "/").await;
    client.receive(2, "later").await;
    // Another one has everything by now: there was time to push.
    let mut other = App::connect(&client, "/").await;
    other.begin().await;
    assert_eq!(other.frame().await, Message::text("early"));
    assert_eq!(other.frame().await, Message::text("later"));
    client.until_untaken(0).await;
    let answer = app.ask(json!({"type": "selfAddress"})).await;
    assert_eq!(answer["address"], address(OWN).to_string());
    // It is one of those that were there when this came.
    assert_eq!(app.frame().await, Message::text("later"));
}

#[tokio::test]
async fn a_push_is_of_the_kind_of_the_connections_last_send() {
    let client = TestClient::start().await;
    let mut app = App::connect(&client, "/").await;
    app.begin().await;
    let text = json!({"type": "send", "message": "", "recipient": OWN});
    let binary = Message::binary([&OWN.as_bytes()[..], PROVIDER.as_bytes()].concat());
    let mut id = 0;
    let mut came = async |app: &mut App, data: &[u8]| {
        id += 1;
        client.receive(id, data).await;
        app.frame().await
    };
    // Before any send: what it is.
    assert_eq!(came(&mut app, b"text").await, Message::text("text"));
    assert_eq!(came(&mut app, &BYTES).await, Message::binary(&BYTES[..]));

    app.0.send(binary).await.expect("sent");
    assert_eq!(app.frame().await, Message::text(r#"{"type":"send"}"#));
    assert_eq!(came(&mut app, b"text").await, Message::binary(&b"text"[..]));
    assert_eq!(came(&mut app, b"").await, Message::binary(&b""[..]));

    app.ask(text).await;
    assert_eq!(came(&mut app, b"text").await, Message::text("text"));
    assert_eq!(came(&mut app, b"").await, Message::text(""));
    assert_eq!(came(&mut app, &BYTES).await, Message::binary(&BYTES[..]));

    // Nothing else has a kind.
    app.begin().await;
    assert_eq!(came(&mut app, b"text").await, Message::text("text"));
}

#[tokio::test]
async fn an_envelope_says_from_which_message_and_how_to_reply() {
    let client = TestClient::start().await;
    let id = |byte: u8| MessageId([byte; 16]).to_string();
    let identifier = [7; 16];
    let accepted = client.storage.accept(
        MessageId([9; 16]),
        Kind::MessageWithReplies,
        address(OWN),
        b"question".to_vec().into(),
        vec![identifier],
    );
    assert!(accepted.await.expect("kept"));
    let expected = [
        format!(r#"{{"type":"received","id":"{}","message":"plain \"text\""}}"#, id(1)),
        format!(r#"{{"type":"received","id":"{}","base64":"/wD+"}}"#, id(2)),
        format!(r#"{{"type":"received","id":"{}","message":"hi","replyTo":"{}"}}"#, id(3), id(3)),
        format!(
            r#"{{"type":"received","id":"{}","message":"hello","inReplyTo":"{}"}}"#,
            id(4),
            id(9)
        ),
    ];
    for path in ["/", "/mix"] {
        let mut app = App::connect(&client, path).await;
        if path == "/mix" {
            // The same for whoever fetches. It had all its messages before.
            client
                .storage
                .accept(
                    MessageId([10; 16]),
                    Kind::Message,
                    address(OWN),
                    b"x".to_vec().into(),
                    vec![],
                )
                .await
                .expect("kept");
        }
        let envelope = r#"{"type":"envelope","on":true}"#;
        let request: Value = serde_json::from_str(envelope).expect("JSON");
        assert_eq!(app.text(&request).await, envelope);
        if path == "/mix" {
            client.receive_with_blocks(11, b"again", 1).await;
            let text = app.text(&json!({"type": "fetch"})).await;
            let expected = format!(
                r#"{{"type":"fetch","messages":[{{"type":"received","id":"{0}","message":"again","replyTo":"{0}"}}]}}"#,
                id(11)
            );
            assert_eq!(text, expected);
            continue;
        }
        client.receive(1, "plain \"text\"").await;
        client.receive(2, BYTES).await;
        client.receive_with_blocks(3, b"hi", 2).await;
        client.receive_as(Kind::Message, 4, b"hello", Some(identifier)).await;
        for expected in &expected {
            assert_eq!(app.frame().await, Message::text(expected.as_str()));
        }
        // A binary send changes nothing while it is on; then it does.
        let binary = [&OWN.as_bytes()[..], PROVIDER.as_bytes()].concat();
        app.0.send(Message::binary(binary)).await.expect("sent");
        assert_eq!(app.json().await, json!({"type": "send"}));
        client.receive(5, "x").await;
        assert_eq!(app.json().await["type"], "received");
        assert_eq!(app.ask(json!({"type": "envelope", "on": false})).await["on"], false);
        client.receive(6, "x").await;
        assert_eq!(app.frame().await, Message::binary(&b"x"[..]));
        client.until_untaken(0).await;
    }
}

#[tokio::test]
async fn what_is_no_text_is_fetched_as_a_data_url() {
    let client = TestClient::start().await;
    client.receive(1, BYTES).await;
    let fetched = App::connect(&client, "/mix").await.fetch().await;
    assert_eq!(fetched, ["data:application/octet-stream;base64,/wD+"]);
}

#[tokio::test]
async fn an_answer_to_a_fetch_is_bounded_and_the_next_has_the_rest() {
    let client = TestClient::start().await;
    let long = "\"".repeat(MAX_FETCHED_BYTES);
    client.receive(0, &long).await;
    // Each quote is two bytes of JSON.
    for id in 1..4 {
        client.receive(id, "\"".repeat(200_000)).await;
    }
    let mut app = App::connect(&client, "/mix").await;
    let lengths = |messages: Vec<Value>| -> Vec<usize> {
        messages.iter().map(|message| message.as_str().expect("a string").len()).collect()
    };
    assert_eq!(lengths(app.fetch().await), [long.len()], "one that is too long comes alone");
    assert_eq!(lengths(app.fetch().await), [200_000; 2]);
    assert_eq!(lengths(app.fetch().await), [200_000]);

    for number in 0..=MAX_FETCHED {
        let id = u128::try_from(number).expect("small") + 1000;
        let fragment = wire::Fragment::of(Kind::Message, MessageId(id.to_be_bytes()), b"", 0);
        client.storage.keep(vec![(fragment.expect("short"), None)]).await.expect("kept");
    }
    assert_eq!(app.fetch().await.len(), MAX_FETCHED);
    assert_eq!(app.fetch().await.len(), 1);
}

#[tokio::test]
async fn two_fetches_at_once_do_not_get_the_same() {
    let client = TestClient::start().await;
    for id in 0..3 {
        client.receive(id, [id]).await;
    }
    let hand_out = async || client.applications.hand_out(0, |_| Some(400_000)).await.expect("read");
    let first = hand_out().await;
    assert_eq!(first.messages.len(), 2);
    let second = hand_out().await;
    assert_eq!(second.messages.len(), 1, "only what the first has not");
    assert_eq!(second.messages[0].data[..], [2]);
    // Who can carry none of them may look past all, but not past what is claimed.
    let left_up_to =
        async || client.applications.hand_out(0, |_| None).await.expect("read").left_up_to;
    assert_eq!(left_up_to().await, 0);
    // It cannot be written.
    let numbers = first.claim.numbers().to_vec();
    drop(first);
    assert_eq!(left_up_to().await, numbers[1]);
    let third = hand_out().await;
    assert_eq!(third.messages.len(), 2);
    client.applications.taken(second.claim).await.expect("written");
    client.applications.taken(third.claim).await.expect("written");
    assert!(hand_out().await.messages.is_empty());

    // The same on sockets.
    for id in 10..110 {
        client.receive(id, [id]).await;
    }
    let mut apps = Vec::new();
    for _ in 0..8 {
        apps.push(App::connect(&client, "/mix").await);
    }
    let all_at_once = futures_util::future::join_all(apps.iter_mut().map(App::fetch));
    assert_eq!(all_at_once.await.concat().len(), 100, "each once");
}

#[tokio::test]
async fn a_newer_connection_waits_for_a_message_that_is_just_being_fetched() {
    let client = TestClient::start().await;
    client.receive(1, "one").await;
    for is_written in [false, true] {
        let out = client.applications.hand_out(0, |_| Some(1)).await.expect("read");
        assert_eq!(out.messages.len(), 1);
        let mut app = App::connect(&client, "/").await;
        app.begin().await;
        if is_written {
            client.applications.taken(out.claim).await.expect("written");
            client.receive(2, "two").await;
            assert_eq!(app.frame().await, Message::text("two"));
        } else {
            drop(out);
            assert_eq!(app.frame().await, Message::text("one"));
            client.until_untaken(0).await;
            client.receive(3, "three").await;
            assert_eq!(app.frame().await, Message::text("three"));
            client.until_untaken(0).await;
            client.receive(4, "for the next turn").await;
            assert_eq!(app.frame().await, Message::text("for the next turn"));
            client.until_untaken(0).await;
            drop(app);
            client.receive(5, "five").await;
        }
    }
}

#[tokio::test]
async fn a_newer_connection_that_fetches_gets_nothing_twice() {
    let client = TestClient::start().await;
    client.receive(1, "before").await;
    let mut app = App::connect(&client, "/").await;
    client.receive(2, "since").await;
    assert_eq!(app.fetch().await, ["before", "since"]);
    client.receive(3, "after").await;
    assert_eq!(app.frame().await, Message::text("after"));
}

#[tokio::test]
async fn messages_wait_for_the_next_application_and_the_longest_arrives_whole() {
    let client = TestClient::start().await;
    let mut app = App::connect(&client, "/").await;
    app.begin().await;
    drop(app);
    // A frame of it ends within a character.
    let longest = "☃".repeat(contract::MAX_MESSAGE_BYTES / 3);
    client.receive(1, &longest).await;
    let binary: Vec<u8> = (0..=255).cycle().take(contract::MAX_MESSAGE_BYTES).collect();
    client.receive(2, &binary).await;
    let mut app = App::connect(&client, "/").await;
    app.begin().await;
    let frame = app.frame().await;
    assert!(frame.is_text() && frame.into_data() == longest);
    let frame = app.frame().await;
    assert!(frame.is_binary() && frame.into_data() == binary);
    client.until_untaken(0).await;
}

#[tokio::test]
async fn who_never_reads_is_cut_off_and_keeps_nothing_from_anybody() {
    let client = TestClient::start().await;
    // A buffer of a fixed size: the system's own may grow to hold all.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(64 << 10).expect("a new one");
    let mut silent = socket.connect(client.websocket).await.expect("connects");
    silent.set_nodelay(true).expect("a TCP connection");
    let head = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let request = masked(r#"{"type":"ownDetails"}"#);
    silent.write_all(&[head.as_bytes(), &request].concat()).await.expect("written");
    // More than the sockets' buffers hold.
    let long = vec![b'x'; contract::MAX_MESSAGE_BYTES];
    client.receive(1, &long).await;
    let mut begun = vec![0; 16 << 10];
    let has_begun = async {
        while silent.peek(&mut begun).await.expect("open") < begun.len() {
            tokio::task::yield_now().await;
        }
    };
    soon("the push", has_begun).await;
    assert_eq!(client.untaken().await, 1, "it has not got it");

    // Others are served meanwhile.
    let mut app = App::connect(&client, "/").await;
    app.begin().await;
    assert_eq!(app.frame().await.into_data(), long);
    client.receive(2, "next").await;
    assert_eq!(app.frame().await, Message::text("next"));

    // The clock goes on as soon as everybody waits for it.
    tokio::time::pause();
    tokio::time::sleep(2 * WRITE_TIMEOUT).await;
    tokio::time::resume();
    // Pings, to hear that nobody is there.
    let ended = async {
        loop {
            match silent.try_write(&[0x89, 0x80, 0, 0, 0, 0]) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    soon("the end", ended).await;
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest).await;
    assert!(rest.len() < long.len(), "it was cut off");
    app.begin().await;
}
