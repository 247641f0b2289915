//! The directory against the recordings of the originals: every exchange is answered to the letter
//! as it was then, unless the table in `docs/directory.md` says otherwise.

mod recorded;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use contract::Time;
use directory_api::{MixMetric, MixMetricReport, Topology};
use directory_server::{Now, Options, Refusal, Registry};
use futures_util::StreamExt as _;
use recorded::differences::DIFFERENCES;
use recorded::shown::{NOT_SHOWN, SHOWN};
use recorded::{Answer, Exchange, RECORDINGS, Recording, timeless};
use reqwest::Client;
use serde::{Serialize, de::DeserializeOwned};
use support::{Directory, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;

/// Asks the registry, on virtual time, what a recording has an answer to.
type Check = fn(&Recording, &Answer);

/// Exchanges that show what had become of the ones before, seconds later: the only ones that are not
/// made over a connection. Each has a check of its own.
const LATER: [(&str, Check); 4] = [
    ("metrics list after the 3 s tick", metrics_are_listed),
    ("topology at end", topology_is_kept),
    ("topology without disallowed", topology_is_forgotten),
    ("metrics list", metrics_are_forgotten),
];

/// The page with the tables of what is different.
const TABLES: &str = include_str!("../../../docs/directory.md");

/// Requests that the recordings leave out, although a later answer tells of them: path and body.
/// They were made before the first look at the topology.
fn left_out(release: &str) -> [(&'static str, &'static str); 3] {
    let provider = r#"{"clientListener":"127.0.0.1:9000","mixnetListener":"127.0.0.1:4000",
        "pubKey":"prov-a","version":"0.5.0","location":"here",
        "registeredClients":[{"pubKey":"c1"}]}"#;
    let coconodes = "/api/presence/coconodes";
    [
        (
            coconodes,
            r#"{"host":"127.0.0.1:4000","pubKey":"coco-a","version":"0.5.0","location":"here",
                "type":"validator"}"#,
        ),
        (
            coconodes,
            r#"{"host":"no-port","pubKey":"coco-c","version":"0.5.0","location":"here",
                "type":"validator"}"#,
        ),
        match release {
            "v0.5.0" => ("/api/presence/mixproviders", provider),
            _ => ("/api/presence/gateways", provider),
        },
    ]
}

/// Sends the very bytes, and reads the answer.
async fn ask(directory: &Directory, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(directory.address).await.expect("a connection");
    let (mut from, mut to) = stream.split();
    let sending = async {
        // A body that is too long is refused before all of it was taken.
        let _ = to.write_all(request).await;
    };
    let is_head = request.starts_with(b"HEAD ");
    let receiving = async {
        let mut bytes = Vec::new();
        loop {
            let has_ended = from.read_buf(&mut bytes).await.expect("an answer") == 0;
            if let Some(answer) = Answer::received(&bytes, is_head, has_ended) {
                return answer;
            }
            assert!(!has_ended, "half an answer: {}", String::from_utf8_lossy(&bytes));
        }
    };
    let mut sending = std::pin::pin!(sending);
    let mut receiving = std::pin::pin!(receiving);
    soon(async {
        tokio::select! {
            answer = &mut receiving => answer,
            () = &mut sending => receiving.await,
        }
    })
    .await
}

/// The answer as the original would have given it, had it sorted its lists by key.
fn sorted(mut answer: Answer) -> Answer {
    if answer.body.starts_with("{\"cocoNodes\":") {
        let mut topology = topology(&answer.body);
        sort(&mut topology);
        let is_complete = answer.body.contains("gatewayNodes");
        let text = json(&topology);
        answer.body = if is_complete { text } else { text.replace(",\"gatewayNodes\":[]", "") };
    }
    answer
}

/// A recorded topology, of which our types make the same text again. That of v0.5.0 has one list
/// less.
fn topology(text: &str) -> Topology {
    let complete = match text.strip_suffix('}') {
        Some(lists) if !lists.contains("gatewayNodes") => format!("{lists},\"gatewayNodes\":[]}}"),
        _ => text.to_owned(),
    };
    let topology = serde_json::from_str(&complete).expect("a topology");
    assert_eq!(escaped(&json(&topology)), complete);
    topology
}

fn sort(topology: &mut Topology) {
    topology.coco_nodes.sort_by(|a, b| a.pub_key.cmp(&b.pub_key));
    topology.mix_nodes.sort_by(|a, b| a.pub_key.cmp(&b.pub_key));
    topology.mix_provider_nodes.sort_by(|a, b| a.pub_key.cmp(&b.pub_key));
    topology.gateway_nodes.sort_by(|a, b| a.pub_key.cmp(&b.pub_key));
}

/// A recorded list of metrics, of which our types make the same text again.
fn metrics(text: &str) -> Vec<MixMetric> {
    let metrics: Vec<MixMetric> = serde_json::from_str(text).expect("metrics");
    assert_eq!(json(&metrics), text);
    metrics
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("JSON")
}

