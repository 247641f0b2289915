//! The whole loop with real processes: shell scripts that speak the contract, beside a real
//! directory.

use std::path::{Path, PathBuf};

use contract::Content;
use control::{
    ControlClient, ControlError, DownReport, DownRequest, FailureCode, MessageState, NodeAction,
    NodeStatus, SendRequest, SendWait, State, StreamEvent,
};
use directory_api::MixNodeReport;
use directory_client::DirectoryClient;
use layouts::{Layout, Plan, Ports};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::api;
use crate::exit::Exit;
use crate::folder::StateDir;
use crate::testing::within;

mod attacks;
mod changes;
mod messages;
mod pings;
mod presence;

/// Says what every process says first. `$PORT` is where it claims to listen.
const HELLO: &str = r#"
say() { printf '%s\n' "$1"; }
say '{"event":"hello","contract":1,"role":"client","pid":1,"version":"0","monotonic":0,"wall":0}'
say "{\"event\":\"listening\",\"endpoint\":\"$ENDPOINT\",\"address\":\"127.0.0.1:$PORT\"}"
say "{\"event\":\"identity\",\"public_keys\":[\"$NAME-key\"],\"address\":\"$NAME-key@p\",\"new\":true}"
echo "$NAME logs" >&2
"#;

/// Ends when it is asked to, and writes down that it was asked.
const OBEY: &str = r#"
while read -r line; do
    case $line in
    *'"leave"'* | *'"stop"'*) echo "$NAME" >> "$DIR/stopped"; exit 0 ;;
    esac
done
"#;

/// Takes messages: one that says `stays` is kept for the next process, one that says `dies` ends two
/// processes before the third takes it, all others are sent at once; one that says `arrives` or was
/// kept arrives at bob.
const SEND: &str = r#"
arrive() { echo "{\"event\":\"message\",\"t\":3000000,\"message\":\"$1\",\"stage\":\"received\",\"content\":{\"text\":\"x\"}}" > "$DIR/to-bob"; }
if [ -f "$DIR/kept" ]; then
    kept=$(cat "$DIR/kept")
    say "{\"event\":\"message\",\"t\":2000,\"message\":\"$kept\",\"stage\":\"sent\",\"fragment\":0,\"attempt\":1,\"route\":[\"127.0.0.1:9980\"]}"
    arrive "$kept"
fi
while read -r line; do
    id=${line#*'"id":'} id=${id%%,*}
    case $line in
    *'"leave"'* | *'"stop"'*) echo "$NAME" >> "$DIR/stopped"; exit 0 ;;
    *dies*)
        given=${line#*'"message":"'} given=${given%%'"'*}
        echo "$given" >> "$DIR/asked"
        if [ "$(wc -l < "$DIR/asked")" -lt 3 ]; then exit 9; fi
        say "{\"event\":\"message\",\"t\":1000,\"message\":\"$given\",\"stage\":\"accepted\",\"to\":\"bob-key@p\",\"content\":{\"text\":\"x\"},\"fragments\":1}"
        say "{\"event\":\"answer\",\"id\":$id,\"outcome\":\"accepted\",\"message\":\"$given\"}" ;;
    *refuse*) say "{\"event\":\"answer\",\"id\":$id,\"outcome\":\"refused\",\"reason\":\"no route\"}" ;;
    *'"send"'*)
        m="{\"event\":\"message\",\"t\":1000,\"message\":\"m$id\""
        say "$m,\"stage\":\"accepted\",\"to\":\"bob-key@p\",\"content\":{\"text\":\"x\"},\"fragments\":1}"
        say "{\"event\":\"answer\",\"id\":$id,\"outcome\":\"accepted\",\"message\":\"m$id\"}"
        case $line in *stays*) echo "m$id" > "$DIR/kept"; continue ;; esac
        say "$m,\"stage\":\"sent\",\"fragment\":0,\"attempt\":1,\"route\":[\"127.0.0.1:9980\",\"1.2.3.4:5\"]}"
        case $line in *arrives*) arrive "m$id" ;; esac ;;
    esac
done
"#;

/// Reports what comes through a pipe as received, and keeps two messages, of which a page has one. A
/// file of a certain name makes it end instead of answering, another makes it refuse.
const RECEIVE: &str = r#"
# Open for writing too: there is no moment in which nobody reads, and no end.
cat <> "$DIR/to-bob" &
trap "kill $!" EXIT
page() {
    say "{\"event\":\"answer\",\"id\":$id,\"outcome\":\"inbox\",\"messages\":[{\"number\":$1,\"message\":\"m$1\",\"unix_ms\":$1,\"content\":$2}],\"more\":$3}"
}
while read -r line; do
    id=${line#*'"id":'} id=${id%%,*}
    case $line in
    *'"leave"'* | *'"stop"'*) echo "$NAME" >> "$DIR/stopped"; exit 0 ;;
    *'"inbox"'*)
        if [ -f "$DIR/crash" ]; then rm "$DIR/crash"; exit 9; fi
        if [ -f "$DIR/refuse" ]; then
            say "{\"event\":\"answer\",\"id\":$id,\"outcome\":\"refused\",\"reason\":\"no disk\"}"
            continue
        fi
        case $line in
        *'"after":0}') page 1 '{"text":"x"}' true ;;
        *) page 2 '{"omitted":16777216}' false ;;
        esac ;;
    esac
