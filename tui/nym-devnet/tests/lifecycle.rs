//! The life of single processes as a user sees it: paused, with a policy of their own, or up to no good.

mod common;

use common::{Lab, until};
use rustix::process::{Pid, Signal, kill_process};

/// A devnet that starts fast and sends fast.
const FAST: &str = "up --detach --ports auto --profile current --crowd 0 --layers 1 --name t1";

/// Writes a layout in which alice is another program, and gives its path.
fn layout(lab: &Lab, rest: &str) -> String {
    let path = lab.path().join("layout.toml");
    let layout = format!(
        "layers = 1\ncrowd = 0\nprofile = 'current'\nports = 'auto'\n[nodes.alice]\n{rest}"
    );
    std::fs::write(&path, layout).expect("writes");
    path.to_str().expect("UTF-8").into()
}

/// Whether the system says that this node's process stands still.
fn stands_still(lab: &Lab, name: &str) -> bool {
    let pid = lab.node("t1", name)["pid"].as_u64().expect("it runs");
    let mut system = sysinfo::System::new();
    let pid = sysinfo::Pid::from_u32(u32::try_from(pid).expect("a process id"));
    system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
    system.process(pid).expect("it runs").status() == sysinfo::ProcessStatus::Stop
}

#[test]
fn a_paused_node_stands_still_and_does_what_is_asked_of_it() {
    let lab = Lab::new();
    lab.run(FAST).expect(0);
    lab.run("pause bob mix-1-1 --name t1").expect(0);
    for name in ["bob", "mix-1-1"] {
        assert_eq!(lab.node("t1", name)["reason"], "stands still as asked");
        until("the system has stopped it", 5, || stands_still(&lab, name));
    }
    lab.run("pause bob --name t1").expect(0);
    let waiting = "send alice bob stays --wait --timeout 1s --name t1";
    lab.run(waiting).expect(5);
    lab.run("resume bob mix-1-1 --name t1").expect(0);
    lab.run("send alice bob hello --wait --name t1").expect(0);

    // Every way out of a pause.
    lab.run("pause bob mix-1-1 alice --name t1").expect(0);
    lab.run("stop bob --name t1").expect(0);
    let bob = lab.node("t1", "bob");
    assert_eq!(bob["reason"], "asked to leave; exit code 0", "it heard the question");
    lab.run("restart mix-1-1 --name t1").expect(0);
    let alice = lab.node("t1", "alice")["pid"].as_i64().expect("it runs");
    let alice = Pid::from_raw(i32::try_from(alice).expect("a process id")).expect("a process id");
    kill_process(alice, Signal::KILL).expect("it runs");
    until("alice is back", 20, || {
        let alice = lab.node("t1", "alice");
        (&alice["state"], &alice["restarts"]) == (&"ready".into(), &1.into())
    });
    lab.run("start bob --name t1").expect(0);
    lab.run("pause bob --name t1").expect(0);
    // Who starts it does not want it to stand still.
    lab.run("start bob --name t1").expect(0);
    lab.run("stop bob --name t1").expect(0);
    for command in ["pause bob", "resume bob"] {
        let refused = lab.run(&format!("{command} --name t1 -o json")).expect(3).json();
        let message =
            format!("cannot {}: it does not run; it is stopped", command.replace(' ', " `") + "`");
        assert_eq!(refused["error"]["message"], message.as_str());
    }
    lab.run("pause directory alice provider-1 --name t1").expect(0);
    lab.run("down t1").expect(0);
    let log = std::fs::read_to_string(lab.folder("t1").join("logs/supervisor.log")).expect("a log");
    assert!(!log.contains("did not end when asked"), "{log}");
    until("no process is left", 3, || lab.processes().is_empty());
}

