//! The control interface of a running devnet, as its own description and `docs/control.md` tell it.

mod common;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::{FAST, Lab, limit};
use control::{ControlClient, ControlError, Failure, FailureCode, SetRequest, StreamEvent};
use directory_api::Update;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/control.md");

fn over(socket: &Path) -> Client {
    Client::builder().unix_socket(socket).timeout(limit(60)).build().expect("a client")
}

async fn ask(http: &Client, method: Method, path: &str, body: Option<String>) -> Response {
    let request = http.request(method, format!("http://lab{path}"));
    let request = match body {
        Some(body) => request.body(body),
        None => request,
    };
    request.send().await.expect("an answer")
}

async fn document(http: &Client) -> Value {
    let answer = ask(http, Method::GET, "/v1/openapi.json", None).await;
    answer.json().await.expect("a document")
}

/// A route of the document with its example filled in.
struct Example {
    method: Method,
    path: String,
    body: Option<String>,
    responses: Value,
}

/// Every route of the document, in an order in which one does not take away what the next is about.
fn examples(document: &Value) -> Vec<Example> {
    let mut examples = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let (mut filled, mut query) = (path.clone(), String::new());
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().expect("a name");
                let Some(value) = parameter["example"].as_str() else { continue };
                if parameter["in"] == "path" {
                    filled = filled.replace(&format!("{{{name}}}"), value);
                } else {
                    query = format!("?{name}={value}");
                }
            }
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            examples.push(Example {
                method: method.to_uppercase().parse().expect("a method"),
                path: filled + &query,
                body: body.is_object().then(|| body.to_string()),
                responses: operation["responses"].clone(),
            });
        }
    }
    examples.sort_by_key(|example| (example.path == "/v1/down", example.method == Method::DELETE));
    examples
}

/// The kinds of events in a stream that has ended, all of them in the form that is documented.
fn kinds_of(
    document: &Value,
    path: &str,
    lines: Result<reqwest::Result<String>, tokio::task::JoinError>,
) -> BTreeSet<String> {
    let lines = lines.expect("no panic").expect("a stream that ended");
    let answer = &document["paths"][path]["get"]["responses"]["200"];
    let validator = validator(document, &answer["content"]["application/x-ndjson"]["schema"]);
    let mut kinds = BTreeSet::new();
    for line in lines.lines() {
        let event: Value = serde_json::from_str(line).expect(line);
        let wrong = validator.validate(&event).err().map(|error| error.to_string());
        assert_eq!(wrong, None, "{line}");
        kinds.insert(event["event"]["type"].as_str().expect("a kind").to_owned());
    }
    kinds
}

#[tokio::test]
async fn every_documented_route_answers_its_example_and_only_looking_is_free() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --crowd 0 --name t1")).expect(0);
    let observe = over(&lab.folder("t1").join("observe.sock"));
    let control = over(&lab.folder("t1").join("control.sock"));
    for socket in ["observe.sock", "control.sock"] {
        let file = lab.folder("t1").join(socket).metadata().expect("a socket");
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{socket}");
    }
    let document = document(&observe).await;
    let examples = examples(&document);
    assert!(examples.len() > 10, "{}", examples.len());
    for Example { method, path, body, .. } in &examples {
        let answer = ask(&observe, method.clone(), path, body.clone()).await;
        if method == Method::GET {
            assert_eq!(answer.status(), 200, "{method} {path}");
        } else {
            assert_eq!(answer.status(), 403, "{method} {path}");
            let failure: Failure = answer.json().await.expect("a failure");
            assert_eq!(failure.code, FailureCode::Forbidden, "{method} {path}");
        }
    }
    let supervisor = lab.pids("t1").0;
    let events = ask(&observe, Method::GET, "/v1/events", None).await;
    let events = tokio::spawn(events.text());
    let passages = ask(&observe, Method::GET, "/v1/passages?nodes=mix-1-1", None).await;
    let passages = tokio::spawn(passages.text());
    for Example { method, path, body, responses } in examples {
        let answer = ask(&control, method.clone(), &path, body).await;
        if path.starts_with("/v1/nodes") && method == Method::POST {
            // What comes next is about a network that is whole.
            lab.run("wait --name t1 --timeout 60s").expect(0);
        }
        let status = answer.status();
        let schema = &responses["200"]["content"]["application/json"]["schema"];
        if status != 200 || schema.is_null() {
            assert_eq!(status, 200, "{method} {path}: {:?}", answer.text().await);
            let is_stream = path == "/v1/events" || path.starts_with("/v1/passages?");
            assert!(is_stream, "{path} has no answer that is described");
            continue;
        }
        let said = answer.json().await.expect("JSON");
        let wrong = validator(&document, schema).validate(&said).err().map(|e| e.to_string());
        assert_eq!(wrong, None, "{method} {path}: {said}");
    }
    common::until_gone(&[supervisor], 5);

    // All that happened meanwhile, and what a node that works for somebody told.
    let kinds = kinds_of(&document, "/v1/events", events.await);
    let told = kinds_of(&document, "/v1/passages", passages.await);
    assert_eq!(told, BTreeSet::from(["passages".to_owned()]));
    let kinds_there_are = [
        "snapshot", "node", "removed", "metrics", "links", "message", "journey", "received", "down",
    ];
    for kind in kinds_there_are {
        assert!(kinds.contains(kind), "{kind} is not in {kinds:?}");
    }
}

