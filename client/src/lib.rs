//! A client: sends messages through the mixnet hidden in a steady stream of cover traffic, and
//! receives them from its provider.
//!
//! What decides is [`Client`], which has no sockets and no clock; [`run_client`] puts both around
//! it, and [`run_crowd`] around many.

mod application;
mod args;
mod engine;
mod identity;
mod inbox;
mod outbox;
mod poisson;
mod provider_link;
mod route;
mod server;

pub use args::{ClientArgs, CrowdArgs, Switch, TrafficArgs};
pub use engine::{Client, Output, Settings};
pub use outbox::{MAX_ATTEMPTS, MAX_QUEUED_FRAGMENTS, ROUTE_PATIENCE, SendError};
pub use route::NoRoute;
pub use server::{run_client, run_crowd};
