//! The ways of messages: joins what each node told of a packet to the packet of a message that it was.
//!
//! Only the sender knows which packet belongs to a message, and only by how it left. Each mixnode
//! tells how a packet came and how it went, so a way is followed from print to print. All other
//! packets are cover; what is told of them is forgotten here, but for [whose some of them
//! were](origins).

mod origins;
mod passages;
mod record;
mod waiting;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use contract::{MessageEvent, MessageStage, SentTrace, Time};
use control::{
    Carried, FOLLOWED_PACKETS, Journey, JourneyEvent, JourneyStep, Origin, PlannedHop, Way,
    identity_name,
};

use crate::names::Names;

use origins::Origins;
pub(crate) use passages::Passages;
use record::{Ack, Covered, Opened};
pub(crate) use record::{Batch, Dropped, Kept, Noise, Passed, Record};
pub(crate) use waiting::Header;
use waiting::{Arrived, Fate, Told, Waiting};

/// How many packets' ways are remembered: a way is 4 kB in a snapshot, which everybody gets who comes.
const MAX_JOURNEYS: usize = 512;

/// Steps of one packet. A header has room for five hops, so that both ways of it have sixteen.
const MAX_STEPS: usize = 32;

/// The ways of the latest packets of messages.
#[derive(Debug, Default)]
pub(crate) struct Journeys {
    /// Oldest first.
    tracked: VecDeque<Tracked>,
    /// Number of the first of them. They are counted up, so a number is never given twice.
    first: u64,
    /// Whose packet comes next with this header, and which way it goes.
    expected: HashMap<Header, (u64, Way)>,
    of_message: HashMap<String, Vec<u64>>,
    waiting: Waiting,
    origins: Origins,
}

/// What came of something that was heard.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// Packets of messages came further.
    pub(crate) steps: Vec<JourneyEvent>,
    /// Packets of the sample left the last layer.
    pub(crate) origins: Vec<Origin>,
}

#[derive(Debug)]
struct Tracked {
    journey: Journey,
    /// What is [expected](Journeys::expected) of it there, and back.
    expected: [Option<Header>; 2],
    /// When its recipient's provider took it.
    kept: Option<Time>,
    is_opened: bool,
    /// Whether its acknowledgement was seen.
    is_back: bool,
}

/// What is heard, and what came of it.
struct Hearing<'a> {
    now: Time,
    names: &'a Names,
    news: News,
}

impl<'a> Hearing<'a> {
    fn new(now: Time, names: &'a Names) -> Self {
        Self { now, names, news: News::default() }
    }
}

impl Journeys {
    /// A client told something of a message.
    pub(crate) fn hear_message(
        &mut self,
        now: Time,
        node: &str,
        event: &MessageEvent,
        names: &Names,
    ) -> News {
        let mut hearing = Hearing::new(now, names);
        if let MessageStage::Sent { trace: Some(trace), .. } = &event.stage {
            let header = trace.packet.header;
            self.begins(header, || node.to_owned(), Carried::Message, &mut hearing);
        }
        match &event.stage {
            MessageStage::Sent { fragment, attempt, route, trace: Some(trace) }
                if *fragment < FOLLOWED_PACKETS =>
            {
                let sent = sent(event.t, node, route, trace, names);
                let id = self.begin(&event.message, (*fragment, *attempt), sent, &mut hearing);
                let there = (Way::There, trace.packet.header);
                let ack = trace.ack.as_ref().map(|ack| (Way::Back, ack.packet.header));
                // The last goes first: of an acknowledgement that was seen already, what its provider
                // tells is no news.
                let next = [there].into_iter().chain(ack).collect();
                self.follow(id, next, &mut hearing);
                self.arrived(id, &mut hearing);
            }
            MessageStage::Acknowledged { fragment, attempt } => {
                if let Some(id) = self.attempt(&event.message, *fragment, *attempt) {
                    let step = JourneyStep::Acknowledged { t: event.t, node: node.into() };
                    self.add(id, step, &mut hearing);
                }
            }
            _ => {}
        }
        hearing.news
    }

