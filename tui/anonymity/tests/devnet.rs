//! Simulated networks of the size of a devnet, at the classic rates: three packets a second from each
//! client, 200 ms a hop.
//!
//! What is expected of senders and pools was simulated elsewhere before this crate was written. Where a
//! packet came out was simulated once more, by a program that follows all packets and shares no code with
//! this one: the older figures follow packets that were sent when the one before had come out, which is
//! when pools are small, and are up to 0.3 bits lower.

use std::time::Duration;

use anonymity::simulate::{Outcome, Setup, Simulator, simulate};
use anonymity::theory;

#[track_caller]
fn assert_near(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance, "{got} is not {expected} ± {tolerance}");
}

fn outcome(setup: &Setup) -> Outcome {
    simulate(setup, 1, 20, 600)
}

/// Clients, width, layers, delay; bits of the packet and of the sender, what the true sender is given,
/// how often the likeliest is the true one.
const NETWORKS: [(u16, u16, u8, f64, [f64; 4]); 12] = [
    (1, 1, 3, 0.2, [1.69, 0.0, 1.0, 1.0]),
    (2, 1, 3, 0.2, [2.69, 0.83, 0.60, 0.66]),
    (5, 1, 3, 0.2, [4.15, 2.10, 0.257, 0.35]),
    (10, 1, 3, 0.2, [5.19, 3.10, 0.129, 0.195]),
    (10, 2, 3, 0.2, [5.05, 3.07, 0.134, 0.207]),
    (10, 3, 3, 0.2, [4.79, 3.01, 0.143, 0.228]),
    (20, 2, 3, 0.2, [6.20, 4.08, 0.066, 0.110]),
    (20, 6, 3, 0.2, [5.54, 3.90, 0.080, 0.144]),
    (50, 2, 3, 0.2, [7.54, 5.41, 0.026, 0.050]),
    (20, 1, 3, 0.05, [4.14, 3.39, 0.116, 0.189]),
    (20, 1, 1, 0.6, [6.59, 4.13, 0.063, 0.10]),
    (20, 2, 1, 0.6, [5.59, 3.92, 0.077, 0.14]),
];

#[test]
fn bits_of_packets_and_senders() {
    for (clients, width, layers, delay, [packet, sender, given, hits]) in NETWORKS {
        let setup = Setup { delay, ..Setup::classic(clients, width, layers) };
        let outcome = outcome(&setup);
        let calibrated = outcome.calibrated.expect("packets came out");
        println!("{clients} clients, {width}x{layers}, {delay} s: {outcome:?}");
        assert_near(outcome.packet_bits.mean().expect("some were followed"), packet, 0.1);
        assert_near(outcome.sender_bits.mean().expect("some came out"), sender, 0.05);
        assert_near(calibrated.given, given, 0.02 * given.max(0.2));
        assert_near(calibrated.hits, hits, 0.05 * hits.max(0.2));
    }
}

/// The observer is right about how much it knows, without being told.
#[test]
fn it_knows_how_much_it_knows() {
    for (clients, width, layers, delay, _) in NETWORKS {
        let setup = Setup { delay, ..Setup::classic(clients, width, layers) };
        let calibrated = outcome(&setup).calibrated.expect("packets came out");
        assert_near(calibrated.given, calibrated.expected, 0.01 * calibrated.expected);
        assert_near(calibrated.hits, calibrated.most, 0.04 * calibrated.most);
        assert_eq!(calibrated.doubt(), None);
    }
}

/// Where the formulas say that they can be relied upon, they are right to a tenth of a bit.
#[test]
fn formulas_are_right_where_they_say_so() {
    let mut relied_upon = 0;
    for (clients, width, layers, delay, [packet, sender, given, _]) in NETWORKS {
        let shape = theory::entropy::Shape {
            rate: f64::from(clients) * 3.0,
            acknowledgements: 0.0,
            delay,
            layers,
            width: width.into(),
        };
        let rates = vec![3.0; clients.into()];
        // Too many bits, never too few.
        assert!(shape.packet_entropy().bits > packet - 0.05);
        assert!(shape.sender_entropy(&rates).bits > sender - 0.05);
        if shape.packet_entropy().is_reliable {
            assert_near(shape.packet_entropy().bits, packet, 0.1);
            assert_near(shape.sender_entropy(&rates).bits, sender, 0.06);
            assert_near(shape.share_of_true_sender(&rates), given, 0.05 * given);
            relied_upon += 1;
        }
    }
    assert_eq!(relied_upon, 5);
}

