//! What a supervisor and a process say to each other: JSON lines over the three standard streams.
//!
//! * **stdin** of the process is the lifeline and carries [`Request`]s. End of file means that the
//!   supervisor is gone: the process stops at once.
//! * **stdout** carries [`Event`]s, the first being [`Event::Hello`].
//! * **stderr** is the log, for people.
//!
//! This crate is types only: no clock, no I/O, no runtime. Unknown fields are ignored, so that an
//! older reader understands a newer writer of the same [`VERSION`].

mod attack;
mod command;
mod content;
mod duration;
mod event;
mod metrics;
mod rates;
mod time;
mod trace;
mod transit;

pub use attack::{Attack, Deed, MAX_COPIES, MAX_HOLD_MS, MAX_WAIT_MS, PacketPart};
pub use command::{Command, Request};
pub use content::{Content, ContentError};
pub use duration::{DurationError, parse_duration};
pub use event::{
    Answer, Endpoint, Event, Fatal, FatalCode, Hello, Identity, InboxMessage, LinkEvent, Listening,
    MessageEvent, MessageStage, Outcome, Role,
};
pub use metrics::{Lateness, MailboxCounters, NodeMetrics, TrafficCounters};
pub use rates::{Change, Rates};
pub use time::Time;
pub use trace::{AckPlan, AckTrace, PacketTrace, Print, PrintError, SentTrace};
pub use transit::Transits;

/// Version of the contract. It changes when a reader of the old one would misunderstand.
pub const VERSION: u32 = 1;

/// The largest message, in bytes, that a client accepts for sending: 16 MiB are 10 559 packets, which
/// take a minute and a half hour at a slot of 5 and of 500 ms.
pub const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// Bytes of a message that one packet carries: what the fixed length of packets leaves. The wire says
/// so; `client` does not compile where it says otherwise.
pub const MESSAGE_BYTES_PER_PACKET: usize = 1589;

/// The largest content, in bytes, that a line carries. Applications send and get longer messages on
/// the client's own socket.
pub const MAX_CONTENT_BYTES: usize = 1 << 20;

/// The longest line, in bytes, that either side reads: the largest content with every byte of it
/// escaped (`\u0001` is six bytes for one), and its frame.
pub const MAX_LINE_BYTES: usize = 6 * MAX_CONTENT_BYTES + 64 * 1024;
