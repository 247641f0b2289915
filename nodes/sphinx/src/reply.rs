//! Replies to someone whose address the sender does not know: blocks that are prepared, and packets
//! that are built from them.

use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;
use wire::{HEADER_BYTES, Identifier, PAYLOAD_SEED_BYTES, PayloadSeeds, PublicKey, ReplyBlock};
use zeroize::Zeroizing;

use crate::build::{add_layers, parts};
use crate::{BuildError, MAX_HOPS, PacketBuilder, PrivateKey, Route};

/// Keeps keys of replies apart from anything else that might be derived from a private key.
const REPLY_KEY_PURPOSE: &[u8] = b"nym-devnet reply key 1";

impl PacketBuilder {
    /// A block for one reply that takes this route.
    ///
    /// `destination` and `identifier` are what the last hop finds in the reply's header; `key` is the
    /// one-time key to which the reply is to be sealed, see [`PrivateKey::reply_key`].
    pub fn build_reply_block(
        &self,
        rng: &mut impl CryptoRng,
        route: &Route,
        destination: &PublicKey,
        identifier: &Identifier,
        key: PublicKey,
    ) -> Result<ReplyBlock, BuildError> {
        let no_hops = BuildError::Hops(route.hops.len());
        let first_hop = route.first_hop().ok_or(no_hops)?;
        let mut header = [0; HEADER_BYTES];
        let keys = self.write_header(rng, route, destination, identifier, &mut header)?;
        let mut seeds = Zeroizing::new([[0; PAYLOAD_SEED_BYTES]; MAX_HOPS]);
        for (seed, keys) in seeds.iter_mut().zip(keys.iter().flatten()) {
            *seed = *keys.payload_seed();
        }
        let seeds = PayloadSeeds::new(&seeds[..route.hops.len()]).ok_or(no_hops)?;
        Ok(ReplyBlock { first_hop, header, seeds, key })
    }

    /// The packet of a reply: the block's header, and the plaintext under all layers, so that no hop
    /// and no provider can tell it from what [`build_packet`](Self::build_packet) builds.
    ///
    /// `plaintext` is at most [`plaintext_bytes`](wire::WireProfile::plaintext_bytes) long.
    pub fn build_reply(&self, block: &ReplyBlock, plaintext: &[u8]) -> Result<Vec<u8>, BuildError> {
        let mut packet = self.bare_packet(plaintext)?;
        let (header, payload) = parts(&mut packet);
        *header = block.header;
        add_layers(payload, block.seeds.as_slice().iter());
        Ok(packet)
    }
}

impl PrivateKey {
    /// The one-time key of the reply with this identifier. It is derived again when the reply comes, so
    /// that nothing has to be kept until then.
    ///
    /// HKDF-SHA256 (RFC 5869): the private key is the input key material, a purpose the salt, the
    /// identifier the info; the 32 bytes that come out are clamped when they are used.
    #[must_use]
    pub fn reply_key(&self, identifier: &Identifier) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(REPLY_KEY_PURPOSE), self.secret().as_bytes())
            .expand(identifier, &mut *bytes)
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        Self::from_bytes(*bytes)
    }
}
