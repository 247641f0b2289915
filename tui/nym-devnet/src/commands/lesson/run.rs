//! `lesson run`: somebody goes through a lesson.

use std::io::{self, IsTerminal as _, Write as _};

use control::{Failure, FailureCode};
use lessons::{End, Left, Mode, Play};
use serde::Serialize;
use tutor::Learnt;

use super::drive::{Ended, Learner, drive};
use super::find::find;
use super::network;
use super::paint::Painter;
use super::remember::Memory;
use crate::cli::LessonRunArgs;
use crate::context::Context;
use crate::output::Output;
use crate::signals::Signals;
use crate::stop::Outcome;

#[derive(Serialize)]
struct Run<'a> {
    lesson: &'a str,
    #[serde(flatten)]
    end: &'a End,
    /// Whether the devnet was started for it.
    started: bool,
    /// Whether it still runs.
    runs: bool,
}

pub(super) async fn run(context: &Context, args: &LessonRunArgs) -> Outcome {
    let lesson = find(&args.lesson)?;
    let name = context.name();
    let memory = Memory::of(context);
    let Some(_hold) = memory.hold(name) else {
        let message = format!("a lesson is underway on `{name}`");
        return Err(Failure::new(FailureCode::Busy, message)
            .hint("leave it where it runs, or take another devnet with `--name`")
            .into());
    };
    let mut signals = Signals::new()?;
    let asks = io::stdin().is_terminal() && io::stdout().is_terminal();
    let is_running = context.folder(None)?.is_running()?;
    let (supervisor, client) = if is_running {
        (None, context.connect(None)?)
    } else {
        context.output.note(&format!("no devnet runs: starting `{name}` for the lesson"));
        let needs = &lesson.network;
        let started = network::start(context, name, needs, "preferred", &mut signals).await?;
        (Some(started.0), started.1)
    };
    let mut left = memory.read().left(name).cloned();
    if let Some(Left { before, .. }) = &left
        && client.status().await?.devnet.started_unix_ms != before.started_unix_ms
    {
        // That was another devnet of the name.
        left = None;
    }
    if let Some(left) = &left {
        context.output.note(&format!(
            "the lesson `{}` did not end here: after this one `{name}` is put back to what it was before that",
            left.lesson
        ));
    }
    let before = left.map(|left| left.before);
    let mut play = Play::new(lesson.clone(), Mode::Learner, before);
    let mut learner = Learner::new(asks);
    let mut painter = Painter::new(context.output, name, &lesson, memory.clone(), asks);
    let ended = drive(&client, &mut play, Some(&mut learner), &mut signals, &mut painter).await;
    let end = match &ended {
        // Nothing was changed; or it was, and is remembered until a lesson puts it back.
        Ok(_) if play.before().is_none() || play.unrestored().is_some() => None,
        Ok(ended) => Some(ended.end.clone()),
        // There is nothing left to be put back. Where that cannot be known it stays remembered.
        Err(_) if is_gone(context) => Some(End::Left),
        Err(_) => None,
    };
    if let Some(end) = end {
        let (lesson, devnet) = (lesson.slug.clone(), name.to_owned());
        memory.add(&Learnt::Ended { lesson, devnet, end });
    }
    let ended = ended.and_then(Ended::outcome);
    let started = supervisor.is_some();
    let mut runs = is_running;
    if let Some(supervisor) = supervisor {
        // A terminal that cannot be asked is gone: the devnet ends as if it had said so.
        let stays =
            ended.is_ok() && asks && !ends(&mut learner, name, &mut signals).await.unwrap_or(true);
        if stays {
            supervisor.detach().await?;
            runs = true;
        } else {
            supervisor.end().await;
        }
    }
    let end = ended?;
    let run = Run { lesson: &lesson.slug, end: &end, started, runs };
    context.output.result_with("lesson", Some(name), &run, failure(&end), |_| words(&run))
}

fn is_gone(context: &Context) -> bool {
    context.folder(None).is_ok_and(|folder| folder.is_running().is_ok_and(|runs| !runs))
}

/// Asks whether the devnet that was started for the lesson shall end with it.
async fn ends(learner: &mut Learner, name: &str, signals: &mut Signals) -> Outcome<bool> {
    let mut stdout = io::stdout();
    write!(stdout, "\nStop `{name}` again? [Y/n] ")?;
    stdout.flush()?;
    let line = tokio::select! {
        line = learner.next() => line,
        _ = signals.next() => None,
    };
    let stays = line.is_some_and(|line| matches!(line.trim(), "n" | "N" | "no"));
    if stays {
        let word = control::shell_word(name);
        Output::text_line(&format!("`nym-devnet down {word}` stops it."))?;
    }
    Ok(!stays)
}

fn failure(end: &End) -> Option<Failure> {
    match end {
        End::Finished { .. } | End::Left => None,
        End::Unfit { why } => {
            let message = format!("this devnet is not one for the lesson: {why}");
            Some(Failure::new(FailureCode::Usage, message).hint(
                "`--name` of a devnet that does not run yet lets the lesson start one of its own",
            ))
        }
        End::Late { what, .. } => {
            let message = format!("it did not come to this: {what}");
            Some(Failure::new(FailureCode::SendFailed, message))
        }
        End::Failed { why } => Some(Failure::new(FailureCode::SendFailed, why.clone())),
    }
}

fn words(run: &Run<'_>) -> String {
    match run.end {
        End::Finished { asked: 0, .. } => "\nThe lesson is done.".into(),
        End::Finished { right, asked } => {
            format!("\nThe lesson is done: {right} of {asked} answers were right.")
        }
        End::Left => "\nYou left the lesson.".into(),
        End::Unfit { .. } | End::Late { .. } | End::Failed { .. } => String::new(),
    }
}
