//! Attacks that somebody runs on his own devnet, followed to what came of them.
//!
//! A process tells how the packet looked that it was done to. From there it is followed by what nodes
//! tell of all packets, as [`journeys`](crate::journeys) follows messages, and where they tell nothing
//! their counters have to do. Nothing here asks or waits: it is told, and says what is new.

mod follow;
mod isolate;
mod seen;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use contract::{Answer, Deed, LinkEvent, NodeMetrics, Outcome, Time};
use control::{
    AttackDeed, AttackEnd, AttackPlan, AttackStatus, DropsCounted, MAX_ATTACKS, REMEMBERED_ATTACKS,
    Verdict,
};

use crate::child::Source;
use crate::clock::Moment;
use crate::journeys::Record;
use crate::names::Names;
use isolate::Isolating;
use seen::Seen;

/// How much longer than it was asked to a process may take to answer.
const ANSWER_GRACE: Duration = Duration::from_secs(3);

/// Counters that are remembered of an attack, and nodes that ended: a devnet in which more goes wrong has
/// other troubles.
const MAX_NOTED: usize = 32;

/// All attacks.
#[derive(Debug, Default)]
pub(crate) struct Attacks {
    /// How many there were.
    count: u64,
    /// Oldest first.
    all: VecDeque<Attacked>,
    seen: Seen,
    /// What is to be told.
    news: Vec<AttackStatus>,
}

/// An attack.
#[derive(Debug)]
struct Attacked {
    status: AttackStatus,
    /// Who has not answered yet.
    asked: Vec<Asked>,
    /// When waiting for it ends.
    deadline: Time,
    /// How long it is followed once it is done.
    patience: Duration,
    /// Dropped packets by node and reason, at the beginning.
    dropped: BTreeMap<String, BTreeMap<String, u64>>,
    /// Only of isolating.
    isolating: Option<Isolating>,
}

/// A process that was asked to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) source: Source,
    /// Id of the request.
    pub(crate) request: u64,
    /// Its name.
    pub(crate) node: String,
}

/// An attack that begins.
#[derive(Debug)]
pub(crate) struct Begin<'a> {
    pub(crate) plan: AttackPlan,
    /// Who was asked, at least one.
    pub(crate) asked: Vec<Asked>,
    /// Who should have been and cannot be.
    pub(crate) not_held: Vec<String>,
    /// Whether nodes tell of packets.
    pub(crate) trace: bool,
    /// How long what was asked may take.
    pub(crate) takes: Duration,
    /// How long it is followed once it is done.
    pub(crate) patience: Duration,
    /// What nodes have counted so far.
    pub(crate) metrics: &'a BTreeMap<String, NodeMetrics>,
}

impl Attacks {
    /// An attack begins; returns its id.
    pub(crate) fn begin(&mut self, now: Moment, begin: Begin<'_>) -> u64 {
        self.count += 1;
        let Begin { plan, asked, not_held, trace, takes, patience, metrics } = begin;
        let isolating = Isolating::of(&plan, not_held);
        let status = AttackStatus {
            id: self.count,
            plan,
            t: now.t,
            unix_ms: now.unix_ms(),
            trace,
            deed: None,
            seen: Vec::new(),
            isolation: None,
            counted: Vec::new(),
            ended: Vec::new(),
            end: None,
        };
        self.news.push(status.clone());
        let dropped = metrics.iter().map(|(node, metrics)| (node.clone(), metrics.dropped.clone()));
        self.all.push_back(Attacked {
            status,
            asked,
            deadline: now.t + takes + ANSWER_GRACE,
            patience,
            dropped: dropped.collect(),
            isolating,
        });
        if self.all.len() > REMEMBERED_ATTACKS
            && let Some(oldest) = self.all.iter().position(|attacked| attacked.status.end.is_some())
        {
            self.all.remove(oldest);
        }
        self.count
    }

