//! How long packets of messages waited at a mixnode, beside how long they had asked to.

use std::time::Duration;

use control::JourneyStep;

use super::Journeys;

/// The waits of some packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waits {
    /// From coming to leaving, on average.
    pub(crate) waited: Duration,
    /// What their headers asked for, on average.
    pub(crate) asked: Duration,
    /// How many they were.
    pub(crate) packets: u32,
}

impl Journeys {
    /// The waits at a node of the packets whose ways are known; none if there is no such packet.
    pub(crate) fn waits(&self, name: &str) -> Option<Waits> {
        let (mut waited, mut asked, mut packets) = (Duration::ZERO, Duration::ZERO, 0_u32);
        for step in self.latest().flat_map(|journey| &journey.steps) {
            if let JourneyStep::Passed { node, came, left, asked_us, .. } = step
                && node == name
            {
                waited += left.saturating_since(*came);
                asked += Duration::from_micros(*asked_us);
                packets += 1;
            }
        }
        (packets > 0).then(|| Waits { waited: waited / packets, asked: asked / packets, packets })
    }
}
