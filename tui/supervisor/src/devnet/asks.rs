//! Answering the control interface.

use std::time::Duration;

use contract::{Command as Question, MAX_CONTENT_BYTES, Role};
use control::{
    Failure, FailureCode, MessageStatus, NodeAction, NodeStatus, SendRequest, State, shown_argument,
};

use super::Devnet;
use super::sends::{Stage, Waiting};
use crate::ask::{Ask, Reply};
use crate::child::Source;
use crate::clock::Moment;
use crate::names::no_such_node;
use crate::process::Input;

/// The longest that a send request is held.
const MAX_SEND_TIMEOUT: Duration = Duration::from_secs(3600);

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
            Ask::Inbox { client, after, reply } => self.read_inbox(now, &client, after, reply),
            Ask::Act { node, action, reply } => drop(reply.send(self.act(now, &node, action))),
            Ask::Add { request, reply } => drop(reply.send(self.add(now, &request))),
            Ask::Remove { node, reply } => drop(reply.send(self.remove(now, &node))),
            Ask::Set { request, reply } => drop(reply.send(self.set(now, &request))),
            Ask::Ping { request, reply } => self.ping(now, request, reply),
            Ask::Send { request, reply } => self.send(now, request, reply),
            Ask::Down { request, reply } => {
                self.go_down(now, "asked to");
                self.report_down(request, reply);
            }
        }
    }

    fn act(&mut self, now: Moment, name: &str, action: NodeAction) -> Result<NodeStatus, Failure> {
        let index = self.find(name)?;
        let not_now = |why: String| {
            let message = format!("cannot {} `{name}`: {why}", action.word());
            Err(Failure::new(FailureCode::NotRunning, message).node(name))
        };
        if self.going_down.is_some() {
            return not_now("the devnet is going down".into());
        }
        let node = &self.nodes[index];
        let starts = matches!(action, NodeAction::Start | NodeAction::Restart);
        if starts && self.directory.is_none() && node.plan.role != Role::Directory {
            return not_now("the directory has not opened its port yet".into());
        }
        if action == NodeAction::Kill && !node.process.exists() {
            return not_now(format!("it does not run; it {}", node.process.state().phrase()));
        }
        let input = match action {
            NodeAction::Start => Input::Start,
            NodeAction::Stop => Input::Stop,
            NodeAction::Restart => Input::Restart,
            NodeAction::Kill => Input::Kill,
            NodeAction::Pause | NodeAction::Resume => return not_now("not yet".into()),
        };
        tracing::info!("asked to {} {name}", action.word());
        self.give(now, index, input);
        Ok(self.store.nodes()[index].clone())
    }

    fn send(&mut self, now: Moment, request: SendRequest, reply: Reply<MessageStatus>) {
        match self.begin_send(&request) {
            Ok((index, id)) => {
                let timeout = request.timeout.min(MAX_SEND_TIMEOUT);
                self.sends.add(Waiting {
                    source: Source { node: index, generation: self.nodes[index].generation },
                    from: request.from,
                    to: shown_argument(&request.to),
                    wait: request.wait,
                    deadline: now.t + timeout,
                    timeout,
                    stage: Stage::Asked(id),
                    sender_ended: false,
                    reply,
                });
            }
            Err(failure) => drop(reply.send(Err(failure))),
        }
    }

    fn begin_send(&mut self, request: &SendRequest) -> Result<(usize, u64), Failure> {
        let SendRequest { from, to, content, .. } = request;
        let refuse = |code, why: String| {
            let to = shown_argument(to);
            Err(Failure::new(code, format!("cannot send from `{from}` to `{to}`: {why}"))
                .node(from))
        };
        let index = self.client(from)?;
        let address = self.recipient(to)?;
        let sender = &self.store.nodes()[index];
        // One that is not ready may keep it until it is; whether it does is for itself to say.
        if !sender.state.is_running() || sender.state == State::Stopping {
            let why = format!("`{from}` {}: {}", sender.state.phrase(), sender.reason);
            return refuse(FailureCode::NotRunning, why);
        }
        if content.byte_count() > MAX_CONTENT_BYTES {
            let why = format!("it has more than {MAX_CONTENT_BYTES} bytes");
            return refuse(FailureCode::Usage, why);
        }
        if let Err(error) = content.clone().into_bytes() {
            return refuse(FailureCode::Usage, error.to_string());
        }
        if self.sends.is_full() {
            return refuse(FailureCode::SendFailed, "too many others wait already".into());
        }
        let question = Question::Send { to: address, content: content.clone() };
        match self.ask(index, question) {
            Some(id) => Ok((index, id)),
            None => refuse(FailureCode::NotRunning, format!("`{from}` takes no requests")),
        }
    }

    /// The address of a recipient, given by name or as an address.
    fn recipient(&self, to: &str) -> Result<String, Failure> {
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

    fn find(&self, name: &str) -> Result<usize, Failure> {
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
