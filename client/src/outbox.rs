//! Messages on their way out: which fragment goes next, which waits for its acknowledgement, which
//! goes again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use contract::Time;
use wire::{ClientAddress, Fragment, Identifier, MessageId, split};

/// How often a fragment is sent before its message has failed. With a tenth of all packets lost,
/// one message of a hundred million fails.
pub const MAX_ATTEMPTS: u32 = 8;

/// Most bytes of messages that wait: sixteen of the longest.
pub const MAX_QUEUED_BYTES: usize = 16 * contract::MAX_MESSAGE_BYTES;

/// A message is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Longer than a message may be.
    #[error("the message has {0} bytes, at most {max} are accepted", max = contract::MAX_MESSAGE_BYTES)]
    TooLong(usize),
    /// Too much waits already.
    #[error("{0} bytes wait to be sent; try again when some are")]
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
    bytes: usize,
}

#[derive(Debug)]
struct Outgoing {
    to: ClientAddress,
    pieces: Vec<Piece>,
    /// Fragments that are neither acknowledged nor, without acknowledgements, sent.
    left: usize,
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
        if self.bytes + data.len() > MAX_QUEUED_BYTES {
            return Err(SendError::QueueFull(self.bytes));
        }
        let fragments = split(message, data).ok_or(too_long)?;
        let count = fragments.len();
        self.bytes += data.len();
        self.queue.extend(fragments.iter().map(|fragment| (message, fragment.index)));
        let piece = |fragment| Piece { fragment, attempts: 0, done: false, identifiers: vec![] };
        let pieces = fragments.into_iter().map(piece).collect();
        self.messages.insert(message, Outgoing { to, pieces, left: count });
        Ok(u32::try_from(count).expect("split() bounds it"))
    }

    /// The fragment whose turn it is. It stays in front until it is [sent](Self::sent) or its
    /// message [fails](Self::fail).
    pub(crate) fn next(&mut self) -> Option<Next> {
        while let Some(&(message, index)) = self.queue.front() {
            let outgoing = self.messages.get(&message);
            let piece = outgoing.and_then(|o| Some((o.to, o.pieces.get(index as usize)?)));
            match piece {
                Some((to, piece)) if !piece.done => {
                    let fragment = piece.fragment.clone();
                    let attempt = piece.attempts + 1;
                    return Some(Next { message, index, to, fragment, attempt });
                }
                _ => self.queue.pop_front(),
            };
        }
        None
    }

    /// The fragment in front was sent. `ack` says which acknowledgement it waits for and how long;
    /// without one the fragment is done.
    pub(crate) fn sent(&mut self, next: &Next, ack: Option<(Identifier, Time)>) {
        self.queue.pop_front();
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
            for piece in outgoing.pieces {
                self.bytes -= piece.fragment.data.len();
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
    use std::time::Duration;

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
        let next = outbox.next().expect("something to send");
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
        assert!(outbox.next().is_none() && outbox.messages.is_empty());
        assert!(outbox.identifiers.is_empty() && outbox.bytes == 0, "nothing is left behind");
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
        assert!(outbox.next().is_none());
        assert!(outbox.identifiers.is_empty() && outbox.bytes == 0);
    }

    #[test]
    fn what_is_too_long_or_too_much_is_refused() {
        let mut outbox = outbox(contract::MAX_MESSAGE_BYTES);
        let to = outbox.next().expect("one").to;
        let longest = vec![0; contract::MAX_MESSAGE_BYTES];
        for number in 2..=16 {
            outbox.accept(MessageId([number; 16]), to, &longest).expect("accepted");
        }
        let full = SendError::QueueFull(MAX_QUEUED_BYTES);
        assert_eq!(outbox.accept(MessageId([17; 16]), to, b"x"), Err(full));
        let too_long = vec![0; contract::MAX_MESSAGE_BYTES + 1];
        let refused = SendError::TooLong(too_long.len());
        assert_eq!(outbox.accept(MessageId([18; 16]), to, &too_long), Err(refused));
    }
}
