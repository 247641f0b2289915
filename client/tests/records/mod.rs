//! What a directory says of nodes that are only names and keys.

use std::net::SocketAddr;

use directory_api::{GatewayPresence, MixNodePresence};
use wire::{NodeAddress, PublicKey};

/// Where a node takes packets that has this port.
pub(crate) fn address(port: u16) -> NodeAddress {
    NodeAddress(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// A mixnode.
pub(crate) fn mixnode(port: u16, layer: u16, key: PublicKey) -> MixNodePresence {
    MixNodePresence {
        host: address(port).to_string(),
        pub_key: key.to_string(),
        version: "0.1.0".into(),
        location: "here".into(),
        layer: layer.into(),
        last_seen: 0,
    }
}

/// A provider, which lists no clients.
pub(crate) fn provider(port: u16, key: PublicKey) -> GatewayPresence {
    GatewayPresence {
        client_listener: "ws://127.0.0.1:9".into(),
        mixnet_listener: address(port).to_string(),
        pub_key: key.to_string(),
        version: "0.1.0".into(),
        location: "here".into(),
        registered_clients: Vec::new(),
        last_seen: 0,
    }
}
