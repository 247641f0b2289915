//! What becomes of packets, collected for a supervisor. A node has a place for that only where tracing
//! is on: without one it hashes nothing and keeps nothing.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::{Event, Fatal, FatalCode, PacketTrace, Print, Time};

use crate::Reporter;

/// Most records that wait to be reported. They are taken ten times a second, on a busy machine less often:
/// these are those of more than a second of a crowd that sends 3000 packets in each. The line that they are
/// has 1.2 MB, a fifth of what a supervisor reads.
pub const MAX_TRACES: usize = 4000;

/// Takes what becomes of packets. Never blocks for long. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    collected: Arc<Mutex<Collected>>,
    /// Which identity of the process tells here; none if the process is but one.
    from: Option<u32>,
}

#[derive(Debug, Default)]
struct Collected {
    packets: Vec<PacketTrace>,
    /// How many found no place.
    lost: u64,
}

impl Traces {
    /// A place for them, if tracing is asked for. Only a supervisor may ask for it: nobody else gets
    /// them, and they tell what the network exists to hide.
    pub fn asked_for(trace: bool, reporter: &Reporter) -> Result<Option<Self>, Fatal> {
        if trace && !reporter.takes_links() {
            let message = "`--trace` tells a supervisor what becomes of packets, and there is none";
            return Err(Fatal::new(FatalCode::Usage, message).hint("leave out `--trace`"));
        }
        Ok(trace.then(Self::default))
    }

    /// The same place for one of many identities of the process, counted from 1: cover that is told
    /// through this handle is that identity's.
    #[must_use]
    pub fn of_identity(&self, number: u32) -> Self {
        Self { from: Some(number), ..self.clone() }
    }

    /// Takes a record, or counts it if [`MAX_TRACES`] wait.
    pub fn push(&self, trace: PacketTrace) {
        let mut collected = self.lock();
        if collected.packets.len() < MAX_TRACES {
            collected.packets.push(trace);
        } else {
            collected.lost += 1;
        }
    }

    /// A packet of cover was made, and is about to leave.
    pub fn covered(&self, t: Time, packet: Print) {
        self.push(PacketTrace::Covered { t, packet, from: self.from });
    }

    /// A packet was given up. The words are those of the metrics.
    pub fn dropped(&self, t: Time, before: Print, reason: &str) {
        self.push(PacketTrace::Dropped { t, before, reason: reason.into() });
    }

    /// What was pushed since this was last asked; none if nothing was.
    pub fn take(&self) -> Option<Event> {
        let Collected { packets, lost } = std::mem::take(&mut *self.lock());
        (!packets.is_empty()).then_some(Event::Packets { packets, lost })
    }

    /// Reports what there is.
    pub fn report(&self, reporter: &Reporter) {
        if let Some(packets) = self.take() {
            reporter.report(packets);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Collected> {
        // Nothing in here can panic halfway through a change.
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be told of a packet that waits in a mixnode, once it has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passing {
    /// When it was taken from the link.
    pub came: Time,
    /// How long its header asked it to wait.
    pub asked: Duration,
    /// As it came.
    pub before: Print,
    /// As it will leave.
    pub after: Print,
    /// How many others waited when it came.
    pub pool: usize,
}

impl Passing {
    /// It has left for there.
    pub fn left(self, left: Time, to: SocketAddr) -> PacketTrace {
        let Self { came, asked, before, after, pool } = self;
        PacketTrace::Passed {
            came,
            left,
            asked_us: micros(asked),
            before,
            after,
            to: to.to_string(),
            pool: u32::try_from(pool).unwrap_or(u32::MAX),
        }
    }
}

/// Bytes as traces have them: two hexadecimal digits each.
pub fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whole microseconds, as traces have them.
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use contract::MAX_LINE_BYTES;

    use super::*;

    fn passed() -> PacketTrace {
        let print = Print { header: [255; 8], first: [255; 16] };
        let (asked, late) = (Duration::MAX, Time::from_nanos(u64::MAX));
        let passing = Passing { came: late, asked, before: print, after: print, pool: usize::MAX };
        passing.left(late, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535".parse().expect("one"))
    }

    #[test]
    fn a_batch_is_bounded_and_what_is_left_out_is_counted() {
        let traces = Traces::default();
        assert_eq!(traces.take(), None);
        for _ in 0..MAX_TRACES + 3 {
            traces.clone().push(passed());
        }
        let Some(event) = traces.take() else { panic!("there is something") };
        let Event::Packets { packets, lost } = &event else { panic!("{event:?}") };
        assert_eq!((packets.len(), *lost), (MAX_TRACES, 3));
        let line = serde_json::to_vec(&event).expect("JSON");
        assert!(line.len() < MAX_LINE_BYTES / 4, "{} bytes", line.len());
        assert_eq!(traces.take(), None, "taken is taken");
        traces.push(passed());
        assert!(matches!(traces.take(), Some(Event::Packets { lost: 0, .. })));
    }

    #[test]
    fn nobody_but_a_supervisor_has_packets_traced() {
        let for_people = Reporter::for_people();
        let refused = Traces::asked_for(true, &for_people).expect_err("nobody reads them");
        assert_eq!(refused.code, FatalCode::Usage);
        assert!(Traces::asked_for(false, &for_people).expect("fine").is_none());
        let supervised = Reporter::new(|_| {});
        assert!(Traces::asked_for(false, &supervised).expect("fine").is_none());
        assert!(Traces::asked_for(true, &supervised).expect("fine").is_some());
    }
}
