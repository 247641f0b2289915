//! The control interface of a running devnet: what its supervisor tells and can be asked.
//!
//! HTTP with JSON on a Unix socket in the devnet's folder (see [`paths`]). Everything that a front
//! end shows comes from one numbered stream of [`Envelope`]s that begins with a snapshot; everything
//! that it can ask is a request here. The command line, the dashboard and scripts use the same.

mod attack;
mod client;
mod event;
mod history;
mod identity;
mod journey;
mod recording;
mod request;
mod share;
mod status;
mod text;
mod truth;

pub use attack::{
    Alone, AttackDeed, AttackEnd, AttackPlan, AttackRequest, AttackStatus, DropsCounted,
    HEADER_BIT, IGNORED_HEADER_BIT, Isolation, MAX_ATTACKS, REMEMBERED_ATTACKS, Sighting, Verdict,
};
pub use client::{ControlClient, ControlError, EventStream, MAX_EVENT_BYTES};
pub use event::{DirectoryState, Envelope, LogLine, ReceivedMessage, StreamEvent, missed};
pub use history::{History, NodeHistory};
pub use identity::{identity_name, identity_of};
pub use journey::{
    FOLLOWED_PACKETS, Journey, JourneyEvent, JourneyStep, Leg, LegEnd, Place, PlannedHop, Stay,
    Stretch, Timeline, Way,
};
pub use recording::{Recording, RecordingError};
pub use request::{
    AddRequest, DownReport, DownRequest, Failure, FailureCode, INBOX_TIMEOUT, Inbox, InboxMessage,
    NodeAction, PingRequest, Pong, SendRequest, SendWait, SetRequest, paths,
};
pub use share::Share;
pub use status::{
    DevnetInfo, MessageState, MessageStatus, NodeRates, NodeStatus, PacketStatus, ProcessUsage,
    STOPS_WITH_ALL, Snapshot, State,
};
pub use truth::{Came, Carried, Origin, Passage};

pub use text::{
    SHOWN_ARGUMENT_CHARS, SHOWN_NAME_CHARS, shell_text, shell_word, shown_argument, shown_name,
    visible,
};

/// How much of a log line is shown, in bytes of what its process wrote; the rest is only in the file. A
/// line that was cut ends with `…`.
pub const LOG_LINE_BYTES: usize = 2048;

/// How much of a message is shown while it is on its way, in bytes. A received message is shown
/// whole, if a line has room for it.
pub const PREVIEW_BYTES: usize = 1024;
