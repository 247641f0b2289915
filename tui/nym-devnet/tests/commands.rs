//! Every command as a script sees it: JSON, exit codes, streams.

mod common;

use std::io::Write as _;
use std::process::Stdio;

use common::{FAST, Lab, Running, until};
use rustix::process::Signal;
use serde_json::Value;

/// Commands in an order in which each succeeds, while a devnet named `t1` runs with two mixnodes.
const SUCCEED: [&str; 39] = [
    "up --dry-run",
    "ls",
    "ps",
    "status",
    "wait",
    "stop mix-1-1",
    "start mix-1-1",
    "restart bob",
    "pause bob",
    "resume bob",
    "kill bob",
    "wait",
    "send alice bob one",
    "send alice bob two --wait",
    "send alice bob n{n} --count 2 --wait",
    "send alice bob n{n} --count 2 --follow",
    "inbox bob",
    "logs",
    "logs alice -n 1",
    "topology",
    "topology --format json",
    "metrics",
    "anonymity --for 2s",
    "lesson list",
    // A busy machine may take one of them for lost.
    "ping alice -c 5 -i 50ms",
    "attack replay alice mix-1-1",
    "set hop=5ms",
    "add client carol",
    "remove carol",
    "layout list",
    "layout show one-by-three",
    "layout schema",
    "gc --dry-run",
    "doctor",
    "keys",
    "completions bash",
    "completions fish",
    "down",
    "wait --for stopped",
];

/// Commands that fail while nothing runs, and the exit code of each.
const FAIL: [(&str, i32); 39] = [
    ("up --layers 5", 2),
    ("up nowhere.toml", 2),
    ("attach", 3),
    ("down", 3),
    ("ls --state-dir /dev/null", 8),
    ("ps", 3),
    ("status", 3),
    ("wait", 3),
    ("wait --for stopped", 3),
    ("start alice", 3),
    ("stop alice", 3),
    ("restart alice", 3),
    ("pause alice", 3),
    ("resume alice", 3),
    ("kill alice", 3),
    ("send alice bob x", 3),
    ("send alice bob x --count 3", 3),
    ("send alice bob --file /dev/null/x", 2),
    ("send alice bob x --rate 5", 2),
    ("attack skip alice", 3),
    ("inbox bob", 3),
    ("logs", 3),
    ("logs --grep a(b", 2),
    ("logs --since yesterday", 2),
    ("topology", 3),
    ("metrics", 3),
    ("metrics --watch", 3),
    ("anonymity", 3),
    ("anonymity --as nobody", 2),
    ("lesson run nothing", 2),
    ("ping alice", 3),
    ("set hop=5ms", 3),
    ("add client carol", 3),
    ("remove carol", 3),
    ("layout show nowhere", 2),
    ("gc --older-than soon", 2),
    ("doctor --state-dir /dev/null", 8),
    ("keys now", 2),
    ("completions tcsh", 2),
];

/// Commands that only a terminal, a person or another program uses.
const NOT_FOR_SCRIPTS: [&str; 2] = ["node", "help"];

fn words(line: &str) -> &str {
    line.split(' ').next().expect("split gives one")
}

/// Names of all commands, as help lists them.
fn commands(lab: &Lab) -> Vec<String> {
    let help = lab.run("help").expect(0).stdout;
    let list = help.split("\nCommands:\n").nth(1).expect("a list");
    let list = list.split("\n\n").next().expect("split gives one");
    // Lines that go on with a description begin further to the right.
    let lines = list.lines().filter(|line| !line.starts_with("   "));
    lines.map(|line| words(line.trim()).to_owned()).collect()
}

