//! Received messages for one connection that gets pushes: first what nobody has taken, then each that
//! comes.

use futures_util::Stream;
use futures_util::stream::try_unfold;
use tokio::sync::watch;

use super::claims::Claims;
use super::{Applications, Refusal};
use crate::storage::{Received, Storage};

/// A connection's place in the inbox.
struct Cursor {
    storage: Storage,
    claims: Claims,
    newest: watch::Receiver<u64>,
    /// Everything up to this number has been seen.
    after: u64,
    /// The newest message when the connection began: those up to it may be other applications'.
    untaken_up_to: u64,
}

impl Applications {
    /// The messages for a connection that begins now. Of these one is in memory at a time, and only
    /// once it is asked for.
    pub(super) fn pushes(&self) -> impl Stream<Item = Result<Received, Refusal>> + Send + use<> {
        let newest = self.storage.newest();
        let untaken_up_to = *newest.borrow();
        let cursor = Cursor {
            storage: self.storage.clone(),
            claims: self.claims.clone(),
            newest,
            after: 0,
            untaken_up_to,
        };
        try_unfold(cursor, async |mut cursor: Cursor| {
            Ok(cursor.next().await?.map(|received| (received, cursor)))
        })
    }
}

impl Cursor {
    async fn next(&mut self) -> Result<Option<Received>, Refusal> {
        loop {
            // Before it is asked, so that what comes meanwhile is a change.
            self.newest.borrow_and_update();
            let Some(received) = self.look().await? else {
                if self.newest.changed().await.is_err() {
                    // The client is stopping.
                    return Ok(None);
                }
                continue;
            };
            self.after = received.number;
            return Ok(Some(received));
        }
    }

    /// The next message that is there. One that a `fetch` is just answered with is waited for: if the
    /// answer cannot be written it is free again.
    async fn look(&self) -> Result<Option<Received>, Refusal> {
        let Self { after, untaken_up_to, .. } = *self;
        if after >= untaken_up_to {
            // Everything from here on is for everybody.
            return Ok(self.storage.next(after, untaken_up_to).await?);
        }
        loop {
            let (storage, claims) = (self.storage.clone(), self.claims.clone());
            // In a task of its own: this connection is not polled while it writes something.
            let looking = tokio::spawn(async move {
                let _gate = claims.gate().await;
                let next = storage.next(after, untaken_up_to).await?;
                let claimed = next.as_ref().map(|received| received.number);
                let claimed = claimed.filter(|&n| n <= untaken_up_to && claims.contain(n));
                Ok::<_, Refusal>((next, claimed))
            });
            match looking.await.map_err(|_| Refusal::Stopping)?? {
                (next, None) => return Ok(next),
                (_, Some(number)) => self.claims.settled(number).await,
            }
        }
    }
}
