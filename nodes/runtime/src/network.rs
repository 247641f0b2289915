//! The network as a node sees it: the directory's topology with keys and addresses parsed, and
//! everything that makes no sense left out.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use contract::Time;
use directory_api::{GatewayPresence, ListName, MixNodePresence, Topology, Update};
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

/// How long an address is still known after it vanished from the topology: packets on their way were
/// made with an older one, and a directory that was just started knows nobody.
pub const VANISHED_GRACE: Duration = Duration::from_secs(30);

/// Most vanished addresses that are remembered.
const MAX_VANISHED: usize = 4096;

/// What each address in the network is, and was a short while ago: a port may have passed from one
/// node to another of a different place, and packets for the former are still on their way.
#[derive(Debug, Default)]
pub struct Places {
    known: HashMap<SocketAddr, Vec<Known>>,
}

/// One thing that an address is or was.
#[derive(Debug)]
struct Known {
    place: Place,
    /// When it is forgotten; none as long as it is present.
    until: Option<Time>,
}

impl Places {
    /// Takes a new view of the network.
    pub fn update(&mut self, now: Time, network: &Network) {
        for known in self.known.values_mut().flatten() {
            known.until.get_or_insert(now + VANISHED_GRACE);
        }
        for (address, place) in network.places() {
            let places = self.known.entry(address).or_default();
            match places.iter_mut().find(|known| known.place == place) {
                Some(known) => known.until = None,
                None => places.push(Known { place, until: None }),
            }
        }
        let mut vanished = 0;
        self.known.retain(|_, places| {
            places.retain(|known| {
                vanished += usize::from(known.until.is_some());
                known.until.is_none_or(|until| until > now && vanished <= MAX_VANISHED)
            });
            !places.is_empty()
        });
    }

    /// Whether this address is this, or was a short while ago.
    pub fn is(&self, now: Time, address: SocketAddr, place: Place) -> bool {
        self.places(now, address).any(|known| known == place)
    }

    /// Whether this address is anything, or was a short while ago.
    pub fn knows(&self, now: Time, address: SocketAddr) -> bool {
        self.places(now, address).next().is_some()
    }

    fn places(&self, now: Time, address: SocketAddr) -> impl Iterator<Item = Place> {
        let known = self.known.get(&address).into_iter().flatten();
        let fresh = known.filter(move |known| known.until.is_none_or(|until| until > now));
        fresh.map(|known| known.place)
    }
}

/// Mixnodes and providers that are present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    mixnodes: Vec<MixEntry>,
    providers: Vec<ProviderEntry>,
}

impl MixEntry {
    /// None if its key or its address is none: no packet can be sent to it.
    fn parse(node: &MixNodePresence) -> Option<Self> {
        Some(Self {
            key: node.pub_key.parse().ok()?,
            address: NodeAddress(node.host.parse().ok()?),
            layer: u8::try_from(node.layer).ok()?,
        })
    }
}

impl ProviderEntry {
    /// None if its key or its address is none: no packet can be sent to it.
    fn parse(node: &GatewayPresence) -> Option<Self> {
        let clients = node.registered_clients.iter();
        Some(Self {
            key: node.pub_key.parse().ok()?,
            address: NodeAddress(node.mixnet_listener.parse().ok()?),
            clients_url: node.client_listener.clone(),
            location: node.location.clone(),
            clients: clients.filter_map(|client| client.pub_key.parse().ok()).collect(),
        })
    }
}

impl Network {
    /// The network of a topology. Entries to which no packet can be sent are left out.
    pub fn from_topology(topology: &Topology) -> Self {
        Self::new(
            topology.mix_nodes.iter().filter_map(MixEntry::parse).collect(),
            topology.gateway_nodes.iter().filter_map(ProviderEntry::parse).collect(),
        )
    }

