//! What a client and its provider say over plain TCP, as in Nym v0.5.0: register, and pull.
//!
//! A request has one of two lengths; an answer has no marker at all. A client that registers reads 32
//! bytes of token or the text of an error; one that pulls reads the lengths of the entries and the
//! entries, or the text of an error.

use std::fmt;

use crate::{PublicKey, WireProfile};

/// Bytes of a token.
pub const TOKEN_BYTES: usize = 32;

/// What opens an account on the sides of v0.5 and v0.7. It cannot be compared or printed, so that
/// nobody does so in passing: comparing takes constant time where it is checked.
#[derive(Clone)]
pub struct Token(pub [u8; TOKEN_BYTES]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Bytes of a request to register: two of prefix, the address.
pub const REGISTER_BYTES: usize = PREFIX_BYTES + PublicKey::BYTES;

/// Bytes of a pull: two of prefix, the address, the token.
pub const PULL_BYTES: usize = PREFIX_BYTES + PublicKey::BYTES + TOKEN_BYTES;

const PREFIX_BYTES: usize = 2;
const REGISTER_PREFIX: [u8; PREFIX_BYTES] = [0, 1];
const PULL_PREFIX: [u8; PREFIX_BYTES] = [1, 0];

/// Entries of an answer to a pull: what waits, the oldest first, and dummies behind it.
pub const PULL_ENTRIES: usize = 5;

/// What fills an answer up. The original's client throws it away.
pub const DUMMY_ENTRY: &[u8] =
    b"[DUMMY MESSAGE] Wanting something does not give you the right to have it.";

/// Bytes of the longest answer to a pull: all entries are whole payloads. A padded answer always has
/// this length.
pub const PADDED_ANSWER_BYTES: usize = 2 + PULL_ENTRIES * (2 + WireProfile::CURRENT.payload_bytes);

/// A client's request.
#[derive(Clone, Debug)]
pub enum PullRequest {
    /// `00 01`, address: open an account, or say its token again.
    Register {
        /// The client's key.
        address: PublicKey,
    },
    /// `01 00`, address, token: hand out what waits.
    Pull {
        /// The client's key.
        address: PublicKey,
        /// The token of its account.
        token: Token,
    },
}

/// Bytes are no request, and no further ones make them one. The original's answer is its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", PullError::InvalidRequest)]
pub struct InvalidRequest;

impl PullRequest {
    /// The request that these bytes are, or nothing if they are only the beginning of one.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, InvalidRequest> {
        let Some((prefix, body)) = bytes.split_first_chunk::<PREFIX_BYTES>() else {
            let begins = [REGISTER_PREFIX, PULL_PREFIX].iter().any(|p| p.starts_with(bytes));
            return if begins { Ok(None) } else { Err(InvalidRequest) };
        };
        let length = match *prefix {
            REGISTER_PREFIX => REGISTER_BYTES,
            PULL_PREFIX => PULL_BYTES,
            _ => return Err(InvalidRequest),
        };
        if bytes.len() > length {
            return Err(InvalidRequest);
        }
        let Some((address, rest)) = body.split_first_chunk() else { return Ok(None) };
        let address = PublicKey::from_bytes(*address);
        if *prefix == REGISTER_PREFIX {
            return Ok(Some(Self::Register { address }));
        }
        let token = rest.first_chunk().copied().map(Token);
        Ok(token.map(|token| Self::Pull { address, token }))
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Register { address } => [&REGISTER_PREFIX[..], address.as_bytes()].concat(),
            Self::Pull { address, token } => {
                [&PULL_PREFIX[..], address.as_bytes(), &token.0].concat()
            }
        }
    }
}

/// An error, which is answered as bare text: the original's name for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PullError {
    /// Neither of the two requests.
    #[error("InvalidRequest")]
    InvalidRequest,
    /// Not the token of that address, or nobody has registered the address.
    #[error("InvalidToken")]
    InvalidToken,
    /// The provider cannot. The original told errors of its disk this way.
    #[error("IOError({0:?})")]
    Io(String),
}

