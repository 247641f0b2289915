//! What a client's traffic looks like from outside, on virtual time: when packets leave, how long they
//! are to wait, and which way they take.

mod samples;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use client::{Client, Destination, Outgoing, Output, Settings};
use contract::{Rates, Time, TrafficCounters};
use directory_api::Topology;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use runtime::Network;
use samples::{
    CHI_SQUARE_2_CRITICAL, CHI_SQUARE_8_CRITICAL, CHI_SQUARE_26_CRITICAL, KS_CRITICAL, chi_square,
    ks_exponential, ks_two_samples,
};
use serde_json::json;
use sphinx::{HopProcessor, PacketBuilder, PrivateKey, Unwrapped, ack_packet, recover_plaintext};
use wire::{
    ClientAddress, Content, FRAGMENT_DATA_BYTES, HEADER_BYTES, Identifier, MAX_REPLY_BLOCKS,
    MessageId, NodeAddress, Plaintext, PublicKey, WireProfile,
};

const PROFILE: WireProfile = WireProfile::CURRENT;

const RATES: Rates = Rates {
    hop_delay: Duration::from_millis(15),
    slot: Duration::from_millis(20),
    loop_cover: Duration::from_millis(200),
    slot_cover: true,
};

const LAYERS: u8 = 3;

/// Mixnodes of each layer.
const WIDTH: u16 = 3;

/// How long the runs are of which the times are looked at: 5 500 packets.
const RUN: Duration = Duration::from_secs(100);

/// Packets of which the ways and delays are looked at.
const JOURNEYS: usize = 3000;

/// A client and the network that it sends into. Packets arrive at once: only what the client does
/// takes time.
struct Setting {
    client: Client,
    rng: StdRng,
    nodes: BTreeMap<SocketAddr, HopProcessor>,
    bob: ClientAddress,
    now: Time,
    /// One acknowledgement of so many is lost, if any.
    lost: Option<u32>,
}

/// Which of its two streams made a client send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Slot,
    Loop,
}

/// A packet on its way from a client to its provider or another's.
struct Journey {
    /// Which of its layer each mixnode is.
    way: [usize; 3],
    /// Seconds that it is to wait at each.
    delays: Vec<f64>,
    destination: PublicKey,
    identifier: Identifier,
    payload: Vec<u8>,
}

