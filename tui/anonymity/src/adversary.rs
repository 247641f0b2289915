//! Who the observer is: what it sees, and who works for it.

use std::collections::BTreeSet;

use crate::event::{NodeId, Observation};

/// An adversary by what it is told. None of them touches a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adversary {
    /// Sees every link, and hears from nodes that work for it what only they know. Mixnodes that do are
    /// of most use to who sees what goes in and out of all others, so they come on top of that.
    Global {
        /// Mixnodes that tell which packet became which.
        corrupt: BTreeSet<NodeId>,
        /// Providers that tell for whom packets are.
        curious: BTreeSet<NodeId>,
    },
    /// Sees one link, in both directions. It learns when somebody sends, and nothing of who writes to
    /// whom: any sender is as likely as its share of traffic.
    OneLink(NodeId, NodeId),
}

impl Adversary {
    /// Sees every link, and nobody works for it: the global passive adversary.
    pub fn passive() -> Self {
        Self::Global { corrupt: BTreeSet::new(), curious: BTreeSet::new() }
    }

    /// Whether it is told this. The topology is public.
    pub fn hears(&self, observation: &Observation) -> bool {
        match observation {
            Observation::Link(event) => match self {
                Self::Global { .. } => true,
                Self::OneLink(a, b) => [(*a, *b), (*b, *a)].contains(&(event.src, event.dst)),
            },
            Observation::Passage(passage) => self.is_corrupt(passage.came.dst),
            Observation::Filed(filed) => self.is_curious(filed.came.dst),
            Observation::Joined { .. }
            | Observation::Left { .. }
            | Observation::Died { .. }
            | Observation::Lost { .. } => true,
        }
    }

    /// Whether this mixnode works for it.
    pub fn is_corrupt(&self, mix: NodeId) -> bool {
        matches!(self, Self::Global { corrupt, .. } if corrupt.contains(&mix))
    }

    /// Whether this provider works for it.
    pub fn is_curious(&self, provider: NodeId) -> bool {
        matches!(self, Self::Global { curious, .. } if curious.contains(&provider))
    }

    /// Whether it can follow packets through mixnodes at all.
    pub fn follows(&self) -> bool {
        matches!(self, Self::Global { .. })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::{Filed, LinkEvent, Passage};

    #[test]
    fn each_hears_its_own() {
        let link = |src, dst| LinkEvent {
            t: Duration::ZERO,
            src: NodeId(src),
            dst: NodeId(dst),
            bytes: 1,
        };
        let came = link(1, 2).sighting();
        let passage = Observation::Passage(Passage { came, left: link(2, 3).sighting() });
        let filed = Observation::Filed(Filed { came, recipient: NodeId(7) });
        let one = Adversary::OneLink(NodeId(1), NodeId(2));
        assert!(one.hears(&Observation::Link(link(2, 1))));
        assert!(!one.hears(&Observation::Link(link(2, 3))));
        assert!(!one.hears(&passage) && !one.hears(&filed) && !one.follows());
        let passive = Adversary::passive();
        assert!(passive.hears(&Observation::Link(link(2, 3))));
        assert!(!passive.hears(&passage) && !passive.hears(&filed));
        let two = BTreeSet::from([NodeId(2)]);
        let helped = Adversary::Global { corrupt: two.clone(), curious: two };
        assert!(helped.hears(&passage) && helped.hears(&filed));
    }
}
