//! A link from one process to another.

use std::collections::VecDeque;
use std::time::Duration;

use contract::Time;

use super::Meter;

/// How long a packet takes to cross the map. On the wire it takes less than a millisecond; slow enough
/// that the eye can follow it at ten frames a second.
pub(crate) const CROSSING: Duration = Duration::from_millis(900);

/// Processes report what left every 100 ms; shown so much later, every packet begins at its start.
const REPORTED_WITHIN: Duration = Duration::from_millis(100);

/// How many packets are shown on a link at once. More would be a line, and that is drawn already.
pub(crate) const MOST_SHOWN: u32 = 4;

/// What is known of a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    /// Packets on it.
    pub(crate) meter: Meter,
    /// Packets since the meter was told last.
    pub(super) pending: u64,
    /// When the packets left that are shown on it, oldest first: a sample of those that really passed.
    shown: VecDeque<Time>,
}

impl Link {
    /// One that carried nothing while its sender has been counting.
    pub(crate) fn beside(sent: &Meter) -> Self {
        Self { meter: Meter::beside(sent), ..Self::default() }
    }

    /// A packet left. It is shown if the one before is far enough ahead.
    pub(super) fn left(&mut self, at: Time) {
        while self.shown.front().is_some_and(|&first| at.saturating_since(first) > CROSSING) {
            self.shown.pop_front();
        }
        let free = self
            .shown
            .back()
            .is_none_or(|&last| at.saturating_since(last) >= CROSSING / MOST_SHOWN && at > last);
        if free && self.shown.len() < MOST_SHOWN as usize {
            self.shown.push_back(at);
        }
    }

    /// What has passed until now is counted.
    pub(super) fn count(&mut self, at: Time) {
        self.meter.add(at, std::mem::take(&mut self.pending));
    }

    /// What counted has ended.
    pub(super) fn end(&mut self) {
        self.pending = 0;
        self.meter.end();
    }

    /// How far the packets shown have come, from 0 to 1.
    pub(crate) fn packets(&self, now: Time) -> impl Iterator<Item = f64> + '_ {
        self.shown.iter().filter_map(move |&left| {
            let since = now.saturating_since(left + REPORTED_WITHIN);
            let way = since.as_secs_f64() / CROSSING.as_secs_f64();
            (way > 0.0 && way <= 1.0).then_some(way)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::default() + Duration::from_millis(ms)
    }

    fn ways(link: &Link, now: u64) -> Vec<f64> {
        link.packets(at(now)).collect()
    }

    #[test]
    fn packets_cross_one_behind_the_other_and_are_gone() {
        let mut link = Link::default();
        assert!(ways(&link, 0).is_empty());
        link.left(at(1000));
        link.left(at(1450));
        assert!(ways(&link, 1050).is_empty());
        assert_eq!(ways(&link, 1550), [0.5]);
        assert_eq!(ways(&link, 2000), [1.0, 0.5]);
        assert!(ways(&link, 2600).is_empty());
    }

    #[test]
    fn of_many_packets_a_few_are_shown_and_later_ones_too() {
        let mut link = Link::default();
        for ms in 0..3000 {
            link.left(at(ms));
            assert!(link.packets(at(ms)).count() <= MOST_SHOWN as usize);
        }
        assert!(link.packets(at(3000)).count() >= 3);
    }
}
