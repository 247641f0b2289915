//! What the packets are that enter a mixnet: who looks at its links cannot tell, its owner can.

use std::ops::{Add, AddAssign};

use contract::TrafficCounters;

/// Packets that clients and providers sent into layer 1, by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// With a fragment of a message, sent for the first time.
    pub real: u64,
    /// With a fragment of a message, sent again.
    pub retransmitted: u64,
    /// Cover in place of a real packet, in a slot of which nothing waited.
    pub cover: u64,
    /// Cover of the independent loop stream.
    pub loops: u64,
    /// Acknowledgements that providers sent.
    pub acks: u64,
}

impl Share {
    /// What a client or a crowd sent.
    pub fn of_client(traffic: &TrafficCounters) -> Self {
        let TrafficCounters { real, retransmitted, cover, loops, .. } = *traffic;
        Self { real, retransmitted, cover, loops, acks: 0 }
    }

    /// What a provider sent: all of it is acknowledgements.
    pub fn of_provider(sent: u64) -> Self {
        Self { acks: sent, ..Self::default() }
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        let Self { real, retransmitted, cover, loops, acks } = *self;
        [real, retransmitted, cover, loops, acks].into_iter().fold(0, u64::saturating_add)
    }

    /// What was sent since these were counted; none if less was counted than then, as it is after a
    /// new start.
    pub fn since(&self, before: &Self) -> Option<Self> {
        Some(Self {
            real: self.real.checked_sub(before.real)?,
            retransmitted: self.retransmitted.checked_sub(before.retransmitted)?,
            cover: self.cover.checked_sub(before.cover)?,
            loops: self.loops.checked_sub(before.loops)?,
            acks: self.acks.checked_sub(before.acks)?,
        })
    }

    /// So many of all of them, in percent; none if there are none.
    #[expect(clippy::cast_precision_loss, reason = "a share of packets is not exact to 15 digits")]
    pub fn percent(&self, part: u64) -> Option<f64> {
        let total = self.total();
        (total > 0).then(|| part as f64 * 100.0 / total as f64)
    }
}

impl Add for Share {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            real: self.real.saturating_add(other.real),
            retransmitted: self.retransmitted.saturating_add(other.retransmitted),
            cover: self.cover.saturating_add(other.cover),
            loops: self.loops.saturating_add(other.loops),
            acks: self.acks.saturating_add(other.acks),
        }
    }
}

impl AddAssign for Share {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_packets_and_begin_anew_with_their_process() {
        let traffic = TrafficCounters {
            real: 4,
            retransmitted: 1,
            cover: 40,
            loops: 30,
            queued: 7,
            ..TrafficCounters::default()
        };
        let share = Share::of_client(&traffic) + Share::of_provider(25);
        assert_eq!((share.total(), share.percent(share.acks)), (100, Some(25.0)));
        assert_eq!(Share::default().percent(0), None);
        let later = Share { real: 9, cover: 50, ..share };
        assert_eq!(later.since(&share), Some(Share { real: 5, cover: 10, ..Share::default() }));
        assert_eq!(Share { loops: 29, ..later }.since(&share), None, "it was started again");
    }
}
