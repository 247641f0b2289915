//! What is posted over real HTTP: what is taken, what is refused, and what becomes of it. Which methods
//! and pages the routes take is in `routes.rs`, how they answer the originals' requests in `golden.rs`.

mod support;

use std::iter::repeat_n;

use directory_api::{Frame, MixNodePresence, Topology, Update};
use directory_server::{Options, limits};
use futures_util::StreamExt as _;
use reqwest::{Client, Response, StatusCode};
use semver::Version;
use support::{Directory, soon};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Every route that writes.
const WRITING: [&str; 8] = [
    "/api/presence/coconodes",
    "/api/presence/mixnodes",
    "/api/presence/mixproviders",
    "/api/presence/gateways",
    "/api/presence/leave",
    "/api/presence/disallow",
    "/api/presence/allow",
    "/api/metrics/mixes",
];

/// Those that take a provider's long list.
const PROVIDERS: [&str; 2] = ["/api/presence/mixproviders", "/api/presence/gateways"];

/// Those that take a missing key for an empty one, which names nobody.
const KEYLESS: [&str; 2] = ["/api/presence/disallow", "/api/presence/allow"];

const MIXNODE: &str = r#"{"host":"127.0.0.1:1789","pubKey":"m","version":"0.7.0","layer":1}"#;
const PROVIDER: &str = r#"{"clientListener":"ws://127.0.0.1:9000","mixnetListener":"127.0.0.1:4000",
    "pubKey":"p","version":"0.7.0","location":"provider-1","registeredClients":[{"pubKey":"c"}]}"#;

async fn post(directory: &Directory, path: &str, body: impl Into<reqwest::Body>) -> Response {
    soon(Client::new().post(directory.url(path)).body(body).send()).await.expect("an answer")
}

async fn get(directory: &Directory, path: &str) -> Response {
    soon(Client::new().get(directory.url(path)).send()).await.expect("an answer")
}

async fn text(response: Response) -> String {
    soon(response.text()).await.expect("a body")
}

async fn topology(directory: &Directory) -> Topology {
    let body = text(get(directory, "/api/presence/topology").await).await;
    serde_json::from_str(&body).expect("a topology")
}

/// Status and error text of an answer that refuses.
async fn refused(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body = text(response).await;
    let refused: directory_api::Refused = serde_json::from_str(&body).expect(&body);
    (status, refused.error)
}

