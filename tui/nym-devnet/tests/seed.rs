//! `--seed`: what another run does again, and how its keys are kept from being taken for secret ones.

mod common;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::common::{Done, Lab};

/// Two mixnodes in each layer, so that there is something to choose. Little traffic, so that nothing
/// has to go twice where other tests run beside this one.
const UP: &str = "up -d --ports auto --width 2 --crowd 2 --slot 100ms --hop-delay 20ms";

/// Messages whose routes are looked at: that all are the same by chance happens once in 8^6 times.
const MESSAGES: usize = 6;

/// Packets that have to go only once for that; one that goes again goes by another sequence.
const LEAST_COMPARED: usize = 4;

/// The public keys of every node.
fn keys(lab: &Lab, name: &str) -> BTreeMap<String, Value> {
    let list = lab.run(&format!("ps --name {name} -o json")).expect(0).json();
    let nodes = list["data"]["nodes"].as_array().expect("a list").iter();
    let keys = nodes.map(|node| {
        (node["name"].as_str().expect("a name").to_owned(), node["public_keys"].clone())
    });
    keys.collect()
}

/// Sends messages one after the other: their ids, and the names on their routes if they went once.
fn send(lab: &Lab, name: &str) -> Vec<(Value, Option<Value>)> {
    let one = |number| {
        let sent = format!("send alice bob message-{number} --wait --name {name} -o json");
        let data = lab.run(&sent).expect(0).json()["data"].clone();
        let route = data["route"].as_array().expect("a list");
        assert_eq!(route.len(), 4, "{data}");
        let went_once = data["packets"][0]["attempts"] == 1;
        (data["id"].clone(), went_once.then(|| data["route"].clone()))
    };
    (0..MESSAGES).map(one).collect()
}

#[test]
fn two_runs_with_one_seed_have_the_same_keys_and_the_same_routes() {
    let lab = Lab::new();
    let run = |name: &str, seed: u64| {
        lab.run(&format!("{UP} --seed {seed} --name {name}")).expect(0);
        let status = lab.run(&format!("status --name {name} -o json")).expect(0).json();
        assert_eq!(status["data"]["info"]["seed"], seed);
        let told = lab.run(&format!("status --name {name}")).expect(0).stdout;
        assert!(told.contains(&format!("{seed}, of which all keys are made")), "{told}");
        let told = (keys(&lab, name), send(&lab, name));
        lab.run(&format!("down {name}")).expect(0);
        told
    };
    let (first_keys, first_sent) = run("t1", 7);
    let (second_keys, second_sent) = run("t2", 7);
    assert_eq!(first_keys, second_keys);
    assert_eq!(first_keys["crowd"].as_array().map(Vec::len), Some(2));
    let (first_ids, first_routes): (Vec<_>, Vec<_>) = first_sent.into_iter().unzip();
    let (second_ids, second_routes): (Vec<_>, Vec<_>) = second_sent.into_iter().unzip();
    let routes = first_routes.iter().zip(&second_routes);
    let compared = routes.filter_map(|(first, second)| first.as_ref().zip(second.as_ref()));
    let compared = compared.inspect(|(first, second)| assert_eq!(first, second)).count();
    assert!(compared >= LEAST_COMPARED, "{first_routes:?}\n{second_routes:?}");
    assert!(first_ids.iter().all(|id| !second_ids.contains(id)), "a message is never another");

    // The folder of the one is of no use for another seed, and stays what it is.
    let refused = lab.run(&format!("{UP} --seed 8 --name t2"));
    assert!(refused.stderr.contains("of the seed 7, and not what the seed 8 makes"), "{refused:?}");
    refused.expect(2);
    // Without one its keys are the same, and marked all the same.
    lab.run(&format!("{UP} --name t2")).expect(0);
    assert_eq!(keys(&lab, "t2"), second_keys);
    let told = lab.run("status --name t2").expect(0).stdout;
    assert!(told.contains("keys here were made of the seed 7: no secret"), "{told}");
}

#[test]
fn a_seeded_key_is_refused_where_others_can_reach_it() {
    let lab = Lab::new();
    let home = lab.path().join("seeded");
    let home = home.display();
    let seeded = "was made of the seed 7";
    let refused = |arguments: &str| -> Done {
        let done = lab.run(&format!("node {arguments} --home {home}"));
        assert!(done.stderr.contains(seeded), "{done:?}");
        done.expect(2)
    };
    for arguments in [
        "mixnode --layer 1 --port 0 --seed 7 --host 0.0.0.0",
        "mixnode --layer 1 --port 0 --seed 7 --announce-host 192.0.2.1",
        // The key is marked, whoever uses it.
        "mixnode --layer 1 --port 0 --host 0.0.0.0",
        "provider --name mixnode --port 0 --clients-port 0 --seed 7 --host 0.0.0.0",
        "provider --name mixnode --port 0 --clients-port 0 --seed 7 --clients-host 0.0.0.0",
        "provider --name mixnode --port 0 --clients-port 0 --clients-announce-host 192.0.2.1",
    ] {
        refused(arguments);
    }
}
