//! Messages on their way out: which fragment goes next, which waits for its acknowledgement, which
//! goes again.

mod lanes;
mod message;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use contract::Time;
use wire::{
    ClientAddress, Fragment, Identifier, Kind, MessageId, NodeAddress, PublicKey, ReplyBlock,
    fragment_count,
};

use self::lanes::{Entry, LaneKey, Lanes};
pub(crate) use self::message::Way;
use self::message::{Message, Piece};

/// How often a fragment is sent before its message has failed. Where one of two mixnodes of a layer
/// loses everything, a packet and its acknowledgement come through once in four times, and one message
/// of a hundred fails; with a tenth of all packets lost, one of 10^11.
pub const MAX_ATTEMPTS: u32 = 16;

/// Most bytes of messages that wait or are underway: four of the longest.
pub const MAX_QUEUED_BYTES: usize = 4 * contract::MAX_MESSAGE_BYTES;

/// Most messages that wait or are underway: what is known of each is some hundred bytes.
pub const MAX_QUEUED_MESSAGES: usize = 1 << 17;

/// How long the provider of a recipient may be away before messages to it have failed, or the first
/// mixnodes of all blocks of a reply. A directory forgets a node ten seconds after its last sign;
/// whoever restarts one needs less than this.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// How often lanes are looked through for messages that have waited too long.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A message is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Longer than a message may be.
    #[error("the message has {0} bytes, at most {max} are accepted", max = contract::MAX_MESSAGE_BYTES)]
    TooLong(usize),
    /// Too much waits already.
    #[error(
        "the queue is full: {messages} messages with {bytes} bytes wait to be sent; try again when \
         some are"
    )]
    QueueFull {
        /// Messages that wait.
        messages: usize,
        /// Their bytes.
        bytes: usize,
    },
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To this client.
    Address(ClientAddress),
    /// To whoever made these reply blocks, each for one packet, with its number among those that came
    /// with the message.
    Blocks(VecDeque<(u8, ReplyBlock)>),
}

/// A message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its id.
    pub message: MessageId,
    /// Where to.
    pub to: Destination,
    /// Whether reply blocks stand in front of its content.
    pub kind: Kind,
    /// What is cut into fragments.
    pub data: Bytes,
    /// Fragments that are acknowledged already.
    pub acknowledged: Vec<u32>,
}

/// Room for a message.
#[derive(Debug)]
#[must_use = "room that is not given back is lost"]
pub struct Room(usize);

/// A fragment whose turn it is.
#[derive(Debug)]
pub(crate) struct Next {
    entry: Entry,
    pub(crate) fragment: Fragment,
    pub(crate) to: To,
    /// 1 for the first time.
    pub(crate) attempt: u32,
}

/// Where a fragment goes.
#[derive(Clone, Debug)]
pub(crate) enum To {
    Client(ClientAddress),
    Block(u8, Box<ReplyBlock>),
}

/// What a sent fragment waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Awaited {
    /// The acknowledgement.
    pub(crate) identifier: Identifier,
    /// When the fragment goes again without it.
    pub(crate) deadline: Time,
    /// The mixnodes that have to do their work for it, those of the way back included.
    pub(crate) mixnodes: Vec<NodeAddress>,
}

/// What an acknowledgement did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) message: MessageId,
    pub(crate) index: u32,
    /// Which attempt carried it, from 1.
    pub(crate) attempt: u32,
    /// Whether it was the message's last.
    pub(crate) finished: bool,
}

/// What missed acknowledgements did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Missed {
    /// Mixnodes of which one or more may have lost something.
    pub(crate) mixnodes: Vec<NodeAddress>,
    /// Messages that have failed with it.
    pub(crate) failed: Vec<(MessageId, Failure)>,
}

/// Why a message has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("not acknowledged after {MAX_ATTEMPTS} attempts")]
    Attempts,
    #[error("not acknowledged, and no reply block is left for another attempt")]
    Blocks,
    #[error("the provider {0} has not been in the directory for five minutes")]
    Provider(PublicKey),
    #[error("no mixnode to which its reply blocks lead has been in the directory for five minutes")]
    FirstHops,
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    messages: HashMap<MessageId, Message>,
    lanes: Lanes,
    /// Which fragment an acknowledgement is for. Kept until the fragment is done, so that a late one
    /// still counts.
    identifiers: HashMap<Identifier, (MessageId, u32)>,
    deadlines: BTreeSet<(Time, Identifier)>,
    /// Bytes of all messages, and of those for which room was made.
    bytes: usize,
    /// Messages for which room was made.
    expected: usize,
    /// Fragments that wait for a slot.
    queued: usize,
    /// When to look again for messages that have waited too long.
    look_again: Time,
}

