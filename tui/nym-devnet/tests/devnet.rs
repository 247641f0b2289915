//! Whole devnets, as a user runs them.

mod common;

use common::{Lab, has_ended, limit, until, until_gone};
use rustix::process::{Signal, kill_process};

/// A devnet that starts fast and sends fast.
const FAST: &str = "up --detach --ports auto --profile current --crowd 0";

#[test]
fn a_message_travels_from_alice_to_bob_in_three_commands() {
    let lab = Lab::new();
    lab.run("up --width 2 --layers 3 --detach --name t1").expect(0);
    let pids = lab.all_pids("t1");
    assert_eq!(pids.len(), 12, "eleven processes and their supervisor");

    let sent = lab.run("--name t1 -o json send alice bob hello --wait").expect(0).json();
    assert_eq!(sent["schema"], "nym-devnet/send/v1");
    assert_eq!((&sent["ok"], &sent["devnet"]), (&true.into(), &"t1".into()));
    assert!(sent["data"]["delay_ms"].as_f64().expect("measured") > 0.0, "{sent}");
    let route = sent["data"]["route"].as_array().expect("a list").clone();
    let route: Vec<&str> = route.iter().map(|hop| hop.as_str().expect("a name")).collect();
    assert_eq!(route.len(), 4, "{route:?}");
    for (hop, layer) in route[..3].iter().zip(1..) {
        let nodes = [format!("mix-{layer}-1"), format!("mix-{layer}-2")];
        assert!(nodes.iter().any(|node| node == hop), "{route:?}");
    }
    assert_eq!(route[3], "provider-1");
    let inbox = lab.run("--name t1 -o json inbox bob").expect(0).json();
    assert_eq!(inbox["data"]["messages"][0]["content"]["text"], "hello");

    lab.run("--name t1 down").expect(0);
    until_gone(&pids, 1);
    assert!(lab.folder("t1").join("nodes/alice").is_dir(), "a named devnet keeps its keys");
    lab.run("--name t1 ps").expect(3);
    lab.run("down t1 --purge").expect(0);
    assert!(!lab.folder("t1").exists());
}

#[test]
fn two_devnets_run_at_the_same_time_and_never_two_of_one_name() {
    let lab = Lab::new();
    lab.run("up --detach --profile current --crowd 0 --layers 1 --name one").expect(0);
    // Its preferred ports are taken by the first.
    let second = lab.run("up --detach --profile current --crowd 0 --layers 1 --name two").expect(0);
    assert!(second.stderr.contains("port 8080 was taken; directory has "), "{}", second.stderr);
    assert!(
        second.stderr.contains("port 9001 was taken; alice does without it"),
        "{}",
        second.stderr
    );

    let again = lab.run(&format!("{FAST} --name one -o json")).expect(4).json();
    assert_eq!(again["error"]["code"], "NAME_IN_USE");
    for name in ["one", "two"] {
        lab.run(&format!("send alice bob hello --wait --name {name}")).expect(0);
    }
    let list = lab.run("ls -o json").expect(0).json();
    let names: Vec<_> = list["data"]["devnets"].as_array().expect("a list").iter().collect();
    assert!(names.iter().all(|devnet| devnet["running"] == true) && names.len() == 2, "{list}");

    let other = lab.all_pids("two");
    lab.run("down one").expect(0);
    assert!(!other.iter().any(|&pid| has_ended(pid)), "the other one goes on");
    lab.run("down two").expect(0);
    until_gone(&other, 1);
}

#[test]
fn a_killed_process_comes_back_and_messages_pass_again() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --name t1")).expect(0);
    for name in ["mix-2-1", "provider-1", "bob", "directory"] {
        let before = lab.node("t1", name);
        let pid = lab.pids("t1").1.into_iter().find(|(node, _)| node == name).expect(name).1;
        kill_process(pid, Signal::KILL).expect("it runs");
        until(&format!("{name} is started again"), 30, || {
            let node = lab.node("t1", name);
            node["restarts"] == 1 && node["state"] == "ready"
        });
        let after = lab.node("t1", name);
        assert_eq!(after["last_exit"], "killed by SIGKILL");
        assert_eq!(after["addresses"], before["addresses"], "others know it by them");
        assert_eq!(after["public_keys"], before["public_keys"]);
        lab.run("wait --name t1").expect(0);
        // A directory that was started again fills as nodes announce themselves.
        until("all mixnodes are listed", 30, || {
            let topology = lab.run("topology --name t1 -o json").expect(0).json();
            topology["data"]["mixNodes"].as_array().expect("a list").len() == 3
        });
        lab.run(&format!("send alice bob after-{name} --wait --name t1")).expect(0);
    }
    lab.run("down t1").expect(0);
}

