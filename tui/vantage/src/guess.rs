//! Who writes to somebody, as the observer thinks: a ranking by names.

use std::time::Duration;

use anonymity::Suspects;
use serde::Serialize;

use crate::names::Names;

/// How far back the packets go from which suspects are ranked: as far as other figures. In a minute
/// the odds of delays of before are forgotten.
pub const MEMORY: Duration = crate::vantage::WINDOW;

/// What the observer makes of the packets that somebody got.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guess {
    /// Who got them.
    pub recipient: String,
    /// How many, of the last [`over_s`](Self::over_s) seconds.
    pub packets: u64,
    /// Over how many seconds before now: what is older is forgotten.
    pub over_s: f64,
    /// Everybody else who sends, the likeliest first. The recipient is no suspect: its cover comes back to it.
    pub ranking: Vec<Ranked>,
}

/// A suspect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// Who.
    pub name: String,
    /// Odds to one that it is this one, if exactly one of the others writes.
    pub odds: f64,
    /// The same as a probability.
    pub probability: f64,
    /// Evidence in nats: ln 99 stands for odds of 99 to 1 against chance.
    pub score: f64,
}

impl Guess {
    pub(crate) fn of(suspects: &Suspects, names: &Names) -> Self {
        let ranking = suspects.ranking().into_iter().map(|suspect| Ranked {
            name: names.name(suspect.node).to_owned(),
            odds: suspect.odds(),
            probability: suspect.probability,
            score: suspect.score,
        });
        Self {
            recipient: names.name(suspects.recipient()).to_owned(),
            packets: u64::try_from(suspects.packets()).unwrap_or(u64::MAX),
            over_s: MEMORY.as_secs_f64(),
            ranking: ranking.collect(),
        }
    }

    /// The place of a suspect, from 1.
    pub fn rank(&self, name: &str) -> Option<usize> {
        self.ranking.iter().position(|ranked| ranked.name == name).map(|place| place + 1)
    }
}
