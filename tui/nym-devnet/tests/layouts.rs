//! Layouts as a user writes, checks and starts them.

mod common;

use std::path::PathBuf;

use common::Lab;
use serde_json::Value;

/// A file in the lab's folder, below which devnets live too.
fn file(lab: &Lab, name: &str, text: &str) -> PathBuf {
    let folder = lab.path().join("files");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, text).expect("it can be written");
    path
}

/// The error of a command that fails with 2.
#[track_caller]
fn refused(lab: &Lab, arguments: &str) -> (String, String) {
    let failure = lab.run(&format!("{arguments} -o json")).expect(2).json();
    assert_eq!(failure["error"]["code"], "INVALID_LAYOUT", "{failure}");
    let text = |field: &str| failure["error"][field].as_str().expect("a text").to_owned();
    (text("message"), text("hint"))
}

fn names(plan: &Value) -> Vec<&str> {
    let nodes = plan["data"]["nodes"].as_array().expect("a list").iter();
    nodes.map(|node| node["name"].as_str().expect("a name")).collect()
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_line() {
    let lab = Lab::new();
    for (name, text, place, said, hint) in [
        ("a.toml", "width = 2\nwidht = 3\n", "2:1", "unknown key `widht`", "did you mean `width`?"),
        ("b.toml", "\n\nwidth = 100000", "3:9", "`width` is `100000`, and must be a whole", ""),
        ("c.toml", "width = = 2", "1:9", "this is not TOML", "layout init"),
        ("d.toml", "[nodes.mix-4-1]", "1:8", "this network has no node `mix-4-1`", "`mix-1-1`"),
        ("e.toml", "description = \"{{NO_SUCH}}\"", "1:18", "`NO_SUCH` is not set", "export"),
    ] {
        let path = file(&lab, name, text);
        for command in ["up -d", "up --dry-run", "layout check", "layout show"] {
            let (message, told) = refused(&lab, &format!("{command} {}", path.display()));
            let place = format!("{}:{place}: ", path.display());
            assert!(message.starts_with(&place) && message.contains(said), "{message}");
            assert!(told.contains(hint), "{told}");
        }
    }
    let (message, hint) = refused(&lab, "up /no/such.toml");
    assert!(
        message.starts_with("cannot read the layout `/no/such.toml`: No such file"),
        "{message}"
    );
    assert!(hint.contains("layout list"), "{hint}");
    let (message, hint) = refused(&lab, "up bussy");
    assert_eq!(message, "there is neither a layout nor a file named `bussy`");
    assert!(hint.starts_with("did you mean `busy`?"), "{hint}");
    let both =
        format!("layout check {0}/a.toml lonely {0}/b.toml", lab.path().join("files").display());
    let report = lab.run(&format!("{both} -o json")).expect(2);
    assert_eq!(report.stderr, "");
    let report = report.json();
    assert_eq!(report["data"]["layouts"][0]["name"], "lonely", "{report}");
    let faults = report["data"]["faults"].as_array().expect("a list");
    assert_eq!((faults.len(), &faults[1]), (2, &report["error"]), "{report}");
    let both = lab.run(&both).expect(2);
    assert!(both.stdout.starts_with("lonely: good: 1×3 mixnodes"), "{}", both.stdout);
    assert!(
        both.stderr.contains("unknown key") && both.stderr.contains("100000"),
        "{}",
        both.stderr
    );
    assert!(!lab.path().join("default").exists(), "nothing was started");
}

#[test]
fn a_flag_wins_over_a_variable_which_wins_over_the_file() {
    let lab = Lab::new();
    let path = file(&lab, "wide.toml", "width = 2\nproviders = 2\nclients = [\"alice\", \"shop\"]");
    let plan = |arguments: &str, variables: &[(&str, &str)]| {
        let line = format!("up --dry-run -o json {} {arguments}", path.display());
        let mut command = lab.command(&line);
        command.envs(variables.iter().copied());
        let output = command.output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
    };
    let widths = |plan: &Value| plan["data"]["layout"]["widths"].clone();
    let of_file = plan("", &[]);
    assert_eq!(widths(&of_file), serde_json::json!([2, 2, 2]));
    assert!(names(&of_file).contains(&"shop"), "{of_file}");
    let variable = [("NYM_DEVNET_WIDTH", "3"), ("NYM_DEVNET_LAYERS", "2")];
    assert_eq!(widths(&plan("", &variable)), serde_json::json!([3, 3]));
    assert_eq!(widths(&plan("--width 4", &variable)), serde_json::json!([4, 4]));
    assert_eq!(
        widths(&plan("--width 4 --param widths=[1,5]", &variable)),
        serde_json::json!([1, 5])
    );
    let seeded = plan("--seed 7 --param nodes.shop.slot=50ms --acks off --no-metrics", &[]);
    let layout = &seeded["data"]["layout"];
    assert_eq!((&layout["seed"], &layout["acks"]), (&7.into(), &false.into()));
    let nodes = seeded["data"]["nodes"].as_array().expect("a list");
    let shop = nodes.iter().find(|node| node["name"] == "shop").expect("there");
    assert_eq!(shop["slot_ms"], 50.0);
    assert!(nodes.iter().all(|node| node["metrics"] == false), "{nodes:?}");

    let mut command = lab.command("up --dry-run -o json");
    let output = command.env("NYM_DEVNET_WIDTH", "many").output().expect("it starts");
    let failure: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let message = failure["error"]["message"].as_str().expect("a text");
    assert!(message.starts_with("NYM_DEVNET_WIDTH: `width` is \"many\""), "{message}");
}

#[test]
fn traffic_that_needs_more_cores_than_there_are_is_told() {
    let lab = Lab::new();
    let calm = lab.run("up --dry-run").expect(0);
    assert_eq!(calm.stderr, "");
    let wild = lab.run("up --dry-run --crowd 1000 --slot 1ms").expect(0);
    assert!(wild.stderr.starts_with("warning: 1003002 packets a second need "), "{}", wild.stderr);
}

#[test]
fn every_builtin_layout_is_listed_shown_and_right() {
    let lab = Lab::new();
    let list = lab.run("layout list -o json").expect(0).json();
    let layouts = list["data"]["layouts"].as_array().expect("a list");
    assert_eq!(layouts.len(), 7);
    let table = lab.run("layout list").expect(0).stdout;
    for layout in layouts {
        let name = layout["name"].as_str().expect("a name");
        assert!(table.contains(layout["description"].as_str().expect("a sentence")), "{table}");
        let shown = lab.run(&format!("layout show {name}")).expect(0).stdout;
        let path = file(&lab, &format!("{name}.toml"), &shown);
        lab.run(&format!("layout check {name} {}", path.display())).expect(0);
    }
    let alone = lab.run("up --dry-run -o json").expect(0).json();
    let named = lab.run("up one-by-three --dry-run -o json").expect(0).json();
    assert_eq!(
        (&alone["data"]["nodes"], &alone["data"]["layout"]),
        (&named["data"]["nodes"], &named["data"]["layout"],)
    );
    let schema: Value =
        serde_json::from_str(&lab.run("layout schema").expect(0).stdout).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn a_layout_is_written_changed_and_started() {
    let lab = Lab::new();
    let folder = lab.path().join("files");
    std::fs::create_dir(&folder).expect("a folder");
    let init = |arguments: &str| {
        let output = lab.command(arguments).current_dir(&folder).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(init("layout init custom-node"), (Some(0), String::new()));
    assert!(folder.join("custom-node.toml").is_file() && folder.join("mixnode.py").is_file());
    std::fs::write(folder.join("mixnode.py"), "mine").expect("it can be written");
    let (code, stderr) = init("layout init custom-node --file other.toml");
    assert!(code == Some(2) && stderr.contains("mixnode.py` is there already"), "{stderr}");
    assert!(!folder.join("other.toml").exists(), "nothing is written by half");
    assert_eq!(std::fs::read_to_string(folder.join("mixnode.py")).expect("there"), "mine");
    assert_eq!(init("layout init custom-node --force").0, Some(0));
    assert_ne!(std::fs::read_to_string(folder.join("mixnode.py")).expect("there"), "mine");

    assert_eq!(init("layout init --file my.toml").0, Some(0));
    let path = folder.join("my.toml");
    let text = std::fs::read_to_string(&path).expect("there");
    let text = text
        .replace("layers = 3", "layers = 1")
        .replace("crowd = 8", "crowd = 0")
        .replace("ports = \"preferred\"", "ports = \"auto\"")
        .replace("profile = \"classic\"", "profile = \"current\"")
        + "\n[nodes.mix-1-1]\nmetrics = false\nenv = { SEEN_BY = \"mix \\\"1\\\"\" }\n\
           [nodes.alice]\nrestart = \"no\"\n";
    std::fs::write(&path, text).expect("it can be written");
    lab.run(&format!("up {} --detach --name t1", path.display())).expect(0);
    let sent = lab.run("send alice bob hello --wait --name t1 -o json").expect(0).json();
    assert_eq!(sent["data"]["route"], serde_json::json!(["mix-1-1", "provider-1"]));

    // What the file says of single nodes is so.
    let (_, pids) = lab.pids("t1");
    #[cfg(target_os = "linux")]
    for (name, pid) in &pids {
        let path = format!("/proc/{}/environ", pid.as_raw_nonzero());
        let environment = std::fs::read(path).expect("it runs");
        let variables = environment.split(|byte| *byte == 0);
        let has_it = variables.into_iter().any(|variable| variable == b"SEEN_BY=mix \"1\"");
        assert_eq!(has_it, name == "mix-1-1", "{name}");
    }
    let alice = pids.iter().find(|(name, _)| name == "alice").expect("there").1;
    rustix::process::kill_process(alice, rustix::process::Signal::KILL).expect("it runs");
    common::until("alice stays ended", 10, || {
        let state = lab.node("t1", "alice")["state"].clone();
        state == "failed" || state == "stopped"
    });
    lab.run("down t1 --purge").expect(0);
}

#[test]
fn a_built_in_layout_runs_by_its_name() {
    let lab = Lab::new();
    lab.run("up two-providers --detach --name t1 --profile current --ports auto --crowd 1")
        .expect(0);
    for (client, provider) in [("bob", "provider-2"), ("carol", "provider-1")] {
        let sent = lab.run(&format!("send alice {client} hello --wait --name t1 -o json"));
        let route = sent.expect(0).json()["data"]["route"].clone();
        assert_eq!(route.as_array().and_then(|route| route.last()), Some(&provider.into()));
    }
    lab.run("down t1 --purge").expect(0);
}

/// Layer 2 has no other mixnode, so whatever arrives has passed it.
#[test]
fn packets_pass_a_mixnode_that_is_another_program() {
    let lab = Lab::new();
    let up = "up custom-node --detach --name t1 --profile current --crowd 1 --ports auto";
    lab.run(up).expect(0);
    let script = lab.folder("t1").join("layout/mixnode.py");
    assert!(script.is_file(), "the program came along with the layout");
    let plan = lab.run("ps --name t1 -o json").expect(0).json();
    let nodes = plan["data"]["nodes"].as_array().expect("a list");
    assert!(nodes.iter().all(|node| node["state"] == "ready"), "{nodes:?}");

    let sent = lab.run("send alice bob hello --wait --name t1 -o json").expect(0).json();
    assert_eq!(sent["data"]["route"][1], "mix-2-1", "{sent}");
    let inbox = lab.run("inbox bob --name t1 -o json").expect(0).json();
    assert_eq!(inbox["data"]["messages"][0]["content"]["text"], "hello");
    let pids = lab.all_pids("t1");
    lab.run("down t1 --purge").expect(0);
    common::until_gone(&pids, 3);
}