/// As the original writes it: safe inside a page.
fn escaped(json: &str) -> String {
    json.replace('<', r"\u003c").replace('>', r"\u003e").replace('&', r"\u0026")
}

/// What a node posted, out of its record, which has the same fields and one more.
fn report_of<R: DeserializeOwned>(record: &impl Serialize) -> R {
    let record = serde_json::to_value(record).expect("JSON");
    serde_json::from_value(record).expect("a report")
}

/// A moment of virtual time that the wall clock calls `unix`.
fn at(millis: u64, unix: i64) -> Now {
    Now { time: Time::from_nanos(0) + Duration::from_millis(millis), unix }
}

#[tokio::test]
async fn requests_are_answered_as_recorded_or_as_the_table_says() {
    for recording in RECORDINGS {
        let release = recording.release;
        let min_mixnode_version = (release == "v0.7.0").then(|| semver::Version::new(0, 6, 0));
        let options = Options { min_mixnode_version, ..Options::default() };
        let directory = Directory::start_with(options).await;
        let (mut differing, mut faults) = (BTreeSet::new(), Vec::new());
        for Exchange { title, request, answer, has_body } in recording.exchanges() {
            if LATER.iter().any(|(later, _)| *later == title) {
                continue;
            }
            if title == "topology after posts" {
                for (path, body) in left_out(release) {
                    let request = Client::new().post(directory.url(path)).body(body).send();
                    assert_eq!(soon(request).await.expect("an answer").status(), 201);
                }
            }
            let theirs = sorted(answer).text();
            let mut ours = ask(&directory, &request).await;
            if !has_body {
                assert!(!ours.body.is_empty(), "{release}: {title}");
                ours.body.clear();
            }
            let ours = ours.text();
            let difference = DIFFERENCES.iter().find(|difference| {
                difference.title == title && difference.releases.contains(&release)
            });
            let expected = difference.map_or(theirs.as_str(), |difference| difference.ours);
            if ours != expected {
                faults.push(format!("`{title}` is answered\n{ours}\nand not\n{expected}\n"));
            } else if difference.is_some() && ours == theirs {
                faults.push(format!("`{title}` is answered as by the original\n"));
            }
            differing.extend(difference.map(|difference| difference.title));
        }
        assert!(faults.is_empty(), "{release}:\n\n{}", faults.join("\n"));
        for difference in DIFFERENCES.iter().filter(|it| it.releases.contains(&release)) {
            let title = difference.title;
            assert!(differing.contains(title), "{release} has no `{title}` to differ from");
        }
        directory.stop().await;
    }
}

/// Cases of all tables in `docs/directory.md` that compare the releases.
fn cases() -> Vec<&'static str> {
    let tables = TABLES.split("\n| case |").skip(1);
    let rows = tables.flat_map(|it| it.lines().skip(2).take_while(|line| line.starts_with('|')));
    rows.map(|row| row.split('|').nth(1).expect("a first cell").trim()).collect()
}

