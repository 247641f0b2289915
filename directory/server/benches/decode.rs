//! What it costs to read a body, beside what serde's derive takes for the same bytes.
//!
//! The derive is no alternative: it wants names spelt exactly, knows nothing of the original's
//! rules and complaints, and has no bound on lists. It is the yardstick.
//!
//! `cargo bench -p directory-server --bench decode`

use std::hint::black_box;
use std::time::{Duration, Instant};

use directory_api::{MixMetricReport, MixNodeReport, MixProviderReport, RegisteredClient};
use directory_server::reports::{self, BadBody};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Of so many rounds, the fastest counts: the others met with something else on the machine.
const ROUNDS: usize = 60;

/// Length of a round.
const ROUND: Duration = Duration::from_millis(20);

fn main() {
    let key = |i: usize| format!("{i:03}9B9Uo1mLqXmRp3cV7Tq4kZ8sYwJdNfEuHgPbxCvAtK");
    let mixnode = MixNodeReport {
        host: "127.0.0.1:9980".into(),
        pub_key: key(1),
        version: "0.1.0".into(),
        location: "mix-1-1".into(),
        layer: 1,
    };
    let metric = MixMetricReport {
        pub_key: key(1),
        sent: (0..33).map(|i| (format!("127.0.0.1:{}", 9980 + i), 100 + i)).collect(),
        received: 3300,
    };
    let gateway = MixProviderReport {
        client_listener: "ws://127.0.0.1:9000".into(),
        mixnet_listener: "127.0.0.1:4000".into(),
        pub_key: key(1),
        version: "0.1.0".into(),
        location: "provider-1".into(),
        registered_clients: (0..1000).map(|i| RegisteredClient { pub_key: key(i) }).collect(),
    };
    println!("body                        bytes   ns each   derive, ns   ratio");
    compare("mixnode", &mixnode, reports::mixnode);
    compare("metric, 33 next hops", &metric, reports::metric);
    compare("gateway, 1000 clients", &gateway, reports::gateway);
}

fn compare<R>(name: &str, report: &R, read: fn(&[u8]) -> Result<R, BadBody>)
where
    R: Serialize + DeserializeOwned + PartialEq,
{
    let body = serde_json::to_vec(report).expect("a report is JSON");
    assert!(read(&body).is_ok_and(|read| read == *report), "{name}: read as it was written");
    let derived = || serde_json::from_slice::<R>(black_box(&body)).expect("a report");
    let ours = || read(black_box(&body)).expect("a report");
    let (mut fastest, mut fastest_derived) = (f64::INFINITY, f64::INFINITY);
    // Turn by turn, so that a machine that gets slower does so for both.
    for _ in 0..ROUNDS {
        fastest = fastest.min(nanoseconds(ours));
        fastest_derived = fastest_derived.min(nanoseconds(derived));
    }
    println!(
        "{name:<25} {:>7} {fastest:>9.0} {fastest_derived:>12.0} {:>7.2}",
        body.len(),
        fastest / fastest_derived
    );
}

/// Mean time of a call during one round.
fn nanoseconds<T>(call: impl Fn() -> T) -> f64 {
    let start = Instant::now();
    let mut calls = 0_u32;
    loop {
        for _ in 0..16 {
            black_box(call());
        }
        calls += 16;
        let elapsed = start.elapsed();
        if elapsed >= ROUND {
            return elapsed.as_secs_f64() * 1e9 / f64::from(calls);
        }
    }
}
