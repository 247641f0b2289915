//! What is known of a devnet, and for how long.

use contract::Role;
use control::State;

use super::*;
use crate::testing::empty_snapshot;

#[test]
fn the_rates_of_a_process_that_went_silent_are_left_out() {
    let node = NodeStatus {
        name: "mix-1-1".into(),
        role: Role::Mixnode,
        layer: Some(1),
        state: State::Ready,
        reason: "the directory lists it".into(),
        since_unix_ms: 0,
        pid: Some(1),
        started_unix_ms: Some(0),
        restarts: 0,
        last_exit: None,
        fatal: None,
        addresses: BTreeMap::new(),
        public_keys: Vec::new(),
        address: None,
        log_file: "/mix-1-1.log".into(),
    };
    let mut store = Store::new(empty_snapshot().devnet, vec![node]);
    let at = |ms: u64| Moment { t: Time::from_nanos(ms * 1_000_000), unix_ns: 0 };
    for (ms, received) in [(1000, 0), (2000, 10)] {
        let metrics = NodeMetrics { t: at(ms).t, received, ..NodeMetrics::default() };
        store.metrics(at(ms), 0, metrics);
    }
    let rates = store.snapshot(at(5500)).rates;
    assert_eq!(rates.keys().collect::<Vec<_>>(), ["mix-1-1"]);
    let silent = store.snapshot(at(5501));
    assert_eq!((silent.rates.len(), silent.metrics.len()), (0, 1));
}
