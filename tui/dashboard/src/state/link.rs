//! A link from one process to another.

use std::time::Duration;

use contract::Time;

use super::Meter;

/// How long a packet takes to cross the map. On the wire it takes less than a millisecond.
const CROSSING: Duration = Duration::from_millis(600);

/// Processes report what left every 100 ms; shown so much later, every packet begins at its start.
const REPORTED_WITHIN: Duration = Duration::from_millis(100);

/// What is known of a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    /// Packets on it.
    pub(crate) meter: Meter,
    /// When the packet left that is shown on it. One at a time: a sample of those that really pass.
    packet: Option<Time>,
}

impl Link {
    /// One that carried nothing while its sender has been counting.
    pub(crate) fn beside(sent: &Meter) -> Self {
        Self { meter: Meter::beside(sent), packet: None }
    }

    /// A packet left.
    pub(crate) fn left(&mut self, at: Time) {
        if self.packet.is_none_or(|shown| at.saturating_since(shown) > CROSSING) {
            self.packet = Some(at);
        }
    }

    /// How far the packet shown has come, from 0 to 1; none if there is none.
    pub(crate) fn packet(&self, now: Time) -> Option<f64> {
        let shown_since = now.saturating_since(self.packet? + REPORTED_WITHIN);
        let way = shown_since.as_secs_f64() / CROSSING.as_secs_f64();
        (way > 0.0 && way <= 1.0).then_some(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_packet_at_a_time_crosses_and_is_gone() {
        let at = |ms| Time::default() + Duration::from_millis(ms);
        let mut link = Link::default();
        assert_eq!(link.packet(at(0)), None);
        link.left(at(1000));
        link.left(at(1200));
        assert_eq!(link.packet(at(1050)), None);
        assert_eq!(link.packet(at(1400)), Some(0.5));
        assert_eq!(link.packet(at(1701)), None);
        link.left(at(1700));
        assert_eq!(link.packet(at(2100)), Some(0.5));
    }
}
