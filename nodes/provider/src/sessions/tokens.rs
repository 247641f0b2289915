//! Tokens of accounts, as in the originals: HMAC-SHA256 of the client's address under the provider's
//! private key. They are computed when asked for, so that a restart changes nothing.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sphinx::PrivateKey;
use wire::{PublicKey, Token};
use zeroize::Zeroizing;

/// Makes and checks tokens.
pub(super) struct Tokens {
    /// Has taken in the key, not yet an address: the key itself need not be kept.
    keyed: Hmac<Sha256>,
}

impl Tokens {
    /// Of the provider with this key.
    pub(super) fn new(key: &PrivateKey) -> Self {
        let key = Zeroizing::new(key.to_bytes());
        let keyed = Hmac::new_from_slice(&*key).expect("a key of any length will do");
        Self { keyed }
    }

    /// The token of this client.
    pub(super) fn of(&self, client: &PublicKey) -> Token {
        Token(self.keyed.clone().chain_update(client.as_bytes()).finalize().into_bytes().into())
    }

    /// Whether that is this client's token. Takes the same time whatever the answer.
    pub(super) fn is_right(&self, client: &PublicKey, token: &Token) -> bool {
        self.keyed.clone().chain_update(client.as_bytes()).verify_slice(&token.0).is_ok()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_hmac_of_the_address_and_of_nothing_else() {
        let tokens = Tokens::new(&PrivateKey::from_bytes([2; 32]));
        let client = PublicKey::from_bytes([1; 32]);
        // python3: hmac.new(b"\2" * 32, b"\1" * 32, "sha256")
        let expected = [
            0xa5, 0x80, 0xc1, 0xf2, 0x9e, 0xc1, 0x82, 0x8e, 0xf7, 0xe5, 0x15, 0x68, 0x78, 0xfe,
            0x2a, 0x33, 0xb7, 0x21, 0x25, 0xaf, 0x66, 0x7d, 0x11, 0xe4, 0x47, 0x08, 0x0f, 0xa4,
            0x14, 0xdd, 0x3a, 0xce,
        ];
        let token = tokens.of(&client);
        assert_eq!(token.0, expected);
        assert!(tokens.is_right(&client, &token));
        assert!(!tokens.is_right(&PublicKey::from_bytes([3; 32]), &token));
        assert!(!Tokens::new(&PrivateKey::from_bytes([3; 32])).is_right(&client, &token));
        let mut wrong = token;
        wrong.0[31] ^= 1;
        assert!(!tokens.is_right(&client, &wrong));
    }
}
