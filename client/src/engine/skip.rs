//! A rogue client, for the asking: a packet that leaves out a layer, so that one can see who refuses it.

use contract::{Print, Time};
use rand::CryptoRng;
use wire::NodeAddress;

use super::{Client, Output};

/// A packet that leaves out a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipping {
    /// What sends it.
    pub send: Output,
    /// As it goes.
    pub packet: Print,
    /// All hops: mixnodes, then the provider.
    pub route: Vec<NodeAddress>,
}

/// No such packet is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkipError {
    /// The network has no such layer.
    #[error("layer {layer} is not one of the network's {layers}")]
    NoSuchLayer {
        /// Which was to be left out.
        layer: u8,
        /// How many there are.
        layers: u8,
    },
    /// Packets do not pass, not even good ones.
    #[error("{0}")]
    NoWay(String),
}

impl Client {
    /// Makes a packet of cover for this client whose route leaves out a layer. Apart from that it is like
    /// any other.
    pub fn skip(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        layer: u8,
    ) -> Result<Skipping, SkipError> {
        let layers = self.settings.layers;
        if !(1..=layers).contains(&layer) {
            return Err(SkipError::NoSuchLayer { layer, layers });
        }
        if let Some(reason) = self.waiting_for() {
            return Err(SkipError::NoWay(reason));
        }
        let built = self.build_skipping(now, rng, layer);
        let built = built.map_err(|error| SkipError::NoWay(error.to_string()))?;
        let (packet, route) = (built.print(), built.route().to_vec());
        Ok(Skipping { send: self.send_built_cover(now, built), packet, route })
    }
}
