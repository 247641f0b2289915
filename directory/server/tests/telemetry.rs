//! `/metrics` and `/api/metrics/history` over real HTTP, after requests and websockets of which each
//! has to be counted where it belongs.

mod support;

use directory_api::{MetricsHistory, Refused};
use futures_util::StreamExt as _;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, StatusCode};
use support::{Directory, soon};
use tokio_tungstenite::tungstenite::Message;

const MIXNODE: &str = r#"{"host":"127.0.0.1:1789","pubKey":"m","version":"0.7.0","location":"mix-1-1",
    "layer":1}"#;
const REPORT: &str =
    r#"{"pubKey":"m","sent":{"127.0.0.1:1790":2,"127.0.0.1:1791":3},"received":7}"#;

async fn post(directory: &Directory, path: &str, body: &'static str) -> StatusCode {
    let answer = soon(Client::new().post(directory.url(path)).body(body).send()).await;
    answer.expect("an answer").status()
}

async fn get(directory: &Directory, path: &str) -> (StatusCode, HeaderMap, String) {
    let answer = soon(Client::new().get(directory.url(path)).send()).await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = soon(answer.bytes()).await.expect("a body");
    (status, headers, String::from_utf8(body.into()).expect("UTF-8"))
}

async fn metrics(directory: &Directory) -> String {
    let (status, headers, text) = get(directory, "/metrics").await;
    assert_eq!(
        (status, &headers[CONTENT_TYPE]),
        (StatusCode::OK, &"text/plain; version=0.0.4; charset=utf-8".parse().expect("a header"),)
    );
    text
}

/// Asserts that these lines are in the text.
fn assert_lines(text: &str, expected: &[&str]) {
    for expected in expected {
        assert!(text.lines().any(|line| line == *expected), "no line `{expected}` in\n{text}");
    }
}

#[tokio::test]
async fn what_happens_is_counted_where_it_belongs() {
    let directory = Directory::start().await;
    assert_eq!(post(&directory, "/api/presence/mixnodes", MIXNODE).await, StatusCode::CREATED);
    assert_eq!(post(&directory, "/api/presence/mixnodes", "{").await, StatusCode::BAD_REQUEST);
    for _ in 0..3 {
        assert_eq!(post(&directory, "/api/metrics/mixes", REPORT).await, StatusCode::CREATED);
    }
    assert_eq!(get(&directory, "/swagger/swagger-ui.css").await.0, StatusCode::OK);
    assert_eq!(get(&directory, "/api/no-such-thing?x=1").await.0, StatusCode::NOT_FOUND);
    let url = format!("ws://{}/ws/events", directory.address);
    let (mut socket, _) = soon(tokio_tungstenite::connect_async(url)).await.expect("a websocket");
    let text = metrics(&directory).await;
    assert_lines(
        &text,
        &[
            r#"nym_directory_http_requests_total{method="POST",route="/api/presence/mixnodes",status="201"} 1"#,
            r#"nym_directory_http_requests_total{method="POST",route="/api/presence/mixnodes",status="400"} 1"#,
            r#"nym_directory_http_requests_total{method="POST",route="/api/metrics/mixes",status="201"} 3"#,
            r#"nym_directory_http_requests_total{method="GET",route="/swagger/",status="200"} 1"#,
            r#"nym_directory_http_requests_total{method="GET",route="other",status="404"} 1"#,
            r#"nym_directory_http_requests_total{method="GET",route="/ws/events",status="101"} 1"#,
            r#"nym_directory_http_request_duration_seconds_count{route="/api/metrics/mixes"} 3"#,
            r#"nym_directory_http_request_duration_seconds_count{route="/api/presence/leave"} 0"#,
            r#"nym_directory_websocket_subscribers{stream="/ws"} 0"#,
            r#"nym_directory_websocket_subscribers{stream="/ws/events"} 1"#,
            r#"nym_directory_presences_total{list="mixnode"} 1"#,
            r#"nym_directory_nodes{list="mixnode"} 1"#,
            "nym_directory_metric_reports_total 3",
            r#"nym_mixnode_packets_received_total{pub_key="m",name="mix-1-1",layer="1"} 21"#,
            r#"nym_mixnode_packets_sent_total{pub_key="m",name="mix-1-1",layer="1"} 15"#,
        ],
    );
    // This request itself is counted when it has been answered.
    assert!(!text.contains(r#"route="/metrics",status"#), "{text}");
    assert_lines(
        &metrics(&directory).await,
        &[r#"nym_directory_http_requests_total{method="GET",route="/metrics",status="200"} 1"#],
    );

    // A place is free again as soon as the connection has ended.
    soon(socket.close(None)).await.expect("open until now");
    while let Some(Ok(message)) = soon(socket.next()).await {
        assert!(matches!(message, Message::Text(_) | Message::Close(_)), "{message:?}");
    }
    let gone = r#"nym_directory_websocket_subscribers{stream="/ws/events"} 0"#;
    soon(async { while !metrics(&directory).await.contains(gone) {} }).await;
    directory.stop().await;
}

#[tokio::test]
async fn the_history_is_what_was_posted() {
    let directory = Directory::start().await;
    for _ in 0..3 {
        assert_eq!(post(&directory, "/api/metrics/mixes", REPORT).await, StatusCode::CREATED);
    }
    let (status, headers, text) = get(&directory, "/api/metrics/history?since=0&step=60").await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(headers[CONTENT_TYPE], "application/json; charset=utf-8");
    let history: MetricsHistory = serde_json::from_str(&text).expect("a history");
    assert_eq!(history.step, 60);
    let [node] = history.nodes.as_slice() else { panic!("{text}") };
    let sum = |curve: &[Option<u64>]| curve.iter().flatten().sum::<u64>();
    assert_eq!((node.pub_key.as_str(), sum(&node.received), sum(&node.sent)), ("m", 21, 15));

    for (query, reason) in [
        ("step=0", "a `step` of 0 s is not possible: take one of 1 to 3600 s"),
        ("since=9223372036854775807", "in the future"),
        ("since=9223372036854775808", "since"),
        ("since=yesterday", "since"),
        ("step=-1", "step"),
        ("step=1&step=2", "step"),
    ] {
        let (status, _, text) = get(&directory, &format!("/api/metrics/history?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {text}");
        let refused: Refused = serde_json::from_str(&text).expect("a refusal");
        assert!(refused.error.contains(reason), "{query}: {}", refused.error);
    }
    directory.stop().await;
}
