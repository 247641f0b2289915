//! Requests and answers on the websocket, in both generations.

use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use wire::MessageId;

use super::{
    App, GIVEN, NO_PROVIDER, OWN, PROVIDER, QUEUE_FULL, TOO_MANY, TestClient, UNKNOWN, address,
    soon,
};
use crate::asks::{Fate, Recipient};

const PATHS: [&str; 5] = ["/mix", "/mix/", "/", "/anything", "/mixer"];

fn is_older(path: &str) -> bool {
    path.starts_with("/mix") && path != "/mixer"
}

#[tokio::test]
async fn both_paths_answer_all_requests_and_the_path_says_in_which_form() {
    let client = TestClient::start().await;
    let other = wire::PublicKey::from_bytes([3; 32]);
    for path in PATHS {
        let mut app = App::connect(&client, path).await;
        let clients = if is_older(path) {
            format!(r#"["{OWN}","{other}"]"#)
        } else {
            format!(r#"["{OWN}@{PROVIDER}","{other}@{PROVIDER}"]"#)
        };
        let id = "ab".repeat(16);
        for (request, answer) in [
            (
                json!({"type": "ownDetails"}),
                format!(r#"{{"type":"ownDetails","address":"{OWN}"}}"#),
            ),
            (
                json!({"type": "selfAddress"}),
                format!(r#"{{"type":"selfAddress","address":"{OWN}@{PROVIDER}"}}"#),
            ),
            (
                json!({"type": "getClients"}),
                format!(r#"{{"type":"getClients","clients":{clients}}}"#),
            ),
            (json!({"type": "fetch"}), r#"{"type":"fetch","messages":[]}"#.into()),
            (
                json!({"type": "send", "message": "x", "recipient": OWN}),
                r#"{"type":"send"}"#.into(),
            ),
            (
                json!({"type": "send", "message": "x", "recipient_address": address(OWN).to_string()}),
                r#"{"type":"send"}"#.into(),
            ),
            (
                json!({"type": "send", "message": "x", "recipient": OWN, "withReply": 3}),
                format!(r#"{{"type":"send","id":"{GIVEN}"}}"#),
            ),
            (
                json!({"type": "send", "message": "x", "recipient": OWN, "id": id}),
                format!(r#"{{"type":"send","id":"{id}"}}"#),
            ),
            (
                json!({"type": "reply", "message": "x", "replyTo": id}),
                format!(r#"{{"type":"reply","id":"{GIVEN}"}}"#),
            ),
            (json!({"type": "envelope", "on": true}), r#"{"type":"envelope","on":true}"#.into()),
        ] {
            assert_eq!(app.text(&request).await, answer, "{path}: {request}");
        }
    }
}

#[tokio::test]
async fn what_the_driver_is_asked_is_what_the_application_said() {
    let mut client = TestClient::start().await;
    let mut app = App::connect(&client, "/").await;
    let id = MessageId([0xab; 16]);
    let request = json!({
        "type": "send", "message": {"b": 1, "a": [null]}, "recipient": OWN,
        "id": id.to_string(), "withReply": 7, "confirm": true,
    });
    app.ask(request).await;
    let (message, _) = client.sent().await;
    assert_eq!(message.to, Recipient::Key(OWN));
    assert_eq!((message.id, message.reply_blocks, message.confirm), (Some(id), 7, true));

    app.ask(json!({"type": "reply", "replyTo": id.to_string(), "message": "back"})).await;
    let (message, _) = client.sent().await;
    assert_eq!((message.to, &message.data[..]), (Recipient::SenderOf(id), &b"back"[..]));

    let frame = [&OWN.as_bytes()[..], PROVIDER.as_bytes(), &[0xff, 0]].concat();
    app.0.send(Message::Binary(frame.into())).await.expect("sent");
    assert_eq!(app.frame().await, Message::text(r#"{"type":"send"}"#));
    let (message, _) = client.sent().await;
    assert_eq!((message.to, &message.data[..]), (Recipient::Address(address(OWN)), &[0xff, 0][..]));
}

#[tokio::test]
async fn mistakes_and_refusals_are_told_and_the_connection_goes_on() {
    let client = TestClient::start_with(None).await;
    for path in PATHS {
        let mut app = App::connect(&client, path).await;
        for (request, says) in [
            ("no JSON".to_owned(), "received invalid request. err: expected ident"),
            (json!({"type": "dance"}).to_string(), "unknown variant `dance`, expected one of"),
            (json!({"type": "selfAddress"}).to_string(), NO_PROVIDER),
            (
                json!({"type": "send", "message": "", "recipient": UNKNOWN}).to_string(),
                "no provider has",
            ),
            (json!({"type": "send", "message": "", "recipient": "?"}).to_string(), "not base58"),
            // More than the slots allow.
            (
                json!({"type": "send", "message": TOO_MANY, "recipient": OWN}).to_string(),
                QUEUE_FULL,
            ),
        ] {
            app.0.send(Message::text(request.clone())).await.expect("sent");
            let answer = app.json().await;
            assert_eq!(answer["type"], "error", "{request}");
            let message = answer["message"].as_str().expect("a text");
            assert!(message.contains(says), "{request}: {message}");
            assert_eq!(answer.as_object().map(serde_json::Map::len), Some(2), "{answer}");
        }
        app.begin().await;
    }
    let mut app = App::connect(&client, "/").await;
    app.0.send(Message::Binary(vec![1; 63].into())).await.expect("sent");
    let says = app.json().await["message"].to_string();
    assert!(says.contains("invalid binary request: it has 63 bytes"), "{says}");
    app.begin().await;
}

#[tokio::test]
async fn the_older_api_refuses_binary_data_after_it_has_answered_the_rest() {
    let client = TestClient::start().await;
    let mut app = App::connect(&client, "/mix").await;
    app.say(&json!({"type": "ownDetails"})).await;
    app.0.send(Message::Binary(vec![0; 100].into())).await.expect("sent");
    assert_eq!(app.json().await["type"], "ownDetails");
    let Message::Close(Some(close)) = app.frame().await else { panic!("not closed") };
    assert_eq!(close.code, CloseCode::Unsupported);
    assert_eq!(u16::from(close.code), 1003);
    assert_eq!(close.reason, "binary messages aren't yet supported");
    // It ends in good order.
    assert!(soon("the end", app.0.next()).await.is_none());
}

#[tokio::test]
async fn a_frame_beyond_all_bounds_ends_the_connection_with_a_reason() {
    let client = TestClient::start().await;
    let mut app = App::connect(&client, "/").await;
    // Only its beginning, as a raw frame: text, masked, of 2^62 bytes.
    let head = [&[0x81, 0xff][..], &(1_u64 << 62).to_be_bytes(), &[0; 4], b"xxxx"].concat();
    let stream = app.0.get_mut();
    stream.write_all(&head).await.expect("written");
    let Message::Close(Some(close)) = app.frame().await else { panic!("not closed") };
    assert_eq!(
        (close.code, close.reason.as_str()),
        (CloseCode::Size, "a message has at most 16777216 bytes")
    );

    let mut app = App::connect(&client, "/").await;
    let not_utf8 = [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe];
    app.0.get_mut().write_all(&not_utf8).await.expect("written");
    let Message::Close(Some(close)) = app.frame().await else { panic!("not closed") };
    assert_eq!(close.code, CloseCode::Invalid);
}

#[tokio::test]
async fn requests_are_answered_in_their_order_however_many_are_sent_ahead() {
    let mut client = TestClient::start().await;
    let app = App::connect(&client, "/").await;
    let (mut sink, mut stream) = app.0.split();
    let requests = 0..500_u32;
    let sending = async {
        for number in requests.clone() {
            let id = format!("{number:032x}");
            let request = json!({"type": "send", "message": "", "recipient": OWN, "id": id});
            sink.send(Message::text(request.to_string())).await.expect("sent");
        }
    };
    let reading = async {
        for number in requests.clone() {
            let frame = stream.next().await.expect("open").expect("no error");
            let expected = format!(r#"{{"type":"send","id":"{number:032x}"}}"#);
            assert_eq!(frame, Message::text(expected));
        }
    };
    soon("all answers", async { tokio::join!(sending, reading) }).await;
    for number in requests {
        assert_eq!(client.sent().await.0.id, Some(MessageId(u128::from(number).to_be_bytes())));
    }
}

#[tokio::test]
async fn what_was_sent_right_before_the_end_is_sent() {
    let mut client = TestClient::start().await;
    for in_good_order in [true, false] {
        let mut app = App::connect(&client, "/").await;
        for message in ["one", "two", "three"] {
            app.say(&json!({"type": "send", "message": message, "recipient": OWN})).await;
        }
        if in_good_order {
            app.0.close(None).await.expect("said goodbye");
        }
        drop(app);
        for message in ["one", "two", "three"] {
            assert_eq!(client.sent().await.0.data, message);
        }
    }
}

#[tokio::test]
async fn a_confirmation_comes_when_it_is_known_between_everything_else() {
    let mut client = TestClient::start().await;
    for path in ["/mix", "/"] {
        let mut app = App::connect(&client, path).await;
        let send = json!({"type": "send", "message": "", "recipient": OWN, "confirm": true});
        let mut tellers = Vec::new();
        for _ in 0..3 {
            let answer = app.ask(send.clone()).await;
            assert_eq!(answer, json!({"type": "send", "id": GIVEN.to_string()}));
            tellers.push(client.sent().await.1.expect("it wants to know"));
        }
        // Another request is answered meanwhile.
        app.begin().await;
        let [first, second, third] = tellers.try_into().expect("three");
        second.send(Fate::Failed("no acknowledgement after 16 times".into())).expect("heard");
        assert_eq!(
            app.frame().await,
            Message::text(format!(
                r#"{{"type":"confirm","id":"{GIVEN}","outcome":"failed","reason":"no acknowledgement after 16 times"}}"#
            ))
        );
        // The client ends without knowing: then nothing is said.
        drop(third);
        first.send(Fate::Acknowledged).expect("heard");
        assert_eq!(
            app.frame().await,
            Message::text(format!(
                r#"{{"type":"confirm","id":"{GIVEN}","outcome":"acknowledged"}}"#
            ))
        );
        app.begin().await;
    }
}

#[tokio::test]
async fn only_so_many_messages_of_a_connection_wait_for_their_confirmation() {
    let mut client = TestClient::start().await;
    let mut app = App::connect(&client, "/").await;
    let send = json!({"type": "send", "message": "", "recipient": OWN, "confirm": true});
    let mut tellers = Vec::new();
    for _ in 0..4096 {
        assert_eq!(app.ask(send.clone()).await["type"], "send");
        tellers.push(client.sent().await.1.expect("it wants to know"));
    }
    let refused = app.ask(send.clone()).await["message"].to_string();
    assert!(refused.contains("4096 messages of this connection wait"), "{refused}");
    let teller = tellers.pop().expect("many");
    teller.send(Fate::Acknowledged).expect("heard");
    assert_eq!(app.json().await["type"], "confirm");
    assert_eq!(app.ask(send).await["type"], "send");
}

#[tokio::test]
async fn pings_are_answered_and_goodbyes_returned() {
    let client = TestClient::start().await;
    for path in ["/mix", "/"] {
        let mut app = App::connect(&client, path).await;
        app.0.send(Message::Ping(b"there?".to_vec().into())).await.expect("sent");
        assert_eq!(app.frame().await, Message::Pong(b"there?".to_vec().into()));
        app.begin().await;
        app.0.close(None).await.expect("sent");
        assert!(matches!(app.frame().await, Message::Close(_)));
        assert!(soon("the end", app.0.next()).await.is_none());
    }
}

#[tokio::test]
async fn when_the_client_stops_requests_are_answered_with_that() {
    let client = TestClient::start().await;
    let mut app = App::connect(&client, "/").await;
    app.begin().await;
    let stop = client.applications.asks.send(crate::asks::Ask::Stop);
    stop.await.expect("the driver is there");
    for request in [
        json!({"type": "selfAddress"}),
        json!({"type": "getClients"}),
        json!({"type": "send", "message": "", "recipient": OWN}),
    ] {
        let answer = app.ask(request).await;
        assert_eq!(answer, json!({"type": "error", "message": "the client is stopping"}));
    }
}

#[tokio::test]
async fn connections_end_with_their_sockets_and_say_why() {
    let mut client = TestClient::start().await;
    let mut app = App::connect(&client, "/").await;
    app.begin().await;
    let mut tcp = TcpStream::connect(client.tcp).await.expect("connects");
    tcp.write_all(&[4]).await.expect("written");
    tcp.read_exact(&mut [0; 32]).await.expect("its key");
    client.tasks.shutdown().await;
    let Message::Close(Some(close)) = app.frame().await else { panic!("not closed") };
    assert_eq!((close.code, close.reason.as_str()), (CloseCode::Away, "the client is stopping"));
    assert_eq!(soon("the end", tcp.read(&mut [0])).await.expect("a clean end"), 0);
}

/// Bytes of a ping's content, as many as fit.
const PING_BYTES: usize = 125;

#[tokio::test]
async fn pongs_for_who_does_not_read_are_bounded() {
    /// More than what the machine's own buffers hold.
    const PINGS: usize = (32 << 20) / PING_BYTES;
    let client = TestClient::start().await;
    let mut app = App::connect(&client, "/").await;
    for _ in 0..PINGS {
        app.0.feed(Message::Ping(vec![b'x'; PING_BYTES].into())).await.expect("written");
    }
    app.0.send(Message::Ping("last".into())).await.expect("written");
    let mut pongs = 0;
    while app.frame().await != Message::Pong("last".into()) {
        pongs += 1;
    }
    assert!(pongs < PINGS / 2, "{pongs} answers to {PINGS} pings were kept");
}

/// Something like a request.
fn request() -> impl Strategy<Value = Message> {
    let types = prop::sample::select(vec![
        "send",
        "fetch",
        "getClients",
        "ownDetails",
        "selfAddress",
        "reply",
        "envelope",
        "dance",
    ]);
    let value = prop_oneof![
        Just(json!(OWN)),
        Just(json!("ab".repeat(16))),
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "message",
        "recipient",
        "recipient_address",
        "id",
        "withReply",
        "replyTo",
        "on",
        "x",
    ]);
    let fields = prop::collection::vec((names, value), 0..5);
    let like_one = (types, fields).prop_map(|(kind, fields)| {
        let mut request = json!({"type": kind});
        for (name, value) in fields {
            request[name] = value;
        }
        Message::text(request.to_string())
    });
    prop_oneof![
        4 => like_one,
        1 => ".{0,60}".prop_map(Message::text),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Message::binary),
    ]
}

#[test]
fn whatever_is_asked_there_is_exactly_one_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let client = runtime.block_on(TestClient::start());
    proptest!(ProptestConfig::with_cases(64), |(requests in prop::collection::vec(request(), 1..20))| {
        runtime.block_on(async {
            let mut app = App::connect(&client, "/").await;
            for request in requests {
                app.0.send(request.clone()).await.expect("sent");
                let answer = app.json().await;
                assert!(answer["type"].is_string(), "{request}: {answer}");
            }
            // Nothing more was said.
            app.begin().await;
        });
    });
}
