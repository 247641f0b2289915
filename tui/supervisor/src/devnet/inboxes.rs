//! Pages of inboxes that somebody asked for and waits for.
//!
//! Clients keep their inboxes, so each page is asked of a client's process. One that ends before it
//! has answered is asked again when it is back.

use contract::{Answer, Command as Question, Outcome, Time};
use control::{Failure, FailureCode, INBOX_TIMEOUT, Inbox, InboxMessage, NodeStatus, State};

use super::{Devnet, Node};
use crate::ask::Reply;
use crate::child::Source;
use crate::clock::Moment;
use crate::names::no_such_node;
use crate::store::Store;

/// Questions that can wait at the same time. Each answer has up to a megabyte.
const MAX_WAITING: usize = 64;

/// Everybody who waits for a page.
#[derive(Debug, Default)]
pub(super) struct Inboxes(Vec<Waiting>);

/// One who waits.
#[derive(Debug)]
struct Waiting {
    /// Name of the client.
    client: String,
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
    pub(super) fn give_up(&mut self, store: &Store, why: &str) {
        for waiting in self.0.drain(..) {
            waiting.fail(store, FailureCode::NotRunning, why);
        }
    }

    /// Whether there is no room for one more. Who stopped waiting takes up none.
    fn is_full(&mut self) -> bool {
        self.0.retain(|waiting| !waiting.reply.is_closed());
        self.0.len() >= MAX_WAITING
    }
}

impl Waiting {
    fn fail(self, store: &Store, code: FailureCode, why: &str) {
        let failure = match store.node(&self.client) {
            Some(client) => unreadable(client, code, why),
            None => no_such_node("client", &self.client, std::iter::empty()),
        };
        drop(self.reply.send(Err(failure)));
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
        let client = client.to_owned();
        self.inboxes.0.push(Waiting { client, after, deadline, asked: None, reply });
        self.ask_for_pages(node);
        self.refuse_pages(node);
    }

    /// Asks the process of a client, if there is one, for every page that nobody was asked for.
    pub(super) fn ask_for_pages(&mut self, node: usize) {
        let source = self.source(node);
        for index in (0..self.inboxes.0.len()).rev() {
            let waiting = &self.inboxes.0[index];
            let after = waiting.after;
            let Node { plan, child, .. } = &self.nodes[node];
            if waiting.client != plan.name || waiting.asked.is_some() || child.is_none() {
                continue;
            }
            if let Some(id) = self.ask(node, Question::Inbox { after }) {
                self.inboxes.0[index].asked = Some((source, id));
            } else {
                let waiting = self.inboxes.0.swap_remove(index);
                let why = "it takes no requests";
                waiting.fail(&self.store, FailureCode::NotRunning, why);
            }
        }
    }

    /// Refuses the pages of a client that does not run and is not about to.
    pub(super) fn refuse_pages(&mut self, node: usize) {
        let Node { plan, process, .. } = &self.nodes[node];
        if !matches!(process.state(), State::Stopped | State::Failed) {
            return;
        }
        let why = format!("it {}: {}", process.state().phrase(), process.reason());
        for waiting in self.inboxes.0.extract_if(.., |waiting| waiting.client == plan.name) {
            waiting.fail(&self.store, FailureCode::NotRunning, &why);
        }
    }

    /// Hands on a page. Gives back the answer if it is not one to such a question.
    pub(super) fn page_answered(
        &mut self,
        node: usize,
        source: Source,
        answer: Answer,
    ) -> Option<Answer> {
        let mut waiting = self.inboxes.0.iter_mut();
        let Some(index) = waiting.position(|waiting| waiting.asked == Some((source, answer.id)))
        else {
            return Some(answer);
        };
        let is_ending = self.nodes[node].process.state() == State::Stopping;
        if is_ending && matches!(answer.outcome, Outcome::Refused { .. }) {
            // Its next process, if there will be one, is asked again.
            return None;
        }
        let waiting = self.inboxes.0.swap_remove(index);
        let store = &self.store;
        match answer.outcome {
            Outcome::Inbox { messages, more, last } => {
                let client = &waiting.client;
                let messages = messages.into_iter().map(|message| named(client, message)).collect();
                // It fails when whoever asked has stopped waiting.
                drop(waiting.reply.send(Ok(Inbox { messages, more, last })));
            }
            Outcome::Refused { reason } => {
                waiting.fail(store, FailureCode::Other, &format!("it refused: {reason}"));
            }
            Outcome::Done
            | Outcome::Accepted { .. }
            | Outcome::Pong { .. }
            | Outcome::Attacked { .. } => {
                waiting.fail(store, FailureCode::Other, "it answered something else");
            }
        }
        None
    }

    /// Ends the waits that are due.
    pub(super) fn expire_pages(&mut self, now: Time) {
        for waiting in self.inboxes.0.extract_if(.., |waiting| waiting.deadline <= now) {
            let Some(client) = self.store.node(&waiting.client) else { continue };
            let limit = humantime::format_duration(INBOX_TIMEOUT);
            let (state, reason) = (client.state.phrase(), &client.reason);
            let why = format!("no answer within {limit}; it {state}: {reason}");
            waiting.fail(&self.store, FailureCode::DeadlinePassed, &why);
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
