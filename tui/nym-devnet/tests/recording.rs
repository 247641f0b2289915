//! Recording a devnet, and playing it in the dashboard.

mod common;
mod pty;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{FAST, Lab, limit, until};
use control::{Envelope, Recording, StreamEvent};
use pty::Terminal;

/// Records a devnet in which alice wrote to bob.
fn record(lab: &Lab) -> PathBuf {
    let file = lab.path().join("lab.jsonl");
    let up = format!("{FAST} --layers 1 --crowd 0 --name t1 --record");
    lab.run(&format!("{up} {}", file.display())).expect(0);
    lab.run("send alice bob on-the-record --wait --name t1").expect(0);
    let again =
        lab.run(&format!("{up} {} --name t2 -o json", file.display()).replace("--name t1 ", ""));
    let refused = again.expect(4).json();
    assert_eq!(refused["error"]["code"], "FILE_EXISTS", "{refused}");
    assert!(!lab.folder("t2").exists(), "nothing of it has run, so nothing of it stays");
    // Long enough to be paused by hand. What is recorded can be read meanwhile.
    until("some seconds are recorded", 30, || {
        let recording = Recording::open(&file).expect("a recording");
        recording.length() > Some(Duration::from_secs(4))
    });
    lab.run("down t1").expect(0);
    file
}

#[test]
fn a_recording_is_the_stream_from_its_beginning_to_its_end() {
    let lab = Lab::new();
    let file = record(&lab);
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).expect("a recording");
    let events: Vec<Envelope> =
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(matches!(events[0].event, StreamEvent::Snapshot(_)));
    for pair in events.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq + 1, "nothing is missing");
        assert!(pair[1].t >= pair[0].t, "in the order in which it happened");
    }
    let last = events.last().expect("events");
    assert!(matches!(last.event, StreamEvent::Down { .. }), "{last:?}");
    let received = events.iter().any(|event| {
        matches!(&event.event, StreamEvent::Received(message)
            if message.content.preview() == "on-the-record")
    });
    assert!(received, "messages are in it");
}

#[test]
fn a_person_plays_a_recording_that_was_cut_off() {
    let lab = Lab::new();
    let file = record(&lab);
    let whole = std::fs::read(&file).expect("a recording");
    // In the middle of its last line.
    let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    let (last, before) = lines.split_last().expect("lines");
    std::fs::write(&file, [before.concat().as_slice(), &last[..last.len() / 2]].concat())
        .expect("writes");
    let lines = lines.len();

    let program = Path::new(env!("CARGO_BIN_EXE_nym-devnet"));
    let arguments = format!("attach {}", file.display());
    let mut terminal = Terminal::start(program, &arguments, lab.path(), 24, 80);
    terminal.wait_text("PLAYBACK 0:0", limit(20));
    terminal.press(" ");
    terminal.wait_text("PAUSED 0:0", limit(5));
    terminal.press("[");
    terminal.wait_text("×1/2", limit(5));
    terminal.press("]]");
    terminal.wait_text("×2", limit(5));
    terminal.press("m");
    terminal.wait_text("this is a recording", limit(5));
    terminal.press("4");
    terminal.wait_text("alice", limit(5));
    terminal.press(" ]]]]]");
    terminal.wait_text("END 0:", limit(20));
    terminal.wait_text("×64", limit(5));
    terminal.wait_text("on-the-record", limit(5));
    terminal.wait_text(&format!("the recording is cut off in line {lines}"), limit(5));
    terminal.press("q");
    assert_eq!(terminal.wait_end(limit(10)), 0);
    terminal.is_restored(limit(5)).expect("restored");
}

#[test]
fn what_is_no_recording_is_refused_and_a_devnet_comes_before_a_file() {
    let lab = Lab::new();
    let beside = lab.path().join("beside");
    std::fs::create_dir(&beside).expect("a folder");
    let file = beside.join("t1.txt");
    std::fs::write(&file, "hello\n").expect("writes");
    let refused = lab.run(&format!("attach {}", file.display())).expect(2);
    assert!(refused.stderr.contains("line 1 is no event"), "{}", refused.stderr);
    let missing = lab.run("attach ./nowhere.jsonl").expect(8);
    assert!(missing.stderr.contains("nowhere.jsonl"), "{}", missing.stderr);

    lab.run(&format!("{FAST} --layers 1 --crowd 0 --name t1.txt")).expect(0);
    let there = |arguments: &str| {
        let mut command = lab.command(arguments);
        command.current_dir(&beside).output().expect("it starts").status.code()
    };
    // Without a terminal the devnet is found, and cannot be shown.
    assert_eq!(there("attach t1.txt"), Some(8), "the devnet");
    assert_eq!(there("attach ./t1.txt"), Some(2), "the file");
    lab.run("down t1.txt").expect(0);
    assert_eq!(there("attach t1.txt"), Some(2), "no devnet of that name runs");
}
