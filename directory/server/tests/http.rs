//! The routes over real HTTP, against what the original answered.

mod support;

use directory_api::Topology;
use directory_server::{Options, limits};
use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, ORIGIN};
use reqwest::{Client, Method, Response, StatusCode};
use support::{Directory, soon};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const WRITING: [&str; 6] = [
    "/api/presence/coconodes",
    "/api/presence/mixnodes",
    "/api/presence/mixproviders",
    "/api/presence/gateways",
    "/api/presence/leave",
    "/api/metrics/mixes",
];

const MIXNODE: &str = r#"{"host":"127.0.0.1:1789","pubKey":"m","version":"0.7.0","layer":1}"#;
const PROVIDER: &str = r#"{"clientListener":"ws://127.0.0.1:9000","mixnetListener":"127.0.0.1:4000",
    "pubKey":"p","version":"0.7.0","location":"provider-1","registeredClients":[{"pubKey":"c"}]}"#;

async fn post(directory: &Directory, path: &str, body: impl Into<reqwest::Body>) -> Response {
    soon(Client::new().post(directory.url(path)).body(body).send()).await.expect("an answer")
}

async fn get(directory: &Directory, path: &str) -> Response {
    soon(Client::new().get(directory.url(path)).send()).await.expect("an answer")
}

async fn topology(directory: &Directory) -> Topology {
    let body = soon(get(directory, "/api/presence/topology").await.bytes()).await.expect("a body");
    serde_json::from_slice(&body).expect("a topology")
}

/// Status and error text of an answer that refuses.
async fn refused(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body = soon(response.bytes()).await.expect("a body");
    let refused: directory_api::Refused = serde_json::from_slice(&body).expect("a refusal");
    (status, refused.error)
}

/// One exchange of a recording.
struct Exchange<'a> {
    title: &'a str,
    method: Method,
    path: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: &'a str,
    status: u16,
    answer_headers: Vec<(&'a str, &'a str)>,
    answer: &'a str,
}

fn exchanges(recording: &str) -> Vec<Exchange<'_>> {
    let parse = |text| {
        let (title, text) = str::split_once(text, "\n>>> request\n").expect("a request");
        let (request, answer) = text.split_once("\n<<< response\n").expect("a response");
        let (line, headers, body) = message(request);
        let mut words = line.split(' ');
        let method = words.next().and_then(|word| word.parse().ok()).expect("a method");
        let path = words.next().expect("a path");
        let (line, answer_headers, answer) = message(answer);
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        Exchange { title, method, path, headers, body, status, answer_headers, answer }
    };
    recording.split("##### ").skip(1).map(parse).collect()
}

/// First line, headers and body of a recorded message.
fn message(text: &str) -> (&str, Vec<(&str, &str)>, &str) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let line = lines.next().expect("a first line");
    let headers = lines.map(|line| line.split_once(": ").expect("a header")).collect();
    (line, headers, body.trim_end())
}

