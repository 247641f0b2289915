//! A devnet is changed while it carries traffic: nodes come and go, rates and the crowd change, and
//! nothing is lost or restarted.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use common::{Done, Lab, has_ended, until};

/// A devnet that starts fast and sends fast.
const FAST: &str = "up --detach --name t1 --ports auto --profile fast --slot 10ms --hop-delay 20ms \
                    --loop-cover 100ms";

/// Sends messages one after the other until it is stopped.
struct Traffic {
    stop: Arc<AtomicBool>,
    sender: JoinHandle<Vec<String>>,
}

impl Traffic {
    fn start(lab: &Lab, from: &str, to: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let mut commands = (0..).map({
            let (from, to, path) = (from.to_owned(), to.to_owned(), lab.path().to_owned());
            move |number: u32| {
                let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nym-devnet"));
                command.args(["send", &from, &to, &format!("message {number}"), "--name", "t1"]);
                command.env("NYM_DEVNET_STATE_DIR", &path);
                (command, format!("message {number}"))
            }
        });
        let sender = std::thread::spawn(move || {
            let mut sent = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let (mut command, text) = commands.next().expect("endless");
                let output = command.output().expect("it starts");
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                sent.push(text);
            }
            sent
        });
        Self { stop, sender }
    }

    fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.join().expect("every message is accepted")
    }
}

fn run(lab: &Lab, command: &str) -> Done {
    lab.run(&format!("{command} --name t1 -o json"))
}

fn texts(inbox: &Value) -> Vec<String> {
    let messages = inbox["data"]["messages"].as_array().expect("a list").iter();
    messages.map(|message| message["content"]["text"].as_str().expect("text").into()).collect()
}

fn pids(lab: &Lab) -> BTreeMap<String, Pid> {
    lab.pids("t1").1.into_iter().collect()
}

/// Whether a node takes packets: its counters rise.
fn takes_packets(lab: &Lab, node: &str) -> bool {
    lab.node("t1", node)["rates"]["received_per_s"].as_f64().is_some_and(|rate| rate > 0.0)
}

fn listed(lab: &Lab) -> BTreeSet<String> {
    let topology = run(lab, "topology").expect(0).json();
    let mut names = BTreeSet::new();
    collect(&topology["data"], &mut names);
    names
}

/// Names of nodes, wherever they stand.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.starts_with("mix-") || text.starts_with("provider-") => {
            names.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, names)),
        _ => {}
    }
}

#[test]
fn every_mixnode_is_replaced_under_traffic_and_no_message_is_lost() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --crowd 0")).expect(0);
    let before = pids(&lab);
    let traffic = Traffic::start(&lab, "alice", "bob");
    for layer in 1..=3 {
        let added = run(&lab, &format!("add mix --layer {layer}")).expect(0).json();
        assert_eq!(added["schema"], "nym-devnet/add/v1");
        let name = format!("mix-{layer}-2");
        assert_eq!(added["data"]["node"]["name"], name.as_str());
        assert_eq!(added["data"]["node"]["state"], "ready");
        // Counters are told once a second, and a rate needs two of them.
        until(&format!("{name} takes packets"), 3, || takes_packets(&lab, &name));
    }
    let removed = run(&lab, "remove mix-1-1 mix-2-1 mix-3-1").expect(0).json();
    assert_eq!(removed["schema"], "nym-devnet/remove/v1");
    for node in removed["data"]["nodes"].as_array().expect("a list") {
        assert_eq!((&node["gone"], &node["unsent"]), (&true.into(), &0.into()), "{node}");
    }
    assert!(has_ended(before["mix-1-1"]));
    let names: BTreeSet<String> =
        ["mix-1-2", "mix-2-2", "mix-3-2", "provider-1"].map(String::from).into();
    until("the directory has forgotten them", 3, || listed(&lab) == names);
    let sent = traffic.stop();
    assert!(sent.len() > 3, "{sent:?}");
    until("all have arrived", 60, || {
        texts(&run(&lab, "inbox bob").expect(0).json()).len() >= sent.len()
    });
    let mut arrived = texts(&run(&lab, "inbox bob").expect(0).json());
    let mut sent = sent;
    arrived.sort();
    sent.sort();
    assert_eq!(arrived, sent, "each once");

    let after = pids(&lab);
    for name in ["directory", "provider-1", "alice", "bob"] {
        assert_eq!(before[name], after[name], "{name} is the same process");
    }
    let status = run(&lab, "status").expect(0).json();
    assert_eq!(status["data"]["info"]["widths"], serde_json::json!([1, 1, 1]));
    // Whoever looks at the folder sees the network as it is.
    let record = std::fs::read(lab.folder("t1").join("state.json")).expect("a record");
    let record: Value = serde_json::from_slice(&record).expect("JSON");
    let planned = record["plan"]["nodes"].as_array().expect("a list").iter();
    let planned: Vec<&str> = planned.map(|node| node["name"].as_str().expect("a name")).collect();
    assert_eq!(
        planned,
        ["directory", "mix-1-2", "mix-2-2", "mix-3-2", "provider-1", "alice", "bob"]
    );

    // Bob can be spared, the last mixnode of a layer not: what was done is told with what was refused.
    let both = run(&lab, "remove bob mix-1-2").expect(2).json();
    assert_eq!(both["data"]["nodes"][0]["gone"], true, "{both}");
    assert_eq!(both["error"]["code"], "INVALID_LAYOUT", "{both}");

    let all = lab.all_pids("t1");
    run(&lab, "down").expect(0);
    common::until_gone(&all, 2);
}

