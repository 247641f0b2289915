//! Messages in pieces: what is inside the sealed part of a packet.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | kind |
//! | 16 | message id |
//! | 4 + 4 | fragment index from 0, fragment count (big-endian) |
//! | 2 + 1589 | length of the data (big-endian), data, zero-padded |

use std::fmt;

use crate::{FRAGMENT_DATA_BYTES, INNER_BYTES, MAX_REPLY_BLOCKS, ReplyBlock};

/// Most bytes of a message's data: a content of 16 MiB, and as many reply blocks as there may be with
/// the byte that counts them.
const MAX_DATA_BYTES: usize = (16 << 20) + 1 + MAX_REPLY_BLOCKS * ReplyBlock::BYTES;

/// Most fragments of a message.
pub const MAX_FRAGMENTS: u32 = 10_578;
const _: () = assert!(MAX_FRAGMENTS as usize == MAX_DATA_BYTES.div_ceil(FRAGMENT_DATA_BYTES));

/// A message's id: random, the same in all its fragments.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 16]);

impl fmt::Display for MessageId {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a packet is, as only its recipient can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A fragment of a message.
    Message,
    /// Cover that its sender sent to itself.
    LoopCover,
    /// A fragment of a message in front of whose content stand reply blocks, see
    /// [`Content`](crate::Content).
    MessageWithReplies,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Message => 1,
            Self::LoopCover => 2,
            Self::MessageWithReplies => 3,
        }
    }

    const fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Message),
            2 => Some(Self::LoopCover),
            3 => Some(Self::MessageWithReplies),
            _ => None,
        }
    }
}

/// A piece of a message, or a cover packet's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// What it is.
    pub kind: Kind,
    /// Which message it is of.
    pub message: MessageId,
    /// Which piece, from 0.
    pub index: u32,
    /// How many pieces there are, at least 1.
    pub count: u32,
    /// The data, at most [`FRAGMENT_DATA_BYTES`].
    pub data: Vec<u8>,
}

/// Bytes are not a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FragmentError {
    /// Not of the one length that there is.
    #[error("a fragment has {0} bytes, expected {INNER_BYTES}")]
    Length(usize),
    /// An unknown kind.
    #[error("a fragment is of the unknown kind {0}")]
    Kind(u8),
    /// An index outside the count, or a count outside the bounds.
    #[error("a fragment is number {index} of {count}, at most {MAX_FRAGMENTS}")]
    Index {
        /// The index.
        index: u32,
        /// The count.
        count: u32,
    },
    /// The data is longer than a fragment.
    #[error("a fragment claims {0} bytes of data, at most {FRAGMENT_DATA_BYTES}")]
    DataLength(usize),
    /// Bytes after the data are not zero.
    #[error("a fragment is not padded with zeros")]
    Padding,
    /// A message's fragments are not all full.
    #[error("fragment {0} is not the last and not full")]
    NotFull(u32),
}

impl Fragment {
    /// One fragment out of a message's whole data, for a sender that keeps the data once and cuts what
    /// it is about to send; none if the message has no such fragment or is too long.
    pub fn of(kind: Kind, message: MessageId, data: &[u8], index: u32) -> Option<Self> {
        let count = fragment_count(data.len()).filter(|&count| index < count)?;
        let begin = index as usize * FRAGMENT_DATA_BYTES;
        let end = data.len().min(begin + FRAGMENT_DATA_BYTES);
        Some(Self { kind, message, index, count, data: data[begin..end].to_vec() })
    }

