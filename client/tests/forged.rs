//! What a client takes for its own cover: only what it sealed itself. The provider hands over any
//! payload that it likes.

use std::time::Duration;

use client::{Client, Output, Settings};
use contract::{Rates, Time};
use rand::SeedableRng;
use rand::rngs::StdRng;
use sphinx::{PacketBuilder, PrivateKey, seal};
use wire::{ACK_HEADER_BYTES, Fragment, Kind, MessageId, Plaintext, WireProfile};

const PROFILE: WireProfile = WireProfile::CURRENT;

/// What is sealed to a client.
const PURPOSE: &[u8] = b"nym-devnet packet 1";

/// A payload as Sphinx leaves it: zeros, the plaintext, a one, zeros.
fn payload(sealed: Vec<u8>) -> Vec<u8> {
    let ack_header = [7; ACK_HEADER_BYTES];
    let mut payload = vec![0; 16];
    payload.extend(Plaintext { ack_header, ack_first_hop: None, sealed }.encode());
    payload.push(1);
    payload.resize(PROFILE.payload_bytes, 0);
    payload
}

#[test]
fn cover_that_others_make_is_none() {
    let rng = &mut StdRng::seed_from_u64(1);
    let key = PrivateKey::random(rng);
    let second = Duration::from_secs(1);
    let rates = Rates { hop_delay: second, slot: second, loop_cover: second, slot_cover: true };
    let settings = Settings { rates, layers: 3, acks: true };
    let provider = PrivateKey::random(rng).public();
    let mut client = Client::new(key.clone(), provider, settings, PacketBuilder::new(PROFILE));
    let content = |kind| {
        let data = Vec::new();
        Fragment { kind, message: MessageId([1; 16]), index: 0, count: 1, data }.encode()
    };
    let mut deliver = |sealed| client.deliver(Time::default(), &[2; 16], &payload(sealed));

    let message = seal(rng, &key.public(), PURPOSE, &content(Kind::Message)).expect("a key");
    assert!(matches!(deliver(message)[..], [Output::Received { .. }]));
    let forged = seal(rng, &key.public(), PURPOSE, &content(Kind::LoopCover)).expect("a key");
    assert!(deliver(forged).is_empty());
    let of_another = PrivateKey::random(rng).own_seal().seal(rng, &content(Kind::LoopCover));
    assert!(deliver(of_another).is_empty());
    let own = key.own_seal().seal(rng, &content(Kind::LoopCover));
    assert!(deliver(own).is_empty());

    assert_eq!(client.counters().loops_returned, 1, "its own");
    assert_eq!(client.dropped().get("malformed"), Some(&2), "the others");
}
