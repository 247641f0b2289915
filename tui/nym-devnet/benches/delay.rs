//! How long messages of one packet take from one application to another, against what the network's
//! parameters say: the wait for a slot and three delays, all exponential.
//!
//! ```text
//! cargo bench -p nym-devnet --bench delay
//! ```

mod app;
mod devnet;

use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::json;

use crate::app::{app_url, ask, connect, next};
use crate::devnet::Devnet;

/// Pairs of clients; each has one message underway at a time, so that none waits for another's slot.
const PAIRS: usize = 4;

/// Messages of each pair.
const MESSAGES: usize = 500;

/// Mean pause between two messages. Exponential, so that it has no phase in common with the slots.
const PAUSE: Duration = Duration::from_millis(20);

/// Means of the profile `current`, in milliseconds.
const SLOT: f64 = 20.0;
const HOP: f64 = 15.0;
const HOPS: usize = 3;

/// The 0.1 % point of the Kolmogorov-Smirnov statistic times the root of the number of samples
/// (asymptotic: √(−ln(0.001 / 2) / 2)).
const CRITICAL: f64 = 1.949;

fn main() {
    let clients = 2 * PAIRS;
    let devnet = Devnet::up(&format!("--profile current --crowd 0 --clients {clients}"));
    let urls: Vec<String> = devnet.nodes("client").map(app_url).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let mut delays = runtime.expect("a runtime").block_on(measure(&urls));
    drop(devnet);

    delays.sort_by(f64::total_cmp);
    let middle = delays[delays.len() / 2];
    let expected = median();
    println!("{} messages of one packet, slot {SLOT} ms, {HOPS} hops of {HOP} ms", delays.len());
    println!("  median: {middle:.2} ms, in theory {expected:.2}: {:+.2} ms", middle - expected);
    let mean = delays.iter().sum::<f64>() / count(delays.len());
    let in_theory = SLOT + count(HOPS) * HOP;
    println!("  mean: {mean:.2} ms, in theory {in_theory:.2}: {:+.2} ms", mean - in_theory);
    let statistic = distance(&delays) * count(delays.len()).sqrt();
    let verdict = if statistic < CRITICAL { "passes" } else { "fails" };
    println!("  Kolmogorov-Smirnov: {statistic:.3}, {verdict} at 0.1 % ({CRITICAL})");
}

/// The delays of all messages, in milliseconds.
async fn measure(urls: &[String]) -> Vec<f64> {
    let pairs = urls.chunks(2).map(|pair| measure_pair(&pair[0], &pair[1]));
    futures_util::future::join_all(pairs).await.concat()
}

async fn measure_pair(from: &str, to: &str) -> Vec<f64> {
    let mut sender = connect(from).await;
    let mut receiver = connect(to).await;
    let address = ask(&mut receiver, json!({"type": "selfAddress"})).await;
    let recipient = address["address"].as_str().expect("an address");
    let mut delays = Vec::with_capacity(MESSAGES);
    for number in 0..MESSAGES {
        let uniform: f64 = rand::rng().random();
        tokio::time::sleep(PAUSE.mul_f64(-(-uniform).ln_1p())).await;
        let text = format!("message {number}");
        let begin = Instant::now();
        let sent =
            ask(&mut sender, json!({"type": "send", "recipient": recipient, "message": text}));
        let arrival = async { (next(&mut receiver).await, begin.elapsed()) };
        let (answer, (got, took)) = tokio::join!(sent, arrival);
        assert_eq!(answer["type"], "send", "{answer}");
        assert_eq!(got, text);
        delays.push(took.as_secs_f64() * 1000.0);
    }
    delays
}

/// The share of messages that take longer than this in theory: an exponential wait of mean s, and
/// three of mean h. With a = 1/h and b = 1/s, and G the gamma distribution of shape 3:
/// P(X > t) = P(G₁ > at) + e^(−bt) · (a / (a − b))³ · P(G₁ < (a − b)t).
fn share_beyond(t: f64) -> f64 {
    let (a, b) = (1.0 / HOP, 1.0 / SLOT);
    let gamma = |x: f64| (-x).exp() * (1.0 + x + x * x / 2.0);
    gamma(a * t) + (-b * t).exp() * (a / (a - b)).powi(3) * (1.0 - gamma((a - b) * t))
}

/// By bisection: the share falls with the time.
fn median() -> f64 {
    let (mut low, mut high) = (0.0, 1000.0);
    while high - low > 1e-6 {
        let middle = f64::midpoint(low, high);
        if share_beyond(middle) > 0.5 { low = middle } else { high = middle }
    }
    low
}

/// The largest distance between sorted samples and the theory.
fn distance(sorted: &[f64]) -> f64 {
    let n = count(sorted.len());
    let gap = |(i, &t): (usize, &f64)| {
        let below = 1.0 - share_beyond(t);
        (below - count(i) / n).abs().max((count(i + 1) / n - below).abs())
    };
    sorted.iter().enumerate().map(gap).fold(0.0, f64::max)
}

fn count(n: usize) -> f64 {
    u32::try_from(n).map(f64::from).expect("few")
}
