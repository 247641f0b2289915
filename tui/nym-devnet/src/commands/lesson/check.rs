//! `lesson check`: the machine goes through lessons, so that what they say stays true.
//!
//! Delays are a fifth and rates five times of what a learner has, unless the lesson says otherwise: pools, and
//! all that follows from them, are the same, in a fifth of the time. Lessons that need the same kind of network share a devnet.

use std::time::{Duration, Instant};

use control::{ControlClient, Failure, FailureCode};
use lessons::{Before, End, Lesson, Mode, Needs, Play, Show};
use serde::Serialize;

use super::drive::{Audience, drive};
use super::find::find;
use super::network;
use crate::cli::LessonCheckArgs;
use crate::context::Context;
use crate::output::{Output, Tone};
use crate::signals::Signals;
use crate::stop::Outcome;

/// How much longer than it took without a sabotage something is waited for with it: twice as long, and
/// this, for what came at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// How one lesson went.
#[derive(Serialize)]
struct Checked {
    number: u8,
    lesson: String,
    /// How it ended.
    #[serde(flatten)]
    end: End,
    took_s: f64,
    /// Its sabotages, if they were tried.
    sabotages: Vec<Sabotaged>,
    /// How long each step took.
    #[serde(skip)]
    times: Vec<Duration>,
}

/// How it went with a sabotage.
#[derive(Serialize)]
struct Sabotaged {
    /// Why a goal should have been out of reach.
    because: String,
    /// Whether it was.
    holds: bool,
    /// How it ended.
    #[serde(flatten)]
    end: End,
    took_s: f64,
}

#[derive(Serialize)]
struct Report {
    lessons: Vec<Checked>,
    took_s: f64,
}

/// One way through a lesson.
struct Turn {
    /// Which lesson, by its place.
    lesson: usize,
    /// Which of its sabotages, if any.
    sabotage: Option<usize>,
    /// What is played.
    plays: Lesson,
}

pub(super) async fn run(context: &Context, args: &LessonCheckArgs) -> Outcome {
    let lessons: Vec<Lesson> = if args.all {
        lessons::builtin().to_vec()
    } else {
        args.lessons.iter().map(|word| find(word)).collect::<Result<_, _>>()?
    };
    let lessons: Vec<Lesson> = lessons.iter().map(|lesson| lesson.faster(lesson.faster)).collect();
    let began = Instant::now();
    let mut signals = Signals::new()?;
    let mut checked: Vec<Option<Checked>> = lessons.iter().map(|_| None).collect();
    let mut rest = turns(&lessons, args.sabotage);
    while let Some(first) = rest.first() {
        let wanted = kind(&first.plays.network);
        let (same, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|turn| kind(&turn.plays.network) == wanted);
        rest = others;
        check(context, &same, &mut signals, &mut checked).await?;
    }
    let lessons = checked.into_iter().flatten().collect();
    let report = Report { lessons, took_s: began.elapsed().as_secs_f64() };
    let bad: Vec<&str> = report
        .lessons
        .iter()
        .filter(|checked| !checked.is_good())
        .map(|checked| checked.lesson.as_str())
        .collect();
    let failed = (!bad.is_empty()).then(|| {
        let message = format!("lessons do not hold: {}", bad.join(", "));
        Failure::new(FailureCode::SendFailed, message)
    });
    context.output.result_with("lesson-check", None, &report, failed, |_| {
        let count = report.lessons.len();
        let lessons = if count == 1 { "lesson" } else { "lessons" };
        format!("{count} {lessons} in {:.0} s", report.took_s)
    })
}

/// Each lesson as it is, and then with each of its sabotages: how long those are waited for follows from how
/// long it took without.
fn turns(lessons: &[Lesson], sabotages: bool) -> Vec<Turn> {
    let mut turns = Vec::new();
    for (place, lesson) in lessons.iter().enumerate() {
        turns.push(Turn { lesson: place, sabotage: None, plays: lesson.clone() });
        let which = if sabotages { 0..lesson.sabotages.len() } else { 0..0 };
        turns.extend(which.filter_map(|which| {
            let plays = lesson.sabotaged(which)?;
            Some(Turn { lesson: place, sabotage: Some(which), plays })
        }));
    }
    turns
}

