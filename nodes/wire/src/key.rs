//! Public keys and the addresses made of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An X25519 public key: 32 bytes, printed as base58 with the Bitcoin alphabet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; Self::BYTES]);

/// Text is not a key or an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not base58.
    #[error("`{0}` is not a key: it is not base58")]
    NotBase58(String),
    /// Base58 of something else.
    #[error("`{text}` is not a key: it stands for {bytes} bytes, a key has 32")]
    Length {
        /// The text.
        text: String,
        /// What it stands for.
        bytes: usize,
    },
    /// Longer than any key.
    #[error("`{0}…` is not a key: it has more than 44 characters")]
    TooLong(String),
    /// Not two keys joined by `@`.
    #[error("`{0}` is not an address of the form client@provider")]
    NotAnAddress(String),
}

/// No text longer than this is decoded or repeated in an error: a key has at most 44 characters.
const MAX_KEY_TEXT: usize = 64;

impl PublicKey {
    /// Bytes of a key.
    pub const BYTES: usize = 32;

    /// The key with these bytes. Whether they are a useful point shows when they are used.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_KEY_TEXT {
            return Err(KeyError::TooLong(shorten(text)));
        }
        let bytes = bs58::decode(text).into_vec();
        let bytes = bytes.map_err(|_| KeyError::NotBase58(shorten(text)))?;
        let key = bytes.as_slice().try_into().map(Self);
        key.map_err(|_| KeyError::Length { text: shorten(text), bytes: bytes.len() })
    }
}

/// Bytes as base58 with the Bitcoin alphabet.
pub fn encode_base58(bytes: &[u8]) -> String {
    bs58::encode(bytes).into_string()
}

/// The bytes of a base58 text of at most 256 characters: decoding takes time with the square of the
/// length.
pub fn decode_base58(text: &str) -> Option<Vec<u8>> {
    if text.len() > 256 { None } else { bs58::decode(text).into_vec().ok() }
}

/// The beginning of a text that may be hostile and of any length.
fn shorten(text: &str) -> String {
    text.chars().take(MAX_KEY_TEXT).flat_map(char::escape_default).collect()
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&bs58::encode(self.0).into_string())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a client can be reached: its own key and its provider's, printed `client@provider`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress {
    /// The client's key.
    pub client: PublicKey,
    /// Its provider's key.
    pub provider: PublicKey,
}

impl FromStr for ClientAddress {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (client, provider) =
            text.split_once('@').ok_or_else(|| KeyError::NotAnAddress(shorten(text)))?;
        Ok(Self { client: client.parse()?, provider: provider.parse()? })
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.client, self.provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_original_network_parses_and_prints_the_same() {
        let text = "71od3ZAupdCdxeFNg8sdonqfZTnZZy1E86WYKEjxD4kj@FWYoUrnKuXryysptnCZgUYRTauHq4FnEFu2QGn5LZWbm";
        let address: ClientAddress = text.parse().expect("an address");
        assert_eq!(address.to_string(), text);
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_all_of_it() {
        for text in ["", "abc", "0OIl", &"1".repeat(33), &"z".repeat(44), &"1".repeat(100_000)] {
            let error = text.parse::<PublicKey>().expect_err("refused").to_string();
            assert!(error.len() < 150, "{error}");
        }
        assert!("abc".parse::<ClientAddress>().is_err());
        assert!(
            "a\u{1b}@b".parse::<ClientAddress>().is_err_and(|e| !e.to_string().contains('\u{1b}'))
        );
    }
}