#[test]
fn processes_are_stopped_and_started_by_name() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --name t1 --layers 1 --width 2")).expect(0);
    lab.run("stop mix-1-1 bob --name t1").expect(0);
    assert_eq!(lab.node("t1", "mix-1-1")["state"], "stopped");
    let list = lab.run("ps --name t1").expect(0).stdout;
    assert!(list.contains("\nbob: stopped: asked to leave; exit code 0\n"), "{list}");
    let topology = lab.run("topology --name t1 -o json").expect(0).json();
    assert_eq!(topology["data"]["mixNodes"].as_array().expect("a list").len(), 1, "it left");
    // The provider keeps what comes for bob while he is away.
    lab.run("send alice bob later --name t1").expect(0);
    let not_running = lab.run("send bob alice hello --name t1 -o json").expect(3).json();
    assert_eq!(not_running["error"]["code"], "NOT_RUNNING");
    for command in ["inbox bob", "inbox bob -f"] {
        let stopped = lab.run(&format!("{command} --name t1")).expect(3).stderr;
        let why = "error: cannot read the inbox of `bob`: it is stopped: asked to leave";
        assert!(stopped.starts_with(why), "{stopped}");
    }
    lab.run("kill bob --name t1").expect(3);
    let started = lab.run("start mix-1-1 bob --name t1 -v").expect(0);
    // A machine that is quick enough has nothing to wait for.
    let mut lines: Vec<&str> = started.stderr.lines().collect();
    lines.dedup();
    assert_eq!(lines.len(), started.stderr.lines().count(), "only changes: {}", started.stderr);
    until("bob has it", 30, || {
        let inbox = lab.run("inbox bob --name t1 -o json").expect(0).json();
        inbox["data"]["messages"][0]["content"]["text"] == "later"
    });
    let restarted = lab.run("restart alice --name t1 -o json").expect(0).json();
    assert_eq!(restarted["data"]["nodes"][0]["state"], "ready");
    assert_eq!(restarted["data"]["nodes"][0]["restarts"], 0, "nothing went wrong");
    assert_eq!(topology["data"]["directory"]["link"], "live");
    lab.run("stop directory --name t1").expect(0);
    until("the supervisor has noticed", 30, || {
        let topology = lab.run("topology --name t1").expect(0);
        let first = topology.stderr.lines().next().unwrap_or_default();
        first.starts_with("the directory does not answer; this is what it listed ")
            && topology.stdout.contains("mix-1-2")
    });
    let topology = lab.run("topology --name t1 -o json").expect(0).json();
    assert_eq!(topology["data"]["directory"]["link"], "reconnecting");
    lab.run("start directory --name t1").expect(0);
    let logs = lab.run("logs alice -n 3 --name t1").expect(0);
    assert!(logs.stdout.lines().all(|line| line.starts_with("alice")), "{}", logs.stdout);
    lab.run("down t1").expect(0);
}

#[test]
fn a_client_without_a_layer_holds_its_messages_until_it_is_back() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --name t1")).expect(0);
    lab.run("stop mix-2-1 --name t1").expect(0);
    let mut alice = serde_json::Value::Null;
    until("alice has noticed", 30, || {
        alice = lab.node("t1", "alice");
        alice["state"] == "present"
    });
    assert!(alice["reason"].as_str().expect("text").contains("layer 2"), "{alice}");
    let held = lab.run("send alice bob held -o json --name t1").expect(0).json();
    // Long enough for alice to take it, however slow the machine is.
    let seconds = limit(2).as_secs();
    let waiting = format!("send alice bob waits --wait --timeout {seconds}s --name t1");
    let waiting = lab.run(&waiting).expect(5).stderr;
    assert!(waiting.contains("0 acknowledged; `alice` is present: "), "{waiting}");
    lab.run("start mix-2-1 --name t1").expect(0);
    lab.run("wait --name t1").expect(0);
    assert_eq!(lab.node("t1", "alice")["restarts"], 0, "nothing was wrong with it");
    until("bob has both", 30, || {
        let inbox = lab.run("inbox bob -o json --name t1").expect(0).json();
        let messages = inbox["data"]["messages"].as_array().expect("a list");
        messages.len() == 2 && messages.iter().any(|message| message["id"] == held["data"]["id"])
    });
    lab.run("down t1").expect(0);
}

