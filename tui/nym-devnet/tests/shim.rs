//! Commands from outside in the place of nodes: what the supervisor sees of them, and what they leave.

mod common;

use common::{Lab, until};
use rustix::process::{Signal, kill_process};
use serde_json::Value;

/// A mixnode that speaks only to the directory, as a command from outside does.
const MIXNODE: &str = r#"exec "$0" node mixnode --name {name} --home {key_dir} --directory {directory} \
    --layer {layer} --layers {layers} --host {host} --port {port}"#;

/// Writes a layout with a command in the place of a node, and gives its path.
fn layout(lab: &Lab, node: &str, script: &str) -> String {
    write(
        lab,
        node,
        &format!("['sh', '-c', '''{script}''', '{}']", env!("CARGO_BIN_EXE_nym-devnet")),
    )
}

fn write(lab: &Lab, node: &str, command: &str) -> String {
    let path = lab.path().join("foreign.toml");
    let layout = format!(
        "layers = 1\ncrowd = 0\nprofile = 'current'\nports = 'auto'\nrestart = 'no'\n\
         [nodes.{node}]\nrestart = 'on-failure'\ncommand = {command}\n"
    );
    std::fs::write(&path, layout).expect("writes");
    path.to_str().expect("UTF-8").into()
}

fn address(node: &Value) -> &Value {
    &node["addresses"]["mix"]
}

fn log(lab: &Lab, node: &str) -> String {
    std::fs::read_to_string(lab.folder("t1").join(format!("logs/{node}.log"))).unwrap_or_default()
}

fn mixnodes(lab: &Lab) -> usize {
    let topology = lab.run("topology --name t1 -o json").expect(0).json();
    topology["data"]["mixNodes"].as_array().expect("a list").len()
}

#[test]
fn a_command_is_a_node_like_any_other() {
    let lab = Lab::new();
    let layout = layout(&lab, "mix-1-1", &format!("echo \"says $0\"; sleep 1000 & {MIXNODE}"));
    lab.run(&format!("up {layout} --detach --name t1")).expect(0);
    lab.run("send alice bob hello --wait --name t1").expect(0);
    let before = lab.node("t1", "mix-1-1");
    assert_eq!(before["reason"], "the directory lists it");
    assert!(before["public_keys"][0].is_string() && address(&before).is_string(), "{before}");
    assert!(log(&lab, "mix-1-1").contains("says /"), "what it prints is in its log");

    // It comes back where it was, and so do what it is and what it started itself.
    let own = |lab: &Lab| {
        let is_own = |command: &str| command.starts_with("sleep");
        lab.processes().into_iter().filter(|found| is_own(&found.command)).count()
    };
    for action in ["restart", "kill"] {
        lab.run(&format!("{action} mix-1-1 --name t1")).expect(0);
        until("it is there again", 20, || lab.node("t1", "mix-1-1")["state"] == "ready");
        let after = lab.node("t1", "mix-1-1");
        assert_ne!(after["pid"], before["pid"]);
        assert_eq!(
            (address(&after), &after["public_keys"]),
            (address(&before), &before["public_keys"])
        );
        until("one of its own is left", 3, || own(&lab) == 1);
    }
    lab.run("pause mix-1-1 --name t1").expect(0);
    assert_eq!(lab.node("t1", "mix-1-1")["state"], "paused");
    lab.run("resume mix-1-1 --name t1").expect(0);

    assert_eq!(mixnodes(&lab), 1);
    lab.run("stop mix-1-1 --name t1").expect(0);
    let stopped = lab.node("t1", "mix-1-1");
    assert_eq!(stopped["reason"], "asked to leave; exit code 0");
    assert_eq!(mixnodes(&lab), 0, "it left");
    until("nothing of it is left", 3, || own(&lab) == 0);
    lab.run("down t1").expect(0);
    until("no process is left", 3, || lab.processes().is_empty());
}

#[test]
fn a_command_that_never_announces_itself_is_named_with_what_it_said() {
    let lab = Lab::new();
    let layout = layout(&lab, "mix-1-1", "echo no idea what a directory is; exec sleep 1000");
    let up = format!("up {layout} --detach --name t1 --wait-timeout 3s -o json");
    let failure = lab.run(&up).expect(5).json();
    assert_eq!(failure["error"]["node"], "mix-1-1", "{failure}");
    let message = failure["error"]["message"].as_str().expect("text");
    let why = "the command `sh` has not announced itself to the directory yet";
    assert!(message.contains(why), "{message}");
    assert!(log(&lab, "mix-1-1").contains("no idea what a directory is"), "the log stays");
    until("no process is left", 3, || lab.processes().is_empty());
}

