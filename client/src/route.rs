//! Routes: one mixnode of each layer, then the recipient's provider.

use std::time::Duration;

use rand::{Rng, RngExt};
use runtime::Network;
use sphinx::{Hop, Route};
use wire::PublicKey;

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

/// A route with one uniformly random mixnode of each layer and a delay for each, drawn by `delay`.
pub(crate) fn choose<R: Rng>(
    rng: &mut R,
    network: &Network,
    layers: u8,
    provider: &PublicKey,
    mut delay: impl FnMut(&mut R) -> Duration,
) -> Result<Route, NoRoute> {
    let last = network.provider(provider).ok_or(NoRoute::Provider(*provider))?;
    let mut hops = Vec::with_capacity(usize::from(layers) + 1);
    for layer in 1..=layers {
        let mixnodes = network.layer(layer);
        if mixnodes.is_empty() {
            return Err(NoRoute::Layer(layer));
        }
        let mixnode = &mixnodes[rng.random_range(..mixnodes.len())];
        hops.push(Hop { address: mixnode.address, key: mixnode.key, delay: delay(rng) });
    }
    hops.push(Hop { address: last.address, key: last.key, delay: Duration::ZERO });
    Ok(Route { hops })
}