impl PullError {
    /// The answer: its text. A space follows if it would be as long as a token, which the client of a
    /// register would take it for.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.to_string().into_bytes();
        if bytes.len() == TOKEN_BYTES {
            bytes.push(b' ');
        }
        bytes
    }
}

/// The answer to a pull: the number of entries and the length of each, 2 bytes big-endian, then the
/// entries. Places that `waiting` leaves are filled with dummies. With `pad`, zeros follow until the
/// answer has [`PADDED_ANSWER_BYTES`].
///
/// Takes the first [`PULL_ENTRIES`], of which none may be longer than a payload.
pub fn encode_pull_answer(waiting: &[&[u8]], pad: bool) -> Vec<u8> {
    let filled = waiting.iter().copied().chain(std::iter::repeat(DUMMY_ENTRY));
    let entries: Vec<&[u8]> = filled.take(PULL_ENTRIES).collect();
    debug_assert!(
        entries.iter().all(|entry| entry.len() <= WireProfile::CURRENT.payload_bytes),
        "payloads have one length"
    );
    let mut bytes = encode_entries(&entries);
    if pad {
        bytes.resize(PADDED_ANSWER_BYTES, 0);
    }
    bytes
}

/// The number of entries and the length of each, 2 bytes big-endian, then the entries. There may be
/// 65 535, each of at most as many bytes.
pub fn encode_entries(entries: &[&[u8]]) -> Vec<u8> {
    let content: usize = entries.iter().map(|entry| entry.len()).sum();
    let mut bytes = Vec::with_capacity(2 + 2 * entries.len() + content);
    bytes.extend_from_slice(&length(entries.len()));
    for entry in entries {
        bytes.extend_from_slice(&length(entry.len()));
    }
    for entry in entries {
        bytes.extend_from_slice(entry);
    }
    bytes
}

fn length(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("shorter than 64 KiB").to_be_bytes()
}

/// Bytes are no answer to a pull; they may be the text of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PullAnswerError {
    /// Fewer bytes than their lengths say.
    #[error("an answer to a pull ends after {0} bytes, before its last entry does")]
    TooShort(usize),
    /// Something else than padding behind the entries.
    #[error("an answer to a pull goes on after its last entry")]
    Trailing,
}