#[test]
fn a_command_that_cannot_run_is_told_at_once_and_how_to_mend_it() {
    let lab = Lab::new();
    let path = lab.path().display().to_string();
    std::fs::write(lab.path().join("node.py"), "#!/nowhere\n").expect("writes");
    for (command, says) in [
        ("['{layout_dir}/nod.py']", format!("did you mean `{path}/node.py`?")),
        ("['mkfiof']", "did you mean `mkfifo`?".to_owned()),
        ("['{layout_dir}/node.py']", format!("`chmod +x {path}/node.py`")),
        ("['sh', '{clients_port}']", "a node of this role has no `{clients_port}`".to_owned()),
    ] {
        let layout = write(&lab, "mix-1-1", command);
        let up = format!("up {layout} --detach --name t1 -o json");
        let failure = lab.run(&up).expect(2).json();
        assert_eq!(failure["error"]["node"], "mix-1-1", "{failure}");
        let hint = failure["error"]["hint"].as_str().expect("a hint");
        assert!(hint.starts_with(&says), "{says}: {failure}");
        lab.run("down t1 --purge").expect(0);
    }
}

#[test]
fn a_command_that_obeys_nobody_is_killed_with_all_that_it_started() {
    let lab = Lab::new();
    let script = format!(
        "trap '' TERM INT HUP; (sleep 1000 & sleep 1000) & ({MIXNODE}) & while :; do wait; done"
    );
    let layout = layout(&lab, "mix-1-1", &script);
    lab.run(&format!("up {layout} --detach --name t1")).expect(0);
    lab.run("stop mix-1-1 --name t1").expect(0);
    let stopped = lab.node("t1", "mix-1-1");
    assert_eq!(stopped["reason"], "asked to leave; exit code 137", "killed, as a shell tells it");
    let is_its = |command: &str| command.starts_with("sh ") || command.starts_with("sleep ");
    until("nothing of it is left", 3, || {
        lab.processes().iter().all(|found| !is_its(&found.command))
    });
    assert_eq!(mixnodes(&lab), 0, "the directory was told in its place");

    // Also if its shim is killed.
    lab.run("start mix-1-1 --name t1").expect(0);
    let shim = lab.pids("t1").1.into_iter().find(|(name, _)| name == "mix-1-1").expect("runs").1;
    let before = lab.processes();
    kill_process(shim, Signal::KILL).expect("it runs");
    let before = before.into_iter().filter(|found| is_its(&found.command));
    common::until_gone(&before.map(|found| found.pid).collect::<Vec<_>>(), 3);
    lab.run("down t1").expect(0);
    until("no process is left", 3, || lab.processes().is_empty());
}

#[test]
fn a_port_that_somebody_else_took_in_between_is_no_failure() {
    let lab = Lab::new();
    // The first time somebody else, who stays, has the port before the command gets to it.
    let script = format!(
        "if [ ! -e {{layout_dir}}/second ]; then touch {{layout_dir}}/second; \
         (\"$0\" node directory --host {{host}} --port {{port}} 2>&1 &) | grep -m 1 -q listening; \
         exit 1; fi; {MIXNODE}"
    );
    let layout = layout(&lab, "mix-1-1", &script);
    lab.run(&format!("up {layout} --detach --name t1")).expect(0);
    assert_eq!(lab.node("t1", "mix-1-1")["restarts"], 0, "the shim saw to it");
    let log = log(&lab, "mix-1-1");
    assert!(log.contains("somebody else took a port of the command"), "{log}");
    lab.run("send alice bob hello --wait --name t1").expect(0);
    lab.run("down t1").expect(0);
    until("no process is left", 3, || lab.processes().is_empty());
}

#[test]
fn a_client_from_outside_is_ready_when_its_port_is_open_and_takes_no_requests() {
    let lab = Lab::new();
    // Anything that listens.
    let layout = layout(&lab, "bob", "exec \"$0\" node directory --host {host} --port {port}");
    lab.run(&format!("up {layout} --detach --name t1")).expect(0);
    let bob = lab.node("t1", "bob");
    let reason = "its port takes connections; the directory does not list clients";
    assert_eq!((&bob["state"], &bob["reason"]), (&"ready".into(), &reason.into()));
    let refused = lab.run("send bob alice hello --name t1").expect(6);
    assert!(
        refused.stderr.contains("a command from outside does not take this"),
        "{}",
        refused.stderr
    );
    lab.run("down t1").expect(0);
    until("no process is left", 3, || lab.processes().is_empty());
}
