//! The packets that a mixnode has seen, whichever of its workers saw them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::Time;
use sphinx::{ReplaySet, ReplayTag};

/// A replay set that several engines share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Replays(Arc<Mutex<ReplaySet>>);

impl Replays {
    /// An empty one: a node that starts knows of no packet before.
    pub fn new(now: Time) -> Self {
        Self(Arc::new(Mutex::new(ReplaySet::new(now))))
    }

    /// Remembers a packet; says whether it is new. Held for this one look only: a batch takes long
    /// enough for all other workers to wait.
    pub(crate) fn insert(&self, now: Time, tag: ReplayTag) -> bool {
        self.lock().insert(now, tag)
    }

    /// For how long every packet has been remembered.
    pub fn window(&self, now: Time) -> Duration {
        self.lock().window(now)
    }

    fn lock(&self) -> MutexGuard<'_, ReplaySet> {
        // Nothing in here can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