#[test]
fn every_command_has_one_form_of_success_and_of_failure_in_json() {
    let lab = Lab::new();
    for command in commands(&lab) {
        let is_in = |line: &&str| words(line) == command;
        let fails = FAIL.iter().any(|(line, _)| is_in(line));
        let succeeds = SUCCEED.iter().any(is_in) || command == "attach";
        let is_exempt = NOT_FOR_SCRIPTS.contains(&command.as_str());
        assert!(is_exempt || fails && succeeds, "`{command}` is not tried");
    }
    let missing = lab.run("send alice -o json").expect(2).json();
    let message = missing["error"]["message"].as_str().expect("text");
    assert!(message.ends_with("not provided: <TO> <TEXT>"), "{message}");
    for (line, code) in FAIL {
        let done = lab.run(&format!("{line} --name t1 -o json")).expect(code);
        let failure = done.json();
        assert_eq!(failure["ok"], false, "{line}: {failure}");
        assert_eq!(failure["error"]["exit"], code, "{line}: {failure}");
        for field in ["code", "message"] {
            let text = failure["error"][field].as_str().unwrap_or_default();
            assert!(!text.is_empty() && !text.contains('\n'), "{line}: {field} of {failure}");
        }
        assert_eq!(done.stdout.lines().count(), 1, "{line}");
        assert_eq!(done.stderr, "", "{line}");
    }

    lab.run(&format!("{FAST} --layers 1 --width 2 --name t1 -o json")).expect(0);
    for line in SUCCEED {
        // By the variables, as well as by the options.
        let mut command = lab.command(line);
        command.envs([("NYM_DEVNET_NAME", "t1"), ("NYM_DEVNET_OUTPUT", "json")]);
        let done = Running { child: command.spawn().expect("it starts") }.wait(60).expect(0);
        // What a stream comes to stands in its last line.
        let last = done.stdout.lines().last().unwrap_or_default();
        let result: Value = serde_json::from_str(last).expect(&done.stdout);
        let schema = result["schema"].as_str().unwrap_or_default();
        let thing = schema.strip_prefix("nym-devnet/").and_then(|rest| rest.strip_suffix("/v1"));
        assert!(thing.is_some_and(|thing| !thing.is_empty()), "{line}: {result}");
        assert_eq!(result["ok"], true, "{line}: {result}");
        assert!(result["data"].is_object(), "{line}: {result}");
        let is_stream = line.starts_with("ping") || line.ends_with("--follow");
        assert!(done.stdout.lines().count() == 1 || is_stream, "{}", done.stdout);
    }
}

#[test]
fn a_file_and_standard_input_arrive_byte_by_byte() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    // No UTF-8, several packets, and line ends at its end.
    let bytes: Vec<u8> =
        (0..5000_u32).map(|n| n.to_le_bytes()[0] ^ 0xaa).chain(*b"\r\n\n").collect();
    let file = lab.path().join("bytes");
    std::fs::write(&file, &bytes).expect("writes");
    lab.run(&format!("send alice bob --file {} --wait --name t1", file.display())).expect(0);
    let mut command = lab.command("send alice bob - --wait --name t1");
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("piped").write_all(b"two\nlines\n").expect("it reads");
    Running { child }.wait(60).expect(0);
    let inbox = lab.run("inbox bob -o json --name t1").expect(0).json();
    let expected = [bytes, b"two\nlines\n".to_vec()].map(contract::Content::from_bytes);
    for (message, content) in
        inbox["data"]["messages"].as_array().expect("a list").iter().zip(expected)
    {
        assert_eq!(message["content"], serde_json::to_value(content).expect("JSON"));
    }
    lab.run("down t1").expect(0);
}

