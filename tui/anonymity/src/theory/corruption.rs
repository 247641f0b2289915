//! Routes of which every mixnode belongs to the adversary.

use std::f64::consts::LN_2;

/// The share of routes that are watched at every hop, when of each layer `(corrupt, all)` mixnodes
/// belong to the adversary and each is chosen equally often.
pub fn share_of_routes(layers: &[(u32, u32)]) -> f64 {
    layers
        .iter()
        .map(|&(corrupt, all)| f64::from(corrupt.min(all)) / f64::from(all.max(1)))
        .product()
}

/// The same when mixnodes are chosen by weight: of each layer the corrupt ones' part of all weight.
pub fn share_of_weighted_routes(parts: &[f64]) -> f64 {
    parts.iter().map(|part| part.clamp(0.0, 1.0)).product()
}

/// The expected share when `corrupt` mixnodes of `layers` × `width` are drawn at random: the chance that
/// the `layers` different nodes of a route are all among them, Π (c − i) / (n − i).
pub fn expected_share_at_random(corrupt: u32, layers: u8, width: u32) -> f64 {
    let all = width * u32::from(layers);
    let corrupt = corrupt.min(all);
    (0..u32::from(layers))
        .map(|i| f64::from(corrupt.saturating_sub(i)) / f64::from((all - i).max(1)))
        .product()
}

/// The share when an adversary with `corrupt` mixnodes spreads them over the layers as evenly as it
/// can: the largest product there is.
pub fn share_when_spread(corrupt: u32, layers: u8, width: u32) -> f64 {
    let layers = u32::from(layers.max(1));
    let (each, more) = (corrupt / layers, corrupt % layers);
    let of_layer = |layer| (each + u32::from(layer < more), width);
    share_of_routes(&(0..layers).map(of_layer).collect::<Vec<_>>())
}

/// P(at least one of `messages` over independent routes is watched at every hop).
pub fn at_least_one(share: f64, messages: u32) -> f64 {
    1.0 - (1.0 - share).powf(f64::from(messages))
}

/// Messages after which it is even odds that one of them was watched at every hop; none where no route
/// can be.
pub fn messages_until_even_odds(share: f64) -> Option<f64> {
    (share > 0.0).then(|| LN_2 / -(-share.min(1.0)).ln_1p())
}

/// Hops of one route that are honest: those that the adversary does not hold.
pub fn honest_hops<Node>(route: &[Node], is_corrupt: impl Fn(&Node) -> bool) -> usize {
    route.iter().filter(|node| !is_corrupt(node)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::{assert_near, assert_rounds};

    #[test]
    fn three_of_six_and_three_of_nine() {
        assert_near(expected_share_at_random(3, 3, 2), 0.05, 1e-12);
        assert_near(share_when_spread(3, 3, 2), 0.125, 1e-12);
        assert_rounds(expected_share_at_random(3, 3, 3), 0.0119, 4);
        assert_rounds(share_when_spread(3, 3, 3), 0.0370, 4);
        assert_rounds(expected_share_at_random(4, 3, 3), 0.0476, 4);
        assert_rounds(share_when_spread(4, 3, 3), 0.0741, 4);
        assert_rounds(share_when_spread(6, 3, 3), 0.296, 3);
    }

    #[test]
    fn large_networks() {
        assert_rounds(expected_share_at_random(10, 3, 33), 0.000_765, 6);
        assert_rounds(expected_share_at_random(10, 2, 50), 0.00909, 5);
        assert_near(expected_share_at_random(1, 3, 33), 0.0, 0.0);
        assert_near(expected_share_at_random(200, 3, 33), 1.0, 1e-12);
    }

    #[test]
    fn many_messages() {
        assert_rounds(at_least_one(1.0 / 27.0, 10), 0.314, 3);
        assert_rounds(at_least_one(1.0 / 27.0, 50), 0.848, 3);
        let even = messages_until_even_odds(1.0 / 27.0).expect("some are watched");
        assert_near(1.0 - (26.0_f64 / 27.0).powf(even), 0.5, 1e-12);
        assert_eq!(messages_until_even_odds(0.0), None);
    }

    #[test]
    fn weights_and_single_routes() {
        assert_near(share_of_weighted_routes(&[0.5, 0.1, 0.2]), 0.01, 1e-12);
        assert_near(share_of_routes(&[(1, 2), (1, 3), (0, 3)]), 0.0, 0.0);
        assert_eq!(honest_hops(&[1, 4, 7], |node| [4, 5].contains(node)), 2);
    }
}
