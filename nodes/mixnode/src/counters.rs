//! What a mixnode counts.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use sphinx::UnwrapError;

/// Why a packet was given up. The words are those of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Not a Sphinx packet, or its routing information makes no sense.
    Malformed,
    /// The MAC of the header is wrong.
    Mac,
    /// It came before.
    Replay,
    /// Its header has a version that this program does not know.
    Version,
    /// It asks for a delay beyond [`MAX_DELAY`](crate::MAX_DELAY).
    Delay,
    /// It ends at a mixnode.
    FinalHop,
    /// The pool is full.
    PoolFull,
    /// Its next hop is in the wrong layer: layers cannot be skipped.
    Layer,
    /// Nobody knows its next hop.
    UnknownHop,
}

impl DropReason {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Mac => "mac",
            Self::Replay => "replay",
            Self::Version => "version",
            Self::Delay => "delay",
            Self::FinalHop => "final-hop",
            Self::PoolFull => "pool-full",
            Self::Layer => "layer",
            Self::UnknownHop => "unknown-hop",
        }
    }
}

impl From<UnwrapError> for DropReason {
    fn from(error: UnwrapError) -> Self {
        match error {
            UnwrapError::Mac => Self::Mac,
            UnwrapError::Replay => Self::Replay,
            UnwrapError::Version(_) => Self::Version,
            UnwrapError::Length(_) | UnwrapError::Malformed => Self::Malformed,
        }
    }
}

/// Most next hops that are counted apart: as many as the directory takes in a report. Only who sends
/// packets wherever they want to go meets more.
const MAX_NEXT_HOPS: usize = 1024;

/// Packets since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Taken from links, those that are dropped included.
    pub received: u64,
    /// Passed on, by next hop.
    pub sent: BTreeMap<SocketAddr, u64>,
    /// Given up, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
}

impl Counters {
    /// Counts a packet that was passed on.
    pub(crate) fn sent(&mut self, to: SocketAddr) {
        self.add_sent(to, 1);
    }

    /// Adds what another engine has counted.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        for (to, count) in &other.sent {
            self.add_sent(*to, *count);
        }
        for (reason, count) in &other.dropped {
            *self.dropped.entry(*reason).or_default() += count;
        }
    }

    fn add_sent(&mut self, to: SocketAddr, count: u64) {
        if self.sent.len() < MAX_NEXT_HOPS || self.sent.contains_key(&to) {
            *self.sent.entry(to).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_hops_that_somebody_made_up_fit_into_a_report() {
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let mut workers = [Counters::default(), Counters::default()];
        for port in 0..3000 {
            workers[usize::from(port % 2)].sent(address(port));
        }
        // One that is known goes on being counted.
        workers[0].sent(address(0));
        let mut all = Counters::default();
        for worker in &workers {
            all.add(worker);
        }
        assert_eq!(all.sent.len(), directory_server::limits::MAX_NEXT_HOPS);
        assert_eq!(all.sent.get(&address(0)), Some(&2));
    }
}
