//! What a sender and a hop both derive from the point that they share, and the ciphers that the keys
//! are for. All formats are those of `sphinx-packet` 0.8.

use aes::Aes128;
use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use chacha20::ChaCha20;
use ctr::Ctr64BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use lioness_rs::Lioness;
use sha2::Sha256;
use wire::{PAYLOAD_SEED_BYTES, PayloadSeed};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a point of the curve in a header.
pub(crate) const POINT_BYTES: usize = 32;

/// Bytes of a MAC: HMAC-SHA256, truncated.
pub(crate) const MAC_BYTES: usize = 16;

/// Bytes of one hop's routing information: flag 1, version 3, address 32, delay 8, the next MAC 16.
pub(crate) const SLOT_BYTES: usize = 60;

/// Bytes of the routing information of all hops.
pub(crate) const ROUTING_BYTES: usize = SLOT_BYTES * crate::MAX_HOPS;

/// Bytes of the stream that hides routing information: one slot more, for what moves up when a hop
/// takes its own slot off.
pub(crate) const STREAM_BYTES: usize = ROUTING_BYTES + SLOT_BYTES;

/// The flag of routing information that leads on, and of that which ends here.
pub(crate) const FORWARD_FLAG: u8 = 1;
pub(crate) const FINAL_FLAG: u8 = 2;

/// The version that is written: payload keys come out of a seed.
pub(crate) const VERSION: u16 = 260;

/// An earlier version, which packets of `sphinx-packet` 0.6 carry and which means the same to a hop.
const SEEDED_VERSION: u16 = 259;

/// A version whose payload key is used as it was derived, without a seed.
const FULL_KEY_VERSION: u16 = 258;

/// Bytes of the key of the payload's cipher.
const PAYLOAD_KEY_BYTES: usize = 192;

const EXPANDED_BYTES: usize = 16 + 16 + PAYLOAD_KEY_BYTES + 32 + 32;

const EXPAND_INFO: &[u8] =
    b"Dwste mou enan moxlo arketa makru kai ena upomoxlio gia na ton topothetisw kai tha kinisw thn gh.";
const PAYLOAD_SALT: &[u8] = b"sphinx-payload-key-V01-CS01-HKDF:SHA256-SALT";
const PAYLOAD_INFO: &[u8] = b"sphinx-payload-key-V01-CS01-HKDF:SHA256-INFO";

/// What tells that a packet came before: half of what is derived for it, which is as unlikely to meet
/// another packet's as a MAC is to be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplayTag(pub [u8; 16]);

/// The keys of one hop for one packet. Erased when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct HopKeys([u8; EXPANDED_BYTES]);

impl HopKeys {
    /// Derives them from the shared point.
    pub(crate) fn expand(shared: &[u8; POINT_BYTES]) -> Self {
        let mut expanded = [0; EXPANDED_BYTES];
        Hkdf::<Sha256>::new(None, shared)
            .expand(EXPAND_INFO, &mut expanded)
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        Self(expanded)
    }

    /// A part of what was derived.
    fn part<const BEGIN: usize, const BYTES: usize>(&self) -> &[u8; BYTES] {
        const { assert!(BEGIN + BYTES <= EXPANDED_BYTES) };
        self.0[BEGIN..].first_chunk().expect("it was just compared")
    }

    /// The scalar that makes the next hop's point out of this one's. To be clamped when it is used.
    pub(crate) fn blinding(&self) -> &[u8; 32] {
        self.part::<224, 32>()
    }

    /// What tells that the packet came before.
    pub(crate) fn replay_tag(&self) -> ReplayTag {
        ReplayTag(*self.part::<256, 16>())
    }

    /// Writes the stream that hides routing information.
    pub(crate) fn stream(&self) -> [u8; STREAM_BYTES] {
        let mut stream = [0; STREAM_BYTES];
        Ctr64BE::<Aes128>::new(self.part::<0, 16>().into(), &[0; 16].into())
            .apply_keystream(&mut stream);
        stream
    }

    /// The MAC of routing information.
    pub(crate) fn mac(&self, routing: &[u8]) -> [u8; MAC_BYTES] {
        let mac = self.hmac(routing).finalize().into_bytes();
        *mac.first_chunk().expect("SHA-256 gives 32 bytes")
    }

    /// Whether that is the MAC of routing information. Takes the same time either way.
    pub(crate) fn is_mac(&self, routing: &[u8], mac: &[u8]) -> bool {
        self.hmac(routing).verify_truncated_left(mac).is_ok()
    }

    fn hmac(&self, routing: &[u8]) -> Hmac<Sha256> {
        let mut hmac = Hmac::new_from_slice(self.part::<16, 16>()).expect("any length is a key");
        hmac.update(routing);
        hmac
    }

    /// What the cipher of the payload is made of, in packets of the version that is written.
    pub(crate) fn payload_seed(&self) -> &PayloadSeed {
        self.part::<32, PAYLOAD_SEED_BYTES>()
    }

    /// The cipher of the payload in packets of this version; none if the version is unknown.
    pub(crate) fn payload_cipher(&self, version: u16) -> Option<PayloadCipher> {
        let key = self.part::<32, PAYLOAD_KEY_BYTES>();
        match version {
            FULL_KEY_VERSION => Some(PayloadCipher::new(key)),
            SEEDED_VERSION | VERSION => Some(PayloadCipher::seeded(self.payload_seed())),
            _ => None,
        }
    }
}

/// The cipher of a payload: LIONESS out of `ChaCha20` and `BLAKE2b`. One changed bit makes
/// noise of all.
pub(crate) struct PayloadCipher(Lioness<ChaCha20, Blake2bMac<U32>>);

impl PayloadCipher {
    fn new(key: &[u8; PAYLOAD_KEY_BYTES]) -> Self {
        Self(Lioness::new(key.into()))
    }

    pub(crate) fn seeded(seed: &PayloadSeed) -> Self {
        let mut key = [0; PAYLOAD_KEY_BYTES];
        Hkdf::<Sha256>::new(Some(PAYLOAD_SALT), seed)
            .expand(PAYLOAD_INFO, &mut key)
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        let cipher = Self::new(&key);
        key.zeroize();
        cipher
    }

    /// Adds a layer. The payload is longer than 32 bytes.
    pub(crate) fn encrypt(&self, payload: &mut [u8]) {
        self.0.encrypt_block(payload).expect("a payload is longer than the cipher's left side");
    }

    /// Takes a layer off. The payload is longer than 32 bytes.
    pub(crate) fn decrypt(&self, payload: &mut [u8]) {
        self.0.decrypt_block(payload).expect("a payload is longer than the cipher's left side");
    }
}
