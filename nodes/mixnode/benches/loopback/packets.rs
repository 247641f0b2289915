//! Packets for the node, built before they are needed.

use std::thread;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use sphinx::{Hop, HopProcessor, PacketBuilder, PrivateKey, Route};
use wire::{NodeAddress, WireProfile, write_frame};

use crate::network::Network;

pub(crate) const PROFILE: WireProfile = WireProfile::CURRENT;

/// What headers ask for.
#[derive(Clone, Copy)]
pub(crate) enum Delays {
    None,
    /// With this mean.
    Exponential(Duration),
}

/// A packet as it is written to the node.
pub(crate) struct Packet {
    pub(crate) frame: Vec<u8>,
    /// The delay that its header asks for.
    pub(crate) delay: Duration,
}

impl Packet {
    /// The packet without its flag.
    pub(crate) fn packet(&self) -> &[u8] {
        &self.frame[1..]
    }

    /// Its first bytes when it has passed the node, which nobody can tell without its key.
    pub(crate) fn onward(&self, processor: &HopProcessor) -> [u8; 8] {
        let mut packet = self.packet().to_vec();
        processor.unwrap(&mut packet, |_| true).expect("it was built for this node");
        *packet.first_chunk().expect("a packet is longer")
    }
}

/// Builds so many packets, for the next hops in turn.
pub(crate) fn build(network: &Network, count: usize, delays: Delays) -> Vec<Packet> {
    let builder = PacketBuilder::new(PROFILE);
    let threads = crate::cores::count();
    let part = |thread: usize| {
        let builder = builder.clone();
        move || {
            let mut rng = StdRng::from_rng(&mut rand::rng());
            let numbers = (thread..count).step_by(threads);
            numbers.map(|number| build_one(network, &builder, &mut rng, number, delays)).collect()
        }
    };
    let parts: Vec<Vec<Packet>> = thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|thread| scope.spawn(part(thread))).collect();
        parts.into_iter().map(|part| part.join().expect("it does not panic")).collect()
    });
    parts.into_iter().flatten().collect()
}

fn build_one(
    network: &Network,
    builder: &PacketBuilder,
    rng: &mut StdRng,
    number: usize,
    delays: Delays,
) -> Packet {
    let delay = match delays {
        Delays::None => Duration::ZERO,
        Delays::Exponential(mean) => mean.mul_f64(-f64::ln(1.0 - rng.random::<f64>())),
    };
    let next = &network.next_hops[number % network.next_hops.len()];
    let here = NodeAddress(([127, 0, 0, 1], 1).into());
    let hops = vec![
        Hop { address: here, key: network.node_key().public(), delay },
        Hop { address: NodeAddress(next.address), key: next.key, delay: Duration::ZERO },
    ];
    let mut text = [0; 64];
    rng.fill_bytes(&mut text);
    let packet = builder
        .build_packet(rng, &Route { hops }, &next.key, &[0; 16], &text)
        .expect("a good route");
    let mut frame = Vec::new();
    write_frame(PROFILE, &packet, &mut frame);
    Packet { frame, delay }
}

/// The hop processor of the node.
pub(crate) fn processor(key: &PrivateKey, portable: bool) -> HopProcessor {
    if portable {
        HopProcessor::portable(key.clone(), PROFILE)
    } else {
        HopProcessor::new(key.clone(), PROFILE)
    }
}
