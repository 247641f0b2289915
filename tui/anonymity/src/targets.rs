//! Packets that are followed forward: where may this one be by now?
//!
//! Some are chosen by whoever asks, as the next packet of a sender; the rest follow whatever packet
//! comes next, so that there is always a figure for the network as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::{NodeId, Sighting};
use crate::masses::MAX_TARGETS;
use crate::numbers::{real_u64, surprise};

/// Packets that can be followed on request at once. The others are samples.
pub const MAX_WATCHED: usize = 8;

/// A packet is done when so much of it has come out: the rest, an eighth of a millibit per bit of
/// entropy, would have to be waited for twice as long.
pub const SETTLED: f64 = 0.9999;

/// What was lost of a sample beyond this makes its entropy that of a packet which may have died.
const SPOILED: f64 = 0.01;

/// A packet that has not come out after this is given up: no header asks for such delays, so that
/// what is left of it waits where somebody was miscounted.
pub const MAX_AGE: Duration = Duration::from_secs(300);

/// Samples that are followed at once, on average: half of what there is room for, so that there is nearly
/// always a column when one is due.
const SAMPLES: u32 = 4;

/// How much of the pace of samples is that of the last.
const PACE: f64 = 1.0 / 8.0;

/// A packet that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetId(u64);

/// What became of a packet that is followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Which.
    pub id: TargetId,
    /// Whose packet it is. The observer saw it leave, so this is no secret.
    pub sender: NodeId,
    /// Its first link; none while its sender has not sent anything yet.
    pub sent: Option<Sighting>,
    /// Entropy of where it came out, in bits: at least this, as it only grows.
    pub bits: f64,
    /// The probability that it has come out: 1 in the end.
    pub out: f64,
    /// The probability that it was lost, with a node that died or a packet that was miscounted.
    pub lost: f64,
    /// Whether nothing more will change.
    pub is_settled: bool,
    /// Where it may have come out.
    pub providers: BTreeMap<NodeId, f64>,
    /// For whom it may have been, as far as what came out was seen to go on to somebody.
    pub recipients: BTreeMap<NodeId, f64>,
}

impl Target {
    /// Whether its entropy stands for packets that were not lost.
    pub fn is_sound(&self) -> bool {
        self.is_settled && self.lost < SPOILED && self.out > 1.0 - SPOILED
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    columns: [Option<Target>; MAX_TARGETS],
    last: u64,
    pace: Pace,
}

/// Which packets are samples: every so many-th.
///
/// It must be counted, and must not depend on when a column gets free: one does when a packet has come
/// out, which is when pools are small, and the next packet would have less to hide among than most. With
/// three packets in a pool that makes an eighth of a bit.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// Packets that were sent.
    sent: u64,
    /// Number of the next sample.
    next: u64,
    /// Packets that are sent while one is underway, on average.
    meanwhile: f64,
    /// Of the samples, by column: the number of the packet.
    began: [u64; MAX_TARGETS],
}

impl Pace {
    fn is_due(&mut self) -> bool {
        self.sent += 1;
        self.sent > self.next
    }

    fn begin(&mut self, column: usize) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, few"
        )]
        let pause = (self.meanwhile / f64::from(SAMPLES)).ceil() as u64;
        self.next = self.sent + pause.saturating_sub(1);
        self.began[column] = self.sent;
    }

    fn end(&mut self, column: usize) {
        let meanwhile = real_u64(self.sent - self.began[column]);
        let is_first = self.meanwhile <= 0.0;
        self.meanwhile += (meanwhile - self.meanwhile) * if is_first { 1.0 } else { PACE };
    }
}

impl Targets {
    /// Follows the next packet of this sender, instead of the oldest that was asked for if there are too
    /// many. Gives the column that has to be emptied.
    pub(crate) fn watch(&mut self, sender: NodeId) -> (TargetId, usize) {
        let watched = &self.columns[..MAX_WATCHED];
        let age = |column: &usize| watched[*column].as_ref().map(|target| target.id);
        // None comes before any number.
        let column = (0..MAX_WATCHED).min_by_key(age).unwrap_or(0);
        (self.begin(column, sender, None), column)
    }

    fn begin(&mut self, column: usize, sender: NodeId, sent: Option<Sighting>) -> TargetId {
        self.last += 1;
        let id = TargetId(self.last);
        self.columns[column] = Some(Target {
            id,
            sender,
            sent,
            bits: 0.0,
            out: 0.0,
            lost: 0.0,
            is_settled: false,
            providers: BTreeMap::new(),
            recipients: BTreeMap::new(),
        });
        id
    }

    pub(crate) fn get(&self, id: TargetId) -> Option<(usize, &Target)> {
        let columns = self.columns.iter().enumerate();
        columns
            .filter_map(|(column, target)| Some((column, target.as_ref()?)))
            .find(|(_, target)| target.id == id)
    }

    /// A sender sent a packet: its column, if it is to be followed.
    pub(crate) fn sent(&mut self, sighting: Sighting) -> Option<usize> {
        let is_due = self.pace.is_due();
        let wanted = self.columns[..MAX_WATCHED].iter_mut().position(|target| {
            let wanted = target.as_mut().filter(|t| t.sent.is_none() && t.sender == sighting.src);
            wanted.map(|target| target.sent = Some(sighting)).is_some()
        });
        if wanted.is_some() || !is_due {
            return wanted;
        }
        let free = (MAX_WATCHED..MAX_TARGETS).find(|column| self.columns[*column].is_none())?;
        self.begin(free, sighting.src, Some(sighting));
        self.pace.begin(free);
        Some(free)
    }

