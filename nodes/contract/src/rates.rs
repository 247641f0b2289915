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
    /// Whether a slot without a message carries cover. Without it a client sends more when it has
    /// something to say, and who watches its line sees that.
    #[serde(default = "yes")]
    pub slot_cover: bool,
}

fn yes() -> bool {
    true
}

/// What is to be different in a running network. What is not named stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Mean delay at a mixnode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop_delay: Option<Duration>,
    /// Mean interval of a client's send slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Duration>,
    /// Mean interval of a client's loop cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_cover: Option<Duration>,
    /// Whether a slot without a message carries cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_cover: Option<bool>,
    /// Crowds: how many identities there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowd: Option<u16>,
}

impl Change {
    /// These rates with the change.
    #[must_use]
    pub fn applied_to(&self, rates: Rates) -> Rates {
        Rates {
            hop_delay: self.hop_delay.unwrap_or(rates.hop_delay),
            slot: self.slot.unwrap_or(rates.slot),
            loop_cover: self.loop_cover.unwrap_or(rates.loop_cover),
            slot_cover: self.slot_cover.unwrap_or(rates.slot_cover),
        }
    }
}
