//! Messages on their way out: which fragment goes next, which waits for its acknowledgement, which
//! goes again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use contract::Time;
use wire::{ClientAddress, Fragment, Identifier, MessageId, split};

/// How often a fragment is sent before its message has failed. Where one of two mixnodes of a layer
/// loses everything, a packet and its acknowledgement come through once in four times, and one message
/// of a hundred fails; with a tenth of all packets lost, one of 10^11.
pub const MAX_ATTEMPTS: u32 = 16;

/// Most fragments that wait: some sixteen of the longest messages.
pub const MAX_QUEUED_FRAGMENTS: usize = 16 * 660;

/// How long a message may wait for a route before it has failed.
pub const ROUTE_PATIENCE: Duration = Duration::from_secs(60);

/// A message is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Longer than a message may be.
    #[error("the message has {0} bytes, at most {max} are accepted", max = contract::MAX_MESSAGE_BYTES)]
    TooLong(usize),
    /// Too much waits already.
    #[error("{0} packets wait to be sent; try again when some are")]
    QueueFull(usize),
}

/// A fragment that is to be sent.
#[derive(Debug)]
pub(crate) struct Next {
    pub(crate) message: MessageId,
    pub(crate) index: u32,
    pub(crate) to: ClientAddress,
    pub(crate) fragment: Fragment,
    /// 1 for the first time.
    pub(crate) attempt: u32,
}

/// What an acknowledgement did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) message: MessageId,
    pub(crate) index: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: VecDeque<(MessageId, u32)>,
    messages: BTreeMap<MessageId, Outgoing>,
    /// Which fragment an acknowledgement is for. Kept until the message is done, so that a late one
    /// still counts.
    identifiers: BTreeMap<Identifier, (MessageId, u32)>,
    deadlines: BTreeSet<(Time, Identifier)>,
    /// Fragments of all messages.
    fragments: usize,
}

#[derive(Debug)]
struct Outgoing {
    to: ClientAddress,
    pieces: Vec<Piece>,
    /// Fragments that are neither acknowledged nor, without acknowledgements, sent.
    left: usize,
    /// Since when its recipient's provider has not been reachable.
    blocked_since: Option<Time>,
}

#[derive(Debug)]
struct Piece {
    fragment: Fragment,
    attempts: u32,
    done: bool,
    identifiers: Vec<Identifier>,
}

impl Outbox {
    /// Accepts a message; returns the number of its fragments.
    pub(crate) fn accept(
        &mut self,
        message: MessageId,
        to: ClientAddress,
        data: &[u8],
    ) -> Result<u32, SendError> {
        let too_long = SendError::TooLong(data.len());
        if data.len() > contract::MAX_MESSAGE_BYTES {
            return Err(too_long);
        }
        let fragments = split(message, data).ok_or(too_long)?;
        let count = fragments.len();
        if self.fragments + count > MAX_QUEUED_FRAGMENTS {
            return Err(SendError::QueueFull(self.fragments));
        }
        self.fragments += count;
        self.queue.extend(fragments.iter().map(|fragment| (message, fragment.index)));
        let piece = |fragment| Piece { fragment, attempts: 0, done: false, identifiers: vec![] };
        let pieces = fragments.into_iter().map(piece).collect();
        let outgoing = Outgoing { to, pieces, left: count, blocked_since: None };
        self.messages.insert(message, outgoing);
        Ok(u32::try_from(count).expect("split() bounds it"))
    }

    /// The fragment whose turn it is: the first whose recipient can be reached. It stays where it is
    /// until it is [sent](Self::sent) or its message [fails](Self::fail).
    pub(crate) fn next(&mut self, reachable: impl Fn(&ClientAddress) -> bool) -> Option<Next> {
        let Self { queue, messages, .. } = self;
        let piece = |message: &MessageId, index: u32| {
            let outgoing = messages.get(message)?;
            Some((outgoing.to, outgoing.pieces.get(index as usize).filter(|piece| !piece.done)?))
        };
        // Acknowledged meanwhile, or of a message that has failed.
        queue.retain(|(message, index)| piece(message, *index).is_some());
        queue.iter().find_map(|(message, index)| {
            let (to, piece) = piece(message, *index).filter(|(to, _)| reachable(to))?;
            let (fragment, attempt) = (piece.fragment.clone(), piece.attempts + 1);
            Some(Next { message: *message, index: *index, to, fragment, attempt })
        })
    }

