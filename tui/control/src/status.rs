//! The state of a devnet, as a snapshot and in parts.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use contract::{Content, Endpoint, Fatal, NodeMetrics, Role};
use directory_api::Topology;
use serde::{Deserialize, Serialize};

use crate::{AttackStatus, DirectoryState, Journey, LogLine, ReceivedMessage};

/// What a devnet is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct DevnetInfo {
    /// Its name.
    pub name: String,
    /// Process id of its supervisor.
    pub supervisor_pid: u32,
    /// Its folder: state, socket, keys, mailboxes, logs.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub folder: PathBuf,
    /// When it was started: milliseconds since 1970.
    pub started_unix_ms: u64,
    /// Mix layers.
    pub layers: u8,
    /// Mixnodes in each layer, first layer first.
    pub widths: Vec<u16>,
    /// Named clients.
    pub clients: u16,
    /// Identities of the crowd.
    pub crowd: u16,
    /// Name of the rate profile, and whether the rates differ from it.
    pub profile: String,
    /// Mean delay of a mixnode in milliseconds.
    pub hop_delay_ms: f64,
    /// Mean interval of a client's send slots in milliseconds.
    pub slot_ms: f64,
    /// Mean interval of a client's loop cover in milliseconds.
    pub loop_cover_ms: f64,
    /// Whether a slot without a message carries cover.
    #[serde(default = "yes")]
    pub slot_cover: bool,
    /// Whether packets carry acknowledgements.
    pub acks: bool,
    /// Whether nodes tell what became of each packet, so that the way of a message can be shown.
    #[serde(default)]
    pub trace: bool,
    /// Processor cores that the machine of the devnet has for it; 0 where that is not known.
    #[serde(default)]
    pub cores: u16,
    /// Whether nodes leave out the checks that the originals of 2020 did not have.
    #[serde(default)]
    pub faithful: bool,
    /// What fixes its keys and the random choices of its nodes, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether its processes found the keys and mailboxes of an earlier time.
    #[serde(default)]
    pub resumed: bool,
    /// The devnet ends with the front end that started it.
    pub attached: bool,
    /// Where the control interface listens beside its sockets, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, example = "127.0.0.1:7000"))]
    pub control_address: Option<SocketAddr>,
    /// What differs from what was asked for, such as ports that were taken.
    pub notices: Vec<String>,
}

fn yes() -> bool {
    true
}

/// With this begins the reason of a process that stops because the whole devnet goes down. Who stops one
/// alone asks it to leave.
pub const STOPS_WITH_ALL: &str = "asked to stop";

/// Where the life of a process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Not started yet.
    Planned,
    /// The process runs and has not opened its sockets.
    Starting,
    /// Its sockets are open.
    Listening,
    /// The directory lists it, and it waits for something. A client that has been ready, and waits for
    /// something again.
    Present,
    /// It does its work.
    Ready,
    /// It was stopped where it stands, and goes on when it is resumed.
    Paused,
    /// It was asked to stop.
    Stopping,
    /// It was stopped.
    Stopped,
    /// It ended by itself and is about to be started again.
    BackingOff,
    /// It ended by itself too often.
    Failed,
}

impl State {
    /// One word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Starting => "starting",
            Self::Listening => "listening",
            Self::Present => "present",
            Self::Ready => "ready",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::BackingOff => "backing off",
            Self::Failed => "failed",
        }
    }

    /// What is said of a process in this state, after its name.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Planned => "is planned",
            Self::Starting => "is starting",
            Self::Listening => "is listening",
            Self::Present => "is present",
            Self::Ready => "is ready",
            Self::Paused => "is paused",
            Self::Stopping => "is stopping",
            Self::Stopped => "is stopped",
            Self::BackingOff => "is backing off",
            Self::Failed => "has failed",
        }
    }

    /// Whether a process exists in this state.
    pub fn is_running(self) -> bool {
        matches!(
            self,
            Self::Starting
                | Self::Listening
                | Self::Present
                | Self::Ready
                | Self::Paused
                | Self::Stopping
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A process of the devnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeStatus {
    /// Its name: `directory`, `mix-1-2`, `provider-1`, `alice`, `crowd`.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Mixnodes: their layer, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u8>,
    /// Where its life stands.
    pub state: State,
    /// Why it is in that state: a sentence without a full stop.
    pub reason: String,
    /// Since when: milliseconds since 1970.
    pub since_unix_ms: u64,
    /// Its process id, while it runs.
    pub pid: Option<u32>,
    /// When the running process was started: milliseconds since 1970.
    pub started_unix_ms: Option<u64>,
    /// How often it was started again after it had ended by itself.
    pub restarts: u32,
    /// How it ended last, such as `killed by SIGKILL`.
    pub last_exit: Option<String>,
    /// What it said before it ended last, if it could not go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fatal: Option<Fatal>,
    /// Its listening sockets.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<Endpoint, String>))]
    pub addresses: BTreeMap<Endpoint, SocketAddr>,
    /// Its public keys, base58; those of a crowd in the order of its identities, which are called `crowd-1` and so on.
    pub public_keys: Vec<String>,
    /// Clients: where to send to, `client@provider`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its log.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub log_file: PathBuf,
}

/// Packets per second of a process, over the last seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeRates {
    /// Packets read from links.
    pub received_per_s: f64,
    /// Packets written to links.
    pub sent_per_s: f64,
}

/// What a process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProcessUsage {
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// Share of one core over the last interval, in percent.
    pub cpu_percent: f32,
}

