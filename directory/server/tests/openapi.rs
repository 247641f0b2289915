//! The OpenAPI document and the schema of the event stream: as published, and true.

mod support;

use std::collections::BTreeMap;

use directory_api::{
    CocoNodePresence, Frame, ListName, MixMetric, MixNodePresence, MixProviderPresence,
    RegisteredClient, Topology, Update,
};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use support::{Directory, soon};

async fn get(directory: &Directory, path: &str) -> reqwest::Response {
    soon(Client::new().get(directory.url(path)).send()).await.expect("an answer")
}

async fn document(directory: &Directory) -> Value {
    let response = get(directory, "/swagger/doc.json").await;
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json; charset=utf-8");
    serde_json::from_slice(&soon(response.bytes()).await.expect("a body")).expect("JSON")
}

/// Whoever changes the API sees here what others will see. `INSTA_UPDATE=always` writes it anew.
#[tokio::test]
async fn the_document_is_as_published() {
    let directory = Directory::start().await;
    let mut document = document(&directory).await;
    assert_eq!(document["openapi"], "3.1.0");
    document["info"]["version"] = "VERSION".into();
    let text = serde_json::to_string_pretty(&document).expect("JSON");
    insta::assert_snapshot!("openapi", text);
    directory.stop().await;
}

/// A path of the document without its route, a route that answers otherwise than described, or an
/// example that is refused would show here.
#[tokio::test]
async fn every_path_of_the_document_is_there() {
    let directory = Directory::start().await;
    let document = document(&directory).await;
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.len() > 10, "{}", paths.len());
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            assert_eq!(example.is_object(), method == "post", "{path}");
            let method = method.to_uppercase().parse().expect("a method");
            let request = Client::new().request(method, directory.url(path));
            let status = soon(request.body(example.to_string()).send()).await;
            let status = status.expect("an answer").status();
            let responses = &operation["responses"];
            assert!(responses.get(status.as_str()).is_some(), "{path}: {status} of {responses}");
            assert!(status.is_success() || path.starts_with("/ws"), "{path}: {status}");
        }
    }
    directory.stop().await;
}

/// Nothing comes from elsewhere: the page works on a machine without a network.
#[tokio::test]
async fn swagger_ui_and_its_files_come_from_the_directory() {
    let directory = Directory::start().await;
    let response = get(&directory, "/swagger/index.html").await;
    assert_eq!(response.status(), StatusCode::OK);
    let policy = response.headers()["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    let page = soon(response.text()).await.expect("a page");
    let mut files = 0;
    for attribute in page.split(['"', '\'']).filter(|text| text.starts_with("./")) {
        let path = format!("/swagger/{}", attribute.trim_start_matches("./"));
        assert_eq!(get(&directory, &path).await.status(), StatusCode::OK, "{path}");
        files += 1;
    }
    assert!(files >= 4, "{page}");
    let initializer = get(&directory, "/swagger/swagger-initializer.js").await;
    let initializer = soon(initializer.text()).await.expect("a script");
    assert!(initializer.contains("\"/swagger/doc.json\""), "{initializer}");
    for nothing in ["/swagger/no-such-file", "/swagger/%ff"] {
        let response = get(&directory, nothing).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{nothing}");
        assert_eq!(soon(response.text()).await.expect("a body"), "404 page not found");
    }
    directory.stop().await;
}

#[tokio::test]
async fn every_frame_follows_the_published_schema_and_nonsense_does_not() {
    let directory = Directory::start().await;
    let schema = soon(get(&directory, "/ws/events/schema.json").await.bytes()).await;
    let schema: Value = serde_json::from_slice(&schema.expect("a body")).expect("JSON");
    directory.stop().await;
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");

    let provider = MixProviderPresence {
        client_listener: "ws://127.0.0.1:9000".into(),
        mixnet_listener: "127.0.0.1:4000".into(),
        pub_key: "p".into(),
        version: "0.1.0".into(),
        location: "provider-1".into(),
        registered_clients: vec![RegisteredClient { pub_key: "c".into() }],
        last_seen: 1,
    };
    let mixnode = MixNodePresence {
        host: "127.0.0.1:9980".into(),
        pub_key: "m".into(),
        version: "0.1.0".into(),
        location: "mix-1-1".into(),
        layer: 1,
        last_seen: 2,
    };
    let node = CocoNodePresence {
        host: String::new(),
        pub_key: "v".into(),
        version: "0.1.0".into(),
        location: "unknown".into(),
        kind: "validator".into(),
        last_seen: 3,
    };
    let sent = BTreeMap::from([("127.0.0.1:9981".into(), 5)]);
    let metric = MixMetric { pub_key: "m".into(), sent, received: 6, timestamp: 4 };
    let (key, list) = (|| "k".to_owned(), ListName::MixNode);
    let topology = Topology {
        coco_nodes: vec![node.clone()],
        mix_nodes: vec![mixnode.clone()],
        mix_provider_nodes: vec![provider.clone()],
        gateway_nodes: vec![provider.clone()],
    };
    for update in [
        Update::Snapshot { topology },
        Update::MixNode(mixnode),
        Update::MixProvider(provider.clone()),
        Update::Gateway(provider),
        Update::CocoNode { node },
        Update::Left { pub_key: key() },
        Update::Disallowed { pub_key: key() },
        Update::Gone { pub_key: key(), list, last_seen: 7 },
        Update::Seen { pub_key: key(), list },
        Update::Late { pub_key: key(), list, last_seen: 8 },
        Update::Metric(metric),
    ] {
        let frame = Frame { seq: 9, timestamp: 10, update };
        let mut json = serde_json::to_value(&frame).expect("JSON");
        if let Err(error) = validator.validate(&json) {
            panic!("{json}: {error}");
        }
        for (name, value) in [("type", "weather".into()), ("seq", Value::from(-1))] {
            let mut wrong = json.clone();
            wrong[name] = value;
            assert!(!validator.is_valid(&wrong), "{wrong}");
        }
        if json.get("list").is_some() {
            let mut wrong = json.clone();
            wrong["list"] = "weather".into();
            assert!(!validator.is_valid(&wrong), "{wrong}");
        }
        json.as_object_mut().expect("an object").remove("time");
        assert!(!validator.is_valid(&json), "{json}");
    }
}