#[test]
fn a_client_and_its_provider_come_and_go() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --crowd 0 --clients 1")).expect(0);
    run(&lab, "add provider").expect(0);
    let carol = run(&lab, "add client carol").expect(0).json();
    let address = carol["data"]["node"]["address"].as_str().expect("it has one").to_owned();
    run(&lab, "send alice carol hello --wait").expect(0);
    run(&lab, "send carol alice back --wait").expect(0);

    let refused = run(&lab, "remove provider-2").expect(2).json();
    let hint = refused["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("`nym-devnet remove carol`"), "{refused}");
    for (command, code) in [
        ("remove mix-1-1", 2),
        ("remove directory", 2),
        ("remove nobody", 3),
        ("add client carol", 4),
        ("add client Carol", 2),
        ("add mix --layer 4", 2),
    ] {
        let error = run(&lab, command).expect(code).json();
        assert!(error["error"]["message"].as_str().is_some_and(|text| text.len() > 20), "{error}");
    }

    // It takes what it could not send along: there is no way to alice without layer 2.
    let mixnode = lab.node("t1", "mix-2-1");
    run(&lab, "stop mix-2-1").expect(0);
    run(&lab, "send carol alice later").expect(0);
    let removed = run(&lab, "remove carol").expect(0).json();
    assert_eq!(removed["data"]["nodes"][0]["unsent"], 1, "{removed}");
    run(&lab, "remove carol").expect(3);
    run(&lab, "remove provider-2").expect(0);
    until("the directory has forgotten it", 3, || !listed(&lab).contains("provider-2"));
    run(&lab, "start mix-2-1").expect(0);
    assert_ne!(lab.node("t1", "mix-2-1")["pid"], mixnode["pid"]);

    // Who gets the names next goes on where they stopped.
    run(&lab, "add provider").expect(0);
    let again = run(&lab, "add client carol").expect(0).json();
    assert_eq!(again["data"]["node"]["address"], address.as_str());
    until("what was kept arrives", 30, || {
        texts(&run(&lab, "inbox alice").expect(0).json()) == ["back", "later"]
    });
    assert_eq!(texts(&run(&lab, "inbox carol").expect(0).json()), ["hello"]);
}

#[test]
fn nodes_that_do_not_answer_are_removed_all_the_same() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --crowd 0 --width 3 --layers 1")).expect(0);
    run(&lab, "pause mix-1-1").expect(0);
    run(&lab, "remove mix-1-1").expect(0);
    until("the directory has forgotten it", 3, || !listed(&lab).contains("mix-1-1"));

    // One that is killed while it leaves is not started again, and the directory is told.
    let pid = pids(&lab)["mix-1-2"];
    run(&lab, "remove mix-1-2 --no-wait").expect(0);
    // It may have been quicker.
    let _ = kill_process(pid, Signal::KILL);
    until("it is gone", 10, || !names(&lab).contains("mix-1-2"));
    until("the directory is told", 5, || !listed(&lab).contains("mix-1-2"));
    run(&lab, "send alice bob hello --wait").expect(0);

    run(&lab, "add mix --layer 1 --no-wait").expect(0);
    let all = lab.all_pids("t1");
    run(&lab, "down").expect(0);
    common::until_gone(&all, 2);
}

