//! A lesson that is being gone through: what it has said, what it waits for, and what it asks for.
//!
//! Its time passes only while the devnet is heard, so that nothing is late because nobody could look.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use contract::Time;
use control::Envelope;
use lessons::{Action, Condition, End, Input, Known, Output, Play, Show};
use tutor::Learnt;

/// What was said that is kept: several times what a lesson says. More comes only from somebody who asks for
/// hints again and again.
const MAX_SAID: usize = 120;

/// How often is looked what is known, and what of a condition is so: as often as its text is filled in anew.
const LOOK: Duration = Duration::from_secs(1);

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    /// Carry this out; the number says which request is answered.
    Perform(u64, Vec<Action>),
    /// Remember this.
    Learn(Learnt),
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The network is made what the lesson needs.
    Preparing,
    /// There is something to read.
    Reading,
    /// A question waits for an answer.
    Asking,
    /// There is something to do.
    Tasked,
    /// It is being done.
    Doing,
    /// Something is waited for; and the same after its time.
    Waiting,
    Late,
    /// The network becomes again what it was.
    Restoring,
    /// It is over.
    Over(End),
}

/// Something that is waited for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Waiting {
    /// Since when, by the lesson's time.
    since: Duration,
    /// For how long.
    limit: Duration,
    /// How it stands, in words, if the lesson has some.
    pub(crate) meanwhile: Option<String>,
    /// The parts of the condition.
    pub(crate) conditions: Vec<Condition>,
}

/// A lesson that is being gone through.
#[derive(Debug)]
pub(crate) struct Running {
    play: Play,
    /// The devnet, by its name and the moment of its start.
    devnet: (String, u64),
    stage: Stage,
    /// What was said, oldest first, and how much was forgotten of it.
    said: VecDeque<Show>,
    forgotten: usize,
    /// What was said since the learner did something last, or since what was waited for came.
    fresh: usize,
    /// The commands of what is to be done, or is being done.
    commands: Vec<String>,
    unit: String,
    waiting: Waiting,
    /// What was known of the network when that was looked at last.
    known: Option<Arc<Known>>,
    looked: Option<Duration>,
    /// How long the lesson has lasted, and until which moment of the dashboard's clock that was counted.
    passed: Duration,
    until: Time,
    /// The number of the latest request.
    asked: u64,
    has_begun: bool,
    /// Somebody has seen that it is over.
    is_seen: bool,
}

impl Running {
    /// At its beginning, on a devnet of this name and start.
    pub(crate) fn new(play: Play, devnet: (String, u64), now: Time) -> Self {
        Self {
            play,
            devnet,
            stage: Stage::Preparing,
            said: VecDeque::new(),
            forgotten: 0,
            fresh: 0,
            commands: Vec::new(),
            unit: String::new(),
            waiting: Waiting::default(),
            known: None,
            looked: None,
            passed: Duration::ZERO,
            until: now,
            asked: 0,
            has_begun: false,
            is_seen: false,
        }
    }

    /// What is gone through.
    pub(crate) fn play(&self) -> &Play {
        &self.play
    }

    /// Whether it goes on on this devnet, known by the moment of its start.
    pub(crate) fn is_on(&self, started_unix_ms: u64) -> bool {
        self.devnet.1 == started_unix_ms
    }

    /// What comes next.
    pub(crate) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Whether it is over, and the network again what it was.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    /// Somebody looks at it.
    pub(crate) fn see(&mut self) {
        self.is_seen = self.is_over();
    }

    /// Whether it is over, and somebody has seen that.
    pub(crate) fn is_seen(&self) -> bool {
        self.is_seen
    }