done
"#;

/// A running devnet of a directory, a mixnode, alice and bob.
struct Running {
    client: ControlClient,
    directory: DirectoryClient,
    dir: PathBuf,
}

impl Running {
    async fn node(&self, name: &str) -> NodeStatus {
        let snapshot = self.client.status().await.expect("a snapshot");
        snapshot.nodes.into_iter().find(|node| node.name == name).expect(name)
    }

    /// Waits until a node is as it should be.
    async fn until(&self, name: &str, is: impl Fn(&NodeStatus) -> bool) -> NodeStatus {
        within(async {
            let mut events = self.client.events().await.expect("a stream");
            loop {
                let event = events.next().await.expect("readable").expect("not over").event;
                let nodes = match event {
                    StreamEvent::Snapshot(snapshot) => snapshot.nodes,
                    StreamEvent::Node(node) => vec![node],
                    _ => continue,
                };
                if let Some(node) = nodes.into_iter().find(|node| node.name == name && is(node)) {
                    return node;
                }
            }
        })
        .await
    }

    /// Waits until the latest message is in this state.
    async fn until_message(&self, state: MessageState) {
        within(async {
            let mut events = self.client.events().await.expect("a stream");
            loop {
                let event = events.next().await.expect("readable").expect("not over").event;
                let latest = match event {
                    StreamEvent::Snapshot(mut snapshot) => snapshot.messages.pop(),
                    StreamEvent::Message(message) => Some(message),
                    _ => continue,
                };
                if latest.is_some_and(|message| message.state == state) {
                    return;
                }
            }
        })
        .await;
    }

    async fn announce_mixnode(&self) {
        let report = MixNodeReport {
            host: "127.0.0.1:9980".into(),
            pub_key: "mix-1-1-key".into(),
            version: "0".into(),
            location: "mix-1-1".into(),
            layer: 1,
        };
        self.directory.announce_mixnode(&report).await.expect("accepted");
    }

    async fn send(&self, to: &str, text: &str, ms: u64) -> Result<control::MessageStatus, Failure> {
        let request = SendRequest {
            from: "alice".into(),
            to: to.into(),
            content: Content::Text(text.into()),
            wait: SendWait::Delivered,
            timeout_ms: ms,
        };
        self.client.send(&request).await.map_err(Failure::from)
    }

    async fn down(&self) -> DownReport {
        within(self.client.down(DownRequest::default())).await.expect("goes down")
    }
}

fn script(node: &NodePlan, dir: &Path) -> &'static str {
    match node.name.as_str() {
        // A file of that name makes the next mixnode end with a last word.
        "mix-1-1" if dir.join("port-taken").exists() => {
            r#"echo '{"event":"fatal","code":"port-taken","message":"cannot bind"}'; exit 4"#
        }
        "alice" => SEND,
        "bob" => RECEIVE,
        _ => "",
    }
}

/// A devnet of a directory, a mixnode, alice and bob in that folder.
fn spec(dir: &Path, keep: bool) -> (Spec, Claim) {
    let layout = Layout { widths: vec![1], crowd: 0, ..Layout::default() };
    let mut plan = Plan::new(layout, Ports::Auto).expect("a network");
    plan.nodes.retain(|node| node.role != Role::Provider);
    let state_dir = StateDir::find(Some(dir.join("state"))).expect("a path");
    let claim = state_dir.folder("t1").and_then(|folder| folder.claim()).expect("free");
    let state_dir = state_dir.path().into();
    let (name, control_port, record) = ("t1".into(), None, None);
    let spec = Spec { name, state_dir, keep, control_port, record, plan };
    (spec, claim)
}

