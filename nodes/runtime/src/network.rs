//! The network as a node sees it: the directory's topology with keys and addresses parsed, and
//! everything that makes no sense left out.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use directory_api::{Topology, Update};
use wire::{NodeAddress, PublicKey};

/// A mixnode that takes packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixEntry {
    /// Its Sphinx key.
    pub key: PublicKey,
    /// Where it takes packets.
    pub address: NodeAddress,
    /// Its layer, from 1.
    pub layer: u8,
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderEntry {
    /// Its Sphinx key.
    pub key: PublicKey,
    /// Where it takes packets.
    pub address: NodeAddress,
    /// Where its clients connect: `ws://host:port`.
    pub clients_url: String,
    /// What it calls its location; in a devnet, its name.
    pub location: String,
    /// Keys of its clients.
    pub clients: Vec<PublicKey>,
}

/// Where in the network an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A mixnode of this layer.
    Layer(u8),
    /// A provider.
    Provider,
}

/// Mixnodes and providers that are present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    mixnodes: Vec<MixEntry>,
    providers: Vec<ProviderEntry>,
}

impl Network {
    /// The network of a topology. Entries whose key or address is none are left out: no packet can
    /// be sent to them.
    pub fn from_topology(topology: &Topology) -> Self {
        let mut mixnodes: Vec<MixEntry> = topology
            .mix_nodes
            .iter()
            .filter_map(|node| {
                Some(MixEntry {
                    key: node.pub_key.parse().ok()?,
                    address: NodeAddress(node.host.parse().ok()?),
                    layer: u8::try_from(node.layer).ok()?,
                })
            })
            .collect();
        let mut providers: Vec<ProviderEntry> = topology
            .gateway_nodes
            .iter()
            .filter_map(|node| {
                let clients = node.registered_clients.iter();
                Some(ProviderEntry {
                    key: node.pub_key.parse().ok()?,
                    address: NodeAddress(node.mixnet_listener.parse().ok()?),
                    clients_url: node.client_listener.clone(),
                    location: node.location.clone(),
                    clients: clients.filter_map(|client| client.pub_key.parse().ok()).collect(),
                })
            })
            .collect();
        // The order decides which node a random number stands for: it must not depend on the
        // directory's.
        mixnodes.sort_by_key(|node| (node.layer, node.address, node.key));
        providers.sort_by_key(|node| node.key);
        Self { mixnodes, providers }
    }

    /// The mixnodes of a layer, in an order that depends on nothing but themselves.
    pub fn layer(&self, layer: u8) -> &[MixEntry] {
        let begin = self.mixnodes.partition_point(|node| node.layer < layer);
        let end = self.mixnodes.partition_point(|node| node.layer <= layer);
        &self.mixnodes[begin..end]
    }

    /// The first of these layers without a mixnode.
    pub fn missing_layer(&self, layers: u8) -> Option<u8> {
        (1..=layers).find(|&layer| self.layer(layer).is_empty())
    }

    /// The provider with this key.
    pub fn provider(&self, key: &PublicKey) -> Option<&ProviderEntry> {
        self.providers.iter().find(|node| node.key == *key)
    }

    /// The provider that is meant by a name or a key in base58.
    pub fn provider_called(&self, name_or_key: &str) -> Option<&ProviderEntry> {
        let key = name_or_key.parse().ok();
        self.providers.iter().find(|node| Some(node.key) == key || node.location == name_or_key)
    }

    /// All providers.
    pub fn providers(&self) -> &[ProviderEntry] {
        &self.providers
    }

    /// The provider at which a client is registered.
    pub fn provider_of(&self, client: &PublicKey) -> Option<&ProviderEntry> {
        self.providers.iter().find(|node| node.clients.contains(client))
    }

    /// Every address that takes packets, with its place.
    pub fn places(&self) -> HashMap<SocketAddr, Place> {
        let mixnodes = self.mixnodes.iter().map(|node| (node.address.0, Place::Layer(node.layer)));
        let providers = self.providers.iter().map(|node| (node.address.0, Place::Provider));
        mixnodes.chain(providers).collect()
    }
}