    /// Whether as many are underway as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.underway().count() >= MAX_ATTACKS
    }

    /// Whether what goes to this mixnode is held back by an attack.
    pub(crate) fn isolates(&self, mixnode: &str) -> bool {
        self.underway().any(|attacked| {
            matches!(&attacked.status.plan, AttackPlan::Isolate { mix, .. } if mix == mixnode)
        })
    }

    /// The attack with this id.
    pub(crate) fn get(&self, id: u64) -> Option<&AttackStatus> {
        self.all.iter().map(|attacked| &attacked.status).find(|status| status.id == id)
    }

    /// All that are remembered, oldest first.
    pub(crate) fn all(&self) -> Vec<AttackStatus> {
        self.all.iter().map(|attacked| attacked.status.clone()).collect()
    }

    /// What is new since this was last asked.
    pub(crate) fn take_news(&mut self) -> Vec<AttackStatus> {
        std::mem::take(&mut self.news)
    }

    /// When something is due.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.underway().map(|attacked| attacked.deadline).min()
    }

    /// Ends what is due.
    pub(crate) fn expire(&mut self, now: Time) {
        self.each(|attacked, seen| {
            if attacked.deadline <= now {
                attacked.give_up_waiting(now, seen);
            }
        });
    }

    /// A process answered. Gives back the answer if it is none to an attack.
    pub(crate) fn answered(
        &mut self,
        now: Time,
        source: Source,
        answer: Answer,
        names: &Names,
    ) -> Option<Answer> {
        let is_it = |asked: &Asked| (asked.source, asked.request) == (source, answer.id);
        if !self.all.iter().any(|attacked| attacked.asked.iter().any(is_it)) {
            return Some(answer);
        }
        self.each(|attacked, seen| {
            if let Some(index) = attacked.asked.iter().position(is_it) {
                let asked = attacked.asked.swap_remove(index);
                attacked.take_answer(now, asked.node, &answer.outcome, names);
                attacked.look(now, seen);
            }
        });
        None
    }

    /// A process ended, for this reason.
    pub(crate) fn process_ended(&mut self, now: Time, source: Source, node: &str, why: &str) {
        self.each(|attacked, seen| {
            attacked.note_end(node);
            if let Some(index) = attacked.asked.iter().position(|asked| asked.source == source) {
                attacked.asked.swap_remove(index);
                attacked.not_done(now, node, &format!("`{node}` ended before: {why}"));
                attacked.look(now, seen);
            }
        });
    }

    /// The devnet ends.
    pub(crate) fn give_up(&mut self, now: Time, why: &str) {
        self.each(|attacked, _| {
            let verdict =
                if attacked.status.deed.is_some() { Verdict::Unknown } else { Verdict::NotDone };
            attacked.end(now, verdict, Some(why.into()));
        });
    }

    /// A node told what became of packets.
    pub(crate) fn hear_packets(&mut self, now: Time, node: &str, told: &[Record], names: &Names) {
        if self.underway().next().is_none() {
            return;
        }
        let shared: Arc<str> = node.into();
        for record in told {
            self.seen.add(&shared, record, names);
        }
        self.each(|attacked, seen| {
            if let Some(isolating) = &mut attacked.isolating {
                isolating.hear_packets(node, told, names);
            }
            attacked.look(now, seen);
        });
    }

    /// A node told what left on its links, with names in place of addresses.
    pub(crate) fn hear_links(&mut self, src: &str, links: &[LinkEvent]) {
        for attacked in self.all.iter_mut().filter(|attacked| attacked.status.end.is_none()) {
            if let Some(isolating) = &mut attacked.isolating {
                isolating.hear_links(src, links);
            }
        }
    }

    /// A node told what it has counted.
    pub(crate) fn hear_metrics(&mut self, now: Time, node: &str, metrics: &NodeMetrics) {
        self.each(|attacked, seen| {
            attacked.count(node, metrics);
            attacked.look(now, seen);
        });
    }

    fn underway(&self) -> impl Iterator<Item = &Attacked> {
        self.all.iter().filter(|attacked| attacked.status.end.is_none())
    }

    /// Does this with all that are underway, and tells what is new of them.
    fn each(&mut self, mut what: impl FnMut(&mut Attacked, &Seen)) {
        let Self { all, seen, news, .. } = self;
        let mut is_any_underway = false;
        for attacked in all.iter_mut().filter(|attacked| attacked.status.end.is_none()) {
            let before = attacked.status.clone();
            what(attacked, seen);
            if attacked.status != before {
                news.push(attacked.status.clone());
            }
            is_any_underway |= attacked.status.end.is_none();
        }
        if !is_any_underway {
            seen.clear();
        }
    }
}

