//! A mixnode: takes Sphinx packets, removes one layer of encryption, lets them wait as long as their
//! header asks, and passes them on to the next layer. What decides is [`Mixnode`], which has no
//! sockets and no clock.

mod engine;

pub use engine::{
    Counters, DropReason, MAX_DELAY, MAX_POOL, Mixnode, Output, UNKNOWN_HOP_HOLD,
    VANISHED_HOP_GRACE,
};
