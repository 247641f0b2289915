//! How long cover is on its way: it carries the moment at which it left. Nobody else sees that, for
//! cover is sealed to the client that sends it, and what is sealed always has one length.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | when this process began to send, in nanoseconds of the machine's monotonic clock (big-endian) |
//! | 8 | when the packet left, likewise |

use std::time::Duration;

use contract::{Time, Transits};

use super::Client;
use crate::choices::Purpose;

impl Client {
    /// How long cover took from leaving until it was back: what came since this was last asked.
    pub fn take_transits(&mut self) -> Transits {
        std::mem::take(&mut self.transits)
    }

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

#[cfg(test)]
mod tests {
    use contract::Rates;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use sphinx::{PacketBuilder, PrivateKey};
    use wire::WireProfile;

    use super::*;
    use crate::Settings;

    #[test]
    fn only_a_moment_of_this_process_counts() {
        let second = Duration::from_secs(1);
        let rates = Rates { hop_delay: second, slot: second, loop_cover: second, slot_cover: true };
        let mut rng = StdRng::seed_from_u64(1);
        let key = PrivateKey::random(&mut rng);
        let provider = key.public();
        let settings = Settings { rates, layers: 1, acks: false };
        let packets = PacketBuilder::new(WireProfile::CURRENT);
        let mut client = Client::new(key, provider, settings, packets);
        let at = |seconds: u64| Time::default() + second * u32::try_from(seconds).expect("few");
        assert!(client.cover_data(at(9), Purpose::Cover).is_empty(), "it has not begun");
        client.poll(at(10), &mut rng);

        let data = client.cover_data(at(12), Purpose::Loop);
        assert_eq!(client.transit(at(15), &data), Some(second * 3));
        assert_eq!(client.transit(at(12), &data), Some(Duration::ZERO));
        assert_eq!(client.transit(at(11), &data), None, "it has not left yet");
        let with = |began: Time, left: Time| [began, left].map(|t| t.as_nanos().to_be_bytes());
        for (began, left) in [(at(9), at(12)), (at(11), at(12)), (at(10), at(9))] {
            assert_eq!(client.transit(at(15), &with(began, left).concat()), None);
        }
        for length in (0..data.len()).chain([data.len() + 1, 64]) {
            let mut other = data.clone();
            other.resize(length, 0);
            assert_eq!(client.transit(at(15), &other), None, "{length} bytes");
        }
        assert!(client.cover_data(at(12), Purpose::Probe).is_empty());
    }
}
