//! What the directory lists of a node that speaks only to the directory.

use std::net::SocketAddr;

use directory_api::Topology;

use super::ShimRole;

/// An entry of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its key, base58.
    pub(super) key: String,
    /// Where it takes packets, as it announced it.
    mix: String,
    /// Where its clients connect.
    clients: Option<String>,
}

impl Listed {
    /// Where it takes packets, or why that is unknown.
    pub(super) fn mix_address(&self) -> Result<Option<SocketAddr>, String> {
        parse(&self.mix).map(Some)
    }

    /// Where its clients connect.
    pub(super) fn clients_address(&self) -> Result<Option<SocketAddr>, String> {
        self.clients.as_deref().map(parse).transpose()
    }
}

fn parse(text: &str) -> Result<SocketAddr, String> {
    let address = text.strip_prefix("ws://").unwrap_or(text);
    address.parse().map_err(|_| {
        let shown = control::shown_argument(text);
        format!("it announced the address `{shown}`; an IP address and a port are needed")
    })
}

/// The entry of the node of that role that was told to listen at this address. One that listens
/// elsewhere is known by its name as location. Of several the one that was heard last: a node that was
/// started again may have another key, and the old entry stays for some seconds.
pub(super) fn find(
    topology: &Topology,
    role: ShimRole,
    name: &str,
    address: &str,
) -> Option<Listed> {
    let mixnodes = topology.mix_nodes.iter().filter(|_| role == ShimRole::Mixnode).map(|node| {
        let listed = Listed { key: node.pub_key.clone(), mix: node.host.clone(), clients: None };
        (listed, &node.location, node.last_seen)
    });
    let providers = topology.mix_provider_nodes.iter().chain(&topology.gateway_nodes);
    let providers = providers.filter(|_| role == ShimRole::Provider).map(|node| {
        let listed = Listed {
            key: node.pub_key.clone(),
            mix: node.mixnet_listener.clone(),
            clients: Some(node.client_listener.clone()),
        };
        (listed, &node.location, node.last_seen)
    });
    mixnodes
        .chain(providers)
        .map(|(listed, location, last_seen)| (listed.mix == address, location, last_seen, listed))
        .filter(|(is_there, location, ..)| *is_there || *location == name)
        .max_by_key(|(is_there, _, last_seen, _)| (*is_there, *last_seen))
        .map(|(.., listed)| listed)
}

#[cfg(test)]
mod tests {
    use directory_api::{MixNodePresence, MixProviderPresence};

    use super::*;

    fn mixnode(key: &str, host: &str, location: &str, last_seen: i64) -> MixNodePresence {
        MixNodePresence {
            host: host.into(),
            pub_key: key.into(),
            version: "1".into(),
            location: location.into(),
            layer: 1,
            last_seen,
        }
    }

    #[test]
    fn a_node_is_known_by_its_address_or_else_by_its_name() {
        let key_of = |mix_nodes: Vec<MixNodePresence>| {
            let topology = Topology { mix_nodes, ..Topology::default() };
            let listed = find(&topology, ShimRole::Mixnode, "mix-1-1", "127.0.0.1:5");
            listed.map(|listed| listed.key)
        };
        assert_eq!(key_of(vec![mixnode("a", "127.0.0.1:6", "x", 1)]), None);
        let by_name = mixnode("a", "127.0.0.1:6", "mix-1-1", 9);
        assert_eq!(key_of(vec![by_name.clone()]), Some("a".into()));
        let old = mixnode("b", "127.0.0.1:5", "x", 1);
        let new = mixnode("c", "127.0.0.1:5", "x", 2);
        assert_eq!(key_of(vec![by_name, new, old]), Some("c".into()));
    }

    #[test]
    fn a_provider_has_two_addresses_and_both_must_be_some() {
        let provider = MixProviderPresence {
            client_listener: "ws://127.0.0.1:7".into(),
            mixnet_listener: "127.0.0.1:5".into(),
            pub_key: "p".into(),
            version: "1".into(),
            location: "x".into(),
            registered_clients: Vec::new(),
            last_seen: 1,
        };
        let topology = Topology { gateway_nodes: vec![provider], ..Topology::default() };
        assert_eq!(find(&topology, ShimRole::Mixnode, "x", "127.0.0.1:5"), None);
        let mut listed =
            find(&topology, ShimRole::Provider, "provider-1", "127.0.0.1:5").expect("listed");
        assert_eq!(listed.mix_address(), Ok(Some(([127, 0, 0, 1], 5).into())));
        assert_eq!(listed.clients_address(), Ok(Some(([127, 0, 0, 1], 7).into())));
        listed.mix = "localhost:\u{1b}5".into();
        let reason = listed.mix_address().expect_err("a name is no address");
        assert!(reason.contains("`localhost:␛5`"), "{reason}");
    }
}
