//! The way of a message through real processes, as `send --follow` prints it.

mod common;

use common::{FAST, Lab};
use serde_json::Value;

/// By how much the sum of a way may differ from the delay that the clients tell.
const CLOSE_MS: f64 = 2.0;

/// Each of them is to be close.
const MESSAGES: u32 = 8;

fn events(stdout: &str, thing: &str) -> Vec<Value> {
    let schema = format!("nym-devnet/{thing}/v1");
    let lines = stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    lines.filter(|line| line["schema"] == *schema).map(|mut line| line["data"].take()).collect()
}

#[test]
fn the_sum_of_a_way_is_the_delay_of_the_message() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --name t1")).expect(0);
    let sent = format!("send alice bob hello-{{n}} --count {MESSAGES} --follow -o json --name t1");
    let said = lab.run(&sent).expect(0).stdout;
    let ways = events(&said, "message-journey");
    let steps = events(&said, "message-step");
    let mut differences = Vec::new();
    for number in 1..=MESSAGES {
        let first = ways.iter().find(|way| way["number"] == number && way["attempt"] == 1);
        let way = first.expect(&said);
        assert_eq!(way["complete"], true, "{way:#}");
        assert_eq!(way["there"]["untold_ms"], 0.0, "{way:#}");
        let at = |what: &str| {
            let is_it = |step: &&Value| step["number"] == number && step["step"] == what;
            steps.iter().find(is_it).and_then(|step| step["ms"].as_f64()).expect(what)
        };
        let delay = at("delivered") - at("packet-sent");
        let stretches = way["there"]["stretches"].as_array().expect("a list");
        let took = stretches.iter().filter_map(|stretch| stretch["took_ms"].as_f64());
        differences.push((took.sum::<f64>() - delay).abs());

        let places: Vec<&str> =
            stretches.iter().filter_map(|stretch| stretch["place"].as_str()).collect();
        let mixes = ["link", "mix"].repeat(3);
        assert_eq!(places, [&mixes[..], &["link", "provider", "delivery"]].concat());
        for way in [&way["there"], &way["back"]] {
            looks_different_at_every_hop(way);
        }
    }
    assert!(differences.iter().all(|ms| *ms < CLOSE_MS), "{differences:?} ms");

    // The same for people.
    let table = lab.run("send alice bob hello --follow --name t1").expect(0).stdout;
    assert!(table.contains("way of packet 1 of 1\nHOP "), "{table}");
    assert!(table.contains("way of its acknowledgement\nHOP "), "{table}");
    for hop in ["mix-1-1 ", "mix-2-1 ", "mix-3-1 ", "provider-1 ", "bob ", "alice "] {
        assert!(table.lines().any(|line| line.starts_with(hop)), "{hop}: {table}");
    }
    lab.run("down t1").expect(0);
}

/// It waited at least as long as it was asked to, and had other bytes at each hop.
fn looks_different_at_every_hop(way: &Value) {
    let stretches = way["stretches"].as_array().expect("a list");
    let mixes: Vec<&Value> = stretches.iter().filter(|stretch| stretch["place"] == "mix").collect();
    assert_eq!(mixes.len(), 3, "{way:#}");
    for (index, mix) in mixes.iter().enumerate() {
        assert_eq!(mix["hop"], index + 1, "{way:#}");
        assert_ne!(mix["bytes_in"], mix["bytes_out"], "{way:#}");
        let of = |field: &str| mix[field].as_f64().expect(field);
        assert!(of("took_ms") + 0.5 > of("asked_ms"), "{way:#}");
    }
    for pair in mixes.windows(2) {
        assert_eq!(pair[0]["bytes_out"], pair[1]["bytes_in"], "{way:#}");
    }
}

#[test]
fn every_packet_of_a_long_message_has_its_way() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --name t1")).expect(0);
    let file = lab.path().join("long");
    std::fs::write(&file, [7; 6000]).expect("writes");
    let sent = format!("send alice bob --file {} --follow -o json --name t1", file.display());
    let said = lab.run(&sent).expect(0).stdout;
    let ways = events(&said, "message-journey");
    let packets = ways[0]["packets"].as_u64().expect("a number");
    assert!(packets > 2, "{said}");
    for packet in 1..=packets {
        let mut its = ways.iter().filter(|way| way["packet"] == packet);
        assert!(its.any(|way| way["complete"] == true), "packet {packet}: {said}");
    }
    lab.run("down t1").expect(0);
}

#[test]
fn without_tracing_no_way_is_told() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --name t1 --trace off")).expect(0);
    let said = lab.run("send alice bob hello --follow --name t1").expect(0).stdout;
    assert!(said.contains("tracing is off (`nym-devnet up --trace on`)"), "{said}");
    assert!(!said.contains("way of packet"), "{said}");
    let json = lab.run("send alice bob hello --follow -o json --name t1").expect(0).stdout;
    assert!(events(&json, "message-journey").is_empty(), "{json}");
    let result: Value = serde_json::from_str(json.lines().last().expect("a line")).expect("JSON");
    assert_eq!(result["data"]["traced"], false, "{result}");
    lab.run("down t1").expect(0);
}
