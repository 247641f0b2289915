//! The dashboard when its terminal or its supervisor is taken away from it, and given back.

mod common;
mod pty;

use std::fs;
use std::path::Path;

use common::{Lab, limit, until_gone};
use pty::Terminal;
use rustix::process::{Pid, Signal, kill_process};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nym-devnet");

/// Nothing panicked.
fn no_report(lab: &Lab) {
    let reports = lab.path().join(".reports");
    assert!(!reports.exists(), "{:?}", fs::read_dir(reports).map(Iterator::collect::<Vec<_>>));
}

fn signal(pid: Pid, signal: Signal) {
    kill_process(pid, signal).expect("sent");
}

#[test]
fn a_shell_has_the_terminal_while_the_dashboard_is_stopped_and_gives_it_back() {
    let lab = Lab::new();
    let mut shell = Terminal::start(Path::new("/bin/sh"), "-i", lab.path(), 30, 100);
    shell.press("PS1='shell''> '\n");
    shell.wait_text("shell> ", limit(5));
    shell.press(&format!("{PROGRAM} up --ports auto --name screen\n"));
    shell.wait_text("8/8 ready", limit(20));
    let screen_is = |shell: &Terminal, what: &str, alternate: bool| {
        shell.wait(what, limit(5), |screen| {
            (screen.alternate_screen() == alternate && screen.contents().contains(what))
                .then_some(())
        });
    };

    // Ctrl-Z: the shell's prompt on the shell's screen, and the network goes on.
    shell.press("\u{1a}");
    screen_is(&shell, "Stopped", false);
    lab.run("send alice bob hello --wait --name screen").expect(0);
    shell.press("echo here $((6 * 7))\n");
    screen_is(&shell, "here 42", false);
    shell.press("fg\n");
    screen_is(&shell, "8/8 ready", true);
    shell.press("2");
    screen_is(&shell, "RESTARTS", true);

    // Stopped from outside it could give nothing back. It takes the terminal again, whatever a shell did
    // with it.
    let processes = lab.processes();
    let dashboard = processes.iter().find(|found| found.command.contains("up --ports auto"));
    signal(dashboard.expect("it runs").pid, Signal::STOP);
    shell.wait_text("shell> ", limit(5));
    shell.press("echo there $((6 * 7))\n");
    shell.wait_text("there 42", limit(5));
    shell.press("fg\n");
    shell.wait("a whole dashboard", limit(5), |screen| {
        let text = screen.contents();
        (text.contains("RESTARTS") && !text.contains("there 42")).then_some(())
    });
    shell.press("1");
    screen_is(&shell, "LAYER 1", true);

    // Ctrl-C, and the shell is as it was.
    shell.press("\u{3}");
    shell.wait("the shell", limit(20), |screen| (!screen.alternate_screen()).then_some(()));
    shell.press("echo done $((6 * 7)); exit\n");
    shell.wait_text("done 42", limit(20));
    assert_eq!(shell.wait_end(limit(5)), 0);
    shell.is_restored(limit(5)).expect("restored");
    no_report(&lab);
}

#[test]
fn a_closed_terminal_is_no_panic() {
    let lab = Lab::new();
    let arguments = "up --ports auto --layers 1 --crowd 0 --name screen";
    let terminal = Terminal::start(Path::new(PROGRAM), arguments, lab.path(), 24, 80);
    terminal.wait_text("5/5 ready", limit(20));
    let pids = lab.all_pids("screen");
    terminal.close();
    until_gone(&pids, 10);
    no_report(&lab);
}

#[test]
fn a_storm_of_sizes_leaves_a_whole_screen() {
    let lab = Lab::new();
    lab.run("up --detach --ports auto --layers 1 --crowd 0 --name t1").expect(0);
    let mut terminal = Terminal::start(Path::new(PROGRAM), "attach t1", lab.path(), 24, 80);
    terminal.wait_text("5/5 ready", limit(20));
    let sizes = [(1, 1), (2, 300), (100, 2), (10, 40), (100, 300), (3, 3), (24, 80)];
    for (round, key) in ["2", "3", "4", "5", "6", "7", "1"].iter().enumerate() {
        for turn in 0..sizes.len() {
            let (rows, cols) = sizes[(turn * (round + 1)) % sizes.len()];
            terminal.resize(rows, cols);
        }
        terminal.press(key);
    }
    // For a moment smaller: what was cut off then is drawn again, although the size is that of before.
    for _ in 0..20 {
        terminal.resize(24, 80);
        terminal.wait_text("5/5 ready", limit(5));
        terminal.resize(1, 1);
        terminal.resize(24, 80);
        for text in ["1 Netw", "LAYER 1", "mix-1-1", "provider-1", "? help"] {
            terminal.wait_text(text, limit(5));
        }
    }
    terminal.press("q");
    assert_eq!(terminal.wait_end(limit(10)), 0);
    terminal.is_restored(limit(5)).expect("restored");
    no_report(&lab);
}

#[test]
fn a_supervisor_may_go_and_come_back_under_its_name() {
    let lab = Lab::new();
    let up = "up --detach --ports auto --layers 1 --crowd 0 --name t1";
    lab.run(up).expect(0);
    let mut terminal = Terminal::start(Path::new(PROGRAM), "attach t1", lab.path(), 24, 100);
    terminal.wait_text("5/5 ready", limit(20));

    // Silent, and back.
    let pid = lab.pids("t1").0;
    signal(pid, Signal::STOP);
    terminal.wait_text("stale", limit(10));
    terminal.press("2");
    terminal.wait_text("RESTARTS", limit(5));
    signal(pid, Signal::CONT);
    terminal.wait_text("live", limit(10));

    // Gone: what was known is still there, with its time. Another one of the same name is found.
    signal(pid, Signal::KILL);
    terminal.wait_text("reconnecting", limit(10));
    for text in ["as of", "mix-1-1", "provider-1"] {
        terminal.wait_text(text, limit(5));
    }
    lab.run(up).expect(0);
    terminal.wait_text("connected again after", limit(20));
    terminal.wait_text("5/5 ready", limit(20));
    assert_ne!(lab.pids("t1").0, pid);
    terminal.press("q");
    assert_eq!(terminal.wait_end(limit(10)), 0);
    terminal.is_restored(limit(5)).expect("restored");
    no_report(&lab);
}
