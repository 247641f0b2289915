//! The dashboard as a person sees it, in a real terminal.

mod common;
mod pty;

use std::path::Path;

use common::{FAST, Lab, limit, until_gone};
use pty::Terminal;
use rustix::process::{Pid, Signal, kill_process};

fn up(lab: &Lab, arguments: &str, rows: u16, cols: u16) -> Terminal {
    let program = Path::new(env!("CARGO_BIN_EXE_nym-devnet"));
    let arguments = format!("up --ports auto --name screen {arguments}");
    Terminal::start(program, &arguments, lab.path(), rows, cols)
}

#[test]
fn a_person_writes_a_message_and_leaves_the_terminal_as_it_was() {
    let lab = Lab::new();
    let mut terminal = up(&lab, "--width 2 --layers 3", 40, 120);
    for text in ["LAYER 3", "mix-2-2", "provider-1", "11 of 11 ready"] {
        terminal.wait_text(text, limit(20));
    }
    let pids = lab.all_pids("screen");

    terminal.press("m");
    terminal.wait_text("alice", limit(5));
    terminal.press("hello from the keyboard\r");
    terminal.wait("delivery", limit(20), |screen| {
        let text = screen.contents();
        (text.contains("hello from the keyboard") && text.contains("acknowledged")).then_some(())
    });

    // Escape alone, not in one read with the next key, which would make it Alt.
    terminal.press("\u{1b}");
    terminal.wait_text("m writes a message", limit(5));
    for (key, text) in [("2", "RESTARTS"), ("5", "mix-1-1"), ("6", "supervisor"), ("1", "LAYER 1")]
    {
        terminal.press(key);
        terminal.wait_text(text, limit(5));
    }
    for (rows, cols, text) in [(24, 80, "LAYER 1"), (10, 40, "60"), (50, 160, "PROVIDERS")] {
        terminal.resize(rows, cols);
        terminal.wait_text(text, limit(5));
    }

    // Ctrl-L, and Ctrl-Z in a session without a shell, which goes on at once. This terminal answers
    // no questions.
    for key in ["\u{c}", "\u{1a}"] {
        terminal.press(key);
        for (key, text) in [("2", "RESTARTS"), ("1", "LAYER 1")] {
            terminal.press(key);
            terminal.wait_text(text, limit(5));
        }
    }

    terminal.press("q");
    terminal.wait_text("y yes", limit(5));
    terminal.press("y");
    assert_eq!(terminal.wait_end(limit(20)), 0);
    terminal.is_restored(limit(5)).expect("restored");
    until_gone(&pids, 5);
}

#[test]
fn a_dashboard_that_only_shows_is_kept_to_that_by_the_supervisor() {
    let lab = Lab::new();
    lab.run("up --detach --ports auto --layers 1 --crowd 0 --name t1").expect(0);
    // It does not need the way in by which something could be changed.
    let control = lab.folder("t1").join("control.sock");
    let aside = lab.folder("t1").join("aside.sock");
    std::fs::rename(&control, &aside).expect("moves");
    let program = Path::new(env!("CARGO_BIN_EXE_nym-devnet"));
    let arguments = "attach t1 --read-only";
    let mut terminal = Terminal::start(program, arguments, lab.path(), 24, 80);
    terminal.wait_text("read-only", limit(20));
    terminal.wait_text("5/5 ready", limit(20));
    terminal.press("q");
    assert_eq!(terminal.wait_end(limit(10)), 0);
    std::fs::rename(&aside, &control).expect("moves");
}

#[test]
fn a_signal_restores_the_terminal_and_ends_everything() {
    let lab = Lab::new();
    let mut terminal = up(&lab, "", 24, 80);
    terminal.wait_text("8/8 ready", limit(20));
    let pids = lab.all_pids("screen");
    let pid = Pid::from_raw(terminal.pid()).expect("a process id");
    kill_process(pid, Signal::TERM).expect("sent");
    assert_eq!(terminal.wait_end(limit(20)), 143);
    terminal.is_restored(limit(5)).expect("restored");
    until_gone(&pids, 5);
}

#[test]
fn a_wait_shows_what_it_waits_for_and_leaves_only_its_result() {
    let lab = Lab::new();
    lab.run("up --detach --ports auto --layers 1 --crowd 0 --name t1").expect(0);
    let program = Path::new(env!("CARGO_BIN_EXE_nym-devnet"));
    let arguments = "wait --for stopped --name t1";
    let mut terminal = Terminal::start(program, arguments, lab.path(), 24, 80);
    terminal.wait_text("s of 1m: `t1` still runs", limit(10));
    lab.run("down t1").expect(0);
    terminal.wait_text("`t1` is stopped", limit(10));
    assert_eq!(terminal.wait_end(limit(10)), 0);
    terminal.wait("the wait is wiped", limit(5), |screen| {
        (!screen.contents().contains("still runs")).then_some(())
    });
}

#[test]
fn figures_are_drawn_in_place_and_the_terminal_is_given_back() {
    let lab = Lab::new();
    lab.run(&format!("{FAST} --layers 1 --name t1")).expect(0);
    let program = Path::new(env!("CARGO_BIN_EXE_nym-devnet"));
    let watch = || Terminal::start(program, "metrics --watch --name t1", lab.path(), 24, 100);
    let mut terminal = watch();
    terminal.wait("figures", limit(10), |screen| {
        let is_drawn = screen.contents().contains("provider-1") && screen.alternate_screen();
        is_drawn.then_some(())
    });
    let pid = Pid::from_raw(terminal.pid()).expect("a process id");
    kill_process(pid, Signal::TERM).expect("sent");
    assert_eq!(terminal.wait_end(limit(10)), 143);
    terminal.is_restored(limit(5)).expect("restored");

    let mut terminal = watch();
    terminal.wait_text("of all packets into layer 1", limit(10));
    // Ctrl-C, as the terminal sends it.
    terminal.press("\u{3}");
    assert_eq!(terminal.wait_end(limit(10)), 130);
    terminal.is_restored(limit(5)).expect("restored");
    terminal.wait_text("of all packets into layer 1", limit(5));

    let mut terminal = watch();
    terminal.wait("figures", limit(10), |screen| screen.alternate_screen().then_some(()));
    lab.run("down t1").expect(0);
    terminal.wait_text("the devnet went down: ", limit(10));
    assert_eq!(terminal.wait_end(limit(10)), 0);
    terminal.is_restored(limit(5)).expect("restored");
}