#[tokio::test]
async fn the_history_tells_what_mixnodes_carried_before_anybody_looked() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 2 --crowd 0 --name t1")).expect(0);
    let socket = |name: &str| lab.folder("t1").join(name);
    let client = ControlClient::new(socket("observe.sock")).expect("a client");
    let mut events = client.events().await.expect("a stream");
    // What the directory has told others of is in its history.
    let both_reported = async {
        let mut reported = BTreeSet::new();
        while reported.len() < 2 {
            let event = events.next().await.expect("readable").expect("not over").event;
            let StreamEvent::Directory { node, update: Update::Metric(metric) } = event else {
                continue;
            };
            if metric.received > 0 {
                reported.insert(node.expect("a node of this devnet"));
            }
        }
    };
    tokio::time::timeout(limit(30), both_reported).await.expect("packets in time");
    let history = client.history(60, 1).await.expect("shown, where one may only look");
    let names: BTreeSet<&str> = history.nodes.iter().map(|node| &*node.node).collect();
    assert_eq!(names, BTreeSet::from(["mix-1-1", "mix-2-1"]));
    assert_eq!(history.step_s, 1);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let now = u64::try_from(now.as_millis()).expect("milliseconds");
    for node in &history.nodes {
        assert!(node.received.iter().flatten().sum::<u64>() > 0, "{node:?}");
        assert!((1..=61).contains(&node.received.len()), "{node:?}");
        assert_eq!(node.received.len(), node.sent.len());
        let end = history.since_unix_ms + 1000 * node.received.len() as u64;
        assert!(now.abs_diff(end) < 5000, "it ends now: {end} and {now}");
    }
    let no_steps = client.history(60, 0).await.expect_err("steps without a length");
    let ControlError::Refused(failure) = no_steps else { panic!("{no_steps}") };
    assert_eq!(failure.code, FailureCode::Usage);
    assert!(failure.message.contains("`step` of 0 s"), "as the directory says it: {failure}");
    // The whole hour of a devnet that has just begun is short.
    assert!(client.history(3600, 10).await.expect("shown").nodes[0].sent.len() < 60);

    lab.run("stop directory --name t1").expect(0);
    let stopped = client.history(60, 1).await.expect_err("nobody to ask");
    let ControlError::Refused(failure) = stopped else { panic!("{stopped}") };
    assert_eq!(failure.code, FailureCode::NotRunning, "{failure}");
    lab.run("down t1").expect(0);
}

/// Checks values against a schema of the document.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let schema = json!({"allOf": [schema], "components": document["components"]});
    jsonschema::draft202012::new(&schema).expect("a schema")
}

