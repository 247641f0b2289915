//! The life of one process as a state machine: what was asked and what happened go in, what to do
//! comes out. It owns no process, no clock and no socket.
//!
//! Its promises, which the property test below holds it to: there are never two processes of one
//! node, and whatever is asked in whatever order, the last wish comes true.

mod input;
mod running;

use std::time::Duration;

use crate::exit::Exit;
use crate::restart::{CRASH_WINDOW, Crashes, Verdict};
use contract::{Command, Fatal, FatalCode, Role, Time};
use control::{STOPS_WITH_ALL, State};
use layouts::Restart;

pub use input::{Action, Input};
use running::{Running, Said, Signal};

/// How long a process that was asked to leave may take: it drains for at most 3 s, and needs a
/// moment to end. Then it is killed.
pub const LEAVE_GRACE: Duration = Duration::from_secs(4);

/// How long a process may take when everything stops and nothing is drained.
pub const STOP_GRACE: Duration = Duration::from_secs(1);

/// One process of a devnet.
#[derive(Debug)]
pub struct Process {
    role: Role,
    /// How many sockets it opens.
    sockets: usize,
    restart: Restart,
    phase: Phase,
    state: State,
    reason: String,
    crashes: Crashes,
    restarts: u32,
    last_exit: Option<Exit>,
    fatal: Option<Fatal>,
    /// It has had its sockets open once, so its ports were right.
    has_listened: bool,
    last_run: bool,
}

#[derive(Debug)]
enum Phase {
    /// No process, and none is to come.
    Idle,
    /// A process was asked for.
    Spawning,
    Running(Running),
    /// It was asked to end.
    Stopping {
        /// When it is killed; none once it is.
        deadline: Option<Time>,
        /// Whether it is started again afterwards.
        again: bool,
    },
    BackingOff {
        until: Time,
    },
}

impl Process {
    /// A process that does not run yet and opens so many sockets.
    pub fn new(role: Role, sockets: usize, restart: Restart) -> Self {
        Self {
            role,
            sockets,
            restart,
            phase: Phase::Idle,
            state: State::Planned,
            reason: "not started yet".into(),
            crashes: Crashes::default(),
            restarts: 0,
            last_exit: None,
            fatal: None,
            has_listened: false,
            last_run: false,
        }
    }

    /// Where its life stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Why it is in that state.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// How often it was started again after it had ended by itself.
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// How it ended last.
    pub fn last_exit(&self) -> Option<Exit> {
        self.last_exit
    }

    /// What it said before it ended last, if it could not go on.
    pub fn fatal(&self) -> Option<&Fatal> {
        self.fatal.as_ref()
    }

