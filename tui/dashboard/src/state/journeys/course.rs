//! The stops of one packet in order: those that told what they saw of it, those that told nothing, and
//! those that it has yet to reach.

use std::time::Duration;

use contract::{Print, Time};
use control::{Journey, JourneyStep, PlannedHop, Way};

/// How long after it was due somewhere a packet is still taken to be underway: nodes tell what they saw
/// every tenth of a second, and a busy machine is late.
const OVERDUE_AFTER: Duration = Duration::from_secs(2);

/// What a stop is for the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// Where it comes from.
    Sender,
    /// A mixnode.
    Mixnode,
    /// The provider that keeps it for a client.
    Mailbox,
    /// Who opens it.
    Recipient,
    /// The provider that sends the acknowledgement.
    AckSource,
    /// The sender, who is told that it arrived.
    Acknowledged,
}

/// Which stop of a packet: it stays the same while more becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StopId {
    /// Which way.
    pub(crate) way: Way,
    /// What it is.
    pub(crate) part: Part,
    /// Of mixnodes: the how many-th on this way, from 1. Of others 0.
    pub(crate) hop: usize,
}

/// What a stop told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told<'a> {
    /// When the packet came.
    pub(crate) came: Time,
    /// When it went on, or was done with.
    pub(crate) left: Time,
    /// As it came.
    pub(crate) before: Option<Print>,
    /// As it went.
    pub(crate) after: Option<Print>,
    /// Where it went to.
    pub(crate) to: Option<&'a str>,
    /// How many others waited.
    pub(crate) pool: Option<u32>,
}

/// What is known of a packet at a stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate<'a> {
    /// It was there.
    Told(Told<'a>),
    /// It ended there.
    Dropped {
        /// When.
        t: Time,
        /// Why, in the word of the node's counters.
        reason: &'a str,
    },
    /// It must have been there, for it was seen later; the stop told nothing.
    Silent,
    /// Nothing was heard of it there so far. Where the header says how long it waits before, from when
    /// until when it should be there.
    Ahead {
        /// When it should come and go.
        due: Option<(Time, Time)>,
    },
}

/// A stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop<'a> {
    /// Which one.
    pub(crate) id: StopId,
    /// Its name; none while nobody but a hop before knows.
    pub(crate) node: Option<&'a str>,
    /// How long its header asks it to wait there, in microseconds.
    pub(crate) asked_us: Option<u64>,
    /// What is known of it there.
    pub(crate) fate: Fate<'a>,
}

/// Where a packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// Everything that was to happen has.
    Done,
    /// It was given up at this stop.
    Dropped(usize),
    /// It is, or should be, at this stop or on the link to it.
    Underway(usize),
    /// It is stored, and its recipient has not come for it.
    Stored(usize),
    /// It should have been seen at this stop, and was not for so long.
    Overdue(usize, Duration),
}

/// The stops of a packet.
#[derive(Clone, Debug)]
pub(crate) struct Course<'a> {
    /// In order: there, then back.
    pub(crate) stops: Vec<Stop<'a>>,
    /// When it left, or the first that is known of it.
    pub(crate) start: Time,
    /// Whether it is a reply: its sender knows only the first hop.
    pub(crate) is_reply: bool,
}

impl<'a> Course<'a> {
    /// The stops of a packet to this recipient.
    pub(crate) fn new(journey: &'a Journey, recipient: Option<&'a str>) -> Self {
        // A client that was started again counts attempts anew; then the last is meant.
        let is_sent = |step: &JourneyStep| matches!(step, JourneyStep::Sent { .. });
        let mut sent = (0..journey.steps.len()).filter(|&at| is_sent(&journey.steps[at]));
        let begin = match (sent.next(), sent.next_back()) {
            (Some(_), Some(last)) => last,
            _ => 0,
        };
        let steps = &journey.steps[begin..];
        let mut course = Self::planned(steps, recipient);
        for step in steps {
            course.take(step);
        }
        course.find_silent();
        course.number();
        course.expect();
        course
    }

