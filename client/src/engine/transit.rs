//! How long cover is on its way: it carries the moment at which it left. Nobody else sees that, for
//! cover is sealed to the client that sends it, and what is sealed always has one length.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | when this process began to send, in nanoseconds of the machine's monotonic clock (big-endian) |
//! | 8 | when the packet left, likewise |

use std::time::Duration;

use contract::Time;

use super::Client;
use crate::choices::Purpose;

impl Client {
    /// What a packet of cover that leaves now carries. A probe carries nothing: it asks for no delays,
    /// and would be counted among packets that do.
    pub(super) fn cover_data(&self, now: Time, purpose: Purpose) -> Vec<u8> {
        match self.began {
            Some(began) if purpose != Purpose::Probe => {
                [began, now].map(|time| time.as_nanos().to_be_bytes()).concat()
            }
            _ => Vec::new(),
        }
    }

    /// How long a packet of cover took that comes back with this. None for one of a former process: the
    /// time for which nobody was there to take it would be counted, and after a restart of the
    /// machine its clock began anew.
    pub(super) fn transit(&self, now: Time, data: &[u8]) -> Option<Duration> {
        let (began, left) = data.split_first_chunk()?;
        let [began, left] = [began, left.try_into().ok()?]
            .map(|bytes: &[u8; 8]| Time::from_nanos(u64::from_be_bytes(*bytes)));
        (self.began == Some(began) && (began..=now).contains(&left))
            .then(|| now.saturating_since(left))
    }
}
