//! The figures of Ben Guirat and Diaz, *Mixnet Optimization Methods* (PETS 2022), by the same tracking: ten
//! mixnodes a layer and 5000 packets a second.

use anonymity::simulate::{Setup, simulate};

#[track_caller]
fn assert_bits(setup: &Setup, seconds: (u32, u32), expected: f64, tolerance: f64) {
    let outcome = simulate(setup, 1, seconds.0, seconds.1);
    let bits = outcome.packet_bits.mean().expect("some were followed");
    let (delay, layers, width) = (setup.delay, setup.layers, setup.width);
    assert!(
        (bits - expected).abs() <= tolerance,
        "{layers} layers of {width}, {delay} s: {bits} is not {expected} ± {tolerance}"
    );
}

/// Who sends does not matter for where packets come out: ten senders are as good as any.
fn busy(layers: u8, width: u16, delay: f64) -> Setup {
    Setup { rate: 500.0, delay, ..Setup::classic(10, width, layers) }
}

#[test]
fn hops_of_a_tenth_of_a_second() {
    for (layers, published) in [(1, 7.111), (5, 12.070), (10, 12.634), (15, 12.933)] {
        assert_bits(&busy(layers, 10, 0.1), (4, 8), published, 0.08);
    }
}

/// Links take 50 ms each, which is part of the whole delay there and nothing here.
#[test]
fn a_second_from_end_to_end() {
    for (layers, published) in [(1, 10.253), (2, 13.296), (3, 13.039), (4, 12.789), (5, 12.552)] {
        let delay = (1.0 - 0.05 * f64::from(layers + 1)) / f64::from(layers);
        assert_bits(&busy(layers, 10, delay), (12, 12), published, 0.08);
    }
}

/// Wide networks, where the formula promises too much.
#[test]
fn wide_networks() {
    for (width, published) in [(50, 12.99), (100, 12.73)] {
        assert_bits(&busy(3, width, 0.8 / 3.0), (6, 10), published, 0.1);
    }
}

/// A hundred packets a second in 50 mixnodes a layer: half a packet in each, 2.6 bits where the formula
/// promises 4.7.
#[test]
fn hardly_any_packets() {
    let setup = Setup { rate: 10.0, ..busy(3, 50, 0.8 / 3.0) };
    assert_bits(&setup, (10, 600), 2.65, 0.1);
}
