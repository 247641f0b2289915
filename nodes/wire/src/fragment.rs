//! Messages in pieces: what is inside the sealed part of a packet.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | kind |
//! | 16 | message id |
//! | 4 + 4 | fragment index from 0, fragment count (big-endian) |
//! | 2 + 1589 | length of the data (big-endian), data, zero-padded |

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;

use crate::{FRAGMENT_DATA_BYTES, INNER_BYTES};

/// Most fragments of a message: one MiB.
pub const MAX_FRAGMENTS: u32 = 660;

/// Incomplete messages that a reassembler keeps; beyond, the one that waited longest is dropped.
const MAX_INCOMPLETE: usize = 64;

/// Bytes of incomplete messages that a reassembler keeps; beyond, the oldest are dropped.
const MAX_INCOMPLETE_BYTES: usize = 32 << 20;

/// Completed messages that a reassembler remembers, so that a retransmission does not deliver twice.
const MAX_REMEMBERED: usize = 4096;

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
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Message => 1,
            Self::LoopCover => 2,
        }
    }

    const fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Message),
            2 => Some(Self::LoopCover),
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
    /// The fragment says another count than its message's first one.
    #[error("a fragment says that its message has {found} fragments, an earlier one said {known}")]
    CountChanged {
        /// What it says.
        found: u32,
        /// What an earlier one said.
        known: u32,
    },
    /// A message's fragments are not all full.
    #[error("fragment {0} is not the last and not full")]
    NotFull(u32),
}

impl Fragment {
    /// Its bytes: [`INNER_BYTES`].
    pub fn encode(&self) -> Vec<u8> {
        debug_assert!(self.data.len() <= FRAGMENT_DATA_BYTES, "split() makes no longer ones");
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

/// The fragments of a message; none if it is longer than [`MAX_FRAGMENTS`] carry. An empty message
/// is one empty fragment.
pub fn split(message: MessageId, data: &[u8]) -> Option<Vec<Fragment>> {
    let count = u32::try_from(data.len().div_ceil(FRAGMENT_DATA_BYTES).max(1)).ok()?;
    if count > MAX_FRAGMENTS {
        return None;
    }
    let fragment = |(index, data): (u32, &[u8])| Fragment {
        kind: Kind::Message,
        message,
        index,
        count,
        data: data.to_vec(),
    };
    if data.is_empty() {
        return Some(vec![fragment((0, data))]);
    }
    Some((0..).zip(data.chunks(FRAGMENT_DATA_BYTES)).map(fragment).collect())
}

/// What a fragment did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reassembly {
    /// Its message is not complete.
    Incomplete,
    /// It was there already, or its message was delivered before.
    Duplicate,
    /// It completed its message.
    Complete {
        /// The message's id.
        message: MessageId,
        /// The whole of it.
        data: Vec<u8>,
    },
}

/// Puts messages together again, each once, whatever the order and however often their fragments
/// arrive. Bounded: hostile fragments push out older incomplete messages and nothing else.
#[derive(Debug, Default)]
pub struct Reassembler {
    incomplete: HashMap<MessageId, Incomplete>,
    /// Ids of incomplete messages, in the order of their first fragment.
    order: VecDeque<MessageId>,
    bytes: usize,
    delivered: HashSet<MessageId>,
    delivered_order: VecDeque<MessageId>,
}

#[derive(Debug)]
struct Incomplete {
    count: u32,
    pieces: BTreeMap<u32, Vec<u8>>,
}

impl Reassembler {
    /// Takes a fragment of a message.
    pub fn take(&mut self, fragment: Fragment) -> Result<Reassembly, FragmentError> {
        let Fragment { message, index, count, data, .. } = fragment;
        if self.delivered.contains(&message) {
            return Ok(Reassembly::Duplicate);
        }
        let entry = self.incomplete.entry(message).or_insert_with(|| {
            self.order.push_back(message);
            Incomplete { count, pieces: BTreeMap::new() }
        });
        if entry.count != count {
            return Err(FragmentError::CountChanged { found: count, known: entry.count });
        }
        if entry.pieces.contains_key(&index) {
            return Ok(Reassembly::Duplicate);
        }
        self.bytes += data.len();
        entry.pieces.insert(index, data);
        if entry.pieces.len() < count as usize {
            self.forget_beyond_bounds(message);
            return Ok(Reassembly::Incomplete);
        }
        let data = self.remove(message);
        self.remember(message);
        Ok(Reassembly::Complete { message, data })
    }

