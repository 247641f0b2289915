//! Sphinx packets: building them and taking off one layer, and sealing to a recipient.
//!
//! The only crate that knows `sphinx-packet`; none of its types leaks, so that builder and hop
//! processor can be replaced here without anybody noticing.

mod build;
mod hop;
mod key;
mod seal;

pub use build::{BuildError, Hop, Route, ack_packet, build_header, build_packet};
pub use hop::{HopProcessor, UnwrapError, Unwrapped, recover_plaintext};
pub use key::PrivateKey;
pub use seal::{SealError, open, seal};

/// Most hops of a route: mixnodes and the provider. A Sphinx header has room for no more.
pub const MAX_HOPS: usize = sphinx_packet::constants::MAX_PATH_LENGTH;
