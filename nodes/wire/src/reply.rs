//! Single-use reply blocks: what a sender puts into a message so that its recipient can answer
//! without learning who the sender is.
//!
//! | bytes | what |
//! |---|---|
//! | 19 | address of the first hop, zero-padded |
//! | 348 | Sphinx header, prepared by whoever will get the reply |
//! | 1 | number of hops, 1 to 5 |
//! | 5 × 16 | seeds of the hops' payload ciphers in order; zeros where there is no hop |
//! | 32 | one-time X25519 public key to which the reply is sealed |
//!
//! Whoever replies adds all layers of the payload, so that a reply looks like any data packet to each
//! hop and to the provider. The price: who holds a block knows what its payload looks like at every
//! hop, and would know it again there.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{ADDRESS_BYTES, AddressError, HEADER_BYTES, MAX_HOPS, NodeAddress, PublicKey};

/// Bytes of the seed out of which the key of a hop's payload cipher is derived.
pub const PAYLOAD_SEED_BYTES: usize = 16;

/// The seed of one hop's payload cipher.
pub type PayloadSeed = [u8; PAYLOAD_SEED_BYTES];

/// The seeds of a route's payload ciphers, in the order of its hops. Erased when dropped, never
/// printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PayloadSeeds {
    seeds: [PayloadSeed; MAX_HOPS],
    hops: usize,
}

impl PayloadSeeds {
    /// These seeds; none if there are not 1 to [`MAX_HOPS`] of them.
    pub fn new(seeds: &[PayloadSeed]) -> Option<Self> {
        if seeds.is_empty() {
            return None;
        }
        let mut all = Self { seeds: [[0; PAYLOAD_SEED_BYTES]; MAX_HOPS], hops: seeds.len() };
        all.seeds.get_mut(..seeds.len())?.copy_from_slice(seeds);
        Some(all)
    }

    /// The seeds, one for each hop.
    pub fn as_slice(&self) -> &[PayloadSeed] {
        &self.seeds[..self.hops]
    }
}

impl fmt::Debug for PayloadSeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadSeeds(of {} hops)", self.hops)
    }
}

/// What one reply needs, of one packet. Used twice, the hops would take the second for a replay.
///
/// It comes from someone else: a first hop that the network does not know must not be connected to.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyBlock {
    /// Where the reply goes first.
    pub first_hop: NodeAddress,
    /// Its Sphinx header.
    pub header: [u8; HEADER_BYTES],
    /// What the layers of its payload are made of.
    pub seeds: PayloadSeeds,
    /// The one-time key to which it is sealed.
    pub key: PublicKey,
}

/// Bytes are not a reply block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyBlockError {
    /// Not of the one length that there is.
    #[error("a reply block has {0} bytes, expected {bytes}", bytes = ReplyBlock::BYTES)]
    Length(usize),
    /// The first hop is not an address.
    #[error("the first hop of a reply block: {0}")]
    FirstHop(#[from] AddressError),
    /// A route without hops, or with more than a header holds.
    #[error("the route of a reply block has {0} hops, expected 1 to {MAX_HOPS}")]
    Hops(u8),
    /// Bytes after the last seed are not zero.
    #[error("the seeds of a reply block are not padded with zeros")]
    Padding,
}

impl ReplyBlock {
    /// Bytes of a block.
    pub const BYTES: usize =
        ADDRESS_BYTES + HEADER_BYTES + 1 + MAX_HOPS * PAYLOAD_SEED_BYTES + PublicKey::BYTES;

    /// Appends its bytes: [`Self::BYTES`] of them.
    ///
    /// Seeds that no hop has are zeros. Random bytes would hide nothing, for the number of hops stands
    /// in front of them, and so a block has one spelling.
    pub fn encode_to(&self, bytes: &mut Vec<u8>) {
        let hops = u8::try_from(self.seeds.hops).expect("at most five");
        bytes.extend_from_slice(&self.first_hop.encode::<ADDRESS_BYTES>());
        bytes.extend_from_slice(&self.header);
        bytes.push(hops);
        bytes.extend_from_slice(self.seeds.seeds.as_flattened());
        bytes.extend_from_slice(self.key.as_bytes());
    }

