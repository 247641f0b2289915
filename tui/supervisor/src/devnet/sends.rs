//! Messages that somebody asked to be sent and waits for.

use std::time::Duration;

use contract::{Answer, Outcome, Time};
use control::{Failure, FailureCode, MessageState, MessageStatus, NodeStatus, SendWait, State};

use crate::ask::Reply;
use crate::child::Source;
use crate::exit::Exit;
use crate::store::Store;

/// Requests that can wait at the same time.
const MAX_WAITING: usize = 1024;

/// Everybody who waits for a message.
#[derive(Debug, Default)]
pub(super) struct Sends(Vec<Waiting>);

/// One who waits.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The sending process.
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
    /// The request with this id is not answered.
    Asked(u64),
    /// The message has this id.
    Accepted(String),
}

impl Sends {
    /// Whether there is no room for one more.
    pub(super) fn is_full(&mut self) -> bool {
        self.forget_who_left();
        self.0.len() >= MAX_WAITING
    }

    pub(super) fn add(&mut self, waiting: Waiting) {
        self.0.push(waiting);
    }

    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.0.iter().map(|waiting| waiting.deadline).min()
    }

    /// A process answered a request.
    pub(super) fn answered(&mut self, source: Source, answer: Answer, store: &Store) {
        let is_it = |waiting: &Waiting| {
            waiting.source == source && matches!(waiting.stage, Stage::Asked(id) if id == answer.id)
        };
        let Some(index) = self.0.iter().position(is_it) else { return };
        match answer.outcome {
            Outcome::Accepted { message } => {
                self.0[index].stage = Stage::Accepted(message.clone());
                self.message_changed(&message, store);
            }
            Outcome::Refused { reason } => {
                let waiting = self.0.swap_remove(index);
                waiting.fail(FailureCode::SendFailed, &format!("refused: {reason}"));
            }
            Outcome::Done | Outcome::Inbox { .. } | Outcome::Pong { .. } => {
                let waiting = self.0.swap_remove(index);
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
        for waiting in &mut self.0 {
            waiting.sender_ended |= waiting.source == source;
        }
        for waiting in self.0.extract_if(.., |waiting| waiting.has_heard_all(source, store)) {
            let status = match &waiting.stage {
                Stage::Asked(_) => None,
                Stage::Accepted(id) => store.message(id),
            };
            if let Some(status) = status {
                waiting.give(status);
            } else {
                let why = format!("`{}` ended before it answered: {exit}", waiting.from);
                waiting.fail(FailureCode::NotRunning, &why);
            }
        }
    }

    /// A client does not run and is not about to: what it has not sent stays with it.
    pub(super) fn sender_rests(&mut self, sender: &NodeStatus, store: &Store) {
        let stays = |waiting: &mut Waiting| {
            let Stage::Accepted(id) = &waiting.stage else { return false };
            waiting.from == sender.name && !store.message(id).is_some_and(has_left)
        };
        for waiting in self.0.extract_if(.., stays) {
            let NodeStatus { name, state, reason, .. } = sender;
            let why = format!(
                "`{name}` {}: {reason}; it has kept the message and sends it when it is started",
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
                Stage::Asked(_) => "its client has not answered".into(),
                Stage::Accepted(id) => match store.message(id) {
                    Some(status) if status.delivered_ms.is_some() => {
                        waiting.give(status);
                        continue;
                    }
                    status => how_far(id, status, store.nodes().get(waiting.source.node)),
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
                Stage::Asked(_) => true,
                // It is there; how it came there is not told any more.
                Stage::Accepted(id) => {
                    store.message(id).is_none_or(|status| status.state >= MessageState::Delivered)
                }
            }
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
    use crate::testing::empty_snapshot;

    #[test]
    fn who_stops_waiting_makes_room() {
        let mut sends = Sends::default();
        let mut answers = Vec::new();
        for id in 0..MAX_WAITING {
            let (reply, answer) = oneshot::channel();
            answers.push(answer);
            sends.add(Waiting {
                source: Source { node: 0, generation: 1 },
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