/// The entries of an answer to a pull, dummies included.
pub fn decode_pull_answer(bytes: &[u8]) -> Result<Vec<&[u8]>, PullAnswerError> {
    let too_short = PullAnswerError::TooShort(bytes.len());
    let (count, rest) = bytes.split_first_chunk().ok_or(too_short)?;
    let count = usize::from(u16::from_be_bytes(*count));
    let (lengths, mut rest) = rest.split_at_checked(2 * count).ok_or(too_short)?;
    let mut entries = Vec::with_capacity(count);
    for length in lengths.as_chunks().0 {
        let entry = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)));
        let (entry, behind) = entry.ok_or(too_short)?;
        entries.push(entry);
        rest = behind;
    }
    if rest.iter().any(|&byte| byte != 0) {
        return Err(PullAnswerError::Trailing);
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADDRESS: PublicKey = PublicKey::from_bytes([7; 32]);

    #[test]
    fn golden_requests() {
        let register = PullRequest::Register { address: ADDRESS }.encode();
        assert_eq!(register, [&[0, 1][..], &[7; 32]].concat());
        let pull = PullRequest::Pull { address: ADDRESS, token: Token([9; 32]) }.encode();
        assert_eq!(pull, [&[1, 0][..], &[7; 32], &[9; 32]].concat());
        assert_eq!((register.len(), pull.len()), (34, 66));
        let decoded = PullRequest::decode(&register);
        assert!(matches!(decoded, Ok(Some(PullRequest::Register { address: ADDRESS }))));
        let decoded = PullRequest::decode(&pull);
        assert!(matches!(
            decoded,
            Ok(Some(PullRequest::Pull { address: ADDRESS, token: Token(token) })) if token == [9; 32]
        ));
        for request in [register, pull] {
            for part in 0..request.len() {
                let decoded = PullRequest::decode(&request[..part]);
                assert!(matches!(decoded, Ok(None)), "the first {part} bytes");
            }
            let longer = [&request[..], &[0]].concat();
            assert!(PullRequest::decode(&longer).is_err());
            assert!(PullRequest::decode(&request.repeat(2)).is_err());
        }
        for bytes in [&[2][..], &[2, 2], &[0, 0], &[1, 1], b"GET / HTTP/1.1\r\n\r\n"] {
            assert!(PullRequest::decode(bytes).is_err(), "{bytes:?}");
        }
    }

    /// The answer that was recorded of the original: nothing waits.
    #[test]
    fn golden_answer() {
        let answer = encode_pull_answer(&[], false);
        assert_eq!(answer.len(), 377);
        assert_eq!(answer[..12], [0, 5, 0, 0x49, 0, 0x49, 0, 0x49, 0, 0x49, 0, 0x49]);
        assert_eq!(answer[12..], DUMMY_ENTRY.repeat(5));

        let waiting: Vec<&[u8]> = vec![b"hello", b""];
        let answer = encode_pull_answer(&waiting, false);
        assert_eq!(answer[..12], [0, 5, 0, 5, 0, 0, 0, 0x49, 0, 0x49, 0, 0x49]);
        assert_eq!(answer[12..], [b"hello", &DUMMY_ENTRY.repeat(3)[..]].concat());
    }

    #[test]
    fn errors_have_their_original_names_and_none_is_as_long_as_a_token() {
        assert_eq!(PullError::InvalidRequest.to_string(), "InvalidRequest");
        assert_eq!(PullError::InvalidToken.to_string(), "InvalidToken");
        let disk = PullError::Io("no \"space\" left".into());
        assert_eq!(disk.to_string(), r#"IOError("no \"space\" left")"#);
        assert_eq!(InvalidRequest.to_string(), PullError::InvalidRequest.to_string());
        for length in 0..60 {
            let disk = PullError::Io("x".repeat(length)).encode();
            assert!(disk.starts_with(b"IOError(") && disk.len() != TOKEN_BYTES, "{length}");
        }
    }

    #[test]
    fn answers_that_promise_more_than_they_have_are_refused() {
        for bytes in [&[][..], &[0], &[0, 1], &[0xff, 0xff, 0], &[0, 1, 0, 2, 7]] {
            let expected = Err(PullAnswerError::TooShort(bytes.len()));
            assert_eq!(decode_pull_answer(bytes), expected, "{bytes:?}");
        }
        assert_eq!(decode_pull_answer(&[0, 1, 0, 1, 7, 8]), Err(PullAnswerError::Trailing));
        assert_eq!(decode_pull_answer(&[0, 0]), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn any_entries_survive_and_a_padded_answer_has_one_length(
            waiting in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=2048), 0..8),
            pad: bool,
        ) {
            let waiting: Vec<&[u8]> = waiting.iter().map(Vec::as_slice).collect();
            let answer = encode_pull_answer(&waiting, pad);
            let entries = decode_pull_answer(&answer).expect("an answer");
            prop_assert_eq!(entries.len(), PULL_ENTRIES);
            let taken = waiting.len().min(PULL_ENTRIES);
            prop_assert_eq!(&entries[..taken], &waiting[..taken]);
            prop_assert!(entries[taken..].iter().all(|entry| *entry == DUMMY_ENTRY));
            if pad {
                prop_assert_eq!(answer.len(), PADDED_ANSWER_BYTES);
            }
        }

        #[test]
        fn any_bytes_are_a_request_the_beginning_of_one_or_an_error(bytes: Vec<u8>) {
            if let Ok(Some(request)) = PullRequest::decode(&bytes) {
                prop_assert_eq!(request.encode(), bytes);
            }
        }

        #[test]
        fn any_bytes_are_an_answer_or_an_error(bytes: Vec<u8>) {
            if let Ok(entries) = decode_pull_answer(&bytes) {
                let read = entries.iter().map(|entry| 2 + entry.len()).sum::<usize>() + 2;
                prop_assert!(read <= bytes.len());
            }
        }
    }
}
