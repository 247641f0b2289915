//! What came of an attack, by what nodes told so far.

use std::time::Duration;

use contract::{PacketPart, Print, Time};
use control::{AttackDeed, AttackPlan, IGNORED_HEADER_BIT, Sighting, Verdict};

use super::Attacked;
use super::seen::{Seen, Trail, TrailEnd};

/// What happened until a moment has been told so long after it: nodes tell every tenth of a second.
const ALL_TOLD: Duration = Duration::from_millis(500);

impl Attacked {
    /// Looks whether it is clear by now what came of it.
    pub(super) fn look(&mut self, now: Time, seen: &Seen) {
        if self.status.end.is_some() {
            return;
        }
        let verdict = match (&self.status.plan, &self.status.deed) {
            (AttackPlan::Replay { to, .. }, Some(AttackDeed::Replayed { packet, copies, .. })) => {
                let sightings = seen.at(to, *packet);
                let verdict = of_replay(&sightings, *copies);
                self.status.seen = sightings;
                verdict
            }
            (AttackPlan::Flip { part, bit, .. }, Some(AttackDeed::Flipped { after, .. })) => {
                let (part, bit, after) = (*part, *bit, *after);
                let end = self.follow(seen, after);
                end.and_then(|end| of_flip(part, bit, end))
            }
            (AttackPlan::Skip { .. }, Some(AttackDeed::Skipped { packet, .. })) => {
                let packet = *packet;
                self.follow(seen, packet).map(|end| match end {
                    TrailEnd::Dropped => Verdict::Stopped,
                    TrailEnd::Acknowledged | TrailEnd::Delivered | TrailEnd::Stored => {
                        Verdict::Through
                    }
                })
            }
            (AttackPlan::Isolate { .. }, Some(AttackDeed::Held { until, .. })) => {
                let until = *until;
                self.isolated(now, until)
            }
            _ => None,
        };
        if let Some(verdict) = verdict.or_else(|| self.counters_say()) {
            self.end(now, verdict, None);
        }
    }

    /// Follows the packet as far as was told; where that ends, if it does.
    fn follow(&mut self, seen: &Seen, packet: Print) -> Option<TrailEnd> {
        let Trail { sightings, end } = seen.follow(packet);
        self.status.seen = sightings;
        end
    }

    /// What isolating came to, once a packet was alone.
    fn isolated(&mut self, now: Time, until: Time) -> Option<Verdict> {
        let isolation = self.isolating.as_ref()?.outcome();
        let is_clear = isolation.alone.is_some() && now > until + ALL_TOLD;
        self.status.isolation = Some(isolation);
        is_clear.then_some(Verdict::Through)
    }

    /// The deadline is over: what is known by now is all that will be.
    pub(super) fn give_up_waiting(&mut self, now: Time, seen: &Seen) {
        self.look(now, seen);
        if self.status.end.is_some() {
            return;
        }
        if self.status.deed.is_none() {
            let why = match self.asked.first() {
                Some(asked) => format!("`{}` did not answer", asked.node),
                None => "nobody answered".to_owned(),
            };
            return self.end(now, Verdict::NotDone, Some(why));
        }
        let why = self.why_unknown();
        self.end(now, Verdict::Unknown, Some(why));
    }

    /// What counters say where nothing else does: that one has risen which would have to if this was
    /// stopped. Where nodes tell of each packet they are no help, for they count others as well.
    fn counters_say(&self) -> Option<Verdict> {
        if self.status.trace {
            return None;
        }
        let (node, reasons, least): (&str, &[&str], u64) =
            match (&self.status.plan, self.status.deed.as_ref()?) {
                (AttackPlan::Replay { to, .. }, AttackDeed::Replayed { copies, .. }) => {
                    (to, &["replay"], u64::from(*copies))
                }
                (AttackPlan::Flip { to, part: PacketPart::Header, .. }, _) => (to, &["mac"], 1),
                (AttackPlan::Skip { .. }, AttackDeed::Skipped { route, .. }) => {
                    (route.first()?, &["layer", "unknown-hop"], 1)
                }
                _ => return None,
            };
        let mut counted = self.status.counted.iter();
        let has_risen = counted.any(|counted| {
            counted.node == node
                && reasons.contains(&counted.reason.as_str())
                && counted.packets >= least
        });
        has_risen.then_some(Verdict::Stopped)
    }

    fn why_unknown(&self) -> String {
        if let AttackPlan::Isolate { mix, target, .. } = &self.status.plan {
            return match &self.status.isolation {
                _ if !self.status.trace => "nodes tell nothing of packets (`--trace off`)".into(),
                Some(isolation) if isolation.sent == 0 => {
                    format!("{target} sent nothing to {mix} meanwhile; try again, or for longer")
                }
                _ => {
                    format!("{mix} was never empty when a packet of {target} came; try for longer")
                }
            };
        }
        if !self.status.trace {
            return "nodes tell nothing of packets (`--trace off`), and no counter rose that would \
                    have to"
                .into();
        }
        match self.status.seen.last() {
            Some(Sighting::Passed { to, .. }) => format!("{to} has not told of it"),
            Some(Sighting::Kept { client, .. }) => format!("{client} has not told of it"),
            Some(_) => "not all copies were told of".into(),
            None => "no node told of it".into(),
        }
    }
}

/// All copies were told of, and the packet itself was: it may still wait where copies are dropped.
fn of_replay(sightings: &[Sighting], copies: u32) -> Option<Verdict> {
    let copies = usize::try_from(copies).unwrap_or(usize::MAX);
    let is_replay =
        |seen: &&Sighting| matches!(seen, Sighting::Dropped { reason, .. } if reason == "replay");
    let went = |seen: &&Sighting| matches!(seen, Sighting::Passed { .. } | Sighting::Kept { .. });
    if sightings.iter().filter(is_replay).count() >= copies {
        return Some(Verdict::Stopped);
    }
    let all = sightings.len() > copies;
    (all && sightings.iter().filter(went).count() > 1).then_some(Verdict::Through)
}

fn of_flip(part: PacketPart, bit: Option<u32>, end: TrailEnd) -> Option<Verdict> {
    match (part, end) {
        (_, TrailEnd::Dropped) => Some(Verdict::Stopped),
        (PacketPart::Payload, TrailEnd::Acknowledged) => Some(Verdict::Harmless),
        (PacketPart::Payload, TrailEnd::Stored) => None,
        (PacketPart::Header, _) if bit == Some(IGNORED_HEADER_BIT) => Some(Verdict::Harmless),
        (PacketPart::Payload, TrailEnd::Delivered) | (PacketPart::Header, _) => {
            Some(Verdict::Through)
        }
    }
}
