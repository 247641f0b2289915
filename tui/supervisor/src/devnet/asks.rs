//! Answering the control interface.

use contract::Role;
use control::{Failure, FailureCode, NodeAction, NodeStatus, State, shown_argument};

use super::Devnet;
use crate::ask::Ask;
use crate::child::Source;
use crate::clock::Moment;
use crate::hub::Listener;
use crate::names::no_such_node;
use crate::process::Input;

impl Devnet {
    /// Answers a question, now or when there is something to answer. Whoever asked may have gone.
    pub(super) fn answer(&mut self, now: Moment, ask: Ask) {
        match ask {
            Ask::Status(reply) => {
                // Whoever looks at a devnet that has just started wants figures of all.
                if self.is_usage_old(now) {
                    self.read_usage(now);
                }
                drop(reply.send(Ok(Box::new(self.store.snapshot(now)))));
            }
            Ask::Subscribe(reply) => drop(reply.send(Ok(self.store.subscribe(now)))),
            Ask::Confide { nodes, reply } => drop(reply.send(self.confide(&nodes))),
            Ask::Inbox { client, after, reply } => self.read_inbox(now, &client, after, reply),
            Ask::History { window, step, reply } => self.read_history(now, window, step, reply),
            Ask::Act { node, action, reply } => drop(reply.send(self.act(now, &node, action))),
            Ask::Add { request, reply } => drop(reply.send(self.add(now, &request))),
            Ask::Remove { node, reply } => drop(reply.send(self.remove(now, &node))),
            Ask::Set { request, reply } => drop(reply.send(self.set(now, &request))),
            Ask::Ping { request, reply } => self.ping(now, request, reply),
            Ask::Attack { request, reply } => self.attack(now, request, reply),
            Ask::Send { request, reply } => self.send(now, request, reply),
            Ask::Down { request, reply } => {
                self.go_down(now, "asked to");
                self.report_down(request, reply);
            }
        }
    }

    /// Lets nodes tell what only they know of packets.
    fn confide(&mut self, nodes: &[String]) -> Result<Listener, Failure> {
        if !self.store.traces() {
            let message = "nodes tell nothing of packets (`--trace off`)";
            return Err(Failure::new(FailureCode::NotRunning, message)
                .hint("`up --trace on` lets them tell, which is the default"));
        }
        if nodes.is_empty() {
            let message = "nobody is named who is to tell of packets";
            return Err(Failure::new(FailureCode::Usage, message)
                .hint("`?nodes=mix-1-1,provider-1` names two"));
        }
        for name in nodes {
            let role = self.nodes[self.find(name)?].plan.role;
            if !matches!(role, Role::Mixnode | Role::Provider) {
                let message = format!("`{name}` is a {role}: packets pass through no such node");
                let hint = "mixnodes and providers can work for an observer";
                return Err(Failure::new(FailureCode::Usage, message).hint(hint).node(name));
            }
        }
        Ok(self.store.confide(nodes))
    }

    pub(super) fn act(
        &mut self,
        now: Moment,
        name: &str,
        action: NodeAction,
    ) -> Result<NodeStatus, Failure> {
        let index = self.find(name)?;
        let not_now = |why: String| {
            let message = format!("cannot {} `{name}`: {why}", action.word());
            Err(Failure::new(FailureCode::NotRunning, message).node(name))
        };
        if self.going_down.is_some() {
            return not_now("the devnet is going down".into());
        }
        let node = &self.nodes[index];
        if node.removed {
            return not_now("it is being removed".into());
        }
        let starts = matches!(action, NodeAction::Start | NodeAction::Restart);
        if starts && self.directory.is_none() && node.plan.role != Role::Directory {
            return not_now("the directory has not opened its port yet".into());
        }
        let state = node.process.state();
        let needs_process =
            matches!(action, NodeAction::Kill | NodeAction::Pause | NodeAction::Resume);
        if needs_process && !node.process.exists() {
            return not_now(format!("it does not run; it {}", state.phrase()));
        }
        if matches!(action, NodeAction::Pause | NodeAction::Resume) && state == State::Stopping {
            return not_now(format!("it {}", state.phrase()));
        }
        let input = match action {
            NodeAction::Start => Input::Start,
            NodeAction::Stop => Input::Stop,
            NodeAction::Restart => Input::Restart,
            NodeAction::Kill => Input::Kill,
            NodeAction::Pause => Input::Pause,
            NodeAction::Resume => Input::Resume,
        };
        tracing::info!("asked to {} {name}", action.word());
        self.give(now, index, input);
        Ok(self.store.nodes()[index].clone())
    }

