//! What a client and its provider say on a websocket without a subprotocol, as in Nym v0.7.0:
//! register or authenticate, then forward packets and take what is pushed.
//!
//! Text frames are JSON. A binary frame of the client is a packet for the mixnet with the address of
//! its first hop in front; one of the provider is the content of one packet.

use serde::{Deserialize, Serialize};

use crate::{NodeAddress, PublicKey, Token, WireProfile, decode_base58, encode_base58};

/// A client's text frame. What the fields hold is looked at one after the other, since each has an
/// error of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum GatewayRequest {
    /// Open an account, or say its token again.
    Register {
        /// The client's key, base58.
        address: String,
    },
    /// Log in.
    Authenticate {
        /// The client's key, base58.
        address: String,
        /// The token of its account, base58.
        token: String,
    },
}

impl GatewayRequest {
    /// The request in a text frame.
    pub fn decode(text: &str) -> Result<Self, GatewayError> {
        serde_json::from_str(text).map_err(|_| GatewayError::MalformedRequest)
    }
}

/// The key in a request.
pub fn decode_address(text: &str) -> Result<PublicKey, GatewayError> {
    text.parse().map_err(|_| GatewayError::MalformedAddress)
}

/// The token in a request.
pub fn decode_token(text: &str) -> Result<Token, GatewayError> {
    let token = decode_base58(text).and_then(|bytes| bytes.try_into().ok());
    token.map(Token).ok_or(GatewayError::MalformedToken)
}

/// A provider's text frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum GatewayAnswer {
    /// The account is there, and the connection is logged in.
    Register {
        /// Its token, base58.
        token: String,
    },
    /// Whether the token is right; if it is, the connection is logged in.
    Authenticate {
        /// Whether it is.
        status: bool,
    },
    /// A packet was taken for the mixnet.
    Send {
        /// Always true.
        status: bool,
    },
    /// Refused; the connection goes on.
    Error {
        /// Why, for people: [`GatewayError`].
        message: String,
    },
}

impl GatewayAnswer {
    /// That the account is there.
    pub fn registered(token: &Token) -> Self {
        Self::Register { token: encode_base58(&token.0) }
    }
}

impl From<GatewayError> for GatewayAnswer {
    fn from(error: GatewayError) -> Self {
        Self::Error { message: error.to_string() }
    }
}

/// What a provider answers to a wrong frame: all but the last two in the original's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// A text before the login is neither of the two requests.
    #[error("malformed request")]
    MalformedRequest,
    /// A packet before the login.
    #[error("binary request without prior authentication")]
    NotAuthenticated,
    /// The address is no key.
    #[error("malformed destination address")]
    MalformedAddress,
    /// The token is none.
    #[error("malformed authentication token")]
    MalformedToken,
    /// The address is connected already, or the provider cannot.
    #[error("unexpected failure")]
    Failure,
    /// A text after the login.
    #[error("invalid request")]
    InvalidRequest,
    /// A packet does not begin with the address of its first hop.
    #[error("address field was incorrectly encoded")]
    FirstHop,
    /// What follows the address has not the size of a packet.
    #[error("received request had invalid size. (actual: {actual}, expected: {expected})")]
    Size {
        /// Its bytes.
        actual: usize,
        /// Bytes of a packet.
        expected: usize,
    },
    /// The first hop takes no packets of clients. The original sent them anywhere.
    #[error("the first hop {0} is no mixnode of layer 1")]
    NotLayerOne(NodeAddress),
    /// The address belongs to a client that has proven its key. The original knew no proof.
    #[error(
        "the address is registered with a proof of its key; only `{}` opens it",
        crate::SUBPROTOCOL
    )]
    Proven,
}

/// A packet that a client wants sent: the address of its first hop, 7 or 19 bytes, then the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward<'a> {
    /// Where it goes first.
    pub first_hop: NodeAddress,
    /// The packet.
    pub packet: &'a [u8],
}

