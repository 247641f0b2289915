//! The decoders of bodies: by example, against a slow reading of the same bytes, and with bytes of
//! any kind.

mod oracle;

use directory_api::{
    CocoNodeReport, MAX_REGISTERED_CLIENTS, MixMetricReport, MixNodeReport, MixProviderReport,
    RegisteredClient,
};
use directory_server::limits::MAX_NEXT_HOPS;
use oracle::{Json, KINDS, Kind, Type};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Number, Value, json};

fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).expect("a kind of body")
}

/// Each line: the kind of a body, the body, and what comes of it.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn bodies_are_read_as_by_the_original() {
    let mixnode = |location: &str, layer: u64| {
        Ok(json!({"host": "h:1", "pubKey": "k", "version": "1", "location": location,
            "layer": layer}))
    };
    let gateway = |clients: Value| {
        Ok(json!({"clientListener": "", "mixnetListener": "", "pubKey": "k", "version": "1",
            "location": "unknown", "registeredClients": clients}))
    };
    let key = |key: &str| Ok(json!({ "pubKey": key }));
    let metric = |sent: Value| Ok(json!({"pubKey": "k", "sent": sent, "received": 0}));
    let missing = |model: &str, paths: &[&str]| {
        let lines = paths.iter().map(|path| {
            let name = path.rsplit('.').next().expect("a word");
            format!(
                "Key: '{model}.{path}' Error:Field validation for '{name}' failed on the \
                 'required' tag"
            )
        });
        Err(lines.collect::<Vec<_>>().join("\n"))
    };
    let no_mixnode = missing("MixHostInfo", &["HostInfo.PubKey", "HostInfo.Version", "Layer"]);
    let error = |text: &str| Err(text.to_owned());
    let not_json = |text: &str| Err(format!("the body cannot be read as JSON: {text}"));
    let cases: &[(&str, &str, Result<Value, String>)] = &[
        // As recorded, but for the words about what is no JSON.
        ("mixnode", "hello", not_json("expected value at line 1 column 1")),
        (
            "mixnode",
            "[]",
            error("json: cannot unmarshal array into Go value of type models.MixHostInfo"),
        ),
        ("mixnode", "{}", no_mixnode.clone()),
        (
            "mixnode",
            r#"{"host":"h:1","pubKey":"k","version":"1","layer":"1"}"#,
            error(
                "json: cannot unmarshal string into Go struct field MixHostInfo.layer of type uint",
            ),
        ),
        (
            "mixnode",
            r#"{"host":"h:1","pubKey":"k","version":"1","layer":0}"#,
            missing("MixHostInfo", &["Layer"]),
        ),
        (
            "mixnode",
            r#"{"host":"h:1","pubKey":"","version":"1","layer":1}"#,
            missing("MixHostInfo", &["HostInfo.PubKey"]),
        ),
        (
            "mixnode",
            r#"{"host":"h:1","pubKey":"k","version":"1","layer":9,"foo":1,"lastSeen":5}"#,
            mixnode("unknown", 9),
        ),
        (
            "mixnode",
            r#"{"host":"h:1","pubKey":"k","version":"1","location":"","layer":1} xyz"#,
            mixnode("unknown", 1),
        ),
        ("gateway", "{}", missing("GatewayHostInfo", &["PubKey", "Version", "RegisteredClients"])),
        ("gateway", r#"{"pubKey":"k","version":"1","registeredClients":[]}"#, gateway(json!([]))),
        (
            "gateway",
            r#"{"pubKey":"k","version":"1","registeredClients":[{},null,{"pubKey":""}]}"#,
            gateway(json!([{"pubKey": ""}, {"pubKey": ""}, {"pubKey": ""}])),
        ),
        ("metric", r#"{"pubKey":"k","sent":{},"received":0}"#, metric(json!({}))),
        ("metric", r#"{"pubKey":"k"}"#, missing("MixMetric", &["Sent", "Received"])),
        (
            "metric",
            r#"{"pubKey":"k","sent":{"a":6},"received":"3"}"#,
            error(
                "json: cannot unmarshal string into Go struct field MixMetric.received of type \
                 uint",
            ),
        ),
        ("allowance", r#"{"pubKey":"k"}"#, key("k")),
        // What the original's libraries make of the rest.
        (
            "metric",
            r#"{"pubKey":"k","sent":null,"received":null}"#,
            missing("MixMetric", &["Sent", "Received"]),
        ),
        (
            "metric",
            r#"{"pubKey":"k","sent":{},"received":-1}"#,
            error(
                "json: cannot unmarshal number -1 into Go struct field MixMetric.received of type \
                 uint",
            ),
        ),
        ("mixnode", "", error("EOF")),
        ("mixnode", " \r\n\t", error("EOF")),
        ("mixnode", "null", no_mixnode),
        (
            "mixnode",
            r#"{"HOST":"h:1","pubkey":"k","Version":"1","lAYER":1}"#,
            mixnode("unknown", 1),
        ),
        (
            "mixnode",
            r#"{"host":"h:1","pubKey":"k","version":"1","LAYER":1,"layer":2,"Layer":null}"#,
            mixnode("unknown", 2),
        ),
        (
            "mixnode",
            r#"{"host":"h:1","pub\u004bey":"\u006b","version":"1","location":"\ud83d\ude00\"",
                "layer":1}"#,
            mixnode("\u{1f600}\"", 1),
        ),
        (
            "mixnode",
            r#"{"layer":1.0,"host":{"a":[1]},"pubKey":[2]}"#,
            error(
                "json: cannot unmarshal number 1.0 into Go struct field MixHostInfo.layer of type \
                 uint",
            ),
        ),
        (
            "mixnode",
            r#"{"layer":-1,"host":"#,
            not_json("EOF while parsing a value at line 1 column 19"),
        ),
        (
            "mixprovider",
            r#"{"registeredClients":[{"pubKey":"c"},"c"],"pubKey":true}"#,
            error(
                "json: cannot unmarshal string into Go struct field \
                 MixProviderHostInfo.registeredClients of type models.RegisteredClient",
            ),
        ),
        (
            "mixprovider",
            r#"{"registeredClients":[{"pubKey":7}]}"#,
            error(
                "json: cannot unmarshal number into Go struct field RegisteredClient.pubKey of \
                 type string",
            ),
        ),
        (
            "metric",
            r#"{"pubKey":"k","sent":{"a":1,"b":null,"a":2},"received":0}"#,
            metric(json!({"a": 2, "b": 0})),
        ),
        (
            "metric",
            r#"{"pubKey":"k","sent":{"a":1},"received":0,"sent":{"b":18446744073709551615}}"#,
            metric(json!({"b": u64::MAX})),
        ),
        (
            "metric",
            r#"{"pubKey":"k","sent":{"a":false},"received":0}"#,
            error("json: cannot unmarshal bool into Go struct field MixMetric.sent of type uint"),
        ),
        ("departure", r#"{"pubKey":null}"#, missing("Departure", &["PubKey"])),
        ("allowance", "{}", key("")),
        ("allowance", "null", key("")),
        ("allowance", "x", not_json("expected value at line 1 column 1")),
        // Where the original replaced what is no Unicode by a question mark.
        (
            "departure",
            r#"{"pubKey":"\ud800"}"#,
            not_json("unexpected end of hex escape at line 1 column 18"),
        ),
        (
            "departure",
            r#"{"pubKey":"k","foo":["\udc00"]}"#,
            not_json("lone leading surrogate in hex escape at line 1 column 28"),
        ),
    ];
    for (name, body, outcome) in cases {
        assert_eq!(kind(name).read(body.as_bytes()), *outcome, "{name} from {body}");
        kind(name).check(body.as_bytes());
    }
    for body in [&b"{\"pubKey\":\"\xff\"}"[..], b"{\"\xff\":1}", b"{\"foo\":{\"a\":\"\xc3\"}}"] {
        let complaint = kind("departure").read(body).expect_err("no Unicode");
        assert!(complaint.contains("invalid unicode code point at line 1"), "{complaint}");
    }
}

/// What nobody asked for may be nested, but not without end.
#[test]
fn depth_is_bounded_everywhere() {
    for kind in &KINDS {
        let places = kind.fields.iter().map(|(name, ..)| *name).chain(["unknown"]);
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for place in places.clone() {
                let nested = |depth| {
                    let (open, close) = (open.repeat(depth), close.repeat(depth));
                    format!("{{\"pubKey\":\"k\",\"{place}\":{open}1{close}}}")
                };
                kind.check(nested(126).as_bytes());
                for depth in [127, 200_000] {
                    let complaint = kind.read(nested(depth).as_bytes()).expect_err("too deep");
                    let expected = "the body cannot be read as JSON: recursion limit exceeded";
                    assert!(complaint.starts_with(expected), "{}: {complaint}", kind.name);
                }
            }
            let endless = open.repeat(200_000);
            let complaint = kind.read(endless.as_bytes()).expect_err("too deep");
            assert!(complaint.contains("recursion limit exceeded"), "{}: {complaint}", kind.name);
        }
    }
}

/// What stands behind the first entry that is too many is not read: it need not even be JSON.
#[test]
fn a_list_is_given_up_at_its_bound() {
    let clients = |count| {
        let entries = vec![r#"{"pubKey":"c"}"#; count].join(",");
        format!(r#"{{"pubKey":"k","version":"1","registeredClients":[{entries}"#)
    };
    let hops = |count: usize| {
        let entries: Vec<_> = (0..count).map(|hop| format!("\"h:{hop}\":1")).collect();
        format!(r#"{{"pubKey":"k","received":1,"sent":{{{}"#, entries.join(","))
    };
    for (name, most, rest, body, complaint) in [
        (
            "gateway",
            MAX_REGISTERED_CLIENTS,
            "]}",
            &clients as &dyn Fn(usize) -> String,
            "8193 registered clients are too many: at most 8192 are taken",
        ),
        (
            "metric",
            MAX_NEXT_HOPS,
            "}}",
            &hops,
            "1025 next hops are too many: at most 1024 are taken",
        ),
    ] {
        let accepted = kind(name).read((body(most) + rest).as_bytes());
        assert!(accepted.is_ok(), "{name}: {accepted:?}");
        let refused = kind(name).read((body(most + 1) + ", no JSON").as_bytes());
        assert_eq!(refused, Err(complaint.into()));
    }
}

/// Any text, but not an empty one: that is as good as none.
fn text() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("not empty", |text| !text.is_empty())
}

fn mixnode() -> impl Strategy<Value = MixNodeReport> {
    (any::<String>(), text(), text(), text(), 1_u64..).prop_map(
        |(host, pub_key, version, location, layer)| MixNodeReport {
            host,
            pub_key,
            version,
            location,
            layer,
        },
    )
}

fn coconode() -> impl Strategy<Value = CocoNodeReport> {
    (any::<String>(), text(), text(), text(), text()).prop_map(
        |(host, pub_key, version, location, kind)| CocoNodeReport {
            host,
            pub_key,
            version,
            location,
            kind,
        },
    )
}

fn provider() -> impl Strategy<Value = MixProviderReport> {
    let listeners = (any::<String>(), any::<String>());
    let clients = vec(any::<String>().prop_map(|pub_key| RegisteredClient { pub_key }), 0..9);
    (listeners, text(), text(), text(), clients).prop_map(
        |((client_listener, mixnet_listener), pub_key, version, location, registered_clients)| {
            MixProviderReport {
                client_listener,
                mixnet_listener,
                pub_key,
                version,
                location,
                registered_clients,
            }
        },
    )
}

fn metric() -> impl Strategy<Value = MixMetricReport> {
    (text(), btree_map(any::<String>(), any::<u64>(), 0..9), any::<u64>())
        .prop_map(|(pub_key, sent, received)| MixMetricReport { pub_key, sent, received })
}

/// The name of a decoder and a report that it takes.
fn report() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        mixnode().prop_map(|report| ("mixnode", json!(report))),
        coconode().prop_map(|report| ("coconode", json!(report))),
        provider().prop_map(|report| ("mixprovider", json!(report))),
        provider().prop_map(|report| ("gateway", json!(report))),
        metric().prop_map(|report| ("metric", json!(report))),
        text().prop_map(|key| ("departure", json!({ "pubKey": key }))),
        any::<String>().prop_map(|key| ("allowance", json!({ "pubKey": key }))),
    ]
}

/// The word with some of its letters in the other case.
fn recased(word: &str, flips: u64) -> String {
    let flip = |(index, c): (usize, char)| match flips >> (index % 64) & 1 {
        0 => c.to_ascii_lowercase(),
        _ => c.to_ascii_uppercase(),
    };
    word.chars().enumerate().map(flip).collect()
}

/// Anything, of little depth.
fn anything() -> impl Strategy<Value = Json> {
    let number = prop_oneof![
        (0_u64..4).prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        any::<i64>().prop_map(Number::from),
        any::<f64>().prop_filter_map("a number", Number::from_f64),
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        Just(Json::Bool),
        number.prop_map(Json::Number),
        "[a-k]{0,2}".prop_map(Json::Text),
        any::<String>().prop_map(Json::Text),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let name = prop_oneof!["[ab]", "pub[kK]ey", any::<String>()];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::List),
            vec((name, inner), 0..4).prop_map(Json::Object),
        ]
    })
}

