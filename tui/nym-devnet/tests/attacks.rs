//! Attacks on a running devnet: each is really done, and each defence is seen to answer.

mod common;

use common::{Lab, Running, until};
use control::identity_of;
use serde_json::Value;

/// A network whose pools are seldom empty by themselves, and which is quick all the same.
const RATES: &str = "--hop-delay 40ms --slot 60ms --loop-cover 120ms --crowd 6";

fn up(lab: &Lab, arguments: &str) {
    let line = format!("up --detach --ports auto --name a {arguments}");
    lab.run(&line).expect(0);
}

/// Runs an attack; what is known of it then.
#[track_caller]
fn attack(lab: &Lab, what: &str, code: i32) -> Value {
    let done = lab.run(&format!("attack {what} --name a -o json")).expect(code);
    let mut answer = done.json();
    assert_eq!(answer["ok"], code == 0, "{answer}");
    answer["data"].take()
}

fn verdict(status: &Value) -> &str {
    status["end"]["verdict"].as_str().expect("it is over")
}

/// Who dropped the packet, and why.
fn dropped(status: &Value) -> Vec<(&str, &str)> {
    let seen = status["seen"].as_array().expect("a list").iter();
    let dropped = seen.filter(|seen| seen["sighting"] == "dropped");
    dropped.filter_map(|seen| seen["node"].as_str().zip(seen["reason"].as_str())).collect()
}

/// How many packets a node has dropped for a reason.
fn count(lab: &Lab, node: &str, reason: &str) -> u64 {
    let metrics = lab.run("metrics --name a -o json").expect(0).json();
    let nodes = metrics["data"]["nodes"].as_array().expect("a list").iter();
    let node = nodes.clone().find(|metrics| metrics["name"] == node).expect(node);
    node["metrics"]["dropped"][reason].as_u64().unwrap_or(0)
}

/// Starts an attack, and returns when the devnet has it.
fn begin(lab: &Lab, what: &str, title: &str) -> Running {
    let running = lab.spawn(&format!("attack {what} --name a -o json"));
    until("the attack is underway", 20, || {
        let log = lab.run("logs supervisor --name a").expect(0).stdout;
        log.lines().any(|line| line.ends_with(&format!("attack: {title}")))
    });
    running
}

