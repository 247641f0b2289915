//! Is somebody sending? A sequential test by name, between the two rates that a client may have.

use std::time::Duration;

use anonymity::{NodeId, SendingTest, Sends};
use serde::Serialize;

use crate::expected::Settings;

/// What the test says of a client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sending {
    /// Whom it is about.
    pub name: String,
    /// Odds to one that it has something to say; below one that it has not.
    pub odds: f64,
    /// What that means: `yes`, `no` at 99 to 1, else `unclear`.
    pub answer: &'static str,
    /// Packets per second that it sends when it says nothing.
    pub idle_rate: f64,
    /// Packets per second that it sends when it fills each slot with messages.
    pub active_rate: f64,
}

/// A client that is watched.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) node: NodeId,
    test: SendingTest,
    rates: [f64; 2],
}

impl Watched {
    /// From now on. Where slots carry cover both rates are the same, and nothing is ever learned.
    pub(crate) fn new(node: NodeId, settings: &Settings, now: Duration) -> Self {
        let idle = settings.rate_of_one();
        let active = Settings { slot_cover: true, ..*settings }.rate_of_one();
        Self { node, test: SendingTest::new(idle, active, now), rates: [idle, active] }
    }

    pub(crate) fn sent(&mut self, t: Duration) {
        self.test.sent(t);
    }

    pub(crate) fn tell(&self, name: &str, now: Duration) -> Sending {
        let [idle_rate, active_rate] = self.rates;
        Sending {
            name: name.to_owned(),
            odds: self.test.log_odds(now).exp(),
            answer: match self.test.answer(now) {
                Sends::Yes => "yes",
                Sends::No => "no",
                Sends::Unclear => "unclear",
            },
            idle_rate,
            active_rate,
        }
    }
}
