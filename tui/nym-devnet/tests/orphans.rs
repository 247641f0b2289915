//! Nothing of a devnet outlives it: whoever is killed, in whatever state, three seconds later no process
//! of it is left, and the next `up` of that name works. That goes for a command from outside too, and
//! for what such a command has started itself.

mod common;
mod pty;

use std::path::Path;

use common::{Lab, limit, until, until_gone};
use pty::Terminal;
use rustix::process::{Pid, Signal, kill_process};

/// How long something may be left.
const LEFT: u64 = 3;

/// A command in the place of a mixnode: a mixnode without the contract, beside a process of its own.
const COMMAND: &str = r#"sleep 1000 & exec "$0" node mixnode --name {name} --home {key_dir} \
    --directory {directory} --layer {layer} --layers {layers} --host {host} --port {port}"#;

/// Writes a layout with such a command, before which `first` is done, and gives its path.
fn layout(lab: &Lab, first: &str) -> String {
    let path = lab.path().join("foreign.toml");
    let layout = format!(
        "layers = 1\ncrowd = 0\nprofile = 'current'\nports = 'auto'\n[nodes.mix-1-1]\n\
         command = ['sh', '-c', '''{first}{COMMAND}''', '{}']\n",
        env!("CARGO_BIN_EXE_nym-devnet")
    );
    std::fs::write(&path, layout).expect("writes");
    path.to_str().expect("UTF-8").into()
}

/// A running devnet with a command from outside.
fn up(lab: &Lab) -> String {
    let layout = layout(lab, "");
    lab.run(&format!("up {layout} --detach --name t1")).expect(0);
    // Directory, mixnode with shim, guard and two of its own, provider, two clients, supervisor.
    assert_eq!(lab.processes().len(), 9);
    layout
}

/// Waits until nothing is left, and starts the devnet again.
fn nothing_is_left(lab: &Lab, layout: &str, was_unclean: bool) {
    until("no process is left", LEFT, || lab.processes().is_empty());
    let again = lab.run(&format!("up {layout} --detach --name t1")).expect(0);
    let took_over = again.stderr.contains("had not ended cleanly; took over");
    assert_eq!(took_over, was_unclean, "{}", again.stderr);
    lab.run("send alice bob hello --wait --name t1").expect(0);
    lab.run("down t1").expect(0);
    until("no process is left", LEFT, || lab.processes().is_empty());
}

#[test]
fn a_killed_supervisor_leaves_nothing() {
    let lab = Lab::new();
    let layout = up(&lab);
    kill_process(lab.pids("t1").0, Signal::KILL).expect("it runs");
    until("no process is left", LEFT, || lab.processes().is_empty());
    let list = lab.run("ls").expect(0).stdout;
    assert!(list.contains("ended uncleanly"), "{list}");
    lab.run("ps --name t1").expect(3);
    nothing_is_left(&lab, &layout, true);
}

/// A process that stands still reads no lifeline. On Linux the parent-death signal ends it. Everywhere
/// the system sends SIGHUP and SIGCONT to a group that loses its last tie to its session while it
/// stands still.
#[test]
fn a_killed_supervisor_leaves_nothing_that_stands_still() {
    let lab = Lab::new();
    let layout = up(&lab);
    lab.run("pause mix-1-1 alice directory --name t1").expect(0);
    kill_process(lab.pids("t1").0, Signal::KILL).expect("it runs");
    nothing_is_left(&lab, &layout, true);
}

#[test]
fn a_killed_front_end_leaves_nothing() {
    let lab = Lab::new();
    let layout = layout(&lab, "");
    for kills_both in [false, true] {
        let mut up = lab.spawn(&format!("up {layout} --headless --name t1"));
        up.until_printed("processes are ready");
        let supervisor = lab.pids("t1").0;
        up.signal(Signal::KILL);
        if kills_both {
            kill_process(supervisor, Signal::KILL).expect("it runs");
        }
        up.wait(1);
        nothing_is_left(&lab, &layout, kills_both);
    }
}

