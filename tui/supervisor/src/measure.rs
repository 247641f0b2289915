//! For `benches/traces.rs`: the reading of traces and the finding of their owners, without processes.

use contract::{Event, Time};

use crate::journeys::{Batch, Journeys};
use crate::names::Names;

/// What takes in the lines of a process that tell of packets.
#[derive(Debug, Default)]
pub struct Measured {
    journeys: Journeys,
    names: Names,
}

impl Measured {
    /// Takes in a line, as the supervisor does; the number of records in it.
    pub fn take(&mut self, now: Time, node: &str, line: &[u8]) -> usize {
        let Some(Batch { packets, .. }) = Batch::of_line(line) else { return 0 };
        let records = packets.len();
        // All of it is cover, so nothing comes of it.
        drop(self.journeys.hear_packets(now, node, packets, &self.names));
        records
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
