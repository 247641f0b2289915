//! What a process reports to its supervisor.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::{Content, Deed, NodeMetrics, PacketTrace, SentTrace, Time};

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Where nodes announce themselves.
    Directory,
    /// Unwraps, waits and forwards.
    Mixnode,
    /// Stores what arrives for its clients.
    Provider,
    /// A named client with a local socket for applications.
    Client,
    /// Many identities in one process that only send cover traffic.
    Crowd,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Directory => "directory",
            Self::Mixnode => "mixnode",
            Self::Provider => "provider",
            Self::Client => "client",
            Self::Crowd => "crowd",
        })
    }
}

/// A line on the stdout of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first line.
    Hello(Hello),
    /// A listening socket is open.
    Listening(Listening),
    /// Who the process is in the network.
    Identity(Identity),
    /// The process is not ready because of this.
    Waiting {
        /// A sentence without a full stop, such as `no provider in the directory yet`.
        reason: String,
    },
    /// The process does its work. A client is ready when a probe packet came back.
    Ready {
        /// What showed it, as a sentence without a full stop.
        reason: String,
    },
    /// Counters, once a second.
    Metrics(NodeMetrics),
    /// Packets that left on links since the last such event.
    Links {
        /// Oldest first.
        links: Vec<LinkEvent>,
        /// How many more there were than a process keeps.
        #[serde(default, skip_serializing_if = "is_zero")]
        lost: u64,
    },
    /// What became of packets since the last such event; only where tracing is on.
    Packets {
        /// In the order in which they left, or were kept.
        packets: Vec<PacketTrace>,
        /// How many more there were than a node reports at once.
        #[serde(default, skip_serializing_if = "is_zero")]
        lost: u64,
    },
    /// Something happened to a message.
    Message(MessageEvent),
    /// The answer to a request.
    Answer(Answer),
    /// Events that could not be written because the supervisor did not read.
    Lost {
        /// How many, since the last such event.
        count: u64,
        /// How many packets the [`Links`](Self::Links) among them told of.
        #[serde(default, skip_serializing_if = "is_zero")]
        links: u64,
    },
    /// The process cannot start, or cannot go on; it ends after this.
    Fatal(Fatal),
    /// The process is ending.
    Stopping {
        /// Why, as a sentence without a full stop.
        reason: String,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Who speaks, and by which clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`](crate::VERSION) of the writer.
    pub contract: u32,
    /// What it is.
    pub role: Role,
    /// Its process id.
    pub pid: u32,
    /// Version of the program.
    pub version: String,
    /// Monotonic clock now.
    pub monotonic: Time,
    /// Wall clock now: nanoseconds since 1970.
    pub wall: u64,
}

/// What a listening socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// The directory's HTTP.
    Http,
    /// Sphinx packets.
    Mix,
    /// A provider's clients.
    Clients,
    /// A client's applications.
    App,
    /// The same at another port, where applications of v0.5 look for it. A client may be without.
    SecondApp,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Http => "http",
            Self::Mix => "mix",
            Self::Clients => "clients",
            Self::App => "app",
            Self::SecondApp => "second-app",
        })
    }
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// What it is for.
    pub endpoint: Endpoint,
    /// Where it really listens.
    pub address: SocketAddr,
    /// The port that was preferred and taken by somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<u16>,
}

/// Who a process is in the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Public keys, base58: one, or as many as a crowd has identities, in the order of their numbers.
    pub public_keys: Vec<String>,
    /// Clients: where to send to, `client@provider`. Known once the provider is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whether the keys were made just now rather than found on disk.
    pub new: bool,
    /// The seed that they were made of, if they were: then they are no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A packet left on a link. It says what an observer of the link sees, and nothing else: no packet
/// id, no kind.
///
/// Each packet is told once by whoever sent it, whatever it is: message, cover or acknowledgement,
/// from node to node, and what was in it once more when a provider pushes it to its client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkEvent {
    /// When it was given to the system, in the call that took the last of it: never after the next hop
    /// had it. Packets of one call are a nanosecond apart, so that on each link of a mixnet a moment is
    /// that of one packet.
    pub t: Time,
    /// Which identity of a crowd it comes from, counted from 1: each is a machine of its own to an
    /// observer. None of any other process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// Where to: the address of a node, or the base58 key of a provider's client.
    pub dst: String,
    /// Bytes of the packet.
    pub bytes: u32,
}

/// Something happened to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEvent {
    /// When.
    pub t: Time,
    /// The message: 32 hexadecimal digits, the same at sender and recipient.
    pub message: String,
    /// What.
    #[serde(flatten)]
    pub stage: MessageStage,
}

/// The stages of a message, as its sender's and its recipient's process see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum MessageStage {
    /// The sender's client accepted it.
    Accepted {
        /// Address of the recipient.
        to: String,
        /// What was sent.
        content: Content,
        /// Packets it takes.
        fragments: u32,
    },
    /// A packet of it left the sender.
    Sent {
        /// Which fragment, from 0.
        fragment: u32,
        /// 1 for the first time.
        attempt: u32,
        /// Addresses of the hops in order: a mixnode of each layer, then the provider.
        route: Vec<String>,
        /// What else the sender knows of the packet; only where tracing is on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace: Option<Box<SentTrace>>,
    },
    /// A fragment's acknowledgement came back to the sender.
    Acknowledged {
        /// Which fragment, from 0.
        fragment: u32,
        /// Which attempt it acknowledges, where tracing is on: the one that carried it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
    },
    /// The sender gave up.
    Failed {
        /// Why, as a sentence without a full stop.
        reason: String,
    },
    /// The whole of it reached the recipient's client: at the moment at which its last part came. That is
    /// told when it is safely stored.
    Received {
        /// What arrived.
        content: Content,
    },
}

/// The answer to a [`Request`](crate::Request).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The request's id.
    pub id: u64,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Done, or begun.
    Done,
    /// A message was accepted for sending.
    Accepted {
        /// Its id: 32 hexadecimal digits.
        message: String,
    },
    /// Messages that were received.
    Inbox {
        /// By their numbers; contents together have at most
        /// [`MAX_CONTENT_BYTES`](crate::MAX_CONTENT_BYTES).
        messages: Vec<InboxMessage>,
        /// Whether more follow after the last of them.
        more: bool,
        /// The greatest number that a message of this inbox ever had; 0 before the first. One that was
        /// damaged and put aside is followed by one that begins anew.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<u64>,
    },
    /// A ping came back.
    Pong {
        /// From the request until the packet left in its slot, in microseconds.
        queued_us: u64,
        /// From there until the packet was back.
        travelled_us: u64,
        /// What of that the packet was told to wait at the mixnodes.
        asked_us: u64,
        /// Addresses of the hops in order: a mixnode of each layer, then the provider.
        route: Vec<String>,
    },
    /// An attack was carried out.
    Attacked {
        /// What was done.
        deed: Deed,
    },
    /// Not done.
    Refused {
        /// Why, as a sentence without a full stop.
        reason: String,
    },
}

/// A message in the inbox of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxMessage {
    /// Its place: each message has a greater one than those that were complete before it.
    pub number: u64,
    /// Its id: 32 hexadecimal digits, the same at sender and recipient.
    pub message: String,
    /// When it was complete: wall clock, milliseconds since 1970.
    pub unix_ms: u64,
    /// What arrived.
    pub content: Content,
}

/// Why a process cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fatal {
    /// What kind of failure.
    pub code: FatalCode,
    /// What was attempted on what, and what went wrong.
    pub message: String,
    /// What the reader can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fatal {
    /// A failure of this kind.
    pub fn new(code: FatalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// With something that the reader can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fatal {}

/// Kinds of failure that end a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FatalCode {
    /// A port that was asked for is taken. Exit code 4.
    PortTaken,
    /// A folder or file cannot be read or written. Exit code 8.
    Storage,
    /// Wrong options. Exit code 2.
    Usage,
    /// Anything else. Exit code 1.
    Other,
}

impl FatalCode {
    /// The exit code of a process that ends because of this.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::PortTaken => 4,
            Self::Storage => 8,
            Self::Usage => 2,
            Self::Other => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, Request};

    /// The lines are an interface that other programs write too: this is their golden form.
    #[test]
    fn lines_have_their_documented_form() {
        let listening = Event::Listening(Listening {
            endpoint: Endpoint::Mix,
            address: "127.0.0.1:9980".parse().expect("an address"),
            instead_of: None,
        });
        let line = r#"{"event":"listening","endpoint":"mix","address":"127.0.0.1:9980"}"#;
        assert_eq!(serde_json::to_string(&listening).expect("JSON"), line);
        assert_eq!(serde_json::from_str::<Event>(line).expect("an event"), listening);

        let sent = Event::Message(MessageEvent {
            t: Time::from_nanos(5),
            message: "00".repeat(16),
            stage: MessageStage::Sent {
                fragment: 0,
                attempt: 1,
                route: vec!["a".into()],
                trace: None,
            },
        });
        let line = serde_json::to_string(&sent).expect("JSON");
        assert_eq!(
            line,
            r#"{"event":"message","t":5,"message":"00000000000000000000000000000000","stage":"sent","fragment":0,"attempt":1,"route":["a"]}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&line).expect("an event"), sent);

        let request = Request {
            id: 7,
            command: Command::Send {
                to: "k@p".into(),
                content: Content::Text("hi".into()),
                message: None,
            },
        };
        let line = r#"{"id":7,"command":"send","to":"k@p","content":{"text":"hi"}}"#;
        assert_eq!(serde_json::to_string(&request).expect("JSON"), line);
        assert_eq!(serde_json::from_str::<Request>(line).expect("a request"), request);

        let sent = |from| LinkEvent { t: Time::from_nanos(5), from, dst: "a".into(), bytes: 2396 };
        let left = Event::Links { links: vec![sent(None), sent(Some(3))], lost: 0 };
        let line = r#"{"event":"links","links":[{"t":5,"dst":"a","bytes":2396},{"t":5,"from":3,"dst":"a","bytes":2396}]}"#;
        assert_eq!(serde_json::to_string(&left).expect("JSON"), line);
        assert_eq!(serde_json::from_str::<Event>(line).expect("an event"), left);

        let answer = Event::Answer(Answer { id: 7, outcome: Outcome::Done });
        let line = r#"{"event":"answer","id":7,"outcome":"done"}"#;
        assert_eq!(serde_json::to_string(&answer).expect("JSON"), line);
        assert_eq!(serde_json::from_str::<Event>(line).expect("an event"), answer);
    }
}
