//! How long packets took from their sender to their recipient.

use std::collections::BTreeMap;
use std::num::ParseIntError;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Packets by the time that they took from leaving their sender until their recipient opened them,
/// counted since the start of a process. Waiting for a slot is not part of it.
///
/// Four buckets an octave, because delays are of very different sizes in different networks: bucket
/// `n` begins at 2^(n/4) ms. What is shorter than a millisecond is in the first, what is longer than
/// four minutes in the last. Only buckets with packets are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Transits {
    /// Packets by number of the bucket.
    #[serde(deserialize_with = "numbered")]
    pub buckets: BTreeMap<u8, u64>,
}

/// In JSON what counts is text. Inside an enum such as [`Event`](crate::Event), whose variant stands
/// in a field, it is not made a number by itself.
fn numbered<'de, D: Deserializer<'de>>(reader: D) -> Result<BTreeMap<u8, u64>, D::Error> {
    let named = BTreeMap::<String, u64>::deserialize(reader)?;
    let number = |(name, count): (String, u64)| Ok((name.parse::<u8>()?, count));
    let numbered: Result<_, ParseIntError> = named.into_iter().map(number).collect();
    numbered.map_err(|error| D::Error::custom(format!("the number of a bucket: {error}")))
}

impl Transits {
    /// How many buckets there are.
    pub const BUCKETS: u8 = 72;

    /// Buckets an octave.
    const OCTAVE: f64 = 4.0;

    /// Counts a packet.
    pub fn add(&mut self, took: Duration) {
        *self.buckets.entry(Self::bucket(took)).or_default() += 1;
    }

    /// Adds what another process counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
    }

    /// Packets in all.
    pub fn total(&self) -> u64 {
        self.buckets.values().sum()
    }

    /// The bucket of a duration.
    pub fn bucket(took: Duration) -> u8 {
        let octaves = (took.as_secs_f64() * 1000.0).max(1.0).log2();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between zero and the last bucket"
        )]
        let bucket =
            (octaves * Self::OCTAVE).floor().clamp(0.0, f64::from(Self::BUCKETS - 1)) as u8;
        bucket
    }

    /// Where a bucket begins. What is in the first may be shorter.
    pub fn lower_edge(bucket: u8) -> Duration {
        Duration::from_secs_f64((f64::from(bucket) / Self::OCTAVE).exp2() / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, NodeMetrics};

    #[test]
    fn a_duration_lies_between_the_edges_of_its_bucket() {
        for bucket in 1..Transits::BUCKETS - 1 {
            let inside = Transits::lower_edge(bucket).mul_f64(1.01);
            assert_eq!(Transits::bucket(inside), bucket);
            assert!(inside < Transits::lower_edge(bucket + 1));
        }
        assert_eq!(Transits::bucket(Duration::ZERO), 0);
        assert_eq!(Transits::bucket(Duration::MAX), Transits::BUCKETS - 1);
    }

    #[test]
    fn what_is_merged_is_added() {
        let mut all = Transits::default();
        all.add(Duration::from_millis(600));
        let mut more = all.clone();
        more.add(Duration::from_millis(5));
        all.merge(&more);
        assert_eq!(all.total(), 3);
        assert_eq!(all.buckets.get(&Transits::bucket(Duration::from_millis(600))), Some(&2));
        let line = serde_json::to_string(&all).expect("JSON");
        assert_eq!(serde_json::from_str::<Transits>(&line).expect("transits"), all);
    }

    #[test]
    fn they_are_read_as_a_part_of_an_event() {
        let mut transits = Transits::default();
        transits.add(Duration::from_millis(600));
        let metrics = NodeMetrics { transits: Some(transits), ..NodeMetrics::default() };
        let event = Event::Metrics(metrics);
        let line = serde_json::to_string(&event).expect("JSON");
        assert_eq!(serde_json::from_str::<Event>(&line).expect("an event"), event);
        for wrong in [r#"{"256":1}"#, r#"{"x":1}"#, r#"{"1":-1}"#, "[]"] {
            assert!(serde_json::from_str::<Transits>(wrong).is_err(), "{wrong}");
        }
    }
}
