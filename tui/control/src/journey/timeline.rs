//! Where a packet was at each moment, out of what the nodes on its way told.

use std::time::Duration;

use contract::{Print, Time};

use super::{Journey, JourneyStep, PlannedHop, Way};

/// The way of one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// From its sender to its recipient.
    pub there: Leg,
    /// The way of its acknowledgement, once something is heard of it.
    pub back: Option<Leg>,
    /// Whether an acknowledgement is to come back.
    pub asks_for_ack: bool,
}

/// One way of a packet: stretches of time that follow each other without a gap, so that together they
/// are the whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Which way.
    pub way: Way,
    /// When it left its sender; of an acknowledgement, the provider that sent it.
    pub begin: Time,
    /// Where it was since, one after the other.
    pub stretches: Vec<Stretch>,
    /// How far that goes.
    pub end: LegEnd,
}

/// The packet was in one place for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where.
    pub place: Place,
    /// Since when.
    pub begin: Time,
    /// How long.
    pub took: Duration,
}

/// Where a packet can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Between two nodes that are connected.
    Link {
        /// Who wrote it.
        from: String,
        /// Who read it.
        to: String,
    },
    /// At a mixnode, which lets it wait.
    Mix(Stay),
    /// At the last provider, until it is safely stored.
    Provider {
        /// The provider.
        node: String,
        /// Where it came from.
        from: String,
        /// For whom it stores it.
        client: String,
        /// As it came.
        before: Print,
    },
    /// Stored, and on its way to the client: longer than a moment only while that is away.
    Delivery {
        /// The provider.
        from: String,
        /// The client.
        to: String,
    },
    /// At nodes that told nothing, and on the links between them.
    Untold {
        /// Those that it was meant to pass there; none where the sender did not know them.
        nodes: Vec<String>,
    },
}

/// A packet's time at a mixnode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The mixnode.
    pub node: String,
    /// Which hop of the way it is, from 1.
    pub hop: usize,
    /// Where the packet came from, which the mixnode saw …
    pub from: String,
    /// … and where it went: the two things that the mixnode learned of the way.
    pub to: String,
    /// How long its header asked it to wait.
    pub asked: Duration,
    /// How many other packets waited there when it came.
    pub pool: u32,
    /// As it came.
    pub before: Print,
    /// As it went.
    pub after: Print,
}

/// How far a way is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LegEnd {
    /// To its end.
    Arrived,
    /// To a node that gave the packet up.
    Dropped {
        /// The node.
        node: String,
        /// Why, in the word of its counters.
        reason: String,
    },
    /// To here, until now.
    Open {
        /// Who had it last.
        after: String,
        /// Where it is meant to go next, in order, as far as that is known.
        next: Vec<String>,
    },
}

impl Leg {
    /// How long the known part of the way took: the sum of its stretches.
    pub fn took(&self) -> Duration {
        self.stretches.iter().map(|stretch| stretch.took).sum()
    }

    /// What of that the packet spent at mixnodes.
    pub fn waited(&self) -> Duration {
        self.sum(|place| matches!(place, Place::Mix(_)))
    }

    /// What of that the packet spent on links, its delivery included.
    pub fn on_links(&self) -> Duration {
        self.sum(|place| matches!(place, Place::Link { .. } | Place::Delivery { .. }))
    }

    /// What of that nobody told of.
    pub fn untold(&self) -> Duration {
        self.sum(|place| matches!(place, Place::Untold { .. }))
    }

    /// How long it was asked to wait at the mixnodes that told of it.
    pub fn asked(&self) -> Duration {
        self.stays().map(|stay| stay.asked).sum()
    }

    /// The mixnodes that told of it, in the order of the way.
    pub fn stays(&self) -> impl Iterator<Item = &Stay> {
        self.stretches.iter().filter_map(|stretch| match &stretch.place {
            Place::Mix(stay) => Some(stay),
            _ => None,
        })
    }

    /// Whether it arrived and every node told of it: there is nothing more to come.
    pub fn is_complete(&self) -> bool {
        let is_untold = |stretch: &Stretch| matches!(stretch.place, Place::Untold { .. });
        self.end == LegEnd::Arrived && !self.stretches.iter().any(is_untold)
    }

    fn sum(&self, is_meant: impl Fn(&Place) -> bool) -> Duration {
        let meant = self.stretches.iter().filter(|stretch| is_meant(&stretch.place));
        meant.map(|stretch| stretch.took).sum()
    }
}

