//! Systems without a timer that can be waited for like a socket: a parked thread.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread;

use contract::Time;

use super::Sleepers;
use crate::clock;

/// The thread only wakes tasks.
const STACK_BYTES: usize = 64 << 10;

/// Goes off at one moment at a time.
#[derive(Debug)]
pub(super) struct Alarm(Arc<Shared>);

/// What waits for it.
pub(super) struct GoingOff(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    at: Option<Time>,
    closed: bool,
}

impl Alarm {
    #[expect(clippy::unnecessary_wraps, reason = "asking the kernel in its place can fail")]
    pub(super) fn new() -> io::Result<(Self, GoingOff)> {
        let shared = Arc::<Shared>::default();
        Ok((Self(Arc::clone(&shared)), GoingOff(shared)))
    }

    /// Sets it to another moment.
    pub(super) fn set(&self, at: Time) {
        self.change(|state| state.at = Some(at));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        // Nothing in here can panic halfway through a change.
        change(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.changed.notify_one();
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.change(|state| state.closed = true);
    }
}

impl GoingOff {
    /// Wakes the sleepers whenever it goes off, until they are gone.
    pub(super) fn run(self, sleepers: Weak<Sleepers>) -> io::Result<()> {
        let thread = thread::Builder::new().name("timer".into()).stack_size(STACK_BYTES);
        thread.spawn(move || {
            while self.wait() {
                let Some(sleepers) = sleepers.upgrade() else { return };
                sleepers.wake_due();
            }
        })?;
        Ok(())
    }

    /// Waits until it goes off; false if it never will.
    fn wait(&self) -> bool {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.closed {
                return false;
            }
            state = match state.at {
                Some(at) => {
                    let left = at.saturating_since(clock::now());
                    if left.is_zero() {
                        state.at = None;
                        return true;
                    }
                    let waited = self.0.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_goes_off_at_the_moment_last_set_and_ends_with_its_owner() {
        let (alarm, going_off) = Alarm::new().expect("nothing is asked of the system");
        let begin = clock::now();
        alarm.set(begin + Duration::from_secs(1000));
        let waiter = thread::spawn(move || (going_off.wait(), clock::now(), going_off.wait()));
        let soon = begin + Duration::from_millis(10);
        alarm.set(soon);
        while alarm.0.state.lock().expect("not poisoned").at.is_some() {
            thread::yield_now();
        }
        drop(alarm);
        let (went_off, at, again) = waiter.join().expect("it does not panic");
        assert!(went_off && at >= soon && !again);
    }
}
