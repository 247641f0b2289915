//! The data of a whole message: reply blocks, if it carries any, and the content.
//!
//! A [`Kind::Message`] is its content. A [`Kind::MessageWithReplies`] is:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | number of reply blocks, at most 64 |
//! | 480 each | the [reply blocks](ReplyBlock) |
//! | rest | the content |

use crate::{Kind, ReplyBlock, ReplyBlockError};

/// Most reply blocks of a message: a recipient that answers as long as it has any can send a hundred
/// kilobytes, and the blocks take no more than twenty packets.
pub const MAX_REPLY_BLOCKS: usize = 64;

/// A message, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// With which the recipient can answer, in the order in which they are counted from 0.
    pub reply_blocks: Vec<ReplyBlock>,
    /// What the sender wanted to say: a part of the message's data.
    pub bytes: &'a [u8],
}

/// Bytes are not the data of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Cover has no content.
    #[error("a cover packet is not a message")]
    Cover,
    /// More reply blocks than a message carries.
    #[error("a message has {0} reply blocks, at most {MAX_REPLY_BLOCKS}")]
    TooMany(usize),
    /// It ends before its last reply block does.
    #[error("a message has {bytes} bytes, too few for the {blocks} reply blocks that it claims")]
    TooShort {
        /// Bytes of the message.
        bytes: usize,
        /// What its first byte says.
        blocks: usize,
    },
    /// A message of the kind with reply blocks has no bytes at all.
    #[error("a message with reply blocks does not say how many they are")]
    Empty,
    /// A reply block makes no sense.
    #[error("reply block {number}: {error}")]
    Block {
        /// Which, from 0.
        number: usize,
        /// What is wrong with it.
        error: ReplyBlockError,
    },
}

impl<'a> Content<'a> {
    /// The data of a [`Kind::MessageWithReplies`], in one allocation. Without reply blocks a
    /// [`Kind::Message`] needs no such data.
    pub fn encode(reply_blocks: &[ReplyBlock], bytes: &[u8]) -> Result<Vec<u8>, ContentError> {
        let too_many = ContentError::TooMany(reply_blocks.len());
        let count = u8::try_from(reply_blocks.len()).map_err(|_| too_many)?;
        if reply_blocks.len() > MAX_REPLY_BLOCKS {
            return Err(too_many);
        }
        let mut data = Vec::with_capacity(Self::encoded_bytes(reply_blocks.len(), bytes.len()));
        data.push(count);
        for block in reply_blocks {
            block.encode_to(&mut data);
        }
        data.extend_from_slice(bytes);
        Ok(data)
    }

    /// How long the data of a [`Kind::MessageWithReplies`] is.
    pub const fn encoded_bytes(reply_blocks: usize, bytes: usize) -> usize {
        1 + reply_blocks * ReplyBlock::BYTES + bytes
    }

    /// Takes the data of a message of this kind apart.
    pub fn decode(kind: Kind, data: &'a [u8]) -> Result<Self, ContentError> {
        match kind {
            Kind::Message => return Ok(Self { reply_blocks: Vec::new(), bytes: data }),
            Kind::MessageWithReplies => {}
            Kind::LoopCover => return Err(ContentError::Cover),
        }
        let (&count, rest) = data.split_first().ok_or(ContentError::Empty)?;
        let count = usize::from(count);
        if count > MAX_REPLY_BLOCKS {
            return Err(ContentError::TooMany(count));
        }
        let (blocks, bytes) = rest
            .split_at_checked(count * ReplyBlock::BYTES)
            .ok_or(ContentError::TooShort { bytes: data.len(), blocks: count })?;
        let decode = |(number, block): (usize, &[u8])| {
            ReplyBlock::decode(block).map_err(|error| ContentError::Block { number, error })
        };
        let reply_blocks =
            blocks.chunks(ReplyBlock::BYTES).enumerate().map(decode).collect::<Result<_, _>>()?;
        Ok(Self { reply_blocks, bytes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reply::tests::block;

    #[test]
    fn golden_bytes() {
        let blocks = [block(4, 1), block(5, 2)];
        let data = Content::encode(&blocks, b"hi").expect("few blocks");
        assert_eq!(data, [&[2][..], &blocks[0].encode(), &blocks[1].encode(), b"hi"].concat());
        assert_eq!(data.capacity(), data.len(), "one allocation");
        let content = Content { reply_blocks: blocks.to_vec(), bytes: b"hi" };
        assert_eq!(Content::decode(Kind::MessageWithReplies, &data), Ok(content));
        let content = Content { reply_blocks: vec![], bytes: &data };
        assert_eq!(Content::decode(Kind::Message, &data), Ok(content));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let decode = |data| Content::decode(Kind::MessageWithReplies, data);
        assert_eq!(Content::decode(Kind::LoopCover, b""), Err(ContentError::Cover));
        assert_eq!(decode(b""), Err(ContentError::Empty));
        assert_eq!(decode(&[1; 480]), Err(ContentError::TooShort { bytes: 480, blocks: 1 }));
        let many = [65; ReplyBlock::BYTES].repeat(66);
        assert_eq!(decode(&many), Err(ContentError::TooMany(65)));
        let mut data = Content::encode(&[block(4, 1), block(4, 2)], b"").expect("few blocks");
        data[1 + 480] = 0;
        let error = ReplyBlockError::FirstHop(crate::AddressError::Family(0));
        assert_eq!(decode(&data), Err(ContentError::Block { number: 1, error }));

        let most = vec![block(5, 1); MAX_REPLY_BLOCKS];
        let data = Content::encode(&most, b"hi").expect("not too many");
        assert_eq!(decode(&data).expect("own bytes").reply_blocks, most);
        for count in [MAX_REPLY_BLOCKS + 1, 256] {
            let encoded = Content::encode(&vec![block(5, 1); count], b"hi");
            assert_eq!(encoded, Err(ContentError::TooMany(count)));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_an_error(
            count in prop_oneof![0..4_u8, any::<u8>()],
            blocks in prop::collection::vec((1..=5_usize, any::<u8>()), 0..4),
            rest: Vec<u8>,
        ) {
            let blocks = blocks.into_iter().flat_map(|(hops, fill)| block(hops, fill).encode());
            let data: Vec<u8> = [count].into_iter().chain(blocks).chain(rest).collect();
            if let Ok(content) = Content::decode(Kind::MessageWithReplies, &data) {
                prop_assert_eq!(content.reply_blocks.len(), usize::from(count));
                prop_assert_eq!(Content::encode(&content.reply_blocks, content.bytes), Ok(data));
            }
        }
    }
}
