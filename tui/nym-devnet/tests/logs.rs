//! Logs of running and of stopped devnets.

mod common;

use common::{FAST, Lab, until};
use serde_json::Value;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// 16 MB of them: as much as the two files of a log can have.
const LINES: usize = 120_000;

/// What a process of this program may have in memory: most of it is its own pages.
const MOST_BYTES: u64 = 40 << 20;

fn lines(result: &Value) -> Vec<(String, u64, String)> {
    let lines = result["data"]["lines"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    lines
        .map(|line| {
            (text(&line["node"]), line["unix_ms"].as_u64().expect("a time"), text(&line["line"]))
        })
        .collect()
}

#[test]
fn logs_are_there_when_their_devnet_is_not() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    lab.run("send alice bob hello --wait --name t1").expect(0);
    lab.run("down t1").expect(0);
    let log = lab.folder("t1").join("logs/alice.log");
    let mut text = std::fs::read_to_string(&log).expect("a log");
    // What a panic leaves, and what would move the cursor.
    text.push_str("thread 'main' (1) panicked at x.rs:1:1:\n\u{1b}[2Jno room\nstack backtrace:\n");
    std::fs::write(&log, text).expect("writes");

    let all = lines(&lab.run("logs --since 1h -o json --name t1").expect(0).json());
    assert!(all.is_sorted_by_key(|(_, unix_ms, _)| *unix_ms), "by time");
    for node in ["directory", "mix-1-1", "provider-1", "alice", "bob", "supervisor"] {
        assert!(all.iter().any(|(name, ..)| name == node), "{node}");
    }
    let run = |options: &str| lab.run(&format!("logs {options} --name t1")).expect(0).stdout;
    let bad = run("--level error");
    let said: Vec<&str> =
        bad.lines().map(|line| line.split_once(" | ").expect("a name").1).collect();
    assert_eq!(
        said,
        ["thread 'main' (1) panicked at x.rs:1:1:", "␛[2Jno room", "stack backtrace:"]
    );
    let received = run("bob --grep received$");
    assert_eq!(received.lines().count(), 1, "{received}");
    assert_eq!(run("-n 3").lines().count(), 3);
    assert_eq!(run("-n 0"), "");
    assert_eq!(
        run("alice bob -n 5").lines().filter(|line| !line.starts_with(['a', 'b'])).count(),
        0
    );
    let ended = lab.run("logs -f -n 1 --name t1").expect(0);
    assert!(ended.stderr.contains("nothing more will come"), "{}", ended.stderr);
    lab.run("logs carol --name t1").expect(3);
    lab.run("logs --name t2").expect(3);
    assert_eq!(run("--since 0s"), "");
}

#[test]
fn logs_are_followed_across_restarts_and_a_full_file_to_the_last_line() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    let mut following = lab.spawn("logs -f -n 0 -o json --name t1");
    let seen = common::collect(&mut following);
    let has = |node: &str, text: &str| {
        seen.lines().iter().any(|line| {
            let line: Value = serde_json::from_str(line).expect(line);
            line["data"]["node"] == node
                && line["data"]["line"].as_str().expect("text").contains(text)
        })
    };
    lab.run("kill alice --name t1").expect(0);
    until("alice logs again", 30, || has("alice", "ready") || has("alice", "listening"));
    // As the supervisor does with a full one.
    let log = lab.folder("t1").join("logs/bob.log");
    std::fs::rename(&log, log.with_extension("log.1")).expect("moves");
    lab.run("restart bob --name t1").expect(0);
    until("bob logs into the new file", 30, || has("bob", "ready") || has("bob", "listening"));
    lab.run("down t1").expect(0);
    following.wait(10).expect(0);
    until("the end was told", 10, || has("supervisor", "directory: stopped"));
    let lines = seen.lines();
    let mut once = lines.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), lines.len(), "no line comes twice");
}

#[test]
fn megabytes_of_log_take_no_memory() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    lab.run("down t1").expect(0);
    let log = lab.folder("t1").join("logs/alice.log");
    let line = format!("2026-11-21T20:00:00.000001Z  INFO {}\n", "x".repeat(100));
    std::fs::write(&log, line.repeat(LINES)).expect("writes");
    for (options, count) in [("--since 100000h", LINES), ("-n 3", 3), ("-o json", 1)] {
        let mut running = lab.spawn(&format!("logs alice {options} --name t1"));
        let pid = Pid::from_u32(running.child.id());
        let seen = common::collect(&mut running);
        let mut system = System::new();
        let mut most = 0;
        until("it has ended", 60, || {
            let what = ProcessRefreshKind::nothing().with_memory();
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
            most = system.process(pid).map_or(most, |process| most.max(process.memory()));
            common::has_ended(running.pid())
        });
        running.wait(10).expect(0);
        until("all of it is read", 10, || seen.lines().len() == count);
        assert!(most < MOST_BYTES, "{options}: {most} bytes");
    }
}
