//! A provider: stores what the mixnet brings for its clients until they have it, and acknowledges
//! what is stored.
//!
//! What decides is [`Provider`], what stores is [`Mailbox`]; [`run`] puts sockets and a clock
//! around them.

mod args;
mod engine;
mod mailbox;
mod server;
mod session;
mod storage;

pub use args::ProviderArgs;
pub use engine::{AckToSend, Counters, DropReason, Parcel, PreparedAck, Provider};
pub use mailbox::{MAX_CLIENTS, MAX_WAITING_PER_CLIENT, Mailbox, MailboxError, Stored};
pub use server::run;
