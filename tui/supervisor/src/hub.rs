//! The event stream: numbers what happens and gives it to everybody who listens.

use bytes::Bytes;
use control::{Envelope, Snapshot, StreamEvent};
use tokio::sync::broadcast;

use crate::clock::Moment;

/// How far a listener may be behind before it gets a new snapshot instead. At the classic rates a
/// devnet of eleven processes has about 150 events a second.
pub(crate) const MAX_BEHIND: usize = 4096;

/// Numbers events and hands them out. Each is written once, however many listen.
#[derive(Debug)]
pub(crate) struct Hub {
    seq: u64,
    sender: broadcast::Sender<Bytes>,
}

/// What a listener begins with: a snapshot as a line, and the events after it.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) snapshot: Bytes,
    pub(crate) events: broadcast::Receiver<Bytes>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self { seq: 0, sender: broadcast::Sender::new(MAX_BEHIND) }
    }

    pub(crate) fn publish(&mut self, at: Moment, event: StreamEvent) {
        self.seq += 1;
        if self.sender.receiver_count() > 0 {
            // It fails when the last listener has just gone.
            drop(self.sender.send(self.line(at, event)));
        }
    }

    /// Begins with everything up to now; the number of the snapshot is that of the last event in it.
    pub(crate) fn subscribe(&self, at: Moment, snapshot: Snapshot) -> Subscription {
        Subscription {
            snapshot: self.line(at, StreamEvent::Snapshot(Box::new(snapshot))),
            events: self.sender.subscribe(),
        }
    }

    fn line(&self, at: Moment, event: StreamEvent) -> Bytes {
        let envelope = Envelope { seq: self.seq, t: at.t, unix_ms: at.unix_ms(), event };
        let mut line = serde_json::to_vec(&envelope).expect("an event is plain data");
        line.push(b'\n');
        line.into()
    }
}
