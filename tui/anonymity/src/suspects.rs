//! Who writes to somebody? Small hints of many packets, added up.
//!
//! Each packet that a recipient gets points at some senders a little more than packets in general do.
//! One says nothing, hundreds tell. It takes an adversary who knows for whom packets are, be it that
//! the provider tells or pushes what it gets at once.
//!
//! # The odds
//!
//! If a suspect s writes a share φ of what the recipient gets, and the rest is as packets in general
//! are, a packet that came from s with probability v(s), where packets in general do with b(s), is
//! `1 − φ + φ·v(s)/b(s)` times as likely as if nobody wrote. What packets in general do is measured over
//! just the time from which the recipient's packets are: with a mean of before, whoever sent more
//! than usual in that time would be in all of its packets, and be suspected for it a hundred times. Nobody
//! knows φ (cover and acknowledgements come to the recipient too, and how many is the network's affair),
//! so that [`SHARES`] from a fiftieth to nine tenths are as likely as each other, the same for all suspects,
//! and what the packets say of φ is weighed in.
//!
//! Packets that came soon after each other were in the same pools, and an acknowledgement follows what it
//! acknowledges: they tell in part the same. How much they do is seen in the suspects, all of whom
//! but one are suspected by chance: if chance spreads them further than independent packets could,
//! all evidence counts for as much less, and for a third less in any case.
//!
//! The odds are modest: in simulations of 216 networks of 10 to 100 senders, with seeds by which nothing was
//! chosen, no class of suspects was given more than is true of it beyond the margin of chance
//! (`benches/odds.rs`, figures in docs/benchmarks.md). Odds of who writes once in three seconds are about
//! right; who writes often is given half of its odds or much less.
//!
//! # What it leaves out
//!
//! When the recipient sends cover itself can be seen too, which of its packets are acknowledged, and who gets
//! less back than it sends. An observer who uses that needs half of the packets, or fewer.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::NodeId;
use crate::numbers::{real, real_u64};
use crate::posterior::Posterior;

/// The parts of a recipient's packets that may come from the one who writes: each twice the one before
/// or less, from a message now and then to nothing else.
pub const SHARES: [f64; 8] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9];

/// A window goes on in so many steps: it is up to a twelfth shorter than it is called.
const SLICES: u32 = 12;

/// Probabilities that are kept, 1 MB of them, and gone through for each ranking: a minute of 20 senders
/// at 200 packets a second to one recipient. Where they are more the window is shorter.
const MAX_HINTS: usize = 1 << 18;

/// So many factors, each between a tenth and a few thousand, are a number that can be represented: one
/// logarithm for all of them.
const FACTORS: usize = 16;

/// The suspects for writing to one recipient.
#[derive(Clone, Debug)]
pub struct Suspects {
    recipient: NodeId,
    window: Option<Duration>,
    /// By index of the source.
    known: Vec<Known>,
    /// What came out, for whomever; oldest first, the last goes on.
    slices: VecDeque<Slice>,
    /// All slices together.
    general: Slice,
    /// Packets that came out since the beginning, for whomever.
    came_out: u64,
    /// Packets for the recipient since the beginning.
    delivered: u64,
    /// Those of the window, oldest first.
    hints: VecDeque<Hint>,
    /// To use again.
    spare: Vec<Vec<f32>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    node: NodeId,
    serial: u32,
    is_sender: bool,
    /// Packets that had come out when it joined, and those of them for the recipient.
    joined: (u64, u64),
}

/// What packets in general are, for some time.
#[derive(Clone, Debug, Default)]
struct Slice {
    begin: Duration,
    /// Packets that came out.
    packets: u64,
    /// Their probabilities, added up, by index of the source.
    sums: Vec<f64>,
}

/// A packet for the recipient.
#[derive(Clone, Debug)]
struct Hint {
    t: Duration,
    /// How many came before it.
    number: u64,
    /// By index of the source. Single precision is a millionth of what chance does.
    p: Vec<f32>,
}

