//! The event stream: one clock, one numbering, a snapshot first.

use contract::{Content, LinkEvent, NodeMetrics, Time};
use directory_api::Update;
use serde::{Deserialize, Serialize};

use crate::{
    AttackStatus, JourneyEvent, MessageStatus, NodeStatus, Origin, Passage, ProcessUsage, Snapshot,
};

/// One line of the event stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Envelope {
    /// Counts up by one within a devnet's life. A reader that was too slow gets a new snapshot, whose
    /// number shows how many events it missed.
    pub seq: u64,
    /// The supervisor's monotonic clock.
    pub t: Time,
    /// The supervisor's wall clock: milliseconds since 1970.
    pub unix_ms: u64,
    /// What happened. Not flattened: lines of a log have a `unix_ms` too.
    pub event: StreamEvent,
}

/// How many events were missed between the latest one heard and a snapshot, by their numbers. A snapshot
/// that all readers get is an event with a number of its own; one for a reader that begins, or fell behind,
/// has the number of the last event in it. A single missed event looks like the former, and is in the
/// snapshot anyway.
pub fn missed(heard: u64, snapshot: u64) -> u64 {
    match snapshot.saturating_sub(heard) {
        1 => 0,
        missed => missed,
    }
}

/// What happened in the devnet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum StreamEvent {
    /// The whole state.
    Snapshot(Box<Snapshot>),
    /// A process changed its state, or is new.
    Node(NodeStatus),
    /// A process was taken out of the devnet.
    Removed {
        /// Its name.
        node: String,
    },
    /// The connection to the directory's event stream changed.
    DirectoryLink {
        /// How it is now.
        state: DirectoryState,
    },
    /// The directory said something; relayed as it came.
    Directory {
        /// Name of the node that it is about, where the supervisor knows it.
        node: Option<String>,
        /// What it said.
        update: Update,
    },
    /// A process reported its counters.
    Metrics {
        /// Its name.
        node: String,
        /// Counted since its start.
        metrics: NodeMetrics,
    },
    /// What a process uses was read.
    Usage {
        /// Its name.
        node: String,
        /// What it uses.
        usage: ProcessUsage,
    },
    /// Packets left a process. Says what an observer of the links sees, and nothing else: each packet
    /// once.
    Links {
        /// Name of the process. With [`LinkEvent::from`] it is that of an identity of the crowd, such as
        /// `crowd-3`, as which it is named as a recipient.
        src: String,
        /// Oldest first, with names in place of addresses where the supervisor knows them. Processes tell
        /// ten times a second, each at its own moment: those of several are put in order by whoever
        /// needs that.
        links: Vec<LinkEvent>,
    },
    /// The truth about packets that left the last layer, which no observer has: a sample of them; only
    /// where tracing is on.
    Origins {
        /// By the moment at which it was known.
        packets: Vec<Origin>,
    },
    /// What a node knows of packets that passed through it. Only in the stream of those who asked for
    /// what this node knows, `/v1/passages`, and never in that of all events; its number is that of the
    /// latest event there.
    Passages {
        /// Name of the mixnode or provider.
        node: String,
        /// By the moment at which it was known.
        passages: Vec<Passage>,
    },
    /// How long packets really waited at a mixnode: a sample of the latest; only where tracing is on.
    /// Every five seconds at most.
    Waits {
        /// Name of the mixnode.
        node: String,
        /// From coming until leaving, in microseconds, in the order in which they left. None of packets
        /// that were not to wait.
        waits_us: Vec<u64>,
    },
    /// A message came further.
    Message(MessageStatus),
    /// A packet of a message came further on its way; only where tracing is on.
    Journey(JourneyEvent),
    /// An attack that somebody runs on the devnet came further.
    Attack(AttackStatus),
    /// A client received a message.
    Received(ReceivedMessage),
    /// A process wrote a line to its log.
    Log(LogLine),
    /// Events of a process were lost because the supervisor did not read fast enough.
    Lost {
        /// Its name.
        node: String,
        /// How many.
        count: u64,
        /// How many packets on links those were about: so many an observer has missed.
        #[serde(default, skip_serializing_if = "is_zero")]
        links: u64,
    },
    /// The devnet is going down; the stream ends after this.
    Down {
        /// Why, as a sentence without a full stop.
        reason: String,
    },
    /// Something that this version does not know. A reader passes over it; no supervisor writes it.
    #[serde(other)]
    Unknown,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Whether the supervisor hears the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "link", rename_all = "kebab-case")]
pub enum DirectoryState {
    /// Not connected yet.
    Connecting,
    /// Connected.
    Live,
    /// Not connected; trying again.
    Reconnecting {
        /// What went wrong.
        error: String,
        /// Until the next attempt, in milliseconds.
        retry_in_ms: u64,
    },
}

/// A message that a client received, as it was reported. A copy: reading it takes nothing from an
/// application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceivedMessage {
    /// Name of the client that received it.
    pub client: String,
    /// The message's id: 32 hexadecimal digits.
    pub id: String,
    /// When: milliseconds since 1970.
    pub unix_ms: u64,
    /// What it says. It does not say who sent it.
    pub content: Content,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// Name of the process, or `supervisor`.
    pub node: String,
    /// When it was read: milliseconds since 1970.
    pub unix_ms: u64,
    /// The line without its end, cut at a bound, control characters made visible.
    pub line: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines are an interface that scripts read: this is their form, and what was written is read.
    #[test]
    fn a_line_has_its_documented_form_and_is_read_as_it_was_written() {
        let line = LogLine { node: "alice".into(), unix_ms: 4, line: "hello".into() };
        let received = ReceivedMessage {
            client: "bob".into(),
            id: "00".repeat(16),
            unix_ms: 4,
            content: Content::Text("hello".into()),
        };
        let update = Update::Seen { pub_key: "k".into(), list: directory_api::ListName::MixNode };
        let events = [
            StreamEvent::Log(line),
            StreamEvent::Received(received),
            StreamEvent::Directory { node: Some("mix-1-1".into()), update },
            StreamEvent::DirectoryLink { state: DirectoryState::Live },
            StreamEvent::Metrics { node: "mix-1-1".into(), metrics: NodeMetrics::default() },
            StreamEvent::Down { reason: "asked to".into() },
        ];
        let envelopes =
            events.map(|event| Envelope { seq: 1, t: Time::from_nanos(2), unix_ms: 3, event });
        for envelope in &envelopes {
            let json = serde_json::to_string(envelope).expect("JSON");
            let read: Envelope = serde_json::from_str(&json).expect(&json);
            assert_eq!(read, *envelope, "{json}");
        }
        assert_eq!(
            serde_json::to_string(&envelopes[0]).expect("JSON"),
            r#"{"seq":1,"t":2,"unix_ms":3,"event":{"type":"log","node":"alice","unix_ms":4,"line":"hello"}}"#
        );
    }
}
