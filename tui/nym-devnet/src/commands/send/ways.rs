//! The ways of messages that are followed, until everything is told of them.

use std::collections::VecDeque;
use std::time::Duration;

use control::{Journey, JourneyEvent, MessageStatus};
use tokio::time::Instant;

/// Ways that are kept: as many as the supervisor remembers, for those of other senders are among them.
const MAX_JOURNEYS: usize = 512;

/// How long after a message's end the nodes on its way are waited for. They tell every tenth of a
/// second; one that is silent would be waited for in vain.
const LATE: Duration = Duration::from_secs(1);

/// What is known of the ways of messages.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// None before the devnet has told.
    traced: Option<bool>,
    /// Oldest first.
    journeys: VecDeque<Journey>,
    over: Vec<Over>,
}

/// A message that is over, while nodes may still tell of it.
#[derive(Clone, Debug)]
pub(super) struct Over {
    pub(super) number: u32,
    pub(super) status: MessageStatus,
    /// Whether each of its packets has one way that is wholly told.
    is_told: bool,
    until: Instant,
}

impl Ways {
    /// The state of the devnet, in place of what was known.
    pub(super) fn begin(&mut self, traced: bool, journeys: Vec<Journey>) {
        self.traced = Some(traced);
        self.journeys = journeys.into();
        self.bound();
        for over in &mut self.over {
            over.is_told = is_told(&self.journeys, &over.status);
        }
    }

    /// A packet came further.
    pub(super) fn hear(&mut self, event: JourneyEvent) {
        let message = event.message.clone();
        match self.journeys.iter_mut().rev().find(|journey| journey.is_of(&event)) {
            Some(journey) => journey.add(event.step),
            None => self.journeys.push_back(Journey::begin(event)),
        }
        self.bound();
        // Not of all: of fast senders there are hundreds, and each has twenty such events.
        for over in self.over.iter_mut().filter(|over| over.status.id == message) {
            over.is_told = is_told(&self.journeys, &over.status);
        }
    }

    /// The message is over, and its way is to be told.
    pub(super) fn wait_for(&mut self, now: Instant, number: u32, status: MessageStatus) {
        if self.traced == Some(true) {
            let is_told = is_told(&self.journeys, &status);
            self.over.push(Over { number, status, is_told, until: now + LATE });
        }
    }

    /// Those of which everything is told, or has been waited for long enough.
    pub(super) fn take_told(&mut self, now: Instant) -> Vec<Over> {
        let over = std::mem::take(&mut self.over);
        let (told, over) = over.into_iter().partition(|over| over.until <= now || over.is_told);
        self.over = over;
        told
    }

    /// How many are waited for.
    pub(super) fn open(&self) -> usize {
        self.over.len()
    }

    /// When the next is no longer waited for.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.over.iter().map(|over| over.until).min()
    }

    /// Whether nodes of the devnet tell of packets.
    pub(super) fn traced(&self) -> Option<bool> {
        self.traced
    }

    /// Those of a message, in the order in which its packets left.
    pub(super) fn of<'a>(&'a self, message: &'a str) -> impl Iterator<Item = &'a Journey> {
        self.journeys.iter().filter(move |journey| journey.message == message)
    }

    fn bound(&mut self) {
        self.journeys.drain(..self.journeys.len().saturating_sub(MAX_JOURNEYS));
    }
}

/// Whether each packet has one way that is wholly told.
fn is_told(journeys: &VecDeque<Journey>, status: &MessageStatus) -> bool {
    let is_whole = |journey: &Journey| journey.timeline().is_some_and(|line| line.is_complete());
    let followed = status.packets.iter().zip(0..control::FOLLOWED_PACKETS);
    followed.into_iter().all(|(_, fragment)| {
        let is_its =
            |journey: &&Journey| journey.fragment == fragment && journey.message == status.id;
        journeys.iter().filter(is_its).any(is_whole)
    })
}

#[cfg(test)]
mod tests {
    use control::MessageState;

    use super::super::steps::tests::status;
    use super::super::way::tests::{opened, whole};
    use super::*;

    #[tokio::test]
    async fn a_way_is_told_when_nothing_is_missing_or_after_a_while() {
        let now = Instant::now();
        let mut ways = Ways::default();
        ways.wait_for(now, 1, status("m", MessageState::Acknowledged, Some(5.0)));
        assert_eq!(ways.next_deadline(), None, "nobody has said that there will be one");

        ways.begin(true, vec![whole("m", 0), whole("other", 0)]);
        let done = status("m", MessageState::Acknowledged, Some(5.0));
        ways.wait_for(now, 1, done.clone());
        assert!(ways.take_told(now).is_empty(), "the second packet is missing");
        assert_eq!(ways.next_deadline(), Some(now + LATE));
        let whole = whole("m", 1);
        for step in whole.steps {
            ways.hear(JourneyEvent { message: "m".into(), fragment: 1, attempt: 1, step });
        }
        let told = ways.take_told(now);
        assert_eq!((told.len(), told[0].number, ways.of("m").count()), (1, 1, 2));

        ways.wait_for(now, 2, status("silent", MessageState::Failed, None));
        assert!(ways.take_told(now).is_empty());
        assert_eq!(ways.take_told(now + LATE)[0].number, 2);
        assert_eq!(ways.next_deadline(), None);
        for number in 0..2000_u32 {
            let message = number.to_string();
            ways.hear(JourneyEvent { message, fragment: 0, attempt: 1, step: opened() });
        }
        assert_eq!(ways.journeys.len(), MAX_JOURNEYS);
    }
}