#[test]
fn a_name_that_does_not_exist_is_answered_with_the_nearest() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --name t1 --layers 1")).expect(0);
    let failure = lab.run("restart mix-11 --name t1 -o json").expect(3).json();
    assert_eq!(failure["ok"], false);
    assert_eq!(failure["error"]["code"], "NO_SUCH_NODE");
    assert_eq!(failure["error"]["exit"], 3);
    let hint = failure["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("did you mean `mix-1-1`?"), "{hint}");
    let before = lab.pids("t1");
    for line in ["kill alice bogus", "restart bob alicia", "stop mix-1-1 bob x"] {
        lab.run(&format!("{line} --name t1")).expect(3);
    }
    assert_eq!(lab.pids("t1"), before, "nothing was touched");
    lab.run("logs alicia --name t1").expect(3);
    lab.run("send alice ../../x hi --name t1").expect(3);
    let failure = lab.run("ps --name t2 -o json").expect(3).json();
    assert_eq!(failure["error"]["code"], "NO_SUCH_DEVNET");
    assert_eq!(failure["error"]["hint"], "running are: t1");
    lab.run("down t1").expect(0);
}

#[test]
fn a_signal_ends_a_headless_devnet_and_leaves_nothing() {
    let lab = Lab::new();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut up = lab.spawn("up --headless --ports auto --profile current --crowd 0 --layers 1");
        let printed = up.until_printed("all 5 processes are ready");
        assert!(printed.contains("mix-1-1      ready        the directory lists it"), "{printed}");
        let pids = lab.all_pids("default");
        up.signal(signal);
        let said = up.wait(10).expect(code).stderr;
        assert!(said.contains(": stopping `default`\n`default` is down; deleted "), "{said}");
        until_gone(&pids, 1);
        assert!(!lab.folder("default").exists(), "it had no name, so its folder goes with it");
    }
}

