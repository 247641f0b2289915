//! A client: sends messages through the mixnet hidden in a steady stream of cover traffic, and
//! receives them from its provider.
//!
//! What decides is [`Client`], which has no sockets, no clock and no disk; [`run_client`] puts these
//! around it, or around a crowd of them.

mod applications;
mod args;
mod asks;
mod choice;
mod choices;
mod crowd;
mod engine;
mod health;
mod identity;
mod outbox;
mod poisson;
mod provider_link;
mod route;
mod server;
mod storage;

pub use args::{APPLICATIONS_PORT, ClientArgs, SocketType, Switch};
pub use engine::{
    Client, ComposeError, Composed, MAX_PINGS, Output, PingError, PingId, Settings, SkipError,
    Skipping,
};
pub use outbox::{
    Destination, MAX_ATTEMPTS, MAX_QUEUED_BYTES, MAX_QUEUED_MESSAGES, Outgoing, PATIENCE, Room,
    SendError,
};
pub use route::NoRoute;
pub use server::run_client;
pub use storage::{Amount, Kept, MessageFile, Received, StorageError};