impl<'a> Forward<'a> {
    /// Its frame.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.first_hop.encode_unpadded();
        bytes.extend_from_slice(self.packet);
        bytes
    }

    /// Takes a frame apart.
    pub fn decode(profile: WireProfile, bytes: &'a [u8]) -> Result<Self, GatewayError> {
        let split = NodeAddress::split_from(bytes);
        let (first_hop, packet) = split.map_err(|_| GatewayError::FirstHop)?;
        let expected = profile.packet_bytes();
        if packet.len() != expected {
            return Err(GatewayError::Size { actual: packet.len(), expected });
        }
        Ok(Self { first_hop, packet })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "GgBaCs3NCBuZN12kCJgAW63ydqohFkHEdfdEXBPzLHqk";

    fn json(answer: &GatewayAnswer) -> String {
        serde_json::to_string(answer).expect("JSON")
    }

    #[test]
    fn golden_texts() {
        let text = format!(r#"{{"type":"register","address":"{KEY}"}}"#);
        let register = GatewayRequest::Register { address: KEY.into() };
        assert_eq!(serde_json::to_string(&register).expect("JSON"), text);
        assert_eq!(GatewayRequest::decode(&text), Ok(register));
        let text = format!(r#"{{"type": "authenticate", "address": "{KEY}", "token": "abc"}}"#);
        let authenticate =
            GatewayRequest::Authenticate { address: KEY.into(), token: "abc".into() };
        assert_eq!(GatewayRequest::decode(&text), Ok(authenticate));
        for text in
            ["hello", "", "{}", r#"{"type":"register"}"#, r#"{"type":"send","status":true}"#]
        {
            assert_eq!(GatewayRequest::decode(text), Err(GatewayError::MalformedRequest), "{text}");
        }
        let key: PublicKey = KEY.parse().expect("a key");
        assert_eq!(decode_address(KEY), Ok(key));
        assert_eq!(decode_address("abc"), Err(GatewayError::MalformedAddress));
        assert!(decode_token(KEY).is_ok_and(|token| token.0 == *key.as_bytes()));
        for token in ["abc", "", "0", &"1".repeat(33)] {
            assert!(
                decode_token(token).is_err_and(|e| e == GatewayError::MalformedToken),
                "{token}"
            );
        }

        let token = Token(*key.as_bytes());
        let expected = format!(r#"{{"type":"register","token":"{KEY}"}}"#);
        assert_eq!(json(&GatewayAnswer::registered(&token)), expected);
        let answer = GatewayAnswer::Authenticate { status: false };
        assert_eq!(json(&answer), r#"{"type":"authenticate","status":false}"#);
        assert_eq!(json(&GatewayAnswer::Send { status: true }), r#"{"type":"send","status":true}"#);
        let error = GatewayError::Size { actual: 100, expected: 2396 };
        let expected = r#"{"type":"error","message":"received request had invalid size. (actual: 100, expected: 2396)"}"#;
        assert_eq!(json(&error.into()), expected);
    }

    #[test]
    fn golden_packets() {
        let profile = WireProfile::CURRENT;
        let packet = vec![9; profile.packet_bytes()];
        let v4 = Forward {
            first_hop: NodeAddress("127.0.0.1:9990".parse().expect("one")),
            packet: &packet,
        };
        let bytes = v4.encode();
        assert_eq!(bytes.len(), 2403);
        assert_eq!(bytes[..8], [4, 0x27, 0x06, 127, 0, 0, 1, 9]);
        assert_eq!(Forward::decode(profile, &bytes), Ok(v4));
        let v6 =
            Forward { first_hop: NodeAddress("[::1]:9990".parse().expect("one")), packet: &packet };
        let bytes = v6.encode();
        assert_eq!(bytes.len(), 2415);
        assert_eq!(bytes[..4], [6, 0x27, 0x06, 0]);
        assert_eq!(bytes[17..20], [0, 1, 9]);
        assert_eq!(Forward::decode(profile, &bytes), Ok(v6));

        for bytes in [&[][..], &[4, 0], &[4, 0, 1, 127, 0, 0], &[0; 2403], &[5; 2403]] {
            assert_eq!(Forward::decode(profile, bytes), Err(GatewayError::FirstHop));
        }
        let bytes = v4.encode();
        let size = Forward::decode(profile, &bytes[..107]);
        assert_eq!(size, Err(GatewayError::Size { actual: 100, expected: 2396 }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_packet_or_an_error(bytes: Vec<u8>, payload_bytes in 0_usize..20) {
            let profile = WireProfile { payload_bytes, ..WireProfile::CURRENT };
            if let Ok(forward) = Forward::decode(profile, &bytes) {
                prop_assert_eq!(forward.encode(), bytes);
            }
        }

        #[test]
        fn any_text_is_a_request_or_an_error(text: String) {
            let _ = GatewayRequest::decode(&text);
            let _ = decode_address(&text);
            let _ = decode_token(&text);
        }
    }
}