#[test]
fn a_headless_devnet_ends_when_a_node_is_lost() {
    let lab = Lab::new();
    let up =
        "up --headless --ports auto --profile current --crowd 0 --layers 1 --restart no --name t1";
    let mut up = lab.spawn(up);
    up.until_printed("processes are ready");
    let pids = lab.all_pids("t1");
    lab.run("kill mix-1-1 --name t1").expect(0);
    let done = up.wait(10).expect(7);
    assert!(done.stderr.contains("`mix-1-1` failed: killed by SIGKILL"), "{}", done.stderr);
    assert!(done.stderr.contains("mix-1-1.log"), "{}", done.stderr);
    until_gone(&pids, 1);
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_is_a_conflict() {
    let lab = Lab::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    // First the directory's port, then that of a mixnode.
    for base in [port, port - 1] {
        let up = lab.run(&format!("up --detach --layers 1 --ports base:{base} -o json"));
        if base != port && up.code == Some(4) && !up.stdout.contains(&port.to_string()) {
            continue; // The port before is taken too, by somebody else.
        }
        let failure = up.expect(4).json();
        assert_eq!(failure["error"]["code"], "PORT_TAKEN");
        let message = failure["error"]["message"].as_str().expect("text");
        assert!(message.contains(&format!("127.0.0.1:{port}")), "{message}");
        #[cfg(target_os = "linux")]
        assert!(message.ends_with(&format!(", process {}", std::process::id())), "{message}");
        lab.run("ps").expect(3);
    }
}

#[test]
fn what_cannot_be_a_network_is_refused_before_anything_starts() {
    let lab = Lab::new();
    for (arguments, said) in [
        ("--layers 5", "--layers: `layers` is `5`, and must be a whole number from 1 to 4"),
        ("--width 0", "--width: `width` is `0`, and must be a whole number from 1 to 64"),
        ("--width 100000", "--width: `width` is `100000`, and must be a whole number from 1 to 64"),
        (
            "--providers 0",
            "--providers: `providers` is `0`, and must be a whole number from 1 to 16",
        ),
        (
            "--slot 0ms",
            "--slot: `slot` is \"0ms\", and must be a time from 1ms to 1h, such as \"200ms\"",
        ),
        ("--profile slow", "--profile: `profile` is \"slow\""),
        (
            "--ports 80",
            "--ports: `ports` is \"80\", and must be \"preferred\", \"auto\" or \"base:PORT\" with a \
             port from 1 to 65535",
        ),
    ] {
        let failure = lab.run(&format!("up -d -o json {arguments}")).expect(2).json();
        assert_eq!(failure["error"]["code"], "INVALID_LAYOUT");
        assert_eq!(failure["error"]["message"], said);
        assert!(failure["error"]["hint"].is_string(), "{failure}");
    }
    let failure = lab.run("up -d --ports base:65530 -o json").expect(2).json();
    let message = failure["error"]["message"].as_str().expect("text");
    assert!(message.contains("8 are needed, and only 6 are left"), "{message}");
    let hint = failure["error"]["hint"].as_str().expect("a hint");
    assert!(hint.starts_with("`base:65528` is the last"), "{hint}");
    for arguments in
        ["", "--name x", "send a b c --timeout 0", "up --name ../x", "frobnicate", "send alice"]
    {
        let failure = lab.run(&format!("{arguments} -o json")).expect(2).json();
        assert_eq!(failure["error"]["code"], "USAGE", "{arguments}");
    }
    for arguments in ["", "--name x"] {
        let usage = lab.run(arguments).expect(2).stderr;
        assert!(usage.starts_with("error: a command is missing\n"), "{usage}");
        assert!(usage.contains("topology") && !usage.contains("supervise"), "{usage}");
    }
    assert_eq!(std::fs::read_dir(lab.path()).expect("a folder").count(), 0);
    let plan = lab.run("up --dry-run --width 2").expect(0).stdout;
    assert!(plan.contains("app: 1977 or any, second-app: 9001 if free"), "{plan}");
    assert_eq!(std::fs::read_dir(lab.path()).expect("a folder").count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let lab = Lab::new();
    let file = lab.path().join("file");
    std::fs::write(&file, "").expect("writes");
    for command in ["up -d", "up --dry-run", "ls", "ps", "wait --for stopped", "down", "logs"] {
        let line = format!("{command} --state-dir {} -o json", file.display());
        let failure = lab.run(&line).expect(8).json();
        assert_eq!(failure["error"]["code"], "ENVIRONMENT");
        let message = failure["error"]["message"].as_str().expect("text");
        assert!(message.contains(file.to_str().expect("UTF-8")), "{message}");
    }
}

#[test]
fn a_deadline_that_passes_says_who_is_late_and_stops_everything() {
    let lab = Lab::new();
    let up = lab.run("up -d --ports auto --name t1 --wait-timeout 1ms -o json").expect(5);
    assert_eq!(up.stderr, "", "the failure is all there is");
    let up = up.json();
    assert_eq!(up["error"]["code"], "DEADLINE_PASSED");
    assert!(up["error"]["message"].as_str().expect("text").contains(" more are not ready"), "{up}");
    let node = up["error"]["node"].as_str().expect("a node");
    let log = up["error"]["log"].as_str().expect("a log");
    assert!(log.ends_with(&format!("/t1/logs/{node}.log")), "{up}");
    assert!(std::path::Path::new(log).exists(), "{log}");
    lab.run("ps --name t1").expect(3);
    let list = lab.run("ls -o json").expect(0).json();
    assert_eq!(list["data"]["devnets"][0]["running"], false, "{list}");
}

#[test]
fn nobody_has_to_read_to_the_end() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    for arguments in ["ps", "status", "logs -n 50 -f", "topology -o json"] {
        let mut running = lab.spawn(&format!("{arguments} --name t1"));
        drop(running.child.stdout.take());
        let done = running.wait(20).expect(0);
        assert_eq!(done.stderr, "", "{arguments}");
    }
    // One that has read enough goes while there is nothing to write.
    for arguments in ["logs -n 1 -f", "inbox bob -f"] {
        lab.run("send alice bob hello --wait --name t1").expect(0);
        let mut running = lab.spawn(&format!("{arguments} --name t1"));
        let mut line = [0];
        let mut stdout = running.child.stdout.take().expect("piped");
        std::io::Read::read_exact(&mut stdout, &mut line).expect("it prints");
        drop(stdout);
        running.wait(20).expect(0);
    }
    lab.run("down t1").expect(0);
}

#[test]
fn who_waits_hears_of_the_end() {
    let lab = Lab::new();
    lab.run("wait --for stopped").expect(0);
    let never = lab.run("wait --for stopped --name t1").expect(3);
    assert!(never.stderr.contains("no devnet named `t1` runs"), "{}", never.stderr);
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    let late = lab.run("wait --for stopped --timeout 50ms --name t1").expect(5);
    assert!(late.stderr.contains("still runs after 50ms"), "{}", late.stderr);
    let mut logs = lab.spawn("logs -f --name t1");
    logs.until_printed("directory  | ");
    let mut lines = lab.spawn("logs -f -o json --name t1");
    let printed = lines.until_printed("\n");
    assert!(printed.starts_with(r#"{"schema":"nym-devnet/log-line/v1","devnet":"t1","data":{"#));
    let waiting = lab.spawn("wait --for stopped --name t1");
    lab.run("down t1").expect(0);
    waiting.wait(limit(10).as_secs()).expect(0);
    logs.wait(10).expect(0);
    lines.wait(10).expect(0);
}

#[test]
fn events_of_a_headless_devnet_are_json_lines_with_a_schema() {
    let lab = Lab::new();
    let mut up =
        lab.spawn("up --headless --ports auto --profile current --crowd 0 --layers 1 -o json");
    let printed = up.until_printed("\n");
    up.signal(Signal::TERM);
    up.wait(10).expect(143);
    let first = printed.lines().next().expect("a line");
    let first: serde_json::Value = serde_json::from_str(first).expect(first);
    assert_eq!(first["schema"], "nym-devnet/event/v1");
    assert_eq!(first["devnet"], "default");
    assert_eq!(first["data"]["event"]["type"], "snapshot");
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is_tried() {
    let lab = Lab::new();
    let file = lab.path().join("long");
    std::fs::write(&file, vec![b'x'; contract::MAX_CONTENT_BYTES + 1]).expect("writes");
    let long = lab.run(&format!("send alice bob --file {}", file.display())).expect(2);
    assert!(long.stderr.contains("long`: it has more than 1048576 bytes"), "{}", long.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_written_is_told_on_standard_error() {
    let lab = Lab::new();
    let start = |arguments: &str| {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("opens");
        common::Running { child: lab.command(arguments).stdout(full).spawn().expect("it starts") }
    };
    let fails = |running: common::Running| {
        let stderr = running.wait(20).expect(8).stderr;
        assert!(stderr.starts_with("error: cannot write to standard output: "), "{stderr}");
    };
    fails(start("ls -o json"));
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    // It ends at what it cannot print, and does not wait for more.
    let following = start("inbox bob -f --name t1");
    lab.run("send alice bob hello --wait --name t1").expect(0);
    fails(following);
    lab.run("down t1").expect(0);
}

#[test]
fn a_supervisor_that_is_stuck_is_told_apart() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    let (supervisor, _) = lab.pids("t1");
    kill_process(supervisor, Signal::STOP).expect("it runs");
    let stuck = lab.run("ps --name t1").expect(9);
    assert!(
        stuck.stderr.contains("no answer in time\nhint: `nym-devnet down`"),
        "{}",
        stuck.stderr
    );
    assert!(!stuck.stderr.contains("http:"), "{}", stuck.stderr);
    kill_process(supervisor, Signal::CONT).expect("it runs");
    lab.run("down t1").expect(0);
}