    fn planned(told: &'a [JourneyStep], recipient: Option<&'a str>) -> Self {
        let sent = told.iter().find_map(|step| match step {
            JourneyStep::Sent { node, route, back, .. } => {
                Some((Some(node.as_str()), route.as_slice(), back.as_slice()))
            }
            _ => None,
        });
        let (sender, route, back) = sent.unwrap_or_default();
        let first = told.iter().map(|step| match step {
            JourneyStep::Passed { came, .. } | JourneyStep::Kept { came, .. } => *came,
            other => other.at(),
        });
        let start = first.min().unwrap_or_default();
        let is_back = |step: &JourneyStep| {
            matches!(
                step,
                JourneyStep::AckSent { .. }
                    | JourneyStep::Acknowledged { .. }
                    | JourneyStep::Passed { way: Way::Back, .. }
                    | JourneyStep::Kept { way: Way::Back, .. }
                    | JourneyStep::Dropped { way: Way::Back, .. }
            )
        };
        // A route ends at a provider, so one hop alone is the first of a reply.
        let is_reply = route.len() == 1;
        let (mixes, provider) = match route.split_last() {
            Some((provider, mixes)) if !is_reply => (mixes, Some(provider)),
            _ => (route, None),
        };
        let mut stops = vec![stop(Way::There, Part::Sender, sender)];
        stops.extend(mixes.iter().map(|hop| mixnode(Way::There, hop)));
        let provider = provider.map(|hop| hop.node.as_str());
        stops.push(stop(Way::There, Part::Mailbox, provider));
        stops.push(stop(Way::There, Part::Recipient, recipient));
        if !back.is_empty() || told.iter().any(is_back) {
            stops.push(stop(Way::Back, Part::AckSource, provider));
            let (provider, mixes) = match back.split_last() {
                Some((provider, mixes)) => (Some(provider.node.as_str()), mixes),
                None => (None, back),
            };
            stops.extend(mixes.iter().map(|hop| mixnode(Way::Back, hop)));
            stops.push(stop(Way::Back, Part::Mailbox, provider));
            stops.push(stop(Way::Back, Part::Acknowledged, sender));
        }
        Self { stops, start, is_reply }
    }

    /// Puts what a stop told to its place.
    fn take(&mut self, step: &'a JourneyStep) {
        let at =
            |t: Time| Told { came: t, left: t, before: None, after: None, to: None, pool: None };
        let (way, part, node, told) = match step {
            JourneyStep::Sent { t, node, packet, route, .. } => {
                let to = route.first().map(|hop| hop.node.as_str());
                (Way::There, Part::Sender, node, Told { after: Some(*packet), to, ..at(*t) })
            }
            JourneyStep::Passed { way, node, came, left, asked_us, before, after, to, pool } => {
                let place = self.mixnode_stop(*way, node);
                self.stops[place].asked_us = Some(*asked_us);
                self.stops[place].fate = Fate::Told(Told {
                    came: *came,
                    left: *left,
                    before: Some(*before),
                    after: Some(*after),
                    to: Some(to),
                    pool: Some(*pool),
                });
                return;
            }
            JourneyStep::Kept { way, node, came, stored, before, client } => {
                let told = Told { left: *stored, before: Some(*before), ..at(*came) };
                (*way, Part::Mailbox, node, Told { to: Some(client), ..told })
            }
            JourneyStep::AckSent { t, node, packet, to } => {
                let told = Told { after: Some(*packet), to: Some(to), ..at(*t) };
                (Way::Back, Part::AckSource, node, told)
            }
            JourneyStep::Opened { t, node } => (Way::There, Part::Recipient, node, at(*t)),
            JourneyStep::Acknowledged { t, node } => (Way::Back, Part::Acknowledged, node, at(*t)),
            JourneyStep::Dropped { way, node, t, reason } => {
                let mailbox = self.stops.iter().position(|stop| {
                    stop.id.way == *way && stop.id.part == Part::Mailbox && stop.node == Some(node)
                });
                let place = mailbox.unwrap_or_else(|| self.mixnode_stop(*way, node));
                self.stops[place].fate = Fate::Dropped { t: *t, reason };
                return;
            }
        };
        let place = |stop: &&mut Stop<'_>| stop.id.way == way && stop.id.part == part;
        if let Some(stop) = self.stops.iter_mut().find(place) {
            stop.node = Some(node);
            stop.fate = Fate::Told(told);
        }
    }

    /// Where this mixnode stands on a way. One that nobody planned stands behind those that are known
    /// to have come before it: steps are taken in the order of time.
    fn mixnode_stop(&mut self, way: Way, node: &'a str) -> usize {
        let of_way = |stop: &Stop<'_>| stop.id.way == way;
        let known = self.stops.iter().position(|stop| {
            of_way(stop)
                && stop.id.part == Part::Mixnode
                && stop.node == Some(node)
                && matches!(stop.fate, Fate::Ahead { .. })
        });
        known.unwrap_or_else(|| {
            let before = self.stops.iter().rposition(|stop| {
                of_way(stop)
                    && matches!(stop.id.part, Part::Sender | Part::AckSource | Part::Mixnode)
                    && (stop.id.part != Part::Mixnode || !matches!(stop.fate, Fate::Ahead { .. }))
            });
            let place = before.map_or(0, |before| before + 1);
            self.stops.insert(place, stop(way, Part::Mixnode, Some(node)));
            place
        })
    }

    /// A stop of which nothing is known, though a later one saw the packet, told nothing.
    fn find_silent(&mut self) {
        let mut seen_later = false;
        for stop in self.stops.iter_mut().rev() {
            match stop.fate {
                Fate::Told(_) | Fate::Dropped { .. } => seen_later = true,
                // The recipient may be away while the acknowledgement goes back.
                Fate::Ahead { .. } if seen_later && stop.id.part != Part::Recipient => {
                    stop.fate = Fate::Silent;
                }
                Fate::Ahead { .. } | Fate::Silent => {}
            }
        }
    }

