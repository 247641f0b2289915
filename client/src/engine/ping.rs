//! Pings: cover that somebody waits for, because he wants to know which way it took and how long.
//!
//! A ping leaves in a slot, in place of the packet that the slot would have carried otherwise, and is
//! made like any other cover: who watches sees nothing of it.

use std::collections::VecDeque;
use std::time::Duration;

use contract::Time;
use rand::{CryptoRng, RngExt};
use wire::{MessageId, NodeAddress};

use super::{ACK_MARGIN, Client, Output};
use crate::choices::Purpose;

/// Most pings that wait or are underway. Each takes a slot from messages, and whoever measures needs
/// no more at once.
pub const MAX_PINGS: usize = 16;

/// A ping of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PingId(u64);

/// A ping is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PingError {
    /// Others wait already.
    #[error("{MAX_PINGS} pings are underway already")]
    TooMany,
    /// Packets do not pass.
    #[error("{0}")]
    NoWay(String),
}

/// The pings of a client that are not over.
#[derive(Debug, Default)]
pub(super) struct Pings {
    /// How many there were.
    count: u64,
    /// For their slot, with the moment at which they were asked for.
    waiting: VecDeque<(PingId, Time)>,
    underway: Vec<Underway>,
}

#[derive(Debug)]
struct Underway {
    ping: PingId,
    /// What comes back with the packet.
    id: MessageId,
    asked: Time,
    sent: Time,
    /// What the mixnodes were told to wait.
    delay: Duration,
    route: Vec<NodeAddress>,
}

impl Underway {
    /// When it is taken for lost: like a packet of which no acknowledgement comes.
    fn deadline(&self) -> Time {
        self.sent + self.patience()
    }

    fn patience(&self) -> Duration {
        self.delay.mul_f64(1.5) + ACK_MARGIN
    }
}

impl Pings {
    fn len(&self) -> usize {
        self.waiting.len() + self.underway.len()
    }

    /// When the next one is lost.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.underway.iter().map(Underway::deadline).min()
    }

    /// Gives up those that are not back in time.
    pub(super) fn expire(&mut self, now: Time, outputs: &mut Vec<Output>) {
        let lost = self.underway.extract_if(.., |ping| ping.deadline() <= now);
        outputs.extend(lost.map(|lost| {
            let (asked, patience) = (lost.delay.as_millis(), lost.patience().as_millis());
            let reason = format!(
                "it is not back after {patience} ms, of which the mixnodes were told to hold it for \
                 {asked} ms"
            );
            Output::PingLost { ping: lost.ping, reason }
        }));
    }

    /// A packet of cover with this id came back. None if it is no ping's.
    pub(super) fn returned(&mut self, now: Time, id: MessageId) -> Option<Output> {
        let index = self.underway.iter().position(|ping| ping.id == id)?;
        let Underway { ping, asked, sent, delay, route, .. } = self.underway.swap_remove(index);
        Some(Output::Pong {
            ping,
            queued: sent.saturating_since(asked),
            travelled: now.saturating_since(sent),
            asked: delay,
            route,
        })
    }
}

impl Client {
    /// Lets the next slot carry a packet of which [`Output::Pong`] or [`Output::PingLost`] will tell.
    pub fn ping(&mut self, now: Time) -> Result<PingId, PingError> {
        if let Some(reason) = self.waiting_for() {
            return Err(PingError::NoWay(reason));
        }
        if self.pings.len() >= MAX_PINGS {
            return Err(PingError::TooMany);
        }
        self.pings.count += 1;
        let ping = PingId(self.pings.count);
        self.pings.waiting.push_back((ping, now));
        Ok(ping)
    }

    /// Uses the slot for a ping, if one waits; says whether it did.
    pub(super) fn send_ping(
        &mut self,
        now: Time,
        rng: &mut impl CryptoRng,
        outputs: &mut Vec<Output>,
    ) -> bool {
        let Some((ping, asked)) = self.pings.waiting.pop_front() else { return false };
        let id = MessageId(rng.random());
        let delay = self.settings.rates.hop_delay;
        match self.build_cover(now, rng, Purpose::Ping, id, delay) {
            Ok(built) => {
                let (delay, route) = (built.delay(), built.route().to_vec());
                self.pings.underway.push(Underway { ping, id, asked, sent: now, delay, route });
                outputs.push(self.send_built_cover(now, built));
                true
            }
            Err(error) => {
                outputs.push(Output::PingLost { ping, reason: error.to_string() });
                false
            }
        }
    }
}