    /// A node told what became of packets.
    pub(crate) fn hear_packets(
        &mut self,
        now: Time,
        node: &str,
        records: Vec<Record>,
        names: &Names,
    ) -> News {
        let mut hearing = Hearing::new(now, names);
        let node: Arc<str> = node.into();
        for record in records {
            let what = match record {
                Record::Covered(Covered { packet, from }) => {
                    let name = || match from {
                        Some(number) => identity_name(&node, number),
                        None => String::from(&*node),
                    };
                    self.begins(packet.header, name, Carried::Cover, &mut hearing);
                    continue;
                }
                Record::Passed(passed) => Fate::Passed(passed),
                Record::Kept(kept) => Fate::Kept(kept),
                // It looks like the packet before it, which may still wait at this node.
                Record::Dropped(dropped) if dropped.is_replay() => continue,
                Record::Dropped(dropped) => Fate::Dropped(dropped),
                Record::Opened(opened) => {
                    self.opened(Arrived { node: node.clone(), opened }, &mut hearing);
                    continue;
                }
                Record::Noise(_) | Record::Unknown => continue,
            };
            if let Fate::Kept(Kept { ack: Some(ack), .. }) = &what {
                let header = ack.packet.header;
                self.begins(header, || String::from(&*node), Carried::Ack, &mut hearing);
            }
            let header = what.header();
            let told = Told { node: node.clone(), what };
            hearing.news.origins.extend(self.origins.hear(now, &told, &self.waiting));
            if let Some((id, way)) = self.expected.remove(&header) {
                self.waiting.add_taken(now, told.clone());
                let next = self.take(id, way, told, &mut hearing);
                self.follow(id, next, &mut hearing);
                self.arrived(id, &mut hearing);
            } else {
                self.waiting.add(now, told);
            }
        }
        for late in self.waiting.expire(now) {
            // Its provider told nothing: it is clear all the same, if it was sent once.
            let Opened { message, fragment, .. } = &late.opened;
            if let Some(id) = self.attempt(message, *fragment, None) {
                self.open(id, &late, &mut hearing);
            }
        }
        hearing.news
    }

    /// All that are remembered, oldest first.
    pub(crate) fn all(&self) -> Vec<Journey> {
        self.tracked.iter().map(|tracked| tracked.journey.clone()).collect()
    }

    /// A packet with this header was sent into the first layer.
    fn begins(
        &mut self,
        header: Header,
        origin: impl FnOnce() -> String,
        carried: Carried,
        hearing: &mut Hearing<'_>,
    ) {
        let known = self.origins.begin(hearing.now, header, origin, carried, &self.waiting);
        hearing.news.origins.extend(known);
    }

    fn get(&self, id: u64) -> Option<&Tracked> {
        self.tracked.get(usize::try_from(id.checked_sub(self.first)?).ok()?)
    }

    fn get_mut(&mut self, id: u64) -> Option<&mut Tracked> {
        self.tracked.get_mut(usize::try_from(id.checked_sub(self.first)?).ok()?)
    }

    /// The attempts at this part of a message, oldest first.
    fn attempts(&self, message: &str, fragment: u32) -> Vec<u64> {
        let is_of = |id: &u64| self.get(*id).is_some_and(|of| of.journey.fragment == fragment);
        self.of_message.get(message).into_iter().flatten().copied().filter(is_of).collect()
    }

    /// The only attempt at this part of a message, or the one of this number.
    fn attempt(&self, message: &str, fragment: u32, attempt: Option<u32>) -> Option<u64> {
        let attempts = self.attempts(message, fragment);
        let Some(attempt) = attempt else {
            return attempts.first().copied().filter(|_| attempts.len() == 1);
        };
        let is_it = |id: &u64| self.get(*id).is_some_and(|of| of.journey.attempt == attempt);
        attempts.into_iter().find(is_it)
    }

    /// A packet of a message left. A client that was started again counts its attempts anew.
    fn begin(
        &mut self,
        message: &str,
        (fragment, attempt): (u32, u32),
        step: JourneyStep,
        hearing: &mut Hearing<'_>,
    ) -> u64 {
        if let Some(id) = self.attempt(message, fragment, Some(attempt)) {
            for way in [Way::There, Way::Back] {
                self.expect(id, way, None);
            }
            if let Some(known) = self.get_mut(id) {
                (known.kept, known.is_opened, known.is_back) = (None, false, false);
            }
            self.add(id, step, hearing);
            return id;
        }
        if self.tracked.len() == MAX_JOURNEYS {
            self.forget_oldest();
        }
        let id = self.first + self.tracked.len() as u64;
        let journey = Journey { message: message.into(), fragment, attempt, steps: Vec::new() };
        self.tracked.push_back(Tracked {
            journey,
            expected: [None; 2],
            kept: None,
            is_opened: false,
            is_back: false,
        });
        self.of_message.entry(message.into()).or_default().push(id);
        self.add(id, step, hearing);
        id
    }

    fn forget_oldest(&mut self) {
        let Some(Tracked { journey, expected, .. }) = self.tracked.pop_front() else { return };
        for header in expected.iter().flatten() {
            self.expected.remove(header);
        }
        if let Some(ids) = self.of_message.get_mut(&journey.message) {
            ids.retain(|id| *id != self.first);
            if ids.is_empty() {
                self.of_message.remove(&journey.message);
            }
        }
        self.first += 1;
    }

    /// Follows a packet as far as what was told of it reaches.
    fn follow(&mut self, id: u64, mut next: Vec<(Way, Header)>, hearing: &mut Hearing<'_>) {
        while let Some((way, header)) = next.pop() {
            match self.waiting.take(header) {
                Some(told) => next.extend(self.take(id, way, told, hearing)),
                None => self.expect(id, way, Some(header)),
            }
        }
    }

