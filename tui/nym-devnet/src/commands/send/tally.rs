//! How many of the messages that were sent have arrived, and after which time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use control::{MessageState, MessageStatus};
use serde::Serialize;
use tokio::time::Instant;

use crate::commands::delays::Delays;

/// Statuses of messages whose acceptance was not told yet: the two come on two connections. Others may
/// send at the same time.
const MAX_EARLY: usize = 256;

/// What becomes of messages.
#[derive(Debug)]
pub(super) struct Tally {
    /// How long each is waited for.
    timeout: Duration,
    /// Until it is acknowledged, not only delivered.
    to_the_end: bool,
    open: BTreeMap<String, Open>,
    early: VecDeque<MessageStatus>,
    accepted: u32,
    failed: u32,
    lost: u32,
    /// In milliseconds.
    delays: Vec<f64>,
    /// Why the first that failed did.
    why: Option<String>,
}

/// A message that has not arrived.
#[derive(Debug)]
struct Open {
    number: u32,
    until: Instant,
    status: Option<MessageStatus>,
}

/// Something new of a message.
#[derive(Debug, PartialEq)]
pub(super) struct News {
    pub(super) number: u32,
    pub(super) before: Option<MessageStatus>,
    pub(super) now: MessageStatus,
    /// Nothing more of it is waited for.
    pub(super) is_over: bool,
}

/// What became of all that were accepted.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Summary {
    pub(super) delivered: u32,
    pub(super) failed: u32,
    /// Not there in time. They may come later.
    pub(super) lost: u32,
    /// From acceptance until the recipient had the whole of it.
    pub(super) delay_ms: Option<Delays>,
}

impl Tally {
    pub(super) fn new(timeout: Duration, to_the_end: bool) -> Self {
        Self {
            timeout,
            to_the_end,
            open: BTreeMap::new(),
            early: VecDeque::new(),
            accepted: 0,
            failed: 0,
            lost: 0,
            delays: Vec::new(),
            why: None,
        }
    }

    /// Its client has accepted the message of this number.
    pub(super) fn accepted(
        &mut self,
        now: Instant,
        number: u32,
        status: MessageStatus,
    ) -> Vec<News> {
        self.accepted += 1;
        let id = status.id.clone();
        self.open.insert(id.clone(), Open { number, until: now + self.timeout, status: None });
        let early = std::mem::take(&mut self.early);
        let (its, others) = early.into_iter().partition(|early| early.id == id);
        self.early = others;
        // What is told first is the older; the answer may be older than what came before it.
        let mut statuses: VecDeque<MessageStatus> = its;
        if statuses.iter().all(|early| early.state >= status.state) {
            statuses.push_front(status);
        } else {
            statuses.push_back(status);
        }
        statuses.into_iter().filter_map(|status| self.take(status)).collect()
    }

    /// Its client has accepted a message, and nobody wants to know what becomes of it.
    pub(super) fn accepted_only(&mut self) {
        self.accepted += 1;
    }

    /// Something was told of a message. None if it is not one of ours, or nothing new.
    pub(super) fn take(&mut self, status: MessageStatus) -> Option<News> {
        let Some(open) = self.open.get_mut(&status.id) else {
            self.early.push_back(status);
            self.early.drain(..self.early.len().saturating_sub(MAX_EARLY));
            return None;
        };
        if open.status.as_ref() == Some(&status) {
            return None;
        }
        let number = open.number;
        let before = open.status.replace(status.clone());
        // A provider acknowledges what it has stored; a recipient of this devnet may not have it yet.
        let has_arrived =
            matches!(status.state, MessageState::Delivered | MessageState::Acknowledged);
        let delay = status.delivered_ms.or(status.acknowledged_ms).filter(|_| has_arrived);
        let is_over = if self.to_the_end {
            matches!(status.state, MessageState::Acknowledged | MessageState::Failed)
        } else {
            delay.is_some() || status.state == MessageState::Failed
        };
        if is_over {
            self.open.remove(&status.id);
            self.count(&status, delay);
        }
        Some(News { number, before, now: status, is_over })
    }

