//! The builder against the crate `sphinx-packet`: every hop of the crate unwraps what is built here,
//! and out of the same random numbers come the same bytes.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{SeedableRng, TryCryptoRng, TryRng};
use sphinx::{BuildError, Hop, MAX_HOPS, PacketBuilder, PrivateKey, Route, ack_packet};
use sphinx_packet::header::delays::Delay;
use sphinx_packet::route::{Destination, DestinationAddressBytes, Node, NodeAddressBytes};
use sphinx_packet::version::CURRENT_VERSION;
use sphinx_packet::{ProcessedPacketData, SURB, SURBMaterial, SphinxPacket, SphinxPacketBuilder};
use wire::{HEADER_BYTES, Identifier, NodeAddress, PublicKey, ReplyBlock, WireProfile};
use x25519_dalek::StaticSecret;

const PROFILE: WireProfile = WireProfile::CURRENT;

/// Where in a header the slots of routing information begin, and their length.
const ROUTING_AT: usize = 48;
const SLOT_BYTES: usize = 60;

/// Routing information of the last hop, without padding.
const FINAL_BYTES: usize = 52;

/// Random numbers that were written down beforehand.
struct Script(Vec<u8>);

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("a builder asks for bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("a builder asks for bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&std::mem::replace(&mut self.0, rest));
        Ok(())
    }
}

impl TryCryptoRng for Script {}

/// What a packet is to carry, and the private keys of its hops.
#[derive(Clone, Debug)]
struct Case {
    keys: Vec<PrivateKey>,
    route: Route,
    destination: PublicKey,
    identifier: Identifier,
    plaintext: Vec<u8>,
    secret: [u8; 32],
}

impl Case {
    /// Its hops, destination and delays in the crate's types.
    fn their_route(&self) -> (Vec<Node>, Destination, Vec<Delay>) {
        let node = |hop: &Hop| {
            let address = NodeAddressBytes::from_bytes(hop.address.encode());
            Node::new(address, x25519_dalek::PublicKey::from(*hop.key.as_bytes()))
        };
        let nanos = |hop: &Hop| u64::try_from(hop.delay.as_nanos()).expect("it fits");
        let delay = |hop: &Hop| Delay::new_from_nanos(nanos(hop));
        let destination = DestinationAddressBytes::from_bytes(*self.destination.as_bytes());
        let hops = &self.route.hops;
        (
            hops.iter().map(node).collect(),
            Destination::new(destination, self.identifier),
            hops.iter().map(delay).collect(),
        )
    }

    /// The packet as the crate builds it.
    fn theirs(&self) -> Vec<u8> {
        let (nodes, destination, delays) = self.their_route();
        SphinxPacketBuilder::new()
            .with_payload_size(PROFILE.payload_bytes)
            .with_initial_secret(&StaticSecret::from(self.secret))
            .build_packet(&self.plaintext, &nodes, &destination, &delays)
            .expect("a good route")
            .to_bytes()
    }

    /// The packet as it is built here out of the secret and this padding.
    fn ours(&self, builder: &PacketBuilder, padding: &[u8]) -> Vec<u8> {
        let mut script = Script([&self.secret, padding].concat());
        let Self { route, destination, identifier, plaintext, .. } = self;
        let packet = builder
            .build_packet(&mut script, route, destination, identifier, plaintext)
            .expect("a good route");
        assert!(script.0.is_empty(), "all random numbers are used");
        packet
    }

    /// A reply block as it is built here out of the secret and this padding.
    fn our_reply_block(&self, builder: &PacketBuilder, padding: &[u8]) -> ReplyBlock {
        let mut script = Script([&self.secret, padding].concat());
        let Self { route, destination, identifier, .. } = self;
        let key = PublicKey::from_bytes([5; 32]);
        let block = builder.build_reply_block(&mut script, route, destination, identifier, key);
        assert!(script.0.is_empty(), "all random numbers are used");
        block.expect("a good route")
    }

