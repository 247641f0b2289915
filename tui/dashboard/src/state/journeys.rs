//! The ways of messages, packet by packet.

mod course;

pub(crate) use course::{Course, Fate, Part, Stop, StopId, Whereabouts};

use std::collections::{HashMap, VecDeque};

use control::{Journey, JourneyEvent};

/// How many packets' ways are kept: a message of a few packets has as many, one of 16 MiB ten thousand.
const MAX_JOURNEYS: usize = 2000;

/// The ways of the latest packets of messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journeys {
    /// Oldest first, without gaps in their numbers.
    kept: VecDeque<Journey>,
    /// The number of the oldest.
    first: u64,
    /// Numbers of those of each message, oldest first: who asks at each event and each frame does not look
    /// through all.
    of: HashMap<String, VecDeque<u64>>,
}

impl Journeys {
    /// Those of a snapshot.
    pub(crate) fn new(journeys: Vec<Journey>) -> Self {
        let skip = journeys.len().saturating_sub(MAX_JOURNEYS);
        let mut new = Self::default();
        journeys.into_iter().skip(skip).for_each(|journey| new.push(journey));
        new
    }

    /// A packet came further.
    pub(crate) fn hear(&mut self, event: JourneyEvent) {
        let of_message = self.of.get(&event.message).into_iter().flatten();
        let mut places = of_message.rev().map(|number| self.place(*number));
        match places.find(|place| self.kept.get(*place).is_some_and(|known| known.is_of(&event))) {
            Some(place) => self.kept[place].add(event.step),
            None => self.push(Journey::begin(event)),
        }
    }

    fn push(&mut self, journey: Journey) {
        if self.kept.len() == MAX_JOURNEYS {
            self.forget_oldest();
        }
        let number = self.first + self.kept.len() as u64;
        self.of.entry(journey.message.clone()).or_default().push_back(number);
        self.kept.push_back(journey);
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.kept.pop_front() else { return };
        self.first += 1;
        if let Some(numbers) = self.of.get_mut(&oldest.message) {
            numbers.pop_front();
            if numbers.is_empty() {
                self.of.remove(&oldest.message);
            }
        }
    }

    /// Where the one with this number is kept.
    fn place(&self, number: u64) -> usize {
        usize::try_from(number - self.first).unwrap_or(usize::MAX)
    }

    /// Those of a message, in the order in which its packets were first heard of.
    pub(crate) fn of(&self, message: &str) -> impl Iterator<Item = &Journey> + use<'_> {
        let numbers = self.of.get(message).into_iter().flatten();
        numbers.filter_map(|number| self.kept.get(self.place(*number)))
    }

    /// All of them, the latest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Journey> {
        self.kept.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use contract::Time;
    use control::JourneyStep;

    use super::*;

    fn event(message: usize, fragment: u32, at: u64) -> JourneyEvent {
        let step = JourneyStep::Opened { t: Time::from_nanos(at), node: "bob".into() };
        JourneyEvent { message: message.to_string(), fragment, attempt: 1, step }
    }

    /// Those of a message as they are found, which are those that a look at all of them finds.
    #[track_caller]
    fn of(journeys: &Journeys, message: usize) -> Vec<(u32, usize)> {
        let message = message.to_string();
        let found: Vec<&Journey> = journeys.of(&message).collect();
        let mut all: Vec<_> = journeys.latest().filter(|of| of.message == message).collect();
        all.reverse();
        assert_eq!(found, all);
        found.iter().map(|journey| (journey.fragment, journey.steps.len())).collect()
    }

    #[test]
    fn steps_come_to_their_packets_however_many_others_there_are() {
        let mut journeys = Journeys::new(vec![Journey::begin(event(0, 1, 1))]);
        for message in 0..100 {
            for fragment in [0, 1] {
                journeys.hear(event(message, fragment, 2));
            }
        }
        journeys.hear(event(0, 0, 3));
        assert_eq!(of(&journeys, 0), [(1, 2), (0, 2)], "in the order in which they were heard of");
        assert_eq!(of(&journeys, 99), [(0, 1), (1, 1)]);
        assert_eq!(of(&journeys, 100), []);
    }

    #[test]
    fn the_oldest_are_forgotten_and_may_come_again() {
        let mut journeys = Journeys::default();
        for message in 0..MAX_JOURNEYS + 2 {
            journeys.hear(event(message, 0, 1));
        }
        assert_eq!((journeys.latest().count(), journeys.of.len()), (MAX_JOURNEYS, MAX_JOURNEYS));
        assert_eq!((of(&journeys, 1), of(&journeys, 2)), (vec![], vec![(0, 1)]));
        journeys.hear(event(1, 0, 2));
        journeys.hear(event(MAX_JOURNEYS, 0, 2));
        assert_eq!((of(&journeys, 1), of(&journeys, 2)), (vec![(0, 1)], vec![]));
        assert_eq!(of(&journeys, MAX_JOURNEYS), [(0, 2)]);
        let many = (0..MAX_JOURNEYS + 5).map(|message| Journey::begin(event(message, 0, 1)));
        let journeys = Journeys::new(many.collect());
        assert_eq!((of(&journeys, 4), of(&journeys, 5)), (vec![], vec![(0, 1)]));
    }
}