    /// Its bytes: [`Self::BYTES`] of them, see [`Self::encode_to`].
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        self.encode_to(&mut bytes);
        bytes
    }

    /// Takes the bytes apart.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReplyBlockError> {
        let wrong_length = ReplyBlockError::Length(bytes.len());
        if bytes.len() != Self::BYTES {
            return Err(wrong_length);
        }
        let (first_hop, rest) = bytes.split_first_chunk::<ADDRESS_BYTES>().ok_or(wrong_length)?;
        let (header, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (&hops, rest) = rest.split_first().ok_or(wrong_length)?;
        let (seeds, key) = rest.split_last_chunk().ok_or(wrong_length)?;
        let first_hop = NodeAddress::decode(first_hop)?;
        let (seeds, padding) =
            seeds.as_chunks().0.split_at_checked(hops.into()).ok_or(ReplyBlockError::Hops(hops))?;
        let seeds = PayloadSeeds::new(seeds).ok_or(ReplyBlockError::Hops(hops))?;
        if padding.as_flattened().iter().any(|&byte| byte != 0) {
            return Err(ReplyBlockError::Padding);
        }
        Ok(Self { first_hop, header: *header, seeds, key: PublicKey::from_bytes(*key) })
    }
}

impl fmt::Debug for ReplyBlock {
    /// Neither the header nor the seeds: with them, anyone could use the block.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBlock")
            .field("first_hop", &self.first_hop)
            .field("seeds", &self.seeds)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn block(hops: usize, fill: u8) -> ReplyBlock {
        ReplyBlock {
            first_hop: NodeAddress("127.0.0.1:9980".parse().expect("an address")),
            header: [fill; HEADER_BYTES],
            seeds: PayloadSeeds::new(&vec![[fill ^ 0xff; 16]; hops]).expect("1 to 5"),
            key: PublicKey::from_bytes([fill; 32]),
        }
    }

    #[test]
    fn golden_bytes() {
        let block = block(4, 0xab);
        let bytes = block.encode();
        let expected = [
            &[4, 0x26, 0xfc, 127, 0, 0, 1][..],
            &[0; 12],
            &[0xab; 348],
            &[4],
            &[0x54; 64],
            &[0; 16],
            &[0xab; 32],
        ];
        assert_eq!(bytes, expected.concat());
        assert_eq!((bytes.len(), ReplyBlock::BYTES), (480, 480));
        assert_eq!(ReplyBlock::decode(&bytes), Ok(block));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        let good = block(4, 1).encode();
        let broken = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            ReplyBlock::decode(&bytes).expect_err("refused")
        };
        assert_eq!(ReplyBlock::decode(&good[1..]), Err(ReplyBlockError::Length(479)));
        assert_eq!(broken(0, 5), ReplyBlockError::FirstHop(AddressError::Family(5)));
        assert_eq!(broken(18, 1), ReplyBlockError::FirstHop(AddressError::Padding));
        for hops in [0, 6, 255] {
            assert_eq!(broken(367, hops), ReplyBlockError::Hops(hops));
        }
        assert_eq!(broken(367, 3), ReplyBlockError::Padding);
        assert_eq!(broken(447, 1), ReplyBlockError::Padding);
        assert_eq!(PayloadSeeds::new(&[]), None);
        assert_eq!(PayloadSeeds::new(&[[0; 16]; 6]), None);
    }

    #[test]
    fn nothing_that_lets_others_use_a_block_is_printed() {
        let printed = format!("{:?}", block(4, 0xab));
        assert!(printed.contains("9980") && printed.contains("of 4 hops"), "{printed}");
        for secret in ["171", "84", "ab", "0x54"] {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_block_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), ReplyBlock::BYTES),
            good_address: bool,
            hops: u8,
            padded: bool,
        ) {
            let mut bytes = bytes;
            if good_address {
                bytes[..ADDRESS_BYTES].copy_from_slice(&block(1, 0).encode()[..ADDRESS_BYTES]);
            }
            bytes[367] = hops % 8;
            if padded {
                let first = 368 + 16 * usize::from(hops % 8).min(5);
                bytes[first..448].fill(0);
            }
            match ReplyBlock::decode(&bytes) {
                Ok(block) => prop_assert_eq!(block.encode(), bytes),
                Err(error) => prop_assert!(
                    !good_address || !padded || !(1..=5).contains(&(hops % 8)),
                    "{error}"
                ),
            }
        }
    }
}