impl Setting {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut nodes = BTreeMap::new();
        let mut mixnodes = Vec::new();
        let mut node = |port| {
            let processor = HopProcessor::new(PrivateKey::random(&mut rng), PROFILE);
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let key = processor.public_key().to_string();
            nodes.insert(address, processor);
            (address.to_string(), key)
        };
        for layer in 1..=u16::from(LAYERS) {
            for index in 0..WIDTH {
                let (host, key) = node(1000 * layer + index);
                mixnodes.push(json!({
                    "host": host, "pubKey": key, "layer": layer, "version": "0.1.0",
                    "location": "", "lastSeen": 1
                }));
            }
        }
        let (host, provider) = node(9000);
        let topology: Topology = serde_json::from_value(json!({
            "mixNodes": mixnodes,
            "mixProviderNodes": [],
            "gatewayNodes": [{
                "clientListener": "ws://127.0.0.1:9001", "mixnetListener": host,
                "pubKey": provider, "version": "0.1.0", "location": "",
                "registeredClients": [], "lastSeen": 1
            }],
            "cocoNodes": [],
        }))
        .expect("a topology");
        let provider = provider.parse().expect("a key");
        let settings = Settings { rates: RATES, layers: LAYERS, acks: true };
        let key = PrivateKey::random(&mut rng);
        let mut client = Client::new(key, provider, settings, PacketBuilder::new(PROFILE));
        let now = Time::default();
        client.set_network(Arc::new(Network::from_topology(&topology)));
        client.set_online(now, true);
        let bob = ClientAddress { client: PrivateKey::random(&mut rng).public(), provider };
        let mut setting = Self { client, rng, nodes, bob, now, lost: None };
        setting.come_to_life();
        setting
    }

    /// The probe, which asks for no delays, comes back, and the streams begin.
    fn come_to_life(&mut self) {
        let outputs = self.client.poll(self.now, &mut self.rng);
        let [Output::Send { to, packet }] = &outputs[..] else { panic!("no probe: {outputs:?}") };
        let probe = self.journey(*to, packet.clone());
        assert_eq!(probe.destination, self.client.address().client);
        assert_eq!(probe.delays, [0.0; 3]);
        let outputs = self.client.deliver(self.now, &probe.identifier, &probe.payload);
        assert!(matches!(outputs[..], [Output::Ready { .. }]), "{outputs:?}");
    }

    /// Takes a packet to the end of its way.
    fn journey(&self, first: NodeAddress, mut packet: Vec<u8>) -> Journey {
        let (mut way, mut delays) = (Vec::new(), Vec::new());
        let mut at = first.0;
        loop {
            match self.nodes[&at].unwrap(&mut packet, |_| true).expect("a good packet") {
                Unwrapped::Forward { next, delay } => {
                    assert_eq!(usize::from(at.port() / 1000), way.len() + 1, "the next layer");
                    way.push(usize::from(at.port() % 1000));
                    delays.push(delay.as_secs_f64());
                    at = next.0;
                }
                Unwrapped::Final { destination, identifier } => {
                    let way = way.try_into().expect("one mixnode of each layer");
                    let payload = packet.split_off(HEADER_BYTES);
                    return Journey { way, delays, destination, identifier, payload };
                }
            }
        }
    }

    /// The acknowledgement that a packet carries.
    fn ack_of(&mut self, journey: &Journey) -> Journey {
        let plaintext = recover_plaintext(&journey.payload).expect("a plaintext");
        let plaintext = Plaintext::decode(plaintext).expect("a plaintext");
        let packet = ack_packet(&mut self.rng, PROFILE, &plaintext.ack_header);
        self.journey(plaintext.ack_first_hop.expect("packets are acknowledged"), packet)
    }

    fn send(&mut self, data: Vec<u8>) {
        let message = MessageId(self.rng.random());
        let composed = self.client.compose(&mut self.rng, data.into(), 0).expect("there is room");
        self.client.give_back(composed.room);
        let outgoing = Outgoing {
            message,
            to: Destination::Address(self.bob),
            kind: composed.kind,
            data: composed.data,
            acknowledged: vec![],
        };
        self.client.enqueue(self.now, outgoing).expect("something to send");
    }

    /// Lets the client do what it does until this moment; `see` gets every packet as it leaves.
    fn run_until(&mut self, end: Time, mut see: impl FnMut(&mut Self, Stream, NodeAddress, &[u8])) {
        while let Some(next) = self.client.next_wake().filter(|next| *next <= end) {
            self.now = next;
            let before = self.client.counters();
            let outputs = self.client.poll(self.now, &mut self.rng);
            let after = self.client.counters();
            let slots = |c: TrafficCounters| c.cover + c.real + c.retransmitted;
            let slots = slots(after) - slots(before);
            let loops = after.loops - before.loops;
            assert!(slots + loops <= 1, "it was woken for each");
            let stream = if slots == 1 { Stream::Slot } else { Stream::Loop };
            let mut packets = 0;
            for output in &outputs {
                if let Output::Send { to, packet } = output {
                    packets += 1;
                    assert_eq!(packet.len(), PROFILE.packet_bytes());
                    see(self, stream, *to, packet);
                    if outputs.iter().any(|output| matches!(output, Output::Sent { .. })) {
                        self.acknowledge(*to, packet);
                    }
                }
            }
            assert_eq!(packets, slots + loops, "nothing leaves beside the streams");
        }
        self.now = end;
    }

    fn acknowledge(&mut self, to: NodeAddress, packet: &[u8]) {
        if self.lost.is_some_and(|one_of| self.rng.random_range(..one_of) == 0) {
            return;
        }
        let journey = self.journey(to, packet.to_vec());
        assert_eq!(journey.destination, self.bob.client);
        let ack = self.ack_of(&journey);
        let outputs = self.client.deliver(self.now, &ack.identifier, &ack.payload);
        assert!(matches!(outputs[..], [Output::Acknowledged { .. }, ..]), "{outputs:?}");
    }
}

fn at(after: Duration) -> Time {
    Time::default() + after
}

/// When packets left, in seconds.
#[derive(Default)]
struct Departures(Vec<(f64, Stream)>);

impl Departures {
    fn record(&mut self, setting: &mut Setting, end: Time) {
        setting.run_until(end, |setting, stream, _, _| {
            let at = setting.now.saturating_since(Time::default());
            self.0.push((at.as_secs_f64(), stream));
        });
    }

