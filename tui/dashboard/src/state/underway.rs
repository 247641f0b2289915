//! Where packets of messages are shown on the map.
//!
//! Their ways are reported while they travel, and a packet is at the next hop long before anybody could
//! have seen it go. So each is shown later and slower than it was, hop after hop in the order that the
//! nodes told; nothing is shown that was not told.

use std::time::Duration;

use contract::Time;
use control::{Journey, JourneyStep, Way};

use super::Journeys;
use super::link::CROSSING;

/// What is told of a hop is known so much later: nodes report ten times a second, and the supervisor
/// joins what several of them say.
const TOLD_WITHIN: Duration = Duration::from_millis(400);

/// How long a packet stays where its way ended.
const LINGER: Duration = Duration::from_millis(1500);

/// How long one is shown where it was seen last. The mean delay of a hop is far less.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// How many of the latest ways are looked at. A long message has thousands of packets; the map has
/// room for a few.
const MOST_WAYS: usize = 64;

/// How many packets are shown at once.
const MOST_SHOWN: usize = 16;

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cargo {
    /// A part of a message.
    Message,
    /// An acknowledgement.
    Acknowledgement,
}

/// Where a packet is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place<'a> {
    /// At a node: it waits there, or its way ended there.
    At(&'a str),
    /// On a link.
    Between {
        /// Where it left.
        from: &'a str,
        /// Where it goes.
        to: &'a str,
        /// How far it has come, from 0 to 1.
        way: f64,
    },
}

/// A packet of a message on the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Underway<'a> {
    /// What it carries.
    pub(crate) cargo: Cargo,
    /// Where it is shown.
    pub(crate) place: Place<'a>,
}

impl Journeys {
    /// The packets of messages that are shown on the map now.
    pub(crate) fn underway(&self, now: Time) -> Vec<Underway<'_>> {
        let latest = self.latest().take(MOST_WAYS);
        let packets = latest.flat_map(|journey| {
            [Way::There, Way::Back].into_iter().filter_map(move |way| shown(journey, way, now))
        });
        packets.take(MOST_SHOWN).collect()
    }
}

/// Where the packet of a journey that goes this way is shown; none before its start and after its end.
fn shown(journey: &Journey, way: Way, now: Time) -> Option<Underway<'_>> {
    let cargo = match way {
        Way::There => Cargo::Message,
        Way::Back => Cargo::Acknowledgement,
    };
    let old = journey
        .steps
        .last()
        .is_none_or(|last| now.saturating_since(last.at()) > LOST_AFTER + CROSSING * (2 * 8));
    if old {
        return None;
    }
    let mut place = None;
    // When it is free to go on, and whether it will.
    let (mut free, mut ended) = (Time::default(), false);
    let mut provider = None;
    for step in &journey.steps {
        let leg = match step {
            JourneyStep::Sent { t, node, route, .. } if way == Way::There => {
                route.first().map(|hop| (*t, node.as_str(), hop.node.as_str()))
            }
            JourneyStep::AckSent { t, node, to, .. } if way == Way::Back => {
                Some((*t, node.as_str(), to.as_str()))
            }
            JourneyStep::Passed { way: taken, node, left, to, .. } if *taken == way => {
                Some((*left, node.as_str(), to.as_str()))
            }
            JourneyStep::Kept { way: taken, node, .. } if *taken == way => {
                provider = Some(node.as_str());
                None
            }
            JourneyStep::Dropped { way: taken, .. } if *taken == way => {
                ended = true;
                None
            }
            JourneyStep::Opened { t, node } if way == Way::There => {
                ended = true;
                provider.map(|provider| (*t, provider, node.as_str()))
            }
            JourneyStep::Acknowledged { t, node } if way == Way::Back => {
                ended = true;
                provider.map(|provider| (*t, provider, node.as_str()))
            }
            _ => None,
        };
        let Some((left, from, to)) = leg else { continue };
        let start = (left + TOLD_WITHIN).max(free);
        if now < start {
            // It waits where it is; at its sender it is not yet underway.
            return place.map(|_| Underway { cargo, place: Place::At(from) });
        }
        free = start + CROSSING;
        if now < free {
            let way = now.saturating_since(start).as_secs_f64() / CROSSING.as_secs_f64();
            return Some(Underway { cargo, place: Place::Between { from, to, way } });
        }
        place = Some(Place::At(to));
    }
    let stays = if ended { LINGER } else { LOST_AFTER };
    let place = place.filter(|_| now.saturating_since(free) < stays)?;
    Some(Underway { cargo, place })
}

