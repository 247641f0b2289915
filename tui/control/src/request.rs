//! What a supervisor can be asked, and how it refuses.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use contract::Content;
use serde::{Deserialize, Serialize};

/// Paths of the control interface.
pub mod paths {
    /// GET: a [`Snapshot`](crate::Snapshot).
    pub const STATUS: &str = "/v1/status";
    /// GET: JSON lines of [`Envelope`](crate::Envelope), without end.
    pub const EVENTS: &str = "/v1/events";
    /// GET with `?nodes=NAME,NAME`: JSON lines of [`Envelope`](crate::Envelope), each with
    /// [`Passages`](crate::StreamEvent::Passages) of one of these mixnodes and providers, without end.
    pub const PASSAGES: &str = "/v1/passages";
    /// POST a [`SendRequest`](crate::SendRequest), get a [`MessageStatus`](crate::MessageStatus).
    pub const SEND: &str = "/v1/send";
    /// GET with `?client=NAME&after=NUMBER`: an [`Inbox`](crate::Inbox) of messages with greater
    /// numbers. Without a number it begins with the first.
    pub const INBOX: &str = "/v1/inbox";
    /// GET with `?window=SECONDS&step=SECONDS`: a [`History`](crate::History) of that time, in steps of
    /// that length. Without them, the last hour in steps of ten seconds.
    pub const HISTORY: &str = "/v1/history";
    /// POST an [`AddRequest`](crate::AddRequest), get the [`NodeStatus`](crate::NodeStatus) of the new
    /// node. POST a [`NodeAction`](crate::NodeAction) to `/v1/nodes/NAME`, get its
    /// [`NodeStatus`](crate::NodeStatus). DELETE `/v1/nodes/NAME`: the node leaves, ends and is
    /// forgotten, which a [`Removed`](crate::StreamEvent::Removed) tells; answered with its status.
    pub const NODES: &str = "/v1/nodes";
    /// A node, see [`NODES`].
    pub const NODE: &str = "/v1/nodes/{node}";
    /// POST a [`SetRequest`](crate::SetRequest), get a [`DevnetInfo`](crate::DevnetInfo).
    pub const SET: &str = "/v1/set";
    /// POST a [`PingRequest`](crate::PingRequest), get a [`Pong`](crate::Pong).
    pub const PING: &str = "/v1/ping";
    /// POST an [`AttackRequest`](crate::AttackRequest), get an [`AttackStatus`](crate::AttackStatus) when
    /// it is over.
    pub const ATTACKS: &str = "/v1/attacks";
    /// POST a [`DownRequest`](crate::DownRequest): stop everything. Answered with a
    /// [`DownReport`](crate::DownReport) when it is stopped.
    pub const DOWN: &str = "/v1/down";
    /// GET: the description of all this, OpenAPI 3.1.
    pub const OPENAPI: &str = "/v1/openapi.json";
}

/// What can be done to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum NodeAction {
    /// Start it if it does not run.
    Start,
    /// Let it leave the directory, drain and end; it is not started again.
    Stop,
    /// Stop, then start.
    Restart,
    /// Stop the process where it stands (SIGSTOP). What depends on it sees it go silent.
    Pause,
    /// Let a paused process go on.
    Resume,
    /// End it at once with SIGKILL; it is started again like after a crash.
    Kill,
}

impl NodeAction {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Kill => "kill",
        }
    }
}

/// Until when a send request is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SendWait {
    /// Answer as soon as the client accepted it.
    #[default]
    Accepted,
    /// Answer when the recipient has it, or it failed.
    Delivered,
}

/// Send a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendRequest {
    /// Name of the sending client.
    pub from: String,
    /// Name of the receiving client, or an address.
    pub to: String,
    /// What to send.
    pub content: Content,
    /// When to answer.
    #[serde(default)]
    pub wait: SendWait,
    /// How long to hold the request at most, in milliseconds.
    pub timeout_ms: u64,
}

/// How long a question about an inbox is held at most: the longest pause before a client that was
/// killed is started again, and its start.
pub const INBOX_TIMEOUT: Duration = Duration::from_secs(15);

/// A page of what a client keeps of what it received, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Inbox {
    /// The messages.
    pub messages: Vec<InboxMessage>,
    /// Whether more follow after the last of them.
    pub more: bool,
    /// The greatest number that a message of this inbox ever had; 0 before the first. An inbox that was
    /// damaged is put aside, and the next one begins anew. None if the client does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
}

