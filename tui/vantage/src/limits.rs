//! What keeps a network from hiding its senders better, worst first, as sentences.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// Bits below log2 of the senders within which nothing but more senders would help: a tenth of what a
/// doubling of them brings.
const SATURATED: f64 = 0.1;

/// What limits the figures.
#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    /// Nobody sends.
    Nobody,
    /// One sends: there is nobody to hide among.
    Alone {
        /// Who.
        sender: String,
    },
    /// A node does not work.
    Down {
        /// Which.
        node: String,
        /// How its state is called.
        state: String,
    },
    /// Mixnodes work for the observer.
    Corrupt {
        /// How many.
        corrupt: u32,
        /// Of how many.
        mixnodes: u32,
        /// The share of routes on which there is no other.
        routes: f64,
    },
    /// Counts were disturbed a moment ago.
    Disturbed {
        /// How long ago.
        since: Duration,
    },
    /// Mixnodes hold too few packets to mix.
    ThinPools {
        /// How many, on average.
        pool: f64,
    },
    /// As good as it gets with so many senders.
    Senders {
        /// How many.
        count: usize,
    },
    /// More packets at a time would help: longer delays, or more cover.
    Packets,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("nobody sends"),
            Self::Alone { sender } => {
                write!(f, "{sender} is alone: every packet that comes out can only be theirs")
            }
            Self::Down { node, state } => write!(f, "{node} is {state}"),
            Self::Corrupt { corrupt, mixnodes, routes } => write!(
                f,
                "{corrupt} of {mixnodes} mixnodes work for the observer: on {:.1} % of routes \
                 nothing is hidden",
                routes * 100.0
            ),
            Self::Disturbed { since } => write!(
                f,
                "something changed {} s ago: packets of before are still underway",
                since.as_secs()
            ),
            Self::ThinPools { pool } => write!(
                f,
                "pools are thin: {pool:.1} packets wait at a mixnode; longer delays, more cover or \
                 fewer mixnodes fill them"
            ),
            Self::Senders { count } => {
                write!(f, "the number of senders: among {count} nobody can hide better")
            }
            Self::Packets => {
                f.write_str("too few packets at a time: longer delays, more cover or more senders")
            }
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is known when limits are looked for.
pub(crate) struct Known<'a> {
    pub(crate) senders: Vec<&'a str>,
    pub(crate) down: Vec<(String, String)>,
    pub(crate) disturbed: Option<Duration>,
    /// Measured, else expected.
    pub(crate) pool: f64,
    /// Measured, else expected.
    pub(crate) bits: f64,
}

impl Known<'_> {
    /// Worst first; never empty.
    pub(crate) fn limits(self) -> Vec<Limit> {
        let mut limits = Vec::new();
        match self.senders[..] {
            [] => limits.push(Limit::Nobody),
            [sender] => limits.push(Limit::Alone { sender: sender.to_owned() }),
            _ => {}
        }
        limits.extend(self.down.into_iter().map(|(node, state)| Limit::Down { node, state }));
        limits.extend(self.disturbed.map(|since| Limit::Disturbed { since }));
        let count = self.senders.len();
        if count < 2 {
            return limits;
        }
        let most = f64::from(u32::try_from(count).unwrap_or(u32::MAX)).log2();
        limits.push(if most - self.bits < SATURATED {
            Limit::Senders { count }
        } else if self.pool < anonymity::theory::entropy::RELIABLE_POOL {
            Limit::ThinPools { pool: self.pool }
        } else {
            Limit::Packets
        });
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(senders: &[&'static str], pool: f64, bits: f64) -> Known<'static> {
        Known { senders: senders.to_vec(), down: Vec::new(), disturbed: None, pool, bits }
    }

    #[test]
    fn the_worst_is_named_first() {
        assert_eq!(known(&[], 0.0, 0.0).limits(), [Limit::Nobody]);
        let alone = known(&["alice"], 0.6, 0.0).limits();
        assert_eq!(alone, [Limit::Alone { sender: "alice".into() }]);
        assert!(alone[0].to_string().contains("alice is alone"));
        let four = ["a", "b", "c", "d"];
        assert_eq!(known(&four, 2.0, 1.2).limits(), [Limit::ThinPools { pool: 2.0 }]);
        assert_eq!(known(&four, 9.0, 1.95).limits(), [Limit::Senders { count: 4 }]);
        assert_eq!(known(&four, 9.0, 1.5).limits(), [Limit::Packets]);
        let down = ("mix-1-1".to_owned(), "paused".to_owned());
        let broken = Known {
            down: vec![down],
            disturbed: Some(Duration::from_secs(2)),
            ..known(&four, 9.0, 1.5)
        };
        let words: Vec<String> = broken.limits().iter().map(Limit::to_string).collect();
        assert_eq!(words[0], "mix-1-1 is paused");
        assert!(words[1].starts_with("something changed 2 s ago"), "{words:?}");
        assert_eq!(words.len(), 3);
    }
}