    /// Whether there is a process, or one is being made.
    pub fn exists(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::BackingOff { .. })
    }

    /// Whether another process of it will follow, as far as it is known.
    pub(crate) fn comes_back(&self) -> bool {
        match &self.phase {
            Phase::BackingOff { .. } => true,
            Phase::Stopping { again, .. } => *again && !self.last_run,
            Phase::Running(running) => {
                running.signal == Signal::Killed && !self.last_run && self.restart != Restart::No
            }
            Phase::Idle | Phase::Spawning => false,
        }
    }

    /// When [`wake`](Self::wake) has something to do.
    pub fn next_wake(&self) -> Option<Time> {
        match self.phase {
            Phase::Stopping { deadline, .. } => deadline,
            Phase::BackingOff { until } => Some(until),
            Phase::Idle | Phase::Spawning | Phase::Running(_) => None,
        }
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Time) -> Option<Action> {
        match &mut self.phase {
            Phase::Stopping { deadline, .. } if deadline.is_some_and(|at| at <= now) => {
                *deadline = None;
                self.reason = "did not end when asked".into();
                Some(Action::Kill)
            }
            Phase::BackingOff { until } if *until <= now => {
                self.restarts = self.restarts.saturating_add(1);
                Some(self.spawn())
            }
            _ => None,
        }
    }

    /// Takes in what was asked or what happened. At most one thing is to be done about it.
    pub fn handle(&mut self, now: Time, input: Input) -> Option<Action> {
        match input {
            Input::Start => self.start(),
            Input::Restart => self.restart(now),
            Input::Stop => self.stop(now),
            Input::Pause => self.pause(),
            Input::Resume => self.resume(),
            Input::Kill => self.kill(),
            Input::LastRun => {
                self.last_run = true;
                self.rest_if_waiting();
                None
            }
            Input::Down => self.down(now),
            Input::Spawned => {
                self.spawned(now);
                None
            }
            Input::SpawnFailed(reason) => {
                if matches!(self.phase, Phase::Spawning) {
                    self.crashed(now, &reason);
                }
                None
            }
            Input::Exited(exit) => self.exited(now, exit),
            Input::Fatal(fatal) => {
                self.fatal = Some(fatal);
                None
            }
            Input::Ending(reason) => {
                if matches!(&self.phase, Phase::Running(running) if running.signal == Signal::None)
                {
                    self.reason = format!("ending: {reason}");
                }
                None
            }
            Input::Listening(endpoint) => self.observe(|running| {
                running.open.insert(endpoint);
            }),
            Input::Waiting(reason) => self.observe(|running| running.said = Said::Waiting(reason)),
            Input::Ready(reason) => self.observe(|running| running.ready(reason)),
            Input::Listed => self.observe(|running| running.listed(now)),
            Input::Unlisted => self.observe(|running| running.unlisted(now)),
        }
    }

    fn start(&mut self) -> Option<Action> {
        match &mut self.phase {
            Phase::Idle | Phase::BackingOff { .. } if !self.last_run => {
                if self.state == State::Failed {
                    self.crashes = Crashes::default();
                }
                return Some(self.spawn());
            }
            Phase::Stopping { again, .. } if !self.last_run => {
                *again = true;
                self.reason = "stopping, then starts again".into();
            }
            // Whoever wants it to run does not want it to stand still.
            Phase::Running(running) if running.signal == Signal::Paused => return self.resume(),
            // It is as good as gone: the next one is no second try of it, whatever its policy is.
            Phase::Running(running) if running.signal == Signal::Killed && !self.last_run => {
                self.phase = Phase::Stopping { deadline: None, again: true };
                self.reason = "killed as asked, then starts again".into();
            }
            _ => {}
        }
        None
    }

    fn restart(&mut self, now: Time) -> Option<Action> {
        match &self.phase {
            Phase::Running(_) if !self.last_run => {
                Some(self.begin_stopping(now, Command::Leave, true))
            }
            _ => self.start(),
        }
    }

    fn stop(&mut self, now: Time) -> Option<Action> {
        match &mut self.phase {
            Phase::Idle | Phase::BackingOff { .. } => self.rest("as asked"),
            Phase::Spawning => {}
            Phase::Running(_) => return Some(self.begin_stopping(now, Command::Leave, false)),
            Phase::Stopping { again, .. } => {
                *again = false;
                self.reason = "asked to leave".into();
            }
        }
        None
    }

    fn pause(&mut self) -> Option<Action> {
        match &mut self.phase {
            Phase::Running(running) if running.signal == Signal::None => {
                running.signal = Signal::Paused;
                self.judge();
                Some(Action::Pause)
            }
            _ => None,
        }
    }

    fn resume(&mut self) -> Option<Action> {
        match &mut self.phase {
            // Also one that was not paused here: perhaps somebody else did.
            Phase::Running(running) if running.signal != Signal::Killed => {
                running.signal = Signal::None;
                self.judge();
                Some(Action::Resume)
            }
            _ => None,
        }
    }

    fn kill(&mut self) -> Option<Action> {
        match &mut self.phase {
            Phase::Idle | Phase::Spawning | Phase::BackingOff { .. } => None,
            Phase::Running(running) => {
                running.signal = Signal::Killed;
                self.judge();
                Some(Action::Kill)
            }
            Phase::Stopping { deadline, .. } => {
                *deadline = None;
                Some(Action::Kill)
            }
        }
    }

    fn down(&mut self, now: Time) -> Option<Action> {
        self.last_run = true;
        self.rest_if_waiting();
        match &mut self.phase {
            Phase::Idle | Phase::Spawning | Phase::BackingOff { .. } => None,
            Phase::Running(_) => Some(self.begin_stopping(now, Command::Stop, false)),
            Phase::Stopping { deadline, again } => {
                *again = false;
                self.reason = STOPS_WITH_ALL.into();
                *deadline = deadline.map(|deadline| deadline.min(now + STOP_GRACE));
                Some(Action::Ask(Command::Stop))
            }
        }
    }

    fn spawned(&mut self, now: Time) {
        if matches!(self.phase, Phase::Spawning) {
            self.fatal = None;
            self.phase = Phase::Running(Running::new(now));
            self.judge();
        }
    }

    fn exited(&mut self, now: Time, exit: Exit) -> Option<Action> {
        match self.phase {
            Phase::Stopping { again, .. } => {
                self.last_exit = Some(exit);
                if again && !self.last_run {
                    return Some(self.spawn());
                }
                self.rest(&format!("{}; {exit}", self.reason));
            }
            Phase::Running(_) => {
                self.last_exit = Some(exit);
                let how = match &self.fatal {
                    Some(fatal) => fatal.message.clone(),
                    None => exit.to_string(),
                };
                if exit.is_success() && self.restart != Restart::Always {
                    self.rest(&format!("ended by itself; {exit}"));
                } else {
                    self.crashed(now, &how);
                }
            }
            Phase::Idle | Phase::Spawning | Phase::BackingOff { .. } => {}
        }
        None
    }

    /// It ended by itself, or could not be made.
    fn crashed(&mut self, now: Time, how: &str) {
        let ran = match &self.phase {
            Phase::Running(running) => now.saturating_since(running.since),
            _ => Duration::ZERO,
        };
        let verdict = self.crashes.one_more(now, ran);
        if self.last_run {
            self.rest(how);
        } else if self.restart == Restart::No {
            self.fail(&format!("{how}; not started again, as asked"));
        } else if self.is_hopeless() {
            self.fail(how);
        } else {
            match verdict {
                Verdict::Again { pause } => {
                    self.phase = Phase::BackingOff { until: now + pause };
                    self.state = State::BackingOff;
                    self.reason = format!("{how}; starts again in {} s", pause.as_secs_f32());
                }
                Verdict::TooOften { times } => {
                    let window = CRASH_WINDOW.as_secs();
                    self.fail(&format!("ended {times} times within {window} s, last: {how}"));
                }
            }
        }
    }

    /// Whether starting it again would only fail in the same way: its options are wrong, or it
    /// never got the port or the folder that it was told to use. A port or a disk that it once
    /// had can come back.
    fn is_hopeless(&self) -> bool {
        self.fatal.as_ref().is_some_and(|fatal| match fatal.code {
            FatalCode::Usage => true,
            FatalCode::PortTaken | FatalCode::Storage => !self.has_listened,
            FatalCode::Other => false,
        })
    }

    fn spawn(&mut self) -> Action {
        self.phase = Phase::Spawning;
        self.state = State::Starting;
        self.reason = "the process is being made".into();
        Action::Spawn
    }

    fn begin_stopping(&mut self, now: Time, command: Command, again: bool) -> Action {
        let (grace, reason) = match (&command, again) {
            (Command::Stop, _) => (STOP_GRACE, STOPS_WITH_ALL),
            (_, false) => (LEAVE_GRACE, "asked to leave"),
            (_, true) => (LEAVE_GRACE, "asked to leave, then starts again"),
        };
        self.phase = Phase::Stopping { deadline: Some(now + grace), again };
        self.state = State::Stopping;
        self.reason = reason.into();
        Action::Ask(command)
    }

    fn rest(&mut self, reason: &str) {
        self.phase = Phase::Idle;
        self.state = State::Stopped;
        self.reason = reason.into();
    }

    /// Gives up a start that is due later. What it failed of stays to be read.
    fn rest_if_waiting(&mut self) {
        if matches!(self.phase, Phase::BackingOff { .. }) || self.state == State::Planned {
            self.rest("as asked");
        }
    }

    fn fail(&mut self, reason: &str) {
        self.phase = Phase::Idle;
        self.state = State::Failed;
        self.reason = reason.into();
    }

    /// Notes something about a running process and judges anew how far it is.
    fn observe(&mut self, note: impl FnOnce(&mut Running)) -> Option<Action> {
        if let Phase::Running(running) = &mut self.phase {
            note(running);
            self.judge();
        }
        None
    }

    fn judge(&mut self) {
        let Phase::Running(running) = &self.phase else { return };
        self.has_listened |= running.is_open(self.sockets) && self.sockets > 0;
        let (state, reason) = running.judge(self.role, self.sockets);
        self.state = state;
        self.reason = reason;
    }
}

#[cfg(test)]
mod tests;
