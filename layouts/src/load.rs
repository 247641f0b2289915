//! What a plan's traffic costs, by what was measured (`docs/benchmarks.md`, "A crowd": a thousand
//! identities that send 3000 packets a second keep the crowd busy for 0.75 of a core, each mixnode of
//! three layers for 0.18 and the provider for 0.53).

use contract::Role;

use crate::{NodePlan, Plan};

/// What a client needs to build a packet with the header of its acknowledgement, and to open what
/// comes back: 0.75 cores for 3000 packets a second.
const CLIENT_SECONDS: f64 = 250e-6;
/// What a mixnode needs to pass a packet on: 0.18 cores for 3000 packets and as many acknowledgements.
const MIXNODE_SECONDS: f64 = 30e-6;
/// What a provider needs to store a packet, to acknowledge it and to hand it out: 0.53 cores for 3000.
const PROVIDER_SECONDS: f64 = 177e-6;

/// What a plan's traffic costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Packets that all clients and the crowd send, a second. Acknowledgements come besides.
    pub packets_per_second: f64,
    /// Cores that this keeps busy, in all processes.
    pub cores: f64,
    /// The crowd's part of it. It is one process, and builds its packets one after the other: it can
    /// have one core.
    pub crowd_cores: f64,
}

impl Plan {
    /// What its traffic costs.
    pub fn load(&self) -> Load {
        let hops = f64::from(self.layout.layers());
        let passed_on = if self.layout.acks { 2.0 } else { 1.0 };
        let per_packet = CLIENT_SECONDS + hops * passed_on * MIXNODE_SECONDS + PROVIDER_SECONDS;
        let sent = |role| -> f64 {
            self.nodes.iter().filter(|node| node.role == role).map(|node| self.sent(node)).sum()
        };
        let crowd = sent(Role::Crowd);
        let packets_per_second = sent(Role::Client) + crowd;
        Load {
            packets_per_second,
            cores: packets_per_second * per_packet,
            crowd_cores: crowd * CLIENT_SECONDS,
        }
    }

    /// Packets that a client or the crowd sends, a second.
    fn sent(&self, node: &NodePlan) -> f64 {
        let identities = if node.role == Role::Crowd { self.layout.crowd } else { 1 };
        let each = 1.0 / node.rates.slot.as_secs_f64() + 1.0 / node.rates.loop_cover.as_secs_f64();
        f64::from(identities) * each
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layout, Ports, Profile};

    fn load(layout: Layout) -> Load {
        Plan::new(layout, Ports::Auto).expect("a network").load()
    }

    #[test]
    fn the_load_is_the_measured_one() {
        let load = load(Layout { clients: 0, crowd: 1000, ..Layout::default() });
        assert!((load.packets_per_second - 3000.0).abs() < 1e-6, "{load:?}");
        assert!((load.crowd_cores - 0.75).abs() < 1e-6, "{load:?}");
        assert!((load.cores - (0.75 + 3.0 * 0.18 + 0.53)).abs() < 0.01, "{load:?}");
    }

    #[test]
    fn other_rates_of_one_node_count_for_that_node() {
        let mut layout = Layout { crowd: 0, acks: false, ..Layout::default() };
        let before = load(layout.clone());
        let rates = Profile::Fast.rates();
        let alice = layout.nodes.entry("alice".into()).or_default();
        (alice.slot, alice.loop_cover) = (Some(rates.slot), Some(rates.loop_cover));
        let after = load(layout);
        let more = after.packets_per_second - before.packets_per_second;
        assert!((more - 247.0).abs() < 1e-6, "{after:?}");
        assert!(after.cores > before.cores && after.crowd_cores <= 0.0);
    }
}
