//! Which mixnodes have answered lately. A packet that goes again avoids those that may have lost it.

use std::collections::{HashMap, HashSet};

use contract::Time;
use runtime::Network;
use wire::NodeAddress;

/// What is known of the mixnodes of the network.
#[derive(Debug, Default)]
pub(crate) struct Health(HashMap<NodeAddress, Seen>);

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// When an acknowledgement last came over a route with it.
    answered: Option<Time>,
    /// When one was last missed.
    missed: Option<Time>,
}

impl Health {
    /// A packet came through all of these, and its acknowledgement came back.
    pub(crate) fn answered(&mut self, now: Time, nodes: &[NodeAddress]) {
        for node in nodes {
            self.0.entry(*node).or_default().answered = Some(now);
        }
    }

    /// No acknowledgement came over these: at least one of them may have lost something.
    pub(crate) fn missed(&mut self, now: Time, nodes: &[NodeAddress]) {
        for node in nodes {
            self.0.entry(*node).or_default().missed = Some(now);
        }
    }

    /// Whether its last news is bad.
    pub(crate) fn is_doubtful(&self, node: &NodeAddress) -> bool {
        self.0.get(node).is_some_and(|seen| seen.missed > seen.answered)
    }

    /// Forgets nodes that are not there any more.
    pub(crate) fn retain(&mut self, network: &Network, layers: u8) {
        let present = (1..=layers).flat_map(|layer| network.layer(layer));
        let present: HashSet<NodeAddress> = present.map(|node| node.address).collect();
        self.0.retain(|node, _| present.contains(node));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_last_news_decides() {
        let node = |port| NodeAddress(([127, 0, 0, 1], port).into());
        let at = |seconds| Time::default() + Duration::from_secs(seconds);
        let mut health = Health::default();
        assert!(!health.is_doubtful(&node(1)), "nothing is known");
        health.missed(at(1), &[node(1), node(2)]);
        assert!(health.is_doubtful(&node(1)) && health.is_doubtful(&node(2)));
        health.answered(at(2), &[node(2), node(3)]);
        assert!(health.is_doubtful(&node(1)) && !health.is_doubtful(&node(2)));
        health.missed(at(3), &[node(2)]);
        assert!(health.is_doubtful(&node(2)) && !health.is_doubtful(&node(3)));
        health.retain(&Network::default(), 3);
        assert!(!health.is_doubtful(&node(1)), "it is gone");
    }
}
