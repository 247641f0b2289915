//! What nodes that work for the observer tell it, and what that is worth.

use std::collections::BTreeMap;
use std::time::Duration;

use anonymity::theory::corruption;
use anonymity::{Filed, Observation, Sighting};
use control::{Came, Passage};
use serde::Serialize;

use crate::names::Names;
use crate::vantage::since_start;

/// What corrupt mixnodes are worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inside {
    /// By layer, the mixnodes that work for the observer, and all of them.
    pub layers: Vec<(u32, u32)>,
    /// The share of routes on which every mixnode works for it: of such a packet the sender is known.
    pub routes: f64,
    /// The share of routes if as many mixnodes were drawn at random, on average.
    pub routes_at_random: f64,
    /// Messages after which it is even odds that one of them went such a route; none where there is none.
    pub messages_until_even: Option<f64>,
    /// The share of packets whose sender was known for certain; none before any came out.
    pub certain: Option<f64>,
}

impl Inside {
    /// Of mixnodes by their layers, and whether they work for the observer.
    pub(crate) fn of(mixes: impl Iterator<Item = (u8, bool)>, certain: Option<f64>) -> Self {
        let mut layers: BTreeMap<u8, (u32, u32)> = BTreeMap::new();
        for (layer, is_corrupt) in mixes {
            let (corrupt, all) = layers.entry(layer).or_default();
            *corrupt += u32::from(is_corrupt);
            *all += 1;
        }
        let layers: Vec<(u32, u32)> = layers.into_values().collect();
        let corrupt = layers.iter().map(|(corrupt, _)| corrupt).sum();
        // The formula is for layers of one width.
        let width = layers.iter().map(|(_, all)| *all).min().unwrap_or(0);
        let count = u8::try_from(layers.len()).unwrap_or(u8::MAX);
        let routes = if layers.is_empty() { 0.0 } else { corruption::share_of_routes(&layers) };
        Self {
            routes,
            routes_at_random: corruption::expected_share_at_random(corrupt, count, width),
            messages_until_even: corruption::messages_until_even_odds(routes),
            layers,
            certain,
        }
    }

    /// Mixnodes that work for the observer.
    pub fn corrupt(&self) -> u32 {
        self.layers.iter().map(|(corrupt, _)| corrupt).sum()
    }

    /// All mixnodes.
    pub fn mixnodes(&self) -> u32 {
        self.layers.iter().map(|(_, all)| all).sum()
    }
}

/// What a node tells, for an observer; none if it names somebody of whom there are too many.
pub(crate) fn observation(node: &str, passage: &Passage, names: &mut Names) -> Option<Observation> {
    let here = names.number(node)?;
    let mut came = |came: &Came| {
        let (t, src) = (since_start(came.sent), names.number(&came.from)?);
        Some(Sighting { t, src, dst: here })
    };
    Some(match passage {
        Passage::Mixed { came: known, left, to } => {
            let known = match known {
                Some(known) => came(known)?,
                // Of a packet that was never seen to come: it is none of those that are known.
                None => Sighting { t: Duration::ZERO, src: here, dst: here },
            };
            let left = Sighting { t: since_start(*left), src: here, dst: names.number(to)? };
            Observation::Passage(anonymity::Passage { came: known, left })
        }
        Passage::Filed { came: known, client } => {
            let came = came(known)?;
            Observation::Filed(Filed { came, recipient: names.number(client)? })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of anonymity: three of six, one in each layer, watch an eighth of all routes; at random a
    /// twentieth.
    #[test]
    fn routes_are_watched_where_each_layer_has_an_accomplice() {
        let six = |corrupt: &[(u8, u8)]| {
            let all = (1..=3_u8).flat_map(|layer| [(layer, 1), (layer, 2)]);
            let mixes: Vec<_> = all.map(|mix| (mix.0, corrupt.contains(&mix))).collect();
            Inside::of(mixes.into_iter(), None)
        };
        let spread = six(&[(1, 1), (2, 1), (3, 2)]);
        assert!((spread.routes - 0.125).abs() < 1e-12, "{spread:?}");
        assert!((spread.routes_at_random - 0.05).abs() < 1e-12, "{spread:?}");
        assert_eq!((spread.corrupt(), spread.mixnodes()), (3, 6));
        let even = spread.messages_until_even.expect("some routes");
        assert!((5.0..6.0).contains(&even), "{even}");
        let one_side = six(&[(1, 1), (1, 2), (2, 1)]);
        assert!(one_side.routes.abs() < 1e-12 && one_side.messages_until_even.is_none());
        let nobody = Inside::of(std::iter::empty(), None);
        assert!(nobody.routes.abs() < 1e-12, "{nobody:?}");
    }
}
