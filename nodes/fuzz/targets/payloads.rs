//! What stands inside of packets: addresses, plaintexts, fragments. The first byte says which. What
//! is accepted is written again as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{
    ADDRESS_BYTES, Fragment, INNER_BYTES, NodeAddress, PADDED_ADDRESS_BYTES, PLAINTEXT_BYTES,
    Plaintext,
};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 4 {
        0 => check_address(bytes),
        1 => check_plaintext(bytes),
        // An input has not to guess the one length that there is.
        2 => check_plaintext(&with_length(bytes, PLAINTEXT_BYTES)),
        _ => {
            check_fragment(bytes);
            check_fragment(&with_length(bytes, INNER_BYTES));
        }
    }
});

fn with_length(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(length, 0);
    bytes
}

fn check_address(bytes: &[u8]) {
    let whole = NodeAddress::decode(bytes);
    let Ok((address, rest)) = NodeAddress::split_from(bytes) else {
        assert!(whole.is_err(), "{whole:?}");
        return;
    };
    let written = address.encode_unpadded();
    assert_eq!([&written, rest].concat(), bytes);
    assert_eq!(whole.is_ok(), rest.iter().all(|byte| *byte == 0));
    assert_eq!(NodeAddress::decode(&address.encode::<ADDRESS_BYTES>()), Ok(address));
    assert_eq!(NodeAddress::decode(&address.encode::<PADDED_ADDRESS_BYTES>()), Ok(address));
}

fn check_plaintext(bytes: &[u8]) {
    if let Ok(plaintext) = Plaintext::decode(bytes) {
        assert_eq!(plaintext.encode(), bytes);
    }
}

fn check_fragment(bytes: &[u8]) {
    if let Ok(fragment) = Fragment::decode(bytes) {
        assert_eq!(fragment.encode(), bytes);
    }
}