/// Runs a devnet of scripts, does something with it, and waits until it is down.
async fn with_devnet<F>(keep: bool, body: impl FnOnce(Running) -> F) -> DownReport
where
    F: Future<Output = DownReport>,
{
    let temp = tempfile::tempdir().expect("a folder");
    let dir = temp.path().to_owned();
    let fifo = std::process::Command::new("mkfifo").arg(dir.join("to-bob")).status();
    assert!(fifo.expect("mkfifo is there").success());

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let directory = listener.local_addr().expect("an address");
    let stop_directory = CancellationToken::new();
    let options = directory_server::Options::default();
    tokio::spawn(directory_server::run(listener, options, stop_directory.clone()));

    let (spec, claim) = spec(&dir, keep);
    let socket = claim.folder().socket();
    let scripts = dir.clone();
    let launcher: Launcher = Box::new(move |node, arguments| {
        let ready = match node.role {
            Role::Directory | Role::Client => r#"say '{"event":"ready","reason":"it says so"}'"#,
            _ => "",
        };
        let port = match node.role {
            Role::Directory => directory.port(),
            Role::Mixnode => 9980,
            _ => 1977,
        };
        let endpoint = node.ports[0].endpoint.to_string();
        let own = script(node, &scripts);
        let text = format!("{HELLO}\n{ready}\n{own}\n{OBEY}");
        let mut command = Command::new("sh");
        command.args(["-c", &text, "sh"]).args(arguments);
        command.env("NAME", &node.name).env("ENDPOINT", endpoint);
        command.env("PORT", port.to_string()).env("DIR", &scripts);
        command
    });

    let (asks, asked) = mpsc::channel(16);
    let (_lifeline, outside) = mpsc::channel(16);
    let server = axum::serve(UnixListener::bind(&socket).expect("binds"), api::router(asks));
    let server = tokio::spawn(server.into_future());
    let running = Running {
        client: ControlClient::new(socket).expect("a client"),
        directory: DirectoryClient::new(&directory.to_string()).expect("an address"),
        dir,
    };
    let devnet = Devnet::new(spec, claim, launcher);
    let (report, ()) = tokio::join!(body(running), async {
        let ended = devnet.run(Inputs { asks: asked, outside }).await;
        for reply in ended.replies {
            drop(reply.send(ended.report.clone()));
        }
    });
    server.abort();
    stop_directory.cancel();
    report
}

#[tokio::test]
async fn processes_become_ready_come_back_and_stop_in_order() {
    let report = with_devnet(true, async |devnet| {
        // The directory's own word makes a mixnode ready, nobody else's.
        let mix = devnet.until("mix-1-1", |node| node.state == State::Listening).await;
        assert_eq!(mix.reason, "the directory does not list it yet");
        assert_eq!(mix.addresses[&Endpoint::Mix].port(), 9980);
        devnet.until("alice", |node| node.state == State::Ready).await;
        devnet.announce_mixnode().await;
        let mix = devnet.until("mix-1-1", |node| node.state == State::Ready).await;
        assert_eq!(mix.public_keys, ["mix-1-1-key"]);

        // A restarted mixnode is not ready because of what the one before it announced.
        let first = mix.pid.and_then(|pid| Pid::from_raw(pid.cast_signed())).expect("it runs");
        kill_process(first, Signal::KILL).expect("it runs");
        let mix = devnet
            .until("mix-1-1", |node| node.state == State::Listening && node.restarts == 1)
            .await;
        assert_eq!(mix.last_exit.as_deref(), Some("killed by SIGKILL"));
        assert_ne!(mix.pid, Some(first.as_raw_nonzero().get().cast_unsigned()));
        devnet.announce_mixnode().await;
        devnet.until("mix-1-1", |node| node.state == State::Ready).await;

        // Its port was right once, so a taken port is waited for.
        std::fs::write(devnet.dir.join("port-taken"), "").expect("writes");
        devnet.client.act("mix-1-1", NodeAction::Kill).await.expect("it runs");
        let mix = devnet.until("mix-1-1", |node| node.fatal.is_some()).await;
        let mix = if mix.state == State::BackingOff {
            mix
        } else {
            devnet.until("mix-1-1", |node| node.reason.starts_with("cannot bind")).await
        };
        assert_eq!(mix.state, State::BackingOff, "{}", mix.reason);
        std::fs::remove_file(devnet.dir.join("port-taken")).expect("removes");
        devnet.until("mix-1-1", |node| node.state == State::Listening).await;

        let bob = devnet.client.act("bob", NodeAction::Stop).await.expect("it runs");
        assert_eq!(bob.state, State::Stopping);
        devnet.until("bob", |node| node.state == State::Stopped).await;
        let failure = devnet.client.act("bob", NodeAction::Kill).await.expect_err("it is stopped");
        assert!(matches!(failure, ControlError::Refused(failure)
            if failure.code == FailureCode::NotRunning));
        devnet.client.act("bob", NodeAction::Start).await.expect("can start");
        let bob = devnet.until("bob", |node| node.state == State::Ready).await;
        assert_eq!(bob.restarts, 0, "nothing went wrong");

        let snapshot = devnet.client.status().await.expect("a snapshot");
        assert!(snapshot.logs.iter().any(|line| line.line == "alice logs"));
        let pids: Vec<Pid> = snapshot
            .nodes
            .iter()
            .filter_map(|node| node.pid)
            .map(|pid| Pid::from_raw(pid.cast_signed()).expect("a pid"))
            .collect();
        assert_eq!(pids.len(), 4);
        std::fs::remove_file(devnet.dir.join("stopped")).expect("bob stopped before");
        let mut events = devnet.client.events().await.expect("a stream");
        let report = devnet.down().await;
        assert!(pids.iter().all(|&pid| test_kill_process(pid).is_err()));
        let stopped = std::fs::read_to_string(devnet.dir.join("stopped")).expect("they stopped");
        let mut order: Vec<&str> = stopped.lines().collect();
        order[..2].sort_unstable();
        assert_eq!(order, ["alice", "bob", "mix-1-1", "directory"]);
        let last = within(async {
            let mut last = None;
            while let Some(envelope) = events.next().await.expect("readable") {
                last = Some(envelope.event);
            }
            last
        })
        .await;
        assert_eq!(last, Some(StreamEvent::Down { reason: "asked to".into() }));
        report
    })
    .await;
    assert!(!report.deleted);
}

