//! Who writes to somebody? Small hints of many packets, added up.
//!
//! Each packet that a recipient gets points at some senders a little more than packets in general do.
//! One says nothing, hundreds tell. It takes an adversary who knows for whom packets are, be it that
//! the provider tells or pushes what it gets at once.

use std::time::Duration;

use crate::event::NodeId;
use crate::numbers::real;
use crate::posterior::Posterior;

/// The part of a recipient's packets that is assumed to come from the one who writes, if nothing is
/// known: one of four, as with a message a second at the classic rates, beside three loops of his own.
pub const ASSUMED_SHARE: f64 = 0.25;

/// The suspects for writing to one recipient.
#[derive(Clone, Debug)]
pub struct Suspects {
    recipient: NodeId,
    share: f64,
    memory: Option<Duration>,
    /// By index of the source.
    known: Vec<Known>,
    /// Packets that came out.
    came_out: f64,
    /// Packets for the recipient.
    delivered: u64,
    since: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    node: NodeId,
    serial: u32,
    is_sender: bool,
    /// Its probabilities over all packets that came out, added up.
    sum: f64,
    score: f64,
}

/// One suspect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspect {
    /// Who.
    pub node: NodeId,
    /// How much better than chance "this one writes" explains the recipient's packets: a log-likelihood
    /// ratio in nats, so that ln 99 stands for odds of 99 to 1.
    pub score: f64,
    /// The probability that it is this one, if exactly one of the others writes to the recipient and
    /// nothing else was known before.
    pub probability: f64,
}

impl Suspect {
    /// Odds that it is this one, to one.
    pub fn odds(&self) -> f64 {
        self.probability / (1.0 - self.probability)
    }
}

impl Suspects {
    /// Suspects for writing to `recipient`, when the one who does sends `share` of the packets that he
    /// gets (see [`ASSUMED_SHARE`]). What is older than `memory` is forgotten little by little; without
    /// it nothing is.
    pub fn new(recipient: NodeId, share: f64, memory: Option<Duration>) -> Self {
        Self {
            recipient,
            share: share.clamp(0.0, 1.0),
            memory,
            known: Vec::new(),
            came_out: 0.0,
            delivered: 0,
            since: Duration::ZERO,
        }
    }

    /// Takes in a packet that came out, for whomever: what packets look like in general.
    pub fn came_out(&mut self, t: Duration, posterior: &Posterior<'_>) {
        self.forget(t);
        self.align(posterior);
        self.came_out += 1.0;
        for (known, p) in self.known.iter_mut().zip(posterior.p) {
            known.sum += p;
        }
    }

    /// Takes in a packet, if it is for the recipient.
    ///
    /// With share φ from a suspect s and the rest as packets in general are, a packet that came from s
    /// with probability v(s), where packets in general do with b(s), is 1 − φ + φ·v(s)/b(s) times as
    /// likely as without.
    pub fn delivered(&mut self, t: Duration, recipient: NodeId, posterior: &Posterior<'_>) {
        if recipient != self.recipient {
            return;
        }
        self.forget(t);
        self.align(posterior);
        self.delivered += 1;
        // As if one packet more had come out that might have been anybody's: there is no division by
        // zero, and the first packets are not overrated.
        let anybody = real(self.known.len().max(1)).recip();
        for (known, p) in self.known.iter_mut().zip(posterior.p) {
            let general = (known.sum + anybody) / (self.came_out + 1.0);
            known.score +=
                (1.0 - self.share + self.share * p / general).max(f64::MIN_POSITIVE).ln();
        }
    }

    fn forget(&mut self, t: Duration) {
        let passed = t.saturating_sub(self.since);
        self.since = self.since.max(t);
        let Some(memory) = self.memory else { return };
        let left = (-passed.as_secs_f64() / memory.as_secs_f64()).exp();
        self.came_out *= left;
        for known in &mut self.known {
            known.sum *= left;
            known.score *= left;
        }
    }

    /// Whoever joined instead of another begins without suspicion.
    fn align(&mut self, posterior: &Posterior<'_>) {
        for (index, source) in posterior.sources.iter().enumerate() {
            let new = Known {
                node: source.node,
                serial: source.serial,
                is_sender: source.is_sender(),
                sum: 0.0,
                score: 0.0,
            };
            match self.known.get_mut(index) {
                Some(known) if known.serial == source.serial => {}
                Some(known) => *known = new,
                None => self.known.push(new),
            }
        }
    }

    /// Who is asked about.
    pub fn recipient(&self) -> NodeId {
        self.recipient
    }

    /// Packets for the recipient that counted.
    pub fn packets(&self) -> u64 {
        self.delivered
    }

