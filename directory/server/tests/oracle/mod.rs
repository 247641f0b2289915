//! What should come of a body, worked out slowly: the body becomes a tree that keeps every key, and
//! the tree is asked field by field. Shares nothing with the decoders but serde's parser.

use std::fmt;

use directory_api::{MAX_REGISTERED_CLIENTS, MixProviderReport};
use directory_server::limits::MAX_NEXT_HOPS;
use directory_server::reports::{self, BadBody};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, json};

/// A decoder, and what is known of it.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    model: &'static str,
    /// Name in JSON, type, and the original's path if it is required.
    pub(crate) fields: &'static [(&'static str, Type, Option<&'static str>)],
    read: fn(&[u8]) -> Result<Value, BadBody>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Type {
    Text,
    /// Not zero.
    Layer,
    Count,
    Counts,
    Clients,
}

const PROVIDER: &[(&str, Type, Option<&str>)] = &[
    ("clientListener", Type::Text, None),
    ("mixnetListener", Type::Text, None),
    ("pubKey", Type::Text, Some("PubKey")),
    ("version", Type::Text, Some("Version")),
    ("location", Type::Text, None),
    ("registeredClients", Type::Clients, Some("RegisteredClients")),
];

pub(crate) const KINDS: [Kind; 7] = [
    Kind {
        name: "coconode",
        model: "CocoHostInfo",
        fields: &[
            ("host", Type::Text, None),
            ("pubKey", Type::Text, Some("HostInfo.PubKey")),
            ("version", Type::Text, Some("HostInfo.Version")),
            ("location", Type::Text, None),
            ("type", Type::Text, Some("Type")),
        ],
        read: |body| reports::coconode(body).map(|report| json!(report)),
    },
    Kind {
        name: "mixnode",
        model: "MixHostInfo",
        fields: &[
            ("host", Type::Text, None),
            ("pubKey", Type::Text, Some("HostInfo.PubKey")),
            ("version", Type::Text, Some("HostInfo.Version")),
            ("location", Type::Text, None),
            ("layer", Type::Layer, Some("Layer")),
        ],
        read: |body| reports::mixnode(body).map(|report| json!(report)),
    },
    Kind {
        name: "mixprovider",
        model: "MixProviderHostInfo",
        fields: PROVIDER,
        read: |body| reports::mixprovider(body).map(|report| provider(&report)),
    },
    Kind {
        name: "gateway",
        model: "GatewayHostInfo",
        fields: PROVIDER,
        read: |body| reports::gateway(body).map(|report| provider(&report)),
    },
    Kind {
        name: "departure",
        model: "Departure",
        fields: &[("pubKey", Type::Text, Some("PubKey"))],
        read: |body| reports::departure(body).map(|departure| json!(departure)),
    },
    Kind {
        name: "allowance",
        model: "MixNodeID",
        fields: &[("pubKey", Type::Text, None)],
        read: |body| reports::allowance(body).map(|node| json!(node)),
    },
    Kind {
        name: "metric",
        model: "MixMetric",
        fields: &[
            ("pubKey", Type::Text, Some("PubKey")),
            ("sent", Type::Counts, Some("Sent")),
            ("received", Type::Count, Some("Received")),
        ],
        read: |body| {
            let report = reports::metric(body)?;
            assert!(report.sent.len() <= MAX_NEXT_HOPS);
            Ok(json!(report))
        },
    },
];

fn provider(report: &MixProviderReport) -> Value {
    assert!(report.registered_clients.len() <= MAX_REGISTERED_CLIENTS);
    json!(report)
}

impl Kind {
    /// What the decoder makes of the body, or its complaint.
    pub(crate) fn read(&self, body: &[u8]) -> Result<Value, String> {
        (self.read)(body).map_err(|error| error.to_string())
    }

    /// Compares what the decoder makes of the body with what should come of it. What is accepted is
    /// read once more from what it was written as.
    pub(crate) fn check(&self, body: &[u8]) {
        let got = self.read(body);
        let is_cut_short = matches!((self.read)(body), Err(BadBody::TooMany(_)));
        if is_cut_short {
            // What stands behind the entry that was too many does not count.
            let entries = body.split(|&byte| byte == b',').count();
            assert!(entries > MAX_NEXT_HOPS.min(MAX_REGISTERED_CLIENTS), "{}", self.name);
            return;
        }
        assert_eq!(got, self.expected(body), "{} from {}", self.name, body.escape_ascii());
        if let Ok(report) = got {
            let written = report.to_string();
            assert_eq!(self.read(written.as_bytes()), Ok(report), "{} as {written}", self.name);
        }
    }

