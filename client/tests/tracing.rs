//! What nodes tell of packets where tracing is on: real packets go through the engines of a client, two
//! mixnodes in each of three layers and a provider, on virtual time, and their prints show their way.

mod records;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use client::{Client, Output, Settings, SkipError, Skipping};
use contract::{Event, PacketTrace, Print, Rates, SentTrace, Time, Transits};
use directory_api::Topology;
use mixnode::{Mixnode, Replays};
use provider::{Mailbox, Protocol, Provider};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use runtime::{FrameStore, Network, Received, Traces};
use sphinx::{HopProcessor, PacketBuilder, PrivateKey, print_of};
use wire::{ClientAddress, HEADER_BYTES, MessageId, NodeAddress, WireProfile};

const PROFILE: WireProfile = WireProfile::CURRENT;

const RATES: Rates = Rates {
    hop_delay: Duration::from_millis(20),
    slot: Duration::from_millis(50),
    loop_cover: Duration::from_millis(100),
    slot_cover: true,
};

const LAYERS: u8 = 3;
const WIDTH: u16 = 2;

/// What a link takes.
const LATENCY: Duration = Duration::from_micros(100);

/// When everything begins: nobody's clock stands at zero.
const BEGIN: Time = Time::from_nanos(7_000_000_000);

/// When a packet arrives, its number, where, and its bytes.
type Arrival = (Time, u64, SocketAddr, Vec<u8>);

struct Mix {
    engine: Mixnode,
    frames: FrameStore,
    traces: Option<Traces>,
}

/// What a client told, and when.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Sent {
        message: MessageId,
        attempt: u32,
        route: Vec<NodeAddress>,
        trace: Option<Box<SentTrace>>,
    },
    Acknowledged {
        message: MessageId,
        attempt: u32,
    },
}

/// A network, and a client that sends to itself.
struct Setting {
    now: Time,
    mixnodes: BTreeMap<SocketAddr, Mix>,
    provider: Provider,
    provider_at: SocketAddr,
    mailbox: Mailbox,
    key: PrivateKey,
    client: Client,
    traces: Option<Traces>,
    network: Arc<Network>,
    rng: StdRng,
    underway: BinaryHeap<Reverse<Arrival>>,
    sequence: u64,
    /// Whether links lose everything.
    loses_all: bool,
    /// Whether links change a bit of each payload.
    damages_all: bool,
    /// Number of the last packet that the client has.
    delivered: u64,
    /// When packets left the client.
    left: BTreeMap<Print, Time>,
    told: Vec<Told>,
    /// By node; under the provider's address what it and the client told.
    packets: BTreeMap<SocketAddr, Vec<PacketTrace>>,
}

