//! What the stream tells an observer of the links, and the truth beside it: of real processes, as a
//! recording has it.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use common::{Lab, until};
use contract::{LinkEvent, Role, Time};
use control::{Carried, Origin, Recording, StreamEvent};

const UP: &str = "up --detach --ports auto --width 2 --layers 2 --clients 2 --crowd 3 \
                  --hop-delay 20ms --slot 50ms --loop-cover 100ms --name t1";

/// What a recording holds.
#[derive(Default)]
struct Seen {
    /// By the process that told them.
    links: BTreeMap<String, Vec<LinkEvent>>,
    origins: Vec<Origin>,
    waits_us: BTreeMap<String, Vec<u64>>,
    /// Packets that processes have counted as received and sent, as they told last.
    counted: BTreeMap<String, (u64, u64)>,
    roles: BTreeMap<String, Role>,
    lost: u64,
}

impl Seen {
    fn of(file: &Path) -> Self {
        let mut recording = Recording::open(file).expect("a recording");
        let mut seen = Self::default();
        while let Some(envelope) = recording.next_event() {
            match envelope.event {
                StreamEvent::Snapshot(snapshot) => {
                    let roles = snapshot.nodes.into_iter().map(|node| (node.name, node.role));
                    seen.roles.extend(roles);
                }
                StreamEvent::Links { src, links } => {
                    seen.links.entry(src).or_default().extend(links);
                }
                StreamEvent::Origins { packets } => seen.origins.extend(packets),
                StreamEvent::Waits { node, waits_us } => {
                    seen.waits_us.entry(node).or_default().extend(waits_us);
                }
                StreamEvent::Metrics { node, metrics } => {
                    seen.counted.insert(node, (metrics.received, metrics.sent));
                }
                StreamEvent::Lost { links, .. } => seen.lost += links,
                _ => {}
            }
        }
        seen
    }

    /// How many packets were told to go to each process, identities counted with theirs.
    fn told_to(&self) -> BTreeMap<String, u64> {
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        for link in self.links.values().flatten() {
            let process = match control::identity_of(&link.dst) {
                Some((process, _)) if self.roles.get(process) == Some(&Role::Crowd) => process,
                _ => link.dst.as_str(),
            };
            *told.entry(process.to_owned()).or_default() += 1;
        }
        told
    }

    /// Whether all that was told as sent is counted as received.
    fn is_even(&self) -> bool {
        let mut received: BTreeMap<String, u64> =
            self.counted.iter().map(|(name, (received, _))| (name.clone(), *received)).collect();
        received.retain(|_, count| *count > 0);
        self.told_to() == received
    }

    /// Recipients and senders in a crowd.
    fn identities(&self) -> BTreeSet<String> {
        let pushed = self.links.get("provider-1").into_iter().flatten();
        let pushed = pushed.map(|link| link.dst.clone()).filter(|dst| dst.starts_with("crowd"));
        let sent = self.links.get("crowd").into_iter().flatten();
        let sent = sent.map(|link| match link.from {
            Some(number) => control::identity_name("crowd", number),
            None => "crowd".into(),
        });
        pushed.chain(sent).collect()
    }
}

fn names(count: u32) -> BTreeSet<String> {
    (1..=count).map(|number| format!("crowd-{number}")).collect()
}

#[test]
fn an_observer_sees_each_packet_once_and_the_truth_names_them() {
    let lab = Lab::new();
    let file = lab.path().join("t1.jsonl");
    lab.run(&format!("{UP} --record {}", file.display())).expect(0);
    until("everybody in the crowd has sent and received", 30, || {
        Seen::of(&file).identities() == names(3)
    });
    lab.run("set crowd=5 --name t1").expect(0);
    until("those that are new as well", 30, || Seen::of(&file).identities() == names(5));
    lab.run("send alice bob hello --wait --name t1").expect(0);
    until("waits are told of each mixnode", 30, || Seen::of(&file).waits_us.len() == 4);
    until("everybody's packets are in the sample", 30, || {
        let seen = Seen::of(&file);
        let of: BTreeSet<_> = seen.origins.into_iter().map(|origin| origin.origin).collect();
        let mut all = names(5);
        all.extend(["alice", "bob", "provider-1"].map(String::from));
        of == all
    });
    lab.run("set slot=1h cover=1h --name t1").expect(0);
    until("what was sent is what was received", 30, || Seen::of(&file).is_even());
    lab.run("down t1").expect(0);

    let seen = Seen::of(&file);
    assert_eq!(seen.lost, 0);
    assert!(seen.is_even(), "{:?}\n{:?}", seen.told_to(), seen.counted);
    for (name, links) in &seen.links {
        assert!(links.is_sorted_by_key(|link| link.t), "{name}");
        let onward = links.iter().filter(|link| {
            matches!(seen.roles.get(&link.dst), Some(Role::Mixnode | Role::Provider))
        });
        assert_eq!(onward.count() as u64, seen.counted[name].1, "{name}");
        assert!(links.iter().all(|link| link.from.is_some() == (name == "crowd")), "{name}");
    }

    // Each is a packet that was seen, and none is told twice.
    let seen_at = |origin: &Origin| {
        let is_it = |link: &&LinkEvent| link.t == origin.left && link.dst == origin.provider;
        seen.links[&origin.mix].iter().filter(is_it).count()
    };
    let mut told: BTreeMap<(Time, &str), usize> = BTreeMap::new();
    for origin in &seen.origins {
        assert!(origin.mix.starts_with("mix-2-"), "{origin:?}");
        let of_provider = origin.origin == "provider-1";
        assert_eq!(origin.carried == Carried::Ack, of_provider, "{origin:?}");
        let told = told.entry((origin.left, &origin.mix)).or_default();
        *told += 1;
        assert!(seen_at(origin) >= *told, "{origin:?} was not seen");
    }
    for (name, waits_us) in &seen.waits_us {
        assert!(waits_us.iter().all(|wait| (1..60_000_000).contains(wait)), "{name}: {waits_us:?}");
    }
}

