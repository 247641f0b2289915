//! Sealing to a recipient's key: HPKE (RFC 9180) in base mode with X25519, HKDF-SHA256 and
//! ChaCha20-Poly1305. The recipient learns nothing about the sender, a provider nothing at all.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand::CryptoRng;
use wire::{PublicKey, SEAL_OVERHEAD_BYTES};

use crate::PrivateKey;

/// Bytes of the ephemeral key in front of what is sealed.
pub(crate) const EPHEMERAL_KEY_BYTES: usize = 32;

/// Something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The recipient's key is not a useful point.
    #[error("the recipient's key is not a valid X25519 key")]
    RecipientKey,
    /// Not sealed to this key and purpose, or changed on the way.
    #[error("not sealed to this key, or changed on the way")]
    NotForThisKey,
    /// Shorter than what sealing adds.
    #[error("only {0} bytes, sealing adds {SEAL_OVERHEAD_BYTES}")]
    TooShort(usize),
}

/// Seals to a key; the result is [`SEAL_OVERHEAD_BYTES`] longer. `purpose` keeps what is sealed for
/// one use from being opened in another.
pub fn seal(
    rng: &mut impl CryptoRng,
    recipient: &PublicKey,
    purpose: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(recipient.as_bytes())
        .map_err(|_| SealError::RecipientKey)?;
    let (ephemeral, sealed) = hpke::single_shot_seal_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &key, purpose, plaintext, &[], rng)
    .map_err(|_| SealError::RecipientKey)?;
    let mut bytes = ephemeral.to_bytes().to_vec();
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

/// Opens what was sealed to this key for this purpose.
pub fn open(key: &PrivateKey, purpose: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    if sealed.len() < SEAL_OVERHEAD_BYTES {
        return Err(SealError::TooShort(sealed.len()));
    }
    let (ephemeral, sealed) = sealed.split_at(EPHEMERAL_KEY_BYTES);
    let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&key.to_bytes())
        .map_err(|_| SealError::NotForThisKey)?;
    let ephemeral = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(ephemeral)
        .map_err(|_| SealError::NotForThisKey)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &key,
        &ephemeral,
        purpose,
        sealed,
        &[],
    )
    .map_err(|_| SealError::NotForThisKey)
}
