//! Connections that may be dropped for others: those that have not logged in, or wait between two
//! pulls. Thousands of idle ones must not keep a client out.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// So many may always stay: clients that log in at the same moment do not push each other out.
const ALWAYS_STAY: usize = 256;

/// The connections, the one that moved longest ago first.
#[derive(Debug, Default)]
pub(super) struct Lobby(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    connections: BTreeMap<u64, CancellationToken>,
}

impl Waiting {
    fn add(&mut self, evicted: CancellationToken) -> u64 {
        self.next += 1;
        self.connections.insert(self.next, evicted);
        self.next
    }
}

impl Lobby {
    /// A new connection. If most places are taken, whoever has been idle for longest loses its own.
    pub(super) fn enter(&self, crowded: bool) -> Ticket<'_> {
        let evicted = CancellationToken::new();
        let mut waiting = self.lock();
        let number = waiting.add(evicted.clone());
        if crowded && waiting.connections.len() > ALWAYS_STAY {
            let oldest = waiting.connections.pop_first();
            oldest.expect("more than none").1.cancel();
        }
        drop(waiting);
        Ticket { lobby: self, number, evicted }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in the lobby.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    lobby: &'a Lobby,
    number: u64,
    evicted: CancellationToken,
}

impl Ticket<'_> {
    /// Cancelled when the connection has to go.
    pub(super) fn evicted(&self) -> CancellationToken {
        self.evicted.clone()
    }

    /// It did something: others go first.
    pub(super) fn renew(&mut self) {
        let mut waiting = self.lobby.lock();
        // Not if it has to go already.
        if waiting.connections.remove(&self.number).is_some() {
            self.number = waiting.add(self.evicted.clone());
        }
    }

    /// It is a client's now and may stay.
    pub(super) fn leave(&mut self) {
        self.lobby.lock().connections.remove(&self.number);
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idlest_makes_way_and_only_when_it_is_crowded() {
        let lobby = Lobby::default();
        let mut tickets: Vec<_> = (0..=ALWAYS_STAY).map(|_| lobby.enter(false)).collect();
        assert!(tickets.iter().all(|ticket| !ticket.evicted.is_cancelled()), "there was room");
        tickets[0].renew();
        tickets[1].leave();
        let newest = [lobby.enter(true), lobby.enter(true)];
        let gone: Vec<usize> =
            (0..tickets.len()).filter(|&n| tickets[n].evicted.is_cancelled()).collect();
        assert_eq!(gone, [2, 3], "not the renewed one, nor the one that left");
        drop(tickets);
        assert!(!lobby.enter(true).evicted.is_cancelled());
        assert!(newest.iter().all(|ticket| !ticket.evicted.is_cancelled()));
        drop(newest);
        assert!(lobby.lock().connections.is_empty(), "nothing is left behind");
    }
}
