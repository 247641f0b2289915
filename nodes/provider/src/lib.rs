//! A provider: stores what the mixnet brings for its clients until they have it, and acknowledges
//! what is stored.
//!
//! What decides is [`Provider`], what stores is [`Mailbox`]; [`run`] puts sockets and a clock
//! around them.

mod args;
mod engine;
mod mailbox;
mod presence;
mod server;
mod sessions;
mod storage;

pub use args::ProviderArgs;
pub use engine::{AckToSend, Arrival, Counters, DropReason, Parcel, PreparedAck, Provider};
pub use mailbox::{
    Amount, Batch, MAX_CLIENTS, MAX_NAMED_CLIENTS, MAX_WAITING, MAX_WAITING_PER_CLIENT, Mailbox,
    MailboxError, Opened, Protocol, Quotas, Registration, Stored,
};
pub use server::run;