    /// Messages that have waited too long for a route; they have failed with it.
    pub(crate) fn expire_blocked(
        &mut self,
        now: Time,
        reachable: impl Fn(&ClientAddress) -> bool,
    ) -> Vec<(MessageId, ClientAddress)> {
        let mut failed = Vec::new();
        for (message, outgoing) in &mut self.messages {
            if reachable(&outgoing.to) {
                outgoing.blocked_since = None;
            } else {
                let since = *outgoing.blocked_since.get_or_insert(now);
                if now.saturating_since(since) >= ROUTE_PATIENCE {
                    failed.push((*message, outgoing.to));
                }
            }
        }
        for (message, _) in &failed {
            self.fail(*message);
        }
        failed
    }

    /// Gives up everything; returns the messages that were not done.
    pub(crate) fn abandon(&mut self) -> Vec<MessageId> {
        std::mem::take(self).messages.into_keys().collect()
    }

    /// This fragment was sent. `ack` says which acknowledgement it waits for and how long;
    /// without one the fragment is done.
    pub(crate) fn sent(&mut self, next: &Next, ack: Option<(Identifier, Time)>) {
        let sent = |entry: &(MessageId, u32)| *entry == (next.message, next.index);
        if let Some(at) = self.queue.iter().position(sent) {
            self.queue.remove(at);
        }
        let Some(outgoing) = self.messages.get_mut(&next.message) else { return };
        let Some(piece) = outgoing.pieces.get_mut(next.index as usize) else { return };
        piece.attempts = next.attempt;
        if let Some((identifier, deadline)) = ack {
            piece.identifiers.push(identifier);
            self.identifiers.insert(identifier, (next.message, next.index));
            self.deadlines.insert((deadline, identifier));
        } else {
            self.done(next.message, next.index);
        }
    }

    /// An acknowledgement came.
    pub(crate) fn acknowledge(&mut self, identifier: &Identifier) -> Option<Acknowledged> {
        let &(message, index) = self.identifiers.get(identifier)?;
        self.done(message, index).then_some(Acknowledged { message, index })
    }

    /// Puts fragments whose acknowledgement is overdue back in front of the queue; returns the
    /// messages that have failed with it.
    pub(crate) fn expire(&mut self, now: Time) -> Vec<MessageId> {
        let mut failed = Vec::new();
        while let Some(&(deadline, identifier)) = self.deadlines.first()
            && deadline <= now
        {
            self.deadlines.pop_first();
            let Some(&(message, index)) = self.identifiers.get(&identifier) else { continue };
            let Some(outgoing) = self.messages.get(&message) else { continue };
            let Some(piece) = outgoing.pieces.get(index as usize) else { continue };
            if piece.done {
                continue;
            }
            if piece.attempts >= MAX_ATTEMPTS {
                self.fail(message);
                failed.push(message);
            } else {
                self.queue.push_front((message, index));
            }
        }
        failed
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Forgets a message.
    pub(crate) fn fail(&mut self, message: MessageId) {
        if let Some(outgoing) = self.messages.remove(&message) {
            self.fragments -= outgoing.pieces.len();
            for piece in outgoing.pieces {
                for identifier in piece.identifiers {
                    self.identifiers.remove(&identifier);
                }
            }
        }
    }

    /// Fragments that wait for a slot.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Fragments that wait for an acknowledgement.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.deadlines.len()
    }

