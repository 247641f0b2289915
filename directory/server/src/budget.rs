//! Memory that all requests share. What one of them takes is bounded by its route; this bounds the
//! sum of what waits for slow clients.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::answer::Failure;
use crate::limits::{MAX_HISTORIES, MAX_LONG_BODIES_KIB, MAX_SHORT_BODY_BYTES};

/// A request that there is no room for waits this long: less than our own clients wait for an answer,
/// so that they learn the reason.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is left for requests.
pub(crate) struct Budget {
    long_bodies: Arc<Semaphore>,
    histories: Arc<Semaphore>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            long_bodies: Arc::new(Semaphore::new(MAX_LONG_BODIES_KIB)),
            histories: Arc::new(Semaphore::new(MAX_HISTORIES)),
        }
    }
}

/// A share of the budget, given back when this is dropped. None was needed for what is short.
pub(crate) struct Share(Option<OwnedSemaphorePermit>);

impl Budget {
    /// Room for a body of so many bytes.
    pub(crate) async fn body(&self, bytes: usize) -> Result<Share, Failure> {
        if bytes <= MAX_SHORT_BODY_BYTES {
            return Ok(Share(None));
        }
        let kib = u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        take(&self.long_bodies, kib).await
    }

    /// Room for an answer with a history.
    pub(crate) async fn history(&self) -> Result<Share, Failure> {
        take(&self.histories, 1).await
    }
}

async fn take(left: &Arc<Semaphore>, count: u32) -> Result<Share, Failure> {
    let share = timeout(PATIENCE, Arc::clone(left).acquire_many_owned(count)).await;
    let share = share.map_err(|_| Failure::Busy)?;
    Ok(Share(Some(share.expect("it is never closed"))))
}

impl Share {
    /// Is given back when the last of these bytes is gone.
    pub(crate) fn hold(self, bytes: Bytes) -> Bytes {
        struct Held(Bytes, #[expect(dead_code, reason = "it is dropped")] OwnedSemaphorePermit);
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        match self.0 {
            Some(share) => Bytes::from_owner(Held(bytes, share)),
            None => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_share_is_given_back_with_the_last_of_its_bytes() {
        let budget = Budget::default();
        let mut answers = Vec::new();
        for _ in 0..MAX_HISTORIES {
            let share = budget.history().await.map_err(|_| "full").expect("room");
            answers.push(share.hold(Bytes::from_static(b"[]")));
        }
        let piece = answers[0].slice(..1);
        assert!(matches!(budget.history().await, Err(Failure::Busy)));
        drop(answers.remove(0));
        assert!(matches!(budget.history().await, Err(Failure::Busy)), "a piece is left");
        drop(piece);
        assert!(budget.history().await.is_ok());
    }
}
