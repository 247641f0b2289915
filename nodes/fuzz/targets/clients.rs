//! What a client and its provider say, in the three protocols: the first byte says which message.
//! What is accepted is written again as it was.

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::{
    ClientAddress, ClientMessage, DUMMY_ENTRY, Delivery, Forward, GatewayAnswer, GatewayRequest,
    MAX_CONFIRMATIONS, PULL_BYTES, ProviderMessage, PublicKey, PullRequest, REGISTER_BYTES,
    WireProfile, confirmation, confirmed, decode_address, decode_base58, decode_pull_answer,
    decode_token, encode_base58, encode_pull_answer,
};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    let text = str::from_utf8(bytes);
    match (kind % 8, text) {
        (0, _) => check_pull_request(bytes),
        (1, _) => check_pull_answer(bytes),
        (2, _) => check_forward(bytes),
        (3, _) => check_delivery(bytes),
        (4, _) => check_confirmation(bytes),
        (5, Ok(text)) => check_gateway_texts(text),
        (6, Ok(text)) => {
            check_json::<ClientMessage>(text);
            check_json::<ProviderMessage>(text);
        }
        (7, Ok(text)) => check_keys(text),
        _ => {}
    }
});

/// However a request is cut, it is whole with its last byte and not before.
fn check_pull_request(bytes: &[u8]) {
    match PullRequest::decode(bytes) {
        Ok(Some(request)) => {
            assert_eq!(request.encode(), bytes);
            for cut in 0..bytes.len() {
                assert!(matches!(PullRequest::decode(&bytes[..cut]), Ok(None)), "cut at {cut}");
            }
        }
        Ok(None) => assert!(bytes.len() < PULL_BYTES),
        Err(_) => {
            // Nothing that follows makes it a request.
            let longer = [bytes, &[0; REGISTER_BYTES]].concat();
            assert!(PullRequest::decode(&longer).is_err());
        }
    }
}

fn check_pull_answer(bytes: &[u8]) {
    let Ok(entries) = decode_pull_answer(bytes) else { return };
    assert!(entries.iter().map(|entry| 2 + entry.len()).sum::<usize>() + 2 <= bytes.len());
    let payload = WireProfile::CURRENT.payload_bytes;
    let payloads: Vec<&[u8]> = entries.into_iter().filter(|e| e.len() <= payload).collect();
    for pad in [false, true] {
        let written = encode_pull_answer(&payloads, pad);
        let read = decode_pull_answer(&written).expect("what was written can be read");
        let expected = payloads.iter().copied().chain(std::iter::repeat(DUMMY_ENTRY));
        assert!(read.iter().copied().eq(expected.take(read.len())));
    }
}

fn check_forward(bytes: &[u8]) {
    // The first byte is the payload's length, so that short inputs are packets too.
    let Some((length, bytes)) = bytes.split_first() else { return };
    let profile = WireProfile { payload_bytes: usize::from(*length), ..WireProfile::CURRENT };
    if let Ok(forward) = Forward::decode(profile, bytes) {
        assert_eq!(forward.packet.len(), profile.packet_bytes());
        assert_eq!(forward.encode(), bytes);
    }
}

fn check_delivery(bytes: &[u8]) {
    if let Ok(delivery) = Delivery::decode(bytes) {
        assert_eq!(delivery.encode(), bytes);
    }
}

fn check_confirmation(bytes: &[u8]) {
    if let Ok(numbers) = confirmed(bytes) {
        assert!((1..=MAX_CONFIRMATIONS).contains(&numbers.len()));
        assert_eq!(confirmation(&numbers), bytes);
    }
}

fn check_gateway_texts(text: &str) {
    check_json::<GatewayAnswer>(text);
    let Ok(request) = GatewayRequest::decode(text) else { return };
    let written = serde_json::to_string(&request).expect("a request is JSON");
    assert_eq!(GatewayRequest::decode(&written), Ok(request.clone()));
    let (GatewayRequest::Register { address } | GatewayRequest::Authenticate { address, .. }) =
        &request;
    if let Ok(key) = decode_address(address) {
        assert_eq!(key.to_string(), *address);
    }
    if let GatewayRequest::Authenticate { token, .. } = &request
        && let Ok(decoded) = decode_token(token)
    {
        assert_eq!(encode_base58(&decoded.0), *token);
    }
}

fn check_json<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) {
    let Ok(value) = serde_json::from_str::<T>(text) else { return };
    let written = serde_json::to_string(&value).expect("what was JSON can be written");
    let read: T = serde_json::from_str(&written).expect("what was written can be read");
    assert_eq!(read, value, "{written}");
}

fn check_keys(text: &str) {
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(address) = text.parse::<ClientAddress>() {
        assert_eq!(address.to_string(), text);
    }
    if let Some(bytes) = decode_base58(text) {
        assert_eq!(encode_base58(&bytes), text);
    }
}
