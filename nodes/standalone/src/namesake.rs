//! Another node at the address of this one.
//!
//! The originals refused to start then, and so after every restart, when the directory still listed
//! them. Here it is said, and the node starts.

use std::net::SocketAddr;

use directory_api::Topology;
use directory_client::DirectoryClient;

use crate::DirectoryUrl;

/// Asks the directory once, beside whatever else happens, and warns if it lists another key at this
/// address. A directory that does not answer is no concern of this.
pub(crate) fn warn_of_namesake(directory: &DirectoryUrl, announced: SocketAddr, own_key: String) {
    let Ok(client) = DirectoryClient::new(&directory.to_string()) else { return };
    tokio::spawn(async move {
        let Ok(topology) = client.topology().await else { return };
        if let Some(other) = namesake(&topology, &announced.to_string(), &own_key) {
            tracing::warn!(
                "the directory lists another node at {announced}, with the key {other}: if it \
                 still runs, packets for one come to the other"
            );
        }
    });
}

/// The key of another node that is announced at this address.
fn namesake<'a>(topology: &'a Topology, address: &str, own_key: &str) -> Option<&'a str> {
    let mixnodes = topology.mix_nodes.iter().map(|node| (&node.host, &node.pub_key));
    let gateways = topology.gateway_nodes.iter().map(|node| (&node.mixnet_listener, &node.pub_key));
    let mut others = mixnodes.chain(gateways).filter(|(_, key)| *key != own_key);
    others.find(|(host, _)| *host == address).map(|(_, key)| key.as_str())
}
