//! Two nodes with one key, as when somebody copied a folder.

use wire::{NodeAddress, PublicKey};

use crate::Network;

/// Notices that another process announces this node's key. The directory keeps the last announcement
/// it heard of a key, so that each of the two takes the other's place with every beat, and packets for
/// the one reach it only half of the time.
#[derive(Debug)]
pub struct Double {
    key: PublicKey,
    own: NodeAddress,
    /// The directory has listed this process. What it listed before may have been its own ghost, from
    /// before a restart.
    was_listed: bool,
    /// Where the other was last.
    other: Option<NodeAddress>,
}

impl Double {
    /// Of a node that announces this key with this address.
    pub fn new(key: PublicKey, own: NodeAddress) -> Self {
        Self { key, own, was_listed: false, other: None }
    }

    /// Looks at a new view of the network, and says in the log if somebody else took this node's
    /// place; once for each address of the other.
    pub fn look_out(&mut self, network: &Network) {
        if let Some(other) = self.find(network) {
            tracing::warn!(
                "another node at {other} announces the key of this one, and takes its place in the \
                 directory: stop one of them, or give it a key of its own"
            );
        }
    }

    /// Where the other is, if that is new.
    fn find(&mut self, network: &Network) -> Option<NodeAddress> {
        let listed = network.address_of(&self.key)?;
        if listed == self.own {
            self.was_listed = true;
            return None;
        }
        (self.was_listed && self.other.replace(listed) != Some(listed)).then_some(listed)
    }
}

#[cfg(test)]
mod tests {
    use directory_api::{MixNodePresence, Topology};

    use super::*;

    const KEY: PublicKey = PublicKey::from_bytes([7; 32]);

    fn address(port: u16) -> NodeAddress {
        NodeAddress(([127, 0, 0, 1], port).into())
    }

    fn network(port: Option<u16>) -> Network {
        let mixnode = |port| MixNodePresence {
            host: address(port).to_string(),
            pub_key: KEY.to_string(),
            version: "0.1.0".into(),
            location: "here".into(),
            layer: 1,
            last_seen: 0,
        };
        let mix_nodes = port.map(mixnode).into_iter().collect();
        Network::from_topology(&Topology { mix_nodes, ..Topology::default() })
    }

    #[test]
    fn another_address_is_told_once_and_the_nodes_own_ghost_never() {
        let mut double = Double::new(KEY, address(1));
        let seen = [
            // From before a restart, on another port.
            (Some(5), None),
            (None, None),
            (Some(1), None),
            (Some(2), Some(2)),
            (Some(1), None),
            (Some(2), None),
            (None, None),
            (Some(3), Some(3)),
        ];
        for (number, (listed, told)) in seen.into_iter().enumerate() {
            assert_eq!(double.find(&network(listed)), told.map(address), "view {number}");
        }
    }
}
