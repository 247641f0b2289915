//! The event stream: numbers what happens and gives it to everybody who listens.

mod queue;

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use control::{Envelope, Passage, Snapshot, StreamEvent};

use crate::clock::Moment;

#[cfg(test)]
pub(crate) use queue::MAX_BEHIND;
use queue::Queue;
pub(crate) use queue::Taken;

/// Numbers events and hands them out. Each is written once, however many listen.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    seq: u64,
    queues: Vec<Weak<Queue>>,
    /// Those for whom nodes work.
    insiders: Vec<Insider>,
    /// The number of the latest snapshot, and its line as long as somebody has that still before
    /// them: those who come at once, or fall behind at once, share it.
    snapshot: (u64, Weak<Bytes>),
}

/// Somebody who hears what some nodes know of packets.
#[derive(Debug)]
struct Insider {
    nodes: BTreeSet<String>,
    queue: Weak<Queue>,
}

/// What a listener begins with: a snapshot as a line, and the events after it.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) snapshot: Arc<Bytes>,
    pub(crate) events: Listener,
}

/// The listener's end of its queue.
#[derive(Debug)]
pub(crate) struct Listener(Arc<Queue>);

impl Listener {
    /// What comes next. Can be dropped and called again.
    pub(crate) async fn next(&self) -> Taken {
        self.0.take().await
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Hub {
    pub(crate) fn publish(&mut self, at: Moment, event: StreamEvent) {
        self.seq += 1;
        self.queues.retain(|queue| queue.strong_count() > 0);
        if !self.queues.is_empty() {
            let line = self.line(at, event);
            for queue in self.queues.iter().filter_map(Weak::upgrade) {
                queue.put(&line);
            }
        }
    }

    /// Begins with everything up to now, if somebody else has just got it.
    pub(crate) fn join(&mut self) -> Option<Subscription> {
        let (seq, line) = &self.snapshot;
        let snapshot = line.upgrade().filter(|_| *seq == self.seq)?;
        Some(Subscription { snapshot, events: self.listen() })
    }

    /// Begins with everything up to now; the number of the snapshot is that of the last event in it.
    pub(crate) fn subscribe(&mut self, at: Moment, snapshot: Snapshot) -> Subscription {
        let snapshot = Arc::new(self.line(at, StreamEvent::Snapshot(Box::new(snapshot))));
        self.snapshot = (self.seq, Arc::downgrade(&snapshot));
        Subscription { snapshot, events: self.listen() }
    }

    /// Somebody is to hear from now on what these nodes know of packets.
    pub(crate) fn confide(&mut self, nodes: &[String]) -> Listener {
        let queue = Arc::new(Queue::default());
        let nodes = nodes.iter().cloned().collect();
        self.insiders.push(Insider { nodes, queue: Arc::downgrade(&queue) });
        Listener(queue)
    }

    /// Whether anybody listens to any node. Who fell behind does not any more, though it may not have
    /// heard yet: it may be stopped and never read again, and would have all of this worked out for nobody.
    pub(crate) fn has_insiders(&mut self) -> bool {
        let listens =
            |insider: &Insider| insider.queue.upgrade().is_some_and(|queue| !queue.is_overrun());
        self.insiders.retain(listens);
        !self.insiders.is_empty()
    }

    /// Whether somebody listens to this node.
    pub(crate) fn is_confided(&self, node: &str) -> bool {
        self.insiders.iter().any(|insider| insider.nodes.contains(node))
    }

    /// A node tells what it knows, to those who listen to it. That is no event of the devnet, so it has
    /// no number of its own: all others would miss it.
    pub(crate) fn tell(&self, at: Moment, node: &str, passages: Vec<Passage>) {
        let mut queues = self
            .insiders
            .iter()
            .filter(|insider| insider.nodes.contains(node))
            .filter_map(|insider| insider.queue.upgrade())
            .peekable();
        if queues.peek().is_some() {
            let line = self.line(at, StreamEvent::Passages { node: node.to_owned(), passages });
            queues.for_each(|queue| queue.put(&line));
        }
    }

    fn listen(&mut self) -> Listener {
        let queue = Arc::new(Queue::default());
        self.queues.push(Arc::downgrade(&queue));
        Listener(queue)
    }

    /// Bytes of the lines that wait for all who listen, each counted once for each of them.
    #[cfg(test)]
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.queues.iter().filter_map(Weak::upgrade).map(|queue| queue.bytes()).sum()
    }

    fn line(&self, at: Moment, event: StreamEvent) -> Bytes {
        let envelope = Envelope { seq: self.seq, t: at.t, unix_ms: at.unix_ms(), event };
        let mut line = serde_json::to_vec(&envelope).expect("an event is plain data");
        line.push(b'\n');
        line.into()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let insiders = self.insiders.iter().map(|insider| &insider.queue);
        for queue in self.queues.iter().chain(insiders).filter_map(Weak::upgrade) {
            queue.close();
        }
    }
}
