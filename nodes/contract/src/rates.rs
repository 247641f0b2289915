//! Rates: how fast packets are sent and how long they wait.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Mean intervals of the exponential distributions that shape traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// Mean delay at a mixnode.
    pub hop_delay: Duration,
    /// Mean interval of a client's send slots. A slot carries a real packet if one waits, else cover.
    pub slot: Duration,
    /// Mean interval of a client's independent loop cover.
    pub loop_cover: Duration,
}
