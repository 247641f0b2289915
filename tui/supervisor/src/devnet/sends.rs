//! Messages that somebody asked to be sent and waits for.
//!
//! The supervisor chooses the id of a message. A client that ends before it has answered is asked again
//! when it is back, with the same id: it knows what it has kept, and its recipient what it has received,
//! so the message is sent exactly once.

use std::time::Duration;

use contract::{Answer, Command as Question, MAX_CONTENT_BYTES, Outcome, Time};
use control::{
    Failure, FailureCode, MessageState, MessageStatus, NodeStatus, SendRequest, SendWait, State,
    shown_argument,
};

use super::Devnet;
use crate::ask::Reply;
use crate::child::Source;
use crate::clock::Moment;
use crate::exit::Exit;
use crate::store::Store;

/// The longest that a send request is held.
const MAX_SEND_TIMEOUT: Duration = Duration::from_secs(3600);

/// Requests that can wait at the same time.
const MAX_WAITING: usize = 1024;

/// What those together may hold whose client has not answered yet: it does so within milliseconds,
/// unless it is away.
const MAX_UNANSWERED_BYTES: usize = 64 << 20;

/// Everybody who waits for a message.
#[derive(Debug, Default)]
pub(super) struct Sends(Vec<Waiting>);

/// One who waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The sending process, or the last one.
    pub(super) source: Source,
    /// Names of sender and recipient.
    pub(super) from: String,
    pub(super) to: String,
    /// Until when.
    pub(super) wait: SendWait,
    pub(super) deadline: Time,
    /// How long that was at the beginning.
    pub(super) timeout: Duration,
    pub(super) stage: Stage,
    /// Whether that process has ended.
    pub(super) sender_ended: bool,
    pub(super) reply: Reply<MessageStatus>,
}

/// How far it has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// The client has not answered.
    Asked(Unanswered),
    /// The message has this id.
    Accepted(String),
}

/// What a client is asked, until it has answered.
#[derive(Debug)]
pub(super) struct Unanswered {
    question: Question,
    bytes: usize,
    /// The id of the request to its running process. None while there is no process.
    request: Option<u64>,
    /// Why the last process did not answer.
    why: Option<String>,
}

impl Sends {
    /// Whether there is no room for one more.
    pub(super) fn is_full(&mut self) -> bool {
        self.forget_who_left();
        let unanswered = self.0.iter().filter_map(|waiting| match &waiting.stage {
            Stage::Asked(unanswered) => Some(unanswered.bytes),
            Stage::Accepted(_) => None,
        });
        self.0.len() >= MAX_WAITING || unanswered.sum::<usize>() > MAX_UNANSWERED_BYTES
    }

    pub(super) fn add(&mut self, waiting: Waiting) {
        self.0.push(waiting);
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.0.iter().map(|waiting| waiting.deadline).min()
    }

    /// A process answered a request. `is_ending` says that it was asked to end.
    pub(super) fn answered(
        &mut self,
        source: Source,
        answer: Answer,
        is_ending: bool,
        store: &Store,
    ) {
        let is_it = |waiting: &Waiting| match &waiting.stage {
            Stage::Asked(asked) => waiting.source == source && asked.request == Some(answer.id),
            Stage::Accepted(_) => false,
        };
        let Some(index) = self.0.iter().position(is_it) else { return };
        match answer.outcome {
            // Its next process, if there will be one, is asked again.
            Outcome::Refused { .. } if is_ending => {}
            Outcome::Accepted { message } => {
                self.0[index].stage = Stage::Accepted(message.clone());
                self.message_changed(&message, store);
            }
            Outcome::Refused { reason } => {
                let waiting = self.0.remove(index);
                waiting.fail(FailureCode::SendFailed, &format!("refused: {reason}"));
            }
            Outcome::Done
            | Outcome::Inbox { .. }
            | Outcome::Pong { .. }
            | Outcome::Attacked { .. } => {
                let waiting = self.0.remove(index);
                waiting.fail(FailureCode::SendFailed, "its client answered something else");
            }
        }
    }

    /// Something happened to a message.
    pub(super) fn message_changed(&mut self, message: &str, store: &Store) {
        let Some(status) = store.message(message) else { return };
        let is_it =
            |waiting: &mut Waiting| matches!(&waiting.stage, Stage::Accepted(id) if id == message);
        for waiting in self.0.extract_if(.., |waiting| is_it(waiting) && waiting.is_over(status)) {
            waiting.give(status);
        }
    }

    /// A process ended: nobody answers what it was asked. What it accepted it has kept, and its next
    /// process goes on with it.
    pub(super) fn sender_ended(&mut self, source: Source, exit: Exit, store: &Store) {
        for waiting in self.0.iter_mut().filter(|waiting| waiting.source == source) {
            waiting.sender_ended = true;
            if let Stage::Asked(asked) = &mut waiting.stage {
                asked.request = None;
                asked.why = Some(format!("it ended before it answered: {exit}"));
            }
        }
        for waiting in self.0.extract_if(.., |waiting| waiting.has_heard_all(source, store)) {
            let Stage::Accepted(id) = &waiting.stage else { continue };
            if let Some(status) = store.message(id) {
                waiting.give(status);
            } else {
                let why = format!("`{}` ended, and nothing is known of it: {exit}", waiting.from);
                waiting.fail(FailureCode::NotRunning, &why);
            }
        }
    }

