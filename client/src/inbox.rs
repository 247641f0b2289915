//! Messages for applications: pushed to every one that is connected, kept while none is.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

/// Most bytes that are kept while no application is connected; beyond, the oldest are dropped.
const MAX_KEPT_BYTES: usize = 16 << 20;

/// Most messages that are kept while no application is connected.
const MAX_KEPT: usize = 10_000;

/// Messages that wait for one application; one that does not read loses its connection.
const MAX_WAITING: usize = 1024;

/// Takes received messages. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    applications: Vec<mpsc::Sender<Arc<Vec<u8>>>>,
    kept: VecDeque<Arc<Vec<u8>>>,
    kept_bytes: usize,
    forgotten: u64,
}

impl Inbox {
    /// Hands a message to all applications.
    pub(crate) fn push(&self, message: Vec<u8>) {
        let message = Arc::new(message);
        let mut state = self.lock();
        state.applications.retain(|application| application.try_send(Arc::clone(&message)).is_ok());
        if state.applications.is_empty() {
            state.kept_bytes += message.len();
            state.kept.push_back(message);
            while state.kept.len() > MAX_KEPT || state.kept_bytes > MAX_KEPT_BYTES {
                let Some(oldest) = state.kept.pop_front() else { break };
                state.kept_bytes -= oldest.len();
                state.forgotten += 1;
            }
        }
    }

    /// An application is there: it gets what was kept, then what comes.
    pub(crate) fn connect(&self) -> mpsc::Receiver<Arc<Vec<u8>>> {
        let mut state = self.lock();
        state.applications.retain(|application| !application.is_closed());
        let (sender, receiver) = mpsc::channel(state.kept.len() + MAX_WAITING);
        for message in std::mem::take(&mut state.kept) {
            // There is room for all of them.
            let _ = sender.try_send(message);
        }
        state.kept_bytes = 0;
        state.applications.push(sender);
        receiver
    }

    /// An application is gone: what it did not read is kept for the next one, unless others have it.
    pub(crate) fn give_back(
        &self,
        unwritten: Option<Arc<Vec<u8>>>,
        mut unread: mpsc::Receiver<Arc<Vec<u8>>>,
    ) {
        let mut state = self.lock();
        unread.close();
        let unread = std::iter::from_fn(|| unread.try_recv().ok());
        let left: Vec<_> = unwritten.into_iter().chain(unread).collect();
        state.applications.retain(|application| !application.is_closed());
        if state.applications.is_empty() {
            for message in left.into_iter().rev() {
                state.kept_bytes += message.len();
                state.kept.push_front(message);
            }
        }
    }

    /// Messages dropped since the start because no application took them.
    pub(crate) fn forgotten(&self) -> u64 {
        self.lock().forgotten
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_the_first_application_is_kept_for_it_and_then_all_get_copies() {
        let inbox = Inbox::default();
        inbox.push(b"early".to_vec());
        let mut first = inbox.connect();
        let mut second = inbox.connect();
        inbox.push(b"late".to_vec());
        let texts = |receiver: &mut mpsc::Receiver<Arc<Vec<u8>>>| -> Vec<Vec<u8>> {
            std::iter::from_fn(|| receiver.try_recv().ok()).map(|m| m.to_vec()).collect()
        };
        assert_eq!(texts(&mut first), [b"early".to_vec(), b"late".to_vec()]);
        assert_eq!(texts(&mut second), [b"late".to_vec()]);
        drop((first, second));
        inbox.push(b"kept".to_vec());
        assert_eq!(texts(&mut inbox.connect()), [b"kept".to_vec()]);
    }

    #[test]
    fn what_an_application_did_not_read_is_kept_for_the_next() {
        let inbox = Inbox::default();
        let first = inbox.connect();
        inbox.push(b"two".to_vec());
        inbox.give_back(Some(Arc::new(b"one".to_vec())), first);
        let mut next = inbox.connect();
        let texts: Vec<Vec<u8>> =
            std::iter::from_fn(|| next.try_recv().ok()).map(|m| m.to_vec()).collect();
        assert_eq!(texts, [b"one".to_vec(), b"two".to_vec()]);
    }

    #[test]
    fn what_nobody_takes_is_bounded_and_counted() {
        let inbox = Inbox::default();
        for _ in 0..17 {
            inbox.push(vec![0; 1 << 20]);
        }
        assert_eq!(inbox.forgotten(), 1);
        assert_eq!(inbox.lock().kept_bytes, 16 << 20);
    }
}
