//! Messages that are just being handed out by a `fetch`: two of them at once must not get the same.
//!
//! A message that a `fetch` answers with is claimed until the answer is written and the message
//! marked as taken; or until it could not be written, and is free again.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard, watch};

/// All claims of a client. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    numbers: Arc<watch::Sender<BTreeSet<u64>>>,
    gate: Arc<Mutex<()>>,
}

impl Claims {
    /// Held while the inbox is read and while messages become taken: else who has read a message just
    /// before that could find it free just after. Whoever holds it must be polled until it does not,
    /// and writes nothing to an application meanwhile.
    pub(super) async fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().await
    }

    /// A claim on nothing yet.
    pub(super) fn begin(&self) -> Claim {
        Claim { numbers: Vec::new(), all: Arc::clone(&self.numbers) }
    }

    pub(super) fn contain(&self, number: u64) -> bool {
        self.numbers.borrow().contains(&number)
    }

    /// Waits until nobody claims this message: it is taken, or free.
    pub(super) async fn settled(&self, number: u64) {
        let mut numbers = self.numbers.subscribe();
        // The sender is there as long as `self` is.
        let _ = numbers.wait_for(|numbers| !numbers.contains(&number)).await;
    }
}

/// Messages that are handed out. They are free again when this is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    numbers: Vec<u64>,
    all: Arc<watch::Sender<BTreeSet<u64>>>,
}

impl Claim {
    /// Claims a message, unless somebody else does.
    pub(super) fn add(&mut self, number: u64) -> bool {
        let added = self.all.send_if_modified(|all| all.insert(number));
        if added {
            self.numbers.push(number);
        }
        added
    }

    pub(super) fn numbers(&self) -> &[u64] {
        &self.numbers
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.numbers.is_empty() {
            self.all.send_modify(|all| {
                for number in &self.numbers {
                    all.remove(number);
                }
            });
        }
    }
}
