//! What happens to a message before it waits for its slots: it gets room, and reply blocks if it
//! carries any.

use bytes::Bytes;
use contract::{MAX_MESSAGE_BYTES, Time};
use rand::{CryptoRng, RngExt};
use wire::{ClientAddress, Content, Identifier, Kind, MAX_REPLY_BLOCKS, MessageId, ReplyBlock};

use super::{CannotBuild, Client, Outgoing};
use crate::outbox::{Destination, Room, SendError};

/// A message that can be kept, and then sent.
#[derive(Debug)]
pub struct Composed {
    /// Whether reply blocks stand in front of its content.
    pub kind: Kind,
    /// What is cut into fragments.
    pub data: Bytes,
    /// Identifiers of its reply blocks: replies come with them.
    pub reply_identifiers: Vec<Identifier>,
    /// To be given back.
    pub room: Room,
}

/// A message is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// It has no room.
    #[error(transparent)]
    Room(#[from] SendError),
    /// More reply blocks than a message carries.
    #[error("a message carries at most {MAX_REPLY_BLOCKS} reply blocks, {0} are too many")]
    TooManyReplyBlocks(usize),
    /// Replies would have no way back.
    #[error("no reply block can be made: {0}")]
    NoWayBack(String),
}

impl Client {
    /// Makes room for a message, and reply blocks that lead back to this client.
    pub fn compose(
        &mut self,
        rng: &mut impl CryptoRng,
        content: Bytes,
        reply_blocks: usize,
    ) -> Result<Composed, ComposeError> {
        if content.len() > MAX_MESSAGE_BYTES {
            return Err(SendError::TooLong(content.len()).into());
        }
        if reply_blocks > MAX_REPLY_BLOCKS {
            return Err(ComposeError::TooManyReplyBlocks(reply_blocks));
        }
        if reply_blocks == 0 {
            let room = self.outbox.make_room(content.len())?;
            let reply_identifiers = Vec::new();
            return Ok(Composed { kind: Kind::Message, data: content, reply_identifiers, room });
        }
        // Room first: blocks are made for nothing if there is none.
        let room = self.outbox.make_room(Content::encoded_bytes(reply_blocks, content.len()))?;
        let (blocks, reply_identifiers) = match self.reply_blocks(rng, reply_blocks) {
            Ok(made) => made,
            Err(error) => {
                self.give_back(room);
                return Err(error);
            }
        };
        let data = Content::encode(&blocks, &content).expect("their number was just compared");
        Ok(Composed { kind: Kind::MessageWithReplies, data: data.into(), reply_identifiers, room })
    }

    /// Gives the room of a message back, which is kept now, or is not sent after all.
    pub fn give_back(&mut self, room: Room) {
        self.outbox.give_back(room);
    }

    /// Takes a message that is to be sent; says how many fragments it has, or none if there is nothing
    /// to do for it.
    pub fn enqueue(&mut self, now: Time, outgoing: Outgoing) -> Option<u32> {
        self.outbox.add(now, outgoing)
    }

    /// Whether a message waits to be sent, or for acknowledgements.
    pub fn is_underway(&self, message: MessageId) -> bool {
        self.outbox.contains(message)
    }

    /// Takes a message that nobody keeps: it is lost with the process. Returns its id and the number
    /// of its fragments.
    pub fn send(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        to: ClientAddress,
        content: Bytes,
    ) -> Result<(MessageId, u32), ComposeError> {
        let Composed { kind, data, room, .. } = self.compose(rng, content, 0)?;
        self.give_back(room);
        let message = MessageId(rng.random());
        let to = Destination::Address(to);
        let outgoing = Outgoing { message, to, kind, data, acknowledged: Vec::new() };
        let fragments = self.enqueue(now, outgoing).expect("it is new, and nothing of it is done");
        Ok((message, fragments))
    }

    fn reply_blocks(
        &mut self,
        rng: &mut impl CryptoRng,
        count: usize,
    ) -> Result<(Vec<ReplyBlock>, Vec<Identifier>), ComposeError> {
        let mut block = || {
            let identifier: Identifier = rng.random();
            let block = self.build_reply_block(rng, &identifier);
            let no_way = |error: CannotBuild| ComposeError::NoWayBack(error.to_string());
            Ok((block.map_err(no_way)?, identifier))
        };
        let made: Result<Vec<_>, ComposeError> = (0..count).map(|_| block()).collect();
        Ok(made?.into_iter().unzip())
    }
}
