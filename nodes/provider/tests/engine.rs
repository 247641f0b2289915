//! The mixnet side of a provider: what it takes, what it gives up and why.

use std::net::SocketAddr;
use std::time::Duration;

use contract::{Event, PacketTrace, Time};
use provider::{DropReason, Parcel, Provider};
use rand::SeedableRng;
use rand::rngs::StdRng;
use runtime::{Received, Traces};
use sphinx::{
    Hop, HopProcessor, PacketBuilder, PrivateKey, ReplaySet, Route, print_of, recover_plaintext,
};
use wire::{
    ACK_HEADER_BYTES, HEADER_BYTES, NodeAddress, Plaintext, PublicKey, SEALED_BYTES, WireProfile,
};

const PROFILE: WireProfile = WireProfile::CURRENT;
const CLIENT: PublicKey = PublicKey::from_bytes([7; 32]);

struct Sender {
    processor: HopProcessor,
    builder: PacketBuilder,
    rng: StdRng,
}

impl Sender {
    fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let processor = HopProcessor::new(PrivateKey::random(&mut rng), PROFILE);
        Self { processor, builder: PacketBuilder::new(PROFILE), rng }
    }

    /// A packet whose first hop is the provider, as is each of the others.
    fn packet(&mut self, hops: usize, text: &str) -> Vec<u8> {
        self.packet_with(hops, text.as_bytes())
    }

    fn packet_with(&mut self, hops: usize, plaintext: &[u8]) -> Vec<u8> {
        let address = NodeAddress(SocketAddr::from(([127, 0, 0, 1], 1)));
        let hop = Hop { address, key: self.processor.public_key(), delay: Duration::ZERO };
        let route = Route { hops: vec![hop; hops] };
        let identifier = [plaintext.len().to_le_bytes()[0]; 16];
        let packet =
            self.builder.build_packet(&mut self.rng, &route, &CLIENT, &identifier, plaintext);
        packet.expect("a good route")
    }
}

fn received(t: Time, packets: impl IntoIterator<Item = Vec<u8>>) -> Vec<Received> {
    packets.into_iter().map(|packet| Received { t, packet }).collect()
}

fn texts(parcels: &[Parcel]) -> Vec<&[u8]> {
    parcels.iter().map(|p| recover_plaintext(&p.payload).expect("a data packet")).collect()
}

#[test]
fn a_batch_keeps_its_order_and_each_packet_that_is_given_up_has_its_reason() {
    let mut sender = Sender::new();
    let now = Time::from_nanos(5_000_000_000);
    let replays = Some(ReplaySet::new(Time::default()));
    let mut provider = Provider::new(sender.processor.clone(), replays);

    let first = sender.packet(1, "first");
    let mut batch = vec![
        first.clone(),
        sender.packet(2, "goes on"),
        first.clone(),
        sender.packet(1, "second!"),
        vec![0; PROFILE.packet_bytes()],
        vec![1; 9],
    ];
    let mut changed = sender.packet(1, "changed");
    changed[HEADER_BYTES - 1] ^= 1;
    batch.push(changed);
    // More than are unwrapped at once.
    let many: Vec<String> = (10..30).map(|length| "x".repeat(length)).collect();
    batch.extend(many.iter().map(|text| sender.packet(1, text)));

    let parcels = provider.take(now, received(now, batch));
    let mut expected: Vec<&[u8]> = vec![b"first", b"second!"];
    expected.extend(many.iter().map(String::as_bytes));
    assert_eq!(texts(&parcels), expected);
    assert!(parcels.iter().all(|p| p.client == CLIENT && p.payload.len() == PROFILE.payload_bytes));
    assert_eq!(parcels[1].identifier, [7; 16]);

    assert_eq!(
        texts(&provider.take(now, received(now, [first]))),
        [b""; 0],
        "nor in a later batch"
    );
    let counters = provider.counters();
    assert_eq!(counters.received, 28);
    let dropped: Vec<(DropReason, u64)> =
        counters.dropped.iter().map(|(reason, count)| (*reason, *count)).collect();
    assert_eq!(
        dropped,
        [
            (DropReason::Malformed, 1),
            (DropReason::Mac, 2),
            (DropReason::Replay, 2),
            (DropReason::ForwardHop, 1)
        ]
    );
    assert_eq!(provider.replay_window(now), Some(Duration::from_secs(5)));
}

#[test]
fn without_a_replay_set_a_packet_is_taken_as_often_as_it_comes() {
    let mut sender = Sender::new();
    let mut provider = Provider::new(sender.processor.clone(), None);
    let packet = sender.packet(1, "again");
    let parcels =
        provider.take(Time::default(), received(Time::default(), [packet.clone(), packet]));
    assert_eq!(texts(&parcels), [b"again", b"again"]);
    assert!(provider.counters().dropped.is_empty());
    assert_eq!(provider.replay_window(Time::default()), None);
}

/// Every reason for which a provider gives a packet up has its word, and the print of what came.
#[test]
fn what_is_given_up_is_told_where_tracing_is_on() {
    let mut sender = Sender::new();
    let came = Time::from_nanos(4_000_000_000);
    let now = Time::from_nanos(5_000_000_000);
    let traces = Traces::default();
    let replays = Some(ReplaySet::new(Time::default()));
    let mut provider =
        Provider::new(sender.processor.clone(), replays).tracing(Some(traces.clone()));
    // Its acknowledgement would go where no mixnode is.
    let plaintext = Plaintext {
        ack_header: [5; ACK_HEADER_BYTES],
        ack_first_hop: Some(NodeAddress(SocketAddr::from(([127, 0, 0, 1], 9)))),
        sealed: vec![1; SEALED_BYTES],
    };
    let good = sender.packet_with(1, &plaintext.encode());
    let forward = sender.packet(2, "goes on");
    let mut changed = sender.packet(1, "changed");
    changed[HEADER_BYTES - 1] ^= 1;
    let batch = [good.clone(), good.clone(), forward.clone(), changed.clone(), vec![1; 9]];
    let parcels = provider.take(now, received(came, batch));
    let [parcel] = &parcels[..] else { panic!("one is good: {parcels:?}") };
    provider.not_stored(now, parcel, DropReason::MailboxFull);
    assert_eq!(provider.stored(now, &mut sender.rng, parcel), None);

    let dropped = |packet: &[u8], reason: &str| PacketTrace::Dropped {
        t: now,
        before: print_of(packet),
        reason: reason.into(),
    };
    let expected = [
        dropped(&good, "replay"),
        dropped(&forward, "forward-hop"),
        dropped(&changed, "mac"),
        dropped(&[1; 9], "malformed"),
        dropped(&good, "mailbox-full"),
        dropped(&[5; ACK_HEADER_BYTES], "ack-hop"),
        PacketTrace::Kept {
            came,
            stored: now,
            before: print_of(&good),
            client: CLIENT.to_string(),
            ack: None,
            noise: None,
        },
    ];
    assert_eq!(traces.take(), Some(Event::Packets { packets: expected.into(), lost: 0 }));
}
