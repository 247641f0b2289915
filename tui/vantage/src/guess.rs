//! Who writes to somebody, as the observer thinks: a ranking by names.

use anonymity::Suspects;
use serde::Serialize;

use crate::names::Names;

/// What the observer makes of the packets that somebody got.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guess {
    /// Who got them.
    pub recipient: String,
    /// How many.
    pub packets: u64,
    /// Everybody else who sends, the likeliest first.
    pub ranking: Vec<Ranked>,
    /// How well the recipient explains its own packets: its cover comes back to it, so it is no suspect.
    pub own_score: Option<f64>,
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
            packets: suspects.packets(),
            ranking: ranking.collect(),
            own_score: suspects.own_score(),
        }
    }

    /// The place of a suspect, from 1.
    pub fn rank(&self, name: &str) -> Option<usize> {
        self.ranking.iter().position(|ranked| ranked.name == name).map(|place| place + 1)
    }
}