/// How far a message has come. The later states include the earlier ones. A provider acknowledges
/// what it stored: while the recipient is away, a message is `Sent` with all its packets
/// acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MessageState {
    /// Accepted; no packet has left.
    Queued,
    /// At least one packet has left.
    Sent,
    /// The recipient has the whole of it.
    Delivered,
    /// And every packet was acknowledged.
    Acknowledged,
    /// The sender gave up.
    Failed,
}

impl MessageState {
    /// One word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
            Self::Failed => "failed",
        }
    }
}

/// A packet of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PacketStatus {
    /// How often it was sent.
    pub attempts: u32,
    /// Names of the hops of the latest attempt: a mixnode of each layer, then the provider. A hop
    /// that the supervisor does not know stands with its address.
    pub route: Vec<String>,
    /// Whether its acknowledgement came back.
    pub acknowledged: bool,
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageStatus {
    /// Its id: 32 hexadecimal digits.
    pub id: String,
    /// Name of the sender.
    pub from: String,
    /// Name of the recipient, or its address if it is not of this devnet.
    pub to: String,
    /// What was sent. Of a message longer than [`PREVIEW_BYTES`](crate::PREVIEW_BYTES) only its
    /// beginning, because every step of the message repeats it.
    pub content: Content,
    /// Length of the whole message in bytes.
    #[serde(default)]
    pub bytes: u64,
    /// How far it has come.
    pub state: MessageState,
    /// When it was accepted: milliseconds since 1970.
    pub accepted_unix_ms: u64,
    /// From acceptance to the first packet on the wire, in milliseconds.
    pub sent_ms: Option<f64>,
    /// From acceptance until the last part of it reached the recipient, in milliseconds. That is known once
    /// the recipient has stored it.
    pub delivered_ms: Option<f64>,
    /// From acceptance until the last acknowledgement, in milliseconds.
    pub acknowledged_ms: Option<f64>,
    /// Its packets, by fragment index.
    pub packets: Vec<PacketStatus>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The whole state of a devnet: the first event of every stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// What it is.
    pub devnet: DevnetInfo,
    /// Every process, in the order in which they are shown: clients and crowd last.
    pub nodes: Vec<NodeStatus>,
    /// Whether the supervisor hears the directory.
    pub directory: DirectoryState,
    /// What the directory lists; none before it was first heard.
    pub topology: Option<Topology>,
    /// Latest counters by node name.
    pub metrics: BTreeMap<String, NodeMetrics>,
    /// Packets per second by node name, of those that run and have reported in the last seconds.
    #[serde(default)]
    pub rates: BTreeMap<String, NodeRates>,
    /// Latest usage by node name.
    pub usage: BTreeMap<String, ProcessUsage>,
    /// The latest messages, oldest first.
    pub messages: Vec<MessageStatus>,
    /// The ways of the latest packets of messages, oldest first; only where tracing is on. Of a message
    /// those of its first [`FOLLOWED_PACKETS`](crate::FOLLOWED_PACKETS).
    #[serde(default)]
    pub journeys: Vec<Journey>,
    /// The latest attacks that somebody ran on the devnet, oldest first.
    #[serde(default)]
    pub attacks: Vec<AttackStatus>,
    /// The latest received messages, oldest first.
    pub received: Vec<ReceivedMessage>,
    /// The latest log lines, oldest first.
    pub logs: Vec<LogLine>,
}
