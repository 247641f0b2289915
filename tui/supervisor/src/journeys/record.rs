//! What a node told of a packet, small: nearly all of it is of cover, waits for an owner that never
//! comes, and is forgotten.

use std::fmt;
use std::net::SocketAddrV4;

use contract::{AckTrace, PacketTrace, Print, Time};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// What a line with such records begins with. The tag comes first, as everybody writes it; a line
/// that differs is read as any other event.
const PACKETS_LINE: &[u8] = br#"{"event":"packets""#;

/// The records of a line, and how many more there were.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Batch {
    pub(crate) packets: Vec<Record>,
    #[serde(default)]
    pub(crate) lost: u64,
}

impl Batch {
    /// Those of a line of a process, if it is one. The types of the contract would be read through
    /// two trees of values, at five times the cost.
    pub(crate) fn of_line(line: &[u8]) -> Option<Self> {
        line.starts_with(PACKETS_LINE).then(|| serde_json::from_slice(line).ok()).flatten()
    }

    /// The same, out of the contract's own types.
    pub(crate) fn new(packets: Vec<PacketTrace>, lost: u64) -> Self {
        Self { packets: packets.into_iter().map(Record::from).collect(), lost }
    }
}

/// A [`PacketTrace`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Covered(Covered),
    Passed(Passed),
    Kept(Kept),
    Dropped(Dropped),
    Opened(Opened),
    Noise(Noise),
    /// Of a kind that is not known here.
    Unknown,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) packet: Print,
    pub(crate) from: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) came: Time,
    pub(crate) left: Time,
    pub(crate) asked_us: u64,
    pub(crate) before: Print,
    pub(crate) after: Print,
    pub(crate) to: Hop,
    pub(crate) pool: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) came: Time,
    pub(crate) stored: Time,
    pub(crate) before: Print,
    pub(crate) client: Box<str>,
    pub(crate) ack: Option<Box<Ack>>,
    pub(crate) noise: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) t: Time,
    pub(crate) packet: Print,
    pub(crate) to: Hop,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) t: Time,
    pub(crate) before: Print,
    pub(crate) reason: Box<str>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) t: Time,
    pub(crate) message: Box<str>,
    pub(crate) fragment: u32,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Noise {
    pub(crate) t: Time,
    pub(crate) identifier: Box<str>,
    pub(crate) dropped: Option<Box<str>>,
}

impl Dropped {
    /// Whether a packet with the same header had come to the same node before.
    pub(crate) fn is_replay(&self) -> bool {
        &*self.reason == "replay"
    }
}

/// Address of a next hop. In a devnet it is one of IPv4, which has room here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    V4(SocketAddrV4),
    Other(Box<str>),
}

impl Hop {
    fn new(text: &str) -> Self {
        match text.parse() {
            Ok(address) => Self::V4(address),
            Err(_) => Self::Other(text.into()),
        }
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::Other(text) => text.fmt(f),
        }
    }
}

impl From<PacketTrace> for Record {
    fn from(trace: PacketTrace) -> Self {
        match trace {
            PacketTrace::Covered { packet, from, .. } => Self::Covered(Covered { packet, from }),
            PacketTrace::Passed { came, left, asked_us, before, after, to, pool } => {
                let to = Hop::new(&to);
                Self::Passed(Passed { came, left, asked_us, before, after, to, pool })
            }
            PacketTrace::Kept { came, stored, before, client, ack, noise } => {
                let noise = noise.map(Box::from);
                let ack = ack.map(|AckTrace { t, packet, to }| {
                    Box::new(Ack { t, packet, to: Hop::new(&to) })
                });
                Self::Kept(Kept { came, stored, before, client: client.into(), ack, noise })
            }
            PacketTrace::Dropped { t, before, reason } => {
                Self::Dropped(Dropped { t, before, reason: reason.into() })
            }
            PacketTrace::Opened { t, message, fragment } => {
                Self::Opened(Opened { t, message: message.into(), fragment })
            }
            PacketTrace::Noise { t, identifier, dropped } => {
                let (identifier, dropped) = (identifier.into(), dropped.map(Box::from));
                Self::Noise(Noise { t, identifier, dropped })
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Covered,
    Passed,
    Kept,
    Dropped,
    Opened,
    Noise,
    #[serde(other)]
    Unknown,
}

/// The fields of all kinds.
#[derive(Deserialize)]
struct Fields<'a> {
    trace: Kind,
    t: Option<Time>,
    came: Option<Time>,
    left: Option<Time>,
    stored: Option<Time>,
    packet: Option<Digits>,
    from: Option<u32>,
    asked_us: Option<u64>,
    before: Option<Digits>,
    after: Option<Digits>,
    #[serde(borrow)]
    to: Option<&'a str>,
    pool: Option<u32>,
    #[serde(borrow)]
    client: Option<&'a str>,
    #[serde(borrow)]
    ack: Option<AckFields<'a>>,
    #[serde(borrow)]
    reason: Option<&'a str>,
    #[serde(borrow)]
    message: Option<&'a str>,
    fragment: Option<u32>,
    #[serde(borrow)]
    noise: Option<&'a str>,
    #[serde(borrow)]
    identifier: Option<&'a str>,
    #[serde(borrow)]
    dropped: Option<&'a str>,
}

#[derive(Deserialize)]
struct AckFields<'a> {
    t: Time,
    packet: Digits,
    #[serde(borrow)]
    to: &'a str,
}

impl Fields<'_> {
    fn record(self) -> Option<Record> {
        Some(match self.trace {
            Kind::Covered => Record::Covered(Covered { packet: self.packet?.0, from: self.from }),
            Kind::Passed => Record::Passed(Passed {
                came: self.came?,
                left: self.left?,
                asked_us: self.asked_us?,
                before: self.before?.0,
                after: self.after?.0,
                to: Hop::new(self.to?),
                pool: self.pool?,
            }),
            Kind::Kept => Record::Kept(Kept {
                came: self.came?,
                stored: self.stored?,
                before: self.before?.0,
                client: self.client?.into(),
                ack: self.ack.map(|AckFields { t, packet: Digits(packet), to }| {
                    Box::new(Ack { t, packet, to: Hop::new(to) })
                }),
                noise: self.noise.map(Box::from),
            }),
            Kind::Dropped => Record::Dropped(Dropped {
                t: self.t?,
                before: self.before?.0,
                reason: self.reason?.into(),
            }),
            Kind::Opened => Record::Opened(Opened {
                t: self.t?,
                message: self.message?.into(),
                fragment: self.fragment?,
            }),
            Kind::Noise => Record::Noise(Noise {
                t: self.t?,
                identifier: self.identifier?.into(),
                dropped: self.dropped.map(Box::from),
            }),
            Kind::Unknown => Record::Unknown,
        })
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        fields.record().ok_or_else(|| Error::custom("a field is missing"))
    }
}