#[test]
fn many_messages_are_counted_numbered_and_timed() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    let sent = lab.run("send alice bob no-{n} --count 20 --rate 100 --wait -o json --name t1");
    let data = &sent.expect(0).json()["data"];
    assert_eq!((&data["accepted"], &data["delivered"]), (&20.into(), &20.into()), "{data}");
    let delay = |which: &str| data["delay_ms"][which].as_f64().expect(which);
    assert!(delay("min") > 0.0 && delay("min") <= delay("median"), "{data}");
    assert!(delay("median") <= delay("p95") && delay("p95") <= delay("max"), "{data}");
    let inbox = lab.run("inbox bob --name t1").expect(0).stdout;
    for number in 1..=20 {
        assert_eq!(inbox.lines().filter(|line| line.ends_with(&format!("no-{number}"))).count(), 1);
    }

    let steps = lab.run("send alice bob hello --follow --name t1").expect(0).stdout;
    let step = |text: &str| steps.lines().position(|line| line.contains(text)).expect(text);
    assert!(step("queued as 1 packet") < step("packet 1 of 1 sent via mix-1-1"), "{steps}");
    assert!(step("sent via") < step("  delivered"), "{steps}");
    assert!(step("packet 1 of 1 acknowledged") > step("sent via"), "{steps}");

    // What nobody waited for is not said to be missing.
    let sent = lab.run("send alice bob x --count 2 -o json --name t1").expect(0).json();
    assert_eq!(sent["data"]["accepted"], 2, "{sent}");
    assert!(
        sent["data"].get("delivered").is_none() && sent["data"].get("lost").is_none(),
        "{sent}"
    );

    // Without a layer nothing arrives, and what was accepted is told all the same.
    lab.run("stop mix-1-1 --name t1").expect(0);
    let lost = "send alice bob x --count 3 --wait --timeout 500ms -o json --name t1";
    let lost = lab.run(lost).expect(5).json();
    assert_eq!(
        (&lost["data"]["accepted"], &lost["data"]["lost"]),
        (&3.into(), &3.into()),
        "{lost}"
    );
    assert_eq!((&lost["ok"], &lost["error"]["exit"]), (&false.into(), &5.into()), "{lost}");
    lab.run("down t1").expect(0);
}

#[test]
fn an_inbox_that_begins_anew_is_followed_from_its_beginning() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    lab.run("send alice bob before-{n} --count 3 --wait --name t1").expect(0);
    let mut following = lab.spawn("inbox bob -f --name t1");
    let seen = common::collect(&mut following);
    let has = |text: &str| seen.lines().iter().filter(|line| line.ends_with(text)).count();
    until("what was there is shown", 20, || has("before-3") == 1);
    lab.run("stop bob --name t1").expect(0);
    for entry in std::fs::read_dir(lab.folder("t1").join("nodes/bob")).expect("his folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        if name == "client.sqlite" {
            std::fs::write(&path, "no database at all".repeat(1000)).expect("damages it");
        } else if name.starts_with("client.sqlite-") {
            std::fs::remove_file(&path).expect("deletes it");
        }
    }
    lab.run("start bob --name t1").expect(0);
    lab.run("send alice bob after --wait --name t1").expect(0);
    until("what came after is shown", 30, || has("after") == 1);
    assert_eq!(has("before-1"), 1, "nothing is shown twice");
    lab.run("down t1").expect(0);
    let said = following.wait(10).expect(0).stderr;
    assert!(
        said.contains("the inbox of `bob` was put aside by its client, and begins anew"),
        "{said}"
    );
    assert!(said.ends_with("the devnet went down: asked to\n"), "{said}");
}

#[test]
fn the_figures_are_followed_to_the_end_of_the_devnet() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    let mut lines = lab.spawn("metrics --watch -o json --name t1");
    let printed = lines.until_printed("\n");
    let first: Value = serde_json::from_str(printed.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["schema"], "nym-devnet/metrics/v1");
    let nodes = first["data"]["nodes"].as_array().expect("a list");
    assert!(nodes.iter().any(|node| node["name"] == "provider-1"), "{first}");
    let mut blocks = lab.spawn("metrics --watch --name t1");
    let printed = blocks.until_printed("\n\nNAME ");
    assert!(!printed.contains('\u{1b}'), "{printed:?}");
    let mut interrupted = lab.spawn("metrics --watch --name t1");
    interrupted.until_printed("NAME ");
    interrupted.signal(Signal::INT);
    interrupted.wait(10).expect(130);
    lab.run("down t1").expect(0);
    lines.wait(10).expect(0);
    let ended = blocks.wait(10).expect(0).stderr;
    assert!(ended.contains("the devnet went down: "), "{ended}");
}

