//! What goes wrong around a supervisor: its folder, its disk, its limits, and others of its name.

mod common;

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use common::{Lab, Running, has_ended, until};
use rustix::process::Pid;

/// A devnet that starts fast and sends fast.
const FAST: &str = "up --ports auto --profile current --crowd 0 --layers 1 --name t1";

#[test]
fn a_devnet_whose_folder_is_deleted_ends_and_says_so() {
    let lab = Lab::new();
    let mut up = lab.spawn(&format!("{FAST} --headless"));
    up.until_printed("processes are ready");
    std::fs::remove_dir_all(lab.folder("t1")).expect("deletes");
    up.wait(10).expect(0);
    until("no process is left", 3, || lab.processes().is_empty());

    lab.run(&format!("{FAST} --detach")).expect(0);
    lab.run("send alice bob hello --wait --name t1").expect(0);
    let pids = lab.all_pids("t1");
    std::fs::remove_dir_all(lab.folder("t1")).expect("deletes");
    common::until_gone(&pids, 10);
    until("no process is left", 3, || lab.processes().is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_stops_no_log_and_is_told_once_until_it_is_over() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --detach")).expect(0);
    lab.run("down t1").expect(0);
    let log = lab.folder("t1").join("logs/bob.log");
    std::fs::remove_file(&log).expect("bob has logged");
    symlink("/dev/full", &log).expect("a link");
    lab.run(&format!("{FAST} --detach")).expect(0);
    lab.run("send alice bob hello --wait --name t1").expect(0);
    let own = lab.folder("t1").join("logs/supervisor.log");
    let own = || std::fs::read_to_string(&own).expect("a log");
    let told = "bob: [cannot write the log file: No space left on device (os error 28)]";
    until("it is told", 10, || own().contains(told));
    std::fs::remove_file(&log).expect("removes");
    until("it is told that it is over", 20, || {
        lab.run("send alice bob hello --wait --name t1").expect(0);
        own().contains("bob: [the log file is written again; ")
    });
    assert_eq!(own().matches(told).count(), 1, "{}", own());
    let file = std::fs::read_to_string(&log).expect("a log");
    assert!(file.starts_with('[') && file.contains(" lines are lost]\n"), "{file}");
    lab.run("down t1").expect(0);
}

/// Starts the program under a limit of open files.
fn limited(lab: &Lab, limit: &str, arguments: &str) -> Running {
    let mut command = Command::new("sh");
    let script = format!("ulimit {limit} && exec \"$0\" {arguments}");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_nym-devnet")]);
    command.env("NYM_DEVNET_STATE_DIR", lab.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Running { child: command.spawn().expect("it starts") }
}

#[test]
fn a_low_limit_of_open_files_is_raised_or_said_to_be_too_low() {
    let lab = Lab::new();
    limited(&lab, "-Sn 40", &format!("{FAST} --detach")).wait(60).expect(0);
    lab.run("down t1").expect(0);
    let arguments = format!("{FAST} --detach -o json");
    let failure = limited(&lab, "-n 100", &arguments).wait(60).expect(8).json();
    assert_eq!(failure["error"]["code"], "ENVIRONMENT");
    let message = failure["error"]["message"].as_str().expect("text");
    assert!(message.starts_with("cannot open "), "{message}");
    assert!(message.ends_with(", which 5 processes need: the hard limit is 100"), "{message}");
    let hint = failure["error"]["hint"].as_str().expect("a hint");
    assert!(hint.contains("ulimit -Hn"), "{hint}");
    lab.run("ps --name t1").expect(3);
}

#[test]
fn of_several_that_start_at_the_same_instant_one_wins() {
    let lab = Lab::new();
    let all = [(); 4].map(|()| lab.spawn(&format!("{FAST} --detach")));
    let ended = all.map(|up| up.wait(60));
    let mut codes = ended.each_ref().map(|done| done.code);
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(4), Some(4), Some(4)], "{ended:?}");
    for lost in ended.iter().filter(|done| done.code == Some(4)) {
        let stderr = &lost.stderr;
        assert!(stderr.starts_with("error: a devnet named `t1` runs already\n"), "{stderr}");
    }
    lab.run("send alice bob hello --wait --name t1").expect(0);
    lab.run("down t1").expect(0);
    until("no process is left", 3, || lab.processes().is_empty());
}

#[test]
fn what_a_dead_supervisor_left_is_taken_over_and_nobody_else_is_killed() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --detach")).expect(0);
    let record = lab.folder("t1").join("state.json");
    let text = std::fs::read_to_string(&record).expect("a record");
    lab.run("down t1").expect(0);
    // Its process id belongs to somebody else by now, and there is a socket that nobody serves.
    let mut other = Command::new("sleep").arg("1000").spawn().expect("it starts");
    let mut left: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    left["pid"] = other.id().into();
    std::fs::write(&record, left.to_string()).expect("writes");
    drop(std::os::unix::net::UnixListener::bind(lab.folder("t1").join("control.sock")));
    for command in ["down t1", "ps --name t1", "kill alice --name t1"] {
        lab.run(command).expect(3);
    }
    let up = lab.run(&format!("{FAST} --detach")).expect(0);
    assert!(up.stderr.contains("had not ended cleanly; took over"), "{}", up.stderr);
    lab.run("down t1 --purge").expect(0);
    assert!(!has_ended(Pid::from_child(&other)), "it has nothing to do with it");
    other.kill().and_then(|()| other.wait()).expect("it ran");
}

#[test]
fn a_folder_whose_socket_would_have_too_long_a_path_is_refused() {
    let lab = Lab::new();
    let long = lab.path().join("x".repeat(100));
    let line = format!("{FAST} --detach -o json --state-dir {}", long.display());
    let failure = lab.run(&line).expect(8).json();
    let message = failure["error"]["message"].as_str().expect("text");
    assert!(message.contains("its path has ") && message.contains("at most 100"), "{message}");
    assert_eq!(failure["error"]["hint"], "name a shorter folder with --state-dir");
    assert!(!long.exists(), "nothing was begun");
}

#[test]
fn files_that_grow_to_a_limit_are_told_like_a_full_disk_and_end_nobody() {
    let lab = Lab::new();
    let layout = lab.path().join("noisy.toml");
    // Four megabytes, where a file may have two, or one, as the shell counts.
    let noisy = "layers = 1\ncrowd = 0\nprofile = 'current'\nports = 'auto'\n\
                 [nodes.alice]\ncommand = ['sh', '-c', 'yes noise | head -c 4000000; exec sleep 1000']\n";
    std::fs::write(&layout, noisy).expect("writes");
    let arguments = format!("up {} --headless --name t1", layout.display());
    let up = limited(&lab, "-f 2048", &arguments);
    let own = lab.folder("t1").join("logs/supervisor.log");
    for told in [
        "alice: [cannot write the log file: File too large",
        // Its mailbox has a file that is larger than that, so as to have room on a full disk.
        "provider-1: present: cannot make the reserve",
    ] {
        until(told, 20, || std::fs::read_to_string(&own).is_ok_and(|own| own.contains(told)));
    }
    lab.run("down t1").expect(0);
    up.wait(10).expect(0);
    until("no process is left", 3, || lab.processes().is_empty());
}