/// A message that a client keeps. A copy: reading it takes nothing from an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxMessage {
    /// Name of the client that received it.
    pub client: String,
    /// Its place: each message has a greater one than those that were complete before it.
    pub number: u64,
    /// The message's id: 32 hexadecimal digits.
    pub id: String,
    /// When it was complete: milliseconds since 1970.
    pub unix_ms: u64,
    /// What it says. It does not say who sent it.
    pub content: Content,
}

/// A node that a running devnet is to get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "role", rename_all = "kebab-case")]
pub enum AddRequest {
    /// One more mixnode.
    Mixnode {
        /// In this layer, from 1.
        layer: u8,
    },
    /// One more provider.
    Provider,
    /// One more named client.
    Client {
        /// Its name; the next free one of `alice`, `bob`, … if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
}

/// Other parameters for a running devnet. What is not named stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetRequest {
    /// Mean delay at a mixnode, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop_delay_ms: Option<f64>,
    /// Mean interval of a client's send slots, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_ms: Option<f64>,
    /// Mean interval of a client's loop cover, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_cover_ms: Option<f64>,
    /// Whether a slot without a message carries cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_cover: Option<bool>,
    /// Identities of the crowd. With 0 it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowd: Option<u16>,
}

/// Let a client send a packet to itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PingRequest {
    /// Name of the client.
    pub client: String,
    /// How long to hold the request at most, in milliseconds.
    pub timeout_ms: u64,
}

/// A packet that a client sent to itself through all layers is back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pong {
    /// How long it waited for its slot.
    pub queued_ms: f64,
    /// How long it travelled.
    pub travelled_ms: f64,
    /// What of that it was told to wait at the mixnodes.
    pub asked_ms: f64,
    /// Names of its hops: a mixnode of each layer, then the provider.
    pub route: Vec<String>,
}

/// Stop everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DownRequest {
    /// Delete the devnet's folder afterwards, keys and mailboxes included.
    pub purge: bool,
}

/// What stopping everything left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DownReport {
    /// The devnet's folder.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub folder: PathBuf,
    /// Whether the folder is deleted: on request, or because the devnet had no name of its own.
    pub deleted: bool,
}

/// Why something was refused: the `error` object of every failure, on the socket and in `-o json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// What kind.
    pub code: FailureCode,
    /// What was attempted on what, and what went wrong.
    pub message: String,
    /// What the reader can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The node that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The log to look into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, node: None, log: None }
    }

    /// With something that the reader can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// About this node.
    #[must_use]
    pub fn node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// With the log to look into.
    #[must_use]
    pub fn log(mut self, log: impl Into<String>) -> Self {
        self.log = Some(log.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Kinds of failure. Each belongs to an exit code of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureCode {
    /// Anything that has no kind of its own.
    Other,
    /// Wrong arguments.
    Usage,
    /// The layout cannot be a network.
    InvalidLayout,
    /// No devnet of that name runs.
    NoSuchDevnet,
    /// No node of that name.
    NoSuchNode,
    /// The node exists and does not run, or is not ready.
    NotRunning,
    /// A devnet of that name runs already.
    NameInUse,
    /// A port that was asked for is taken.
    PortTaken,
    /// A file that was to be written is there already.
    FileExists,
    /// Others are at it, as many as may be.
    Busy,
    /// The deadline passed.
    DeadlinePassed,
    /// A message could not be delivered.
    SendFailed,
    /// A node ended past its restart budget.
    NodeLost,
    /// The machine lacks something: a folder cannot be written, a limit is too low.
    Environment,
    /// The control socket cannot be reached, or its answer not be understood.
    Unreachable,
    /// The way in that was used only shows, or the token was wrong.
    Forbidden,
}

impl FailureCode {
    /// The exit code of a command that fails like this.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage | Self::InvalidLayout => 2,
            Self::NoSuchDevnet | Self::NoSuchNode | Self::NotRunning => 3,
            Self::NameInUse | Self::PortTaken | Self::FileExists | Self::Busy => 4,
            Self::DeadlinePassed => 5,
            Self::SendFailed => 6,
            Self::NodeLost => 7,
            Self::Environment => 8,
            Self::Unreachable | Self::Forbidden => 9,
        }
    }
}
