//! What an observer found out, with names: for screens, for the command line, for lessons.

use serde::Serialize;

use crate::change::Changed;
use crate::expected::{Expectation, Settings};
use crate::guess::Guess;
use crate::inside::Inside;
use crate::limits::Limit;
use crate::sending::Sending;
use crate::who::Who;

/// The state of anonymity at one moment. Each figure is one adversary's, over one window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Whose figures these are.
    pub adversary: Who,
    /// Over how many seconds before now.
    pub window_s: f64,
    /// For how many seconds it has watched, if less than the window.
    pub watched_s: f64,
    /// What shortens that: settings that were changed within the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
    /// Everybody who sends.
    pub senders: usize,
    /// Bits at most: log2 of that.
    pub most_bits: f64,
    /// Who sent a packet that came out.
    pub sender: Option<Bits>,
    /// Which packet it was, in bits.
    pub packet_bits: Option<f64>,
    /// The settings on which the expectation rests.
    pub settings: Settings,
    /// What theory expects of the settings.
    pub expected: Expectation,
    /// What theory expects of the rates that were measured; none before there are any.
    pub expected_as_measured: Option<Expectation>,
    /// Packets per second that senders sent.
    pub rate: f64,
    /// Packets per second that providers sent: acknowledgements.
    pub acks: f64,
    /// Packets that wait at a mixnode, on average over time and mixnodes.
    pub pool: Option<f64>,
    /// The mixnodes.
    pub pools: Vec<PoolReport>,
    /// What limits the figures, worst first.
    pub limits: Vec<Limit>,
    /// Why not to believe them, as sentences; empty if nothing speaks against them.
    pub doubts: Vec<String>,
    /// Guesses beside the truth.
    pub calibration: Option<Counted>,
    /// The largest distance of delays at mixnodes from the exponential distribution, 0 to 1.
    pub delay_distance: Option<f64>,
    /// Who writes to the one who was asked for.
    pub guess: Option<Guess>,
    /// What the nodes that work for the observer are worth; none if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<Inside>,
    /// Whether the one who was asked for has something to say.
    pub sending: Option<Sending>,
}

/// How well senders are hidden.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bits {
    /// Shannon entropy in bits, on average over packets.
    pub bits: f64,
    /// In the worst case: −log2 of the likeliest sender's probability, on average over packets.
    pub worst_bits: f64,
    /// Senders among whom one could hide as well: 2 to the power of the bits.
    pub like: f64,
    /// How often naming the likeliest sender is right, as the observer expects it.
    pub top_share: f64,
    /// Packets that were measured.
    pub packets: u64,
}

/// The pool of one mixnode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoolReport {
    /// Which.
    pub node: String,
    /// Its layer, from 1.
    pub layer: u8,
    /// Packets that wait there now, as the observer counts them.
    pub now: u32,
    /// On average over time; none before it was watched.
    pub mean: Option<f64>,
    /// What theory expects of the rate that comes there.
    pub expected: Option<f64>,
    /// Mean bits about which of its packets it was that left.
    pub bits: Option<f64>,
}

/// What came of comparing guesses with the truth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Counted {
    /// Packets whose senders were told.
    pub packets: u64,
    /// What the true sender was given on average.
    pub given: f64,
    /// What the observer expected to give.
    pub expected: f64,
    /// How often the likeliest was the true one.
    pub hits: f64,
    /// How often the observer expected that.
    pub expected_hits: f64,
}
