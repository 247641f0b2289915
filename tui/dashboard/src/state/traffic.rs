//! What packets do over time: how many pass, what they are, how long they take, where they are lost.
//!
//! Rates of mixnodes come from the directory, before the dashboard was opened from its history and
//! since then from its stream. Everything else is counted by the processes since their start: what
//! is kept is the difference between two reports of the same process, so it begins when somebody
//! looks.

mod delays;
mod losses;
mod pools;
mod rates;
mod ring;
mod theory;

use std::time::Duration;

use contract::{NodeMetrics, Role, Time};
use control::{DevnetInfo, History, Share};

use super::Moment;

pub(crate) use delays::{Delays, Fit, Measured};
pub(crate) use losses::{Losses, Lost};
pub(crate) use pools::{AVERAGED, Level, Pool, Pools};
pub(crate) use rates::{Flow, PassedOn, Rates};
pub(crate) use ring::{Ring, Window};
pub(crate) use theory::Erlang;

/// Reports come once a second. What was counted between two that are further apart belongs to no
/// moment, and would stand in the latest as a heap.
const LONGEST_INTERVAL: Duration = Duration::from_secs(10);

/// What packets do over time.
///
/// Of each node 660 cells of 28 bytes are kept for rates and a minute of pools: 20 kB, 2 MB of a
/// hundred nodes. Shares, delays and losses have 360 steps for all nodes together: less than 1 MB,
/// unless everybody drops packets for many reasons at once, which is bounded too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    /// Packets per second.
    pub(crate) rates: Rates,
    /// What the packets are.
    pub(crate) share: Ring<Share>,
    /// How long they take.
    pub(crate) delays: Delays,
    /// How many wait.
    pub(crate) pools: Pools,
    /// Where they are given up.
    pub(crate) losses: Losses,
    /// When the first report was heard that something could be compared with: seconds since 1970.
    begun: Option<i64>,
}

impl Traffic {
    /// The devnet is like this now.
    pub(crate) fn asked(&mut self, info: &DevnetInfo, now: Moment) {
        let theory = Erlang { hops: info.layers, mean_ms: info.hop_delay_ms };
        if let Some(settled) = self.delays.expect(theory, second(now)) {
            self.pools.begin(settled);
        }
    }

    /// What the directory told of the time before. Of nodes that are not known nothing is kept.
    pub(crate) fn recall(&mut self, history: &History, is_known: impl Fn(&str) -> bool) {
        self.rates.recall(history, is_known);
    }

    /// A mixnode reported to the directory at this moment.
    pub(super) fn mix_report(
        &mut self,
        node: &str,
        at: i64,
        (received, sent): (u64, u64),
        hops: &[(String, u64)],
    ) {
        self.rates.report(node, at, received, sent);
        for (next, count) in hops {
            self.rates.towards(next, at, *count);
        }
    }

    /// A process reported its counters; `before` are those of its report before, if it is still the
    /// same process.
    pub(super) fn count(
        &mut self,
        (node, role): (&str, Role),
        now: Moment,
        before: Option<&NodeMetrics>,
        metrics: &NodeMetrics,
    ) {
        // A snapshot repeats the latest report.
        if before.is_some_and(|before| before.t == metrics.t) {
            return;
        }
        let at = second(ago(now, metrics.t));
        self.begun.get_or_insert(at);
        if let Some(pool) = metrics.pool {
            self.pools.read(node, at, pool);
        }
        let Some(before) = before else { return };
        if metrics.t.saturating_since(before.t) > LONGEST_INTERVAL {
            return;
        }
        if role != Role::Mixnode
            && let (Some(received), Some(sent)) = (
                metrics.received.checked_sub(before.received),
                metrics.sent.checked_sub(before.sent),
            )
        {
            self.rates.report(node, at, received, sent);
        }
        if let Some(share) = share(role, metrics).and_then(|new| new.since(&share(role, before)?)) {
            *self.share.record(at) += share;
        }
        if let Some(transits) = &metrics.transits {
            self.delays.count(at, before.transits.as_ref(), transits);
        }
        self.losses.count(node, at, &before.dropped, &metrics.dropped);
    }

    /// A node is not of the devnet any more.
    pub(super) fn forget(&mut self, node: &str) {
        self.rates.forget(node);
        self.pools.forget(node);
        self.losses.forget(node);
    }

    /// What the packets of a window were.
    pub(crate) fn shares(&self, window: Window, now: Moment) -> Share {
        self.share.window(window, second(now)).fold(Share::default(), |sum, step| sum + *step)
    }

    /// For how many seconds of a window counters have been compared; none before the first.
    pub(crate) fn counted_for(&self, window: Window, now: Moment) -> Option<u64> {
        let seconds = second(now).saturating_sub(self.begun?);
        Some(u64::try_from(seconds).unwrap_or(0).min(window.seconds()))
    }
}

/// What a process sent into layer 1; none of one that sends nothing there.
fn share(role: Role, metrics: &NodeMetrics) -> Option<Share> {
    match role {
        Role::Provider => Some(Share::of_provider(metrics.sent)),
        _ => metrics.traffic.as_ref().map(Share::of_client),
    }
}

/// The second of a moment, counted since 1970.
pub(crate) fn second(moment: Moment) -> i64 {
    i64::try_from(moment.unix_ms / 1000).unwrap_or(i64::MAX)
}

/// The earlier moment at which the monotonic clock stood there.
fn ago(now: Moment, at: Time) -> Moment {
    let age = now.t.saturating_since(at).min(LONGEST_INTERVAL);
    let millis = u64::try_from(age.as_millis()).unwrap_or(0);
    Moment { t: at, unix_ms: now.unix_ms.saturating_sub(millis) }
}

#[cfg(test)]
mod tests;