/// Mean entropy of what leaves one mixnode, by the number of packets that wait.
#[test]
fn one_mixnode() {
    let known = [
        (0.25, 0.463),
        (0.5, 0.864),
        (1.0, 1.513),
        (2.0, 2.409),
        (3.0, 3.003),
        (5.0, 3.759),
        (10.0, 4.768),
        (20.0, 5.768),
        (50.0, 7.090),
        (100.0, 8.088),
    ];
    for (pool, bits) in known {
        // A hundred seconds are kept of a pool: delays are as short as 20 000 departures need.
        let rate = 200.0;
        let setup = Setup { rate, delay: pool / rate, ..Setup::classic(1, 1, 1) };
        let outcome = simulate(&setup, 1, 10, 100);
        assert_near(outcome.mix_bits, bits, 0.04);
        assert_near(outcome.pool, pool, 0.06 * pool);
        assert_near(outcome.seen, theory::pool::expected_at_departure(pool), 0.06 * pool.max(1.0));
        assert_near(outcome.empty, theory::pool::empty(pool), 0.02);
        assert_near(outcome.dispersion, 1.0, 0.15);
    }
}

/// With acknowledgements twice as many packets wait, and senders hide as well as without: an observer
/// sees which packets are acknowledged, and by whom.
#[test]
fn acknowledgements_fill_pools_and_hide_nobody() {
    let without = Setup::classic(20, 2, 3);
    let with = Setup { acks: true, ..without.clone() };
    let (without, with) = (outcome(&without), outcome(&with));
    assert_near(with.pool, 2.0 * without.pool, 0.05 * with.pool);
    let bits = |outcome: &Outcome| outcome.sender_bits.mean().expect("some came out");
    assert_near(bits(&with), bits(&without), 0.05);
    let packets = |outcome: &Outcome| outcome.packet_bits.mean().expect("some were followed");
    assert_near(packets(&with), packets(&without), 0.1);
    let calibrated = with.calibrated.expect("some came out");
    assert_near(calibrated.given, calibrated.expected, 0.02 * calibrated.expected);
    // Pools that were too thin for the formula are no more.
    let few = Setup { acks: true, ..Setup::classic(10, 2, 3) };
    let [thin, thick] = [0.0, 30.0].map(|acknowledgements| theory::entropy::Shape {
        rate: 30.0,
        acknowledgements,
        delay: few.delay,
        layers: 3,
        width: 2,
    });
    assert!(!thin.packet_entropy().is_reliable && thick.packet_entropy().is_reliable);
    let few = outcome(&few);
    assert_near(packets(&few), thick.packet_entropy().bits, 0.1);
    assert_near(bits(&few), thick.sender_entropy(&[3.0; 10]).bits, 0.06);
}

/// Three hops take as long as Erlang says: each packet by itself, from its first link to its last.
#[test]
fn delays_add_up() {
    let setup = Setup::classic(20, 2, 3);
    let erlang = theory::delay::Erlang::new(3, 0.2);
    let mut hops = Vec::new();
    for happening in Simulator::new(&setup, 1).take(100_000) {
        if let Some(passage) = happening.passage {
            hops.push(passage.left.t.saturating_sub(passage.came.t).as_secs_f64());
        }
    }
    let mean = hops.iter().sum::<f64>() / 60_000.0;
    assert!(hops.len() > 55_000);
    assert_near(mean * 60_000.0 / f64::from(u32::try_from(hops.len()).expect("few")), 0.2, 0.004);
    let mut gauge = anonymity::HopGauge::default();
    gauge.add(&hops);
    assert!(gauge.fit().expect("enough").is_exponential());
    assert_near(erlang.mean(), 0.6, 1e-12);
    assert!(Duration::from_secs_f64(erlang.quantile(0.999)) < Duration::from_millis(2250));
}
