//! Who is logged in, and what went to clients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contract::LinkEvent;
use runtime::clock;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use wire::PublicKey;

/// Link events that wait to be taken; ten seconds of a thousand deliveries a second.
const MAX_EVENTS: usize = 10_000;

/// The logins of a provider: at most one for each client.
#[derive(Debug, Default)]
pub(super) struct Online(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    logins: HashMap<PublicKey, Arc<Signals>>,
    events: Vec<LinkEvent>,
    /// How many more there were than are kept.
    lost: u64,
    delivered: u64,
}

#[derive(Debug, Default)]
struct Signals {
    news: Notify,
    replaced: CancellationToken,
}

/// A client is logged in until this is dropped.
#[derive(Debug)]
pub(super) struct Login<'a> {
    online: &'a Online,
    client: PublicKey,
    signals: Arc<Signals>,
}

impl Online {
    pub(super) fn count(&self) -> u64 {
        self.lock().logins.len() as u64
    }

    pub(super) fn delivered(&self) -> u64 {
        self.lock().delivered
    }

    /// What went to clients since this was last asked, and how much more there was.
    pub(super) fn take_events(&self) -> (Vec<LinkEvent>, u64) {
        let mut state = self.lock();
        (std::mem::take(&mut state.events), std::mem::take(&mut state.lost))
    }

    pub(super) fn notify(&self, client: &PublicKey) {
        if let Some(signals) = self.lock().logins.get(client) {
            signals.news.notify_one();
        }
    }

    /// So many packets are with their clients now.
    pub(super) fn add_delivered(&self, count: u64) {
        self.lock().delivered += count;
    }

    /// Something was written to a client.
    pub(super) fn record(&self, client: &PublicKey, bytes: usize) {
        let bytes = u32::try_from(bytes).expect("a packet is small");
        let mut state = self.lock();
        if state.events.len() < MAX_EVENTS {
            let (t, dst) = (clock::now(), client.to_string());
            state.events.push(LinkEvent { t, from: None, dst, bytes });
        } else {
            state.lost += 1;
        }
    }

    /// Logs a client in; whoever was logged in under its key is replaced.
    pub(super) fn take_over(&self, client: PublicKey) -> Login<'_> {
        let signals = Arc::<Signals>::default();
        if let Some(before) = self.lock().logins.insert(client, Arc::clone(&signals)) {
            before.replaced.cancel();
        }
        Login { online: self, client, signals }
    }

    /// Logs a client in unless somebody is logged in under its key.
    pub(super) fn take_if_free(&self, client: PublicKey) -> Option<Login<'_>> {
        let signals = Arc::<Signals>::default();
        let mut state = self.lock();
        if state.logins.contains_key(&client) {
            return None;
        }
        state.logins.insert(client, Arc::clone(&signals));
        drop(state);
        Some(Login { online: self, client, signals })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Login<'_> {
    /// The client's key.
    pub(super) fn client(&self) -> PublicKey {
        self.client
    }

    /// Waits until something was stored for the client, or [`look_again`](Self::look_again) was said.
    pub(super) async fn news(&self) {
        self.signals.news.notified().await;
    }

    /// There may be more than was read.
    pub(super) fn look_again(&self) {
        self.signals.news.notify_one();
    }

    /// Waits until somebody else has logged in under the client's key.
    pub(super) async fn replaced(&self) {
        self.signals.replaced.cancelled().await;
    }
}

impl Drop for Login<'_> {
    fn drop(&mut self) {
        let mut state = self.online.lock();
        // Whoever took over stays.
        if state.logins.get(&self.client).is_some_and(|now| Arc::ptr_eq(now, &self.signals)) {
            state.logins.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_login_per_client_and_the_one_that_was_replaced_takes_nobody_along() {
        let (online, client) = (Online::default(), PublicKey::from_bytes([1; 32]));
        let first = online.take_if_free(client).expect("free");
        assert!(online.take_if_free(client).is_none());
        let second = online.take_over(client);
        assert!(first.signals.replaced.is_cancelled());
        drop(first);
        assert_eq!(online.count(), 1);
        assert!(!second.signals.replaced.is_cancelled());
        drop(second);
        assert_eq!(online.count(), 0);
        assert!(online.take_if_free(client).is_some());
    }
}