#[tokio::test]
async fn what_was_posted_is_in_the_topology_until_it_leaves() {
    let directory = Directory::start().await;
    let coconode = r#"{"host":"10.1.2.3:4001","pubKey":"v","version":"0.5.0","type":"validator"}"#;
    for (path, body) in [
        ("/api/presence/mixproviders", PROVIDER),
        ("/api/presence/gateways", PROVIDER),
        ("/api/presence/coconodes", coconode),
        ("/api/presence/mixnodes", r#"{"PUBKEY":"n","hOst":"h:1","Version":"0.7.0","LAYER":3}"#),
        ("/api/presence/mixnodes", r#"{"host":"h:9","pubKey":"m","version":"0.7.0","layer":2}"#),
        ("/api/presence/mixnodes", MIXNODE),
    ] {
        assert_eq!(post(&directory, path, body).await.status(), StatusCode::CREATED, "{body}");
    }
    let topology = topology(&directory).await;
    let mixnodes: Vec<_> = topology.mix_nodes.iter().map(|it| (&*it.pub_key, &*it.host)).collect();
    assert_eq!(mixnodes, [("m", "127.0.0.1:1789"), ("n", "h:1")]);
    assert_eq!(topology.mix_nodes[0].location, "unknown");
    assert_eq!(topology.coco_nodes[0].host, "127.0.0.1:4001", "where it came from");
    assert_eq!(topology.mix_provider_nodes[0].location, "provider-1");
    assert_eq!(topology.gateway_nodes[0].registered_clients[0].pub_key, "c");

    let leave = "/api/presence/leave";
    for (key, left) in [("p", 3), ("n", 2), ("nobody", 2), ("p", 2)] {
        let response = post(&directory, leave, format!(r#"{{"pubKey":"{key}"}}"#)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(response).await, r#"{"ok":true}"#);
        let topology = self::topology(&directory).await;
        let present = topology.coco_nodes.len()
            + topology.mix_nodes.len()
            + topology.mix_provider_nodes.len()
            + topology.gateway_nodes.len();
        assert_eq!(present, left, "after {key} left");
    }
    directory.stop().await;
}

/// Row `X-Forwarded-For`.
#[tokio::test]
async fn nobody_can_say_to_be_somewhere_else() {
    let directory = Directory::start().await;
    let body = r#"{"host":"10.1.2.3:4001","pubKey":"v","version":"0.5.0","type":"validator"}"#;
    let request = Client::new().post(directory.url("/api/presence/coconodes")).body(body);
    let request = request.header("X-Forwarded-For", "192.0.2.7").header("X-Real-Ip", "192.0.2.8");
    assert_eq!(soon(request.send()).await.expect("an answer").status(), StatusCode::CREATED);
    assert_eq!(topology(&directory).await.coco_nodes[0].host, "127.0.0.1:4001");
    directory.stop().await;
}

#[tokio::test]
async fn bad_bodies_are_refused_on_every_writing_route() {
    let directory = Directory::start().await;
    let (missing, unreadable) = (
        "Error:Field validation for 'PubKey' failed on the 'required' tag",
        "cannot be read as JSON",
    );
    for path in WRITING {
        for (body, complaint) in [
            (&b"hello"[..], "the body cannot be read as JSON: expected value at line 1 column 1"),
            (b"", "EOF"),
            (b" \n", "EOF"),
            (b"{\"pubKey\":", "the body cannot be read as JSON: EOF while parsing a value"),
            // Row `texts that are not Unicode`.
            (b"{\"pubKey\":\"\xff\"}", unreadable),
            (b"{\"pubKey\":\"\\ud800\"}", unreadable),
            (b"{\"other\":\"\xff\"}", unreadable),
            (b"[1]", "json: cannot unmarshal array into Go value of type models."),
            (b"{\"pubKey\":7}", "pubKey of type string"),
            (b"null", missing),
            // Row `case of field names`.
            ("{\"pub\u{212a}ey\":\"k\"}".as_bytes(), missing),
            (b"{\"pubKey\":null}", missing),
        ] {
            let response = post(&directory, path, body).await;
            if complaint == missing && KEYLESS.contains(&path) {
                assert!(response.status().is_success(), "{path}");
                continue;
            }
            let (status, error) = refused(response).await;
            assert_eq!(status, 400, "{path}: {error}");
            assert!(error.contains(complaint), "{path}: {error}");
        }
        // Row `deep nesting`.
        let deep = [b"[".repeat(30_000), b"]".repeat(30_000)].concat();
        let (status, error) = refused(post(&directory, path, deep).await).await;
        assert!(status == 400 && error.contains("recursion limit"), "{path}: {error}");
    }
    for (path, body, complaint) in [
        (
            "/api/presence/mixnodes",
            r#"{"pubKey":"m","version":"1","layer":-1}"#,
            "json: cannot unmarshal number -1 into Go struct field MixHostInfo.layer of type uint",
        ),
        (
            "/api/presence/mixnodes",
            r#"{"pubKey":"m","version":"1","layer":1.5}"#,
            "json: cannot unmarshal number 1.5 into Go struct field MixHostInfo.layer of type uint",
        ),
        (
            // Row `wording of numbers`.
            "/api/presence/mixnodes",
            r#"{"pubKey":"m","version":"1","layer":1e3}"#,
            "json: cannot unmarshal number 1000.0 into Go struct field MixHostInfo.layer of type uint",
        ),
        (
            "/api/presence/mixnodes",
            r#"{"pubKey":"a\u001bb","version":"1","layer":1}"#,
            "`pubKey` contains a control character",
        ),
        (
            "/api/presence/mixproviders",
            r#"{"pubKey":"p","version":"1","registeredClients":["c"]}"#,
            "json: cannot unmarshal string into Go struct field \
             MixProviderHostInfo.registeredClients of type models.RegisteredClient",
        ),
        (
            "/api/metrics/mixes",
            r#"{"pubKey":"m","sent":[],"received":1}"#,
            "json: cannot unmarshal array into Go struct field MixMetric.sent of type \
             map[string]uint",
        ),
        (
            "/api/metrics/mixes",
            r#"{"pubKey":"m","sent":{"a":"1"},"received":1}"#,
            "json: cannot unmarshal string into Go struct field MixMetric.sent of type uint",
        ),
    ] {
        let answer = refused(post(&directory, path, body).await).await;
        assert_eq!(answer, (400, complaint.to_owned()));
    }
    assert_eq!(topology(&directory).await, Topology::default(), "nothing was stored");
    directory.stop().await;
}

/// Row `HTML in texts`: in every field of every route, the entries of lists and maps included.
#[tokio::test]
async fn no_text_can_be_markup() {
    let directory = Directory::start().await;
    let provider = [
        ("clientListener", r#""<""#),
        ("mixnetListener", r#""<""#),
        ("pubKey", r#""<""#),
        ("version", r#""<""#),
        ("location", r#""<""#),
        ("registeredClients", r#"[{"pubKey":"c"},{"pubKey":">"}]"#),
    ];
    let whole = r#""pubKey":"k","version":"1","layer":1,"type":"t","registeredClients":[],"sent":{},"received":1"#;
    let fields = |path: &str| -> Vec<(&str, &str)> {
        match path {
            "/api/presence/coconodes" | "/api/presence/mixnodes" => {
                let kind = path.ends_with("coconodes").then_some(("type", r#""<script>""#));
                [("host", r#""h<""#), ("location", r#""<b>""#)]
                    .into_iter()
                    .chain([("pubKey", r#""<""#), ("version", r#""<""#)])
                    .chain(kind)
                    .collect()
            }
            "/api/presence/mixproviders" | "/api/presence/gateways" => provider.to_vec(),
            "/api/metrics/mixes" => vec![("pubKey", r#""<""#), ("sent", r#"{"a":1,"b<":2}"#)],
            _ => vec![("pubKey", r#""<""#)],
        }
    };
    for path in WRITING {
        for (field, value) in fields(path) {
            // Of several fields of one name, the last one counts.
            let body = format!("{{{whole},\"{field}\":{value}}}");
            let answer = refused(post(&directory, path, body).await).await;
            assert_eq!(answer, (400, format!("`{field}` contains `<` or `>`")), "{path}");
        }
    }
    assert_eq!(topology(&directory).await, Topology::default(), "nothing was stored");

    // Rows `ampersands and quotes`, `JSON escapes`.
    let harmless = r#"{"pubKey":"a&b\"'","version":"1","layer":1}"#;
    assert_eq!(post(&directory, WRITING[1], harmless).await.status(), StatusCode::CREATED);
    let shown = text(get(&directory, "/api/presence/topology").await).await;
    assert!(shown.contains(r#""pubKey":"a&b\"'","#), "{shown}");
    directory.stop().await;
}

/// Rows `long bodies`, `long lists`.
#[tokio::test]
async fn bodies_are_bounded_and_those_of_providers_later() {
    let directory = Directory::start().await;
    for path in WRITING {
        let limit = if PROVIDERS.contains(&path) {
            limits::MAX_PROVIDER_BODY_BYTES
        } else {
            limits::MAX_BODY_BYTES
        };
        for (length, expected) in [
            (limit, (400, "EOF".to_owned())),
            (limit + 1, (413, format!("the body is longer than {limit} bytes"))),
        ] {
            let body = " ".repeat(length);
            assert_eq!(refused(post(&directory, path, body).await).await, expected, "{path}");
        }
    }
    for path in PROVIDERS {
        let limit = directory_api::MAX_REGISTERED_CLIENTS;
        for (count, status) in [(limit, 201), (limit + 1, 400)] {
            let clients = repeat_n(r#"{"pubKey":"c"}"#, count).collect::<Vec<_>>().join(",");
            let body = format!(r#"{{"pubKey":"p","version":"1","registeredClients":[{clients}]}}"#);
            assert!(body.len() > limits::MAX_BODY_BYTES / 2);
            assert_eq!(post(&directory, path, body).await.status().as_u16(), status, "{path}");
        }
    }
    directory.stop().await;
}

/// Row `full lists`, `disallow list`: whoever comes too late is not at fault, and may try again.
#[tokio::test]
async fn who_comes_when_all_is_full_is_told_to_come_again() {
    let directory = Directory::start().await;
    let client = Client::new();
    let first_refusal = async |path: &str, body: fn(usize) -> String, room: usize| {
        for count in 0.. {
            let answer = soon(client.post(directory.url(path)).body(body(count)).send()).await;
            let answer = answer.expect("an answer");
            if answer.status() != StatusCode::CREATED {
                return (count, refused(answer).await);
            }
            assert!(count < 2 * room, "{path}: no end of room");
        }
        unreachable!("it counts to that end")
    };
    let validator = |count| format!(r#"{{"pubKey":"{count}","version":"1","type":"validator"}}"#);
    let full = format!("the list of coconodes is full: {} are present", limits::MAX_COCONODES);
    let refusal = first_refusal("/api/presence/coconodes", validator, limits::MAX_COCONODES).await;
    assert_eq!(refusal, (limits::MAX_COCONODES, (503, full)));

    let key = |count| format!(r#"{{"pubKey":"{count}"}}"#);
    let (count, (status, error)) =
        first_refusal("/api/presence/disallow", key, limits::MAX_DISALLOWED).await;
    assert_eq!((count, status), (limits::MAX_DISALLOWED, 503), "{error}");

    let provider = |count| {
        let clients = vec![r#"{"pubKey":"c"}"#; directory_api::MAX_REGISTERED_CLIENTS].join(",");
        format!(r#"{{"pubKey":"{count}","version":"1","registeredClients":[{clients}]}}"#)
    };
    let room = directory_api::MAX_LISTED_CLIENTS / directory_api::MAX_REGISTERED_CLIENTS;
    let (count, (status, error)) = first_refusal("/api/presence/gateways", provider, room).await;
    assert_eq!((count, status), (room, 503), "{error}");
    assert!(error.contains("all together at most 16384"), "{error}");

    let report = |_| {
        let hops: Vec<_> = (0..limits::MAX_NEXT_HOPS).map(|hop| format!(r#""{hop}":1"#)).collect();
        format!(r#"{{"pubKey":"m","received":1,"sent":{{{}}}}}"#, hops.join(","))
    };
    // A window may end meanwhile.
    let room = 10 * limits::MAX_WINDOW_ENTRIES / limits::MAX_NEXT_HOPS;
    let (_, (status, error)) = first_refusal("/api/metrics/mixes", report, room).await;
    assert_eq!(status, 429, "{error}");
    directory.stop().await;
}

/// Row `version rule`.
#[tokio::test]
async fn old_mixnodes_are_refused_where_a_minimum_is_set_and_only_there() {
    let minimum = Some(Version::new(0, 6, 0));
    let strict = Options { min_mixnode_version: minimum, ..Options::default() };
    let (strict, lenient) = (Directory::start_with(strict).await, Directory::start().await);
    for (version, expected) in [
        ("0.6.0", None),
        ("0.7.0-dev", None),
        ("1.0.0+devnet", None),
        ("0.5.9", Some((422, "Minimum support mixnode version is 0.6.0"))),
        ("0.6.0-rc.1", Some((422, "Minimum support mixnode version is 0.6.0"))),
        ("banana", Some((400, "No Major.Minor.Patch elements found"))),
        ("1.2", Some((400, "No Major.Minor.Patch elements found"))),
        ("1.2.x", Some((400, "`version` is not like 1.2.3"))),
    ] {
        let body = format!(r#"{{"pubKey":"{version}","version":"{version}","layer":1}}"#);
        let path = "/api/presence/mixnodes";
        assert_eq!(post(&lenient, path, body.clone()).await.status(), 201, "{version}");
        let response = post(&strict, path, body).await;
        let Some((status, complaint)) = expected else {
            assert_eq!(response.status(), StatusCode::CREATED, "{version}");
            continue;
        };
        let answer = refused(response).await;
        assert!(answer.0 == status && answer.1.contains(complaint), "{version}: {answer:?}");
    }
    assert_eq!(topology(&strict).await.mix_nodes.len(), 3);
    assert_eq!(topology(&lenient).await.mix_nodes.len(), 8);
    // No other node's version is looked at.
    for path in PROVIDERS {
        let body = PROVIDER.replace("0.7.0", "banana");
        assert_eq!(post(&strict, path, body).await.status(), StatusCode::CREATED, "{path}");
    }
    strict.stop().await;
    lenient.stop().await;
}

async fn events(directory: &Directory) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(directory.address).await.expect("a connection");
    let url = format!("ws://{}/ws/events?topics=topology,presence", directory.address);
    soon(client_async(url, stream)).await.expect("a websocket").0
}

async fn update(events: &mut WebSocketStream<TcpStream>) -> Update {
    let message = soon(events.next()).await.expect("an open socket").expect("a message");
    let frame: Frame = serde_json::from_str(message.to_text().expect("text")).expect("a frame");
    frame.update
}

/// Rows `allow and disallow without a key`, `routes of one release`.
#[tokio::test]
async fn a_disallowed_mixnode_is_not_in_the_topology_until_it_is_allowed() {
    let directory = Directory::start().await;
    let mut events = events(&directory).await;
    assert!(matches!(update(&mut events).await, Update::Snapshot { .. }));
    let (announce, disallow, allow) =
        ("/api/presence/mixnodes", "/api/presence/disallow", "/api/presence/allow");
    let key = r#"{"PubKey":"m"}"#;
    let disallowed = async || -> Vec<MixNodePresence> {
        let body = text(get(&directory, "/api/presence/disallowed").await).await;
        serde_json::from_str(&body).expect("mixnodes")
    };

    post(&directory, announce, MIXNODE).await;
    let Update::MixNode(node) = update(&mut events).await else { panic!("no mixnode") };
    assert!(matches!(update(&mut events).await, Update::Seen { .. }));
    assert_eq!(disallowed().await, []);

    let answer = post(&directory, disallow, key).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(text(answer).await, r#"{"ok":true}"#);
    assert_eq!(update(&mut events).await, Update::Disallowed { pub_key: "m".into() });
    assert_eq!(topology(&directory).await, Topology::default());
    assert_eq!(disallowed().await, [node]);
    // It may go on announcing itself, and nobody hears of it.
    assert_eq!(post(&directory, announce, MIXNODE).await.status(), StatusCode::CREATED);
    // These name nobody.
    assert_eq!(post(&directory, disallow, "{}").await.status(), StatusCode::CREATED);
    for body in ["{}", r#"{"pubKey":"nobody"}"#] {
        assert_eq!(post(&directory, allow, body).await.status(), StatusCode::OK);
    }
    assert_eq!(topology(&directory).await, Topology::default());

    let answer = post(&directory, allow, key).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(text(answer).await, r#"{"ok":true}"#);
    let Update::MixNode(back) = update(&mut events).await else { panic!("it does not come back") };
    assert_eq!(topology(&directory).await.mix_nodes, [back]);
    assert_eq!(disallowed().await, []);
    directory.stop().await;
}

/// Row `topology reads`: what ended the originals.
#[tokio::test]
async fn reading_and_writing_at_once_is_consistent() {
    let directory = Directory::start().await;
    let client = Client::new();
    let (rounds, writers) = (50, 4);
    let write = async |writer: usize| {
        for round in 0..rounds {
            let body = format!(
                r#"{{"pubKey":"{writer}","host":"h:{round}","version":"{round}","layer":1}}"#
            );
            let request = client.post(directory.url("/api/presence/mixnodes")).body(body).send();
            assert_eq!(soon(request).await.expect("an answer").status(), StatusCode::CREATED);
        }
    };
    let read = async || {
        let mut present = 0;
        for _ in 0..rounds {
            let topology = topology(&directory).await;
            assert!(topology.mix_nodes.len() >= present, "somebody got lost");
            present = topology.mix_nodes.len();
            for node in topology.mix_nodes {
                assert_eq!(node.host, format!("h:{}", node.version), "of two announcements");
            }
        }
    };
    tokio::join!(write(0), read(), write(1), read(), write(2), read(), write(3), read());
    assert_eq!(topology(&directory).await.mix_nodes.len(), writers);
    directory.stop().await;
}

/// Somebody who connects and never finishes a request must not hold up the end.
#[tokio::test]
async fn it_stops_with_a_request_underway() {
    let directory = Directory::start().await;
    let mut stuck = TcpStream::connect(directory.address).await.expect("a connection");
    let head = b"POST /api/presence/mixnodes HTTP/1.1\r\nHost: d\r\nContent-Length: 99\r\n\r\n{";
    stuck.write_all(head).await.expect("room in the socket");
    // A later connection is accepted after that one.
    assert_eq!(get(&directory, "/api/healthcheck").await.status(), StatusCode::OK);
    directory.stop().await;
}
