//! The text that Prometheus reads: as a whole, and whether it keeps the format's rules.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use contract::Time;
use directory_api::{
    CocoNodeReport, ListName, MixMetricReport, MixNodeReport, MixProviderReport, RegisteredClient,
};

use super::*;
use crate::{Now, Registry};

/// 2023-11-14 22:13:20.5 UTC by the wall clock.
const NOW: Now = Now { time: Time::from_nanos(0), unix: 1_700_000_000_500_000_000 };

/// A directory in which something of each kind has happened.
fn small_devnet(telemetry: &Telemetry) -> Registry {
    let mut registry = Registry::new(NOW.time);
    let mixnode = |name: &str, layer| MixNodeReport {
        host: "127.0.0.1:1789".into(),
        pub_key: format!("key of {name}"),
        version: "0.1.0".into(),
        location: name.into(),
        layer,
    };
    let provider = MixProviderReport {
        client_listener: "ws://127.0.0.1:9000".into(),
        mixnet_listener: "127.0.0.1:4000".into(),
        pub_key: "key of provider-1".into(),
        version: "0.1.0".into(),
        location: "provider-1".into(),
        registered_clients: vec![RegisteredClient { pub_key: "c".into() }; 2],
    };
    let validator = CocoNodeReport {
        host: "127.0.0.1:4001".into(),
        pub_key: "key of validator".into(),
        version: "0.1.0".into(),
        location: "unknown".into(),
        kind: "validator".into(),
    };
    let sent = BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 4)]);
    let report = |name: &str| MixMetricReport {
        pub_key: format!("key of {name}"),
        sent: sent.clone(),
        received: 9,
    };
    let updates = [
        registry.announce_mixnode(NOW, mixnode("mix-1-1", 1)),
        registry.announce_mixnode(NOW, mixnode("mix-2-1", 2)),
        registry.announce_mixnode(NOW, mixnode("mix-3-1", 3)),
        registry.announce_gateway(NOW, provider.clone()),
        registry.announce_mixprovider(NOW, provider),
        registry.announce_coconode(NOW, validator, Ipv4Addr::LOCALHOST.into()),
        registry.report_metrics(NOW, report("mix-1-1")),
        registry.report_metrics(NOW, report("mix-1-1")),
        registry.report_metrics(NOW, report("mix-2-1")),
        // Not in the topology: it has neither name nor layer.
        registry.report_metrics(NOW, report("somebody")),
    ];
    for update in updates.into_iter().flat_map(|updates| updates.expect("accepted")) {
        telemetry.happened(&update);
    }
    registry
}

fn rendered() -> String {
    let routes = ["/api/presence/mixnodes", "/ws"].map(str::to_owned);
    let telemetry = Telemetry::new(routes);
    let registry = small_devnet(&telemetry);
    let made_up = Method::from_bytes(b"BREW").expect("a method");
    for (method, path, status, micros) in [
        (&Method::POST, "/api/presence/mixnodes", StatusCode::CREATED, 8),
        (&Method::POST, "/api/presence/mixnodes", StatusCode::CREATED, 30),
        (&Method::POST, "/api/presence/mixnodes", StatusCode::BAD_REQUEST, 7),
        (&Method::GET, "/ws", StatusCode::SWITCHING_PROTOCOLS, 60),
        (&Method::GET, "/swagger/swagger-ui.css", StatusCode::OK, 400),
        (&Method::GET, "/wp-login.php", StatusCode::NOT_FOUND, 5),
        (&Method::GET, "/api/presence/mixnodes/", StatusCode::MOVED_PERMANENTLY, 5),
        (&made_up, "/\"\\", StatusCode::NOT_FOUND, 5_000_000),
    ] {
        telemetry.request(method, path, status, Duration::from_micros(micros));
    }
    telemetry.subscribed(Stream::Metrics);
    telemetry.subscribed(Stream::Events);
    telemetry.subscribed(Stream::Events);
    telemetry.unsubscribed(Stream::Events);
    telemetry.fell_behind(Stream::Metrics);
    telemetry.render(&registry.census(NOW))
}

/// A line that is a sample.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Sample {
    /// Reads a line by the rules of the format, none of which may be broken.
    fn read(line: &str) -> Option<Self> {
        let is_name = |name: &str| {
            let mut chars = name.chars();
            chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
                && chars.all(|rest| rest.is_ascii_alphanumeric() || rest == '_')
        };
        let end = line.find(['{', ' '])?;
        let (name, mut rest) = line.split_at(end);
        let mut labels = BTreeMap::new();
        if let Some(list) = rest.strip_prefix('{') {
            rest = list;
            while !rest.starts_with('}') {
                let (label, after) = rest.split_once("=\"")?;
                let mut value = String::new();
                let mut chars = after.char_indices();
                let end = loop {
                    match chars.next()? {
                        (end, '"') => break end,
                        (_, '\\') => value.push(match chars.next()?.1 {
                            'n' => '\n',
                            escaped @ ('"' | '\\') => escaped,
                            _ => return None,
                        }),
                        (_, '\n') => return None,
                        (_, char) => value.push(char),
                    }
                };
                if !is_name(label) || labels.insert(label.to_owned(), value).is_some() {
                    return None;
                }
                rest = &after[end + 1..];
                rest = rest.strip_prefix(',').unwrap_or(rest);
            }
            rest = &rest[1..];
        }
        let value = rest.strip_prefix(' ')?.parse().ok()?;
        is_name(name).then(|| Self { name: name.into(), labels, value })
    }
}

