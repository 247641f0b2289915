//! A running devnet as its event stream tells it.

use std::collections::HashMap;

use contract::FatalCode;
use control::{ControlClient, EventStream, Failure, FailureCode, NodeStatus, State, StreamEvent};

use crate::port_owner::owner;
use crate::stop::Outcome;

/// The processes of a devnet, kept up to date.
pub(crate) struct Watch {
    stream: EventStream,
    /// Every process, in the order in which they are shown.
    pub(crate) nodes: Vec<NodeStatus>,
    /// The latest line that the running process of each node logged, or its last one.
    last_lines: HashMap<String, String>,
}

impl Watch {
    /// Knows nothing yet; what comes [next](Self::next) is a snapshot.
    pub(crate) async fn begin(client: &ControlClient) -> Outcome<Self> {
        let stream = client.events().await?;
        Ok(Self { stream, nodes: Vec::new(), last_lines: HashMap::new() })
    }

    /// Knows everything up to now.
    pub(crate) async fn open(client: &ControlClient) -> Outcome<Self> {
        let mut watch = Self::begin(client).await?;
        watch.next().await?;
        Ok(watch)
    }

    /// Waits for what happens next and takes it in; none when the devnet is gone.
    pub(crate) async fn next(&mut self) -> Outcome<Option<control::Envelope>> {
        let Some(envelope) = self.stream.next().await? else { return Ok(None) };
        match &envelope.event {
            StreamEvent::Snapshot(snapshot) => {
                self.nodes.clone_from(&snapshot.nodes);
                let began = |name: &str| self.node(name).and_then(|node| node.started_unix_ms);
                let lines = snapshot.logs.iter();
                let lines = lines.filter(|line| began(&line.node) <= Some(line.unix_ms));
                self.last_lines =
                    lines.map(|line| (line.node.clone(), line.line.clone())).collect();
            }
            StreamEvent::Node(status) => {
                if let Some(node) = self.nodes.iter_mut().find(|node| node.name == status.name) {
                    if status.pid.is_some() && status.pid != node.pid {
                        // What an earlier process of it logged says nothing about this one.
                        self.last_lines.remove(&status.name);
                    }
                    node.clone_from(status);
                } else {
                    self.nodes.push(status.clone());
                }
            }
            StreamEvent::Removed { node } => {
                self.nodes.retain(|known| known.name != *node);
                self.last_lines.remove(node);
            }
            StreamEvent::Log(line) => {
                self.last_lines.insert(line.node.clone(), line.line.clone());
            }
            _ => {}
        }
        Ok(Some(envelope))
    }

    /// Whether every process is ready.
    pub(crate) fn all_ready(&self) -> bool {
        !self.nodes.is_empty() && self.nodes.iter().all(|node| node.state == State::Ready)
    }

    /// The node of that name.
    pub(crate) fn node(&self, name: &str) -> Option<&NodeStatus> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The failure of a node that is not started again, if there is one.
    pub(crate) fn lost(&self) -> Option<Failure> {
        self.nodes.iter().find(|node| node.state == State::Failed).map(|node| self.loss_of(node))
    }

    /// Why a node that has failed did so.
    pub(crate) fn loss_of(&self, node: &NodeStatus) -> Failure {
        let fatal = node.fatal.as_ref();
        let code = match fatal.map(|fatal| fatal.code) {
            Some(FatalCode::PortTaken) => FailureCode::PortTaken,
            Some(FatalCode::Storage) => FailureCode::Environment,
            Some(FatalCode::Usage) => FailureCode::Usage,
            Some(FatalCode::Other) | None => FailureCode::NodeLost,
        };
        let mut failure =
            self.about(node, code, format!("`{}` failed: {}", node.name, node.reason));
        failure.hint = fatal.and_then(|fatal| fatal.hint.clone());
        let port = fatal.filter(|_| code == FailureCode::PortTaken);
        let owner = port.and_then(|fatal| owner(named_port(&fatal.message)?));
        if let Some(owner) = owner {
            failure.message = format!("{}; it belongs to {owner}", failure.message);
        }
        failure
    }