impl Timeline {
    /// From leaving its sender until its recipient opened it; none before that.
    pub fn delay(&self) -> Option<Duration> {
        (self.there.end == LegEnd::Arrived).then(|| self.there.took())
    }

    /// Whether everything is told that there will be.
    pub fn is_complete(&self) -> bool {
        let is_back = match &self.back {
            Some(back) => back.is_complete(),
            None => !self.asks_for_ack,
        };
        self.there.is_complete() && is_back
    }
}

impl Journey {
    /// Where the packet was at each moment. None before its sender has told that it left.
    pub fn timeline(&self) -> Option<Timeline> {
        // A client that was started again counts attempts anew; then the last is meant.
        let is_sent = |step: &JourneyStep| matches!(step, JourneyStep::Sent { .. });
        let sent_at = self.steps.iter().rposition(is_sent)?;
        let is_only = !self.steps[..sent_at].iter().any(is_sent);
        let steps = if is_only { &self.steps[..] } else { &self.steps[sent_at..] };
        let JourneyStep::Sent { t, node, packet, route, back } = &self.steps[sent_at] else {
            return None;
        };
        let opened = steps.iter().find_map(|step| match step {
            JourneyStep::Opened { t, node } => Some((*t, node.as_str())),
            _ => None,
        });
        let walk = Walk::begin(Way::There, *t, node, Some(*packet), route);
        let there = walk.take(steps, opened);
        let back_leg = Self::way_back(steps, route, back, &there);
        Some(Timeline { there, back: back_leg, asks_for_ack: !back.is_empty() })
    }

    fn way_back(
        steps: &[JourneyStep],
        route: &[PlannedHop],
        plan: &[PlannedHop],
        there: &Leg,
    ) -> Option<Leg> {
        let acknowledged = steps.iter().find_map(|step| match step {
            JourneyStep::Acknowledged { t, node } => Some((*t, node.as_str())),
            _ => None,
        });
        let walk = steps.iter().find_map(|step| match step {
            JourneyStep::AckSent { t, node, packet, .. } => {
                Some(Walk::begin(Way::Back, *t, node, Some(*packet), plan))
            }
            _ => None,
        });
        let is_back = |step: &JourneyStep| step.way() == Some(Way::Back);
        if walk.is_none() && acknowledged.is_none() && !steps.iter().any(is_back) {
            return None;
        }
        // The provider did not tell when it sent it. It was after the packet was last heard of.
        let walk = walk.unwrap_or_else(|| {
            let (at, node) = there.last_heard();
            let provider = route.last().map_or(node.as_str(), |hop| hop.node.as_str());
            let begin = Walk::begin(Way::Back, at, provider, None, plan);
            Walk { is_begin_untold: true, ..begin }
        });
        Some(walk.take(steps, acknowledged))
    }
}

impl Leg {
    /// When and where it was heard of last, before its delivery.
    fn last_heard(&self) -> (Time, String) {
        let mut at = self.begin;
        let mut node = String::new();
        for Stretch { place, begin, took } in &self.stretches {
            match place {
                Place::Link { to, .. } => node.clone_from(to),
                Place::Mix(Stay { node: mix, .. }) => node.clone_from(mix),
                Place::Provider { node: provider, .. } => node.clone_from(provider),
                Place::Delivery { .. } | Place::Untold { .. } => break,
            }
            at = *begin + *took;
        }
        (at, node)
    }
}

impl JourneyStep {
    /// Which way the packet went, of what a node told of it.
    pub fn way(&self) -> Option<Way> {
        match self {
            Self::Passed { way, .. } | Self::Kept { way, .. } | Self::Dropped { way, .. } => {
                Some(*way)
            }
            Self::AckSent { .. } => Some(Way::Back),
            Self::Sent { .. } | Self::Opened { .. } | Self::Acknowledged { .. } => None,
        }
    }
}

/// A way as far as it was followed.
struct Walk<'a> {
    plan: &'a [PlannedHop],
    leg: Leg,
    /// The end of the last stretch.
    at: Time,
    /// Who had the packet then …
    node: String,
    /// … and how it looked when it left, if that is known.
    print: Option<Print>,
    /// Hops that are behind it.
    hops: usize,
    /// Where the last node sent it.
    next: Option<String>,
    /// Whether the node that it begins at told nothing of it.
    is_begin_untold: bool,
}

impl<'a> Walk<'a> {
    fn begin(way: Way, at: Time, node: &str, print: Option<Print>, plan: &'a [PlannedHop]) -> Self {
        let end = LegEnd::Arrived;
        let leg = Leg { way, begin: at, stretches: Vec::new(), end };
        Self {
            plan,
            leg,
            at,
            node: node.into(),
            print,
            hops: 0,
            next: None,
            is_begin_untold: false,
        }
    }