/// Recorded from the original, with nothing changed but that headers which differ from run to run
/// are left out, and requests that we answer otherwise on purpose.
#[tokio::test]
async fn requests_are_answered_as_by_the_original() {
    let directory = Directory::start().await;
    let client = Client::new();
    let exchanges = exchanges(include_str!("recorded/v0.7.0.txt"));
    assert_eq!(exchanges.len(), 27);
    for exchange in exchanges {
        let mut request = client
            .request(exchange.method, directory.url(exchange.path))
            .body(exchange.body.to_owned());
        for (name, value) in exchange.headers {
            request = request.header(name, value);
        }
        let response = soon(request.send()).await.expect("an answer");
        assert_eq!(response.status().as_u16(), exchange.status, "{}", exchange.title);
        for (name, value) in exchange.answer_headers {
            let got = response.headers().get(name).map(|value| value.to_str().expect("text"));
            // The original's text/plain has no character set.
            let matches = got.is_some_and(|got| got.starts_with(value));
            assert!(matches, "{}: {name}: {got:?}", exchange.title);
        }
        let answer = soon(response.text()).await.expect("a body");
        assert_eq!(answer, exchange.answer, "{}", exchange.title);
    }
    directory.stop().await;
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
    let response = get(&directory, "/api/presence/topology").await;
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json; charset=utf-8");
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let text = soon(response.text()).await.expect("a body");
    // The times of this run are replaced; all else is as the original writes it.
    let mut parts = text.split("\"lastSeen\":");
    let mut timeless = parts.next().expect("a beginning").to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        assert_eq!(part.len() - rest.len(), 19, "nanoseconds since 1970");
        timeless.push_str("\"lastSeen\":T");
        timeless.push_str(rest);
    }
    let provider = concat!(
        r#"{"clientListener":"ws://127.0.0.1:9000","mixnetListener":"127.0.0.1:4000","#,
        r#""pubKey":"p","version":"0.7.0","location":"provider-1","#,
        r#""registeredClients":[{"pubKey":"c"}],"lastSeen":T}"#
    );
    let expected = [
        r#"{"cocoNodes":[{"host":"127.0.0.1:4001","pubKey":"v","version":"0.5.0","#,
        r#""location":"unknown","type":"validator","lastSeen":T}],"#,
        r#""mixNodes":[{"host":"127.0.0.1:1789","pubKey":"m","version":"0.7.0","#,
        r#""location":"unknown","layer":1,"lastSeen":T},"#,
        r#"{"host":"h:1","pubKey":"n","version":"0.7.0","#,
        r#""location":"unknown","layer":3,"lastSeen":T}],"#,
        r#""mixProviderNodes":["#,
        provider,
        r#"],"gatewayNodes":["#,
        provider,
        "]}",
    ];
    assert_eq!(timeless, expected.concat());

    let leave = "/api/presence/leave";
    for (key, left) in [("p", 3), ("n", 2), ("nobody", 2), ("p", 2)] {
        let response = post(&directory, leave, format!(r#"{{"pubKey":"{key}"}}"#)).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(soon(response.text()).await.expect("a body"), r#"{"ok":true}"#);
        let topology = topology(&directory).await;
        let present = topology.coco_nodes.len()
            + topology.mix_nodes.len()
            + topology.mix_provider_nodes.len()
            + topology.gateway_nodes.len();
        assert_eq!(present, left, "after {key} left");
    }
    directory.stop().await;
}

#[tokio::test]
async fn bad_bodies_are_refused_on_every_writing_route() {
    let directory = Directory::start().await;
    for path in WRITING {
        let oversized = format!("{{\"pubKey\":\"{}\"}}", "x".repeat(limits::MAX_BODY_BYTES));
        let (status, error) = refused(post(&directory, path, oversized).await).await;
        assert_eq!(
            (status, error.as_str()),
            (413, "the body is longer than 1048576 bytes"),
            "{path}"
        );
        for (body, complaint) in [
            (&b"hello"[..], "the body is not JSON: expected value at line 1 column 1"),
            (b"", "EOF"),
            (b" \n", "EOF"),
            (b"{\"pubKey\":", "the body is not JSON: EOF while parsing a value"),
            (b"{\"pubKey\":\"\xff\"}", "the body is not JSON: invalid unicode"),
            (b"[1]", "json: cannot unmarshal array into Go value of type models."),
            (b"null", "Error:Field validation for 'PubKey' failed on the 'required' tag"),
            (
                b"{\"pubKey\":null}",
                "Error:Field validation for 'PubKey' failed on the 'required' tag",
            ),
            (b"{\"pubKey\":7}", "pubKey of type string"),
        ] {
            let (status, error) = refused(post(&directory, path, body).await).await;
            assert_eq!(status, 400, "{path}: {error}");
            assert!(error.contains(complaint), "{path}: {error}");
        }
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert_eq!(refused(post(&directory, path, deep).await).await.0, 400, "{path}");
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
            "/api/presence/mixnodes",
            r#"{"pubKey":"a\nb","version":"1","layer":1}"#,
            "`pubKey` contains a control character",
        ),
        (
            "/api/presence/gateways",
            r#"{"pubKey":"p","version":"1","registeredClients":[{"pubKey":"c"},{}]}"#,
            "Key: 'GatewayHostInfo.RegisteredClients[1].PubKey' Error:Field validation for \
             'PubKey' failed on the 'required' tag",
        ),
        (
            "/api/presence/mixproviders",
            r#"{"pubKey":"p","version":"1","registeredClients":["c"]}"#,
            "json: cannot unmarshal string into Go struct field \
             MixProviderHostInfo.registeredClients of type RegisteredClient",
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

#[tokio::test]
async fn foreign_web_pages_can_read_and_nothing_else() {
    let allowed_origins = vec!["https://lab.example".into()];
    let directory = Directory::start_with(Options { allowed_origins }).await;
    let client = Client::new();
    for path in WRITING.into_iter().chain(["/ws", "/ws/events"]) {
        let is_socket = path.starts_with("/ws");
        let request = |origin: &str| {
            let url = directory.url(path);
            let request = if is_socket { client.get(url) } else { client.post(url).body("{}") };
            request.header(ORIGIN, origin).send()
        };
        for origin in ["http://evil.example", "null"] {
            let response = soon(request(origin)).await.expect("an answer");
            assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
            let (status, error) = refused(response).await;
            assert_eq!(status, 403, "{path}");
            assert!(error.contains(origin), "{error}");
        }
        for origin in ["http://localhost:3000", "https://lab.example"] {
            // It gets as far as the body, or as the upgrade that is missing.
            let response = soon(request(origin)).await.expect("an answer");
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
        }
    }
    for path in ["/api/healthcheck", "/api/presence/topology", "/api/metrics/mixes"] {
        let request = client.get(directory.url(path)).header(ORIGIN, "http://evil.example");
        let response = soon(request.send()).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
    directory.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let directory = Directory::start().await;
    for path in ["/", "/metrics", "/swagger/index.html", "/api/presence/disallowed", "/ws/other"] {
        let response = get(&directory, path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(soon(response.text()).await.expect("a body"), "404 page not found");
    }
    for path in ["/api/presence/allow", "/api/presence/topology", "/ws"] {
        assert_eq!(post(&directory, path, "{}").await.status(), StatusCode::NOT_FOUND, "{path}");
    }
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