    fn number(&mut self) {
        for way in [Way::There, Way::Back] {
            let mixnodes = self
                .stops
                .iter_mut()
                .filter(|stop| stop.id.way == way && stop.id.part == Part::Mixnode);
            for (hop, stop) in (1..).zip(mixnodes) {
                stop.id.hop = hop;
            }
        }
    }

    /// When it should come to the stops ahead: links take next to nothing on one machine.
    fn expect(&mut self) {
        let mut clock = None;
        let mut stored = None;
        for stop in &mut self.stops {
            match &mut stop.fate {
                Fate::Told(told) => clock = Some(told.left),
                Fate::Dropped { .. } => return,
                Fate::Silent => clock = None,
                Fate::Ahead { due } => {
                    // The acknowledgement leaves when the packet is stored, opened or not.
                    let came = if stop.id.part == Part::AckSource { stored } else { clock };
                    let wait = match stop.id.part {
                        Part::Mixnode => stop.asked_us.map(Duration::from_micros),
                        _ => Some(Duration::ZERO),
                    };
                    *due = came.zip(wait).map(|(came, wait)| (came, came + wait));
                    clock = due.map(|(_, left)| left);
                }
            }
            if stop.id.part == Part::Mailbox {
                stored = clock;
            }
        }
    }

    /// Where it stands now.
    pub(crate) fn whereabouts(&self, now: Time) -> Whereabouts {
        let dropped = |stop: &Stop<'_>| matches!(stop.fate, Fate::Dropped { .. });
        if let Some(at) = self.stops.iter().position(dropped) {
            return Whereabouts::Dropped(at);
        }
        let is_ahead = |stop: &&Stop<'_>| matches!(stop.fate, Fate::Ahead { .. });
        let ahead = |stop: &Stop<'_>| is_ahead(&stop);
        let recipient = self.stops.iter().position(|stop| stop.id.part == Part::Recipient);
        let next = self
            .stops
            .iter()
            .position(|stop| ahead(stop) && stop.id.part != Part::Recipient)
            .or_else(|| recipient.filter(|&at| ahead(&self.stops[at])));
        let Some(at) = next else { return Whereabouts::Done };
        let overdue = now.saturating_since(self.due(at).unwrap_or_else(|| self.last_heard()));
        if Some(at) == recipient {
            let is_away = overdue > OVERDUE_AFTER;
            return if is_away { Whereabouts::Stored(at) } else { Whereabouts::Underway(at) };
        }
        // One whose header is not known can be where it was seen last for as long as any other.
        if self.due(at).is_some() && overdue > OVERDUE_AFTER {
            return Whereabouts::Overdue(at, overdue);
        }
        // Nodes tell in bunches, so it may be further than was told.
        let further = (at..self.stops.len()).find(|&stop| {
            ahead(&self.stops[stop])
                && self.stops[stop].id.part != Part::Recipient
                && self.due(stop).is_some_and(|due| due >= now)
        });
        Whereabouts::Underway(further.unwrap_or(at))
    }

    /// Until when it should be at a stop ahead.
    fn due(&self, at: usize) -> Option<Time> {
        match self.stops.get(at)?.fate {
            Fate::Ahead { due } => due.map(|(_, left)| left),
            _ => None,
        }
    }

    /// When something was last known of it.
    pub(crate) fn last_heard(&self) -> Time {
        let times = self.stops.iter().filter_map(|stop| match &stop.fate {
            Fate::Told(told) => Some(told.left),
            Fate::Dropped { t, .. } => Some(*t),
            Fate::Silent | Fate::Ahead { .. } => None,
        });
        times.max().unwrap_or(self.start)
    }

    /// The end of its time line: what happened last, what is still to come, and now if it is underway.
    pub(crate) fn end(&self, now: Time) -> Time {
        let heard = self.last_heard();
        match self.whereabouts(now) {
            Whereabouts::Underway(_) => {
                let due = (0..self.stops.len()).filter_map(|at| self.due(at));
                due.max().map_or(heard, |due| due.max(heard)).max(now)
            }
            _ => heard,
        }
    }

    /// As the packet should look when it comes to this stop: as the stop before let it go.
    pub(crate) fn came_from(&self, at: usize) -> Option<&Stop<'a>> {
        let id = self.stops.get(at)?.id;
        match id.part {
            Part::Sender | Part::AckSource => None,
            _ => self.stops.get(at.checked_sub(1)?),
        }
    }
}

fn stop(way: Way, part: Part, node: Option<&str>) -> Stop<'_> {
    let id = StopId { way, part, hop: 0 };
    Stop { id, node, asked_us: None, fate: Fate::Ahead { due: None } }
}

fn mixnode(way: Way, hop: &PlannedHop) -> Stop<'_> {
    Stop { asked_us: hop.asked_us, ..stop(way, Part::Mixnode, Some(&hop.node)) }
}

#[cfg(test)]
mod tests;