/// A topology that follows the directory's events.
#[derive(Debug, Default)]
pub struct TopologyFollower {
    mixnodes: BTreeMap<String, directory_api::MixNodePresence>,
    gateways: BTreeMap<String, directory_api::GatewayPresence>,
}

impl TopologyFollower {
    /// Takes an event; says whether the network changed.
    pub fn apply(&mut self, update: &Update) -> bool {
        match update {
            Update::Snapshot { topology } => {
                let mixnodes = topology.mix_nodes.iter();
                self.mixnodes = mixnodes.map(|node| (node.pub_key.clone(), node.clone())).collect();
                let gateways = topology.gateway_nodes.iter();
                self.gateways = gateways.map(|node| (node.pub_key.clone(), node.clone())).collect();
                true
            }
            Update::MixNode(node) => {
                self.mixnodes.insert(node.pub_key.clone(), node.clone());
                true
            }
            Update::Gateway(node) => {
                self.gateways.insert(node.pub_key.clone(), node.clone());
                true
            }
            Update::Left { pub_key } => {
                let mixnode = self.mixnodes.remove(pub_key).is_some();
                let gateway = self.gateways.remove(pub_key).is_some();
                mixnode || gateway
            }
            Update::Gone { pub_key, list, .. } => match list.as_str() {
                "mixnode" => self.mixnodes.remove(pub_key).is_some(),
                "gateway" => self.gateways.remove(pub_key).is_some(),
                _ => false,
            },
            Update::MixProvider(_)
            | Update::CocoNode { .. }
            | Update::Seen { .. }
            | Update::Late { .. }
            | Update::Metric(_) => false,
        }
    }

    /// The network as it is now.
    pub fn network(&self) -> Network {
        Network::from_topology(&Topology {
            mix_nodes: self.mixnodes.values().cloned().collect(),
            gateway_nodes: self.gateways.values().cloned().collect(),
            ..Topology::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use directory_api::{GatewayPresence, MixNodePresence, RegisteredClient};

    use super::*;

    fn key(byte: u8) -> PublicKey {
        PublicKey::from_bytes([byte; 32])
    }

    fn mixnode(byte: u8, layer: u64, host: &str) -> MixNodePresence {
        MixNodePresence {
            host: host.into(),
            pub_key: key(byte).to_string(),
            version: "0.1.0".into(),
            location: "here".into(),
            layer,
            last_seen: 0,
        }
    }

    #[test]
    fn what_takes_no_packets_is_left_out_and_layers_are_found() {
        let gateway = GatewayPresence {
            client_listener: "ws://127.0.0.1:9000".into(),
            mixnet_listener: "127.0.0.1:4000".into(),
            pub_key: key(9).to_string(),
            version: "0.1.0".into(),
            location: "provider-1".into(),
            registered_clients: vec![
                RegisteredClient { pub_key: key(7).to_string() },
                RegisteredClient { pub_key: "nonsense".into() },
            ],
            last_seen: 0,
        };
        let mut follower = TopologyFollower::default();
        assert!(follower.apply(&Update::Snapshot {
            topology: Topology {
                mix_nodes: vec![
                    mixnode(1, 1, "127.0.0.1:1"),
                    mixnode(3, 3, "127.0.0.1:3"),
                    mixnode(4, 1, "not an address"),
                    mixnode(5, 999, "127.0.0.1:5"),
                ],
                ..Topology::default()
            },
        }));
        assert!(follower.apply(&Update::Gateway(gateway)));
        let network = follower.network();
        assert_eq!(network.layer(1).len(), 1);
        assert_eq!(network.missing_layer(3), Some(2));
        assert_eq!(network.provider_of(&key(7)).map(|node| node.key), Some(key(9)));
        assert!(network.provider_called("provider-1").is_some());
        assert!(network.provider_called(&key(9).to_string()).is_some());
        assert_eq!(network.places().len(), 3);

        assert!(follower.apply(&Update::MixNode(mixnode(2, 2, "127.0.0.1:2"))));
        assert_eq!(follower.network().missing_layer(3), None);
        assert!(follower.apply(&Update::Left { pub_key: key(2).to_string() }));
        assert!(!follower.apply(&Update::Left { pub_key: key(2).to_string() }));
        assert_eq!(follower.network().missing_layer(3), Some(2));
    }
}