/// One suspect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspect {
    /// Who.
    pub node: NodeId,
    /// How much better "this one writes" explains the recipient's packets than "nobody does": a
    /// log-likelihood ratio in nats, so that ln 99 stands for odds of 99 to 1.
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
    /// Suspects for writing to `recipient` within the `window` before now, or ever.
    pub fn new(recipient: NodeId, window: Option<Duration>) -> Self {
        Self {
            recipient,
            window,
            known: Vec::new(),
            slices: VecDeque::new(),
            general: Slice::default(),
            came_out: 0,
            delivered: 0,
            hints: VecDeque::new(),
            spare: Vec::new(),
        }
    }

    /// Takes in a packet that came out, for whomever: what packets look like in general.
    pub fn came_out(&mut self, t: Duration, posterior: &Posterior<'_>) {
        self.go_on(t);
        self.align(posterior);
        self.came_out += 1;
        if self.slices.is_empty() {
            self.slices.push_back(Slice { begin: t, ..Slice::default() });
        }
        for slice in self.slices.back_mut().into_iter().chain([&mut self.general]) {
            slice.add(posterior.p);
        }
    }

    /// Takes in a packet, if it is for the recipient.
    pub fn delivered(&mut self, t: Duration, recipient: NodeId, posterior: &Posterior<'_>) {
        if recipient != self.recipient {
            return;
        }
        self.go_on(t);
        self.align(posterior);
        let mut p = self.spare.pop().unwrap_or_default();
        p.clear();
        p.extend(posterior.p.iter().map(|p| single(*p)));
        self.hints.push_back(Hint { t, number: self.delivered, p });
        self.delivered += 1;
        while self.hints.len() * self.known.len() > MAX_HINTS && self.hints.len() > 1 {
            self.forget_first();
        }
    }

    /// Time goes on: what is older than the window is forgotten. To be told where nothing comes any more;
    /// each packet tells it too.
    pub fn go_on(&mut self, now: Duration) {
        let Some(window) = self.window else { return };
        let Some(last) = self.slices.back() else { return };
        let length = window / SLICES;
        if now < last.begin + length {
            return;
        }
        // Slices begin at multiples of their length from the first, whatever comes when.
        let passed = now.saturating_sub(last.begin).div_duration_f64(length.max(STEP)).floor();
        let begin = last.begin + length.mul_f64(passed.max(1.0));
        self.slices.push_back(Slice { begin, ..Slice::default() });
        let since = (begin + length).saturating_sub(window);
        while self.slices.front().is_some_and(|first| first.begin < since) {
            self.slices.pop_front();
        }
        // Anew, so that no error adds up.
        self.general = Slice::default();
        for slice in &self.slices {
            self.general.packets += slice.packets;
            self.general.add_all(&slice.sums);
        }
        while self.hints.front().is_some_and(|first| first.t < since) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let first = self.hints.pop_front();
        self.spare.extend(first.map(|hint| hint.p));
    }

    /// Whoever joined instead of another begins without suspicion.
    fn align(&mut self, posterior: &Posterior<'_>) {
        for (index, source) in posterior.sources.iter().enumerate() {
            if self.known.get(index).is_some_and(|known| known.serial == source.serial) {
                continue;
            }
            let new = Known {
                node: source.node,
                serial: source.serial,
                is_sender: source.is_sender(),
                joined: (self.came_out, self.delivered),
            };
            if let Some(known) = self.known.get_mut(index) {
                *known = new;
                for slice in self.slices.iter_mut().chain([&mut self.general]) {
                    slice.sums.get_mut(index).map(std::mem::take);
                }
            } else {
                self.known.push(new);
            }
        }
    }

    /// Who is asked about.
    pub fn recipient(&self) -> NodeId {
        self.recipient
    }

    /// Packets for the recipient that count: those of the window.
    pub fn packets(&self) -> usize {
        self.hints.len()
    }

    /// How far back they go.
    pub fn window(&self) -> Option<Duration> {
        self.window
    }

    /// The mean probability of a source over packets in general, since it joined.
    ///
    /// As if one packet more had come out that might have been anybody's: there is no division by zero.
    fn general(&self, index: usize) -> f64 {
        let before_window = self.came_out - self.general.packets;
        let packets = self.came_out - before_window.max(self.known[index].joined.0);
        let anybody = real(self.known.len().max(1)).recip();
        let sum = self.general.sums.get(index).copied().unwrap_or(0.0);
        (sum + anybody) / (real_u64(packets) + 1.0)
    }

    /// What the hints say of a source.
    fn evidence(&self, index: usize) -> Evidence {
        let general = self.general(index).recip();
        let joined = self.known[index].joined.1;
        let mut scores = [0.0; SHARES.len()];
        let mut factors = [1.0_f64; SHARES.len()];
        let (mut count, mut sum, mut squares) = (0, 0.0, 0.0);
        // Who was not there yet neither wrote nor did not.
        for hint in self.hints.iter().skip_while(|hint| hint.number < joined) {
            let p = hint.p.get(index).copied().map_or(0.0, f64::from);
            let likelier = p * general;
            sum += likelier;
            squares += likelier * likelier;
            for (factor, share) in factors.iter_mut().zip(SHARES) {
                *factor *= 1.0 - share + share * likelier;
            }
            count += 1;
            if count % FACTORS == 0 {
                add_logarithms(&mut scores, &mut factors);
            }
        }
        add_logarithms(&mut scores, &mut factors);
        let mean = sum / real(count.max(1));
        Evidence { scores, sum, variance: squares - sum * mean }
    }

    /// All suspects, the worst first. The recipient is not among them: cover traffic comes back to who
    /// sent it, so that everybody is his own best suspect.
    pub fn ranking(&self) -> Vec<Suspect> {
        let known = self.known.iter().enumerate();
        let others = known.filter(|(_, known)| known.is_sender && known.node != self.recipient);
        let evidence: Vec<_> =
            others.map(|(index, known)| (known.node, self.evidence(index))).collect();
        let overlap = overlap(&evidence);
        let mut ranking: Vec<_> = evidence
            .into_iter()
            .map(|(node, evidence)| {
                let score = mean_of_exponentials(&evidence.scores.map(|score| score / overlap));
                Suspect { node, score, probability: 0.0 }
            })
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
}

