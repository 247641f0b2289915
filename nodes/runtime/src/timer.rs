//! Precise wake-ups.
//!
//! The runtime's own timer rounds to milliseconds: it wakes 1 ms late at the median, which would
//! show in every delay of every mixnode. One parked thread wakes within a tenth of that, costs
//! nothing while nothing is due, and works alike on every system.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use contract::Time;

use crate::clock;

/// The thread only sorts deadlines and wakes tasks.
const STACK_BYTES: usize = 64 << 10;

/// Wakes tasks at precise moments. One per process is enough. The thread ends with the timer.
#[derive(Debug)]
pub struct Timer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    sleepers: BTreeMap<(Time, u64), Waker>,
    next_id: u64,
    closed: bool,
}

impl Timer {
    /// Starts the thread.
    pub fn start() -> io::Result<Self> {
        let shared =
            Arc::new(Shared { state: Mutex::new(State::default()), changed: Condvar::new() });
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("timer".into()).stack_size(STACK_BYTES);
        thread.spawn(move || of_thread.run())?;
        Ok(Self { shared })
    }

    /// Ends at this moment, at once if it has passed; never if there is none.
    pub fn at(&self, deadline: Option<Time>) -> Sleep {
        Sleep { shared: Arc::clone(&self.shared), deadline, id: None }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.closed {
            let now = clock::now();
            let mut due = Vec::new();
            while let Some(first) = state.sleepers.first_entry()
                && first.key().0 <= now
            {
                due.push(first.remove());
            }
            if !due.is_empty() {
                drop(state);
                due.into_iter().for_each(Waker::wake);
                state = self.lock();
                continue;
            }
            state = match state.sleepers.first_key_value() {
                Some(((deadline, _), _)) => {
                    let left = deadline.saturating_since(now);
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// A wait for a moment. Can be dropped at any time.
#[derive(Debug)]
pub struct Sleep {
    shared: Arc<Shared>,
    deadline: Option<Time>,
    id: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        if deadline <= clock::now() {
            return Poll::Ready(());
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        let id = *self.id.get_or_insert_with(|| {
            state.next_id += 1;
            state.next_id
        });
        state.sleepers.insert((deadline, id), context.waker().clone());
        if state.sleepers.first_key_value().is_some_and(|(first, _)| *first == (deadline, id)) {
            self.shared.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(deadline), Some(id)) = (self.deadline, self.id) {
            self.shared.lock().sleepers.remove(&(deadline, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn sleepers_wake_in_order_never_early_and_leave_nothing_behind() {
        let timer = Timer::start().expect("a thread");
        let begin = clock::now();
        let woken = Mutex::new(Vec::new());
        let sleeper = async |ms: u64| {
            timer.at(Some(begin + Duration::from_millis(ms))).await;
            woken.lock().expect("not poisoned").push((ms, clock::now()));
        };
        tokio::join!(sleeper(30), sleeper(10), sleeper(20), sleeper(0));
        let woken = woken.into_inner().expect("not poisoned");
        assert_eq!(woken.iter().map(|(ms, _)| *ms).collect::<Vec<u64>>(), [0, 10, 20, 30]);
        assert!(woken.iter().all(|(ms, at)| *at >= begin + Duration::from_millis(*ms)));

        let mut cancelled = Box::pin(timer.at(Some(begin + Duration::from_secs(1000))));
        assert!(futures_now(cancelled.as_mut()).is_none());
        assert_eq!(timer.shared.lock().sleepers.len(), 1);
        drop(cancelled);
        assert!(timer.shared.lock().sleepers.is_empty());
    }

    fn futures_now<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
        match Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }
}