    fn remove(&mut self, message: MessageId) -> Vec<u8> {
        self.order.retain(|&id| id != message);
        let pieces = self.incomplete.remove(&message).map(|entry| entry.pieces);
        let data: Vec<u8> = pieces.into_iter().flatten().flat_map(|(_, piece)| piece).collect();
        self.bytes -= data.len();
        data
    }

    fn remember(&mut self, message: MessageId) {
        self.delivered.insert(message);
        self.delivered_order.push_back(message);
        if self.delivered_order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.delivered_order.pop_front()
        {
            self.delivered.remove(&oldest);
        }
    }

    fn forget_beyond_bounds(&mut self, newest: MessageId) {
        while self.order.len() > MAX_INCOMPLETE || self.bytes > MAX_INCOMPLETE_BYTES {
            let Some(&oldest) = self.order.iter().find(|&&id| id != newest) else { break };
            self.remove(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: MessageId = MessageId([0xab; 16]);

    #[test]
    fn golden_bytes() {
        let [fragment] = split(ID, b"hi").expect("short").try_into().expect("one");
        let bytes = fragment.encode();
        assert_eq!(bytes.len(), INNER_BYTES);
        assert_eq!(bytes[0], 1);
        assert_eq!(bytes[1..17], [0xab; 16]);
        assert_eq!(bytes[17..30], [0, 0, 0, 0, 0, 0, 0, 1, 0, 2, b'h', b'i', 0]);
        assert_eq!(Fragment::decode(&bytes), Ok(fragment));
    }

    #[test]
    fn the_originals_longest_message_is_one_packet_and_20_kb_are_13() {
        assert_eq!(split(ID, &[0; 975]).expect("short").len(), 1);
        assert_eq!(split(ID, &vec![0; 20_000]).expect("short").len(), 13);
        assert_eq!(split(ID, &[]).expect("short").len(), 1);
        assert!(split(ID, &vec![0; MAX_FRAGMENTS as usize * FRAGMENT_DATA_BYTES + 1]).is_none());
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        let good = split(ID, b"hi").expect("short").remove(0).encode();
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

    #[test]
    fn a_flood_of_incomplete_messages_pushes_out_the_oldest_only() {
        let mut reassembler = Reassembler::default();
        let piece = |number: u8, index| Fragment {
            kind: Kind::Message,
            message: MessageId([number; 16]),
            index,
            count: 2,
            data: vec![number; FRAGMENT_DATA_BYTES],
        };
        for number in 0..=64 {
            assert_eq!(reassembler.take(piece(number, 0)), Ok(Reassembly::Incomplete));
        }
        assert_eq!(reassembler.take(piece(0, 1)), Ok(Reassembly::Incomplete), "0 was forgotten");
        assert!(matches!(reassembler.take(piece(64, 1)), Ok(Reassembly::Complete { .. })));
        assert_eq!(
            reassembler.take(Fragment { count: 3, ..piece(7, 1) }),
            Err(FragmentError::CountChanged { found: 3, known: 2 })
        );
    }

    proptest! {
        #[test]
        fn a_message_survives_any_order_and_repetition(
            data in prop::collection::vec(any::<u8>(), 0..9000),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let fragments = split(ID, &data).expect("short");
            let mut reassembler = Reassembler::default();
            let mut complete = Vec::new();
            let shuffled = order.iter().map(|index| index.get(&fragments));
            for fragment in shuffled.chain(&fragments) {
                let again = Fragment::decode(&fragment.encode()).expect("own bytes");
                if let Reassembly::Complete { data, .. } = reassembler.take(again).expect("own") {
                    complete.push(data);
                }
            }
            prop_assert_eq!(complete, vec![data]);
            prop_assert_eq!(reassembler.bytes, 0);
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
