//! The n−1 attack: everybody but one client is kept from a mixnode, and then it is looked at what came
//! and left there meanwhile.

use std::time::Duration;

use contract::{LinkEvent, Time};
use control::{Alone, AttackDeed, AttackPlan, Isolation};

use crate::journeys::{Passed, Record};
use crate::names::Names;

/// Packets of a mixnode that are noted: more than its pool holds, and more than come to it while it is
/// cut off.
const MAX_NOTED: usize = 16_384;

/// Between a client's writing of a packet and the mixnode's reading of it there is less than this, on
/// a machine that is not wholly overloaded.
const LINK_TIME: Duration = Duration::from_millis(50);

/// A mixnode that is being cut off.
#[derive(Debug)]
pub(super) struct Isolating {
    mix: String,
    target: String,
    /// Who holds or has held packets back: from when until when, how many waited at the end, and how many
    /// found no place.
    held: Vec<(String, (Time, Time), u64, u64)>,
    not_held: Vec<String>,
    /// When the client sent packets there.
    sent: Vec<Time>,
    passed: Vec<Stay>,
}

/// A packet's stay in the mixnode.
#[derive(Debug)]
struct Stay {
    came: Time,
    left: Time,
    to: String,
    /// How many others waited when it came.
    pool: u32,
}

impl Isolating {
    /// What there is to note of this attack, if it is one of this kind. Some cannot be asked.
    pub(super) fn of(plan: &AttackPlan, not_held: Vec<String>) -> Option<Self> {
        let AttackPlan::Isolate { mix, target, .. } = plan else { return None };
        let (mix, target) = (mix.clone(), target.clone());
        Some(Self { mix, target, held: Vec::new(), not_held, sent: Vec::new(), passed: Vec::new() })
    }

    /// A node has held packets back.
    pub(super) fn held(&mut self, node: String, span: (Time, Time), packets: u64, lost: u64) {
        self.held.push((node, span, packets, lost));
    }

    /// A node has not.
    pub(super) fn not_held(&mut self, node: &str) {
        self.not_held.push(node.into());
    }

    /// What was done, if anything was.
    pub(super) fn deed(&self) -> Option<AttackDeed> {
        let (from, until) = self.span()?;
        let mut nodes: Vec<String> = self.held.iter().map(|(node, ..)| node.clone()).collect();
        nodes.sort();
        Some(AttackDeed::Held {
            from,
            until,
            nodes,
            packets: self.held.iter().map(|(_, _, packets, _)| packets).sum(),
            lost: self.held.iter().map(|(_, _, _, lost)| lost).sum(),
            not_held: self.not_held.clone(),
        })
    }

    /// While all held back what they had.
    fn span(&self) -> Option<(Time, Time)> {
        let from = self.held.iter().map(|(_, (from, _), ..)| *from).max()?;
        let until = self.held.iter().map(|(_, (_, until), ..)| *until).min()?;
        Some((from, until.max(from)))
    }

    /// A node told what left on its links.
    pub(super) fn hear_links(&mut self, src: &str, links: &[LinkEvent]) {
        if src == self.target {
            let there = links.iter().filter(|link| link.dst == self.mix).map(|link| link.t);
            self.sent.extend(there);
            self.sent.truncate(MAX_NOTED);
        }
    }

    /// A node told what became of packets.
    pub(super) fn hear_packets(&mut self, node: &str, told: &[Record], names: &Names) {
        if node != self.mix {
            return;
        }
        for record in told {
            let Record::Passed(Passed { came, left, to, pool, .. }) = record else { continue };
            if self.passed.len() < MAX_NOTED {
                let to = names.name_or_self(&to.to_string());
                self.passed.push(Stay { came: *came, left: *left, to, pool: *pool });
            }
        }
    }

    /// What it came to, by what was told so far.
    pub(super) fn outcome(&self) -> Isolation {
        let Some((from, until)) = self.span() else { return Isolation::default() };
        // What others wrote before they were stopped may still be on its way.
        let is_meanwhile = |t: Time| (from + LINK_TIME..until).contains(&t);
        let before = self.passed.iter().filter(|stay| stay.came < from && stay.left >= from);
        let last = before.clone().map(|stay| stay.left).max().unwrap_or(from);
        let drained = last.saturating_since(from).as_micros();
        let sent = |t: &&Time| is_meanwhile(**t);
        let came = || self.passed.iter().filter(|stay| is_meanwhile(stay.came));
        let is_of_target = |stay: &&Stay| {
            self.sent.iter().any(|t| {
                t.saturating_since(stay.came) < LINK_TIME
                    && stay.came.saturating_since(*t) < LINK_TIME
            })
        };
        let alone = came().filter(|stay| stay.pool == 0).filter(is_of_target);
        let alone = alone.min_by_key(|stay| stay.came);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Isolation {
            pool: count(before.count()),
            drained_us: u64::try_from(drained).unwrap_or(u64::MAX),
            sent: count(self.sent.iter().filter(sent).count()),
            came: count(came().count()),
            alone: alone.map(|stay| Alone {
                came: stay.came,
                left: stay.left,
                to: stay.to.clone(),
            }),
        }
    }
}