    /// What the crate drew as padding of a header that it built out of the secret: it shows beside
    /// zeros, for a stream hides both alike.
    fn padding_of(&self, builder: &PacketBuilder, theirs: &[u8]) -> Vec<u8> {
        let with_zeros = self.ours(builder, &vec![0; self.padding().len()]);
        let both = with_zeros[self.padding()].iter().zip(&theirs[self.padding()]);
        both.map(|(zero, drawn)| zero ^ drawn).collect()
    }

    /// Where the padding is in the header that the first hop gets.
    fn padding(&self) -> std::ops::Range<usize> {
        let last_slot = ROUTING_AT + (self.route.hops.len() - 1) * SLOT_BYTES;
        last_slot + FINAL_BYTES..HEADER_BYTES
    }

    /// Takes a packet along the hops of the crate; returns the final payload.
    fn travel(&self, packet: &[u8]) -> Result<Vec<u8>, TestCaseError> {
        let mut packet = SphinxPacket::from_bytes(packet).expect("a packet");
        for (i, key) in self.keys.iter().enumerate() {
            let processed = packet.process(&StaticSecret::from(key.to_bytes()));
            match processed.expect("its own packet").data {
                ProcessedPacketData::ForwardHop { next_hop_packet, next_hop_address, delay } => {
                    let next = &self.route.hops[i + 1];
                    prop_assert_eq!(next_hop_address.to_bytes(), next.address.encode::<32>());
                    let delay = Duration::from_nanos(delay.to_nanos());
                    prop_assert_eq!(delay, self.route.hops[i].delay);
                    packet = next_hop_packet;
                }
                ProcessedPacketData::FinalHop { destination, identifier, payload } => {
                    prop_assert_eq!(i, self.keys.len() - 1);
                    prop_assert_eq!(&destination.as_bytes(), self.destination.as_bytes());
                    prop_assert_eq!(identifier, self.identifier);
                    return Ok(payload.into_bytes());
                }
            }
        }
        panic!("the packet did not end at the last hop");
    }
}

fn address() -> impl Strategy<Value = NodeAddress> {
    let v4 = any::<[u8; 4]>().prop_map(IpAddr::from);
    let v6 = any::<[u8; 16]>().prop_map(IpAddr::from);
    (prop_oneof![v4, v6], any::<u16>()).prop_map(|(ip, port)| NodeAddress((ip, port).into()))
}

fn delay() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(0), Just(u64::MAX), any::<u64>()].prop_map(Duration::from_nanos)
}

fn plaintext() -> impl Strategy<Value = Vec<u8>> {
    let most = PROFILE.plaintext_bytes();
    let length = prop_oneof![Just(0), Just(most), 0..=most];
    (length, any::<u8>()).prop_flat_map(|(length, fill)| {
        prop_oneof![prop::collection::vec(any::<u8>(), length), Just(vec![fill; length])]
    })
}

/// The key of a node, as it is announced: honestly, with something of small order added, which makes
/// no difference to the node, or with the highest bit set, which means nothing.
fn announced(key: &PrivateKey, small: usize, high_bit: bool) -> PublicKey {
    let point = MontgomeryPoint(*key.public().as_bytes()).to_edwards(0).expect("on the curve");
    let mut bytes = (point + EIGHT_TORSION[small]).to_montgomery().to_bytes();
    bytes[31] |= u8::from(high_bit) << 7;
    PublicKey::from_bytes(bytes)
}

/// A hop: which of the nodes, how its key is announced, address and delay.
type HopCase = (usize, (usize, bool), NodeAddress, Duration);

fn hop() -> impl Strategy<Value = HopCase> {
    let odd = (0..EIGHT_TORSION.len(), any::<bool>());
    let announced = prop_oneof![3 => Just((0, false)), 1 => odd];
    // Few nodes, so that one is met twice now and then.
    (0..6_usize, announced, address(), delay())
}

