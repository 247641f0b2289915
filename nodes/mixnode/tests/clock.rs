//! A clock that stands still or goes backwards: nothing panics, and every packet still gets out.

mod common;

use std::time::Duration;

use common::{Bench, MIX_2, PROVIDER, SETTLED, network};
use contract::Time;
use mixnode::UNKNOWN_HOP_HOLD;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Nobody takes packets there.
const NOWHERE: u16 = 9;

const MAX_DELAY_MS: u64 = 200;

/// Most packets go on; the others are looked up again and again.
const PORTS: [u16; 4] = [MIX_2, MIX_2, PROVIDER, NOWHERE];

#[test]
fn whatever_the_clock_does_each_packet_leaves_or_is_counted() {
    for seed in 0..20 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let mut bench = Bench::new();
        let (mut now, mut latest) = (SETTLED, SETTLED);
        let mut good = 0;
        let mut left = 0;
        for _ in 0..200 {
            let ms = match rng.random_range(0..10) {
                0 => rng.random_range(-20_000..0),
                1 => rng.random_range(0..20_000),
                2..5 => rng.random_range(0..100),
                _ => 0,
            };
            let at = now.as_nanos().saturating_add_signed(ms * 1_000_000);
            now = Time::from_nanos(at);
            latest = latest.max(now);
            let port = PORTS[rng.random_range(0..PORTS.len())];
            let delay = Duration::from_millis(rng.random_range(0..MAX_DELAY_MS));
            let packet = bench.packet(delay, port);
            bench.take(now, &[packet]);
            good += usize::from(port == MIX_2);
            if bench.mixnode.wants_topology(now) {
                bench.mixnode.set_network(now, &network(&[MIX_2]));
            }
            left += bench.departures(now).len();
            // Nobody waits for what is over already: that is the driver's to see.
            if bench.mixnode.pool() > 0 {
                assert!(bench.mixnode.next_wake().is_some(), "seed {seed}: it sleeps for ever");
            }
        }
        // The clock goes on from the latest moment that it ever showed.
        let due = latest + Duration::from_millis(MAX_DELAY_MS);
        left += bench.departures(due).len();
        let over = due + UNKNOWN_HOP_HOLD;
        left += bench.departures(over).len();
        assert_eq!((left, bench.mixnode.pool(), bench.frames.used()), (good, 0, 0), "seed {seed}");
        let counters = bench.mixnode.counters();
        let gone = counters.sent.values().sum::<u64>() + counters.dropped.values().sum::<u64>();
        assert_eq!(counters.received, gone, "seed {seed}");
    }
}
