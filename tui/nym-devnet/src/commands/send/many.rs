//! Messages that are counted or followed: as many as wanted, as fast as wanted, each to its end.

use std::fmt::Write as _;
use std::pin::Pin;
use std::time::Duration;

use control::{
    ControlClient, ControlError, Failure, FailureCode, MessageStatus, SendRequest, SendWait,
    StreamEvent,
};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::content::Contents;
use super::steps::{Step, steps};
use super::tally::{News, Summary, Tally};
use super::way;
use super::ways::{Over, Ways};
use crate::cli::SendArgs;
use crate::commands::delays::Delays;
use crate::context::Context;
use crate::output::{Output, unix_ms_now};
use crate::signals::Signals;
use crate::stop::{Outcome, Stop};

/// Messages that are on their way at the same time while their ends are waited for. The supervisor
/// remembers a thousand.
const MAX_OPEN: usize = 500;

type Sending = Pin<Box<dyn Future<Output = Result<MessageStatus, ControlError>>>>;

#[derive(Serialize)]
struct Report<'a> {
    from: &'a str,
    to: &'a str,
    /// How many were asked for.
    count: u32,
    accepted: u32,
    /// Only of those whose end was waited for.
    #[serde(flatten)]
    summary: Option<Summary>,
    /// Whether nodes tell of packets, so that ways could be shown; of what is followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    traced: Option<bool>,
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    /// Which of the messages of this command, from 1.
    number: u32,
    #[serde(flatten)]
    step: &'a Step,
}

pub(super) async fn run(context: &Context, args: &SendArgs) -> Outcome {
    let contents = Contents::of(args)?;
    let client = context.connect(None)?;
    let mut signals = Signals::new()?;
    let mut run = Run {
        context,
        args,
        contents,
        tally: Tally::new(args.timeout, args.follow),
        ways: Ways::default(),
        count: args.count.unwrap_or(1),
        asked: 0,
        failure: None,
    };
    let ended = tokio::select! {
        ended = run.send(&client) => ended,
        signal = signals.next() => Err(Stop::Signal(signal)),
    };
    // Told also of what was interrupted: the messages are on their way.
    match ended {
        Ok(()) => run.report(),
        Err(Stop::Signal(signal)) => run.report().and(Err(Stop::Signal(signal))),
        Err(stop) => Err(stop),
    }
}

struct Run<'a> {
    context: &'a Context,
    args: &'a SendArgs,
    contents: Contents,
    tally: Tally,
    ways: Ways,
    count: u32,
    /// How many its client was asked to send.
    asked: u32,
    /// Why no more are sent.
    failure: Option<Failure>,
}