impl Outbox {
    /// Makes room for a message with so many bytes, or says why there is none. To be
    /// [given back](Self::give_back) before the message is [added](Self::add), or in its place.
    pub(crate) fn make_room(&mut self, bytes: usize) -> Result<Room, SendError> {
        let messages = self.messages.len() + self.expected;
        let full = self.bytes > 0 && self.bytes + bytes > MAX_QUEUED_BYTES;
        if full || messages >= MAX_QUEUED_MESSAGES {
            return Err(SendError::QueueFull { messages, bytes: self.bytes });
        }
        self.bytes += bytes;
        self.expected += 1;
        Ok(Room(bytes))
    }

    /// Takes room back.
    pub(crate) fn give_back(&mut self, Room(bytes): Room) {
        self.bytes -= bytes;
        self.expected -= 1;
    }

    /// Takes a message. Says how many fragments wait with it; none if there is nothing to do for it.
    pub(crate) fn add(&mut self, now: Time, outgoing: Outgoing) -> Option<u32> {
        let Outgoing { message, to, kind, data, acknowledged } = outgoing;
        let count = fragment_count(data.len())?;
        let done_before: BTreeSet<u32> =
            acknowledged.into_iter().filter(|index| *index < count).collect();
        let new = Message {
            to,
            kind,
            data,
            count,
            fresh: 0,
            underway: BTreeMap::new(),
            done_before,
            since: now,
        };
        if new.is_done() || self.contains(message) {
            return None;
        }
        self.bytes += new.data.len();
        self.queued += new.fresh_left();
        self.lanes.add(new.lane(message), message, count);
        self.messages.insert(message, new);
        Some(count)
    }

    /// Whether a message waits or is underway.
    pub(crate) fn contains(&self, message: MessageId) -> bool {
        self.messages.contains_key(&message)
    }