/// A value of that type.
fn of_type(field_type: Type) -> BoxedStrategy<Json> {
    let count = || (0_u64..3).prop_map(|count| Json::Number(count.into()));
    match field_type {
        Type::Text => "[k1]{0,2}".prop_map(Json::Text).boxed(),
        Type::Layer | Type::Count => count().boxed(),
        Type::Counts => vec(("[ab]", count()), 0..3).prop_map(Json::Object).boxed(),
        Type::Clients => {
            let key = ("[pP]ub[kK]ey", "[a-c]{0,1}".prop_map(Json::Text));
            vec(vec(key, 0..3).prop_map(Json::Object), 0..3).prop_map(Json::List).boxed()
        }
    }
}

/// An object with names that a decoder knows, in any case and more than once, and mostly with
/// values of their types.
fn nearly_a_report() -> impl Strategy<Value = (&'static Kind, Vec<u8>)> {
    let entry = |kind: &'static Kind| {
        let known =
            (select(kind.fields), any::<u64>()).prop_flat_map(|((name, field_type, _), flips)| {
                let value =
                    prop_oneof![20 => of_type(field_type), 2 => Just(Json::Null), 1 => anything()];
                (Just(recased(name, flips)), value)
            });
        prop_oneof![9 => known, 1 => (any::<String>(), anything())]
    };
    (0..KINDS.len()).prop_flat_map(move |index| {
        let kind = &KINDS[index];
        let entries = vec(entry(kind), 0..16);
        entries.prop_map(move |entries| (kind, Json::Object(entries).to_string().into_bytes()))
    })
}