    /// Times between packets, of one stream or of both.
    fn intervals(&self, of: Option<Stream>) -> Vec<f64> {
        let departures = self.0.iter().filter(|(_, stream)| of.is_none_or(|of| *stream == of));
        let times: Vec<f64> = departures.map(|(at, _)| *at).collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// How many left in each second.
    fn per_second(&self) -> Vec<f64> {
        (0..RUN.as_secs())
            .map(|second| {
                let until = |second: u64| {
                    let second = Duration::from_secs(second).as_secs_f64();
                    self.0.partition_point(|(at, _)| *at < second)
                };
                f64::from(u32::try_from(until(second + 1) - until(second)).expect("few"))
            })
            .collect()
    }

    /// Each stream by itself and both together are Poisson streams with their rates.
    fn assert_poisson(&self) {
        let (slot, loop_cover) = (RATES.slot.as_secs_f64(), RATES.loop_cover.as_secs_f64());
        let both = (slot.recip() + loop_cover.recip()).recip();
        for (of, mean) in
            [(Some(Stream::Slot), slot), (Some(Stream::Loop), loop_cover), (None, both)]
        {
            let distance = ks_exponential(&self.intervals(of), mean);
            assert!(distance < KS_CRITICAL, "{of:?}: {distance}");
        }
    }

    /// Nothing in these times tells them from those of a client that sends no message.
    fn assert_like_idle(&self) {
        let distance = ks_two_samples(&self.intervals(None), &IDLE.intervals(None));
        assert!(distance < KS_CRITICAL, "times between packets: {distance}");
        let distance = ks_two_samples(&self.per_second(), &IDLE.per_second());
        assert!(distance < KS_CRITICAL, "packets of a second: {distance}");
    }
}

/// A client that sends no message.
static IDLE: LazyLock<Departures> = LazyLock::new(|| {
    let mut departures = Departures::default();
    departures.record(&mut Setting::new(1), at(RUN));
    departures
});

#[test]
fn packets_leave_in_two_poisson_streams() {
    IDLE.assert_poisson();
}

#[test]
fn a_burst_of_messages_does_not_show_in_the_times() {
    let mut setting = Setting::new(2);
    let mut departures = Departures::default();
    departures.record(&mut setting, at(RUN / 10));
    let burst = 50;
    for _ in 0..burst {
        setting.send(vec![0; 50 * FRAGMENT_DATA_BYTES]);
    }
    departures.record(&mut setting, at(RUN));
    let counters = setting.client.counters();
    assert_eq!((counters.real, counters.queued), (50 * burst, 0), "half of the slots carry one");
    departures.assert_poisson();
    departures.assert_like_idle();
}

#[test]
fn a_steady_flow_of_messages_does_not_show_in_the_times_even_if_packets_get_lost() {
    let mut setting = Setting::new(3);
    setting.lost = Some(10);
    let mut departures = Departures::default();
    // Twenty a second, and two slots of five carry one.
    let each = Duration::from_millis(50);
    let mut next = each;
    while next < RUN {
        departures.record(&mut setting, at(next));
        setting.send(b"hello".to_vec());
        next += each;
    }
    departures.record(&mut setting, at(RUN));
    let counters = setting.client.counters();
    assert!(counters.real > 1900 && counters.retransmitted > 150, "{counters:?}");
    departures.assert_poisson();
    departures.assert_like_idle();
}

/// Of data, of acknowledgements and of reply blocks alike: they are built in three places.
#[test]
fn delays_are_exponential_and_every_way_is_as_likely_as_any_other() {
    let mut setting = Setting::new(4);
    let (mut data, mut acks) = (Vec::new(), Vec::new());
    setting.send(vec![0; 300 * FRAGMENT_DATA_BYTES]);
    while data.len() < JOURNEYS {
        let end = setting.now + Duration::from_secs(1);
        setting.run_until(end, |setting, _, to, packet| {
            let journey = setting.journey(to, packet.to_vec());
            acks.push(setting.ack_of(&journey));
            data.push(journey);
        });
    }
    let replies = reply_journeys(&mut setting);
    for (of, journeys) in [("data", &data), ("acks", &acks), ("replies", &replies)] {
        assert_delays(of, journeys);
        assert_ways(of, journeys);
    }
    // The way back has nothing to do with the way there.
    for layer in 0..usize::from(LAYERS) {
        let pair = |(there, back): (&Journey, &Journey)| [there.way[layer], back.way[layer]];
        let distance = chi_square(&tally::<9>(data.iter().zip(&acks).map(pair)));
        assert!(distance < CHI_SQUARE_8_CRITICAL, "there and back in layer {layer}: {distance}");
    }
}

/// What replies over the blocks that a client gives away would do.
fn reply_journeys(setting: &mut Setting) -> Vec<Journey> {
    let mut journeys = Vec::new();
    while journeys.len() < JOURNEYS {
        let composed = setting
            .client
            .compose(&mut setting.rng, Bytes::new(), MAX_REPLY_BLOCKS)
            .expect("there is room");
        let content = Content::decode(composed.kind, &composed.data).expect("own bytes");
        for block in content.reply_blocks {
            let packet = PacketBuilder::new(PROFILE).build_reply(&block, b"").expect("it fits");
            journeys.push(setting.journey(block.first_hop, packet));
        }
        setting.client.give_back(composed.room);
    }
    journeys
}

fn assert_delays(of: &str, journeys: &[Journey]) {
    let mean = RATES.hop_delay.as_secs_f64();
    let all: Vec<f64> = journeys.iter().flat_map(|journey| journey.delays.clone()).collect();
    let distance = ks_exponential(&all, mean);
    assert!(distance < KS_CRITICAL, "{of}: {distance}");
    // The shortest of several independent exponential times is one with that part of the mean.
    let shortest = |journey: &Journey| journey.delays.iter().copied().fold(f64::MAX, f64::min);
    let shortest: Vec<f64> = journeys.iter().map(shortest).collect();
    let distance = ks_exponential(&shortest, mean / f64::from(LAYERS));
    assert!(distance < KS_CRITICAL, "the shortest of {of}: {distance}");
}

fn assert_ways(of: &str, journeys: &[Journey]) {
    for layer in 0..usize::from(LAYERS) {
        let distance = chi_square(&tally::<3>(journeys.iter().map(|journey| [journey.way[layer]])));
        assert!(distance < CHI_SQUARE_2_CRITICAL, "layer {layer} of {of}: {distance}");
    }
    let distance = chi_square(&tally::<27>(journeys.iter().map(|journey| journey.way)));
    assert!(distance < CHI_SQUARE_26_CRITICAL, "ways of {of}: {distance}");
}

/// How often each choice was made, where each is one of [`WIDTH`] once or several times.
fn tally<const CHOICES: usize>(made: impl Iterator<Item = impl AsRef<[usize]>>) -> [f64; CHOICES] {
    let mut counts = [0.0; CHOICES];
    for choice in made {
        let number = choice.as_ref().iter().fold(0, |n, one| n * usize::from(WIDTH) + one);
        counts[number] += 1.0;
    }
    counts
}

/// What these tests stand on: they pass good samples, and fail others.
#[test]
fn the_critical_values_are_those_of_a_thousandth_and_other_samples_are_beyond_them() {
    let alpha = 0.001_f64;
    assert!((KS_CRITICAL - (-(alpha / 2.0).ln() / 2.0).sqrt()).abs() < 0.001);
    assert!((CHI_SQUARE_2_CRITICAL + 2.0 * alpha.ln()).abs() < 0.001);

    let mut rng = StdRng::seed_from_u64(5);
    let mut uniform = |n: usize| -> Vec<f64> { (0..n).map(|_| rng.random()).collect() };
    let exponential = |u: Vec<f64>| -> Vec<f64> { u.iter().map(|u| -(-u).ln_1p()).collect() };
    let (one, other) = (exponential(uniform(1000)), exponential(uniform(800)));
    assert!(ks_exponential(&one, 1.0) < KS_CRITICAL);
    assert!(ks_exponential(&one, 1.2) > KS_CRITICAL);
    assert!(ks_two_samples(&one, &other) < KS_CRITICAL);
    let longer: Vec<f64> = other.iter().map(|sample| sample * 1.5).collect();
    assert!(ks_two_samples(&one, &longer) > KS_CRITICAL);
    let twice: Vec<f64> = uniform(1000).iter().map(|u| 2.0 * u).collect();
    assert!(ks_exponential(&twice, 1.0) > KS_CRITICAL, "the mean alone is not enough");
    assert!(chi_square(&[1010.0, 990.0, 1000.0]) < CHI_SQUARE_2_CRITICAL);
    assert!(chi_square(&[1100.0, 900.0, 1000.0]) > CHI_SQUARE_2_CRITICAL);
}
