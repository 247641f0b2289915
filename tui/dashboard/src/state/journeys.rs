//! The ways of messages, packet by packet.

mod course;

pub(crate) use course::{Course, Fate, Part, Stop, StopId, Whereabouts};

use std::collections::VecDeque;

use control::{Journey, JourneyEvent};

/// How many packets' ways are kept: a message of a few packets has as many, one of 16 MiB ten thousand.
const MAX_JOURNEYS: usize = 2000;

/// The ways of the latest packets of messages, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journeys(VecDeque<Journey>);

impl Journeys {
    /// Those of a snapshot.
    pub(crate) fn new(journeys: Vec<Journey>) -> Self {
        let skip = journeys.len().saturating_sub(MAX_JOURNEYS);
        Self(journeys.into_iter().skip(skip).collect())
    }

    /// A packet came further.
    pub(crate) fn hear(&mut self, event: JourneyEvent) {
        if let Some(journey) = self.0.iter_mut().rev().find(|journey| journey.is_of(&event)) {
            return journey.add(event.step);
        }
        if self.0.len() == MAX_JOURNEYS {
            self.0.pop_front();
        }
        self.0.push_back(Journey::begin(event));
    }

    /// Those of a message, in the order in which its packets were first heard of.
    pub(crate) fn of<'a>(&'a self, message: &'a str) -> impl Iterator<Item = &'a Journey> {
        self.0.iter().filter(move |journey| journey.message == message)
    }

    /// All of them, the latest first.
    pub(crate) fn latest(&self) -> impl Iterator<Item = &Journey> {
        self.0.iter().rev()
    }
}
