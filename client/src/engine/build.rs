//! Building one packet of a client, with the acknowledgement that it carries.

use std::sync::Arc;
use std::time::Duration;

use contract::{AckPlan, Print, SentTrace, Time};
use rand::rngs::StdRng;
use rand::{CryptoRng, RngExt};
use runtime::micros;
use sphinx::{BuildError, Route, SealError, print_of, seal};
use wire::{
    ACK_HEADER_BYTES, Fragment, Identifier, Kind, MessageId, NodeAddress, Plaintext, PublicKey,
    ReplyBlock,
};

use super::{ACK_MARGIN, Client, Next, Output, PURPOSE};
use crate::choices::Purpose;
use crate::outbox::{Awaited, To};
use crate::poisson::exponential;
use crate::route::{self, NoRoute};

impl Client {
    /// Builds a packet of cover, which goes to this client.
    pub(super) fn build_cover(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        purpose: Purpose,
        message: MessageId,
        mean_delay: Duration,
    ) -> Result<Built, CannotBuild> {
        let data = self.cover_data(now, purpose);
        let cover = Fragment { kind: Kind::LoopCover, message, index: 0, count: 1, data };
        let to = self.address;
        let mut over = self.over(rng, purpose, mean_delay);
        self.over_usable_nodes(|client| {
            let route = client.route(&to.provider, &mut over)?;
            client.build_over_route(now, rng, &route, &to.client, &cover, &mut over)
        })
    }

    /// Builds a packet of cover whose route leaves out a layer.
    pub(super) fn build_skipping(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        layer: u8,
    ) -> Result<Built, CannotBuild> {
        let (purpose, message) = (Purpose::Skip, MessageId(rng.random()));
        let data = self.cover_data(now, purpose);
        let cover = Fragment { kind: Kind::LoopCover, message, index: 0, count: 1, data };
        let to = self.address;
        let mut over = self.over(rng, purpose, self.settings.rates.hop_delay);
        self.over_usable_nodes(|client| {
            let mut route = client.route(&to.provider, &mut over)?;
            route.hops.remove(usize::from(layer) - 1);
            client.build_over_route(now, rng, &route, &to.client, &cover, &mut over)
        })
    }

    /// Builds a packet of a message. One that goes again avoids mixnodes that may have lost it.
    pub(super) fn build_fragment(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        next: &Next,
    ) -> Result<Built, CannotBuild> {
        let purpose = if next.attempt > 1 { Purpose::Again } else { Purpose::Message };
        let mut over = self.over(rng, purpose, self.settings.rates.hop_delay);
        let (fragment, over) = (&next.fragment, &mut over);
        self.over_usable_nodes(|client| match &next.to {
            To::Client(to) => {
                let route = client.route(&to.provider, over)?;
                client.build_over_route(now, rng, &route, &to.client, fragment, over)
            }
            To::Block(_, block) => client.build_over_block(now, rng, block, fragment, over),
        })
    }

    /// Makes a reply block that leads back to this client.
    pub(super) fn build_reply_block(
        &mut self,
        rng: &mut impl CryptoRng,
        identifier: &Identifier,
    ) -> Result<ReplyBlock, CannotBuild> {
        let mut over = self.over(rng, Purpose::Reply, self.settings.rates.hop_delay);
        let key = self.key.reply_key(identifier).public();
        self.over_usable_nodes(|client| {
            let route = client.route(&client.address.provider, &mut over)?;
            let to = &client.address.client;
            Ok(client.packets.build_reply_block(rng, &route, to, identifier, key)?)
        })
    }

    /// Builds until no node on the route has a key that is none.
    fn over_usable_nodes<T>(
        &mut self,
        mut build: impl FnMut(&Self) -> Result<T, CannotBuild>,
    ) -> Result<T, CannotBuild> {
        loop {
            match build(self) {
                Err(CannotBuild::Hop(BuildError::Key(key))) => {
                    // Whoever announced that takes no packets: until the directory says something
                    // new it is not there. So this ends.
                    self.network = Arc::new(self.network.without(&key));
                    self.count_drop("node-key");
                }
                outcome => return outcome,
            }
        }
    }

    fn over(&mut self, rng: &mut impl CryptoRng, purpose: Purpose, mean_delay: Duration) -> Over {
        let careful = purpose == Purpose::Again;
        Over { mean_delay, careful, choices: self.choices.next(purpose, rng) }
    }

    fn route(&self, provider: &PublicKey, over: &mut Over) -> Result<Route, NoRoute> {
        let Self { network, settings, health, .. } = self;
        let mean = over.mean_delay;
        let delay = |choices: &mut _| exponential(choices, mean);
        let is_doubtful = |node: &NodeAddress| health.is_doubtful(node);
        let avoid: Option<&dyn Fn(&NodeAddress) -> bool> =
            if over.careful { Some(&is_doubtful) } else { None };
        route::choose(&mut over.choices, network, settings.layers, provider, delay, avoid)
    }

    fn build_over_route(
        &self,
        now: Time,
        rng: &mut impl CryptoRng,
        route: &Route,
        to: &PublicKey,
        fragment: &Fragment,
        over: &mut Over,
    ) -> Result<Built, CannotBuild> {
        let nodes: Vec<NodeAddress> = route.hops.iter().map(|hop| hop.address).collect();
        let mixnodes = &nodes[..nodes.len().saturating_sub(1)];
        let (plaintext, ack) =
            self.plaintext(now, rng, to, fragment, (mixnodes, route.delay()), over)?;
        // Of a reply it is that of the reply block. Nobody on the way can tell the two apart.
        let identifier = rng.random();
        let packet = self.packets.build_packet(rng, route, to, &identifier, &plaintext)?;
        let trace = self.trace(fragment.kind, &packet, Some(route), ack.as_ref());
        let awaited = ack.map(|ack| ack.awaited);
        Ok(Built { nodes, delay: route.delay(), packet, awaited, trace })
    }