#[test]
fn every_attack_is_carried_out_and_answered() {
    let lab = Lab::new();
    up(&lab, &format!("--width 2 --layers 3 {RATES}"));

    for (link, to, times) in [
        ("alice mix-1-1", "mix-1-1", 1),
        ("mix-1-1 mix-2-2", "mix-2-2", 3),
        ("mix-3-1 provider-1", "provider-1", 2),
    ] {
        let status = attack(&lab, &format!("replay {link} --times {times}"), 0);
        assert_eq!(verdict(&status), "stopped");
        assert_eq!(dropped(&status), vec![(to, "replay"); times]);
        assert_eq!(status["deed"]["copies"], times);
        until("it is counted", 20, || count(&lab, to, "replay") >= times as u64);
    }

    let status = attack(&lab, "flip mix-1-1 mix-2-1 --part header", 0);
    assert_eq!((verdict(&status), dropped(&status)), ("stopped", vec![("mix-2-1", "mac")]));
    let status = attack(&lab, "flip mix-3-2 provider-1 --part header --bit 2783", 0);
    assert_eq!((verdict(&status), dropped(&status)), ("stopped", vec![("provider-1", "mac")]));
    let status = attack(&lab, "flip mix-1-1 mix-2-1 --part header --bit 248", 0);
    assert_eq!((verdict(&status), dropped(&status)), ("harmless", vec![]));

    // Every other packet or so is an acknowledgement, which is noise in any case.
    until("a payload is damaged", 60, || {
        let status = attack(&lab, "flip mix-1-2 mix-2-1 --part payload", 0);
        let seen = status["seen"].as_array().expect("a list");
        let what: Vec<&str> = seen.iter().filter_map(|seen| seen["sighting"].as_str()).collect();
        match verdict(&status) {
            "stopped" => {
                assert_eq!(what, ["passed", "passed", "kept", "dropped"], "{status}");
                assert_eq!(seen[3]["reason"], "unknown-ack");
                // Of a crowd the process says that it drops, and `crowd-3` is one of its clients.
                let [kept, dropped] = [&seen[2]["client"], &seen[3]["node"]]
                    .map(|name| name.as_str().expect("a name"));
                let is_of = |client: &str| {
                    client == dropped
                        || identity_of(client).is_some_and(|(crowd, _)| crowd == dropped)
                };
                assert!(is_of(kept), "{status}");
                true
            }
            "harmless" => {
                assert_eq!(what, ["passed", "passed", "kept", "acknowledged"], "{status}");
                false
            }
            other => panic!("{other}: {status}"),
        }
    });

    for layer in 2..=3 {
        let before = format!("mix-{}-", layer - 1);
        // A mixnode is not sure of the places of others as long as it has watched for less than 5 s.
        until("a mixnode is sure", 30, || {
            let status = attack(&lab, &format!("skip alice --layer {layer}"), 0);
            assert_eq!(verdict(&status), "stopped");
            assert_eq!(status["deed"]["route"].as_array().map(Vec::len), Some(3));
            let (node, reason) = dropped(&status)[0];
            assert!(node.starts_with(&before), "{status}");
            assert!(["layer", "unknown-hop"].contains(&reason), "{status}");
            reason == "layer"
        });
    }
    // Nobody can tell a client from a mixnode of the first layer, and the command says so.
    let status = attack(&lab, "skip bob --layer 1", 6);
    assert_eq!(verdict(&status), "through");

    until("a packet of alice is alone", 60, || {
        let line = "attack isolate mix-1-1 --target alice --for 1s --name a -o json";
        let done = lab.run(line);
        let status = &done.json()["data"];
        assert_eq!(status["deed"]["nodes"], serde_json::json!(["bob", "crowd", "provider-1"]));
        assert!(status["deed"]["packets"].as_u64() > Some(0), "{status}");
        assert_eq!(status["deed"]["lost"], 0);
        // At these rates she sends eight packets there; none of them may find it empty.
        let is_alone = verdict(status) == "through";
        assert_eq!(done.code, Some(if is_alone { 0 } else { 6 }), "{status}");
        if is_alone {
            let count = |what: &str| status["isolation"][what].as_u64();
            assert!(count("came") > Some(0) && count("sent") > Some(0), "{status}");
        }
        is_alone
    });

    // What was held back has gone on: the network works.
    lab.run("send alice bob hello --wait --name a").expect(0);
    let text = lab.run("attack replay mix-1-1 mix-2-1 --name a").expect(0).stdout;
    assert!(text.starts_with("replay mix-1-1 → mix-2-1: stopped\n"), "{text}");
    assert!(text.contains("mix-2-1 dropped the copy: replay."), "{text}");
}

#[test]
fn what_makes_no_sense_is_refused_with_what_would() {
    let lab = Lab::new();
    up(&lab, "--width 2 --layers 2 --profile fast");
    for (what, code, message, hint) in [
        ("replay mix-1-1 mix-2-9", 3, "no node named `mix-2-9`", "did you mean `mix-2-"),
        ("replay mix-1-1 mix-1-2", 2, "sends no packets to `mix-1-2`", "mix-2-1, mix-2-2"),
        ("replay mix-2-1 alice", 2, "sends no packets to `alice`", "provider-1"),
        ("replay directory mix-1-1", 2, "no packets pass through the directory", ""),
        ("replay mix-1-1 mix-2-1 --times 17", 2, "17", ""),
        ("flip mix-1-1 mix-2-1 --part header --bit 2784", 2, "2784 bits", ""),
        ("flip mix-1-1 mix-2-1 --part tail", 2, "tail", ""),
        ("skip mix-1-1", 2, "no client", "clients are alice, bob"),
        ("skip alice --layer 3", 2, "not one of the network's 2", ""),
        ("isolate mix-2-1 --target alice", 2, "clients send to layer 1", "mix-1-1, mix-1-2"),
        ("isolate mix-1-1 --target mix-1-2", 2, "no client", ""),
        ("isolate mix-1-1 --target alice --for 6s", 2, "at most 5s", ""),
        ("isolate mix-1-1 --target alice --for 1ms", 2, "for 100 to 5000 ms", ""),
    ] {
        let done = lab.run(&format!("attack {what} --name a")).expect(code);
        assert!(done.stderr.contains(message), "{what}: {}", done.stderr);
        assert!(done.stderr.contains(hint), "{what}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{what}");
    }
    lab.run("stop mix-1-2 --name a").expect(0);
    let done = lab.run("attack replay mix-1-2 mix-2-1 --name a").expect(3);
    assert!(done.stderr.contains("cannot attack at `mix-1-2`"), "{}", done.stderr);
}