impl Setting {
    fn new(tracing: bool) -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let traces = || tracing.then(Traces::default);
        let mut mixnodes = BTreeMap::new();
        let mut present = Vec::new();
        for layer in 1..=LAYERS {
            for index in 0..WIDTH {
                let processor = HopProcessor::new(PrivateKey::random(&mut rng), PROFILE);
                let port = u16::from(layer) * 100 + index;
                present.push(records::mixnode(port, layer.into(), processor.public_key()));
                let traces = traces();
                let engine = Mixnode::new(processor, layer, LAYERS, Some(Replays::new(BEGIN)));
                let engine = engine.tracing(traces.clone());
                let mix = Mix { engine, frames: FrameStore::new(PROFILE), traces };
                mixnodes.insert(records::address(port).0, mix);
            }
        }
        let processor = HopProcessor::new(PrivateKey::random(&mut rng), PROFILE);
        let provider_key = processor.public_key();
        let gateway_nodes = vec![records::provider(4000, provider_key)];
        let topology = Topology { mix_nodes: present, gateway_nodes, ..Topology::default() };
        let network = Arc::new(Network::from_topology(&topology));
        let traces = traces();
        let mut provider = Provider::new(processor, None).tracing(traces.clone());
        provider.set_network(BEGIN, &network);
        for mix in mixnodes.values_mut() {
            mix.engine.set_network(BEGIN, &network);
        }
        let key = PrivateKey::random(&mut rng);
        let mut mailbox = Mailbox::in_memory().expect("a mailbox");
        mailbox.register(&key.public(), Protocol::V1).expect("registers");
        let client = client(&key, &provider_key_of(&network), &network, BEGIN, traces.clone());
        Self {
            now: BEGIN,
            mixnodes,
            provider,
            provider_at: records::address(4000).0,
            mailbox,
            key,
            client,
            traces,
            network,
            rng,
            underway: BinaryHeap::new(),
            sequence: 0,
            loses_all: false,
            damages_all: false,
            delivered: 0,
            left: BTreeMap::new(),
            told: Vec::new(),
            packets: BTreeMap::new(),
        }
    }

    fn transmit(&mut self, to: SocketAddr, packet: Vec<u8>) {
        self.sequence += 1;
        self.underway.push(Reverse((self.now + LATENCY, self.sequence, to, packet)));
    }

    /// Lets everything happen for so long.
    fn run(&mut self, how_long: Duration) {
        let end = self.now + how_long;
        loop {
            let outputs = self.client.poll(self.now, &mut self.rng);
            self.carry_out(outputs);
            let wakes = self.mixnodes.values().filter_map(|mix| mix.engine.next_wake());
            let arrives = self.underway.peek().map(|Reverse((time, ..))| *time);
            let next = wakes.chain(arrives).chain(self.client.next_wake()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = next.max(self.now);
            self.step();
        }
        self.now = end;
        self.collect();
    }

    /// Everything that is due at mixnodes and on links.
    fn step(&mut self) {
        while let Some(Reverse((time, ..))) = self.underway.peek()
            && *time <= self.now
        {
            let Some(Reverse((_, _, to, mut packet))) = self.underway.pop() else { break };
            packet[HEADER_BYTES] ^= u8::from(self.damages_all);
            if !self.loses_all {
                self.arrive(to, packet);
            }
        }
        let mut forwards = Vec::new();
        for mix in self.mixnodes.values_mut() {
            while let Some(departure) = mix.engine.next_departure(self.now, &mut mix.frames) {
                let packet = mix.frames.bytes(&departure.frame)[1..].to_vec();
                mix.frames.release(departure.frame);
                assert_eq!(departure.passing.is_some(), mix.traces.is_some());
                if let (Some(passing), Some(traces)) = (departure.passing, &mix.traces) {
                    traces.push(passing.left(self.now, departure.to.0));
                }
                forwards.push((departure.to.0, packet));
            }
            // There is no newer view of the network.
            mix.engine.wants_topology(self.now);
        }
        for (to, packet) in forwards {
            self.transmit(to, packet);
        }
    }

    fn arrive(&mut self, to: SocketAddr, mut packet: Vec<u8>) {
        if let Some(mix) = self.mixnodes.get_mut(&to) {
            return mix.engine.take(self.now, &mut [&mut packet], &mut mix.frames);
        }
        let parcels = self.provider.take(self.now, vec![Received { t: self.now, packet }]);
        self.mailbox.store(&parcels).expect("stores");
        for parcel in &parcels {
            if let Some(ack) = self.provider.stored(self.now, &mut self.rng, parcel) {
                self.transmit(ack.to.0, ack.packet);
            }
        }
        let waiting = self.mailbox.waiting(&self.key.public(), self.delivered, 9).expect("reads");
        for delivery in waiting {
            self.delivered = delivery.number;
            let outputs = self.client.deliver(self.now, &delivery.identifier, &delivery.payload);
            self.carry_out(outputs);
        }
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { to, packet } => {
                    self.left.insert(print_of(&packet), self.now);
                    self.transmit(to.0, packet);
                }
                Output::Sent { message, attempt, route, trace, .. } => {
                    self.told.push(Told::Sent { message, attempt, route, trace });
                }
                Output::Acknowledged { message, attempt, .. } => {
                    self.told.push(Told::Acknowledged { message, attempt });
                }
                _ => {}
            }
        }
    }

    /// Takes what nodes have to tell.
    fn collect(&mut self) {
        let of_mixnodes = self.mixnodes.iter().map(|(at, mix)| (*at, mix.traces.as_ref()));
        let all = of_mixnodes.chain([(self.provider_at, self.traces.as_ref())]);
        for (at, traces) in all {
            if let Some(Event::Packets { packets, lost }) = traces.and_then(Traces::take) {
                assert_eq!(lost, 0);
                self.packets.entry(at).or_default().extend(packets);
            }
        }
    }

    /// What a mixnode told of the packet that came with this print.
    fn passed(&self, at: SocketAddr, print: Print) -> &PacketTrace {
        let is = |trace: &&PacketTrace| matches!(trace, PacketTrace::Passed { before, .. } if *before == print);
        let mut found = self.packets[&at].iter().filter(is);
        let trace = found.next().unwrap_or_else(|| panic!("{at} knows nothing of {print}"));
        assert_eq!(found.next(), None, "told once");
        trace
    }

    /// Follows a packet by its print over these nodes to the provider; returns what that told of it.
    fn follow(
        &self,
        mut print: Print,
        left: Time,
        route: &[SocketAddr],
        asked: &[u64],
    ) -> &PacketTrace {
        assert_eq!((route.len(), asked.len()), (4, 4), "three mixnodes and a provider");
        assert_eq!((route[3], asked[3]), (self.provider_at, 0));
        let mut left_before = left;
        for (hop, asked_here) in route[..3].iter().zip(asked) {
            let PacketTrace::Passed { came, left, asked_us, before, after, to, pool } =
                self.passed(*hop, print)
            else {
                unreachable!("passed() gives no others")
            };
            assert_eq!(*came, left_before + LATENCY, "at {hop}");
            assert_eq!((asked_us, *before), (asked_here, print));
            let waited = left.saturating_since(*came);
            assert_eq!(u64::try_from(waited.as_micros()).expect("short"), *asked_us);
            assert!(usize::try_from(*pool).expect("few") < self.packets[hop].len());
            assert_ne!(after.first, before.first, "nobody knows it again");
            let next = route.iter().skip_while(|at| *at != hop).nth(1).expect("not the last");
            assert_eq!(*to, next.to_string());
            (print, left_before) = (*after, *left);
        }
        let kept = self.packets[&self.provider_at]
            .iter()
            .find(|trace| matches!(trace, PacketTrace::Kept { before, .. } if *before == print));
        let kept = kept.expect("the provider kept it");
        let PacketTrace::Kept { came, .. } = kept else { unreachable!("found as such") };
        assert_eq!(*came, left_before + LATENCY);
        kept
    }
}

