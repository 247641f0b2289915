//! Sphinx packets: building them and taking off one layer, and sealing to a recipient.
//!
//! The formats are those of the crate `sphinx-packet` 0.8, against which the tests compare every
//! byte. What is done here is done faster, and without allocating.

mod build;
mod hop;
mod hop_keys;
mod key;
mod node_keys;
mod own_seal;
mod print;
mod replay;
mod reply;
mod seal;
mod x25519;

pub use build::{BuildError, Hop, PacketBuilder, Route, ack_packet, build_packet};
pub use hop::{BATCH, HopProcessor, UnwrapError, Unwrapped, recover_plaintext};
pub use hop_keys::ReplayTag;
pub use key::PrivateKey;
pub use own_seal::OwnSeal;
pub use print::print_of;
pub use replay::{MIN_REMEMBERED, ReplaySet};
pub use seal::{SealError, open, seal};
pub use wire::MAX_HOPS;
