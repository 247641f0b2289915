//! The floor: a bare loop over the hop processor and the replay set.

use std::thread;
use std::time::{Duration, Instant};

use runtime::clock;
use sphinx::{BATCH, HopProcessor, ReplaySet};

use crate::cores;
use crate::packets::{PROFILE, Packet};

/// Processor time for each packet, on the node's core.
pub(crate) fn per_packet(
    processor: &HopProcessor,
    packets: &[Packet],
    core: Option<usize>,
) -> Duration {
    let count = u32::try_from(packets.len()).expect("not that many");
    let unwrap = || {
        core.map(|core| cores::use_only(&[core]));
        let before = (own_cpu(), Instant::now());
        unwrap_all(processor, packets);
        match (before.0, own_cpu()) {
            (Some(before), Some(after)) => after.saturating_sub(before) / count,
            _ => before.1.elapsed() / count,
        }
    };
    thread::scope(|scope| scope.spawn(unwrap).join().expect("it does not panic"))
}

fn unwrap_all(processor: &HopProcessor, packets: &[Packet]) {
    let mut replays = ReplaySet::new(clock::now());
    let mut room = vec![[0; PROFILE.packet_bytes()]; BATCH];
    for batch in packets.chunks(BATCH) {
        let now = clock::now();
        for (room, packet) in room.iter_mut().zip(batch) {
            room.copy_from_slice(packet.packet());
        }
        let mut slices: [&mut [u8]; BATCH] = Default::default();
        for (slice, room) in slices.iter_mut().zip(&mut room) {
            *slice = room;
        }
        processor.unwrap_batch(
            &mut slices[..batch.len()],
            |tag| replays.insert(now, tag),
            |_, outcome| assert!(outcome.is_ok(), "they were built for this node"),
        );
    }
}

/// Processor time of this thread so far; none on a system that does not tell.
fn own_cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
