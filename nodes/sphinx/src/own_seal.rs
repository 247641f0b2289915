//! Sealing to oneself. For everybody else it is what [`seal`](crate::seal) makes: a fresh X25519 key
//! with noise behind it. It takes a quarter of the time, for no secret is agreed upon with anybody.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;
use wire::SEAL_OVERHEAD_BYTES;
use zeroize::Zeroizing;

use crate::PrivateKey;
use crate::seal::EPHEMERAL_KEY_BYTES;

/// Keeps these keys apart from anything else that might be derived from a private key.
const OWN_SEAL_PURPOSE: &[u8] = b"nym-devnet own seal 1";

/// Seals what only the owner of a private key opens again. Erased when dropped.
///
/// The key for each use comes out of HKDF-SHA256 (RFC 5869): the private key is the input key
/// material, a purpose the salt, the fresh key in front of what is sealed the info. As it is used
/// once, the nonce of ChaCha20-Poly1305 is zeros.
pub struct OwnSeal(Zeroizing<[u8; 32]>);

impl PrivateKey {
    /// What seals to the owner of this key.
    #[must_use]
    pub fn own_seal(&self) -> OwnSeal {
        let (extracted, _) =
            Hkdf::<Sha256>::extract(Some(OWN_SEAL_PURPOSE), self.secret().as_bytes());
        OwnSeal(Zeroizing::new(extracted.into()))
    }
}

impl OwnSeal {
    /// The result is [`SEAL_OVERHEAD_BYTES`] longer, as that of [`seal`](crate::seal).
    pub fn seal(&self, rng: &mut impl CryptoRng, plaintext: &[u8]) -> Vec<u8> {
        // A key that nobody has the other half of. Random bytes would do, but half of them are no
        // point of the curve: a provider could tell.
        let fresh = PrivateKey::random(rng).public();
        let mut bytes = fresh.as_bytes().to_vec();
        let sealed = self.cipher(fresh.as_bytes()).encrypt(&Nonce::default(), plaintext);
        bytes.extend_from_slice(&sealed.expect("less than the 256 GB of a nonce"));
        bytes
    }

    /// None for what was not sealed by this, or changed on the way.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        if sealed.len() < SEAL_OVERHEAD_BYTES {
            return None;
        }
        let (fresh, sealed) = sealed.split_first_chunk::<EPHEMERAL_KEY_BYTES>()?;
        self.cipher(fresh).decrypt(&Nonce::default(), sealed).ok()
    }

    fn cipher(&self, fresh: &[u8; EPHEMERAL_KEY_BYTES]) -> ChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::from_prk(&*self.0)
            .expect("it is as long as the hash")
            .expand(fresh, &mut *key)
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        ChaCha20Poly1305::new((&*key).into())
    }
}

impl std::fmt::Debug for OwnSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnSeal")
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::MontgomeryPoint;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::{open, seal};

    #[test]
    fn only_its_owner_opens_it() {
        let mut rng = StdRng::seed_from_u64(1);
        let key = PrivateKey::random(&mut rng);
        let own = key.own_seal();
        let sealed = own.seal(&mut rng, b"cover");
        assert_eq!(own.open(&sealed).as_deref(), Some(&b"cover"[..]));
        assert_eq!(key.clone().own_seal().open(&sealed).as_deref(), Some(&b"cover"[..]));

        assert_eq!(PrivateKey::random(&mut rng).own_seal().open(&sealed), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(own.open(&changed), None, "byte {place}");
        }
        for length in 0..sealed.len() {
            assert_eq!(own.open(&sealed[..length]), None, "{length} bytes");
        }
        // Each is of no use to the other.
        assert!(open(&key, OWN_SEAL_PURPOSE, &sealed).is_err());
        let from_others = seal(&mut rng, &key.public(), b"", b"a message").expect("a key");
        assert_eq!(own.open(&from_others), None);
    }

    #[test]
    fn it_looks_like_what_others_seal() {
        let mut rng = StdRng::seed_from_u64(2);
        let key = PrivateKey::random(&mut rng);
        let own = key.own_seal();
        let mut fronts = Vec::new();
        for _ in 0..64 {
            let sealed = own.seal(&mut rng, b"the same");
            let others = seal(&mut rng, &key.public(), b"", b"the same").expect("a key");
            assert_eq!(sealed.len(), others.len());
            for sealed in [sealed, others] {
                let front: [u8; 32] = *sealed.first_chunk().expect("long enough");
                // Of random bytes half would be on the curve's twist.
                assert!(MontgomeryPoint(front).to_edwards(0).is_some());
                assert!(!fronts.contains(&front));
                fronts.push(front);
            }
        }
    }
}
