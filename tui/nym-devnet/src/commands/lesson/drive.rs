//! Drives a play: feeds it the event stream, time and lines, and does what it asks for.

use std::pin::Pin;
use std::time::{Duration, Instant};

use control::{ControlClient, Failure, FailureCode};
use lessons::{Before, End, Input, Output as Asked, Play, Show};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use tokio::time::{MissedTickBehavior, interval};
use tutor::perform;

use crate::signals::Signals;
use crate::stop::{Outcome, Stop};

/// How often a play is told that time passes.
const TICK: Duration = Duration::from_millis(100);

/// What is being done meanwhile.
type Doing = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// The lines of whoever learns.
pub(super) struct Learner {
    lines: Lines<BufReader<Stdin>>,
    /// Somebody types: a line is taken at any time. Otherwise it waits until one is asked for.
    types: bool,
}

impl Learner {
    pub(super) fn new(types: bool) -> Self {
        Self { lines: BufReader::new(tokio::io::stdin()).lines(), types }
    }

    /// The next line; none at their end.
    pub(super) async fn next(&mut self) -> Option<String> {
        // What cannot be read has an end too.
        self.lines.next_line().await.unwrap_or_default()
    }
}

/// What is told of a play while it goes on.
pub(super) trait Audience {
    /// Something is shown.
    fn show(&mut self, show: &Show) -> Outcome;
    /// It is known what the devnet was before; it is about to be changed.
    fn begins(&mut self, before: &Before);
    /// A line is waited for.
    fn prompts(&mut self) -> Outcome;
}

/// How a play ended.
pub(super) struct Ended {
    pub(super) end: End,
    /// The signal with which somebody left.
    signal: Option<i32>,
}

impl Ended {
    /// What the rest of the program is to know of it.
    pub(super) fn outcome(self) -> Outcome<End> {
        self.signal.map_or(Ok(self.end), |signal| Err(Stop::Signal(signal)))
    }
}

/// Goes through it to its end. A signal leaves the lesson, and restores the devnet; a second one ends at
/// once.
pub(super) async fn drive(
    client: &ControlClient,
    play: &mut Play,
    mut learner: Option<&mut Learner>,
    signals: &mut Signals,
    audience: &mut impl Audience,
) -> Outcome<Ended> {
    let mut events = client.events().await?;
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let began = Instant::now();
    let mut doing: Option<Doing> = None;
    let mut signalled = None;
    let mut has_begun = false;
    let mut has_prompted = false;
    loop {
        let reads = learner.as_ref().is_some_and(|learner| learner.types || play.listens());
        let line = async {
            match learner.as_mut() {
                Some(learner) => learner.next().await,
                None => std::future::pending().await,
            }
        };
        let done = async {
            match doing.as_mut() {
                Some(doing) => doing.await,
                None => std::future::pending().await,
            }
        };
        let outputs = tokio::select! {
            envelope = events.next() => match envelope? {
                Some(envelope) => play.tell(began.elapsed(), Input::Heard(&envelope)),
                None => return Err(gone().into()),
            },
            _ = ticks.tick() => play.tell(began.elapsed(), Input::Tick),
            line = line, if reads => if let Some(line) = line {
                has_prompted = false;
                play.tell(began.elapsed(), Input::Line(&line))
            } else {
                learner = None;
                play.tell(began.elapsed(), Input::Leave)
            },
            done = done => {
                doing = None;
                play.tell(began.elapsed(), Input::Did(done))
            }
            signal = signals.next() => {
                if signalled.is_some() {
                    return Err(Stop::Signal(signal));
                }
                signalled = Some(signal);
                play.tell(began.elapsed(), Input::Leave)
            }
        };
        if !has_begun && let Some(before) = play.before() {
            has_begun = true;
            audience.begins(before);
        }
        for output in outputs {
            match output {
                Asked::Show(show) => {
                    has_prompted = false;
                    audience.show(&show)?;
                }
                Asked::Do(actions) => doing = Some(Box::pin(perform(client.clone(), actions))),
                Asked::Over(end) => return Ok(Ended { end, signal: signalled }),
            }
        }
        if play.listens() && !has_prompted {
            has_prompted = true;
            audience.prompts()?;
        }
    }
}

fn gone() -> Failure {
    Failure::new(FailureCode::NoSuchDevnet, "the devnet went down during the lesson")
}