#[test]
fn a_shell_completes_the_names_that_are_there() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    let complete = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = lab.command("--");
        command.args(["nym-devnet"]).args(&words);
        command.env("NYM_DEVNET_COMPLETE", "bash");
        command.env("_CLAP_COMPLETE_INDEX", words.len().to_string()).env("_CLAP_IFS", "\n");
        Running { child: command.spawn().expect("it starts") }.wait(20).expect(0).stdout
    };
    let has = |text: &str, name: &str| text.lines().any(|line| line == name);
    assert!(has(&complete("top"), "topology"));
    let nodes = complete("stop --name t1 ");
    assert!(has(&nodes, "mix-1-1") && has(&nodes, "alice"), "{nodes}");
    let clients = complete("--name=t1 send ");
    assert!(has(&clients, "bob") && !has(&clients, "mix-1-1"), "{clients}");
    assert!(has(&complete("down "), "t1"));
    lab.run("down t1").expect(0);
}

#[test]
fn only_what_is_old_unused_and_ours_is_collected() {
    let lab = Lab::new();
    for name in ["used", "old", "strange"] {
        lab.run(&format!("{FAST} --layers 1 --clients 0 --crowd 0 --name {name}")).expect(0);
    }
    for name in ["old", "strange"] {
        lab.run(&format!("down {name}")).expect(0);
    }
    std::fs::write(lab.folder("strange").join("diary.txt"), "mine").expect("writes");
    std::fs::create_dir(lab.path().join("nothing-of-ours")).expect("creates");
    std::fs::create_dir(lab.path().join(".gone.999999999.gone")).expect("creates");

    let names = |report: &Value, list: &str| -> Vec<String> {
        let found = report["data"][list].as_array().expect("a list").iter();
        found.filter_map(|found| found["name"].as_str().map(String::from)).collect()
    };
    let young = lab.run("gc -o json").expect(0).json();
    assert_eq!(names(&young, "kept"), ["old", "strange", "used"], "{young}");
    let dry = lab.run("gc --older-than 0s --dry-run -o json").expect(0).json();
    assert_eq!(names(&dry, "deleted"), ["old"], "{dry}");
    assert!(lab.folder("old").exists());
    let text = lab.run("gc --older-than 0s").expect(0).stdout;
    assert!(text.contains("used stays: it runs") && text.contains("strange stays: "), "{text}");
    assert!(text.contains("deleted 2 folders, "), "{text}");
    assert!(!lab.folder("old").exists() && !lab.path().join(".gone.999999999.gone").exists());
    assert!(lab.folder("strange").join("diary.txt").exists());
    assert!(lab.path().join("nothing-of-ours").exists());
    lab.run("ps --name used").expect(0);
    lab.run("down used").expect(0);
}

#[test]
fn what_a_machine_lacks_is_named_with_what_to_do() {
    let lab = Lab::new();
    let deep = lab.path().join("x".repeat(90));
    let report =
        lab.run(&format!("doctor -o json --state-dir {}", deep.display())).expect(8).json();
    let checks = report["data"]["checks"].as_array().expect("a list");
    let socket = checks.iter().find(|check| check["name"] == "socket").expect("looked at");
    assert_eq!(socket["verdict"], "fail", "{socket}");
    assert!(socket["mend"].as_str().expect("text").contains("--state-dir"), "{socket}");
    assert!(!deep.exists(), "nothing is left behind");
    let taken = std::net::TcpListener::bind("127.0.0.1:8080");
    let lines = lab.run("doctor").expect(0).stdout;
    assert!(
        lines
            .lines()
            .all(|line| line.starts_with("ok ") || line.starts_with("warn ") || line.contains("→"))
    );
    // By this test, or by somebody else before it.
    let port =
        lines.lines().find(|line| line.contains("8080 (directory, http)")).expect("8080 is taken");
    assert!(port.starts_with("warn"), "{port}");
    drop(taken);
}

#[test]
fn a_devnet_says_whether_it_is_new_and_what_is_deleted_with_it() {
    let lab = Lab::new();
    let up = lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0).stdout;
    assert!(up.starts_with("`t1` is up, new: "), "{up}");
    let down = lab.run("down t1").expect(0).stdout;
    assert!(down.contains("/t1 stays, --purge deletes it"), "{down}");
    let up = lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0).stdout;
    assert!(up.starts_with("`t1` is up, resumed: "), "{up}");
    let purged = lab.run("down t1 --purge").expect(0).stdout;
    assert!(purged.contains("keys, mailboxes and journals of alice, bob, "), "{purged}");
    until("it is gone", 5, || !lab.folder("t1").exists());
}