#[tokio::test]
async fn a_second_port_that_is_taken_is_told_and_done_without() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut spec, claim) = spec(dir.path(), false);
    let alice = spec.plan.nodes.iter().position(|node| node.name == "alice").expect("alice");
    spec.plan.nodes[alice].second_port = Some(9001);
    let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("true")));
    let now = Moment::now();
    devnet.directory_opened(now, "http://127.0.0.1:1".into());
    let source = devnet.source(alice);
    let mut tell = |event| devnet.child_event(now, source, ChildEvent::Event(Box::new(event)));
    let listening = |endpoint, port| {
        let address = ([127, 0, 0, 1], port).into();
        contract::Event::Listening(contract::Listening { endpoint, address, instead_of: None })
    };
    let ready = || contract::Event::Ready { reason: "it says so".into() };
    tell(listening(Endpoint::SecondApp, 9001));
    tell(ready());
    assert_eq!(devnet.store.nodes()[alice].state, State::Starting, "it is not the one that counts");
    devnet.child_event(now, source, ChildEvent::Event(Box::new(listening(Endpoint::App, 1977))));
    assert_eq!(devnet.store.nodes()[alice].state, State::Ready);
    assert_eq!(devnet.store.snapshot(now).devnet.notices, [""; 0]);

    devnet.child_event(now, source, ChildEvent::Exited(Exit::Signal(9)));
    let due = devnet.nodes[alice].process.next_wake().expect("it starts again");
    let later = Moment { t: due, ..now };
    devnet.wake(later);
    let source = Source { generation: source.generation + 1, ..source };
    for event in [listening(Endpoint::App, 1977), ready(), ready()] {
        devnet.child_event(later, source, ChildEvent::Event(Box::new(event)));
    }
    let status = &devnet.store.nodes()[alice];
    assert_eq!((status.state, status.addresses.len()), (State::Ready, 1));
    let notices = devnet.store.snapshot(later).devnet.notices;
    assert_eq!(notices, ["port 9001 was taken; alice does without it"]);
}

#[tokio::test]
async fn what_was_stopped_before_the_directory_opened_stays_stopped() {
    let dir = tempfile::tempdir().expect("a folder");
    let (spec, claim) = spec(dir.path(), false);
    let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("true")));
    let now = Moment::now();
    let (reply, answer) = tokio::sync::oneshot::channel();
    let action = NodeAction::Stop;
    devnet.answer(now, Ask::Act { node: "alice".into(), action, reply });
    assert_eq!(answer.await.expect("answered").expect("stopped").state, State::Stopped);

    devnet.directory_opened(now, "http://127.0.0.1:1".into());
    let state = |name: &str| {
        let is_it = |node: &&NodeStatus| node.name == name;
        devnet.store.nodes().iter().find(is_it).expect(name).state
    };
    assert_eq!((state("alice"), state("bob")), (State::Stopped, State::Starting));
}

#[tokio::test]
async fn usage_is_not_read_again_for_everybody_who_asks() {
    let dir = tempfile::tempdir().expect("a folder");
    let (spec, claim) = spec(dir.path(), false);
    let mut devnet = Devnet::new(spec, claim, Box::new(|_, _| Command::new("true")));
    let now = Moment::now();
    let later = |pause: Duration| Moment { t: now.t + pause, ..now };
    let mut status_at = |at: Moment| {
        let (reply, _answer) = tokio::sync::oneshot::channel();
        devnet.answer(at, Ask::Status(reply));
        devnet.usage_read
    };
    assert_eq!(status_at(now), Some(now.t));
    assert_eq!(status_at(later(USAGE_AGE)), Some(now.t));
    let after = later(USAGE_AGE + Duration::from_millis(1));
    assert_eq!(status_at(after), Some(after.t));
    devnet.give_role(after, Role::Directory, &Input::Start);
    assert!(devnet.is_usage_old(after), "there is a process that was never looked at");
}