    /// What was said, oldest first; whether each is fresh.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&Show, bool)> {
        let fresh = self.fresh.saturating_sub(self.forgotten);
        self.said.iter().enumerate().map(move |(at, show)| (show, at >= fresh))
    }

    /// How much was said in all: another number means that there is something new to read.
    pub(crate) fn said_count(&self) -> usize {
        self.forgotten + self.said.len()
    }

    /// The commands of what is to be done, or is being done.
    pub(crate) fn commands(&self) -> &[String] {
        &self.commands
    }

    /// The unit of the answer; empty if it is no number with one.
    pub(crate) fn unit(&self) -> &str {
        &self.unit
    }

    /// What is waited for.
    pub(crate) fn waiting(&self) -> &Waiting {
        &self.waiting
    }

    /// How much of the time for it is left.
    pub(crate) fn left(&self) -> Duration {
        let gone = self.passed.saturating_sub(self.waiting.since);
        self.waiting.limit.saturating_sub(gone)
    }

    /// What was known of the network a moment ago.
    pub(crate) fn known(&self) -> Option<&Known> {
        self.known.as_deref()
    }

    /// The devnet says something.
    pub(crate) fn hear(&mut self, now: Time, envelope: &Envelope) -> Vec<Request> {
        self.pass(now);
        self.tell(Input::Heard(envelope))
    }

    /// Time passes while the devnet is heard.
    pub(crate) fn tick(&mut self, now: Time) -> Vec<Request> {
        self.pass(now);
        self.tell(Input::Tick)
    }

    /// Time passes, and nobody hears the devnet.
    pub(crate) fn miss(&mut self, now: Time) {
        self.until = now;
    }

    /// The learner says something, goes on with an empty line, or asks for a hint with `?`.
    pub(crate) fn line(&mut self, line: &str) -> Vec<Request> {
        let said = self.said_count();
        let was = self.stage.clone();
        let requests = self.tell(Input::Line(line));
        if was == Stage::Late && self.stage == Stage::Late && line.is_empty() {
            (self.stage, self.waiting.since) = (Stage::Waiting, self.passed);
        } else if self.stage != was || !matches!(self.said.back(), Some(Show::Hint { .. })) {
            self.fresh = said;
        }
        requests
    }

    /// A request was carried out, or not.
    pub(crate) fn did(&mut self, number: u64, done: Result<(), String>) -> Vec<Request> {
        if number == self.asked { self.tell(Input::Did(done)) } else { Vec::new() }
    }

    /// It ends here.
    pub(crate) fn leave(&mut self) -> Vec<Request> {
        self.fresh = self.said_count();
        self.tell(Input::Leave)
    }

    fn pass(&mut self, now: Time) {
        self.passed += now.saturating_since(self.until);
        self.until = now;
    }

    fn tell(&mut self, input: Input<'_>) -> Vec<Request> {
        let mut requests = Vec::new();
        let mut outputs = self.play.tell(self.passed, input);
        while !outputs.is_empty() {
            let mut is_done = false;
            for output in outputs {
                match output {
                    Output::Show(show) => self.show(show),
                    // What is nothing is done at once.
                    Output::Do(actions) if actions.is_empty() => is_done = true,
                    Output::Do(actions) => {
                        self.asked += 1;
                        requests.push(Request::Perform(self.asked, actions));
                    }
                    Output::Over(end) => self.over(end, &mut requests),
                }
            }
            outputs =
                if is_done { self.play.tell(self.passed, Input::Did(Ok(()))) } else { Vec::new() };
        }
        self.begin(&mut requests);
        self.look();
        requests
    }

    /// As soon as it is known what the devnet was, that is to be remembered, before anything is changed.
    fn begin(&mut self, requests: &mut Vec<Request>) {
        if self.has_begun {
            return;
        }
        let Some(before) = self.play.before().cloned() else { return };
        self.has_begun = true;
        let lesson = self.play.lesson().slug.clone();
        let devnet = self.devnet.0.clone();
        requests.insert(0, Request::Learn(Learnt::Began { lesson, devnet, before }));
    }

    fn over(&mut self, end: End, requests: &mut Vec<Request>) {
        // What could not be put back is remembered: the next lesson does it.
        if self.has_begun && self.play.unrestored().is_none() {
            let (lesson, devnet) = (self.play.lesson().slug.clone(), self.devnet.0.clone());
            let end = end.clone();
            requests.push(Request::Learn(Learnt::Ended { lesson, devnet, end }));
        }
        self.stage = Stage::Over(end);
    }

    /// What is known now, and what of the condition is so.
    fn look(&mut self) {
        let is_due = |looked| self.passed.saturating_sub(looked) >= LOOK;
        if !self.is_over() && self.looked.is_none_or(is_due) {
            self.looked = Some(self.passed);
            let known = self.play.facts().known();
            self.waiting.conditions = self.play.conditions(&known);
            self.known = Some(known);
        }
    }

    fn show(&mut self, show: Show) {
        match &show {
            Show::Meanwhile { text, .. } => {
                self.waiting.meanwhile = Some(text.clone());
                return;
            }
            Show::Title { .. } => self.stage = Stage::Preparing,
            Show::Doing { commands, restores } => {
                self.commands.clone_from(commands);
                if *restores {
                    self.stage = Stage::Restoring;
                } else if self.stage != Stage::Preparing {
                    self.stage = Stage::Doing;
                }
            }
            Show::Text { .. } => self.stage = Stage::Reading,
            Show::Question { unit, .. } => {
                self.unit.clone_from(unit);
                self.stage = Stage::Asking;
            }
            Show::Task { commands, .. } => {
                self.commands.clone_from(commands);
                self.stage = Stage::Tasked;
            }
            Show::Waiting { limit_s, .. } => {
                let limit = Duration::try_from_secs_f64(*limit_s).unwrap_or_default();
                self.waiting = Waiting { since: self.passed, limit, ..Waiting::default() };
                self.looked = None;
                self.stage = Stage::Waiting;
            }
            Show::Clearing { .. } => self.stage = Stage::Restoring,
            Show::Late { .. } => self.stage = Stage::Late,
            Show::Failed { .. } if self.stage == Stage::Restoring => {}
            // It can be tried again.
            Show::Failed { .. } => self.stage = Stage::Tasked,
            Show::Reached { .. } => self.fresh = self.said_count(),
            Show::Judged { .. } | Show::Unclear { .. } | Show::Hint { .. } => {}
        }
        if self.said.len() == MAX_SAID {
            self.said.pop_front();
            self.forgotten += 1;
        }
        self.said.push_back(show);
    }
}
