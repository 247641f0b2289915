//! How long long messages take: from `send` on one client's websocket to the last byte at another's,
//! against what their packets need at least, which leave one in each slot.
//!
//! ```text
//! cargo bench -p nym-devnet --bench messages
//! ```

mod app;
mod devnet;

use std::time::{Duration, Instant};

use serde_json::json;

use crate::app::{app_url, ask, connect, next};
use crate::devnet::Devnet;

/// Bytes of the messages, and how many of each.
const MESSAGES: [(usize, usize); 2] = [(1 << 20, 5), (contract::MAX_MESSAGE_BYTES, 3)];

/// Mean interval of the slots.
const SLOT: Duration = Duration::from_millis(5);

/// Loop cover is seldom, so that the slots are what is measured, and so are delays short.
const NETWORK: &str = "--width 1 --layers 3 --slot 5ms --hop-delay 1ms --loop-cover 1s";

fn main() {
    let devnet = Devnet::up(&format!("{NETWORK} --clients 2 --crowd 0"));
    let urls: Vec<String> = devnet.nodes("client").map(app_url).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(measure(&urls[0], &urls[1]));
}

async fn measure(alice: &str, bob: &str) {
    let (mut alice, mut bob) = (connect(alice).await, connect(bob).await);
    let address = ask(&mut bob, json!({"type": "selfAddress"})).await;
    let recipient = address["address"].as_str().expect("an address").to_owned();
    println!("slot {SLOT:?}; seconds, medians, least and most in brackets");
    for (bytes, count) in MESSAGES {
        let packets = wire::fragment_count(bytes).expect("not too long");
        let floor = (packets * SLOT).as_secs_f64();
        let (mut accepted, mut arrived) = (Vec::new(), Vec::new());
        for number in 0..count {
            // Each is another one.
            let text = number.to_string().repeat(bytes);
            let request = json!({"type": "send", "recipient": recipient, "message": text});
            let begin = Instant::now();
            let answer = async {
                let answer = ask(&mut alice, request).await;
                (answer, begin.elapsed())
            };
            let arrival = async {
                let text = next(&mut bob).await;
                (text, begin.elapsed())
            };
            let ((answer, answered), (received, took)) = tokio::join!(answer, arrival);
            assert_eq!(answer["type"], "send", "{answer}");
            assert!(received == text, "what arrived is not what was sent");
            accepted.push(answered.as_secs_f64());
            arrived.push(took.as_secs_f64());
        }
        println!("{bytes} bytes, {packets} packets; {count} times");
        report("accepted", &mut accepted, None);
        report("arrived", &mut arrived, Some(floor));
    }
}

fn report(what: &str, seconds: &mut [f64], floor: Option<f64>) {
    seconds.sort_by(f64::total_cmp);
    let (least, median) = (seconds[0], seconds[seconds.len() / 2]);
    let most = seconds[seconds.len() - 1];
    let floor = floor.map(|floor| format!(", {:.2} of packets × slot: {floor:.2}", median / floor));
    println!("  {what}: {median:.3} ({least:.3} to {most:.3}){}", floor.unwrap_or_default());
}
