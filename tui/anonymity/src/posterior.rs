//! Who may have sent a packet, as the observer sees it, and how anonymous that leaves its sender.
//!
//! In a network with acknowledgements some of the packets that arrive are no sender's but a provider's.
//! An observer tells those by what the provider does next, so everything here is of the sender, given
//! that there is one; [`Posterior::sent_share`] is the probability of that.

use crate::event::NodeId;
use crate::numbers::{real, surprise};

/// Where packets come from: a sender, or a provider that acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) node: NodeId,
    /// Where a sender's mailbox is; none of a provider.
    pub(crate) mailbox: Option<NodeId>,
    /// Grows by one with each source that ever joined: tells two that have had the same column.
    pub(crate) serial: u32,
    /// Its packets may still be underway.
    pub(crate) is_gone: bool,
}

impl Source {
    pub(crate) fn is_sender(&self) -> bool {
        self.mailbox.is_some()
    }
}

/// The probabilities of all sources for one packet.
#[derive(Clone, Copy, Debug)]
pub struct Posterior<'a> {
    pub(crate) sources: &'a [Source],
    /// Of each source; together with what is unknown they are one.
    pub(crate) p: &'a [f64],
    /// Of packets of which nothing is known.
    pub(crate) unknown: f64,
}

/// Figures of a [`Posterior`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anonymity {
    /// Shannon entropy of the sender, in bits.
    pub bits: f64,
    /// The largest probability of any sender.
    pub most: f64,
    /// Chance that two guesses by these probabilities agree: their squares, added up.
    pub collision: f64,
}

impl Anonymity {
    /// Senders among whom one could hide as well, if all were equally likely: 2^H.
    pub fn effective_set(&self) -> f64 {
        self.bits.exp2()
    }

    /// The worst case: bits if the adversary names the likeliest and is right (min-entropy). Shannon's
    /// entropy alone flatters.
    pub fn worst_bits(&self) -> f64 {
        -self.most.log2()
    }

    /// Degree of anonymity among so many senders, 0 to 1: H / log2 N (Díaz, Seys, Claessens and Preneel,
    /// *Towards Measuring Anonymity*, 2002). Among one there is none.
    pub fn degree(&self, senders: usize) -> f64 {
        if senders < 2 { 0.0 } else { (self.bits / real(senders).log2()).min(1.0) }
    }
}

impl<'a> Posterior<'a> {
    /// The probability that a sender sent it, rather than a provider, or somebody of whom nothing is
    /// known.
    pub fn sent_share(&self) -> f64 {
        self.given_sender().map(|(_, p)| p).sum()
    }

    /// The probability that it acknowledges another.
    pub fn acknowledges(&self) -> f64 {
        let both = self.sources.iter().zip(self.p);
        both.filter(|(source, _)| !source.is_sender()).map(|(_, p)| p).sum()
    }

    /// The probability that nothing is known of it.
    pub fn unknown(&self) -> f64 {
        self.unknown
    }

    /// The probability of this sender, given that it was one; zero for others.
    pub fn of(&self, sender: NodeId) -> f64 {
        let share = self.sent_share();
        let found = self.given_sender().filter(|(source, _)| source.node == sender);
        let p: f64 = found.map(|(_, p)| p).sum();
        if share > 0.0 { p / share } else { 0.0 }
    }

    /// Figures; none if it cannot be a sender's.
    pub fn anonymity(&self) -> Option<Anonymity> {
        let (mut share, mut sum, mut most, mut squares) = (0.0, 0.0, 0.0_f64, 0.0);
        for (_, p) in self.given_sender() {
            share += p;
            sum += surprise(p);
            most = most.max(p);
            squares += p * p;
        }
        (share > 0.0).then(|| Anonymity {
            bits: (sum / share + share.log2()).max(0.0),
            most: (most / share).min(1.0),
            collision: (squares / (share * share)).min(1.0),
        })
    }

    /// The likeliest senders with their probabilities, the likeliest first; of equals the one with the
    /// smaller number.
    pub fn likeliest(&self, most: usize) -> Vec<(NodeId, f64)> {
        let share = self.sent_share();
        let possible = self.given_sender().filter(|(_, p)| *p > 0.0);
        let mut senders: Vec<_> = possible.map(|(source, p)| (source.node, p / share)).collect();
        senders.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        senders.truncate(most);
        senders
    }

