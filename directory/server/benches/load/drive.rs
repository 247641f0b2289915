//! The closed loop: each connection sends its next request when its last one is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::http::Connection;

/// What came of the requests of one kind.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Of each request that was answered, whatever the answer.
    pub(crate) latencies: Vec<Duration>,
    /// How often which failure happened.
    pub(crate) failures: BTreeMap<String, u64>,
    /// Whether a connection broke: it is given up.
    pub(crate) broken: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        for (failure, count) in other.failures {
            *self.failures.entry(failure).or_default() += count;
        }
        self.broken |= other.broken;
    }

    /// Requests that were answered with success. Each broken connection has one that was not
    /// answered at all.
    pub(crate) fn succeeded(&self) -> u64 {
        let refused = self.failures.iter().filter(|(failure, _)| failure.starts_with("status"));
        self.latencies.len() as u64 - refused.map(|(_, count)| count).sum::<u64>()
    }

    fn fail(&mut self, failure: String) {
        *self.failures.entry(failure).or_default() += 1;
    }
}

/// When a turn is over, for all connections at once.
pub(crate) struct Turn {
    until: Instant,
    /// Requests that may still be sent by those whose number is limited.
    left: AtomicU64,
    over: AtomicBool,
}

impl Turn {
    pub(crate) fn new(length: Duration, limited: u64) -> Arc<Self> {
        let until = Instant::now() + length;
        Arc::new(Self { until, left: AtomicU64::new(limited), over: AtomicBool::new(false) })
    }

    fn goes_on(&self, now: Instant, is_limited: bool) -> bool {
        let take = |left: u64| left.checked_sub(1);
        let order = Ordering::Relaxed;
        let is_over = self.over.load(order)
            || now >= self.until
            || is_limited && self.left.fetch_update(order, order, take).is_err();
        if is_over {
            self.over.store(true, order);
        }
        !is_over
    }
}

/// Sends the requests in rotation over one connection until the turn is over.
pub(crate) async fn drive(
    mut connection: Connection,
    requests: Arc<[Vec<u8>]>,
    first: usize,
    is_limited: bool,
    turn: Arc<Turn>,
) -> Tally {
    let mut tally = Tally::default();
    let mut begin = Instant::now();
    for request in requests.iter().cycle().skip(first) {
        if !turn.goes_on(begin, is_limited) {
            break;
        }
        match connection.exchange(request).await {
            Ok(answer) => {
                let end = Instant::now();
                tally.latencies.push(end - begin);
                begin = end;
                if !answer.is_success() {
                    tally.fail(format!("status {}", answer.status));
                }
            }
            Err(error) => {
                tally.fail(error.to_string());
                tally.broken = true;
                break;
            }
        }
    }
    tally
}
