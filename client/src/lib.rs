//! A client: sends messages through the mixnet hidden in a steady stream of cover traffic, and
//! receives them from its provider. What decides is [`Client`], which has no sockets and no clock.

mod engine;
mod outbox;
mod poisson;
mod route;

pub use engine::{Client, Output, Settings};
pub use outbox::{MAX_ATTEMPTS, MAX_QUEUED_BYTES, SendError};
pub use route::NoRoute;