    /// All suspects, the worst first. The recipient is not among them: cover traffic comes back to who
    /// sent it, so that everybody is his own best suspect.
    pub fn ranking(&self) -> Vec<Suspect> {
        let others = self.known.iter().filter(|k| k.is_sender && k.node != self.recipient);
        let mut ranking: Vec<_> = others
            .map(|known| Suspect { node: known.node, score: known.score, probability: 0.0 })
            .collect();
        ranking.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.node.cmp(&b.node)));
        // Relative to the first, so that nothing overflows.
        let first = ranking.first().map_or(0.0, |first| first.score);
        let weight = |suspect: &Suspect| (suspect.score - first).exp();
        let all: f64 = ranking.iter().map(weight).sum();
        for suspect in &mut ranking {
            suspect.probability = weight(suspect) / all;
        }
        ranking
    }

    /// How much the recipient's packets look like his own, in nats.
    pub fn own_score(&self) -> Option<f64> {
        let own = self.known.iter().find(|known| known.is_sender && known.node == self.recipient);
        own.map(|known| known.score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posterior::Source;
    use crate::test_help::assert_near;

    const BOB: NodeId = NodeId(1);

    fn sources(serials: [u32; 3]) -> [Source; 3] {
        let node = |serial: u32| NodeId(u16::try_from(serial).expect("small"));
        serials.map(|serial| Source {
            node: node(serial),
            mailbox: Some(NodeId(0)),
            serial,
            is_gone: false,
        })
    }

    fn at(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn observe(suspects: &mut Suspects, sources: &[Source], t: u64, to_bob: [f64; 3]) {
        let general = Posterior { sources, p: &[1.0 / 3.0; 3], unknown: 0.0 };
        suspects.came_out(at(t), &general);
        suspects.delivered(at(t), NodeId(9), &general);
        suspects.delivered(at(t), BOB, &Posterior { p: &to_bob, ..general });
    }

    #[test]
    fn hints_add_up() {
        let sources = sources([1, 2, 3]);
        let mut suspects = Suspects::new(BOB, 0.25, None);
        for t in 0..2 {
            observe(&mut suspects, &sources, t, [0.4, 0.5, 0.1]);
        }
        let ranking = suspects.ranking();
        let (alice, carol) = (0.75 + 0.25 * 1.5_f64, 0.75 + 0.25 * 0.3_f64);
        assert_eq!(ranking.iter().map(|s| s.node).collect::<Vec<_>>(), [NodeId(2), NodeId(3)]);
        assert_near(ranking[0].score, 2.0 * alice.ln(), 1e-12);
        assert_near(ranking[1].score, 2.0 * carol.ln(), 1e-12);
        assert_near(ranking[0].odds(), (alice / carol).powi(2), 1e-9);
        assert_near(suspects.own_score().expect("known"), 2.0 * (0.75 + 0.3_f64).ln(), 1e-12);
        assert_eq!(suspects.packets(), 2);
    }

    /// Who sends most is in most packets, and is no more suspect for it.
    #[test]
    fn who_sends_much_is_not_suspected_for_it() {
        let sources = sources([1, 2, 3]);
        let mut suspects = Suspects::new(BOB, 0.25, None);
        let general = Posterior { sources: &sources, p: &[0.2, 0.7, 0.1], unknown: 0.0 };
        for _ in 0..1000 {
            suspects.came_out(at(0), &general);
        }
        for _ in 0..10 {
            suspects.delivered(at(0), BOB, &general);
        }
        for suspect in suspects.ranking() {
            assert_near(suspect.score, 0.0, 0.01);
            assert_near(suspect.probability, 0.5, 0.01);
        }
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let sources = sources([1, 2, 3]);
        let mut suspects = Suspects::new(BOB, 0.25, Some(at(10)));
        observe(&mut suspects, &sources, 0, [0.0, 1.0, 0.0]);
        let before = suspects.ranking()[0].score;
        suspects.delivered(
            at(10),
            BOB,
            &Posterior { sources: &sources, p: &[1.0 / 3.0; 3], unknown: 0.0 },
        );
        assert_near(suspects.ranking()[0].score, before / 1.0_f64.exp(), 1e-12);
    }

    #[test]
    fn who_joins_later_is_not_suspected_for_another() {
        let mut suspects = Suspects::new(BOB, 0.25, None);
        observe(&mut suspects, &sources([1, 2, 3]), 0, [0.0, 1.0, 0.0]);
        observe(&mut suspects, &sources([1, 4, 3]), 1, [1.0 / 3.0; 3]);
        assert_near(suspects.ranking()[0].score, (0.75 + 0.25 * 0.5_f64).ln().max(0.0), 0.4);
        assert!(suspects.ranking().iter().all(|s| s.node != NodeId(2)));
    }
}