fn provider_key_of(network: &Network) -> wire::PublicKey {
    network.providers()[0].key
}

fn client(
    key: &PrivateKey,
    provider: &wire::PublicKey,
    network: &Arc<Network>,
    now: Time,
    traces: Option<Traces>,
) -> Client {
    let settings = Settings { rates: RATES, layers: LAYERS, acks: true };
    let client = Client::new(key.clone(), *provider, settings, PacketBuilder::new(PROFILE));
    let mut client = client.tracing(traces);
    client.set_network(Arc::clone(network));
    client.set_online(now, true);
    client
}

fn addresses(hops: &[String]) -> Vec<SocketAddr> {
    hops.iter().map(|hop| hop.parse().expect("an address")).collect()
}

#[test]
fn a_message_can_be_followed_to_its_recipient_and_its_acknowledgement_back() {
    let mut setting = Setting::new(true);
    setting.run(Duration::from_secs(1));
    let to: ClientAddress = setting.client.address();
    let text = b"to myself".as_slice().into();
    let (message, _) =
        setting.client.send(setting.now, &mut setting.rng, to, text).expect("accepted");
    setting.run(Duration::from_secs(4));

    let [
        Told::Sent { message: sent, attempt: 1, route, trace: Some(trace) },
        Told::Acknowledged { message: acknowledged, attempt: 1 },
    ] = &setting.told[..]
    else {
        panic!("not sent once and acknowledged: {:?}", setting.told)
    };
    assert_eq!((*sent, *acknowledged), (message, message));
    let route: Vec<SocketAddr> = route.iter().map(|hop| hop.0).collect();
    let left = setting.left[&trace.packet];
    let kept = setting.follow(trace.packet, left, &route, &trace.asked_us);
    let PacketTrace::Kept { stored, client, ack: Some(ack), .. } = kept else {
        panic!("kept, and not acknowledged: {kept:?}")
    };
    assert_eq!(*client, setting.key.public().to_string());

    let plan = trace.ack.as_ref().expect("packets are acknowledged");
    assert_eq!(plan.packet, ack.packet, "who sends knows how the acknowledgement looks");
    assert!(ack.t >= *stored);
    assert_eq!(ack.to, plan.route[0]);
    let back = setting.follow(ack.packet, ack.t, &addresses(&plan.route), &plan.asked_us);
    assert!(matches!(back, PacketTrace::Kept { ack: None, .. }), "{back:?}");

    let opened = setting.packets[&setting.provider_at].iter();
    let opened: Vec<_> =
        opened.filter(|trace| matches!(trace, PacketTrace::Opened { .. })).collect();
    let expected = PacketTrace::Opened { t: *stored, message: message.to_string(), fragment: 0 };
    assert_eq!(opened, [&expected], "cover is nobody's message");
}