/// A [`Print`] that is read where it stands, without a text of its own.
struct Digits(Print);

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Digits;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("hexadecimal digits")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Digits, E> {
                text.parse().map(Digits).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

#[cfg(test)]
mod tests {
    use contract::Event;
    use proptest::prelude::*;

    use super::*;

    fn print() -> impl Strategy<Value = Print> {
        (any::<[u8; 8]>(), any::<[u8; 16]>()).prop_map(|(header, first)| Print { header, first })
    }

    fn time() -> impl Strategy<Value = Time> {
        any::<u64>().prop_map(Time::from_nanos)
    }

    fn hop() -> impl Strategy<Value = String> {
        prop_oneof!["127\\.0\\.0\\.1:[1-9][0-9]{0,3}", "\\[::1\\]:80", "[a-z]{0,9}"]
    }

    fn trace() -> impl Strategy<Value = PacketTrace> {
        let ack = (time(), print(), hop());
        let ack = ack.prop_map(|(t, packet, to)| AckTrace { t, packet, to });
        prop_oneof![
            (time(), print(), any::<Option<u32>>())
                .prop_map(|(t, packet, from)| PacketTrace::Covered { t, packet, from }),
            (time(), time(), any::<u64>(), print(), print(), hop(), any::<u32>()).prop_map(
                |(came, left, asked_us, before, after, to, pool)| {
                    PacketTrace::Passed { came, left, asked_us, before, after, to, pool }
                }
            ),
            (
                time(),
                time(),
                print(),
                "[1-9A-Za-z]{43}",
                prop::option::of(ack),
                prop::option::of("[0-9a-f]{32}")
            )
                .prop_map(|(came, stored, before, client, ack, noise)| {
                    PacketTrace::Kept { came, stored, before, client, ack, noise }
                }),
            (time(), "[0-9a-f]{32}", prop::option::of("[a-z-]{1,12}"))
                .prop_map(|(t, identifier, dropped)| PacketTrace::Noise { t, identifier, dropped }),
            (time(), print(), "[a-z-]{1,12}")
                .prop_map(|(t, before, reason)| PacketTrace::Dropped { t, before, reason }),
            (time(), "[0-9a-f]{32}", any::<u32>())
                .prop_map(|(t, message, fragment)| PacketTrace::Opened { t, message, fragment }),
        ]
    }

    proptest! {
        #[test]
        fn a_line_is_read_as_the_contract_reads_it(
            packets in prop::collection::vec(trace(), 0..5),
            lost in 0..3_u64,
        ) {
            let event = Event::Packets { packets: packets.clone(), lost };
            let line = serde_json::to_vec(&event).expect("JSON");
            prop_assert_eq!(Batch::of_line(&line), Some(Batch::new(packets.clone(), lost)));
            for (record, packet) in Batch::new(packets.clone(), lost).packets.iter().zip(&packets) {
                if let (Record::Passed(passed), PacketTrace::Passed { to, .. }) = (record, packet) {
                    prop_assert_eq!(&passed.to.to_string(), to);
                }
            }
        }

        #[test]
        fn nothing_that_a_process_writes_is_too_much(line in "\\PC{0,200}") {
            let text = format!("{{\"event\":\"packets\"{line}");
            prop_assert_eq!(Batch::of_line(line.as_bytes()), None);
            let _ = Batch::of_line(text.as_bytes());
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_what_is_wrong_is_refused() {
        let line = |packet: &str| format!(r#"{{"event":"packets","packets":[{packet}]}}"#);
        let read = |packet: &str| Batch::of_line(line(packet).as_bytes());
        let unknown = read(r#"{"trace":"folded","why":{"a":[1]}}"#).expect("a line");
        assert_eq!((unknown.packets, unknown.lost), (vec![Record::Unknown], 0));
        assert_eq!(read(r#"{"trace":"dropped","t":5,"reason":"mac"}"#), None, "without a print");
        assert_eq!(read(r#"{"trace":"opened","t":5,"message":7,"fragment":0}"#), None);
        assert_eq!(Batch::of_line(br#"{"event":"ready","reason":"x"}"#), None);
    }
}
