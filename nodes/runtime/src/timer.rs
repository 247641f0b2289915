//! Precise wake-ups.
//!
//! The runtime's own timer rounds to milliseconds: it wakes 1 ms late at the median, which would
//! show in every delay of every mixnode. On Linux the kernel's timer becomes readable at the moment
//! asked for, and the runtime waits for it as for a socket; elsewhere a parked thread wakes the task.

use std::collections::BTreeMap;
use std::collections::btree_map::OccupiedEntry;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use contract::Time;

use crate::clock;

#[cfg(target_os = "linux")]
mod kernel;
#[cfg_attr(
    target_os = "linux",
    allow(dead_code, reason = "compiled and tested everywhere, used elsewhere")
)]
mod thread;

#[cfg(target_os = "linux")]
use kernel::Alarm;
#[cfg(not(target_os = "linux"))]
use thread::Alarm;

/// Wakes tasks at precise moments. One for each runtime is enough.
#[derive(Debug)]
pub struct Timer {
    sleepers: Arc<Sleepers>,
}

/// Tasks that wait for a moment.
#[derive(Debug)]
struct Sleepers {
    state: Mutex<State>,
    alarm: Alarm,
}

#[derive(Debug, Default)]
struct State {
    sleepers: BTreeMap<(Time, u64), Waker>,
    next_id: u64,
    /// What the alarm is set to. It may go off for nobody, if who asked for it waits no more: that is
    /// cheaper than to set it each time.
    alarm_at: Option<Time>,
}

impl Timer {
    /// Starts it. Needs to be inside a runtime.
    pub fn start() -> io::Result<Self> {
        let (alarm, going_off) = Alarm::new()?;
        let sleepers = Arc::new(Sleepers { state: Mutex::default(), alarm });
        going_off.run(Arc::downgrade(&sleepers))?;
        Ok(Self { sleepers })
    }

    /// Ends at this moment, at once if it has passed; never if there is none.
    pub fn at(&self, deadline: Option<Time>) -> Sleep {
        Sleep { sleepers: Arc::clone(&self.sleepers), deadline, id: None }
    }
}

impl Sleepers {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one, or changes whom it wakes.
    fn put(&self, id: Option<u64>, deadline: Time, waker: &Waker) -> u64 {
        let mut state = self.lock();
        let id = id.unwrap_or_else(|| {
            state.next_id += 1;
            state.next_id
        });
        state.sleepers.insert((deadline, id), waker.clone());
        if state.alarm_at.is_none_or(|at| deadline < at) {
            state.alarm_at = Some(deadline);
            self.alarm.set(deadline);
        }
        id
    }

    /// Wakes whoever is due, and sets the alarm for the next.
    fn wake_due(&self) {
        let now = clock::now();
        let take_due = || {
            let mut state = self.lock();
            let first = state.sleepers.first_entry().filter(|first| first.key().0 <= now);
            first.map(OccupiedEntry::remove)
        };
        // Not under the lock: a task that is woken may be dropped, and its sleep with it.
        while let Some(waker) = take_due() {
            waker.wake();
        }
        let mut state = self.lock();
        state.alarm_at = state.sleepers.first_key_value().map(|((deadline, _), _)| *deadline);
        if let Some(at) = state.alarm_at {
            self.alarm.set(at);
        }
    }
}

/// A wait for a moment. Can be dropped at any time.
#[derive(Debug)]
pub struct Sleep {
    sleepers: Arc<Sleepers>,
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
        self.id = Some(self.sleepers.put(self.id, deadline, context.waker()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(deadline), Some(id)) = (self.deadline, self.id) {
            self.sleepers.lock().sleepers.remove(&(deadline, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn sleepers_wake_in_order_never_early_and_leave_nothing_behind() {
        let timer = Timer::start().expect("a timer");
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
        assert_eq!(timer.sleepers.lock().sleepers.len(), 1);
        drop(cancelled);
        assert!(timer.sleepers.lock().sleepers.is_empty());
        // The alarm is still set for it, and an earlier one is not missed.
        timer.at(Some(clock::now() + Duration::from_millis(5))).await;
    }

    fn futures_now<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
        match Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }
}