/// What of a network cannot be changed while it runs. Packets are acknowledged unless a lesson says no.
fn kind(needs: &Needs) -> (u8, bool, bool) {
    (needs.layers, needs.acks.unwrap_or(true), needs.faithful)
}

/// Goes through lessons on one devnet, which ends with them.
async fn check(
    context: &Context,
    turns: &[Turn],
    signals: &mut Signals,
    checked: &mut [Option<Checked>],
) -> Outcome {
    let Some(first) = turns.first() else { return Ok(()) };
    let name = format!("lesson-check-{}", std::process::id());
    let needs = &first.plays.network;
    let (supervisor, client) = network::start(context, &name, needs, "auto", signals).await?;
    let mut outcome = Ok(());
    for turn in turns {
        if let Err(stop) = one(context, &client, turn, signals, &mut checked[turn.lesson]).await {
            outcome = Err(stop);
            break;
        }
    }
    supervisor.end().await;
    outcome
}

/// One way through a lesson, and a line about it.
async fn one(
    context: &Context,
    client: &ControlClient,
    turn: &Turn,
    signals: &mut Signals,
    checked: &mut Option<Checked>,
) -> Outcome {
    let Turn { sabotage, plays, .. } = turn;
    let mode = match (sabotage, &*checked) {
        (None, _) => Mode::Machine,
        (Some(which), Some(Checked { end: End::Finished { .. }, times, .. })) => {
            let patience = times.iter().map(|time| 2 * *time + PATIENCE).collect();
            Mode::Sabotaged { which: *which, patience }
        }
        // Where the goal is not reached anyway, a sabotage shows nothing.
        (Some(_), _) => return Ok(()),
    };
    let began = Instant::now();
    let mut audience = Nobody { output: context.output };
    let mut play = Play::new(plays.clone(), mode, None);
    let ended = drive(client, &mut play, None, signals, &mut audience).await?;
    let end = ended.outcome()?;
    let took_s = began.elapsed().as_secs_f64();
    let line = match (sabotage, checked) {
        (Some(which), Some(checked)) => {
            let because = plays.sabotages[*which].because.clone();
            let holds = play.is_sabotaged() && matches!(end, End::Late { .. });
            let sabotaged = Sabotaged { because, holds, end, took_s };
            let line = sabotaged.line(plays, context.output);
            checked.sabotages.push(sabotaged);
            line
        }
        (_, checked) => {
            let new = Checked {
                number: plays.number,
                lesson: plays.slug.clone(),
                end,
                took_s,
                sabotages: Vec::new(),
                times: play.times().to_vec(),
            };
            checked.insert(new).line(context.output)
        }
    };
    if context.output.is_json() { Ok(()) } else { Output::text_line(&line) }
}

impl Checked {
    fn is_good(&self) -> bool {
        matches!(self.end, End::Finished { .. }) && self.sabotages.iter().all(|one| one.holds)
    }

    fn line(&self, output: Output) -> String {
        let (tone, word) = match words(&self.end) {
            None => (Tone::Good, "reached".to_owned()),
            Some(why) => (Tone::Bad, why),
        };
        line(self.number, &self.lesson, self.took_s, &output.toned(tone, &word))
    }
}

impl Sabotaged {
    fn line(&self, lesson: &Lesson, output: Output) -> String {
        let (tone, word) = match words(&self.end) {
            _ if self.holds => (Tone::Good, "holds, out of reach".to_owned()),
            None => (Tone::Bad, "reached even so".to_owned()),
            // That includes what came late before the sabotage.
            Some(why) => (Tone::Bad, why),
        };
        let words = format!("{}: {}", output.toned(tone, &word), self.because);
        line(lesson.number, &lesson.slug, self.took_s, &words)
    }
}

fn line(number: u8, lesson: &str, took_s: f64, words: &str) -> String {
    let number = if number == 0 { "-".to_owned() } else { number.to_string() };
    format!("{number:>2}  {lesson:<12} {took_s:>6.1} s  {words}")
}

/// Why it did not come to its end, if it did not.
fn words(end: &End) -> Option<String> {
    Some(match end {
        End::Finished { .. } => return None,
        End::Late { until, .. } => format!("not reached: `{until}`"),
        End::Unfit { why } | End::Failed { why } => why.clone(),
        End::Left => "left".into(),
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