#[test]
fn without_tracing_nothing_is_told() {
    let mut setting = Setting::new(false);
    setting.run(Duration::from_secs(1));
    let to = setting.client.address();
    let text = b"to myself".as_slice().into();
    setting.client.send(setting.now, &mut setting.rng, to, text).expect("accepted");
    setting.run(Duration::from_secs(4));
    let [Told::Sent { trace: None, .. }, Told::Acknowledged { .. }] = &setting.told[..] else {
        panic!("{:?}", setting.told)
    };
    assert!(setting.packets.is_empty());
}

#[test]
fn an_acknowledgement_says_which_attempt_it_is_for() {
    let mut setting = Setting::new(true);
    setting.run(Duration::from_secs(1));
    let to = setting.client.address();
    let text = b"to myself".as_slice().into();
    setting.client.send(setting.now, &mut setting.rng, to, text).expect("accepted");
    while setting.told.is_empty() {
        setting.run(Duration::from_millis(1));
    }
    setting.loses_all = true;
    // Not as long as an acknowledgement is waited for.
    setting.run(Duration::from_secs(1));
    setting.loses_all = false;
    setting.run(Duration::from_secs(5));
    let attempts: Vec<(u32, bool)> = setting
        .told
        .iter()
        .map(|told| match told {
            Told::Sent { attempt, .. } => (*attempt, false),
            Told::Acknowledged { attempt, .. } => (*attempt, true),
        })
        .collect();
    assert_eq!(attempts, [(1, false), (2, false), (2, true)]);
}

/// Cover that came back, by the prints of its packets: how long each took.
fn transits_by_prints(setting: &Setting) -> Transits {
    let (mut passed, mut kept) = (BTreeMap::new(), BTreeMap::new());
    for trace in setting.packets.values().flatten() {
        match trace {
            PacketTrace::Passed { before, after, asked_us, .. } => {
                passed.insert(*before, (*after, *asked_us));
            }
            PacketTrace::Kept { before, stored, .. } => drop(kept.insert(*before, *stored)),
            _ => {}
        }
    }
    let mut transits = Transits::default();
    for (first, left) in &setting.left {
        let (mut print, mut asked) = (*first, 0);
        while let Some((after, asked_here)) = passed.get(&print) {
            print = *after;
            asked += asked_here;
        }
        // A probe asks for nothing, and is not counted.
        if let Some(kept) = kept.get(&print).filter(|_| asked > 0) {
            transits.add(kept.saturating_since(*left));
        }
    }
    transits
}

#[test]
fn cover_tells_how_long_it_took() {
    let mut setting = Setting::new(true);
    for _ in 0..60 {
        setting.run(Duration::from_millis(500));
    }
    let counted = setting.client.take_transits();
    assert_eq!(counted.total(), setting.client.counters().loops_returned);
    assert!(counted.total() > 500, "{counted:?}");
    assert_eq!(counted, transits_by_prints(&setting));
    assert_eq!(setting.client.take_transits(), Transits::default(), "each is told once");
}

#[test]
fn cover_of_a_former_process_is_not_counted() {
    let mut setting = Setting::new(false);
    setting.run(Duration::from_secs(2));
    assert!(setting.client.take_transits().total() > 0);
    let provider = provider_key_of(&setting.network);
    // Cover is underway, and the next process has the same key.
    let underway = setting.mixnodes.values().map(|mix| mix.engine.pool()).sum::<usize>();
    assert!(underway > 0, "a seed with which nothing is underway shows nothing");
    setting.client = client(&setting.key, &provider, &setting.network, setting.now, None);
    setting.run(Duration::from_secs(2));
    let returned = setting.client.counters().loops_returned;
    let counted = setting.client.take_transits().total();
    assert!(0 < counted && counted < returned, "{counted} of {returned}");
}