/// What hints say of one source.
#[derive(Clone, Copy, Debug)]
struct Evidence {
    /// Log-likelihood ratios for each of [`SHARES`], were each hint independent of all others.
    scores: [f64; SHARES.len()],
    /// How much likelier each hint is than packets in general, added up.
    sum: f64,
    /// Of that sum, were each hint independent.
    variance: f64,
}

/// How many hints tell what one would that is independent of all others, on average; never less than
/// [`LEAST`].
///
/// The suspects themselves tell: of all but one the sums are chance, and spread as far as hints
/// that overlap make them. The half that is less suspected does not have that one in it.
fn overlap(evidence: &[(NodeId, Evidence)]) -> f64 {
    // Of two one is more suspected for what the other is less.
    if evidence.len() < 3 {
        return LEAST;
    }
    let median = |of: fn(&Evidence) -> f64| {
        let mut all: Vec<f64> = evidence.iter().map(|(_, evidence)| of(evidence)).collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied().unwrap_or(0.0)
    };
    let (middle, variance) =
        (median(|evidence| evidence.sum), median(|evidence| evidence.variance));
    let below = evidence.iter().filter(|(_, evidence)| evidence.sum < middle);
    let (count, spread) = below.fold((0.0, 0.0), |(count, spread), (_, evidence)| {
        (count + 1.0, spread + (evidence.sum - middle).powi(2))
    });
    if variance > 0.0 { ((spread / variance + FEW) / (count + FEW)).max(LEAST) } else { LEAST }
}

/// So many hints count as one at least. The spread of all is no measure of the rare pair that says the same
/// of one suspect, as where an acknowledgement follows in the same thin pools.
const LEAST: f64 = 1.5;

/// So many suspects that are as chance has it are added to those that are there, of whom few say little of
/// how far chance goes.
const FEW: f64 = 8.0;

impl Slice {
    fn add(&mut self, p: &[f64]) {
        self.packets += 1;
        self.add_all(p);
    }

    fn add_all(&mut self, p: &[f64]) {
        if self.sums.len() < p.len() {
            self.sums.resize(p.len(), 0.0);
        }
        for (sum, p) in self.sums.iter_mut().zip(p) {
            *sum += p;
        }
    }
}

/// Slices are no shorter than this.
const STEP: Duration = Duration::from_millis(1);

fn add_logarithms(scores: &mut [f64; SHARES.len()], factors: &mut [f64; SHARES.len()]) {
    for (score, factor) in scores.iter_mut().zip(factors) {
        *score += factor.max(f64::MIN_POSITIVE).ln();
        *factor = 1.0;
    }
}

/// ln of the mean of eˣ over [`SHARES`], each of which is as likely as it is small.
fn mean_of_exponentials(scores: &[f64; SHARES.len()]) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut all) = (0.0, 0.0);
    for (score, share) in scores.iter().zip(SHARES) {
        sum += (score - most).exp() / share;
        all += share.recip();
    }
    most + (sum / all).ln()
}

#[expect(clippy::cast_possible_truncation, reason = "a probability needs no more than six digits")]
fn single(p: f64) -> f32 {
    p as f32
}

#[cfg(test)]
mod tests;
