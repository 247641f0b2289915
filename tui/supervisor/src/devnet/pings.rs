//! Pings that somebody waits for.

use std::time::Duration;

use contract::{Answer, Command as Question, Outcome, Time};
use control::{Failure, FailureCode, PingRequest, Pong, State};

use super::Devnet;
use crate::ask::Reply;
use crate::child::Source;
use crate::clock::Moment;
use crate::exit::Exit;

/// Pings that can be waited for at the same time. A client takes sixteen.
const MAX_WAITING: usize = 256;

/// The longest that a ping is waited for.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// What the answers are told in.
const MILLISECOND: Duration = Duration::from_millis(1);

/// Everybody who waits for a ping.
#[derive(Debug, Default)]
pub(super) struct Pings(Vec<Waiting>);

/// One who waits.
#[derive(Debug)]
struct Waiting {
    client: String,
    /// Which process was asked, and the id of the request.
    asked: (Source, u64),
    deadline: Time,
    /// How long that was at the beginning.
    timeout: Duration,
    reply: Reply<Pong>,
}

impl Pings {
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.0.iter().map(|waiting| waiting.deadline).min()
    }

    /// Ends the waits that are due.
    pub(super) fn expire(&mut self, now: Time) {
        self.0.retain(|waiting| !waiting.reply.is_closed());
        for waiting in self.0.extract_if(.., |waiting| waiting.deadline <= now) {
            let limit = humantime::format_duration(waiting.timeout);
            waiting.fail(FailureCode::DeadlinePassed, &format!("no answer within {limit}"));
        }
    }

    /// A process ended: what it was asked is lost with it.
    pub(super) fn process_ended(&mut self, source: Source, exit: Exit) {
        for waiting in self.0.extract_if(.., |waiting| waiting.asked.0 == source) {
            waiting.fail(FailureCode::NotRunning, &format!("it ended before: {exit}"));
        }
    }

    /// The devnet ends.
    pub(super) fn give_up(&mut self, why: &str) {
        for waiting in self.0.drain(..) {
            waiting.fail(FailureCode::NotRunning, why);
        }
    }
}

impl Waiting {
    fn fail(self, code: FailureCode, why: &str) {
        // It fails when whoever asked has stopped waiting.
        drop(self.reply.send(Err(not_pinged(&self.client, code, why))));
    }
}

impl Devnet {
    /// Lets a client send a packet to itself, and tells when it is back.
    pub(super) fn ping(&mut self, now: Moment, request: PingRequest, reply: Reply<Pong>) {
        let timeout = Duration::from_millis(request.timeout_ms).min(MAX_TIMEOUT);
        let PingRequest { client, .. } = request;
        match self.begin_ping(&client) {
            Ok(asked) => {
                let deadline = now.t + timeout;
                self.pings.0.push(Waiting { client, asked, deadline, timeout, reply });
            }
            Err(failure) => drop(reply.send(Err(failure))),
        }
    }

    fn begin_ping(&mut self, client: &str) -> Result<(Source, u64), Failure> {
        let index = self.client(client)?;
        let refuse = |code, why: &str| Err(not_pinged(client, code, why));
        let status = &self.store.nodes()[index];
        if !status.state.is_running() || status.state == State::Stopping {
            let why = format!("it {}: {}", status.state.phrase(), status.reason);
            return refuse(FailureCode::NotRunning, &why);
        }
        self.pings.0.retain(|waiting| !waiting.reply.is_closed());
        if self.pings.0.len() >= MAX_WAITING {
            return refuse(FailureCode::Other, "too many others wait already");
        }
        match self.ask(index, Question::Ping) {
            Some(id) => Ok((self.source(index), id)),
            None => refuse(FailureCode::NotRunning, "it takes no requests"),
        }
    }

    /// Hands on what became of a ping. Gives back the answer if it is none to a ping.
    pub(super) fn ponged(&mut self, source: Source, answer: Answer) -> Option<Answer> {
        let mut waiting = self.pings.0.iter();
        let Some(index) = waiting.position(|waiting| waiting.asked == (source, answer.id)) else {
            return Some(answer);
        };
        let waiting = self.pings.0.swap_remove(index);
        match answer.outcome {
            Outcome::Pong { queued_us, travelled_us, asked_us, route } => {
                let milliseconds = |us| Duration::from_micros(us).div_duration_f64(MILLISECOND);
                let names = self.store.names();
                let pong = Pong {
                    queued_ms: milliseconds(queued_us),
                    travelled_ms: milliseconds(travelled_us),
                    asked_ms: milliseconds(asked_us),
                    route: route.iter().map(|hop| names.name_or_self(hop)).collect(),
                };
                drop(waiting.reply.send(Ok(pong)));
            }
            Outcome::Refused { reason } => waiting.fail(FailureCode::SendFailed, &reason),
            Outcome::Done
            | Outcome::Accepted { .. }
            | Outcome::Inbox { .. }
            | Outcome::Attacked { .. } => {
                waiting.fail(FailureCode::Other, "it answered something else");
            }
        }
        None
    }
}

fn not_pinged(client: &str, code: FailureCode, why: &str) -> Failure {
    Failure::new(code, format!("no ping from `{client}`: {why}")).node(client)
}