#[test]
fn a_supervisor_and_a_shim_that_are_killed_at_once_leave_nothing() {
    let lab = Lab::new();
    let layout = up(&lab);
    let (supervisor, nodes) = lab.pids("t1");
    let shim = nodes.iter().find(|(name, _)| name == "mix-1-1").expect("it runs").1;
    for pid in [supervisor, shim] {
        kill_process(pid, Signal::KILL).expect("it runs");
    }
    nothing_is_left(&lab, &layout, true);
}

#[test]
fn a_terminal_that_is_closed_and_a_dashboard_that_crashes_leave_nothing() {
    let lab = Lab::new();
    let layout = layout(&lab, "");
    let program = Path::new(env!("CARGO_BIN_EXE_nym-devnet"));
    let dashboard = format!("up {layout} --name t1");
    let headless = format!("up {layout} --headless --name t1");
    let crash = |terminal: &Terminal| {
        let pid = Pid::from_raw(terminal.pid()).expect("a process id");
        // As after a panic within a panic: nothing of it runs any more.
        kill_process(pid, Signal::ABORT).expect("it runs");
    };
    let close = |_: &Terminal| {};
    for (arguments, shows, end) in [
        (&dashboard, "5/5 ready", &close as &dyn Fn(&Terminal)),
        (&dashboard, "5/5 ready", &crash),
        (&headless, "processes are ready", &close),
    ] {
        let terminal = Terminal::start(program, arguments, lab.path(), 24, 80);
        terminal.wait_text(shows, limit(30));
        end(&terminal);
        terminal.close();
        nothing_is_left(&lab, &layout, false);
    }
}

#[test]
fn a_supervisor_that_is_killed_while_it_starts_leaves_nothing_and_up_says_so() {
    let lab = Lab::new();
    let layout = layout(&lab, "sleep 1000; ");
    let up = lab.spawn(&format!("up {layout} --detach --name t1"));
    until("the command runs", 20, || {
        lab.processes().iter().any(|process| process.command.starts_with("sleep"))
    });
    kill_process(lab.pids("t1").0, Signal::KILL).expect("it runs");
    let up = up.wait(10).expect(9);
    assert!(up.stderr.contains("the supervisor"), "{}", up.stderr);
    let layout = self::layout(&lab, "");
    nothing_is_left(&lab, &layout, true);
}

#[test]
fn a_node_that_is_killed_while_it_starts_is_started_again_and_leaves_nothing() {
    let lab = Lab::new();
    // It waits until somebody writes into a pipe.
    let go = lab.path().join("go");
    let made = std::process::Command::new("mkfifo").arg(&go).status();
    assert!(made.expect("mkfifo is there").success());
    let layout = layout(&lab, "read -r _ < {layout_dir}/go; ");
    let up = lab.spawn(&format!("up {layout} --detach --name t1"));
    let shell = || lab.processes().into_iter().find(|process| process.command.starts_with("sh "));
    until("the command runs", 20, || shell().is_some());
    let first = shell().expect("it runs").pid;
    let node = lab.node("t1", "mix-1-1");
    assert_eq!(node["state"], "starting", "{node}");
    let reason = node["reason"].as_str().expect("text");
    assert!(reason.ends_with("has not announced itself to the directory yet"), "{reason}");
    let shim = lab.pids("t1").1.into_iter().find(|(name, _)| name == "mix-1-1").expect("runs").1;
    kill_process(shim, Signal::KILL).expect("it runs");
    until_gone(&[first], LEFT);
    std::fs::write(&go, "go\n").expect("the next one reads");
    up.wait(60).expect(0);
    assert_eq!(lab.node("t1", "mix-1-1")["restarts"], 1);
    lab.run("down t1").expect(0);
    until("no process is left", LEFT, || lab.processes().is_empty());
}
