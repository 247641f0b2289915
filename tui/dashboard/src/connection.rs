//! The connection to the supervisor: losing it is a condition to show, not an error to end with.

use std::time::Duration;

use contract::Time;

/// Wait before the first attempt to connect again. Doubles with each that fails.
const FIRST_RETRY: Duration = Duration::from_millis(250);

/// Longest wait between attempts: nobody wants to watch a longer countdown.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// A connection that lasted so long was good. One that ended before counts as an attempt that failed:
/// whoever answers nonsense is not asked again and again.
const STEADY: Duration = LONGEST_RETRY;

/// A running devnet says something every second. After twice that, what is shown is old.
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(2);

/// Where the connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// The first attempt is underway.
    Connecting,
    /// Events come.
    Live,
    /// Not connected; trying again.
    Lost {
        /// Why.
        reason: String,
        /// When it was lost, or last tried in vain.
        since: Time,
        /// When to try again.
        retry_at: Time,
    },
}

impl Connection {
    /// It was lost, or an attempt failed; it is tried again after this long.
    pub(crate) fn lose(&mut self, reason: String, now: Time, wait: Duration) {
        let since = self.lost_since().unwrap_or(now);
        *self = Self::Lost { reason, since, retry_at: now + wait };
    }

    /// How long ago it was lost.
    pub(crate) fn lost_since(&self) -> Option<Time> {
        match self {
            Self::Lost { since, .. } => Some(*since),
            Self::Connecting | Self::Live => None,
        }
    }
}

/// How often in a row there was no connection that lasted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Retries {
    failed: u32,
    /// When the connection that there is was made.
    connected: Option<Time>,
}

impl Retries {
    /// There is a connection.
    pub(crate) fn connected(&mut self, now: Time) {
        self.connected = Some(now);
    }

    /// It was lost, or an attempt failed. Returns how long to wait before the next one.
    pub(crate) fn failed(&mut self, now: Time) -> Duration {
        let since = self.connected.take();
        if since.is_some_and(|since| now.saturating_since(since) >= STEADY) {
            self.failed = 0;
        }
        let wait = FIRST_RETRY.saturating_mul(1 << self.failed.min(16)).min(LONGEST_RETRY);
        self.failed = self.failed.saturating_add(1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_up_to_a_bound_and_begin_anew_after_success() {
        let at = |ms| Time::default() + Duration::from_millis(ms);
        let mut retries = Retries::default();
        let waits: Vec<u128> = (0..7).map(|_| retries.failed(at(0)).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        retries.connected(at(1000));
        assert_eq!(retries.failed(at(6000)).as_millis(), 250);
        assert_eq!(retries.failed(at(6250)).as_millis(), 500);
    }

    #[test]
    fn a_connection_that_ends_at_once_was_no_success() {
        let mut retries = Retries::default();
        let mut now = Time::default();
        let mut waits = Vec::new();
        for _ in 0..6 {
            let wait = retries.failed(now);
            waits.push(wait.as_millis());
            now = now + wait;
            retries.connected(now);
            now = now + Duration::from_millis(10);
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 5000]);
    }
}