    /// A client does not run and is not about to: what it has not sent stays with it.
    /// `next` is what lets it go on.
    pub(super) fn sender_rests(&mut self, sender: &NodeStatus, next: &str, store: &Store) {
        let NodeStatus { name, state, reason, .. } = sender;
        let stays = |waiting: &mut Waiting| {
            waiting.from == *name
                && match &waiting.stage {
                    Stage::Asked(asked) => asked.request.is_none(),
                    Stage::Accepted(id) => !store.message(id).is_some_and(has_left),
                }
        };
        for waiting in self.0.extract_if(.., stays) {
            if let Stage::Asked(asked) = &waiting.stage {
                let before = asked.why.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
                let why = format!("`{name}` {}: {reason}{before}", state.phrase());
                waiting.fail(FailureCode::NotRunning, &why);
                continue;
            }
            let why = format!(
                "`{name}` {}: {reason}; it has kept the message and sends it when it is {next}",
                state.phrase()
            );
            waiting.fail(FailureCode::NotRunning, &why);
        }
    }

    /// Forgets those who stopped waiting: they would take up room until their deadline.
    fn forget_who_left(&mut self) {
        self.0.retain(|waiting| !waiting.reply.is_closed());
    }

    /// Ends the waits that are due.
    pub(super) fn expire(&mut self, now: Time, store: &Store) {
        self.forget_who_left();
        for waiting in self.0.extract_if(.., |waiting| waiting.deadline <= now) {
            let limit = humantime::format_duration(waiting.timeout);
            let how_far = match &waiting.stage {
                Stage::Asked(asked) => {
                    let why = asked.why.as_ref().map(|why| format!("; {why}"));
                    format!("its client has not answered{}", why.unwrap_or_default())
                }
                Stage::Accepted(id) => match store.message(id) {
                    Some(status) if status.delivered_ms.is_some() => {
                        waiting.give(status);
                        continue;
                    }
                    status => how_far(id, status, store.node(&waiting.from)),
                },
            };
            let reason = format!("not {} within {limit}: {how_far}", waiting.goal());
            waiting.fail(FailureCode::DeadlinePassed, &reason);
        }
    }

    /// The devnet ends: nobody will hear of anything any more.
    pub(super) fn give_up(&mut self, reason: &str) {
        for waiting in self.0.drain(..) {
            waiting.fail(FailureCode::NotRunning, reason);
        }
    }
}

impl Waiting {
    fn goal(&self) -> &'static str {
        match self.wait {
            SendWait::Accepted => "accepted",
            SendWait::Delivered => "delivered",
        }
    }

    fn is_over(&self, status: &MessageStatus) -> bool {
        match self.wait {
            SendWait::Accepted => true,
            // Sender and recipient report through two pipes: the arrival can be read before the
            // last packet's route is. What a process that ended did not report is never known.
            SendWait::Delivered => {
                let routes_known = status.packets.iter().all(|packet| packet.attempts > 0);
                status.state == MessageState::Failed
                    || status.state >= MessageState::Delivered
                        && (routes_known || self.sender_ended)
            }
        }
    }

    /// Whether the end of this process leaves nothing to wait for.
    fn has_heard_all(&self, ended: Source, store: &Store) -> bool {
        self.source == ended
            && match &self.stage {
                Stage::Asked(_) => false,
                // It is there; how it came there is not told any more.
                Stage::Accepted(id) => {
                    store.message(id).is_none_or(|status| status.state >= MessageState::Delivered)
                }
            }
    }

    /// Whether this process was asked and has not answered.
    fn is_asked_of(&self, source: Source) -> bool {
        self.source == source
            && matches!(&self.stage, Stage::Asked(Unanswered { request: Some(_), .. }))
    }

    fn give(self, status: &MessageStatus) {
        match (status.state, &status.error) {
            (MessageState::Failed, reason) => {
                let reason = reason.as_deref().unwrap_or("its client gave up").to_owned();
                self.fail(FailureCode::SendFailed, &reason);
            }
            // It fails when whoever asked has stopped waiting.
            _ => drop(self.reply.send(Ok(status.clone()))),
        }
    }

    fn fail(self, code: FailureCode, reason: &str) {
        let message = format!("cannot send from `{}` to `{}`: {reason}", self.from, self.to);
        drop(self.reply.send(Err(Failure::new(code, message).node(self.from))));
    }
}