    /// The fragment whose turn it is: of those whose recipient can be reached, what goes again first,
    /// then the message that came first; every other time a long one, so that it holds up no short
    /// ones. It stays where it is until it is [sent](Self::sent) or its message
    /// is [removed](Self::remove).
    pub(crate) fn next(&mut self, is_there: impl Fn(Way<'_>) -> bool) -> Option<Next> {
        let Self { messages, lanes, .. } = self;
        let is_wanted = |id: &MessageId, again: Option<u32>| {
            messages.get(id).is_some_and(|message| match again {
                Some(index) => {
                    message.underway.get(&index).is_some_and(|piece| piece.waits_for_slot)
                }
                None => message.first_fresh().is_some(),
            })
        };
        let entry = lanes.next(|key| is_open(key, messages, &is_there), is_wanted)?;
        let message = messages.get(&entry.message)?;
        let index = entry.again.or_else(|| message.first_fresh())?;
        let attempts = message.underway.get(&index).map_or(0, Piece::attempts);
        Some(Next {
            entry,
            fragment: Fragment::of(message.kind, entry.message, &message.data, index)?,
            to: message.to(&is_there)?,
            attempt: attempts + 1,
        })
    }

    /// This fragment was sent. Without an acknowledgement to wait for, it is done; says whether its
    /// message is with it.
    pub(crate) fn sent(&mut self, next: &Next, awaited: Option<Awaited>) -> bool {
        let (id, index) = (next.entry.message, next.fragment.index);
        let Some(message) = self.messages.get_mut(&id) else { return false };
        self.lanes.used(next.entry);
        if next.attempt == 1 {
            message.fresh = index + 1;
        }
        if let (Destination::Blocks(blocks), To::Block(used, _)) = (&mut message.to, &next.to) {
            blocks.retain(|(number, _)| number != used);
        }
        self.queued -= 1;
        let piece = message.underway.entry(index).or_default();
        piece.waits_for_slot = false;
        if let Some(awaited) = awaited {
            self.identifiers.insert(awaited.identifier, (id, index));
            self.deadlines.insert((awaited.deadline, awaited.identifier));
            piece.awaited.push(awaited);
            return false;
        }
        self.done(id, index) == Some(true)
    }

    /// An acknowledgement came. `answered` is told which mixnodes have done their work for it.
    pub(crate) fn acknowledge(
        &mut self,
        identifier: &Identifier,
        answered: impl FnOnce(&[NodeAddress]),
    ) -> Option<Acknowledged> {
        let &(id, index) = self.identifiers.get(identifier)?;
        let piece = self.messages.get(&id)?.underway.get(&index)?;
        let place = piece.awaited.iter().position(|awaited| awaited.identifier == *identifier)?;
        answered(&piece.awaited[place].mixnodes);
        let attempt = u32::try_from(place + 1).expect("at most MAX_ATTEMPTS");
        let finished = self.done(id, index)?;
        Some(Acknowledged { message: id, index, attempt, finished })
    }

    /// Puts fragments whose acknowledgement is overdue in front of the queue.
    pub(crate) fn miss(&mut self, now: Time) -> Missed {
        let mut missed = Missed::default();
        while let Some(&(deadline, identifier)) = self.deadlines.first()
            && deadline <= now
        {
            self.deadlines.pop_first();
            let Some(&(id, index)) = self.identifiers.get(&identifier) else { continue };
            let Some(message) = self.messages.get_mut(&id) else { continue };
            let has_way = message.has_way_for_one_more();
            let Some(piece) = message.underway.get_mut(&index) else { continue };
            if let Some(awaited) = piece.awaited.last() {
                missed.mixnodes.extend_from_slice(&awaited.mixnodes);
            }
            let failure = match piece.attempts() {
                MAX_ATTEMPTS.. => Some(Failure::Attempts),
                _ if !has_way => Some(Failure::Blocks),
                _ => None,
            };
            if let Some(failure) = failure {
                self.remove(id);
                missed.failed.push((id, failure));
                continue;
            }
            piece.waits_for_slot = true;
            self.queued += 1;
            self.lanes.again(message.lane(id), id, index);
        }
        missed
    }

    /// When [`miss`](Self::miss) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Gives up messages whose way has been away for too long, and replies that cannot be completed.
    pub(crate) fn expire(
        &mut self,
        now: Time,
        is_there: impl Fn(Way<'_>) -> bool,
    ) -> Vec<(MessageId, Failure)> {
        let mut failed = Vec::new();
        if now < self.look_again {
            return failed;
        }
        self.look_again = now + LOOK_INTERVAL;
        let Self { lanes, messages, .. } = self;
        let is_over = |since: Time| now.saturating_since(since) >= PATIENCE;
        let mut away = BTreeSet::new();
        for (key, away_since) in lanes.iter_mut() {
            if let LaneKey::Reply(id) = key
                && messages.get(id).is_some_and(Message::lacks_blocks)
            {
                failed.push((*id, Failure::Blocks));
                continue;
            }
            if is_open(key, messages, &is_there) {
                *away_since = None;
                continue;
            }
            if !is_over(*away_since.get_or_insert(now)) {
                continue;
            }
            match *key {
                LaneKey::Reply(id) => failed.push((id, Failure::FirstHops)),
                LaneKey::Provider(provider) => drop(away.insert(provider)),
            }
        }
        if !away.is_empty() {
            // Once for all lanes: there may be as many as messages. Later ones have their time too.
            let theirs = messages.iter().filter(|(_, message)| is_over(message.since));
            failed.extend(theirs.filter_map(|(id, message)| match message.lane(*id) {
                LaneKey::Provider(provider) if away.contains(&provider) => {
                    Some((*id, Failure::Provider(provider)))
                }
                _ => None,
            }));
        }
        for (id, _) in &failed {
            self.remove(*id);
        }
        if !failed.is_empty() {
            // Nobody looks into a lane that is closed, and one whose provider never comes back would
            // remember every message that ever waited there.
            self.lanes.retain(|message| self.messages.contains_key(message));
        }
        failed
    }

    /// Forgets a message.
    pub(crate) fn remove(&mut self, id: MessageId) {
        let Some(message) = self.messages.remove(&id) else { return };
        self.lanes.remove(message.lane(id));
        self.bytes -= message.data.len();
        self.queued -= message.fresh_left();
        for piece in message.underway.into_values() {
            self.queued -= usize::from(piece.waits_for_slot);
            self.forget(piece);
        }
    }

    /// Fragments that wait for a slot.
    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// Fragments that wait for an acknowledgement.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.deadlines.len()
    }

    /// Marks a fragment as done, if it was not before; says whether it was its message's last.
    fn done(&mut self, id: MessageId, index: u32) -> Option<bool> {
        let message = self.messages.get_mut(&id)?;
        let piece = message.underway.remove(&index)?;
        let finished = message.is_done();
        self.queued -= usize::from(piece.waits_for_slot);
        self.forget(piece);
        if finished {
            self.remove(id);
        }
        Some(finished)
    }

    fn forget(&mut self, piece: Piece) {
        for awaited in piece.awaited {
            self.identifiers.remove(&awaited.identifier);
            self.deadlines.remove(&(awaited.deadline, awaited.identifier));
        }
    }
}

/// Whether messages of a lane can be sent.
fn is_open(
    key: &LaneKey,
    messages: &HashMap<MessageId, Message>,
    is_there: impl Fn(Way<'_>) -> bool,
) -> bool {
    match key {
        LaneKey::Provider(provider) => is_there(Way::Provider(provider)),
        LaneKey::Reply(id) => messages.get(id).is_some_and(|reply| reply.is_open(is_there)),
    }
}