#[test]
fn without_tracing_nothing_but_the_links_is_told() {
    let lab = Lab::new();
    let file = lab.path().join("t1.jsonl");
    lab.run(&format!("{UP} --trace off --record {}", file.display())).expect(0);
    until("everybody in the crowd has sent and received", 30, || {
        Seen::of(&file).identities() == names(3)
    });
    lab.run("send alice bob hello --wait --name t1").expect(0);
    lab.run("down t1").expect(0);
    let seen = Seen::of(&file);
    assert_eq!((seen.origins.len(), seen.waits_us.len()), (0, 0));
    let text = std::fs::read_to_string(&file).expect("a recording");
    assert!(!text.contains("\"origins\"") && !text.contains("\"waits\""));
}

/// What `anonymity` says of the devnet `t1` to somebody who watches with these eyes.
fn seen_as(lab: &Lab, who: &str, code: i32) -> serde_json::Value {
    let mut command = lab.command("anonymity --for 24s --window 12s --name t1 -o json");
    let done = command.args(["--as", who]).output().expect("it runs");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert_eq!(done.status.code(), Some(code), "{text}{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_str(&text).expect("JSON")
}

/// Real mixnodes tell which packet became which, and then nothing is hidden. Whoever did not ask hears
/// nothing of it.
#[test]
fn for_whom_every_mixnode_works_every_sender_is_known_and_nobody_else_is_told() {
    let lab = Lab::new();
    let file = lab.path().join("t1.jsonl");
    let up = "up --detach --ports auto --width 2 --layers 2 --clients 2 --crowd 4 --name t1";
    lab.run(&format!("{up} --record {}", file.display())).expect(0);
    let mixes = "mixes mix-1-1,mix-1-2,mix-2-1,mix-2-2";
    let (all, none) = std::thread::scope(|scope| {
        let all = scope.spawn(|| seen_as(&lab, mixes, 0));
        let none = seen_as(&lab, "all", 0);
        (all.join().expect("no panic"), none)
    });
    let bits = |report: &serde_json::Value| report["data"]["sender"]["bits"].as_f64();
    let given = |report: &serde_json::Value| report["data"]["calibration"]["given"].as_f64();
    // Of 2.58 at most. On a machine that is too busy to tell in time, some remain.
    assert!(bits(&none).is_some_and(|bits| bits > 1.5), "{none}");
    assert!(bits(&all).is_some_and(|bits| bits < 0.5), "{all}");
    assert!(given(&all).is_some_and(|given| given > 0.75), "{all}");
    let inside = &all["data"]["inside"];
    assert_eq!(inside["layers"], serde_json::json!([[2, 2], [2, 2]]), "{inside}");
    assert!((inside["routes"].as_f64().expect("a share") - 1.0).abs() < 1e-9, "{inside}");
    assert!(inside["certain"].as_f64().is_some_and(|share| share > 0.75), "{inside}");
    assert!(none["data"]["inside"].is_null());
    lab.run("down t1").expect(0);
    let text = std::fs::read_to_string(&file).expect("a recording");
    assert!(text.contains("\"links\"") && !text.contains("\"passages\""));
}

#[test]
fn nobody_works_for_an_observer_where_nodes_tell_nothing() {
    let lab = Lab::new();
    lab.run(&format!("{UP} --trace off")).expect(0);
    let refused = seen_as(&lab, "mixes mix-1-1", 3);
    let message = refused["error"]["message"].as_str().expect("why");
    assert!(message.contains("nodes tell nothing of packets"), "{refused}");
    lab.run("down t1").expect(0);
}
