//! Packets per second out of counters.

use std::collections::VecDeque;
use std::time::Duration;

use contract::{NodeMetrics, Time};
use control::NodeRates;

/// Rates are over this long: at the classic rates a mixnode sees some ten packets a second, and
/// over a single second that number would jump.
const WINDOW: Duration = Duration::from_secs(5);

/// The counters of one process over the last seconds.
#[derive(Debug, Default)]
pub struct RateWindow(VecDeque<(Time, u64, u64)>);

impl RateWindow {
    /// Takes in new counters; the rates, once two reports are there.
    pub fn add(&mut self, metrics: &NodeMetrics) -> Option<NodeRates> {
        let now = (metrics.t, metrics.received, metrics.sent);
        // Counters that went back or repeat a moment are another process's: begin anew.
        if self.0.back().is_some_and(|last| now.0 <= last.0 || now.1 < last.1 || now.2 < last.2) {
            self.0.clear();
        }
        self.0.push_back(now);
        while self.0.len() > 2 && now.0.saturating_since(self.0[1].0) >= WINDOW {
            self.0.pop_front();
        }
        let first = self.0.front().filter(|first| first.0 < now.0)?;
        let seconds = now.0.saturating_since(first.0).as_secs_f64();
        Some(NodeRates {
            received_per_s: per_second(now.1 - first.1, seconds),
            sent_per_s: per_second(now.2 - first.2, seconds),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "packets of five seconds are far below 2^52")]
fn per_second(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_over_the_last_seconds_of_one_process() {
        let mut window = RateWindow::default();
        let mut add = |second: u64, received, sent| {
            let t = Time::from_nanos(second * 1_000_000_000);
            window.add(&NodeMetrics { t, received, sent, ..NodeMetrics::default() })
        };
        let rates = |received_per_s, sent_per_s| Some(NodeRates { received_per_s, sent_per_s });
        assert_eq!(add(1, 100, 50), None);
        assert_eq!(add(2, 110, 70), rates(10.0, 20.0));
        for second in 3..8 {
            add(second, 110, 70);
        }
        assert_eq!(add(8, 110, 70), rates(0.0, 0.0));
        assert_eq!(add(9, 5, 5), None, "it was started again");
        assert_eq!(add(10, 10, 5), rates(5.0, 0.0));
    }
}
