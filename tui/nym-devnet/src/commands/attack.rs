//! `attack`: somebody is the adversary on a link of his own devnet, and sees what is answered.

use std::time::Duration;

use control::{AttackPlan, AttackRequest, AttackStatus, Failure, FailureCode, Verdict};
use serde::Serialize;

use crate::cli::{AttackCommand, FlipArgs, IsolateArgs, ReplayArgs, SkipArgs};
use crate::context::Context;
use crate::signals::Signals;
use crate::stop::{Outcome, Stop};

/// An attack that is over.
#[derive(Serialize)]
struct Over<'a> {
    #[serde(flatten)]
    status: &'a AttackStatus,
    /// What people read of it.
    sentences: Vec<String>,
}

pub(crate) async fn run(context: &Context, command: AttackCommand) -> Outcome {
    let client = context.connect(None)?;
    let mut signals = Signals::new()?;
    let request = request(command);
    context.output.detail(&request.plan.title());
    let status = tokio::select! {
        status = client.attack(&request) => status?,
        // The attack goes on: what is held back is let go in time, whoever looks.
        number = signals.next() => return Err(Stop::Signal(number)),
    };
    let over = Over { status: &status, sentences: status.sentences() };
    let failed = failure(&status);
    let text = |_| {
        let verdict = status.verdict().map_or("underway", Verdict::word);
        format!("{}: {verdict}\n{}", status.plan.title(), over.sentences.join("\n"))
    };
    context.output.result_with("attack", Some(context.name()), &over, failed, text)
}

/// What the supervisor is asked.
fn request(command: AttackCommand) -> AttackRequest {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (plan, wait) = match command {
        AttackCommand::Replay(ReplayArgs { link, times }) => {
            (AttackPlan::Replay { from: link.from, to: link.to, times }, link.wait)
        }
        AttackCommand::Flip(FlipArgs { link, part, bit }) => {
            (AttackPlan::Flip { from: link.from, to: link.to, part: part.into(), bit }, link.wait)
        }
        AttackCommand::Skip(SkipArgs { client, layer }) => {
            (AttackPlan::Skip { client, layer }, Duration::ZERO)
        }
        AttackCommand::Isolate(IsolateArgs { mix, target, time }) => {
            (AttackPlan::Isolate { mix, target, for_ms: ms(time) }, Duration::ZERO)
        }
    };
    AttackRequest { plan, wait_ms: ms(wait) }
}

/// What a script is to know if it did not come to what is to be expected.
fn failure(status: &AttackStatus) -> Option<Failure> {
    if status.is_as_expected() {
        return None;
    }
    let title = status.plan.title();
    let failure = |what: &str| Failure::new(FailureCode::SendFailed, format!("{title}: {what}"));
    Some(match status.verdict() {
        Some(Verdict::NotDone) => failure("it was not carried out")
            .hint("`nym-devnet metrics` shows what carries packets; `--wait` waits longer for one"),
        Some(Verdict::Through) => match &status.plan {
            AttackPlan::Skip { layer: Some(1), .. } => failure("it went through")
                .hint("any other layer is refused by the mixnode in front of it"),
            _ => failure("it went through")
                .hint("`nym-devnet status` shows whether the devnet runs with --faithful"),
        },
        _ if !status.trace => {
            failure("no answer was seen").hint("`up --trace on` lets nodes tell of each packet")
        }
        _ => failure("no answer was seen").hint("`nym-devnet status` says what is not ready"),
    })
}
