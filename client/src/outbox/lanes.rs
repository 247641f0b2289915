//! The order in which messages leave. What leads over something that is away holds up nothing else:
//! there is a lane for each provider, and one for each reply.

use std::collections::{BTreeMap, VecDeque};

use contract::Time;
use wire::{MessageId, PublicKey};

/// A message with more fragments than this is a long one: more than the 20 kB of a photograph in a
/// chat. Long ones get every other slot at most.
const SHORT_FRAGMENTS: u32 = 16;

/// What has to be there for the messages of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LaneKey {
    /// The provider of their recipients.
    Provider(PublicKey),
    /// The first mixnode of one of this reply's blocks.
    Reply(MessageId),
}

/// Something in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) message: MessageId,
    /// The fragment that goes again; none if it is the turn of the message's first new one.
    pub(super) again: Option<u32>,
    /// Whether it is a new one of a long message.
    pub(super) is_long: bool,
}

/// All lanes.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    by_key: BTreeMap<LaneKey, Lane>,
    /// Messages so far.
    sequence: u64,
    /// Whether the last new fragment was of a short message.
    long_is_next: bool,
}

/// What goes over one thing.
#[derive(Debug, Default)]
struct Lane {
    /// Since when it has been away.
    away_since: Option<Time>,
    again: VecDeque<(MessageId, u32)>,
    short: VecDeque<(u64, MessageId)>,
    long: VecDeque<(u64, MessageId)>,
    messages: usize,
}

impl Lanes {
    /// A message with so many fragments is there.
    pub(super) fn add(&mut self, key: LaneKey, message: MessageId, fragments: u32) {
        let lane = self.by_key.entry(key).or_default();
        let queue = if fragments > SHORT_FRAGMENTS { &mut lane.long } else { &mut lane.short };
        queue.push_back((self.sequence, message));
        lane.messages += 1;
        self.sequence += 1;
    }

    /// A message is there no more.
    pub(super) fn remove(&mut self, key: LaneKey) {
        let Some(lane) = self.by_key.get_mut(&key) else { return };
        lane.messages -= 1;
        if lane.messages == 0 {
            self.by_key.remove(&key);
        }
    }

    /// A fragment goes again.
    pub(super) fn again(&mut self, key: LaneKey, message: MessageId, index: u32) {
        if let Some(lane) = self.by_key.get_mut(&key) {
            lane.again.push_back((message, index));
        }
    }

    /// Of the lanes that are open, what goes again first; then by the order in which messages came,
    /// long and short ones in turn. `is_wanted` says whether an entry still has something to send.
    pub(super) fn next(
        &mut self,
        is_open: impl Fn(&LaneKey) -> bool,
        is_wanted: impl Fn(&MessageId, Option<u32>) -> bool,
    ) -> Option<Entry> {
        let (mut short, mut long) = (None, None);
        for (key, lane) in &mut self.by_key {
            if !is_open(key) {
                continue;
            }
            let again = front(&mut lane.again, |(id, index)| is_wanted(id, Some(*index)));
            if let Some((message, index)) = again {
                return Some(Entry { message, again: Some(index), is_long: false });
            }
            let first = |queue| front(queue, |(_, id)| is_wanted(id, None));
            short = earlier(short, first(&mut lane.short));
            long = earlier(long, first(&mut lane.long));
        }
        let is_long = long.is_some() && (self.long_is_next || short.is_none());
        let (_, message) = if is_long { long? } else { short? };
        Some(Entry { message, again: None, is_long })
    }

    /// That entry was used.
    pub(super) fn used(&mut self, entry: Entry) {
        if entry.again.is_none() {
            self.long_is_next = !entry.is_long;
        }
    }

    /// All lanes, each with the moment since which it has been away.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&LaneKey, &mut Option<Time>)> {
        self.by_key.iter_mut().map(|(key, lane)| (key, &mut lane.away_since))
    }

    /// Forgets what is of other messages than these.
    pub(super) fn retain(&mut self, is_there: impl Fn(&MessageId) -> bool) {
        for lane in self.by_key.values_mut() {
            lane.again.retain(|(message, _)| is_there(message));
            lane.short.retain(|(_, message)| is_there(message));
            lane.long.retain(|(_, message)| is_there(message));
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        let entries = |lane: &Lane| lane.again.len() + lane.short.len() + lane.long.len();
        self.by_key.values().map(entries).sum()
    }
}

/// The first that is wanted; those before it go.
fn front<T: Copy>(queue: &mut VecDeque<T>, is_wanted: impl Fn(&T) -> bool) -> Option<T> {
    while let Some(first) = queue.front() {
        if is_wanted(first) {
            return Some(*first);
        }
        queue.pop_front();
    }
    None
}

type Place = (u64, MessageId);

fn earlier(a: Option<Place>, b: Option<Place>) -> Option<Place> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