#[cfg(test)]
mod tests {
    use contract::Print;
    use control::{JourneyEvent, PlannedHop};

    use super::*;

    const PRINT: Print = Print { header: [0; 8], first: [0; 16] };

    fn at(ms: u64) -> Time {
        Time::default() + Duration::from_millis(ms)
    }

    fn passed(node: &str, came: u64, left: u64, to: &str) -> JourneyStep {
        JourneyStep::Passed {
            way: Way::There,
            node: node.into(),
            came: at(came),
            left: at(left),
            asked_us: (left - came) * 1000,
            before: PRINT,
            after: PRINT,
            to: to.into(),
            pool: 3,
        }
    }

    fn journeys(steps: Vec<JourneyStep>) -> Journeys {
        let mut journeys = Journeys::default();
        for step in steps {
            journeys.hear(JourneyEvent { message: "m".into(), fragment: 0, attempt: 1, step });
        }
        journeys
    }

    fn place(journeys: &Journeys, now: u64) -> Option<Place<'_>> {
        let shown = journeys.underway(at(now));
        assert!(shown.len() <= 1, "{shown:?}");
        shown.first().map(|underway| underway.place)
    }

    #[test]
    fn a_packet_goes_from_hop_to_hop_as_it_was_told_and_never_faster_than_it_can_be_followed() {
        let route = ["mix-1-1", "mix-2-2", "provider-1"];
        let hop = |node: &&str| PlannedHop { node: (*node).into(), asked_us: None };
        let journeys = journeys(vec![
            JourneyStep::Sent {
                t: at(1000),
                node: "alice".into(),
                packet: PRINT,
                route: route.iter().map(hop).collect(),
                back: vec![],
            },
            passed("mix-1-1", 1001, 1051, "mix-2-2"),
            passed("mix-2-2", 1052, 4000, "provider-1"),
            JourneyStep::Kept {
                way: Way::There,
                node: "provider-1".into(),
                came: at(4001),
                stored: at(4002),
                before: PRINT,
                client: "bob".into(),
            },
            JourneyStep::Opened { t: at(4003), node: "bob".into() },
        ]);
        let between = |from, to, way| Some(Place::Between { from, to, way });
        assert_eq!(place(&journeys, 1399), None, "not yet underway");
        assert_eq!(place(&journeys, 1850), between("alice", "mix-1-1", 0.5));
        // It had left after 50 ms, and is shown to leave when it is shown to have come.
        assert_eq!(place(&journeys, 2300), between("mix-1-1", "mix-2-2", 0.0));
        assert_eq!(place(&journeys, 3500), Some(Place::At("mix-2-2")), "it waits");
        assert_eq!(place(&journeys, 4850), between("mix-2-2", "provider-1", 0.5));
        assert_eq!(place(&journeys, 5750), between("provider-1", "bob", 0.5));
        assert_eq!(place(&journeys, 6300), Some(Place::At("bob")));
        assert_eq!(place(&journeys, 7800), None, "it arrived");
    }

    #[test]
    fn one_that_is_not_heard_of_again_is_forgotten() {
        let journeys = journeys(vec![passed("mix-1-1", 1000, 2000, "mix-2-2")]);
        assert_eq!(place(&journeys, 9000), Some(Place::At("mix-2-2")));
        assert_eq!(place(&journeys, 14_000), None);
    }

    #[test]
    fn a_long_message_does_not_fill_the_map() {
        let mut journeys = Journeys::default();
        for fragment in 0..500 {
            let step = passed("mix-1-1", 1000, 2000, "mix-2-2");
            journeys.hear(JourneyEvent { message: "m".into(), fragment, attempt: 1, step });
        }
        assert_eq!(journeys.underway(at(2500)).len(), MOST_SHOWN);
    }
}
