//! The queue in front of one listener: bounded in lines and in bytes, and never waited for.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use contract::MAX_LINE_BYTES;
use tokio::sync::Notify;

/// Lines that a listener may be behind before it gets a new snapshot instead. At the classic rates a
/// devnet of eleven processes has about 150 events a second.
pub(crate) const MAX_BEHIND: usize = 4096;

/// Bytes of these lines: two of the longest, for a received message is one line. All listeners share
/// the lines, so that many who are behind cost little more than one.
const MAX_BEHIND_BYTES: usize = 2 * MAX_LINE_BYTES;

/// What a listener takes out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// A line.
    Line(Bytes),
    /// It fell behind: what waited is gone, and nothing more comes. It has to subscribe anew.
    Overrun,
    /// The devnet has ended.
    Closed,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Bytes>,
    bytes: usize,
    overrun: bool,
    closed: bool,
}

/// Lines that wait for one listener.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

impl Queue {
    /// Puts a line in. Who does not keep up keeps nothing: a listener that never reads costs no memory.
    pub(super) fn put(&self, line: &Bytes) {
        let mut waiting = self.waiting();
        if waiting.overrun {
            return;
        }
        let bytes = waiting.bytes + line.len();
        if waiting.lines.len() == MAX_BEHIND
            || (bytes > MAX_BEHIND_BYTES && !waiting.lines.is_empty())
        {
            *waiting = Waiting { overrun: true, ..Waiting::default() };
        } else {
            waiting.bytes = bytes;
            waiting.lines.push_back(line.clone());
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.changed.notify_one();
    }

    /// Takes out what comes next.
    pub(super) async fn take(&self) -> Taken {
        loop {
            if let Some(taken) = self.try_take() {
                return taken;
            }
            self.changed.notified().await;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting().lines.is_empty()
    }

    /// Whether its listener fell behind, so that nothing more comes.
    pub(super) fn is_overrun(&self) -> bool {
        self.waiting().overrun
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.waiting().bytes
    }

    fn try_take(&self) -> Option<Taken> {
        let mut waiting = self.waiting();
        if let Some(line) = waiting.lines.pop_front() {
            waiting.bytes -= line.len();
            return Some(Taken::Line(line));
        }
        if waiting.closed {
            return Some(Taken::Closed);
        }
        waiting.overrun.then_some(Taken::Overrun)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a queue gives until it has nothing more.
    fn drain(queue: &Queue) -> (usize, Option<Taken>) {
        let mut lines = 0;
        loop {
            match queue.try_take() {
                Some(Taken::Line(_)) => lines += 1,
                end => return (lines, end),
            }
        }
    }

    #[test]
    fn it_holds_so_many_lines_and_so_many_bytes_and_then_nothing() {
        let short = Bytes::from_static(b"x\n");
        let long = Bytes::from(vec![b'x'; MAX_BEHIND_BYTES / 2]);
        let huge = Bytes::from(vec![b'x'; MAX_BEHIND_BYTES + 1]);
        for (line, fit) in [(&short, MAX_BEHIND), (&long, 2), (&huge, 1)] {
            let queue = Queue::default();
            (0..fit).for_each(|_| queue.put(line));
            assert_eq!(drain(&queue), (fit, None), "{} bytes each", line.len());
            (0..=fit).for_each(|_| queue.put(line));
            assert!(queue.is_empty(), "what it cannot hold it does not keep");
            queue.put(&short);
            assert_eq!(drain(&queue), (0, Some(Taken::Overrun)));
        }
    }

    #[tokio::test]
    async fn what_was_put_before_the_end_comes_before_it() {
        let queue = Queue::default();
        queue.put(&Bytes::from_static(b"last\n"));
        queue.close();
        assert_eq!(queue.take().await, Taken::Line(Bytes::from_static(b"last\n")));
        assert_eq!(queue.take().await, Taken::Closed);
    }
}
