//! Which process is meant by a name or an address, without a look at all of them: thousands of packets a
//! second name where they go.

use std::collections::HashMap;
use std::net::SocketAddr;

use control::identity_of;

use super::Node;

/// Where the processes of a devnet stand in its list.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    places: HashMap<String, usize>,
    listeners: HashMap<SocketAddr, String>,
}

impl Names {
    /// Those of this list.
    pub(super) fn of(nodes: &[Node]) -> Self {
        let places = nodes.iter().map(|node| node.name().to_owned()).zip(0..).collect();
        let listeners = nodes.iter().flat_map(|node| {
            node.status.addresses.values().map(|address| (*address, node.name().to_owned()))
        });
        Self { places, listeners: listeners.collect() }
    }

    /// The place of the process of this name.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The process of this name, the one whose identity has it, or the one that listens at this address.
    pub(super) fn find<'a>(&'a self, destination: &'a str) -> Option<&'a str> {
        if self.places.contains_key(destination) {
            return Some(destination);
        }
        if let Some((process, _)) = identity_of(destination)
            && self.places.contains_key(process)
        {
            return Some(process);
        }
        let address: SocketAddr = destination.parse().ok()?;
        self.listeners.get(&address).map(String::as_str)
    }
}