fn case() -> impl Strategy<Value = Case> {
    let hops = prop::collection::vec(hop(), 1..=MAX_HOPS);
    let nodes: [[u8; 32]; 6] = std::array::from_fn(|_| [0; 32]);
    let secrets = nodes.map(|_| any::<[u8; 32]>());
    (secrets, hops, any::<[u8; 32]>(), any::<[u8; 16]>(), plaintext(), any::<[u8; 32]>()).prop_map(
        |(secrets, hops, destination, identifier, plaintext, secret)| {
            let key = |hop: &HopCase| PrivateKey::from_bytes(secrets[hop.0]);
            let keys: Vec<PrivateKey> = hops.iter().map(key).collect();
            let hop = |(key, (_, (small, high_bit), address, delay)): (&PrivateKey, HopCase)| Hop {
                address,
                key: announced(key, small, high_bit),
                delay,
            };
            let route = Route { hops: keys.iter().zip(hops).map(hop).collect() };
            let destination = PublicKey::from_bytes(destination);
            Case { keys, route, destination, identifier, plaintext, secret }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn out_of_the_same_random_numbers_comes_the_same_packet(case in case()) {
        let builder = PacketBuilder::new(PROFILE);
        let theirs = case.theirs();
        let padding = case.padding_of(&builder, &theirs);
        prop_assert_ne!(&padding, &vec![0; padding.len()]);
        prop_assert_eq!(case.ours(&builder, &padding), theirs);
    }

    /// The crate gives away one seed of a block and keeps the others; it takes them all if it is given
    /// them.
    #[test]
    fn a_reply_block_is_the_crates_and_a_reply_is_the_packet_that_its_maker_would_have_built(
        case in case(),
    ) {
        let builder = PacketBuilder::new(PROFILE);
        let (nodes, destination, delays) = case.their_route();
        let material = SURBMaterial::new(nodes, delays, destination, CURRENT_VERSION);
        let (theirs, recovery) = SURB::new_recoverable(StaticSecret::from(case.secret), material)
            .expect("a good route");
        let theirs = theirs.to_bytes();
        let padding = case.padding_of(&builder, &theirs);

        let block = case.our_reply_block(&builder, &padding);
        let seeds = block.seeds.as_slice();
        let first_hop: [u8; 32] = block.first_hop.encode();
        let of_last = seeds.last().expect("a hop");
        prop_assert_eq!([&block.header[..], &first_hop, of_last].concat(), theirs);
        prop_assert_eq!([&case.identifier[..], seeds.as_flattened()].concat(), recovery.to_bytes());

        let reply = builder.build_reply(&block, &case.plaintext).expect("it fits");
        prop_assert_eq!(&reply, &case.ours(&builder, &padding));
        let with_all = [&block.header[..], &first_hop, seeds.as_flattened()].concat();
        let (theirs, first_hop) = SURB::from_bytes(&with_all)
            .and_then(|block| block.use_surb(&case.plaintext, PROFILE.payload_bytes))
            .expect("a good block");
        prop_assert_eq!(reply, theirs.to_bytes());
        prop_assert_eq!(first_hop.to_bytes(), case.route.hops[0].address.encode::<32>());
    }

    #[test]
    fn the_crate_unwraps_at_every_hop_what_is_built_here(case in case(), seed: u64) {
        let builder = PacketBuilder::new(PROFILE);
        let Case { route, destination, identifier, plaintext, .. } = &case;
        let rng = &mut StdRng::seed_from_u64(seed);
        let packet = builder.build_packet(rng, route, destination, identifier, plaintext);
        let packet = packet.expect("a good route");
        let payload = case.travel(&packet)?;
        let payload = sphinx_packet::payload::Payload::from_bytes(&payload).expect("long enough");
        prop_assert_eq!(&payload.recover_plaintext().expect("a plaintext"), plaintext);

        let header = builder.build_header(rng, route, destination, identifier);
        let acknowledgement = ack_packet(rng, PROFILE, &header.expect("a good route"));
        let payload = case.travel(&acknowledgement)?;
        prop_assert_ne!(&payload[..16], &[0; 16], "it is noise");

        let again = &mut StdRng::seed_from_u64(seed);
        let same = builder.build_packet(again, route, destination, identifier, plaintext);
        prop_assert_eq!(same.expect("a good route"), packet);
        let next = builder.build_header(again, route, destination, identifier);
        prop_assert_eq!(next.expect("a good route"), header.expect("a good route"));
    }
}

fn simple(rng: &mut StdRng, hops: usize) -> Case {
    let keys: Vec<PrivateKey> = (0..hops).map(|_| PrivateKey::random(rng)).collect();
    let address = NodeAddress(SocketAddr::from(([127, 0, 0, 1], 1789)));
    let hop = |key: &PrivateKey| Hop { address, key: key.public(), delay: Duration::ZERO };
    let route = Route { hops: keys.iter().map(hop).collect() };
    let destination = PublicKey::from_bytes([1; 32]);
    Case { keys, route, destination, identifier: [2; 16], plaintext: vec![3], secret: [4; 32] }
}

#[test]
fn a_packet_does_not_show_how_often_its_nodes_were_used() {
    let mut rng = StdRng::seed_from_u64(1);
    let case = simple(&mut rng, 4);
    let padding = vec![5; case.padding().len()];
    let builder = PacketBuilder::new(PROFILE);
    let first = case.ours(&builder, &padding);
    assert!(format!("{builder:?}").contains(" 0 tables"));
    for _ in 0..200 {
        assert_eq!(case.ours(&builder.clone(), &padding), first);
    }
    assert!(format!("{builder:?}").contains(" 4 tables"), "clones share them");
}

#[test]
fn keys_that_no_node_can_have_are_refused() {
    let mut rng = StdRng::seed_from_u64(2);
    let twist =
        (2..=255).map(|byte| [byte; 32]).find(|u| MontgomeryPoint(*u).to_edwards(0).is_none());
    let small = EIGHT_TORSION.map(|point: EdwardsPoint| point.to_montgomery().to_bytes());
    // The prime itself is another spelling of zero.
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    let one = std::array::from_fn(|i| u8::from(i == 0));
    for bytes in small.into_iter().chain([prime, one]).chain(twist) {
        let mut case = simple(&mut rng, 3);
        let key = PublicKey::from_bytes(bytes);
        case.route.hops[1].key = key;
        let builder = PacketBuilder::new(PROFILE);
        let Case { route, destination, identifier, .. } = &case;
        let built = builder.build_packet(&mut rng, route, destination, identifier, b"");
        assert_eq!(built, Err(BuildError::Key(key)));
        let built = builder.build_header(&mut rng, route, destination, identifier);
        assert_eq!(built, Err(BuildError::Key(key)));
    }
    assert!(twist.is_some());
}

#[test]
fn what_no_packet_holds_is_refused() {
    let mut rng = StdRng::seed_from_u64(3);
    let builder = PacketBuilder::new(PROFILE);
    let mut build = |case: &Case| {
        let Case { route, destination, identifier, plaintext, .. } = case;
        let header = builder.build_header(&mut rng, route, destination, identifier).map(drop);
        let packet = builder.build_packet(&mut rng, route, destination, identifier, plaintext);
        let block =
            builder.build_reply_block(&mut rng, route, destination, identifier, *destination);
        assert_eq!(block.as_ref().map(drop).map_err(|error| *error), header);
        if let Ok(block) = block {
            let reply = builder.build_reply(&block, plaintext).map(drop);
            assert_eq!(reply, packet.as_ref().map(drop).map_err(|error| *error));
        }
        (header, packet.map(drop))
    };
    let mut rng = StdRng::seed_from_u64(4);
    for hops in [0, MAX_HOPS + 1] {
        let error = Err(BuildError::Hops(hops));
        assert_eq!(build(&simple(&mut rng, hops)), (error, error));
    }
    let mut case = simple(&mut rng, 2);
    let most = Duration::from_nanos(u64::MAX);
    let more = most + Duration::from_nanos(1);
    case.route.hops[0].delay = more;
    let error = Err(BuildError::Delay(more));
    assert_eq!(build(&case), (error, error));
    case.route.hops[0].delay = most;
    assert_eq!(build(&case), (Ok(()), Ok(())));
    let most = PROFILE.plaintext_bytes();
    case.plaintext = vec![0; most + 1];
    let error = Err(BuildError::Plaintext { bytes: most + 1, most });
    assert_eq!(build(&case), (Ok(()), error));
    case.plaintext.pop();
    assert_eq!(build(&case), (Ok(()), Ok(())));
}