    fn build_over_block(
        &self,
        now: Time,
        rng: &mut impl CryptoRng,
        block: &ReplyBlock,
        fragment: &Fragment,
        over: &mut Over,
    ) -> Result<Built, CannotBuild> {
        // Only who made it knows the rest of the route and its delays: twice their mean, as far as this
        // client's own tells.
        let known = over.mean_delay * 2 * u32::from(self.settings.layers);
        let nodes = vec![block.first_hop];
        let (plaintext, ack) =
            self.plaintext(now, rng, &block.key, fragment, (&nodes, known), over)?;
        let packet = self.packets.build_reply(block, &plaintext)?;
        let trace = self.trace(fragment.kind, &packet, None, ack.as_ref());
        let awaited = ack.map(|ack| ack.awaited);
        Ok(Built { nodes, delay: known, packet, awaited, trace })
    }

    /// What the recipient's provider finds in the packet. `way` are the mixnodes to there and the sum
    /// of their delays.
    fn plaintext(
        &self,
        now: Time,
        rng: &mut impl CryptoRng,
        recipient: &PublicKey,
        fragment: &Fragment,
        way: (&[NodeAddress], Duration),
        over: &mut Over,
    ) -> Result<(Vec<u8>, Option<Ack>), CannotBuild> {
        let mut ack = None;
        let mut ack_header: [u8; ACK_HEADER_BYTES] = rng.random();
        let mut ack_first_hop = None;
        if self.settings.acks {
            let back = self.route(&self.address.provider, over)?;
            let identifier = rng.random();
            let to = &self.address.client;
            ack_header = self.packets.build_header(rng, &back, to, &identifier)?;
            ack_first_hop = back.first_hop();
            let (there, delay) = way;
            let known = delay + back.delay();
            let returning = back.hops.iter().map(|hop| hop.address).take(back.hops.len() - 1);
            let awaited = Awaited {
                identifier,
                deadline: now + known.mul_f64(1.5) + ACK_MARGIN,
                mixnodes: there.iter().copied().chain(returning).collect(),
            };
            ack = Some(Ack { awaited, header: ack_header, route: back });
        }
        let content = fragment.encode();
        let sealed = match fragment.kind {
            Kind::LoopCover => self.own_seal.seal(rng, &content),
            Kind::Message | Kind::MessageWithReplies => seal(rng, recipient, PURPOSE, &content)?,
        };
        let plaintext = Plaintext { ack_header, ack_first_hop, sealed }.encode();
        Ok((plaintext, ack))
    }

    /// What is told of a packet of a message where tracing is on. Of a reply the route is not known.
    fn trace(
        &self,
        kind: Kind,
        packet: &[u8],
        route: Option<&Route>,
        ack: Option<&Ack>,
    ) -> Option<Box<SentTrace>> {
        if self.traces.is_none() || kind == Kind::LoopCover {
            return None;
        }
        let ack = ack.map(|ack| AckPlan {
            packet: print_of(&ack.header),
            route: ack.route.hops.iter().map(|hop| hop.address.to_string()).collect(),
            asked_us: asked_us(&ack.route),
        });
        let asked_us = route.map(asked_us).unwrap_or_default();
        Some(Box::new(SentTrace { packet: print_of(packet), asked_us, ack }))
    }
}

/// What the nodes of a route are asked to wait.
fn asked_us(route: &Route) -> Vec<u64> {
    route.hops.iter().map(|hop| micros(hop.delay)).collect()
}

/// The acknowledgement that a packet carries.
struct Ack {
    awaited: Awaited,
    header: [u8; ACK_HEADER_BYTES],
    route: Route,
}

/// How the routes of one packet are chosen.
struct Over {
    mean_delay: Duration,
    /// Whether mixnodes that may have lost something are avoided.
    careful: bool,
    /// What they are drawn with.
    choices: StdRng,
}

/// A packet that can leave.
pub(super) struct Built {
    /// The nodes on its way that are known, in order.
    nodes: Vec<NodeAddress>,
    /// What they are told to wait together, as far as that is known.
    delay: Duration,
    packet: Vec<u8>,
    awaited: Option<Awaited>,
    /// None of cover, nor where tracing is off.
    trace: Option<Box<SentTrace>>,
}

impl Built {
    /// What the nodes on its way are told to wait together.
    pub(super) fn delay(&self) -> Duration {
        self.delay
    }

    /// Its way.
    pub(super) fn route(&self) -> &[NodeAddress] {
        &self.nodes
    }

    /// How it looks on its first link.
    pub(super) fn print(&self) -> Print {
        print_of(&self.packet)
    }

    /// What is told of it besides its way, if anything.
    pub(super) fn take_trace(&mut self) -> Option<Box<SentTrace>> {
        self.trace.take()
    }

    /// What sends it, its way, and the acknowledgement that it carries.
    pub(super) fn into_parts(self) -> (Output, Vec<NodeAddress>, Option<Awaited>) {
        let to = self.nodes[0];
        (Output::Send { to, packet: self.packet }, self.nodes, self.awaited)
    }
}

/// A packet cannot be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum CannotBuild {
    /// There is no way to the recipient right now.
    #[error(transparent)]
    NoRoute(#[from] NoRoute),
    /// A packet cannot take the route.
    #[error(transparent)]
    Hop(#[from] BuildError),
    /// The recipient's key is no use; trying again does not help.
    #[error(transparent)]
    Recipient(#[from] SealError),
}