    /// Marks a fragment as done; says whether it was not before.
    fn done(&mut self, message: MessageId, index: u32) -> bool {
        let Some(outgoing) = self.messages.get_mut(&message) else { return false };
        let Some(piece) = outgoing.pieces.get_mut(index as usize) else { return false };
        if piece.done {
            return false;
        }
        piece.done = true;
        outgoing.left -= 1;
        let identifiers: BTreeSet<Identifier> = piece.identifiers.iter().copied().collect();
        self.deadlines.retain(|(_, identifier)| !identifiers.contains(identifier));
        if outgoing.left == 0 {
            self.fail(message);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use wire::{FRAGMENT_DATA_BYTES, PublicKey};

    use super::*;

    const MESSAGE: MessageId = MessageId([1; 16]);

    fn outbox(bytes: usize) -> Outbox {
        let key = PublicKey::from_bytes([1; 32]);
        let to = ClientAddress { client: key, provider: key };
        let mut outbox = Outbox::default();
        outbox.accept(MESSAGE, to, &vec![0; bytes]).expect("accepted");
        outbox
    }

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    fn send_next(outbox: &mut Outbox, identifier: u8, deadline: Time) -> (u32, u32) {
        let next = outbox.next(|_| true).expect("something to send");
        outbox.sent(&next, Some(([identifier; 16], deadline)));
        (next.index, next.attempt)
    }

    #[test]
    fn what_is_not_acknowledged_goes_again_before_what_was_never_sent() {
        let mut outbox = outbox(2 * FRAGMENT_DATA_BYTES + 1);
        assert_eq!(send_next(&mut outbox, 1, at(1)), (0, 1));
        assert_eq!(outbox.next_deadline(), Some(at(1)));
        assert_eq!(outbox.expire(at(1)), []);
        assert_eq!(send_next(&mut outbox, 2, at(2)), (0, 2));
        assert_eq!(send_next(&mut outbox, 3, at(2)), (1, 1));
        let first = Some(Acknowledged { message: MESSAGE, index: 0 });
        assert_eq!(outbox.acknowledge(&[1; 16]), first, "the first attempt's, late");
        assert_eq!(outbox.acknowledge(&[2; 16]), None, "nothing new");
        assert!(outbox.acknowledge(&[3; 16]).is_some());
        assert_eq!(outbox.unacknowledged(), 0);
        assert_eq!(send_next(&mut outbox, 4, at(3)), (2, 1));
        assert!(outbox.acknowledge(&[4; 16]).is_some());
        assert!(outbox.next(|_| true).is_none() && outbox.messages.is_empty());
        assert!(outbox.identifiers.is_empty() && outbox.fragments == 0, "nothing is left behind");
    }

    #[test]
    fn a_message_fails_after_the_last_attempt() {
        let mut outbox = outbox(10);
        for attempt in 1..=MAX_ATTEMPTS {
            let identifier = u8::try_from(attempt).expect("few");
            assert_eq!(send_next(&mut outbox, identifier, at(attempt.into())), (0, attempt));
            let failed = outbox.expire(at(attempt.into()));
            assert_eq!(failed.is_empty(), attempt < MAX_ATTEMPTS);
        }
        assert!(outbox.next(|_| true).is_none());
        assert!(outbox.identifiers.is_empty() && outbox.fragments == 0);
    }

    #[test]
    fn a_message_without_a_route_holds_up_no_other_and_fails_on_its_own_clock() {
        let mut outbox = outbox(10);
        let key = PublicKey::from_bytes([9; 32]);
        let elsewhere = ClientAddress { client: key, provider: key };
        let lost = MessageId([2; 16]);
        outbox.queue.clear();
        outbox.accept(lost, elsewhere, b"lost").expect("accepted");
        outbox.queue.push_back((MESSAGE, 0));
        let reachable = |to: &ClientAddress| *to != elsewhere;
        assert_eq!(outbox.next(reachable).expect("the second").message, MESSAGE);
        assert_eq!(outbox.expire_blocked(at(1), reachable), []);
        assert_eq!(send_next_reachable(&mut outbox, reachable), MESSAGE);
        assert_eq!(outbox.expire_blocked(at(60), reachable), []);
        assert_eq!(outbox.expire_blocked(at(61), reachable), [(lost, elsewhere)]);
        assert_eq!(outbox.abandon(), [MESSAGE]);
        assert!(outbox.next(|_| true).is_none());
    }

    fn send_next_reachable(
        outbox: &mut Outbox,
        reachable: impl Fn(&ClientAddress) -> bool,
    ) -> MessageId {
        let next = outbox.next(reachable).expect("something to send");
        outbox.sent(&next, Some(([7; 16], at(100))));
        next.message
    }

    #[test]
    fn what_is_too_long_or_too_much_is_refused() {
        let mut outbox = outbox(contract::MAX_MESSAGE_BYTES);
        let to = outbox.next(|_| true).expect("one").to;
        let longest = vec![0; contract::MAX_MESSAGE_BYTES];
        for number in 2..=16 {
            outbox.accept(MessageId([number; 16]), to, &longest).expect("accepted");
        }
        let full = SendError::QueueFull(MAX_QUEUED_FRAGMENTS);
        assert_eq!(outbox.accept(MessageId([17; 16]), to, b"x"), Err(full));
        let too_long = vec![0; contract::MAX_MESSAGE_BYTES + 1];
        let refused = SendError::TooLong(too_long.len());
        assert_eq!(outbox.accept(MessageId([18; 16]), to, &too_long), Err(refused));
    }
}