    /// The next that is told of this packet will name this header.
    fn expect(&mut self, id: u64, way: Way, header: Option<Header>) {
        let Some(tracked) = self.get_mut(id) else { return };
        let before = std::mem::replace(&mut tracked.expected[way as usize], header);
        if let Some(before) = before {
            self.expected.remove(&before);
        }
        if let Some(header) = header {
            self.expected.insert(header, (id, way));
        }
    }

    /// Takes what was told of this packet; gives back how it looks next.
    fn take(
        &mut self,
        id: u64,
        way: Way,
        told: Told,
        hearing: &mut Hearing<'_>,
    ) -> Vec<(Way, Header)> {
        self.expect(id, way, None);
        let Told { node, what } = told;
        let node = String::from(&*node);
        if let Some(tracked) = self.get_mut(id) {
            tracked.is_back |= way == Way::Back;
        }
        match what {
            Fate::Passed(Passed { came, left, asked_us, before, after, to, pool }) => {
                let to = hearing.names.name_or_self(&to.to_string());
                let step = JourneyStep::Passed {
                    way,
                    node,
                    came,
                    left,
                    asked_us,
                    before,
                    after,
                    to,
                    pool,
                };
                self.add(id, step, hearing);
                vec![(way, after.header)]
            }
            Fate::Dropped(Dropped { t, reason, .. }) => {
                let reason = reason.into();
                self.add(id, JourneyStep::Dropped { way, node, t, reason }, hearing);
                Vec::new()
            }
            Fate::Kept(Kept { came, stored, before, client, ack, .. }) => {
                let client = hearing.names.name_or_self(&client);
                let step =
                    JourneyStep::Kept { way, node: node.clone(), came, stored, before, client };
                self.add(id, step, hearing);
                let Some(tracked) = self.get_mut(id).filter(|_| way == Way::There) else {
                    return Vec::new();
                };
                tracked.kept = Some(came);
                let is_back = tracked.is_back;
                let Some(Ack { t, packet, to }) = ack.map(|ack| *ack) else { return Vec::new() };
                let to = hearing.names.name_or_self(&to.to_string());
                self.add(id, JourneyStep::AckSent { t, node, packet, to }, hearing);
                // The sender told how it would look, so it may have been seen already.
                if is_back { Vec::new() } else { vec![(Way::Back, packet.header)] }
            }
        }
    }

    /// A client opened a part of a message: of the attempt that had come to its provider first, if that
    /// is told already.
    fn opened(&mut self, arrived: Arrived, hearing: &mut Hearing<'_>) {
        let Opened { t, message, fragment } = &arrived.opened;
        if *fragment >= FOLLOWED_PACKETS {
            return;
        }
        let is_candidate = |id: &u64| {
            self.get(*id).is_some_and(|tracked| {
                !tracked.is_opened && tracked.kept.is_some_and(|kept| kept <= *t)
            })
        };
        let candidates = self.attempts(message, *fragment).into_iter().filter(is_candidate);
        match candidates.min_by_key(|id| self.get(*id).and_then(|tracked| tracked.kept)) {
            Some(id) => self.open(id, &arrived, hearing),
            None => self.waiting.add_opened(hearing.now, arrived),
        }
    }

    /// Its provider told of this packet; its recipient may have told before.
    fn arrived(&mut self, id: u64, hearing: &mut Hearing<'_>) {
        let index = id.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let tracked = index.and_then(|index| self.tracked.get(index));
        if let Some(Tracked { journey, kept: Some(kept), is_opened: false, .. }) = tracked {
            let Journey { message, fragment, .. } = journey;
            if let Some(arrived) = self.waiting.take_opened(message, *fragment, *kept) {
                self.open(id, &arrived, hearing);
            }
        }
    }

    fn open(&mut self, id: u64, arrived: &Arrived, hearing: &mut Hearing<'_>) {
        if let Some(tracked) = self.get_mut(id) {
            tracked.is_opened = true;
        }
        let node = String::from(&*arrived.node);
        self.add(id, JourneyStep::Opened { t: arrived.opened.t, node }, hearing);
    }

    fn add(&mut self, id: u64, step: JourneyStep, hearing: &mut Hearing<'_>) {
        let Some(Tracked { journey, .. }) = self.get_mut(id) else { return };
        if journey.steps.len() < MAX_STEPS {
            journey.add(step.clone());
            hearing.news.steps.push(JourneyEvent {
                message: journey.message.clone(),
                fragment: journey.fragment,
                attempt: journey.attempt,
                step,
            });
        }
    }
}

fn sent(t: Time, node: &str, route: &[String], trace: &SentTrace, names: &Names) -> JourneyStep {
    let plan = |route: &[String], asked_us: &[u64]| {
        let hops = route.iter().enumerate();
        let hops = hops.map(|(index, hop)| PlannedHop {
            node: names.name_or_self(hop),
            asked_us: asked_us.get(index).copied(),
        });
        hops.collect()
    };
    let back = trace.ack.as_ref();
    JourneyStep::Sent {
        t,
        node: node.into(),
        packet: trace.packet,
        route: plan(route, &trace.asked_us),
        back: back.map(|ack| plan(&ack.route, &ack.asked_us)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
