//! Building one packet of a client, with the acknowledgement that it carries.

use std::sync::Arc;
use std::time::Duration;

use contract::Time;
use rand::{CryptoRng, RngExt};
use sphinx::{BuildError, Route, SealError, seal};
use wire::{ACK_HEADER_BYTES, ClientAddress, Fragment, Identifier, Plaintext};

use super::{ACK_MARGIN, Client, NO_IDENTIFIER, Output, PURPOSE};
use crate::poisson::exponential;
use crate::route::{self, NoRoute};

impl Client {
    /// Builds a packet over a fresh route, with delays of this mean.
    pub(super) fn build(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        to: ClientAddress,
        fragment: &Fragment,
        mean_delay: Duration,
    ) -> Result<Built, CannotBuild> {
        loop {
            match self.build_over(now, rng, to, fragment, mean_delay) {
                Err(CannotBuild::Hop(BuildError::Key(key))) => {
                    // Whoever announced that takes no packets: until the directory says something
                    // new it is not there. So this ends.
                    self.network = Arc::new(self.network.without(&key));
                    self.drop_packet("node-key");
                }
                built => return built,
            }
        }
    }

    /// Builds a packet over one route.
    fn build_over(
        &self,
        now: Time,
        rng: &mut impl CryptoRng,
        to: ClientAddress,
        fragment: &Fragment,
        mean_delay: Duration,
    ) -> Result<Built, CannotBuild> {
        let layers = self.settings.layers;
        let choose = |rng: &mut _, provider| {
            route::choose(rng, &self.network, layers, provider, |rng| exponential(rng, mean_delay))
        };
        let route = choose(rng, &to.provider)?;
        let mut ack = None;
        let mut ack_header: [u8; ACK_HEADER_BYTES] = rng.random();
        let mut ack_first_hop = None;
        if self.settings.acks {
            let ack_route = choose(rng, &self.address.provider)?;
            let identifier = identifier(rng);
            let to = &self.address.client;
            ack_header = self.packets.build_header(rng, &ack_route, to, &identifier)?;
            ack_first_hop = ack_route.first_hop();
            let known = route.delay() + ack_route.delay();
            ack = Some((identifier, now + known.mul_f64(1.5) + ACK_MARGIN));
        }
        let sealed = seal(rng, &to.client, PURPOSE, &fragment.encode())?;
        let plaintext = Plaintext { ack_header, ack_first_hop, sealed }.encode();
        let packet =
            self.packets.build_packet(rng, &route, &to.client, &NO_IDENTIFIER, &plaintext)?;
        Ok(Built { route, packet, ack })
    }
}

/// A packet that can leave.
pub(super) struct Built {
    pub(super) route: Route,
    packet: Vec<u8>,
    /// The acknowledgement's identifier, and when the packet goes again without it.
    pub(super) ack: Option<(Identifier, Time)>,
}

impl Built {
    /// What sends it.
    pub(super) fn output(self) -> Output {
        let to = self.route.first_hop().expect("a route has a mixnode of each layer");
        Output::Send { to, packet: self.packet }
    }
}

/// A packet cannot be built.
pub(super) enum CannotBuild {
    /// There is no way to the recipient right now.
    NoRoute,
    /// A packet cannot take the route.
    Hop(BuildError),
    /// The recipient's key is no use; trying again does not help.
    Recipient(SealError),
}

impl From<NoRoute> for CannotBuild {
    fn from(_: NoRoute) -> Self {
        Self::NoRoute
    }
}

impl From<BuildError> for CannotBuild {
    fn from(error: BuildError) -> Self {
        Self::Hop(error)
    }
}

impl From<SealError> for CannotBuild {
    fn from(error: SealError) -> Self {
        Self::Recipient(error)
    }
}

/// A random identifier that says "acknowledgement".
fn identifier(rng: &mut impl CryptoRng) -> Identifier {
    loop {
        let identifier = rng.random();
        if identifier != NO_IDENTIFIER {
            return identifier;
        }
    }
}
