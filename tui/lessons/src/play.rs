//! Going through a lesson: told what happens, answers with what to show and what to do.

mod answer;
mod conditions;
mod show;

use std::time::Duration;

use control::{Envelope, StreamEvent};

use crate::action::Action;
use crate::expression::NoValue;
use crate::facts::Facts;
use crate::lesson::{Act, Lesson, Observe, Predict, Step, Watch};
use crate::network::Before;

use answer::{Judged, judge, wrong_of};
pub use conditions::Condition;
pub use show::{End, Input, Mode, Output, Show};

/// How long a network may take to become the one that is needed: that of `up`.
const FIT_LIMIT: Duration = Duration::from_secs(60);

/// How long an answer may be unknown before it counts as one that cannot be computed: measuring takes a
/// while after a change.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// How often what is waited for is looked at, and shown.
const LOOK: Duration = Duration::from_millis(100);
const MEANWHILE: Duration = Duration::from_secs(1);

/// A lesson that is being gone through.
#[derive(Debug)]
pub struct Play {
    lesson: Lesson,
    mode: Mode,
    facts: Facts,
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
    /// The longest time that something observed took.
    longest: Duration,
    end: Option<End>,
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
    /// The network's being again what it was.
    Restoring,
    Over,
}

impl Play {
    /// From the beginning. `before` is what the devnet was before an earlier lesson that did not end.
    pub fn new(lesson: Lesson, mode: Mode, before: Option<Before>) -> Self {
        Self {
            lesson,
            mode,
            facts: Facts::default(),
            before,
            at: 0,
            phase: Phase::Hearing,
            since: Duration::ZERO,
            looked: Duration::ZERO,
            shown: Duration::ZERO,
            hints: 0,
            right: 0,
            asked: 0,
            is_sabotaged: false,
            longest: Duration::ZERO,
            end: None,
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

    /// What the devnet was before the lesson; none before that is known.
    pub fn before(&self) -> Option<&Before> {
        self.before.as_ref()
    }

    /// Whether a line of the learner's is waited for.
    pub fn listens(&self) -> bool {
        self.mode == Mode::Learner
            && matches!(
                self.phase,
                Phase::Reading | Phase::Asking | Phase::Tasked { .. } | Phase::Late
            )
    }

    /// The longest time that something observed has taken.
    pub fn longest(&self) -> Duration {
        self.longest
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
        let is_same = |before: &Before| before.started_unix_ms == info.started_unix_ms;
        if !self.before.as_ref().is_some_and(is_same) {
            self.before = Some(Before::of(info, self.facts.nodes()));
        }
        let fitted = self.lesson.network.fit(info, self.facts.nodes());
        out.push(Output::Show(Show::title(&self.lesson, &self.facts.known())));
        match fitted {
            Err(unfit) => self.over(End::Unfit { why: unfit.why }, out),
            Ok(actions) => {
                self.go(Phase::Fitting, now);
                self.perform(actions, out);
            }
        }
    }

    /// Asks for something to be done, and tells it.
    fn perform(&self, actions: Vec<Action>, out: &mut Vec<Output>) {
        if !actions.is_empty() {
            out.push(Output::Show(Show::Doing {
                commands: self.commands(&actions),
                restores: self.phase == Phase::Restoring,
            }));
        }
        out.push(Output::Do(actions));
    }

    fn commands(&self, actions: &[Action]) -> Vec<String> {
        let name = self.facts.devnet().map(|info| info.name.as_str());
        let name = name.filter(|name| *name != "default");
        actions.iter().map(|action| action.command(name)).collect()
    }

    fn did(&mut self, now: Duration, done: Result<(), String>, out: &mut Vec<Output>) {
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
                    out.push(Output::Show(Show::Failed { why }));
                }
                let end = self.end.take().unwrap_or(End::Left);
                self.over(end, out);
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

    fn advance(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.at += 1;
        self.enter(now, out);
    }

    /// Begins the step that it is at.
    fn enter(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.hints = 0;
        let Some(step) = self.step().cloned() else {
            let end = End::Finished { right: self.right, asked: self.asked };
            return self.wind_up(now, end, out);
        };
        match step {
            Step::Say(text) | Step::Explain(text) => {
                let text = text.filled(&self.facts.known());
                let explains = matches!(self.step(), Some(Step::Explain(_)));
                out.push(Output::Show(Show::Text { text, explains }));
                self.go(Phase::Reading, now);
                if self.mode != Mode::Learner {
                    self.advance(now, out);
                }
            }
            Step::Predict(predict) => {
                let text = predict.question.filled(&self.facts.known());
                let (choices, unit) = (predict.choices, predict.unit);
                out.push(Output::Show(Show::Question { text, choices, unit }));
                self.go(Phase::Asking, now);
            }
            Step::Watch(watch) => match self.watch(&watch) {
                Ok(()) => self.advance(now, out),
                Err(why) => self.wind_up(now, End::Failed { why }, out),
            },
            Step::Act(act) => self.task(now, &act, out),
            Step::Observe(observe) => {
                let text = observe.text.filled(&self.facts.known());
                let limit_s = self.limit(&observe).as_secs_f64();
                out.push(Output::Show(Show::Waiting { text, limit_s }));
                self.go(Phase::Waiting, now);
            }
        }
    }

    fn watch(&mut self, watch: &Watch) -> Result<(), String> {
        let unknown = |name: &str| format!("there is no {name} to watch");
        if let Some(who) = &watch.who {
            let parsed = who.parse().map_err(|error| format!("`{who}`: {error}"))?;
            if !self.facts.watch_as(parsed) {
                return Err(unknown(who));
            }
        }
        if let Some(recipient) = &watch.who_writes_to
            && !self.facts.look_for_who_writes_to(recipient)
        {
            return Err(unknown(recipient));
        }
        if let Some(client) = &watch.is_sending {
            self.facts.suspect(client);
        }
        Ok(())
    }

    fn task(&mut self, now: Duration, act: &Act, out: &mut Vec<Output>) {
        let text = act.text.filled(&self.facts.known());
        out.push(Output::Show(Show::Task { text, commands: self.commands(&act.actions) }));
        if self.mode == Mode::Learner {
            self.go(Phase::Tasked { was_so: self.is_next_so() }, now);
        } else {
            self.act(now, act, out);
        }
    }

    fn act(&mut self, now: Duration, act: &Act, out: &mut Vec<Output>) {
        self.go(Phase::Doing, now);
        let sabotage = &self.lesson.sabotage;
        let is_sabotaged =
            matches!(self.mode, Mode::Sabotaged { .. }) && act.name == sabotage.instead_of;
        let actions = if is_sabotaged { sabotage.actions.clone() } else { act.actions.clone() };
        self.is_sabotaged |= is_sabotaged;
        self.perform(actions, out);
    }

    /// Whether what is observed after this step is so now.
    fn is_next_so(&self) -> bool {
        let Some(Step::Observe(observe)) = self.lesson.steps.get(self.at + 1) else { return true };
        observe.until.is_true(&self.facts.known()) == Ok(true)
    }

    fn limit(&self, observe: &Observe) -> Duration {
        match self.mode {
            Mode::Sabotaged { patience } if self.is_sabotaged => patience.min(observe.within.0),
            _ => observe.within.0,
        }
    }

    /// Time passes, or the network has changed.
    fn look(&mut self, now: Duration, out: &mut Vec<Output>) {
        if now.saturating_sub(self.looked) < LOOK {
            return;
        }
        self.looked = now;
        match (self.phase, self.step().cloned()) {
            (Phase::Settling, _) => self.settle(now, out),
            (Phase::Asking, Some(Step::Predict(predict))) if self.mode != Mode::Learner => {
                self.answer_itself(now, &predict, out);
            }
            (Phase::Tasked { was_so: false }, _) if self.is_next_so() => self.advance(now, out),
            (Phase::Waiting | Phase::Late, Some(Step::Observe(observe))) => {
                self.wait(now, &observe, out);
            }
            _ => {}
        }
    }

    /// The lesson begins when all processes are ready.
    fn settle(&mut self, now: Duration, out: &mut Vec<Output>) {
        let ready = self.facts.nodes().all(|node| node.state == control::State::Ready);
        let missing = self.facts.devnet().map(|info| {
            self.lesson.network.fit(info, self.facts.nodes()).map(|actions| actions.len())
        });
        if ready && missing == Some(Ok(0)) {
            self.facts.begin();
            self.at = 0;
            self.enter(now, out);
        } else if now.saturating_sub(self.since) > FIT_LIMIT {
            let why = format!("the network was not ready within {} s", FIT_LIMIT.as_secs());
            self.wind_up(now, End::Failed { why }, out);
        }
    }

    fn wait(&mut self, now: Duration, observe: &Observe, out: &mut Vec<Output>) {
        let known = self.facts.known();
        let took = now.saturating_sub(self.since);
        match observe.until.is_true(&known) {
            Ok(true) => {
                self.longest = self.longest.max(took);
                out.push(Output::Show(Show::Reached { took_s: took.as_secs_f64() }));
                return self.advance(now, out);
            }
            Err(NoValue::Broken(why)) => return self.wind_up(now, End::Failed { why }, out),
            Ok(false) | Err(NoValue::Unknown) => {}
        }
        let limit = self.limit(observe);
        if self.phase == Phase::Late {
            return;
        }
        if took >= limit {
            let what = observe.text.filled(&known);
            let until = observe.until.text().to_owned();
            if self.mode == Mode::Learner {
                out.push(Output::Show(Show::Late { what }));
                self.phase = Phase::Late;
                return self.hint(out);
            }
            return self.wind_up(now, End::Late { what, until }, out);
        }
        if let Some(text) = &observe.meanwhile
            && now.saturating_sub(self.shown) >= MEANWHILE
        {
            self.shown = now;
            let left_s = limit.saturating_sub(took).as_secs_f64();
            out.push(Output::Show(Show::Meanwhile { text: text.filled(&known), left_s }));
        }
    }

    /// The learner wrote a line.
    fn line(&mut self, now: Duration, line: &str, out: &mut Vec<Output>) {
        match line {
            "q" | "leave" => return self.leave(now, out),
            "?" | "h" | "hint" => return self.hint(out),
            _ => {}
        }
        match (self.phase, self.step().cloned()) {
            (Phase::Reading, _) => self.advance(now, out),
            (Phase::Asking, Some(Step::Predict(predict))) => {
                self.answer(now, &predict, line, out);
            }
            (Phase::Tasked { .. }, Some(Step::Act(act))) => self.act(now, &act, out),
            (Phase::Late, _) => self.go(Phase::Waiting, now),
            _ => {}
        }
    }

    fn hint(&mut self, out: &mut Vec<Output>) {
        let hints = match self.step() {
            Some(Step::Predict(predict)) => &predict.hints[..],
            Some(Step::Observe(observe)) => &observe.hints[..],
            Some(Step::Act(_)) => match self.lesson.steps.get(self.at + 1) {
                Some(Step::Observe(observe)) => &observe.hints[..],
                _ => &[],
            },
            _ => &[],
        };
        let hint = hints.get(self.hints.min(hints.len().saturating_sub(1)));
        let text = hint.map(|hint| hint.filled(&self.facts.known()));
        self.hints += 1;
        out.push(Output::Show(Show::Hint { text }));
    }

    fn answer(&mut self, now: Duration, predict: &Predict, line: &str, out: &mut Vec<Output>) {
        match judge(predict, &self.facts.known(), line) {
            Judged::Unclear { expected } => {
                out.push(Output::Show(Show::Unclear { expected }));
            }
            Judged::Unknown => {
                out.push(Output::Show(Show::Unclear {
                    expected: "the network is still being measured: answer again in a moment"
                        .into(),
                }));
            }
            Judged::Broken(why) => self.wind_up(now, End::Failed { why }, out),
            Judged::Answered { right, answer } => {
                self.asked += 1;
                self.right += u32::from(right);
                let because = predict.because.filled(&self.facts.known());
                let shown = Show::Judged { said: line.into(), right, answer, because };
                out.push(Output::Show(shown));
                self.advance(now, out);
            }
        }
    }

    /// The machine gives the answer that is computed, after it saw that a wrong one would be refused.
    fn answer_itself(&mut self, now: Duration, predict: &Predict, out: &mut Vec<Output>) {
        let known = self.facts.known();
        let (right, wrong) = match wrong_of(predict, &known) {
            Ok(lines) => lines,
            Err(NoValue::Unknown) if now.saturating_sub(self.since) < ANSWER_LIMIT => return,
            Err(NoValue::Unknown) => {
                let why = format!("`{}` is not known in time", predict.answer.text());
                return self.wind_up(now, End::Failed { why }, out);
            }
            Err(NoValue::Broken(why)) => return self.wind_up(now, End::Failed { why }, out),
        };
        if !matches!(judge(predict, &known, &wrong), Judged::Answered { right: false, .. }) {
            let why = format!("`{wrong}` is taken for an answer to `{}`", predict.answer.text());
            return self.wind_up(now, End::Failed { why }, out);
        }
        self.answer(now, predict, &right, out);
    }

    fn leave(&mut self, now: Duration, out: &mut Vec<Output>) {
        match self.phase {
            Phase::Restoring | Phase::Over => {}
            Phase::Hearing => self.over(End::Left, out),
            _ => self.wind_up(now, End::Left, out),
        }
    }

    /// The network shall be again what it was; then it is over.
    fn wind_up(&mut self, now: Duration, end: End, out: &mut Vec<Output>) {
        self.end = Some(end);
        self.go(Phase::Restoring, now);
        let restored = self.before.as_ref().zip(self.facts.devnet());
        let actions = restored.map(|(before, info)| before.restore(info, self.facts.nodes()));
        self.perform(actions.unwrap_or_default(), out);
    }

    fn over(&mut self, end: End, out: &mut Vec<Output>) {
        self.phase = Phase::Over;
        out.push(Output::Over(end));
    }
}
