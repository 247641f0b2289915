//! A mixnode: takes Sphinx packets, removes one layer of encryption, lets them wait as long as their
//! header asks, and passes them on to the next layer.
//!
//! What decides is [`Mixnode`], which has no sockets and no clock; [`run`] puts both around it.

mod args;
mod counters;
mod engine;
mod replays;
mod report;
mod server;
mod worker;

pub use args::MixnodeArgs;
pub use counters::{Counters, DropReason};
pub use engine::{Departure, MAX_DELAY, MAX_POOL, Mixnode, UNKNOWN_HOP_HOLD};
pub use replays::Replays;
pub use server::run;
