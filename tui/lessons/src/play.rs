//! Going through a lesson: told what happens, answers with what to show and what to do.

mod answer;
mod conditions;
mod ending;
mod lines;
mod show;
mod steps;
mod waits;

use std::collections::VecDeque;
use std::time::Duration;

use control::{Envelope, StreamEvent};

use crate::action::Action;
use crate::facts::Facts;
use crate::lesson::{Lesson, Step};
use crate::network::Before;

pub use conditions::Condition;
pub use show::{End, Input, Mode, Output, Show};

/// A lesson that is being gone through.
#[derive(Debug)]
pub struct Play {
    lesson: Lesson,
    mode: Mode,
    facts: Facts,
    /// What the devnet was before an earlier lesson that did not end, if it is still that devnet.
    left: Option<Before>,
    before: Option<Before>,
    /// Which step.
    at: usize,
    phase: Phase,
    /// When the phase began, when conditions were looked at last, and when something was shown meanwhile.
    since: Duration,
    looked: Duration,
    shown: Duration,
    hints: usize,
    right: u32,
    asked: u32,
    is_sabotaged: bool,
    /// How long each step that observes something took.
    times: Vec<Duration>,
    /// Whether something is being done that changes the network, and when something was done last.
    is_changing: bool,
    done_at: Option<Duration>,
    /// What is still to be done until the network is what it was.
    restoring: VecDeque<Action>,
    unrestored: Option<String>,
    end: Option<End>,
    /// Whether messages that the lesson queued are to leave before the network is put back.
    waits_for_queue: bool,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The stream's first event.
    Hearing,
    /// The network's being what is needed: first that it is done, then that all are ready.
    Fitting,
    Settling,
    /// The learner's having read.
    Reading,
    /// An answer.
    Asking,
    /// The learner's doing it; whether what comes next was so already.
    Tasked {
        was_so: bool,
    },
    /// Its being done.
    Doing,
    /// A condition; and the same after its time.
    Waiting,
    Late,
    /// What is still being done to the network, and the stream's telling of it.
    Ending,
    /// The network's being again what it was.
    Restoring,
    Over,
}

impl Play {
    /// From the beginning. `left` is what the devnet was before an earlier lesson that did not end.
    pub fn new(lesson: Lesson, mode: Mode, left: Option<Before>) -> Self {
        let times = vec![Duration::ZERO; lesson.steps.len()];
        Self {
            lesson,
            mode,
            facts: Facts::default(),
            left,
            before: None,
            at: 0,
            phase: Phase::Hearing,
            since: Duration::ZERO,
            looked: Duration::ZERO,
            shown: Duration::ZERO,
            hints: 0,
            right: 0,
            asked: 0,
            is_sabotaged: false,
            times,
            is_changing: false,
            done_at: None,
            restoring: VecDeque::new(),
            unrestored: None,
            end: None,
            waits_for_queue: false,
        }
    }

    /// The lesson.
    pub fn lesson(&self) -> &Lesson {
        &self.lesson
    }

    /// What is known of the network.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What the devnet was before the lesson; none before that is known, and where nothing is changed because
    /// the devnet is not one for it.
    pub fn before(&self) -> Option<&Before> {
        self.before.as_ref()
    }

    /// Why the devnet is not again what it was, once the lesson is over. What it was has to be remembered then.
    pub fn unrestored(&self) -> Option<&str> {
        self.unrestored.as_deref()
    }

    /// Whether the act that a sabotage is about has been done. What comes late before that says nothing of it.
    pub fn is_sabotaged(&self) -> bool {
        self.is_sabotaged
    }

    /// Whether a line of the learner's is waited for.
    pub fn listens(&self) -> bool {
        self.mode == Mode::Learner
            && matches!(
                self.phase,
                Phase::Reading | Phase::Asking | Phase::Tasked { .. } | Phase::Late
            )
    }

    /// How long each step took that observes something; none of the others takes time by itself.
    pub fn times(&self) -> &[Duration] {
        &self.times
    }

    /// Something happened at `now`, a time that only grows.
    pub fn tell(&mut self, now: Duration, input: Input<'_>) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Heard(envelope) => self.hear(now, envelope, &mut out),
            Input::Tick => self.look(now, &mut out),
            Input::Line(line) => self.line(now, line.trim(), &mut out),
            Input::Did(done) => self.did(now, done, &mut out),
            Input::Leave => self.leave(now, &mut out),
        }
        out
    }

    fn hear(&mut self, now: Duration, envelope: &Envelope, out: &mut Vec<Output>) {
        self.facts.hear(envelope);
        if self.phase == Phase::Hearing && matches!(envelope.event, StreamEvent::Snapshot(_)) {
            self.fit(now, out);
        }
        self.look(now, out);
    }

    /// The network is known: it shall become the one that is needed.
    fn fit(&mut self, now: Duration, out: &mut Vec<Output>) {
        let Some(info) = self.facts.devnet() else { return };
        let is_same = |left: &Before| left.started_unix_ms == info.started_unix_ms;
        let left = self.left.take().filter(is_same);
        let before = left.unwrap_or_else(|| Before::of(info, self.facts.nodes()));
        let fitted = self.lesson.network.fit(info, self.facts.nodes());
        out.push(Output::Show(Show::title(&self.lesson, &self.facts.known())));
        match fitted {
            Err(unfit) => self.over(End::Unfit { why: unfit.why }, out),
            Ok(actions) => {
                self.before = Some(before);
                self.go(Phase::Fitting, now);
                self.perform(actions, out);
            }
        }
    }

    /// Asks for something to be done, and tells it.
    fn perform(&mut self, actions: Vec<Action>, out: &mut Vec<Output>) {
        self.is_changing = actions.iter().any(Action::changes_network);
        self.announce(&actions, false, out);
        out.push(Output::Do(actions));
    }

    fn announce(&self, actions: &[Action], restores: bool, out: &mut Vec<Output>) {
        if !actions.is_empty() {
            let commands = self.commands(actions);
            out.push(Output::Show(Show::Doing { commands, restores }));
        }
    }

    fn commands(&self, actions: &[Action]) -> Vec<String> {
        let name = self.facts.devnet().map(|info| info.name.as_str());
        let name = name.filter(|name| *name != "default");
        actions.iter().map(|action| action.command(name)).collect()
    }

    fn did(&mut self, now: Duration, done: Result<(), String>, out: &mut Vec<Output>) {
        self.is_changing = false;
        self.done_at = Some(now);
        match (self.phase, done) {
            (Phase::Fitting, Ok(())) => self.go(Phase::Settling, now),
            (Phase::Doing, Ok(())) => self.advance(now, out),
            (Phase::Doing, Err(why)) if self.mode == Mode::Learner => {
                // It can be tried again.
                out.push(Output::Show(Show::Failed { why }));
                self.go(Phase::Tasked { was_so: true }, now);
            }
            (Phase::Fitting | Phase::Doing, Err(why)) => {
                self.wind_up(now, End::Failed { why }, out);
            }
            (Phase::Restoring, done) => {
                if let Err(why) = done {
                    self.unrestored = Some(why.clone());
                    out.push(Output::Show(Show::Failed { why }));
                }
                self.restore_next(out);
            }
            _ => {}
        }
    }

    fn go(&mut self, phase: Phase, now: Duration) {
        self.phase = phase;
        self.since = now;
    }

    fn step(&self) -> Option<&Step> {
        self.lesson.steps.get(self.at)
    }

    fn over(&mut self, end: End, out: &mut Vec<Output>) {
        self.phase = Phase::Over;
        out.push(Output::Over(end));
    }
}