#[test]
fn each_node_has_its_own_command_environment_and_restart_policy() {
    let lab = Lab::new();
    let layout = layout(
        &lab,
        "restart = 'always'\nenv = { GREETING = 'good morning', COUNT = '{layout_dir}' }\n\
         command = ['sh', '-c', 'echo \"$GREETING from {name}, $COUNT\"; exit 0']\n\
         [nodes.bob]\nrestart = 'on-failure'\ncommand = ['sh', '-c', 'exit 0']\n",
    );
    let mut up = lab.spawn(&format!("up {layout} --headless --name t1"));
    // Five times within a minute, with a pause in between that doubles.
    let printed = up.until_printed("failed");
    up.wait(20).expect(7);
    for pause in ["0.2 s", "0.4 s", "0.8 s", "1.6 s"] {
        let line = format!("alice        backing off  exit code 0; starts again in {pause}");
        assert!(printed.contains(&line), "{line}\n{printed}");
    }
    assert!(printed.contains("ended 5 times within 60 s, last: exit code 0"), "{printed}");
    assert!(
        printed.contains("bob          stopped      ended by itself; exit code 0"),
        "{printed}"
    );
    let log = std::fs::read_to_string(lab.folder("t1").join("logs/alice.log")).expect("a log");
    assert_eq!(log.matches("good morning from alice, {layout_dir}\n").count(), 5, "{log}");
}

#[test]
fn a_child_that_ends_at_once_is_told_with_its_last_line_and_its_log() {
    let lab = Lab::new();
    let rest =
        "restart = 'no'\ncommand = ['sh', '-c', 'echo my configuration is missing; exit 3']\n";
    let layout = layout(&lab, rest);
    // Long before the deadline.
    let up = format!("up {layout} --detach --wait-timeout 1h --name t1 -o json");
    let failure = lab.run(&up).expect(7).json();
    assert_eq!(
        (&failure["error"]["node"], &failure["error"]["code"]),
        (&"alice".into(), &"NODE_LOST".into())
    );
    let message = failure["error"]["message"].as_str().expect("text");
    assert!(message.contains("exit code 3; not started again, as asked"), "{message}");
    let log = failure["error"]["log"].as_str().expect("a log");
    let log = std::fs::read_to_string(log).expect(log);
    assert!(log.contains("my configuration is missing\n"), "{log}");
    until("no process is left", 3, || lab.processes().is_empty());
}

/// Forty megabytes without a line end, then as much in lines, on both streams at once, then what a
/// terminal would take as orders.
const FLOOD: &str = "restart = 'no'\ncommand = ['sh', '-c', '''
(head -c 40000000 /dev/zero | tr '\\0' x) & (yes noise | head -c 40000000 >&2) & wait
printf '\\nlast \\033[2J\\033]0;owned\\007line\\n'; exec sleep 1000''']\n";

#[test]
fn a_child_that_floods_its_log_stops_nobody_and_its_log_is_bounded() {
    let lab = Lab::new();
    let layout = layout(&lab, FLOOD);
    let mut up = lab.spawn(&format!("up {layout} --headless --name t1"));
    up.until_printed("bob          ready");
    let mut last = String::new();
    until("the last line is shown", 60, || {
        // Everybody else is answered all the time.
        lab.run("status --name t1").expect(0);
        last = lab.run("logs alice -n 3 --name t1").expect(0).stdout;
        last.contains("last ")
    });
    assert!(last.contains("last ␛[2J␛]0;owned␇line"), "{last:?}");
    let logs = lab.folder("t1").join("logs");
    let bytes = |name: &str| std::fs::metadata(logs.join(name)).expect(name).len();
    // A file of eight megabytes and the one before it, and what came in one piece beyond.
    assert!(bytes("alice.log") + bytes("alice.log.1") < 20 << 20);
    let raw = || std::fs::read(logs.join("alice.log")).expect("a log");
    until("the file has it as it is", 20, || raw().windows(5).any(|bytes| bytes == b"\x1b[2J\x1b"));
    lab.run("down t1").expect(0);
    up.wait(10).expect(0);
    until("no process is left", 3, || lab.processes().is_empty());
}
