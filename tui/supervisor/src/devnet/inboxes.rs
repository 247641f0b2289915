//! Pages of inboxes that somebody asked for and waits for.
//!
//! Clients keep their inboxes, so each page is asked of a client's process. One that ends before it
//! has answered is asked again when it is back.

use contract::{Answer, Command as Question, Outcome, Time};
use control::{Failure, FailureCode, INBOX_TIMEOUT, Inbox, InboxMessage, NodeStatus, State};

use super::Devnet;
use crate::ask::Reply;
use crate::child::Source;
use crate::clock::Moment;

/// Questions that can wait at the same time. Each answer has up to a megabyte.
const MAX_WAITING: usize = 64;

/// Everybody who waits for a page.
#[derive(Debug, Default)]
pub(super) struct Inboxes(Vec<Waiting>);

/// One who waits.
#[derive(Debug)]
struct Waiting {
    /// Index of the client.
    node: usize,
    after: u64,
    deadline: Time,
    /// Which process was asked, and the id of the request. None while there is no process.
    asked: Option<(Source, u64)>,
    reply: Reply<Inbox>,
}

impl Inboxes {
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.0.iter().map(|waiting| waiting.deadline).min()
    }

    /// A process ended: it answers nothing any more.
    pub(super) fn process_ended(&mut self, source: Source) {
        for waiting in &mut self.0 {
            waiting.asked.take_if(|(asked, _)| *asked == source);
        }
    }

    /// The devnet ends.
    pub(super) fn give_up(&mut self, nodes: &[NodeStatus], why: &str) {
        for waiting in self.0.drain(..) {
            waiting.fail(nodes, FailureCode::NotRunning, why);
        }
    }

    /// Whether there is no room for one more. Who stopped waiting takes up none.
    fn is_full(&mut self) -> bool {
        self.0.retain(|waiting| !waiting.reply.is_closed());
        self.0.len() >= MAX_WAITING
    }
}

impl Waiting {
    fn fail(self, nodes: &[NodeStatus], code: FailureCode, why: &str) {
        drop(self.reply.send(Err(unreadable(&nodes[self.node], code, why))));
    }
}

impl Devnet {
    /// Asks for a page on somebody's behalf.
    pub(super) fn read_inbox(
        &mut self,
        now: Moment,
        client: &str,
        after: u64,
        reply: Reply<Inbox>,
    ) {
        let node = match self.client(client) {
            Ok(node) => node,
            Err(failure) => return drop(reply.send(Err(failure))),
        };
        if self.inboxes.is_full() {
            let why = "too many others wait already";
            let failure = unreadable(&self.store.nodes()[node], FailureCode::Other, why);
            return drop(reply.send(Err(failure)));
        }
        let deadline = now.t + INBOX_TIMEOUT;
        self.inboxes.0.push(Waiting { node, after, deadline, asked: None, reply });
        self.ask_for_pages(node);
        self.refuse_pages(node);
    }

    /// Asks the process of a client, if there is one, for every page that nobody was asked for.
    pub(super) fn ask_for_pages(&mut self, node: usize) {
        let source = Source { node, generation: self.nodes[node].generation };
        for index in (0..self.inboxes.0.len()).rev() {
            let waiting = &self.inboxes.0[index];
            let after = waiting.after;
            if waiting.node != node || waiting.asked.is_some() || self.nodes[node].child.is_none() {
                continue;
            }
            if let Some(id) = self.ask(node, Question::Inbox { after }) {
                self.inboxes.0[index].asked = Some((source, id));
            } else {
                let waiting = self.inboxes.0.swap_remove(index);
                let why = "it takes no requests";
                waiting.fail(self.store.nodes(), FailureCode::NotRunning, why);
            }
        }
    }

    /// Refuses the pages of a client that does not run and is not about to.
    pub(super) fn refuse_pages(&mut self, node: usize) {
        let process = &self.nodes[node].process;
        if !matches!(process.state(), State::Stopped | State::Failed) {
            return;
        }
        let why = format!("it {}: {}", process.state().phrase(), process.reason());
        for waiting in self.inboxes.0.extract_if(.., |waiting| waiting.node == node) {
            waiting.fail(self.store.nodes(), FailureCode::NotRunning, &why);
        }
    }

    /// Hands on a page. Gives back the answer if it is not one to such a question.
    pub(super) fn page_answered(&mut self, source: Source, answer: Answer) -> Option<Answer> {
        let mut waiting = self.inboxes.0.iter_mut();
        let Some(index) = waiting.position(|waiting| waiting.asked == Some((source, answer.id)))
        else {
            return Some(answer);
        };
        let is_ending = self.nodes[source.node].process.state() == State::Stopping;
        if is_ending && matches!(answer.outcome, Outcome::Refused { .. }) {
            // Its next process, if there will be one, is asked again.
            return None;
        }
        let waiting = self.inboxes.0.swap_remove(index);
        let nodes = self.store.nodes();
        match answer.outcome {
            Outcome::Inbox { messages, more } => {
                let client = &nodes[source.node].name;
                let messages = messages.into_iter().map(|message| named(client, message)).collect();
                // It fails when whoever asked has stopped waiting.
                drop(waiting.reply.send(Ok(Inbox { messages, more })));
            }
            Outcome::Refused { reason } => {
                waiting.fail(nodes, FailureCode::Other, &format!("it refused: {reason}"));
            }
            Outcome::Done | Outcome::Accepted { .. } | Outcome::Pong { .. } => {
                waiting.fail(nodes, FailureCode::Other, "it answered something else");
            }
        }
        None
    }

    /// Ends the waits that are due.
    pub(super) fn expire_pages(&mut self, now: Time) {
        for waiting in self.inboxes.0.extract_if(.., |waiting| waiting.deadline <= now) {
            let process = &self.nodes[waiting.node].process;
            let limit = humantime::format_duration(INBOX_TIMEOUT);
            let (state, reason) = (process.state().phrase(), process.reason());
            let why = format!("no answer within {limit}; it {state}: {reason}");
            waiting.fail(self.store.nodes(), FailureCode::DeadlinePassed, &why);
        }
    }
}

fn named(client: &str, message: contract::InboxMessage) -> InboxMessage {
    let contract::InboxMessage { number, message: id, unix_ms, content } = message;
    InboxMessage { client: client.into(), number, id, unix_ms, content }
}

fn unreadable(client: &NodeStatus, code: FailureCode, why: &str) -> Failure {
    let name = &client.name;
    let failure = Failure::new(code, format!("cannot read the inbox of `{name}`: {why}"));
    let failure = failure.node(name).log(client.log_file.display().to_string());
    if matches!(client.state, State::Stopped | State::Failed) {
        return failure
            .hint(format!("`nym-devnet start {name}` starts it; it has kept what it received"));
    }
    failure
}
