//! Routes: one mixnode of each layer, then the recipient's provider.

use std::time::Duration;

use rand::{Rng, RngExt};
use runtime::{MixEntry, Network};
use sphinx::{Hop, Route};
use wire::{NodeAddress, PublicKey};

/// No packet can be sent to that provider right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// A layer has no mixnode.
    #[error("layer {0} has no mixnode in the directory")]
    Layer(u8),
    /// The provider is not there.
    #[error("the provider {0} is not in the directory")]
    Provider(PublicKey),
}

/// A route with one mixnode of each layer, chosen uniformly, and a delay for each, drawn by `delay`.
///
/// With `avoid`, mixnodes of which it is true are chosen only where a layer has no others.
pub(crate) fn choose<R: Rng>(
    rng: &mut R,
    network: &Network,
    layers: u8,
    provider: &PublicKey,
    mut delay: impl FnMut(&mut R) -> Duration,
    avoid: Option<&dyn Fn(&NodeAddress) -> bool>,
) -> Result<Route, NoRoute> {
    let last = network.provider(provider).ok_or(NoRoute::Provider(*provider))?;
    let mut hops = Vec::with_capacity(usize::from(layers) + 1);
    for layer in 1..=layers {
        let mixnodes = network.layer(layer);
        let good: Vec<&MixEntry> = match avoid {
            Some(avoid) => mixnodes.iter().filter(|node| !avoid(&node.address)).collect(),
            None => Vec::new(),
        };
        let mixnode = match good.len() {
            0 if mixnodes.is_empty() => return Err(NoRoute::Layer(layer)),
            0 => &mixnodes[rng.random_range(..mixnodes.len())],
            count => good[rng.random_range(..count)],
        };
        hops.push(Hop { address: mixnode.address, key: mixnode.key, delay: delay(rng) });
    }
    hops.push(Hop { address: last.address, key: last.key, delay: Duration::ZERO });
    Ok(Route { hops })
}

#[cfg(test)]
mod tests {
    use directory_api::Topology;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use serde_json::json;
    use sphinx::PrivateKey;

    use super::*;

    #[test]
    fn who_is_avoided_is_taken_only_where_a_layer_has_no_other() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut key = || PrivateKey::random(&mut rng).public();
        let provider = key();
        let mixnode = |port: u16, layer: u8, key: PublicKey| {
            json!({"host": format!("127.0.0.1:{port}"), "layer": layer, "pubKey": key.to_string(),
                   "version": "0.1.0", "location": "", "lastSeen": 1})
        };
        let topology: Topology = serde_json::from_value(json!({
            "mixNodes": [mixnode(1, 1, key()), mixnode(2, 1, key()), mixnode(3, 2, key())],
            "mixProviderNodes": [],
            "gatewayNodes": [{
                "clientListener": "ws://127.0.0.1:9000", "mixnetListener": "127.0.0.1:4000",
                "pubKey": provider.to_string(), "version": "0.1.0", "location": "p",
                "registeredClients": [], "lastSeen": 1
            }],
            "cocoNodes": [],
        }))
        .expect("a topology");
        let network = Network::from_topology(&topology);
        let doubtful = |node: &NodeAddress| node.0.port() != 2;
        for _ in 0..20 {
            let no_delay = |_: &mut StdRng| Duration::ZERO;
            let route = choose(&mut rng, &network, 2, &provider, no_delay, Some(&doubtful));
            let hops = route.expect("there is one").hops;
            let ports: Vec<u16> = hops.iter().map(|hop| hop.address.0.port()).collect();
            assert_eq!(ports, [2, 3, 4000]);
        }
    }
}
