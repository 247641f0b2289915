//! Kinds of values in a layout file. Each knows its bounds, says what it takes, and describes itself in
//! the schema.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::{MAX_CLIENTS, Ports, names};

/// What a time looks like: numbers with units, up to hours.
const TIME_PATTERN: &str = concat!(
    r"^(0|([0-9]+(\.[0-9]+)? ?",
    "(nanos|nsec|ns|usec|us|µs|millis|msec|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h) ?)+)$"
);

/// A whole number from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count<const LEAST: u64, const MOST: u64>(u64);

impl<const LEAST: u64, const MOST: u64> Count<LEAST, MOST> {
    fn takes() -> String {
        format!("a whole number from {LEAST} to {MOST}")
    }

    pub(crate) fn get(self) -> u64 {
        self.0
    }

    /// As a number of this size, which has room for `MOST`.
    pub(crate) fn as_u16(self) -> u16 {
        u16::try_from(self.0).expect("the bound of a count of nodes is below 65536")
    }
}

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for Count<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Expecting<const LEAST: u64, const MOST: u64>;

        impl<const LEAST: u64, const MOST: u64> Visitor<'_> for Expecting<LEAST, MOST> {
            type Value = Count<LEAST, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&Count::<LEAST, MOST>::takes())
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                let count = u64::try_from(number).ok().filter(|n| (LEAST..=MOST).contains(n));
                count.map(Count).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
            }
        }

        deserializer.deserialize_i64(Expecting)
    }
}

impl<const LEAST: u64, const MOST: u64> PartialSchema for Count<LEAST, MOST> {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::Integer).title(Some(Self::takes()));
        object.minimum(Some(LEAST)).maximum(Some(MOST)).into()
    }
}

impl<const LEAST: u64, const MOST: u64> ToSchema for Count<LEAST, MOST> {}

/// A time from `LEAST` to `MOST` milliseconds, written as `200ms` or `1s 500ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time<const LEAST: u64, const MOST: u64>(Duration);

impl<const LEAST: u64, const MOST: u64> Time<LEAST, MOST> {
    fn takes() -> String {
        let [least, most] =
            [LEAST, MOST].map(|time| humantime::format_duration(Duration::from_millis(time)));
        format!("a time from {least} to {most}, such as \"200ms\"")
    }

    pub(crate) fn get(self) -> Duration {
        self.0
    }
}

impl<'de, const LEAST: u64, const MOST: u64> Deserialize<'de> for Time<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Expecting<const LEAST: u64, const MOST: u64>;

        impl<const LEAST: u64, const MOST: u64> Visitor<'_> for Expecting<LEAST, MOST> {
            type Value = Time<LEAST, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&Time::<LEAST, MOST>::takes())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                let allowed = Duration::from_millis(LEAST)..=Duration::from_millis(MOST);
                let time = contract::parse_duration(text).ok();
                let time = time.filter(|time| allowed.contains(time));
                time.map(Time).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Expecting)
    }
}

impl<const LEAST: u64, const MOST: u64> PartialSchema for Time<LEAST, MOST> {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::String).title(Some(Self::takes()));
        object.pattern(Some(TIME_PATTERN)).into()
    }
}

impl<const LEAST: u64, const MOST: u64> ToSchema for Time<LEAST, MOST> {}

/// What the field of the clients takes.
fn clients_takes() -> String {
    format!("a whole number from 0 to {MAX_CLIENTS}, or a list of names")
}

/// How many named clients there are, or what they are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clients {
    /// So many, with the usual names.
    Count(u16),
    /// These.
    Names(Vec<String>),
}

impl<'de> Deserialize<'de> for Clients {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Expecting;

        impl<'de> Visitor<'de> for Expecting {
            type Value = Clients;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&clients_takes())
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Clients, E> {
                let count = u16::try_from(number).ok().filter(|count| *count <= MAX_CLIENTS);
                count
                    .map(Clients::Count)
                    .ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Clients, A::Error> {
                let mut clients = Vec::new();
                while let Some(name) = list.next_element::<String>()? {
                    if clients.len() == usize::from(MAX_CLIENTS) {
                        return Err(A::Error::custom(format!(
                            "these are more than {MAX_CLIENTS} clients"
                        )));
                    }
                    clients.push(name);
                }
                Ok(Clients::Names(clients))
            }
        }

        deserializer.deserialize_any(Expecting)
    }
}

impl PartialSchema for Clients {
    fn schema() -> RefOr<Schema> {
        let count = ObjectBuilder::new().schema_type(Type::Integer);
        let count = count.minimum(Some(0)).maximum(Some(MAX_CLIENTS));
        let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some(names::PATTERN));
        let list = ArrayBuilder::new().items(name.max_length(Some(names::MAX_BYTES)));
        let list = list.max_items(Some(MAX_CLIENTS.into())).unique_items(true);
        OneOfBuilder::new().title(Some(clients_takes())).item(count).item(list).into()
    }
}

impl ToSchema for Clients {}

/// What the field of the ports takes.
const PORTS_TAKES: &str = "\"preferred\", \"auto\" or \"base:PORT\" with a port from 1 to 65535";

/// Ports as they are written: `preferred`, `auto` or `base:20000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortsWord(pub(crate) Ports);

impl<'de> Deserialize<'de> for PortsWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Expecting;

        impl Visitor<'_> for Expecting {
            type Value = PortsWord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(PORTS_TAKES)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<PortsWord, E> {
                let ports = match text {
                    "preferred" => Some(Ports::Preferred),
                    "auto" => Some(Ports::Auto),
                    _ => text
                        .strip_prefix("base:")
                        .and_then(|port| port.parse().ok())
                        .filter(|&port| port != 0)
                        .map(Ports::Base),
                };
                ports.map(PortsWord).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Expecting)
    }
}

impl PartialSchema for PortsWord {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::String).title(Some(PORTS_TAKES));
        object.pattern(Some("^(preferred|auto|base:[1-9][0-9]{0,4})$")).into()
    }
}

impl ToSchema for PortsWord {}
