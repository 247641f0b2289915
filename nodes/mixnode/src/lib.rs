//! A mixnode: takes Sphinx packets, removes one layer of encryption, lets them wait as long as their
//! header asks, and passes them on to the next layer.
//!
//! What decides is [`Mixnode`], which has no sockets and no clock; [`run`] puts both around it.

mod args;
mod engine;
mod server;

pub use args::MixnodeArgs;
pub use engine::{Counters, DropReason, MAX_DELAY, MAX_POOL, Mixnode, Output, UNKNOWN_HOP_HOLD};
pub use server::run;