    fn count(&mut self, status: &MessageStatus, delay: Option<f64>) {
        if let Some(delay) = delay {
            self.delays.push(delay);
        } else {
            self.failed += 1;
            self.why.get_or_insert_with(|| status.error.clone().unwrap_or_default());
        }
    }

    /// Gives up those whose time is over: their numbers and what was last told of them.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<(u32, Option<MessageStatus>)> {
        let Self { open, delays, lost, .. } = self;
        let mut expired = Vec::new();
        open.retain(|_, open| {
            let is_over = open.until <= now;
            if is_over {
                expired.push((open.number, open.status.clone()));
                // Its last acknowledgement is late; the message is there.
                match open.status.as_ref().and_then(|status| status.delivered_ms) {
                    Some(delay) => delays.push(delay),
                    None => *lost += 1,
                }
            }
            !is_over
        });
        expired
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.open.values().map(|open| open.until).min()
    }

    /// How many are on their way.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// Why the first that failed did.
    pub(super) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// How many were accepted.
    pub(super) fn all(&self) -> u32 {
        self.accepted
    }

    pub(super) fn summary(&self) -> Summary {
        Summary {
            delivered: u32::try_from(self.delays.len()).unwrap_or(u32::MAX),
            failed: self.failed,
            lost: self.lost,
            delay_ms: Delays::of(&self.delays),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::steps::tests::status;
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn every_message_is_counted_once_whatever_is_told_of_it() {
        let now = Instant::now();
        let mut tally = Tally::new(LIMIT, false);
        for number in 1..=4 {
            let queued = status(&format!("m{number}"), MessageState::Queued, None);
            assert_eq!(tally.accepted(now, number, queued.clone()).len(), 1);
            assert_eq!(tally.take(queued), None, "nothing new");
        }
        let stored = MessageStatus {
            acknowledged_ms: Some(400.0),
            ..status("m1", MessageState::Sent, None)
        };
        tally.take(stored);
        assert_eq!(tally.open(), 4, "the provider has it, its recipient has not");
        let delivered = status("m1", MessageState::Delivered, Some(500.0));
        assert_eq!(tally.take(delivered.clone()).expect("news").number, 1);
        assert_eq!(tally.take(delivered), None, "it is over");
        tally.take(status("m2", MessageState::Failed, None));
        tally.take(status("somebody's", MessageState::Delivered, Some(1.0)));
        assert_eq!(tally.next_deadline(), Some(now + LIMIT));
        let expired: Vec<u32> =
            tally.expire(now + LIMIT).into_iter().map(|(number, _)| number).collect();
        assert_eq!(expired, [3, 4]);
        assert_eq!((tally.open(), tally.next_deadline()), (0, None));
        let Summary { delivered, failed, lost, delay_ms } = tally.summary();
        assert_eq!((tally.all(), delivered, failed, lost), (4, 1, 1, 2));
        assert_eq!(delay_ms.map(|delays| delays.max), Some(500.0));
        assert_eq!(tally.why(), Some(""));
    }

    #[tokio::test]
    async fn what_is_told_before_the_acceptance_is_not_lost() {
        let now = Instant::now();
        let mut tally = Tally::new(LIMIT, true);
        for _ in 0..1000 {
            tally.take(status("other", MessageState::Sent, None));
        }
        let queued = status("m", MessageState::Queued, None);
        tally.take(status("m", MessageState::Delivered, Some(5.0)));
        let news = tally.accepted(now, 1, queued);
        assert!(news.iter().all(|news| !news.is_over));
        let states: Vec<_> = news.iter().map(|news| news.now.state).collect();
        assert_eq!(states, [MessageState::Queued, MessageState::Delivered]);
        assert_eq!(tally.open(), 1, "it waits for the acknowledgement");
        tally.expire(now + LIMIT);
        assert_eq!(tally.summary().delivered, 1);
        assert!(tally.early.len() <= MAX_EARLY);
    }
}