    /// Senders whose probability, given that it was one, is this.
    pub(crate) fn as_likely_as(&self, most: f64, tolerance: f64) -> usize {
        let share = self.sent_share();
        self.given_sender().filter(|(_, p)| (p / share - most).abs() < tolerance).count()
    }

    /// How much likelier one sender is than another: ln(p/q). None where one of them cannot have sent it:
    /// no number is large enough, which is counted apart (δ).
    ///
    /// In the manner of the ε of Loopix (Piotrowska et al., USENIX Security 2017, section 4.3), which is of
    /// two senders' messages at a mixnode of the last layer. The mean over packets that `one` really sent has the
    /// shape of the curves there and is not them: never to be shown as Loopix's.
    pub fn likelier(&self, one: NodeId, other: NodeId) -> Option<f64> {
        let (one, other) = (self.of(one), self.of(other));
        (one > 0.0 && other > 0.0).then(|| (one / other).ln())
    }

    fn given_sender(&self) -> impl Iterator<Item = (&'a Source, f64)> {
        let both = self.sources.iter().zip(self.p);
        both.filter(|(source, _)| source.is_sender()).map(|(source, p)| (source, *p))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::assert_near;

    fn sources(senders: u16) -> Vec<Source> {
        let source = |node| Source {
            node: NodeId(node),
            mailbox: (node > 0).then_some(NodeId(0)),
            serial: u32::from(node),
            is_gone: false,
        };
        (0..=senders).map(source).collect()
    }

    #[test]
    fn two_ninths_and_a_third() {
        let sources = sources(4);
        let p = [0.0, 2.0 / 9.0, 2.0 / 9.0, 2.0 / 9.0, 1.0 / 3.0];
        let posterior = Posterior { sources: &sources, p: &p, unknown: 0.0 };
        let anonymity = posterior.anonymity().expect("somebody sent it");
        assert_near(anonymity.bits, 1.974_938, 1e-6);
        assert_near(anonymity.worst_bits(), 3.0_f64.log2(), 1e-12);
        assert_near(anonymity.effective_set(), 1.974_938_f64.exp2(), 1e-5);
        assert_near(anonymity.degree(4), 1.974_938 / 2.0, 1e-6);
        assert_near(anonymity.collision, 3.0 * 4.0 / 81.0 + 1.0 / 9.0, 1e-12);
        assert_eq!(posterior.likeliest(2)[0].0, NodeId(4));
        assert_eq!(posterior.likeliest(9)[1].0, NodeId(1));
        let likelier = posterior.likelier(NodeId(4), NodeId(1)).expect("both may be");
        assert_near(likelier, 1.5_f64.ln(), 1e-12);
    }

    /// Half of it is an acknowledgement's: that half says nothing of the senders.
    #[test]
    fn a_packet_that_may_be_an_acknowledgement() {
        let sources = sources(2);
        let p = [0.5, 0.3, 0.1];
        let posterior = Posterior { sources: &sources, p: &p, unknown: 0.1 };
        assert_near(posterior.sent_share(), 0.4, 1e-12);
        assert_near(posterior.acknowledges(), 0.5, 1e-12);
        assert_near(posterior.of(NodeId(1)), 0.75, 1e-12);
        assert_near(posterior.of(NodeId(0)), 0.0, 0.0);
        let bits = posterior.anonymity().expect("somebody may").bits;
        assert_near(bits, surprise(0.75) + surprise(0.25), 1e-12);
    }

    #[test]
    fn one_sender_has_nobody_to_hide_among() {
        let sources = sources(1);
        let posterior = Posterior { sources: &sources, p: &[0.0, 1.0], unknown: 0.0 };
        let anonymity = posterior.anonymity().expect("it did");
        assert_near(anonymity.bits, 0.0, 1e-12);
        assert_near(anonymity.degree(1), 0.0, 0.0);
        assert_near(anonymity.effective_set(), 1.0, 1e-12);
        assert_eq!(posterior.likelier(NodeId(1), NodeId(2)), None);
        let nobody = Posterior { sources: &sources, p: &[1.0, 0.0], unknown: 0.0 };
        assert_eq!(nobody.anonymity(), None);
    }
}
