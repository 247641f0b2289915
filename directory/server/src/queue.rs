//! The queue to one subscriber: bounded in messages and in bytes, and never waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::mpsc;

/// Messages that wait for one subscriber, as in the original. A hundred nodes announce themselves
/// and report 170 times a second.
pub(crate) const MAX_MESSAGES: usize = 256;

/// Bytes of messages that wait. 256 reports of mixnodes with a hundred next hops each take three
/// quarters of it; a few announcements of providers with thousands of clients take all of it.
const MAX_BYTES: usize = 1 << 20;

/// A message for a subscriber. Those for several share their text.
#[derive(Debug)]
pub(crate) enum Queued {
    /// A message of `/ws`.
    Whole(Utf8Bytes),
    /// A frame of `/ws/events` from the comma after its number on.
    Numbered(u64, Utf8Bytes),
}

impl Queued {
    /// The text to send.
    pub(crate) fn into_text(self) -> Utf8Bytes {
        match self {
            Self::Whole(text) => text,
            Self::Numbered(seq, rest) => format!("{{\"seq\":{seq}{rest}").into(),
        }
    }

    fn bytes(&self) -> usize {
        let (Self::Whole(text) | Self::Numbered(_, text)) = self;
        text.len()
    }
}

/// An empty queue.
pub(crate) fn queue() -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(MAX_MESSAGES);
    let bytes = Arc::new(AtomicUsize::new(0));
    (Sender { messages: sender, bytes: Arc::clone(&bytes) }, Receiver { messages: receiver, bytes })
}

/// The hub's end.
#[derive(Debug)]
pub(crate) struct Sender {
    messages: mpsc::Sender<Queued>,
    bytes: Arc<AtomicUsize>,
}

impl Sender {
    /// Puts a message in, if it fits. A message that is larger than all that may wait fits into an
    /// empty queue.
    pub(crate) fn offer(&self, message: Queued) -> bool {
        let bytes = message.bytes();
        let waiting = self.bytes.load(Ordering::Relaxed);
        if waiting > 0 && waiting + bytes > MAX_BYTES {
            return false;
        }
        // Counted before it can be taken out.
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = self.messages.try_send(message).is_ok();
        if !fits {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.capacity() == MAX_MESSAGES
    }

    /// Whether its reader should get a turn before more comes.
    pub(crate) fn is_half_full(&self) -> bool {
        self.messages.capacity() < MAX_MESSAGES / 2
            || self.bytes.load(Ordering::Relaxed) > MAX_BYTES / 2
    }
}

/// The subscriber's end.
#[derive(Debug)]
pub(crate) struct Receiver {
    messages: mpsc::Receiver<Queued>,
    bytes: Arc<AtomicUsize>,
}

impl Receiver {
    /// Takes the next message. None if the other end is gone. Safe to cancel.
    pub(crate) async fn take(&mut self) -> Option<Queued> {
        let message = self.messages.recv().await?;
        Some(self.taken(message))
    }

    /// Takes the next message, if one waits.
    pub(crate) fn try_take(&mut self) -> Option<Queued> {
        let message = self.messages.try_recv().ok()?;
        Some(self.taken(message))
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    fn taken(&self, message: Queued) -> Queued {
        self.bytes.fetch_sub(message.bytes(), Ordering::Relaxed);
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Queued {
        Queued::Whole("x".repeat(bytes).into())
    }

    #[tokio::test]
    async fn it_takes_so_many_messages_and_so_many_bytes() {
        let (sender, mut receiver) = queue();
        assert!(sender.is_empty());
        for _ in 0..MAX_MESSAGES {
            assert!(sender.offer(message(1)));
        }
        assert!(!sender.offer(message(1)), "too many");
        assert!(receiver.take().await.is_some());
        assert!(sender.offer(message(1)));
        while receiver.try_take().is_some() {}
        assert!(sender.is_empty() && receiver.is_empty());

        assert!(sender.offer(message(2 * MAX_BYTES)), "nothing else waits");
        assert!(!sender.offer(message(1)), "too much");
        assert!(receiver.take().await.is_some());
        for _ in 0..4 {
            assert!(sender.offer(message(MAX_BYTES / 4)));
        }
        assert!(sender.is_half_full());
        assert!(!sender.offer(message(1)));
        receiver.try_take().expect("a message");
        receiver.try_take().expect("a message");
        assert!(!sender.is_half_full());
        assert!(sender.offer(message(1)));
    }
}