#[test]
fn every_difference_is_in_the_table_and_every_row_is_shown() {
    let cases = cases();
    let mut missing: BTreeSet<_> = cases.iter().copied().collect();
    assert_eq!(missing.len(), cases.len(), "a case stands there twice");
    for difference in DIFFERENCES {
        for case in difference.cases {
            assert!(cases.contains(case), "`{}` differs by no row `{case}`", difference.title);
            missing.remove(case);
        }
    }
    for (case, file, test) in SHOWN {
        assert!(missing.remove(case), "no row `{case}` is left to be shown by {test}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let source = fs::read_to_string(&path).expect(file);
        assert!(source.contains(&format!("fn {test}(")), "{file} has no test {test}");
    }
    for (case, reason) in NOT_SHOWN {
        assert!(missing.remove(case), "no row `{case}` is left: {reason}");
    }
    assert_eq!(missing, BTreeSet::new(), "no test shows these rows");
}

#[test]
fn what_is_there_later_is_as_recorded() {
    let mut seen = 0;
    for recording in RECORDINGS {
        for Exchange { title, answer, .. } in recording.exchanges() {
            if let Some((_, check)) = LATER.iter().find(|(later, _)| *later == title) {
                check(&recording, &answer);
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 6, "two in v0.5.0, four in v0.7.0");
}

/// A report is shown in the window after its own.
fn metrics_are_listed(_: &Recording, answer: &Answer) {
    let mut registry = Registry::new(at(0, 0).time);
    for metric in metrics(&answer.body) {
        let report = report_of(&metric);
        registry.report_metrics(at(1000, metric.timestamp), report).expect("accepted");
        assert!(registry.metrics(at(2999, 0).time).is_empty(), "the window is not whole yet");
    }
    assert_eq!(json(registry.metrics(at(3000, 0).time)), answer.body);
}

/// And in no other.
fn metrics_are_forgotten(recording: &Recording, answer: &Answer) {
    let mut registry = Registry::new(at(0, 0).time);
    for metric in metrics(&recording.answer("metrics list after the 3 s tick").body) {
        let report = report_of(&metric);
        registry.report_metrics(at(1000, metric.timestamp), report).expect("accepted");
    }
    assert_eq!(json(registry.metrics(at(6000, 0).time)), answer.body);
}

/// Whoever was heard less than ten seconds ago is in the topology.
fn topology_is_kept(_: &Recording, answer: &Answer) {
    let (registry, kept) = announce_all(topology(&answer.body));
    assert_eq!(registry.topology(at(9999, 0).time), kept);
}

/// Nobody else is, and whom the directory disallowed least of all.
fn topology_is_forgotten(recording: &Recording, answer: &Answer) {
    let before = topology(&recording.answer("topology at end").body);
    let (mut registry, before) = announce_all(before);
    for key in ["pubkey-a", "nobody"] {
        assert!(before.mix_nodes.iter().any(|node| node.pub_key == key) || key == "nobody");
        registry.disallow(at(10_000, 0), key).expect("accepted");
    }
    assert_eq!(json(&registry.topology(at(10_000, 0).time)), answer.body);
}

/// A registry that heard everybody in a recorded topology at its beginning, and the topology that it
/// should have: sorted, and without whose texts could be markup.
fn announce_all(mut recorded: Topology) -> (Registry, Topology) {
    let mut registry = Registry::new(at(0, 0).time);
    sort(&mut recorded);
    for node in &recorded.coco_nodes {
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        registry.announce_coconode(at(0, node.last_seen), report_of(node), peer).expect("accepted");
    }
    recorded.mix_nodes.retain(|node| {
        let announced = registry.announce_mixnode(at(0, node.last_seen), report_of(node));
        let is_markup = node.location.contains('<');
        if is_markup {
            assert_eq!(announced, Err(Refusal::Markup { field: "location" }));
        } else {
            announced.expect("accepted");
        }
        !is_markup
    });
    for node in &recorded.mix_provider_nodes {
        registry.announce_mixprovider(at(0, node.last_seen), report_of(node)).expect("accepted");
    }
    for node in &recorded.gateway_nodes {
        registry.announce_gateway(at(0, node.last_seen), report_of(node)).expect("accepted");
    }
    (registry, recorded)
}

/// What was recorded while a network ran: read, kept and written in the same words.
#[test]
fn a_running_networks_topology_is_kept_as_recorded() {
    for recording in RECORDINGS {
        let recorded = topology(recording.topology);
        assert_eq!(recorded.mix_nodes.len(), 3);
        let (registry, kept) = announce_all(recorded);
        assert_eq!(kept.mix_nodes.len(), 3);
        assert_eq!(registry.topology(at(0, 0).time), kept);
    }
}

/// The same reports, but in the order in which they came: the originals' list was overwritten while
/// it was shown.
#[test]
fn a_running_networks_metrics_are_shown_in_the_order_of_time() {
    for recording in RECORDINGS {
        let mut recorded = metrics(recording.metrics);
        assert!(!recorded.is_sorted_by_key(|metric| metric.timestamp));
        recorded.sort_by_key(|metric| metric.timestamp);
        let mut registry = Registry::new(at(0, 0).time);
        let first = recorded[0].timestamp;
        for metric in &recorded {
            let millis = u64::try_from((metric.timestamp - first) / 1_000_000).expect("sorted");
            let report: MixMetricReport = report_of(metric);
            registry.report_metrics(at(millis, metric.timestamp), report).expect("accepted");
        }
        assert_eq!(registry.metrics(at(3000, 0).time), recorded);
    }
}

/// What the originals sent is sent again, byte for byte, when the same is posted.
#[tokio::test]
async fn ws_carries_the_recorded_messages() {
    let directory = Directory::start().await;
    let stream = TcpStream::connect(directory.address).await.expect("a connection");
    let url = format!("ws://{}/ws", directory.address);
    let (mut socket, _) = soon(client_async(url, stream)).await.expect("a websocket");
    let post = async |path: &str, body: String| {
        let request = Client::new().post(directory.url(path)).body(body).send();
        assert_eq!(soon(request).await.expect("an answer").status(), 201);
    };
    // Presence makes no message.
    let mixnode = r#"{"pubKey":"m","host":"h:1","version":"0.7.0","layer":1}"#;
    post("/api/presence/mixnodes", mixnode.into()).await;
    let recorded: Vec<_> = RECORDINGS.iter().flat_map(|it| it.ws.lines()).collect();
    assert_eq!(recorded.len(), 19);
    for line in recorded {
        let metric = metrics(&format!("[{line}]")).remove(0);
        let body = json(&report_of::<MixMetricReport>(&metric));
        post("/api/metrics/mixes", body).await;
        let frame = soon(socket.next()).await.expect("an open socket").expect("a message");
        let text = frame.into_text().expect("text");
        let now = metrics(&format!("[{text}]")).remove(0).timestamp;
        assert!(now > metric.timestamp, "in nanoseconds, and later than the recording");
        assert_eq!(timeless(&text), timeless(line));
    }
    directory.stop().await;
}