    fn new(mut mixnodes: Vec<MixEntry>, mut providers: Vec<ProviderEntry>) -> Self {
        // The order decides which node a random number stands for. It must not depend on the
        // directory's, nor on ports: with a seed, keys are the same in every run, and ports are not.
        mixnodes.sort_by_key(|node| (node.layer, node.key, node.address));
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

    /// Where the node with this key takes packets.
    pub fn address_of(&self, key: &PublicKey) -> Option<NodeAddress> {
        let mixnode = || self.mixnodes.iter().find(|node| node.key == *key);
        let provider = self.provider(key).map(|node| node.address);
        provider.or_else(|| mixnode().map(|node| node.address))
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

    /// The same without whoever has this key.
    #[must_use]
    pub fn without(&self, key: &PublicKey) -> Self {
        let mut network = self.clone();
        network.mixnodes.retain(|node| node.key != *key);
        network.providers.retain(|node| node.key != *key);
        network
    }

    /// The provider at which a client is registered.
    pub fn provider_of(&self, client: &PublicKey) -> Option<&ProviderEntry> {
        self.providers.iter().find(|node| node.clients.contains(client))
    }

    /// Every address that takes packets, with its place. For a moment after a port has passed on, an
    /// address may have two.
    fn places(&self) -> impl Iterator<Item = (SocketAddr, Place)> {
        let mixnodes = self.mixnodes.iter().map(|node| (node.address.0, Place::Layer(node.layer)));
        let providers = self.providers.iter().map(|node| (node.address.0, Place::Provider));
        mixnodes.chain(providers)
    }
}

/// A network that follows the directory's events. Each record is parsed once, when it comes: while
/// a large network starts, every node hears of every other.
#[derive(Debug, Default)]
pub struct TopologyFollower {
    mixnodes: BTreeMap<String, MixEntry>,
    providers: BTreeMap<String, ProviderEntry>,
}

impl TopologyFollower {
    /// Takes an event; says whether the network changed.
    pub fn apply(&mut self, update: &Update) -> bool {
        match update {
            Update::Snapshot { topology } => {
                *self = Self::default();
                for node in &topology.mix_nodes {
                    self.put_mixnode(node);
                }
                for node in &topology.gateway_nodes {
                    self.put_provider(node);
                }
                true
            }
            Update::MixNode(node) => self.put_mixnode(node),
            Update::Gateway(node) => self.put_provider(node),
            Update::Left { pub_key } => {
                let mixnode = self.mixnodes.remove(pub_key).is_some();
                let provider = self.providers.remove(pub_key).is_some();
                mixnode || provider
            }
            Update::Disallowed { pub_key } => self.mixnodes.remove(pub_key).is_some(),
            Update::Gone { pub_key, list, .. } => match list {
                ListName::MixNode => self.mixnodes.remove(pub_key).is_some(),
                ListName::Gateway => self.providers.remove(pub_key).is_some(),
                ListName::MixProvider | ListName::CocoNode => false,
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
        Network::new(
            self.mixnodes.values().cloned().collect(),
            self.providers.values().cloned().collect(),
        )
    }

    fn put_mixnode(&mut self, node: &MixNodePresence) -> bool {
        let new = MixEntry::parse(node);
        let changed = self.mixnodes.get(&node.pub_key) != new.as_ref();
        match new {
            Some(new) => drop(self.mixnodes.insert(node.pub_key.clone(), new)),
            None => drop(self.mixnodes.remove(&node.pub_key)),
        }
        changed
    }

    fn put_provider(&mut self, node: &GatewayPresence) -> bool {
        let new = ProviderEntry::parse(node);
        let changed = self.providers.get(&node.pub_key) != new.as_ref();
        match new {
            Some(new) => drop(self.providers.insert(node.pub_key.clone(), new)),
            None => drop(self.providers.remove(&node.pub_key)),
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use directory_api::RegisteredClient;

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

        let mut places = Places::default();
        places.update(Time::default(), &network);
        let first = "127.0.0.1:1".parse().expect("an address");
        places.update(Time::default(), &Network::default());
        let over = Time::default() + VANISHED_GRACE;
        let within = Time::from_nanos(over.as_nanos() - 1);
        assert!(places.is(within, first, Place::Layer(1)));
        assert!(!places.is(within, first, Place::Layer(2)));
        assert!(!places.knows(over, first));

        assert!(follower.apply(&Update::MixNode(mixnode(2, 2, "127.0.0.1:2"))));
        assert_eq!(follower.network().missing_layer(3), None);
        assert!(follower.apply(&Update::Left { pub_key: key(2).to_string() }));
        assert!(!follower.apply(&Update::Left { pub_key: key(2).to_string() }));
        assert_eq!(follower.network().missing_layer(3), Some(2));

        // Another node takes over the address: it is both for a while.
        assert!(follower.apply(&Update::MixNode(mixnode(8, 2, "127.0.0.1:1"))));
        places.update(within, &follower.network());
        assert!(places.is(over, first, Place::Layer(1)) && places.is(over, first, Place::Layer(2)));
        assert!(follower.apply(&Update::Left { pub_key: key(1).to_string() }));
        assert!(follower.apply(&Update::Left { pub_key: key(8).to_string() }));
        places.update(over, &follower.network());
        let over = over + VANISHED_GRACE;
        assert!(!places.knows(over, first));
    }
}