impl Devnet {
    /// Sends a message on somebody's behalf.
    pub(super) fn send(&mut self, now: Moment, request: SendRequest, reply: Reply<MessageStatus>) {
        let (index, question) = match self.check_send(&request) {
            Ok(checked) => checked,
            Err(failure) => return drop(reply.send(Err(failure))),
        };
        let timeout = Duration::from_millis(request.timeout_ms).min(MAX_SEND_TIMEOUT);
        let bytes = request.content.byte_count();
        self.sends.add(Waiting {
            source: self.source(index),
            from: request.from,
            to: shown_argument(&request.to),
            wait: request.wait,
            deadline: now.t + timeout,
            timeout,
            stage: Stage::Asked(Unanswered { question, bytes, request: None, why: None }),
            sender_ended: false,
            reply,
        });
        self.ask_for_sends(index);
    }

    fn check_send(&mut self, request: &SendRequest) -> Result<(usize, Question), Failure> {
        let SendRequest { from, to, content, .. } = request;
        let refuse = |code, why: String| {
            let to = shown_argument(to);
            Err(Failure::new(code, format!("cannot send from `{from}` to `{to}`: {why}"))
                .node(from))
        };
        let index = self.client(from)?;
        let address = self.recipient(to)?;
        let sender = &self.store.nodes()[index];
        // One that is not ready may keep it until it is; whether it does is for itself to say. One that
        // comes back is waited for.
        let takes = sender.state.is_running() && sender.state != State::Stopping;
        if !takes && !self.nodes[index].process.comes_back() {
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
        let id = format!("{:032x}", rand::random::<u128>());
        Ok((index, Question::Send { to: address, content: content.clone(), message: Some(id) }))
    }

    /// Asks the process of a client, if there is one, to send everything that none was asked to, oldest
    /// first. What it has no room for is asked when it has answered something.
    pub(super) fn ask_for_sends(&mut self, index: usize) {
        if self.nodes[index].child.is_none() {
            return;
        }
        let source = self.source(index);
        let name = self.nodes[index].plan.name.clone();
        let mut place = 0;
        while let Some(waiting) = self.sends.0.get(place) {
            let question = match &waiting.stage {
                Stage::Asked(Unanswered { request: None, question, .. })
                    if waiting.from == name =>
                {
                    question.clone()
                }
                _ => {
                    place += 1;
                    continue;
                }
            };
            let request = self.ask(index, question);
            let is_busy = self.sends.0.iter().any(|other| other.is_asked_of(source));
            let waiting = &mut self.sends.0[place];
            match &mut waiting.stage {
                Stage::Asked(asked) if request.is_some() => {
                    asked.request = request;
                    waiting.source = source;
                    waiting.sender_ended = false;
                    place += 1;
                }
                _ if is_busy => return,
                _ => {
                    let waiting = self.sends.0.remove(place);
                    waiting.fail(FailureCode::NotRunning, &format!("`{name}` takes no requests"));
                }
            }
        }
    }
}

/// Whether every packet of a message has left its sender.
fn has_left(message: &MessageStatus) -> bool {
    message.packets.iter().all(|packet| packet.attempts > 0 || packet.acknowledged)
}

/// How far a message has come that is not there in time, and what holds it up if its sender says so.
fn how_far(id: &str, status: Option<&MessageStatus>, sender: Option<&NodeStatus>) -> String {
    let Some(status) = status else { return format!("message {id} is not known any more") };
    let packets = status.packets.len();
    let sent = status.packets.iter().filter(|packet| packet.attempts > 0).count();
    let acknowledged = status.packets.iter().filter(|packet| packet.acknowledged).count();
    let state = status.state;
    let goes_on = match sender {
        Some(NodeStatus { name, state, reason, .. }) if *state != State::Ready => {
            format!("`{name}` {}: {reason}", state.phrase())
        }
        _ => "it is still on its way".into(),
    };
    format!(
        "message {id} is {}, {sent} of {packets} packets sent, {acknowledged} acknowledged; \
         {goes_on}",
        state.word()
    )
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::child::NodeId;
    use crate::testing::empty_snapshot;

    #[test]
    fn who_stops_waiting_makes_room() {
        let mut sends = Sends::default();
        let mut answers = Vec::new();
        for id in 0..MAX_WAITING {
            let (reply, answer) = oneshot::channel();
            answers.push(answer);
            sends.add(Waiting {
                source: Source { node: NodeId::default(), generation: 1 },
                from: "alice".into(),
                to: "bob".into(),
                wait: SendWait::Delivered,
                deadline: Time::from_nanos(u64::MAX),
                timeout: Duration::from_secs(3600),
                stage: Stage::Accepted(format!("{id}")),
                sender_ended: false,
                reply,
            });
        }
        assert!(sends.is_full(), "all of them wait");
        answers.pop();
        assert!(!sends.is_full());
        answers.clear();
        let store = Store::new(empty_snapshot().devnet, Vec::new());
        sends.expire(Time::from_nanos(0), &store);
        assert_eq!(sends.next_deadline(), None);
    }
}