    /// The first process that is not ready, and why.
    pub(crate) fn not_ready(&self, after: &str) -> Failure {
        let Some(first) = self.nodes.iter().find(|node| node.state != State::Ready) else {
            return Failure::new(FailureCode::DeadlinePassed, format!("not ready within {after}"));
        };
        let message = format!("not ready within {after}: {}", late(&self.nodes, State::Ready));
        self.about(first, FailureCode::DeadlinePassed, message)
    }

    fn about(&self, node: &NodeStatus, code: FailureCode, message: String) -> Failure {
        let message = match self.last_lines.get(&node.name) {
            Some(line) if !repeats(line, node) => format!("{message}; its last log line: {line}"),
            _ => message,
        };
        Failure::new(code, message).node(&node.name).log(node.log_file.display().to_string())
    }
}

/// The port of the address that a text names: `cannot bind `127.0.0.1:8080`: …`.
fn named_port(text: &str) -> Option<u16> {
    // Every second piece between back-ticks is in them.
    let mut quoted = text.split('`').skip(1).step_by(2);
    quoted.find_map(|quoted| Some(quoted.parse::<std::net::SocketAddr>().ok()?.port()))
}

/// Whether a line of a log says what is told of the node anyway.
fn repeats(line: &str, node: &NodeStatus) -> bool {
    let fatal = node.fatal.as_ref();
    let told = [
        Some(node.reason.as_str()),
        fatal.map(|fatal| fatal.message.as_str()),
        fatal.and_then(|fatal| fatal.hint.as_deref()),
    ];
    told.into_iter().flatten().any(|told| line.contains(told)) || node.reason.contains(line)
}

/// Who is not in this state yet and why, of whom the first is described.
pub(crate) fn late<'a>(nodes: impl IntoIterator<Item = &'a NodeStatus>, state: State) -> String {
    let mut late = nodes.into_iter().filter(|node| node.state != state);
    let Some(first) = late.next() else { return format!("all are {state}") };
    let why = format!("`{}` {}: {}", first.name, first.state.phrase(), first.reason);
    match late.count() {
        0 => why,
        1 => format!("{why}; and 1 more is not {state}"),
        more => format!("{why}; and {more} more are not {state}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contract::{Fatal, Role};

    use super::*;

    fn node(name: &str, state: State, reason: &str) -> NodeStatus {
        NodeStatus {
            name: name.into(),
            role: Role::Client,
            layer: None,
            state,
            reason: reason.into(),
            since_unix_ms: 0,
            pid: None,
            started_unix_ms: None,
            restarts: 0,
            last_exit: None,
            fatal: None,
            addresses: BTreeMap::new(),
            public_keys: Vec::new(),
            address: None,
            log_file: "/x.log".into(),
        }
    }

    #[test]
    fn who_is_late_is_named_and_the_others_are_counted() {
        let nodes = [
            node("directory", State::Ready, "it answers"),
            node("mix-1-1", State::Failed, "killed by SIGKILL"),
            node("alice", State::Listening, "no provider"),
        ];
        let said = |nodes: &[NodeStatus]| late(nodes, State::Ready);
        assert_eq!(
            said(&nodes),
            "`mix-1-1` has failed: killed by SIGKILL; and 1 more is not ready"
        );
        assert_eq!(said(&nodes[2..]), "`alice` is listening: no provider");
    }

    #[test]
    fn the_port_that_is_taken_is_found_in_what_a_node_said() {
        assert_eq!(named_port("cannot bind `127.0.0.1:8080`: in use"), Some(8080));
        assert_eq!(named_port("cannot bind `nowhere`: in use"), None);
    }

    #[test]
    fn a_log_line_that_says_the_same_again_is_left_out() {
        let mut alice = node("alice", State::Failed, "cannot bind `127.0.0.1:1977`: in use");
        assert!(repeats("ERROR cannot bind `127.0.0.1:1977`: in use", &alice));
        assert!(!repeats("INFO listening", &alice));
        let hint = "end whoever has the port".to_owned();
        let message = "cannot bind".into();
        alice.fatal = Some(Fatal { code: FatalCode::PortTaken, message, hint: Some(hint) });
        assert!(repeats("hint: end whoever has the port", &alice));
    }
}