#[test]
fn it_reads_as_it_should() {
    let text = rendered();
    let steady = text.lines().map(|line| match line.split_once(' ') {
        // What a process uses is never the same.
        Some((name, _)) if name.starts_with("process_") => format!("{name} VALUE\n"),
        _ => format!("{}\n", line.replace(env!("CARGO_PKG_VERSION"), "VERSION")),
    });
    insta::assert_snapshot!(steady.collect::<String>());
}

/// The rules of the format, and those that Prometheus' `promtool check metrics` knows besides.
#[test]
fn every_line_keeps_the_rules() {
    let text = rendered();
    let mut kinds = BTreeMap::new();
    let mut helps = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut buckets: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|l| l.split_once(' ')) {
            assert!(help.ends_with('.') && helps.insert(name, help).is_none(), "{line}");
            continue;
        }
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' ')) {
            assert!(helps.contains_key(name) && kinds.insert(name, kind).is_none(), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            for unit in ["milli", "micro", "nano", "kilo", "mega", "minutes"] {
                assert!(!name.contains(unit), "{line}: not a base unit");
            }
            continue;
        }
        let sample = Sample::read(line).unwrap_or_else(|| panic!("{line}"));
        let Sample { name, mut labels, value } = sample;
        let family = ["_bucket", "_sum", "_count"].into_iter().find_map(|part| {
            let family = name.strip_suffix(part)?;
            (kinds.get(family) == Some(&"histogram")).then_some(family)
        });
        let family = family.unwrap_or(&name);
        let kind = *kinds.get(family).unwrap_or_else(|| panic!("{line}: no TYPE before it"));
        assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
        assert!(value.is_finite() && value >= 0.0, "{line}");
        assert!(seen.insert((name.clone(), labels.clone())), "{line}: the same twice");
        if let Some(bound) = labels.remove("le") {
            let bound = bound.parse().expect("a number");
            buckets.entry((name, labels)).or_default().push((bound, value));
        }
    }
    assert_eq!(helps.keys().collect::<Vec<_>>(), kinds.keys().collect::<Vec<_>>());
    assert_eq!(
        buckets.len(),
        4,
        "a histogram for each route, one for Swagger UI, one for the rest"
    );
    for ((name, labels), buckets) in buckets {
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{name} {labels:?}");
        assert!(buckets.last().is_some_and(|(bound, _)| bound.is_infinite()), "{name} {labels:?}");
    }
}

/// A location may contain whatever is no control character; the format's own escapes are tested
/// all the same.
#[test]
fn any_text_in_a_label_stays_one_label() {
    let texts =
        ["\"", "\\", "\n", "a\\\"b\n# TYPE x counter\nx 1", "}", "{a=\"b\"} 1", "ü\u{2028}", ""];
    let residents = texts.iter().enumerate().map(|(index, text)| Resident {
        list: ListName::MixNode,
        pub_key: format!("{index} {text}"),
        name: (*text).into(),
        last_seen: 1_500_000_000,
        kind: Kind::MixNode { layer: 1 },
    });
    let census = Census { residents: residents.collect(), totals: BTreeMap::new() };
    let text = Telemetry::default().render(&census);
    let samples = text.lines().filter(|line| line.starts_with("nym_node_last_seen"));
    let samples: Vec<_> = samples.map(|line| Sample::read(line).expect(line)).collect();
    assert_eq!(samples.len(), texts.len());
    for (index, (sample, text)) in samples.into_iter().zip(texts).enumerate() {
        assert_eq!(sample.labels["name"], text);
        assert_eq!(sample.labels["pub_key"], format!("{index} {text}"));
        assert!((sample.value - 1.5).abs() < 1e-9, "{sample:?}");
    }
}

/// Otherwise whoever scans for holes would fill the memory of the directory and of Prometheus.
#[test]
fn paths_and_methods_that_a_client_makes_up_are_one_series() {
    let telemetry = Telemetry::new(["/ws".to_owned()]);
    let samples = || telemetry.render(&Census::default()).lines().count();
    let request = |attempt: u32| {
        for path in [format!("/{attempt}"), format!("/swagger/{attempt}")] {
            let method = Method::from_bytes(format!("M{attempt}").as_bytes()).expect("a method");
            telemetry.request(&method, &path, StatusCode::NOT_FOUND, Duration::ZERO);
        }
    };
    request(0);
    let before = samples();
    for attempt in 1..1000 {
        request(attempt);
    }
    assert_eq!(samples(), before);
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
#[test]
fn the_process_uses_something() {
    let text = Telemetry::default().render(&Census::default());
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        Sample::read(line.expect(name)).expect(name).value
    };
    assert!(value("process_resident_memory_bytes") > 100_000.0);
    assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
    assert!(value("process_start_time_seconds") > 1_600_000_000.0);
    assert!(
        value("process_open_fds") >= 1.0 && value("process_open_fds") < value("process_max_fds")
    );
    assert!(value("process_cpu_seconds_total") < 3600.0);
}
