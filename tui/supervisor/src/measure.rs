//! For `benches/traces.rs`: the reading of traces and the finding of their owners, without processes.

use contract::{Event, Time};

use crate::journeys::{Batch, Journeys};
use crate::names::Names;
use crate::waits::Waits;

/// What takes in the lines of a process that tell of packets.
#[derive(Debug, Default)]
pub struct Measured {
    journeys: Journeys,
    waits: Waits,
    names: Names,
    told: usize,
}

impl Measured {
    /// Takes in a line, as the supervisor does; the number of records in it.
    pub fn take(&mut self, now: Time, node: &str, line: &[u8]) -> usize {
        let Some(Batch { packets, .. }) = Batch::of_line(line) else { return 0 };
        let records = packets.len();
        drop(self.waits.hear(now, node, &packets));
        // All of it is cover: what comes of it is the truth about some.
        self.told += self.journeys.hear_packets(now, node, packets, &self.names).origins.len();
        records
    }

    /// Of how many packets it was told whose they were.
    pub fn told(&self) -> usize {
        self.told
    }

    /// Reads a line as supervisors do, and does nothing with it.
    pub fn read(line: &[u8]) -> usize {
        Batch::of_line(line).map_or(0, |batch| batch.packets.len())
    }

    /// Reads a line by the types of the contract.
    pub fn read_as_event(line: &[u8]) -> usize {
        match serde_json::from_slice(line) {
            Ok(Event::Packets { packets, .. }) => packets.len(),
            _ => 0,
        }
    }
}
