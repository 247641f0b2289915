//! `lesson check`: the machine goes through lessons, so that what they say stays true.
//!
//! Delays are a fifth and rates five times of what a learner has: pools, and all that follows from them, are
//! the same, in a fifth of the time. Lessons that need the same kind of network share a devnet.

use std::time::{Duration, Instant};

use control::{ControlClient, Failure, FailureCode};
use lessons::{Before, End, Lesson, Mode, Needs, Play, Show};
use serde::Serialize;

use super::drive::{Audience, drive};
use super::{find, network};
use crate::cli::LessonCheckArgs;
use crate::context::Context;
use crate::output::{Output, Tone};
use crate::signals::Signals;
use crate::stop::Outcome;

/// How many times faster than a learner's network.
const FASTER: u32 = 5;

/// How much longer than it took without a sabotage something is waited for with it: twice as long, and
/// this, for what came at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// How one lesson went.
#[derive(Serialize)]
struct Checked<'a> {
    number: u8,
    lesson: &'a str,
    /// How it ended.
    #[serde(flatten)]
    end: End,
    took_s: f64,
    /// Whether its goal stayed out of reach with its sabotage, if that was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    sabotage_holds: Option<bool>,
}

#[derive(Serialize)]
struct Report<'a> {
    lessons: Vec<Checked<'a>>,
    took_s: f64,
}

impl Checked<'_> {
    fn is_good(&self) -> bool {
        matches!(self.end, End::Finished { .. }) && self.sabotage_holds != Some(false)
    }

    fn line(&self, output: Output) -> String {
        let (tone, word) = if self.is_good() {
            (Tone::Good, "reached".to_owned())
        } else {
            let why = match &self.end {
                End::Finished { .. } => "reached in spite of its sabotage".to_owned(),
                End::Late { until, .. } => format!("not reached: `{until}`"),
                End::Unfit { why } | End::Failed { why } => why.clone(),
                End::Left => "left".into(),
            };
            (Tone::Bad, why)
        };
        let Self { number, lesson, took_s, .. } = self;
        format!("{number:>2}  {lesson:<12} {took_s:>6.1} s  {}", output.toned(tone, &word))
    }
}

pub(super) async fn run(context: &Context, args: &LessonCheckArgs) -> Outcome {
    let lessons: Vec<&'static Lesson> = if args.all {
        lessons::builtin().iter().collect()
    } else {
        args.lessons.iter().map(|word| find(word)).collect::<Result<_, _>>()?
    };
    let began = Instant::now();
    let mut signals = Signals::new()?;
    let mut checked = Vec::new();
    let mut rest: Vec<Lesson> = lessons.iter().map(|lesson| lesson.faster(FASTER)).collect();
    while let Some(first) = rest.first() {
        let needs = first.network.clone();
        let (same, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|lesson| kind(&lesson.network) == kind(&needs));
        rest = others;
        check(context, args, &needs, &same, &mut signals, &mut checked).await?;
    }
    let report = Report { lessons: checked, took_s: began.elapsed().as_secs_f64() };
    let bad: Vec<&str> = report
        .lessons
        .iter()
        .filter(|checked| !checked.is_good())
        .map(|checked| checked.lesson)
        .collect();
    let failed = (!bad.is_empty()).then(|| {
        let message = format!("lessons do not hold: {}", bad.join(", "));
        Failure::new(FailureCode::SendFailed, message)
    });
    context.output.result_with("lesson-check", None, &report, failed, |_| {
        format!("{} lessons in {:.0} s", report.lessons.len(), report.took_s)
    })
}

/// What of a network cannot be changed while it runs. Packets are acknowledged unless a lesson says no.
fn kind(needs: &Needs) -> (u8, bool) {
    (needs.layers, needs.acks.unwrap_or(true))
}

/// Goes through lessons on one devnet, which ends with them.
async fn check(
    context: &Context,
    args: &LessonCheckArgs,
    needs: &Needs,
    lessons: &[Lesson],
    signals: &mut Signals,
    checked: &mut Vec<Checked<'static>>,
) -> Outcome {
    let name = format!("lesson-check-{}", std::process::id());
    let (supervisor, client) = network::start(context, &name, needs, "auto", signals).await?;
    let mut outcome = Ok(());
    for lesson in lessons {
        match one(context, args, &client, lesson, signals).await {
            Ok(one) => {
                if !context.output.is_json() {
                    Output::text_line(&one.line(context.output))?;
                }
                checked.push(one);
            }
            Err(stop) => {
                outcome = Err(stop);
                break;
            }
        }
    }
    supervisor.end().await;
    outcome
}

async fn one(
    context: &Context,
    args: &LessonCheckArgs,
    client: &ControlClient,
    lesson: &Lesson,
    signals: &mut Signals,
) -> Outcome<Checked<'static>> {
    let began = Instant::now();
    let mut audience = Nobody { output: context.output };
    let mut play = Play::new(lesson.clone(), Mode::Machine, None);
    let end = drive(client, &mut play, None, signals, &mut audience).await?;
    let mut sabotage_holds = None;
    if args.sabotage && matches!(end, End::Finished { .. }) {
        let patience = 2 * play.longest() + PATIENCE;
        let mut play = Play::new(lesson.clone(), Mode::Sabotaged { patience }, None);
        let end = drive(client, &mut play, None, signals, &mut audience).await?;
        sabotage_holds = Some(matches!(end, End::Late { .. }));
    }
    let known = lessons::find(&lesson.slug).map_or("", |lesson| lesson.slug.as_str());
    Ok(Checked {
        number: lesson.number,
        lesson: known,
        end,
        took_s: began.elapsed().as_secs_f64(),
        sabotage_holds,
    })
}

/// Who sees nothing but what was asked for with `--verbose`.
struct Nobody {
    output: Output,
}

impl Audience for Nobody {
    fn show(&mut self, show: &Show) -> Outcome {
        if self.output.verbose {
            let line = serde_json::to_string(show).map_err(std::io::Error::from)?;
            self.output.detail(&line);
        }
        Ok(())
    }

    fn begins(&mut self, _: &Before) {}

    fn prompts(&mut self) -> Outcome {
        Ok(())
    }
}