    /// The address of a recipient, given by name or as an address.
    pub(super) fn recipient(&self, to: &str) -> Result<String, Failure> {
        if self.find(to).is_err() && looks_like_an_address(to) {
            // Whether anybody has that address is for the sending client to say.
            return check_address(to).map(|()| to.into());
        }
        let status = &self.store.nodes()[self.client(to)?];
        status.address.clone().ok_or_else(|| {
            let message = format!(
                "cannot send to `{to}`: it has no address yet; it {}: {}",
                status.state.phrase(),
                status.reason
            );
            Failure::new(FailureCode::NotRunning, message).node(to)
        })
    }

    /// The named client.
    pub(super) fn client(&self, name: &str) -> Result<usize, Failure> {
        let clients =
            self.store.nodes().iter().filter(|node| node.role == Role::Client).map(|n| &*n.name);
        match self.find(name) {
            Ok(index) if self.nodes[index].plan.role == Role::Client => Ok(index),
            Ok(index) => {
                let role = self.nodes[index].plan.role;
                let message =
                    format!("`{name}` is no client but a {role}: only clients have messages");
                let names: Vec<&str> = clients.take(MAX_OFFERED).collect();
                let hint = match names.as_slice() {
                    [] => "start the devnet with --clients 2".to_owned(),
                    names => format!("clients are {}", names.join(", ")),
                };
                Err(Failure::new(FailureCode::Usage, message).hint(hint).node(name))
            }
            Err(_) => Err(no_such_node("client", name, clients)),
        }
    }

    /// The latest process of a node.
    pub(super) fn source(&self, index: usize) -> Source {
        let node = &self.nodes[index];
        Source { node: node.id, generation: node.generation }
    }

    pub(super) fn find(&self, name: &str) -> Result<usize, Failure> {
        let nodes = self.store.nodes();
        nodes
            .iter()
            .position(|node| node.name == name)
            .ok_or_else(|| no_such_node("node", name, nodes.iter().map(|node| node.name.as_str())))
    }
}

/// How many names a hint lists.
const MAX_OFFERED: usize = 8;

/// Whether a recipient is meant as an address: a name has no `@`, and is not made like a key.
fn looks_like_an_address(text: &str) -> bool {
    text.contains('@') || looks_like_a_key(text)
}

/// Whether it has the form of an address: `client@provider`, or a bare key of a client.
fn check_address(text: &str) -> Result<(), Failure> {
    if text
        .split_once('@')
        .is_none_or(|(client, provider)| looks_like_a_key(client) && looks_like_a_key(provider))
    {
        return Ok(());
    }
    let message = format!("cannot send to `{}`: it is no address", shown_argument(text));
    Err(Failure::new(FailureCode::Usage, message)
        .hint("an address is CLIENT@PROVIDER, both base58 keys; the name of a client does as well"))
}

/// A key is 32 bytes in base58, which has no `0`, `O`, `I` and `l`.
fn looks_like_a_key(text: &str) -> bool {
    let is_digit =
        |byte: u8| byte.is_ascii_alphanumeric() && !matches!(byte, b'0' | b'O' | b'I' | b'l');
    matches!(text.len(), 32..=44) && text.bytes().all(is_digit)
}