    /// Its bytes: [`INNER_BYTES`].
    pub fn encode(&self) -> Vec<u8> {
        debug_assert!(self.data.len() <= FRAGMENT_DATA_BYTES, "of() makes no longer ones");
        let length = u16::try_from(self.data.len()).expect("at most 1589");
        let mut bytes = Vec::with_capacity(INNER_BYTES);
        bytes.push(self.kind.byte());
        bytes.extend_from_slice(&self.message.0);
        bytes.extend_from_slice(&self.index.to_be_bytes());
        bytes.extend_from_slice(&self.count.to_be_bytes());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.data);
        bytes.resize(INNER_BYTES, 0);
        bytes
    }

    /// Takes the bytes apart.
    pub fn decode(bytes: &[u8]) -> Result<Self, FragmentError> {
        let wrong_length = FragmentError::Length(bytes.len());
        if bytes.len() != INNER_BYTES {
            return Err(wrong_length);
        }
        let (&kind, rest) = bytes.split_first().ok_or(wrong_length)?;
        let (message, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (index, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (count, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (length, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (index, count) = (u32::from_be_bytes(*index), u32::from_be_bytes(*count));
        let length = usize::from(u16::from_be_bytes(*length));

        let kind = Kind::of_byte(kind).ok_or(FragmentError::Kind(kind))?;
        if index >= count || count > MAX_FRAGMENTS {
            return Err(FragmentError::Index { index, count });
        }
        let (data, padding) =
            rest.split_at_checked(length).ok_or(FragmentError::DataLength(length))?;
        if padding.iter().any(|&byte| byte != 0) {
            return Err(FragmentError::Padding);
        }
        if index + 1 < count && data.len() < FRAGMENT_DATA_BYTES {
            return Err(FragmentError::NotFull(index));
        }
        Ok(Self { kind, message: MessageId(*message), index, count, data: data.to_vec() })
    }
}

/// How many fragments carry so many bytes of data; none if [`MAX_FRAGMENTS`] do not. Without data
/// there is one empty fragment.
pub fn fragment_count(bytes: usize) -> Option<u32> {
    let count = u32::try_from(bytes.div_ceil(FRAGMENT_DATA_BYTES)).ok()?.max(1);
    (count <= MAX_FRAGMENTS).then_some(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: MessageId = MessageId([0xab; 16]);

    /// All fragments of a message.
    fn split(data: &[u8]) -> Vec<Fragment> {
        let count = fragment_count(data.len()).expect("not too long");
        let fragment = |index| Fragment::of(Kind::Message, ID, data, index).expect("one of them");
        (0..count).map(fragment).collect()
    }

    #[test]
    fn golden_bytes() {
        let [fragment] = split(b"hi").try_into().expect("one");
        let bytes = fragment.encode();
        assert_eq!(bytes.len(), INNER_BYTES);
        assert_eq!(bytes[0], 1);
        assert_eq!(bytes[1..17], [0xab; 16]);
        assert_eq!(bytes[17..30], [0, 0, 0, 0, 0, 0, 0, 1, 0, 2, b'h', b'i', 0]);
        for (byte, kind) in
            [(1, Kind::Message), (2, Kind::LoopCover), (3, Kind::MessageWithReplies)]
        {
            let fragment = Fragment { kind, ..fragment.clone() };
            assert_eq!(fragment.encode()[0], byte);
            assert_eq!(Fragment::decode(&fragment.encode()), Ok(fragment));
        }
    }

    #[test]
    fn a_message_has_as_many_fragments_as_its_data_needs() {
        let longest = MAX_FRAGMENTS as usize * FRAGMENT_DATA_BYTES;
        let counts = [(0, 1), (1, 1), (975, 1), (1589, 1), (1590, 2), (20_000, 13)];
        for (bytes, count) in counts.into_iter().chain([(16 << 20, 10_559), (longest, 10_578)]) {
            assert_eq!(fragment_count(bytes), Some(count), "{bytes} bytes");
        }
        assert_eq!(fragment_count(longest + 1), None);
        assert_eq!(fragment_count(usize::MAX), None);

        let data: Vec<u8> = (0..=255).cycle().take(2 * FRAGMENT_DATA_BYTES + 1).collect();
        let fragment = |data, index| Fragment::of(Kind::Message, ID, data, index);
        let last = fragment(&data, 2).expect("the last");
        assert_eq!((last.index, last.count, &last.data[..]), (2, 3, &data[data.len() - 1..]));
        assert_eq!(fragment(&data, 3), None);
        assert_eq!(fragment(&vec![0; longest + 1], 0), None);
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        let good = split(b"hi").remove(0).encode();
        let broken = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            Fragment::decode(&bytes).expect_err("refused")
        };
        assert_eq!(Fragment::decode(&good[1..]), Err(FragmentError::Length(INNER_BYTES - 1)));
        assert_eq!(broken(0, 0), FragmentError::Kind(0));
        assert_eq!(broken(20, 1), FragmentError::Index { index: 1, count: 1 });
        assert_eq!(broken(21, 1), FragmentError::Index { index: 0, count: (1 << 24) + 1 });
        assert_eq!(broken(25, 255), FragmentError::DataLength(255 * 256 + 2));
        assert_eq!(broken(1000, 1), FragmentError::Padding);
        assert_eq!(broken(24, 2), FragmentError::NotFull(0));
    }

    proptest! {
        #[test]
        fn fragments_are_the_data_in_pieces(
            data in prop::collection::vec(any::<u8>(), 0..9000),
        ) {
            let mut together = Vec::new();
            for fragment in split(&data) {
                let again = Fragment::decode(&fragment.encode());
                prop_assert_eq!(again.as_ref(), Ok(&fragment));
                together.extend(fragment.data);
            }
            prop_assert_eq!(together, data);
        }

        #[test]
        fn any_bytes_are_a_fragment_or_an_error(mut bytes in prop::collection::vec(any::<u8>(), 30)) {
            bytes.resize(INNER_BYTES, 0);
            if let Ok(fragment) = Fragment::decode(&bytes) {
                prop_assert_eq!(fragment.encode(), bytes);
            }
        }
    }
}