#[test]
fn rates_and_the_crowd_change_while_everybody_goes_on() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --crowd 2")).expect(0);
    let before = pids(&lab);
    let info = run(&lab, "set hop=50ms slot=20ms cover=200ms crowd=20").expect(0).json();
    assert_eq!(info["schema"], "nym-devnet/set/v1");
    let info = run(&lab, "status").expect(0).json()["data"]["info"].clone();
    for (field, value) in [("hop_delay_ms", 50.0), ("slot_ms", 20.0), ("loop_cover_ms", 200.0)] {
        assert_eq!(info[field].as_f64(), Some(value), "{info}");
    }
    assert_eq!((&info["crowd"], &info["profile"]), (&20.into(), &"fast, changed".into()));
    let keys = || {
        let crowd = lab.node("t1", "crowd");
        crowd["public_keys"].as_array().expect("a list").clone()
    };
    let grown = keys();
    assert_eq!(grown.len(), 20);
    run(&lab, "send alice bob hello --wait").expect(0);

    run(&lab, "set crowd=5").expect(0);
    assert_eq!(keys(), grown[..5]);
    assert_eq!(pids(&lab), before, "nothing was started again");

    // What is started again has the new values as well.
    run(&lab, "kill alice crowd").expect(0);
    until("both are back", 30, || {
        let now = pids_of_running(&lab);
        ["alice", "crowd"]
            .iter()
            .all(|name| now.get(*name).is_some_and(|pid| *pid != before[*name]))
    });
    lab.run("wait --name t1").expect(0);
    assert_eq!(keys(), grown[..5]);
    for name in ["alice", "crowd"] {
        let pid = pids(&lab)[name].as_raw_nonzero();
        let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) else { continue };
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        assert!(line.contains("--hop-delay 50ms --slot 20ms --loop-cover 200ms"), "{line}");
    }

    run(&lab, "set crowd=0").expect(0);
    assert!(!pids(&lab).contains_key("crowd"));
    run(&lab, "set crowd=3").expect(0);
    assert_eq!(keys(), grown[..3], "the crowd is the same as before");
    for (command, what) in
        [("set slot=0ms", "slot"), ("set hop=1h", "hop delay"), ("set crowd=1001", "crowd")]
    {
        let error = run(&lab, command).expect(2).json();
        assert!(error["error"]["message"].as_str().expect("text").contains(what), "{error}");
    }
    run(&lab, "set speed=1s").expect(2);
}

/// Names of all nodes.
fn names(lab: &Lab) -> BTreeSet<String> {
    let status = run(lab, "status").expect(0).json();
    let nodes = status["data"]["nodes"].as_array().expect("a list").iter();
    nodes.map(|node| node["name"].as_str().expect("a name").to_owned()).collect()
}

/// Process ids of nodes that run, by name.
fn pids_of_running(lab: &Lab) -> BTreeMap<String, Pid> {
    let status = run(lab, "status").expect(0).json();
    let nodes = status["data"]["nodes"].as_array().expect("a list").iter();
    let pid = |node: &Value| {
        let number = node["pid"].as_i64().and_then(|number| i32::try_from(number).ok());
        Some((node["name"].as_str()?.to_owned(), number.and_then(Pid::from_raw)?))
    };
    nodes.filter_map(pid).collect()
}

#[test]
fn a_ping_tells_its_way_and_its_time_and_fails_when_none_comes_back() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --crowd 0")).expect(0);
    let pinged = lab.run("ping alice -c 3 -i 1ms --name t1 -o json").expect(0);
    let lines: Vec<Value> =
        pinged.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 4, "{pinged:?}");
    for pong in &lines[..3] {
        assert_eq!(pong["schema"], "nym-devnet/pong/v1");
        let route: Vec<&str> = pong["data"]["route"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|hop| hop.as_str().expect("a name"))
            .collect();
        assert_eq!(route, ["mix-1-1", "mix-2-1", "mix-3-1", "provider-1"]);
        let ms = |field: &str| pong["data"][field].as_f64().expect("a number");
        assert!(ms("travelled_ms") >= ms("asked_ms") && ms("asked_ms") > 0.0, "{pong}");
    }
    assert_eq!(lines[3]["schema"], "nym-devnet/ping/v1");
    let summary = &lines[3]["data"];
    assert_eq!((&summary["sent"], &summary["returned"]), (&3.into(), &3.into()));

    let mut interrupted = lab.spawn("ping alice -c 1000000 -i 1ms --name t1");
    interrupted.until_printed("1: ");
    interrupted.signal(Signal::TERM);
    interrupted.wait(10).expect(143);

    lab.run("ping mix-1-1 --name t1").expect(2);
    lab.run("ping nobody --name t1").expect(3);
    // The client does not know yet that its packets get lost there.
    run(&lab, "pause mix-2-1").expect(0);
    let lost = lab.run("ping alice -c 2 -i 1ms --name t1").expect(6);
    assert!(lost.stdout.contains("2 packets sent, 0 came back, 100 % lost"), "{lost:?}");
}