impl Run<'_> {
    /// Whether anybody wants to know what becomes of what was accepted.
    fn waits(&self) -> bool {
        self.args.wait || self.args.follow
    }

    async fn send(&mut self, client: &ControlClient) -> Outcome {
        let waits = self.waits();
        // Open before the first is sent, so that nothing happens unseen.
        let mut events = if waits { Some(client.events().await?) } else { None };
        let period =
            self.args.rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.0 / rate));
        let mut next_at = Instant::now();
        let mut sending: Option<Sending> = None;
        loop {
            let has_more = self.failure.is_none() && self.asked < self.count;
            let is_open = waits && (self.tally.open() > 0 || self.ways.next_deadline().is_some());
            if sending.is_none() && !has_more && !is_open {
                return Ok(());
            }
            let has_room = !waits || self.tally.open() + self.ways.open() < MAX_OPEN;
            let deadlines = [self.tally.next_deadline(), self.ways.next_deadline()];
            let deadline = deadlines.into_iter().flatten().min().filter(|_| waits);
            tokio::select! {
                () = sleep_until(next_at), if has_more && has_room && sending.is_none() => {
                    self.asked += 1;
                    // Who is late catches up.
                    next_at += period;
                    sending = Some(self.ask(client));
                }
                answer = pending(&mut sending) => {
                    sending = None;
                    match answer {
                        Ok(_) if !waits => self.tally.accepted_only(),
                        Ok(status) => {
                            let number = self.asked;
                            let news = self.tally.accepted(Instant::now(), number, status);
                            self.tell(&news, unix_ms_now())?;
                        }
                        Err(error) => self.failure = Some(error.into()),
                    }
                }
                event = next_of(&mut events) => {
                    let Some((unix_ms, event)) = event? else {
                        let why = "the devnet went down meanwhile; its clients keep their messages";
                        self.failure = Some(Failure::new(FailureCode::NoSuchDevnet, why));
                        return Ok(());
                    };
                    let statuses = match event {
                        StreamEvent::Snapshot(snapshot) => {
                            self.ways.begin(snapshot.devnet.trace, snapshot.journeys);
                            snapshot.messages
                        }
                        StreamEvent::Message(status) => vec![status],
                        StreamEvent::Journey(step) => {
                            self.ways.hear(step);
                            Vec::new()
                        }
                        _ => Vec::new(),
                    };
                    let news = statuses.into_iter().filter_map(|status| self.tally.take(status));
                    let news: Vec<News> = news.collect();
                    self.tell(&news, unix_ms)?;
                    self.tell_ways()?;
                }
                () = until(deadline) => {
                    let now = Instant::now();
                    for (number, status) in self.tally.expire(now) {
                        if let Some(status) = status.filter(|_| self.args.follow) {
                            self.ways.wait_for(now, number, status);
                        }
                    }
                    self.tell_ways()?;
                }
            }
        }
    }

    fn ask(&self, client: &ControlClient) -> Sending {
        let request = SendRequest {
            from: self.args.from.clone(),
            to: self.args.to.clone(),
            content: self.contents.of_number(self.asked),
            wait: SendWait::Accepted,
            timeout_ms: u64::try_from(self.args.timeout.as_millis()).unwrap_or(u64::MAX),
        };
        let client = client.clone();
        Box::pin(async move { client.send(&request).await })
    }

    fn tell(&mut self, news: &[News], unix_ms: u64) -> Outcome {
        if !self.args.follow {
            return Ok(());
        }
        for News { number, before, now, is_over } in news {
            for step in &steps(before.as_ref(), now, unix_ms) {
                let (id, number) = (now.id.as_str(), *number);
                if self.context.output.is_json() {
                    let told = Told { id, number, step };
                    Output::json_event("message-step", self.context.name(), told)?;
                } else if self.count == 1 {
                    Output::text_line(&step.text())?;
                } else {
                    Output::text_line(&format!("#{number:<4} {}", step.text()))?;
                }
            }
            if *is_over {
                self.ways.wait_for(Instant::now(), *number, now.clone());
            }
        }
        Ok(())
    }

    /// Tells the ways of those messages that are over, as soon as nothing more of them can come.
    fn tell_ways(&mut self) -> Outcome {
        for over in self.ways.take_told(Instant::now()) {
            let Over { number, status, .. } = &over;
            let ways: Vec<_> = self.ways.of(&status.id).collect();
            if self.context.output.is_json() {
                for journey in ways {
                    if let Some(told) = way::json(*number, status, journey) {
                        Output::json_event("message-journey", self.context.name(), told)?;
                    }
                }
            } else if self.count == 1 {
                Output::text_line(&way::text(self.context.output, status, &ways))?;
            } else {
                for line in ways.into_iter().filter_map(|journey| way::line(status, journey)) {
                    Output::text_line(&format!("#{number:<4} {line}"))?;
                }
            }
        }
        Ok(())
    }

    fn report(mut self) -> Outcome {
        let (from, to) = (self.args.from.as_str(), self.args.to.as_str());
        let accepted = self.tally.all();
        let summary = self.waits().then(|| self.tally.summary());
        let failure =
            self.failure.take().or_else(|| summary.as_ref().and_then(|all| self.shortfall(all)));
        if let Some(failure) = failure.clone().filter(|_| accepted == 0) {
            return Err(failure.into());
        }
        let traced = self.ways.traced().filter(|_| self.args.follow);
        let report = Report { from, to, count: self.count, accepted, summary, traced };
        self.context
            .output
            .result_with("send", Some(self.context.name()), &report, failure, |_| text(&report))
    }

    fn shortfall(&self, summary: &Summary) -> Option<Failure> {
        let SendArgs { from, to, timeout, .. } = self.args;
        let of = self.tally.all();
        let failure = |code, what: String| {
            Failure::new(code, format!("cannot send from `{from}` to `{to}`: {what}")).node(from)
        };
        if summary.failed > 0 {
            let why =
                self.tally.why().filter(|why| !why.is_empty()).unwrap_or("its client gave up");
            let what = format!("{} of {of} failed, the first: {why}", summary.failed);
            return Some(failure(FailureCode::SendFailed, what));
        }
        (summary.lost > 0).then(|| {
            let limit = humantime::format_duration(*timeout);
            let what = format!("{} of {of} not delivered within {limit}", summary.lost);
            failure(FailureCode::DeadlinePassed, what)
        })
    }
}

fn text(report: &Report<'_>) -> String {
    let Report { from, to, count, accepted, summary, traced } = report;
    let mut text = format!("{from} → {to}: {accepted} of {count} accepted");
    let Some(Summary { delivered, failed, lost, delay_ms }) = summary else { return text };
    // Writing into a string cannot fail.
    let _ = write!(text, ", {delivered} delivered, {failed} failed, {lost} lost");
    if let Some(Delays { min, median, p95, max }) = delay_ms {
        let _ = write!(
            text,
            "; delay min {min:.0}, median {median:.0}, 95 % {p95:.0}, max {max:.0} ms"
        );
    }
    if *traced == Some(false) {
        text.push_str("\nits way is not known: tracing is off (`nym-devnet up --trace on`)");
    }
    text
}

async fn pending(sending: &mut Option<Sending>) -> Result<MessageStatus, ControlError> {
    match sending {
        Some(sending) => sending.await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// What the next event tells, and when.
async fn next_of(
    events: &mut Option<control::EventStream>,
) -> Result<Option<(u64, StreamEvent)>, ControlError> {
    let Some(events) = events else { return std::future::pending().await };
    loop {
        let Some(envelope) = events.next().await? else { return Ok(None) };
        match envelope.event {
            StreamEvent::Down { .. } => return Ok(None),
            event @ (StreamEvent::Snapshot(_)
            | StreamEvent::Message(_)
            | StreamEvent::Journey(_)) => return Ok(Some((envelope.unix_ms, event))),
            _ => {}
        }
    }
}
