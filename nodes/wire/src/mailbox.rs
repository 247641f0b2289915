//! What a client and its provider say on a websocket with the subprotocol [`SUBPROTOCOL`].
//!
//! 1. The client says [`hello`](ClientMessage::Hello) with its key.
//! 2. The provider answers with a [`challenge`](ProviderMessage::Challenge): a nonce sealed to that
//!    key.
//! 3. The client [proves](ClientMessage::Prove) that it could open it, and is
//!    [registered](ProviderMessage::Registered).
//! 4. From then on the provider sends each stored packet as a binary frame (a [`Delivery`]), and
//!    keeps it until the client [confirms](confirmation) its number.
//!
//! Text frames are JSON, binary frames are packets and confirmations.

use serde::{Deserialize, Serialize};

use crate::{IDENTIFIER_BYTES, Identifier, PublicKey};

/// Name of the subprotocol in the websocket handshake.
pub const SUBPROTOCOL: &str = "nym-devnet.v1";

/// Bytes of the nonce of a challenge.
pub const NONCE_BYTES: usize = 32;

/// What the nonce of a challenge is sealed for; the provider's key follows, so that a challenge
/// cannot be passed on to another provider's client.
pub const CHALLENGE_PURPOSE: &[u8] = b"nym-devnet.v1 challenge ";

/// Bytes in front of the payload in a delivery: number and identifier.
pub const DELIVERY_HEAD_BYTES: usize = 8 + IDENTIFIER_BYTES;

/// Most numbers in one confirmation. A provider sends no more than this ahead of confirmations.
pub const MAX_CONFIRMATIONS: usize = 256;

/// A client's text frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ClientMessage {
    /// Who it wants to register as.
    Hello {
        /// Its key.
        key: PublicKey,
    },
    /// That the key is its own.
    Prove {
        /// The opened nonce, base58.
        nonce: String,
    },
}

/// A provider's text frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ProviderMessage {
    /// Prove that the key is yours.
    Challenge {
        /// A nonce of [`NONCE_BYTES`] sealed to the client's key, base58.
        sealed: String,
    },
    /// The client is registered; deliveries follow.
    Registered {
        /// How many packets wait for it.
        waiting: u64,
    },
    /// Refused; the connection ends.
    Error {
        /// Why.
        message: String,
    },
}

/// A stored packet on its way to its client: number (8 bytes, big-endian), identifier (16), payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The provider's number for it, to be confirmed.
    pub number: u64,
    /// The identifier of the final hop.
    pub identifier: Identifier,
    /// The payload as Sphinx left it, 2048 bytes.
    pub payload: Vec<u8>,
}

/// A binary frame is neither a delivery nor a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// Too short for a number and an identifier.
    #[error("a delivery has only {0} bytes")]
    TooShort(usize),
    /// Not a list of numbers.
    #[error("a confirmation has {0} bytes, expected up to {MAX_CONFIRMATIONS} times 8")]
    NotNumbers(usize),
}

impl Delivery {
    /// Its frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(DELIVERY_HEAD_BYTES + self.payload.len());
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.identifier);
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Takes the frame apart.
    pub fn decode(bytes: &[u8]) -> Result<Self, MailboxError> {
        let too_short = MailboxError::TooShort(bytes.len());
        let (number, rest) = bytes.split_first_chunk().ok_or(too_short)?;
        let (identifier, payload) = rest.split_first_chunk().ok_or(too_short)?;
        Ok(Self {
            number: u64::from_be_bytes(*number),
            identifier: *identifier,
            payload: payload.to_vec(),
        })
    }
}

/// The frame that confirms these deliveries, at most [`MAX_CONFIRMATIONS`].
pub fn confirmation(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// The deliveries that a frame confirms.
pub fn confirmed(bytes: &[u8]) -> Result<Vec<u64>, MailboxError> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    if numbers.is_empty() || !rest.is_empty() || numbers.len() > MAX_CONFIRMATIONS {
        return Err(MailboxError::NotNumbers(bytes.len()));
    }
    Ok(numbers.iter().map(|number| u64::from_be_bytes(*number)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_frames() {
        let delivery = Delivery { number: 258, identifier: [9; 16], payload: vec![1, 2] };
        let bytes = delivery.encode();
        assert_eq!(bytes[..10], [0, 0, 0, 0, 0, 0, 1, 2, 9, 9]);
        assert_eq!(bytes[24..], [1, 2]);
        assert_eq!(Delivery::decode(&bytes), Ok(delivery));
        assert_eq!(Delivery::decode(&bytes[..23]), Err(MailboxError::TooShort(23)));
        assert_eq!(confirmed(&confirmation(&[1, 258])), Ok(vec![1, 258]));
        for bytes in [0, 7, 9, 8 * (MAX_CONFIRMATIONS + 1)] {
            assert_eq!(confirmed(&vec![0; bytes]), Err(MailboxError::NotNumbers(bytes)));
        }
    }

    #[test]
    fn golden_texts() {
        let hello = ClientMessage::Hello { key: PublicKey::from_bytes([0; 32]) };
        let text = r#"{"type":"hello","key":"11111111111111111111111111111111"}"#;
        assert_eq!(serde_json::to_string(&hello).expect("JSON"), text);
        assert_eq!(serde_json::from_str::<ClientMessage>(text).expect("hello"), hello);
        let registered = ProviderMessage::Registered { waiting: 3 };
        let text = r#"{"type":"registered","waiting":3}"#;
        assert_eq!(serde_json::to_string(&registered).expect("JSON"), text);
    }
    proptest! {
        #[test]
        fn any_bytes_are_a_delivery_or_an_error(bytes: Vec<u8>) {
            if let Ok(delivery) = Delivery::decode(&bytes) {
                prop_assert_eq!(delivery.encode(), bytes);
            }
        }

        #[test]
        fn any_bytes_are_a_confirmation_or_an_error(bytes: Vec<u8>) {
            if let Ok(numbers) = confirmed(&bytes) {
                prop_assert_eq!(confirmation(&numbers), bytes);
            }
        }

        #[test]
        fn any_text_is_a_message_or_an_error(text: String) {
            let _ = serde_json::from_str::<ClientMessage>(&text);
            let _ = serde_json::from_str::<ProviderMessage>(&text);
        }
    }
}