/// Something that may happen to a body on its way.
#[derive(Clone, Debug)]
enum Mutation {
    Cut(Index),
    Overwrite(Index, u8),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let token = select(&["{", "}", "[", "]", ",", ":", "\"", "\\", "\\ud800", "null", "1e999"][..])
        .prop_map(|token| token.as_bytes().to_vec());
    prop_oneof![
        any::<Index>().prop_map(Mutation::Cut),
        any::<(Index, u8)>().prop_map(|(at, byte)| Mutation::Overwrite(at, byte)),
        (any::<Index>(), token).prop_map(|(at, token)| Mutation::Insert(at, token)),
        any::<(Index, Index)>().prop_map(|(from, to)| Mutation::Repeat(from, to)),
    ]
}

fn mutate(body: &mut Vec<u8>, mutation: Mutation) {
    // One more than there are bytes: the end is a place too.
    let places = body.len() + 1;
    match mutation {
        Mutation::Cut(at) => body.truncate(at.index(places)),
        Mutation::Overwrite(at, byte) => {
            if let Some(old) = body.get_mut(at.index(places)) {
                *old = byte;
            }
        }
        Mutation::Insert(at, token) => {
            let at = at.index(places);
            body.splice(at..at, token);
        }
        Mutation::Repeat(from, to) => {
            let (from, to) = (from.index(places), to.index(places));
            let part = body[from.min(to)..from.max(to)].to_vec();
            body.splice(from..from, part);
        }
    }
}

