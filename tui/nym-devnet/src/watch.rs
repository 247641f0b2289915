//! A running devnet as its event stream tells it.

use std::collections::HashMap;

use contract::FatalCode;
use control::{ControlClient, EventStream, Failure, FailureCode, NodeStatus, State, StreamEvent};

use crate::stop::Outcome;

/// The processes of a devnet, kept up to date.
pub(crate) struct Watch {
    stream: EventStream,
    /// Every process, in the order in which they are shown.
    pub(crate) nodes: Vec<NodeStatus>,
    /// The latest line of each log.
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
                let lines = snapshot.logs.iter();
                self.last_lines =
                    lines.map(|line| (line.node.clone(), line.line.clone())).collect();
            }
            StreamEvent::Node(status) => {
                if let Some(node) = self.nodes.iter_mut().find(|node| node.name == status.name) {
                    node.clone_from(status);
                }
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
            Some(line) => format!("{message}; its last log line: {line}"),
            None => message,
        };
        Failure::new(code, message).node(&node.name).log(node.log_file.display().to_string())
    }
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