impl Attacked {
    /// A process has done what it was asked, or not.
    fn take_answer(&mut self, now: Time, node: String, outcome: &Outcome, names: &Names) {
        match outcome {
            Outcome::Attacked { deed } => {
                let deed = match deed.clone() {
                    Deed::Replayed { t, packet, copies, last } => {
                        AttackDeed::Replayed { t, packet, copies, last }
                    }
                    Deed::Flipped { t, before, after } => AttackDeed::Flipped { t, before, after },
                    Deed::Skipped { t, packet, route } => {
                        let route = route.iter().map(|hop| names.name_or_self(hop)).collect();
                        AttackDeed::Skipped { t, packet, route }
                    }
                    Deed::Held { from, until, packets, lost } => {
                        if let Some(isolating) = &mut self.isolating {
                            isolating.held(node, (from, until), packets, lost);
                        }
                        return self.holds_are_over(now);
                    }
                };
                self.is_done(now, deed);
            }
            Outcome::Refused { reason } => {
                // Addresses are not what people know nodes by.
                let words = reason.split(' ').map(|word| names.name_or_self(word));
                let reason = words.collect::<Vec<_>>().join(" ");
                self.not_done(now, &node, &reason);
            }
            _ => self.not_done(now, &node, &format!("`{node}` answered something else")),
        }
    }

    /// It was carried out: from now on it is followed.
    fn is_done(&mut self, now: Time, deed: AttackDeed) {
        self.status.deed = Some(deed);
        self.deadline = now + self.patience;
    }

    /// One of those that were asked did not do it. Of many that hold packets back the others count.
    fn not_done(&mut self, now: Time, node: &str, why: &str) {
        match &mut self.isolating {
            Some(isolating) => {
                isolating.not_held(node);
                self.holds_are_over(now);
            }
            None => self.end(now, Verdict::NotDone, Some(why.into())),
        }
    }

    fn holds_are_over(&mut self, now: Time) {
        if !self.asked.is_empty() {
            return;
        }
        let deed = self.isolating.as_ref().and_then(Isolating::deed);
        if let Some(deed) = deed {
            self.is_done(now, deed);
        } else {
            self.end(now, Verdict::NotDone, Some("nobody held anything back".into()));
        }
    }

    fn note_end(&mut self, node: &str) {
        let ended = &mut self.status.ended;
        if ended.len() < MAX_NOTED && !ended.iter().any(|known| known == node) {
            ended.push(node.into());
        }
        // Its next process counts from zero.
        self.dropped.remove(node);
    }

    /// Notes which counters of dropped packets have risen.
    fn count(&mut self, node: &str, metrics: &NodeMetrics) {
        let before = self.dropped.get(node);
        for (reason, count) in &metrics.dropped {
            let known = before.and_then(|before| before.get(reason)).copied().unwrap_or(0);
            let packets = count.saturating_sub(known);
            if packets == 0 {
                continue;
            }
            let counted = &mut self.status.counted;
            let is_it =
                |counted: &&mut DropsCounted| counted.node == node && counted.reason == *reason;
            if let Some(counted) = counted.iter_mut().find(is_it) {
                counted.packets = packets;
            } else if counted.len() < MAX_NOTED {
                counted.push(DropsCounted { node: node.into(), reason: reason.clone(), packets });
            }
        }
    }

    fn end(&mut self, now: Time, verdict: Verdict, reason: Option<String>) {
        self.asked.clear();
        self.status.end = Some(AttackEnd { t: now, verdict, reason });
    }
}

#[cfg(test)]
mod tests;