    fn expected(&self, body: &[u8]) -> Result<Value, String> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err("EOF".into());
        }
        let tree = Json::deserialize(&mut serde_json::Deserializer::from_slice(body))
            .map_err(|error| format!("the body cannot be read as JSON: {error}"))?;
        let entries = match tree {
            Json::Object(entries) => entries,
            Json::Null => Vec::new(),
            other => {
                let (found, model) = (other.kind(), self.model);
                return Err(format!(
                    "json: cannot unmarshal {found} into Go value of type models.{model}"
                ));
            }
        };
        let mut wrong = Vec::new();
        let mut report = Map::new();
        for (key, value) in entries {
            let fields = self.fields.iter();
            let mut named = fields.filter(|(name, ..)| name.eq_ignore_ascii_case(&key));
            let Some((name, field_type, _)) = named.next() else { continue };
            let mut complain = |complaint: String| {
                wrong.push(complaint.replace("FIELD", &format!("{}.{name}", self.model)));
            };
            if let Some(value) = convert(*field_type, value, &mut complain) {
                report.insert((*name).into(), value);
            }
        }
        if let Some(first) = wrong.into_iter().next() {
            return Err(first);
        }
        let mut missing = Vec::new();
        for (name, field_type, path) in self.fields {
            let value = report.get(*name);
            let is_zero = match field_type {
                Type::Text => value.is_none_or(|text| text == ""),
                Type::Layer => value.is_none_or(|layer| *layer == 0),
                Type::Count | Type::Counts | Type::Clients => value.is_none(),
            };
            if !is_zero {
                continue;
            }
            match path {
                Some(path) => missing.push(format!(
                    "Key: '{}.{path}' Error:Field validation for '{}' failed on the 'required' tag",
                    self.model,
                    path.split('.').next_back().expect("a word"),
                )),
                None if *name == "location" => {
                    report.insert("location".into(), "unknown".into());
                }
                None => {
                    report.insert((*name).into(), "".into());
                }
            }
        }
        if missing.is_empty() { Ok(Value::Object(report)) } else { Err(missing.join("\n")) }
    }
}

/// What a field becomes; nothing if it came to nothing. `FIELD` stands for its name.
fn convert(field_type: Type, value: Json, complain: &mut dyn FnMut(String)) -> Option<Value> {
    let wanted = match field_type {
        Type::Text => "string",
        Type::Layer | Type::Count => "uint",
        Type::Counts => "map[string]uint",
        Type::Clients => "[]models.RegisteredClient",
    };
    match (field_type, value) {
        (_, Json::Null) => return None,
        (Type::Text, Json::Text(text)) => return Some(text.into()),
        (Type::Layer | Type::Count, Json::Number(number)) if number.is_u64() => {
            return Some(number.into());
        }
        (Type::Layer | Type::Count, Json::Number(number)) => {
            let number = match number.as_i64() {
                Some(whole) => whole.to_string(),
                None => format!("{:?}", number.as_f64().expect("neither whole nor a fraction")),
            };
            complain(format!(
                "json: cannot unmarshal number {number} into Go struct field FIELD of type uint"
            ));
        }
        (Type::Counts, Json::Object(entries)) => {
            let mut counts = Map::new();
            for (hop, count) in entries {
                let count = convert(Type::Count, count, complain);
                counts.insert(hop, count.unwrap_or_else(|| 0.into()));
            }
            return Some(counts.into());
        }
        (Type::Clients, Json::List(entries)) => {
            return Some(entries.into_iter().map(|entry| client(entry, complain)).collect());
        }
        (_, other) => complain(format!(
            "json: cannot unmarshal {} into Go struct field FIELD of type {wanted}",
            other.kind()
        )),
    }
    None
}

fn client(entry: Json, complain: &mut dyn FnMut(String)) -> Value {
    let mut key = json!("");
    match entry {
        Json::Null => {}
        Json::Object(entries) => {
            for (name, value) in entries {
                let is_key = name.eq_ignore_ascii_case("pubKey");
                let complain = &mut |complaint: String| {
                    complain(complaint.replace("FIELD", "RegisteredClient.pubKey"));
                };
                if let Some(value) = is_key.then(|| convert(Type::Text, value, complain)).flatten()
                {
                    key = value;
                }
            }
        }
        other => complain(format!(
            "json: cannot unmarshal {} into Go struct field FIELD of type models.RegisteredClient",
            other.kind()
        )),
    }
    json!({ "pubKey": key })
}

/// A value of JSON in which an object keeps all its entries, also those of the same name.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Bool,
    Number(Number),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("true"),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => json!(text).fmt(f),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Object(entries) => {
                f.write_str("{")?;
                for (index, (name, value)) in entries.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ",\n" };
                    write!(f, "{comma}{}:{value}", json!(name))?;
                }
                f.write_str("}")
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Bool)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(Number::from_f64(number).expect("JSON has no infinity")))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}
