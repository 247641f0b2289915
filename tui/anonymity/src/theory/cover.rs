//! What cover traffic costs, and what it hides: whether somebody sends, and whether a mixnode is
//! being flooded.

/// The share of a client's packets that carry a message: `offered` messages and `slots` per second in
/// the slot stream, and an independent stream of loops.
pub fn real_share(offered: f64, slots: f64, loops: f64) -> f64 {
    offered.min(slots) / (slots + loops)
}

/// Bytes per second of one client.
pub fn cost(rate: f64, packet_bytes: u32) -> f64 {
    rate * f64::from(packet_bytes)
}

/// What a second of watching tells an observer, in nats, of a Poisson stream that has rate `active`
/// rather than `idle`: the relative entropy λ1·ln(λ1/λ0) − λ1 + λ0.
pub fn evidence_rate(idle: f64, active: f64) -> f64 {
    if active <= 0.0 { idle } else { active * (active / idle).ln() - active + idle }
}

/// About how many seconds of watching it takes until the odds are `odds` to one (Wald 1945, without
/// overshoot, which adds less than one packet's worth). None where the stream is the same either way.
pub fn seconds_until(odds: f64, idle: f64, active: f64) -> Option<f64> {
    let rate = evidence_rate(idle, active);
    (rate > 0.0).then(|| odds.ln() / rate)
}

/// P(the target of an n−1 attack is alone with the attacker's packets) at a mixnode that sends loops of
/// its own at `mix_loops` and receives other packets at `rate`, while the attacker lets `unnoticed` of
/// its loops return per second: `min(1, s/(θ·(s·λ_M + λ_R)))`.
///
/// Loopix (Piotrowska et al., USENIX Security 2017), section 4.2; the expression there can exceed one.
/// Without `delay` or without anything else that comes the target is always alone.
pub fn isolated_by_flooding(unnoticed: f64, delay: f64, mix_loops: f64, rate: f64) -> f64 {
    let others = delay * (unnoticed * mix_loops + rate);
    if others <= 0.0 { 1.0 } else { (unnoticed / others).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_help::{assert_near, assert_rounds};

    #[test]
    fn evidence_of_sending() {
        assert_rounds(evidence_rate(1.0, 3.0), 1.296, 3);
        assert_rounds(seconds_until(99.0, 1.0, 3.0).expect("it differs"), 3.55, 2);
        assert_rounds(evidence_rate(1.0, 2.0), 0.386, 3);
        assert_rounds(seconds_until(99.0, 1.0, 2.0).expect("it differs"), 11.9, 1);
        // Slots are filled: it never shows.
        assert_eq!(seconds_until(99.0, 3.0, 3.0), None);
        // A stream that stops tells as much in a second as it would have sent packets.
        assert_near(evidence_rate(3.0, 0.0), 3.0, 1e-12);
    }

    #[test]
    fn flooding() {
        assert_near(isolated_by_flooding(2.0, 0.2, 10.0, 30.0), 0.2, 1e-12);
        assert_rounds(isolated_by_flooding(2.0, 0.2, 0.0, 30.0), 0.333, 3);
        assert_near(isolated_by_flooding(1e12, 0.2, 10.0, 30.0), 0.5, 1e-9);
        assert_near(isolated_by_flooding(1e12, 0.2, 0.0, 30.0), 1.0, 0.0);
        assert_near(isolated_by_flooding(1.0, 0.0, 10.0, 30.0), 1.0, 0.0);
    }

    #[test]
    fn shares_and_costs() {
        assert_near(real_share(1.0, 2.0, 1.0), 1.0 / 3.0, 1e-12);
        assert_near(real_share(5.0, 2.0, 1.0), 2.0 / 3.0, 1e-12);
        assert_near(cost(3.0, 1372), 4116.0, 1e-9);
        assert_near(cost(55.0, 2413), 132_715.0, 1e-9);
    }
}