    /// Follows the packet to its end: when and by whom it was opened, if it was.
    fn take(mut self, steps: &[JourneyStep], end: Option<(Time, &str)>) -> Leg {
        let (way, mut client) = (self.leg.way, None);
        for step in steps.iter().filter(|step| step.way() == Some(way)) {
            match step {
                JourneyStep::Passed {
                    node, came, left, asked_us, before, after, to, pool, ..
                } => {
                    let from = self.arrive(*came, node, Some(*before));
                    let stay = Stay {
                        node: node.clone(),
                        hop: self.hops,
                        from,
                        to: to.clone(),
                        asked: Duration::from_micros(*asked_us),
                        pool: *pool,
                        before: *before,
                        after: *after,
                    };
                    self.stay(*left, Place::Mix(stay));
                    self.print = Some(*after);
                    self.next = Some(to.clone());
                }
                JourneyStep::Kept { node, came, stored, before, client: name, .. } => {
                    let from = self.arrive(*came, node, Some(*before));
                    let (node, before) = (node.clone(), *before);
                    let place = Place::Provider { node, from, client: name.clone(), before };
                    self.stay(*stored, place);
                    client = Some(name.clone());
                    break;
                }
                JourneyStep::Dropped { node, t, reason, .. } => {
                    // Who sent it may give it up too, when the link does not take it.
                    if *node != self.node {
                        self.arrive(*t, node, self.print);
                    }
                    let (node, reason) = (node.clone(), reason.clone());
                    self.leg.end = LegEnd::Dropped { node, reason };
                    return self.leg;
                }
                _ => {}
            }
        }
        match (end, client) {
            (Some((t, to)), Some(_)) => {
                let (from, to) = (self.node.clone(), to.into());
                self.stay(t, Place::Delivery { from, to });
            }
            (Some((t, _)), None) => {
                let nodes = self.planned(self.plan.len());
                self.stay(t, Place::Untold { nodes });
            }
            (None, Some(client)) => {
                self.leg.end = LegEnd::Open { after: self.node, next: vec![client] };
            }
            (None, None) => {
                let mut next = self.planned(self.plan.len());
                if next.is_empty() {
                    next.extend(self.next);
                }
                self.leg.end = LegEnd::Open { after: self.node, next };
            }
        }
        self.leg
    }

    /// It was next seen there; gives back where it came from.
    fn arrive(&mut self, t: Time, node: &str, before: Option<Print>) -> String {
        let is_told = self.print.is_some() && self.print == before;
        let ahead = self.plan.iter().skip(self.hops).position(|hop| hop.node == node);
        let index = self.hops + ahead.unwrap_or_default();
        let place = if is_told {
            Place::Link { from: self.node.clone(), to: node.into() }
        } else {
            Place::Untold { nodes: self.planned(index) }
        };
        let from = if is_told { self.node.clone() } else { self.before(index) };
        self.stay(t, place);
        self.hops = index + 1;
        node.clone_into(&mut self.node);
        from
    }

    /// The hop in front of that one of the plan: what it must have come from.
    fn before(&self, index: usize) -> String {
        let before = index.checked_sub(1).and_then(|index| self.plan.get(index));
        before.map_or_else(|| self.node.clone(), |hop| hop.node.clone())
    }

    /// The nodes that are to have it between here and that hop of the plan, without it.
    fn planned(&self, end: usize) -> Vec<String> {
        let begin = (self.is_begin_untold && self.leg.stretches.is_empty()).then_some(&self.node);
        let hops = self.plan.iter().take(end).skip(self.hops).map(|hop| &hop.node);
        begin.into_iter().chain(hops).cloned().collect()
    }

    /// It was there until then. What is read may have a time before that of its writing: a process may
    /// be interrupted between writing and looking at the clock. So who wrote was later than the truth.
    fn stay(&mut self, until: Time, place: Place) {
        if until < self.at {
            if let Some(last) = self.leg.stretches.last_mut() {
                last.took = until.saturating_since(last.begin);
                self.at = last.begin + last.took;
            } else {
                self.leg.begin = until;
                self.at = until;
            }
        }
        let took = until.saturating_since(self.at);
        self.leg.stretches.push(Stretch { place, begin: self.at, took });
        self.at = self.at + took;
    }
}

#[cfg(test)]
mod tests;
