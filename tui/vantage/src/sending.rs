//! Is somebody sending? A sequential test by name, between the two rates that a client may have.

use std::time::Duration;

use anonymity::theory::cover;
use anonymity::{DECIDED, NodeId, SendingTest, Sends};
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
    /// Odds to one, or one to these, at which an answer counts as one.
    pub bound: f64,
    /// Packets per second that are seen of it when it says nothing.
    pub idle_rate: f64,
    /// Packets per second that are seen of it when it fills each slot with messages.
    pub active_rate: f64,
    /// The share of its packets that the observer sees: all, those on one link, or none.
    pub seen: f64,
    /// Packets that were seen.
    pub packets: u64,
    /// For how many seconds it was watched.
    pub watched_s: f64,
    /// Since when the answer is what it is; none while it is unclear.
    pub decided: Option<Decided>,
    /// About how many seconds a client that sends all the time is to be watched until the answer is
    /// `yes`; none where nobody can tell.
    pub expected_s: Option<f64>,
}

/// What it took to decide.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Decided {
    /// Packets that had been seen by then.
    pub packets: u64,
    /// Seconds that had passed by then.
    pub seconds: f64,
}

impl Sending {
    /// Whether there is anything to find out: whether it sends otherwise when it has something to say.
    pub fn can_be_told(&self) -> bool {
        self.expected_s.is_some()
    }

    /// Packets per second that were seen.
    pub fn rate(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        (self.watched_s > 0.0).then(|| self.packets as f64 / self.watched_s)
    }
}

/// A client that is watched.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) node: NodeId,
    test: SendingTest,
    rates: [f64; 2],
    seen: f64,
    begin: Duration,
    packets: u64,
    /// The answer, and what it took.
    decided: Option<(Sends, Decided)>,
}

impl Watched {
    /// From now on, of whose packets this share is seen. Where slots carry cover both rates are the same, and nothing is ever learned.
    pub(crate) fn new(node: NodeId, settings: &Settings, seen: f64, now: Duration) -> Self {
        let idle = seen * settings.rate_of_one();
        let active = seen * Settings { slot_cover: true, ..*settings }.rate_of_one();
        let test = SendingTest::new(idle, active, now);
        Self { node, test, rates: [idle, active], seen, begin: now, packets: 0, decided: None }
    }

    pub(crate) fn sent(&mut self, t: Duration) {
        // Silence may have decided it before.
        self.look(t);
        self.packets += 1;
        self.test.sent(t);
        self.look(t);
    }

    /// Time has passed.
    pub(crate) fn look(&mut self, now: Duration) {
        let answer = self.test.answer(now);
        self.decided = match self.decided {
            _ if answer == Sends::Unclear => None,
            Some((before, decided)) if before == answer => Some((before, decided)),
            _ => {
                let seconds = now.saturating_sub(self.begin).as_secs_f64();
                Some((answer, Decided { packets: self.packets, seconds }))
            }
        };
    }

    pub(crate) fn tell(&self, name: &str, now: Duration) -> Sending {
        let [idle_rate, active_rate] = self.rates;
        let mut later = self.clone();
        later.look(now);
        Sending {
            name: name.to_owned(),
            odds: self.test.log_odds(now).exp(),
            answer: match self.test.answer(now) {
                Sends::Yes => "yes",
                Sends::No => "no",
                Sends::Unclear => "unclear",
            },
            bound: DECIDED,
            idle_rate,
            active_rate,
            seen: self.seen,
            packets: self.packets,
            watched_s: now.saturating_sub(self.begin).as_secs_f64(),
            decided: later.decided.map(|(_, decided)| decided),
            expected_s: cover::seconds_until(DECIDED, idle_rate, active_rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(slot_cover: bool) -> Settings {
        Settings {
            layers: 3,
            width: 2,
            senders: 10,
            hop_delay_s: 0.2,
            slot_s: 0.5,
            loop_cover_s: 1.0,
            slot_cover,
            acks: false,
        }
    }

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// One packet a second or three: the ratio of each packet is 3, and silence speaks against it with e^2 a
    /// second.
    #[test]
    fn it_is_remembered_what_it_took_to_decide() {
        let mut watched = Watched::new(NodeId(1), &settings(false), 1.0, at(1000));
        for packet in 1..=10 {
            watched.sent(at(1000 + 100 * packet));
        }
        let told = watched.tell("alice", at(2000));
        // ln 3 · n − 0.2 · n ≥ ln 99 for n = 6.
        assert_eq!((told.answer, told.packets), ("yes", 10));
        let decided = told.decided.expect("it is");
        assert_eq!(decided.packets, 6);
        assert!((decided.seconds - 0.6).abs() < 1e-9, "{decided:?}");
        assert!((told.expected_s.expect("it differs") - 3.55).abs() < 0.01, "{told:?}");
        assert!(told.rate().is_some_and(|rate| (rate - 10.0).abs() < 1e-9));
        // Then it is silent for long, and the answer turns.
        let told = watched.tell("alice", at(12_000));
        assert_eq!((told.answer, told.packets), ("no", 10));
    }

    #[test]
    fn where_slots_carry_cover_nobody_can_tell() {
        let mut watched = Watched::new(NodeId(1), &settings(true), 1.0, at(0));
        (0..100).for_each(|packet| watched.sent(at(10 * packet)));
        let told = watched.tell("alice", at(60_000));
        assert_eq!((told.answer, told.decided, told.can_be_told()), ("unclear", None, false));
        assert!((told.odds - 1.0).abs() < 1e-12, "{told:?}");
    }

    /// On one link of two there are half as many, so it takes twice as long; on a link of others nothing is
    /// seen.
    #[test]
    fn one_link_shows_a_part() {
        let told =
            |seen| Watched::new(NodeId(1), &settings(false), seen, at(0)).tell("alice", at(5000));
        let half = told(0.5);
        assert!((half.expected_s.expect("it differs") - 7.1).abs() < 0.02, "{half:?}");
        assert!((half.idle_rate - 0.5).abs() < 1e-12 && (half.active_rate - 1.5).abs() < 1e-12);
        assert!(!told(0.0).can_be_told());
    }
}
