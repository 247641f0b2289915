//! A message on its way out: which of its fragments are done, underway, or were never sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use contract::Time;
use wire::{Kind, MessageId, NodeAddress, PublicKey, ReplyBlock};

use super::lanes::LaneKey;
use super::{Awaited, Destination, To};

/// Something that has to be there, so that a packet can be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way<'a> {
    /// The provider of the recipient.
    Provider(&'a PublicKey),
    /// The first hop of a reply block.
    FirstHop(&'a NodeAddress),
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) to: Destination,
    pub(super) kind: Kind,
    pub(super) data: Bytes,
    pub(super) count: u32,
    /// Fragments from here on were never sent.
    pub(super) fresh: u32,
    /// Fragments before that which are not done.
    pub(super) underway: BTreeMap<u32, Piece>,
    /// Fragments that were acknowledged before this process began.
    pub(super) done_before: BTreeSet<u32>,
    pub(super) since: Time,
}

#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Of each attempt. The last is awaited, unless the fragment waits for its slot.
    pub(super) awaited: Vec<Awaited>,
    pub(super) waits_for_slot: bool,
}

impl Piece {
    /// How often it was sent.
    pub(super) fn attempts(&self) -> u32 {
        u32::try_from(self.awaited.len()).expect("at most MAX_ATTEMPTS")
    }
}

impl Message {
    /// The first fragment that was never sent and is not done, if there is one.
    pub(super) fn first_fresh(&self) -> Option<u32> {
        (self.fresh..self.count).find(|index| !self.done_before.contains(index))
    }

    /// Fragments that wait for a slot for the first time.
    pub(super) fn fresh_left(&self) -> usize {
        let done = self.done_before.range(self.fresh..).count();
        (self.count - self.fresh) as usize - done
    }

    pub(super) fn is_done(&self) -> bool {
        self.underway.is_empty() && self.fresh_left() == 0
    }

    /// Whether another fragment can go again, those counted that wait already.
    pub(super) fn has_way_for_one_more(&self) -> bool {
        match &self.to {
            Destination::Address(_) => true,
            Destination::Blocks(blocks) => {
                let again = self.underway.values().filter(|piece| piece.waits_for_slot).count();
                blocks.len() > self.fresh_left() + again
            }
        }
    }

    pub(super) fn lane(&self, id: MessageId) -> LaneKey {
        match &self.to {
            Destination::Address(address) => LaneKey::Provider(address.provider),
            Destination::Blocks(_) => LaneKey::Reply(id),
        }
    }

    /// Whether a reply has fewer blocks than packets that were never sent: a process that was killed may
    /// have used them without noting what became of the packets.
    pub(super) fn lacks_blocks(&self) -> bool {
        match &self.to {
            Destination::Address(_) => false,
            Destination::Blocks(blocks) => blocks.len() < self.fresh_left(),
        }
    }

    /// Whether a packet of it can be sent.
    pub(super) fn is_open(&self, is_there: impl Fn(Way<'_>) -> bool) -> bool {
        match &self.to {
            Destination::Address(address) => is_there(Way::Provider(&address.provider)),
            Destination::Blocks(blocks) => usable(blocks, is_there).is_some(),
        }
    }

    pub(super) fn to(&self, is_there: impl Fn(Way<'_>) -> bool) -> Option<To> {
        match &self.to {
            Destination::Address(address) => {
                is_there(Way::Provider(&address.provider)).then_some(To::Client(*address))
            }
            Destination::Blocks(blocks) => usable(blocks, is_there)
                .map(|(number, block)| To::Block(*number, Box::new(block.clone()))),
        }
    }
}

/// The first block whose first hop is there.
fn usable(
    blocks: &VecDeque<(u8, ReplyBlock)>,
    is_there: impl Fn(Way<'_>) -> bool,
) -> Option<&(u8, ReplyBlock)> {
    blocks.iter().find(|(_, block)| is_there(Way::FirstHop(&block.first_hop)))
}