    /// A packet came out at a provider, which is each target with these probabilities, and with
    /// `own_share` a sender's and no acknowledgement.
    ///
    /// What comes out and is no sender's packet hides none: with probability w it turns out to be one,
    /// and is the target with p/w. The expected share in the entropy is w · −(p/w)·log2(p/w).
    pub(crate) fn came_out(&mut self, provider: NodeId, p: &[f64], own_share: f64) {
        let known = if own_share > 0.0 { own_share.log2() } else { 0.0 };
        for (target, p) in self.underway(p) {
            target.bits += surprise(p) + p * known;
            target.out += p;
            *target.providers.entry(provider).or_default() += p;
        }
    }

    /// Such a packet went on to somebody.
    pub(crate) fn delivered(&mut self, recipient: NodeId, p: &[f64]) {
        for (target, &p) in self.columns.iter_mut().zip(p) {
            if let Some(target) = target.as_mut().filter(|_| p > 0.0) {
                *target.recipients.entry(recipient).or_default() += p;
            }
        }
    }

    /// This much of each was lost.
    pub(crate) fn lost(&mut self, p: &[f64]) {
        for (target, p) in self.underway(p) {
            target.lost += p;
        }
    }

    fn underway(&mut self, p: &[f64]) -> impl Iterator<Item = (&mut Target, f64)> {
        let all = self.columns.iter_mut().zip(p);
        all.filter_map(|(target, p)| Some((target.as_mut()?, *p)))
            .filter(|(target, p)| *p > 0.0 && !target.is_settled)
    }

    /// The next one of which nothing more will be heard, with its column, which has to be emptied.
    pub(crate) fn settle(&mut self, now: Duration) -> Option<(usize, Target)> {
        let is_done = |target: &Target| {
            let is_old = target.sent.is_some_and(|sent| now.saturating_sub(sent.t) > MAX_AGE);
            !target.is_settled && (target.out + target.lost >= SETTLED || is_old)
        };
        let column = self.columns.iter().position(|t| t.as_ref().is_some_and(is_done))?;
        let target = self.columns[column].as_mut()?;
        target.is_settled = true;
        // What was asked for stays until somebody asks for another.
        let settled = target.clone();
        if column >= MAX_WATCHED {
            self.pace.end(column);
            self.columns[column] = None;
        }
        Some((column, settled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::assert_near;

    fn sighting(sender: u16, s: u64) -> Sighting {
        Sighting { t: Duration::from_secs(s), src: NodeId(sender), dst: NodeId(0) }
    }

    fn column(column: usize, p: f64) -> [f64; MAX_TARGETS] {
        std::array::from_fn(|index| if index == column { p } else { 0.0 })
    }

    #[test]
    fn the_next_packet_of_a_sender() {
        let mut targets = Targets::default();
        let (id, watched) = targets.watch(NodeId(5));
        let other = targets.sent(sighting(4, 1)).expect("a sample");
        assert!(other >= MAX_WATCHED);
        assert_eq!(targets.sent(sighting(5, 1)), Some(watched));
        assert!(targets.sent(sighting(5, 2)).is_some_and(|column| column >= MAX_WATCHED));
        for _ in 0..2 {
            targets.came_out(NodeId(9), &column(watched, 0.5), 1.0);
            targets.delivered(NodeId(7), &column(watched, 0.5));
        }
        let (column, settled) = targets.settle(Duration::from_secs(3)).expect("it came out");
        assert_eq!((column, settled.id), (watched, id));
        assert!(settled.is_sound());
        assert_near(settled.bits, 1.0, 1e-12);
        assert_near(settled.providers[&NodeId(9)], 1.0, 1e-12);
        assert_near(settled.recipients[&NodeId(7)], 1.0, 1e-12);
        assert_eq!(targets.settle(Duration::from_secs(3)), None);
        assert!(targets.get(id).expect("kept").1.is_settled);
    }

    #[test]
    fn samples_make_room_and_the_oldest_watched_goes() {
        let mut targets = Targets::default();
        let first = targets.watch(NodeId(1));
        for sender in (2..).take(MAX_WATCHED - 1) {
            targets.watch(NodeId(sender));
        }
        assert_eq!(targets.watch(NodeId(99)).1, first.1);
        assert_eq!(targets.get(first.0), None);
        let samples = MAX_TARGETS - MAX_WATCHED;
        let columns: Vec<_> = (0..samples).map(|_| targets.sent(sighting(50, 0))).collect();
        assert!(columns.iter().all(Option::is_some));
        assert_eq!(targets.sent(sighting(50, 0)), None);
        // Half of one is lost, half comes out; another gets old.
        let lost = columns[0].expect("a column");
        targets.lost(&column(lost, 0.5));
        // Which is no acknowledgement, as turns out half of the times.
        targets.came_out(NodeId(9), &column(lost, 0.5), 0.5);
        let (free, settled) = targets.settle(Duration::from_secs(1)).expect("nothing is left");
        assert!(free == lost && !settled.is_sound());
        assert_near(settled.bits, 0.0, 1e-12);
        let late = MAX_AGE + Duration::from_secs(1);
        assert!(targets.settle(late).is_some_and(|(_, target)| !target.is_sound()));
        assert_eq!(targets.sent(sighting(51, 0)), Some(lost));
    }
}