#[test]
fn a_link_without_packets_is_not_waited_for_for_ever_and_who_ends_meanwhile_is_named() {
    let lab = Lab::new();
    up(&lab, "--layers 2 --crowd 0 --hop-delay 1ms --slot 1h --loop-cover 1h");
    let done = lab.run("attack replay alice mix-1-1 --times 2 --wait 300ms --name a").expect(6);
    assert!(done.stdout.contains("no packet went to mix-1-1 within 0.3 s"), "{done:?}");

    // Two on one link take a packet each, the first the first.
    let replay = "replay alice mix-1-1 --wait 60s";
    let first = begin(&lab, replay, "replay alice → mix-1-1");
    let flip = "flip alice mix-1-1 --part header --wait 60s";
    let second = begin(&lab, flip, "flip header of alice → mix-1-1, bit 384");
    // One more at the other end, whose process ends.
    let killed = begin(&lab, "replay mix-1-1 mix-2-1 --wait 60s", "replay mix-1-1 → mix-2-1");
    let last = begin(&lab, "replay bob mix-1-1 --wait 60s", "replay bob → mix-1-1");
    let done = lab.run("attack skip alice --name a").expect(4);
    assert!(done.stderr.contains("4 attacks are underway"), "{done:?}");
    lab.run("kill mix-1-1 --name a").expect(0);
    let killed = killed.wait(60).expect(6);
    assert!(killed.stdout.contains("`mix-1-1` ended before: killed by SIGKILL"), "{killed:?}");

    // Two packets of alice: the first arrives as well, and is refused for what it is; of the second
    // nobody can say what it was.
    lab.run("wait --name a").expect(0);
    let status = attack(&lab, "skip alice --layer 2", 0);
    assert!(["layer", "unknown-hop"].contains(&dropped(&status)[0].1), "{status}");
    assert_eq!(verdict(&attack(&lab, "skip alice --layer 2", 6)), "unknown");
    let status = first.wait(60).expect(0).json();
    assert_eq!(
        (verdict(&status["data"]), dropped(&status["data"])),
        ("stopped", vec![("mix-1-1", "replay")])
    );
    let status = second.wait(60).expect(0).json();
    assert_eq!(
        (verdict(&status["data"]), dropped(&status["data"])),
        ("stopped", vec![("mix-1-1", "mac")])
    );
    lab.run("down a").expect(0);
    let last = last.wait(60).expect(6);
    assert!(last.stdout.contains("the devnet is going down"), "{last:?}");
}

#[test]
fn without_traces_counters_tell_what_they_can() {
    let lab = Lab::new();
    up(&lab, &format!("--layers 2 --trace off {RATES}"));
    let done = lab.run("attack replay mix-1-1 mix-2-1 --times 2 --name a").expect(0);
    assert!(done.stdout.contains("mix-2-1 has counted 2 dropped since: replay"), "{done:?}");
    assert!(done.stdout.contains("--trace off"), "{done:?}");
    let done = lab.run("attack flip mix-1-1 mix-2-1 --part payload --name a").expect(6);
    assert!(done.stdout.contains("nodes tell nothing of packets (`--trace off`)"), "{done:?}");
}

#[test]
fn where_defences_are_left_out_attacks_go_through() {
    let lab = Lab::new();
    up(&lab, &format!("--layers 2 --faithful {RATES}"));
    let status = attack(&lab, "replay mix-1-1 mix-2-1 --times 2", 6);
    assert_eq!(verdict(&status), "through");
    let seen = status["seen"].as_array().expect("a list");
    // All to the same place: that is what gives the way away.
    assert_eq!(seen.len(), 3, "{status}");
    assert!(seen.iter().all(|one| one["sighting"] == "passed" && one["to"] == "provider-1"));
    assert_eq!(verdict(&attack(&lab, "skip alice --layer 2", 6)), "through");
}