#[test]
fn what_came_of_noise_is_told_by_its_identifier() {
    let mut setting = Setting::new(true);
    setting.run(Duration::from_secs(2));
    let told = |setting: &Setting| {
        let (mut kept, mut noise) = (Vec::new(), BTreeMap::new());
        for trace in setting.packets.get(&setting.provider_at).into_iter().flatten() {
            match trace {
                PacketTrace::Kept { noise: Some(identifier), ack, .. } => {
                    assert_eq!(*ack, None);
                    kept.push(identifier.clone());
                }
                PacketTrace::Noise { identifier, dropped, .. } => {
                    let before = noise.insert(identifier.clone(), dropped.clone());
                    assert_eq!(before, None, "once");
                }
                _ => {}
            }
        }
        assert!(kept.iter().all(|identifier| noise.contains_key(identifier)));
        assert_eq!(kept.len(), noise.len());
        noise.into_values().collect::<Vec<_>>()
    };
    let good = told(&setting);
    assert!(good.len() > 20 && good.iter().all(Option::is_none), "acknowledgements: {good:?}");

    setting.damages_all = true;
    setting.run(Duration::from_secs(2));
    let damaged = told(&setting);
    let dropped = damaged.iter().flatten();
    assert!(dropped.clone().all(|reason| reason == "unknown-ack"));
    let counted = setting.client.dropped()["unknown-ack"];
    assert_eq!(dropped.count() as u64, counted);
    // Those that were on their way back came back: noise cannot be damaged.
    assert!(counted > 20 && damaged.len() as u64 - counted > good.len() as u64);
}

#[test]
fn a_packet_that_leaves_out_a_layer_is_refused_by_the_mixnode_in_front_of_it() {
    let mut setting = Setting::new(true);
    let Setting { client, rng, now, .. } = &mut setting;
    let waiting = client.skip(*now, rng, 2).expect_err("the probe is not back");
    assert!(matches!(waiting, SkipError::NoWay(_)), "{waiting}");
    setting.run(Duration::from_secs(1));
    for layer in [0, LAYERS + 1] {
        let Setting { client, rng, now, .. } = &mut setting;
        let refused = client.skip(*now, rng, layer).expect_err("no such layer");
        assert_eq!(refused, SkipError::NoSuchLayer { layer, layers: LAYERS });
    }
    for layer in 1..=LAYERS {
        let Setting { client, rng, now, .. } = &mut setting;
        let Skipping { send, packet, route } = client.skip(*now, rng, layer).expect("a route");
        assert!(matches!(&send, Output::Send { to, packet: bytes }
            if *to == route[0] && print_of(bytes) == packet));
        let layers: Vec<u16> = route.iter().map(|hop| hop.0.port() / 100).collect();
        let others = (1..=u16::from(LAYERS)).filter(|other| *other != u16::from(layer));
        assert_eq!(layers, others.chain([40]).collect::<Vec<_>>());
        let returned = setting.client.counters().loops_returned;
        setting.carry_out(vec![send]);
        setting.run(Duration::from_secs(3));
        assert!(setting.client.counters().loops_returned > returned, "the network goes on");
        let mut print = packet;
        for hop in &route[..usize::from(layer).saturating_sub(2)] {
            let PacketTrace::Passed { after, .. } = setting.passed(hop.0, print) else {
                unreachable!("passed() gives no others")
            };
            print = *after;
        }
        let Some(refuses) = usize::from(layer).checked_sub(2) else {
            // Nobody stands in front of the first layer.
            setting.passed(route[0].0, print);
            continue;
        };
        let dropped = |trace: &PacketTrace| {
            matches!(trace, PacketTrace::Dropped { before, reason, .. }
                if *before == print && reason == "unknown-hop")
        };
        assert!(setting.packets[&route[refuses].0].iter().any(dropped), "layer {layer}");
    }
}