proptest! {
    #[test]
    fn reports_are_read_as_they_were_written((name, report) in report(), flips in any::<u64>()) {
        let written = report.to_string();
        prop_assert_eq!(kind(name).read(written.as_bytes()), Ok(report.clone()));
        let Value::Object(object) = &report else { unreachable!("a report is an object") };
        let entries: Vec<_> = object
            .iter()
            .map(|(name, value)| format!("{:?} :\t{value}", recased(name, flips)))
            .collect();
        let written = format!("\n{{ {} }}", entries.join(" , "));
        prop_assert_eq!(kind(name).read(written.as_bytes()), Ok(report), "{}", written);
    }

    #[test]
    fn what_is_nearly_a_report_is_read_as_by_the_slow_reading((kind, body) in nearly_a_report()) {
        kind.check(&body);
    }

    #[test]
    fn what_is_no_longer_a_report_is_read_as_by_the_slow_reading(
        (kind, mut body) in nearly_a_report(),
        mutations in vec(mutation(), 1..4),
    ) {
        for mutation in mutations {
            mutate(&mut body, mutation);
        }
        kind.check(&body);
    }

    #[test]
    fn any_bytes_are_read_as_by_the_slow_reading(body in any::<Vec<u8>>()) {
        for kind in &KINDS {
            kind.check(&body);
        }
    }
}