#[tokio::test]
async fn over_tcp_a_token_is_asked_for_and_one_of_them_only_shows() {
    let lab = Lab::new();
    let up = format!("{FAST} --layers 1 --crowd 0 --control-port");
    let told = lab.run(&format!("{up} 0 --name t1 -o json")).expect(0).json();
    let address = told["data"]["info"]["control_address"].as_str().expect("told").to_owned();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let url = format!("http://{address}");
    assert!(lab.run("status --name t1").expect(0).stdout.contains(&url));
    let token = |name: &str| {
        let path = lab.folder("t1").join(name);
        assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        std::fs::read_to_string(path).expect("a token").trim().to_owned()
    };
    let (all, look) = (token("control.token"), token("observe.token"));
    assert!(all != look && all.len() > 40, "32 random bytes each");

    let change = SetRequest { hop_delay_ms: Some(12.0), ..SetRequest::default() };
    let with = |token: &str| ControlClient::over_tcp(&url, token).expect("a client");
    assert_eq!(with(&look).status().await.expect("shown").devnet.name, "t1");
    let mut events = with(&look).events().await.expect("a stream");
    assert!(events.next().await.expect("readable").is_some());
    for (token, does) in [("nonsense", "look"), (&look, "change")] {
        let refused = match does {
            "look" => with(token).status().await.expect_err("refused"),
            _ => with(token).set(&change).await.expect_err("refused"),
        };
        let ControlError::Refused(failure) = refused else { panic!("{refused}") };
        assert_eq!((failure.code, failure.code.exit_code()), (FailureCode::Forbidden, 9));
    }
    let set = with(&all).set(&change).await.expect("done");
    assert!((set.hop_delay_ms - 12.0).abs() < f64::EPSILON);

    // A page of another site, and a name that was made to lead here.
    let http = Client::builder().timeout(limit(20)).build().expect("a client");
    for (name, value, status) in [
        ("user-agent", "a program", 200),
        ("origin", "http://evil.example", 403),
        ("host", "evil.example", 403),
    ] {
        let request = http.get(format!("{url}/v1/status")).bearer_auth(&all).header(name, value);
        assert_eq!(request.send().await.expect("an answer").status(), status, "{name}: {value}");
    }
    let nobody = http.get(format!("{url}/v1/status")).send().await.expect("an answer");
    assert_eq!(nobody.status(), 401);

    let port = address.rsplit(':').next().expect("a port");
    let refused = lab.run(&format!("{up} {port} --name t2 -o json")).expect(4).json();
    assert_eq!(refused["error"]["code"], "PORT_TAKEN");
    assert!(!lab.folder("t2").join("control.sock").exists());
    lab.run("down t1").expect(0);
    assert!(lab.folder("t1").exists() && !lab.folder("t1").join("control.token").exists());
}

/// Commands in the page's blocks that ask the socket: method, path and body of each.
fn curls() -> Vec<(Method, String, Option<String>)> {
    let lines = PAGE.lines().filter(|line| {
        line.starts_with("curl ")
            && line.contains("--unix-socket $SOCKET")
            && !line.contains("events")
    });
    lines
        .map(|line| {
            let (_, rest) = line.split_once("http://lab").expect("an address");
            let (path, rest) = rest.split_once([' ', '\'']).unwrap_or((rest, ""));
            let body = rest.split_once("-d '").map(|(_, body)| body.trim_end_matches('\'').into());
            let method = match (line.contains("-X DELETE"), &body) {
                (true, _) => Method::DELETE,
                (_, Some(_)) => Method::POST,
                (_, None) => Method::GET,
            };
            (method, path.to_owned(), body)
        })
        .collect()
}

/// First cells of the table whose head begins with this cell.
fn table(first: &str) -> BTreeSet<String> {
    let (_, table) = PAGE.split_once(&format!("\n| {first} |")).expect("such a table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| Some(row.split('`').nth(1)?.to_owned())).collect()
}

#[tokio::test]
async fn the_page_on_the_interface_tells_what_is_there() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --crowd 0 --name lab")).expect(0);
    let http = over(&lab.folder("lab").join("control.sock"));
    let document = document(&http).await;
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let methods = item.as_object().expect("methods").keys();
        routes.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    assert_eq!(table("route"), routes);
    let kinds = document["components"]["schemas"]["StreamEvent"]["oneOf"].as_array();
    let kinds = kinds.expect("kinds of events").iter().map(|kind| {
        let parts = kind["allOf"].as_array().into_iter().flatten().chain([kind]);
        let mut tags = parts.filter_map(|part| part["properties"]["type"]["enum"][0].as_str());
        tags.next().unwrap_or_else(|| panic!("no tag in {kind}")).to_owned()
    });
    let mut written = table("event");
    // What a reader calls those that it does not know; none is ever written.
    written.insert("unknown".into());
    assert_eq!(written, kinds.collect());

    let curls = curls();
    assert!(curls.len() > 10, "{curls:?}");
    for (method, path, body) in curls {
        let answer = ask(&http, method.clone(), &path, body.clone()).await;
        let status = answer.status();
        let said = answer.text().await.expect("a body");
        assert_eq!(status, 200, "{method} {path} {body:?}: {said}");
        if path == "/v1/inbox?client=bob" {
            let inbox: Value = serde_json::from_str(&said).expect("JSON");
            assert_eq!(inbox["messages"][0]["content"], json!({"text": "hello"}));
        }
    }
}
