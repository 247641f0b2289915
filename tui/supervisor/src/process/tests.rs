//! Tables of what happened and what follows, and the property that nothing ever wedges.

use contract::Endpoint;
use proptest::prelude::*;

use super::*;
use crate::restart::{FIRST_BACK_OFF, LONGEST_BACK_OFF, MAX_CRASHES};

const START: Time = Time::from_nanos(1_000_000_000);

fn client() -> Process {
    Process::new(Role::Client, 1, Restart::OnFailure)
}

fn fatal(code: FatalCode) -> Input {
    Input::Fatal(Fatal { code, message: "cannot bind `127.0.0.1:1977`".into(), hint: None })
}

/// Feeds a process one input after the other at the same moment.
fn feed(process: &mut Process, inputs: impl IntoIterator<Item = Input>) -> Vec<Action> {
    inputs.into_iter().filter_map(|input| process.handle(START, input)).collect()
}

fn ready(process: &mut Process) {
    let actions = feed(
        process,
        [
            Input::Start,
            Input::Spawned,
            Input::Listening(Endpoint::App),
            Input::Ready("a probe came back".into()),
        ],
    );
    assert_eq!(actions, [Action::Spawn]);
    assert_eq!(process.state(), State::Ready);
}

#[test]
fn a_client_is_ready_when_it_says_so_and_a_mixnode_when_it_is_listed() {
    let mut alice = client();
    feed(&mut alice, [Input::Start, Input::Spawned]);
    assert_eq!(alice.state(), State::Starting);
    feed(&mut alice, [Input::Listening(Endpoint::App), Input::Waiting("no provider".into())]);
    assert_eq!((alice.state(), alice.reason()), (State::Listening, "no provider"));
    feed(&mut alice, [Input::Listed]);
    assert_eq!(alice.state(), State::Listening);
    feed(&mut alice, [Input::Ready("a probe came back".into())]);
    assert_eq!((alice.state(), alice.reason()), (State::Ready, "a probe came back"));
    feed(&mut alice, [Input::Waiting("lost its provider".into())]);
    assert_eq!((alice.state(), alice.reason()), (State::Present, "lost its provider"));
    feed(&mut alice, [Input::Ready("it is back".into())]);
    assert_eq!(alice.state(), State::Ready);
    feed(&mut alice, [Input::Exited(Exit::Signal(9))]);
    let wake = alice.next_wake().expect("it starts again");
    assert_eq!(alice.wake(wake), Some(Action::Spawn));
    feed(&mut alice, [Input::Spawned, Input::Listening(Endpoint::App)]);
    feed(&mut alice, [Input::Waiting("no provider".into())]);
    assert_eq!(alice.state(), State::Listening, "this process was never ready");

    let mut mix = Process::new(Role::Mixnode, 1, Restart::OnFailure);
    feed(&mut mix, [Input::Start, Input::Spawned, Input::Listening(Endpoint::Mix)]);
    feed(&mut mix, [Input::Ready("announced".into())]);
    assert_eq!(mix.state(), State::Listening);
    feed(&mut mix, [Input::Waiting("the directory does not answer".into()), Input::Listed]);
    assert_eq!(mix.state(), State::Ready);
    feed(&mut mix, [Input::Waiting("the directory does not answer".into())]);
    assert_eq!(mix.state(), State::Present);
    feed(&mut mix, [Input::Unlisted]);
    assert_eq!(mix.state(), State::Listening);

    let mut mix = Process::new(Role::Mixnode, 1, Restart::OnFailure);
    feed(&mut mix, [Input::Start, Input::Spawned, Input::Listening(Endpoint::Mix)]);
    feed(&mut mix, [Input::Unlisted]);
    assert_eq!(mix.reason(), "the directory does not list it yet");
    feed(&mut mix, [Input::Listed]);
    mix.handle(START + Duration::from_millis(10_200), Input::Unlisted);
    let said = "not listed any more: the directory had not heard it for 10 s";
    assert_eq!((mix.state(), mix.reason()), (State::Listening, said));
    mix.handle(START + Duration::from_secs(20), Input::Unlisted);
    assert_eq!(mix.reason(), said, "that others come and go changes nothing");
    feed(&mut mix, [Input::Listed, Input::Unlisted]);
    assert_eq!(mix.reason(), "the directory does not list it any more", "it was told to");

    let mut provider = Process::new(Role::Provider, 2, Restart::OnFailure);
    feed(&mut provider, [Input::Start, Input::Spawned, Input::Listening(Endpoint::Mix)]);
    feed(&mut provider, [Input::Listed]);
    assert_eq!(provider.state(), State::Starting);
    feed(&mut provider, [Input::Listening(Endpoint::Clients)]);
    assert_eq!(provider.state(), State::Ready);
}

#[test]
fn a_crash_is_followed_by_a_growing_pause_and_in_the_end_by_giving_up() {
    let mut process = client();
    ready(&mut process);
    let mut now = START;
    let mut pauses = Vec::new();
    for _ in 1..MAX_CRASHES {
        assert_eq!(process.handle(now, Input::Exited(Exit::Signal(9))), None);
        assert_eq!(process.state(), State::BackingOff);
        let wake = process.next_wake().expect("a pause ends");
        pauses.push(wake.saturating_since(now).as_millis());
        assert_eq!(process.wake(START), None, "too early");
        now = wake;
        assert_eq!(process.wake(now), Some(Action::Spawn));
        process.handle(now, Input::Spawned);
    }
    assert_eq!(pauses, [200, 400, 800, 1600]);
    process.handle(now, Input::Exited(Exit::Code(101)));
    assert_eq!(process.state(), State::Failed);
    assert_eq!(process.reason(), "ended 5 times within 60 s, last: exit code 101");
    assert_eq!((process.restarts(), process.next_wake()), (4, None));

    // Asked to try again it has a whole budget again.
    assert_eq!(process.handle(now, Input::Start), Some(Action::Spawn));
    feed(&mut process, [Input::Spawned]);
    process.handle(now, Input::Exited(Exit::Code(101)));
    assert_eq!(process.state(), State::BackingOff);
}

#[test]
fn crashes_far_apart_pause_longer_and_never_give_up() {
    let mut process = client();
    ready(&mut process);
    let mut now = START;
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        now = now + Duration::from_secs(20);
        process.handle(now, Input::Exited(Exit::Code(1)));
        let wake = process.next_wake().expect("a pause");
        longest = longest.max(wake.saturating_since(now));
        now = wake;
        assert_eq!(process.wake(now), Some(Action::Spawn));
        process.handle(now, Input::Spawned);
    }
    assert_eq!(longest, LONGEST_BACK_OFF);
    now = now + CRASH_WINDOW;
    process.handle(now, Input::Exited(Exit::Code(1)));
    assert_eq!(process.next_wake(), Some(now + FIRST_BACK_OFF));
}

#[test]
fn the_policy_decides_about_a_process_that_ended_by_itself() {
    for (restart, exit, state) in [
        (Restart::No, Exit::Code(1), State::Failed),
        (Restart::No, Exit::Code(0), State::Stopped),
        (Restart::OnFailure, Exit::Code(1), State::BackingOff),
        (Restart::OnFailure, Exit::Code(0), State::Stopped),
        (Restart::Always, Exit::Code(0), State::BackingOff),
    ] {
        let mut process = Process::new(Role::Client, 1, restart);
        ready(&mut process);
        feed(&mut process, [Input::Exited(exit)]);
        assert_eq!(process.state(), state, "{restart:?} after {exit}");
    }
}

#[test]
fn a_port_that_it_never_had_is_final_and_one_that_it_had_is_waited_for() {
    let mut process = client();
    feed(&mut process, [Input::Start, Input::Spawned, fatal(FatalCode::PortTaken)]);
    feed(&mut process, [Input::Exited(Exit::Code(4))]);
    assert_eq!(process.state(), State::Failed);
    assert_eq!(process.reason(), "cannot bind `127.0.0.1:1977`");
    assert_eq!(process.fatal().map(|fatal| fatal.code), Some(FatalCode::PortTaken));

    let mut process = client();
    ready(&mut process);
    feed(&mut process, [fatal(FatalCode::PortTaken), Input::Exited(Exit::Code(4))]);
    assert_eq!(process.state(), State::BackingOff);
    assert_eq!(process.reason(), "cannot bind `127.0.0.1:1977`; starts again in 0.2 s");
}

#[test]
fn a_stop_lets_it_leave_and_then_insists() {
    let mut process = client();
    ready(&mut process);
    assert_eq!(feed(&mut process, [Input::Stop]), [Action::Ask(Command::Leave)]);
    assert_eq!(process.wake(START), None);
    assert_eq!(process.next_wake(), Some(START + LEAVE_GRACE));
    assert_eq!(process.wake(START + LEAVE_GRACE), Some(Action::Kill));
    feed(&mut process, [Input::Exited(Exit::Signal(9))]);
    assert_eq!((process.state(), process.exists()), (State::Stopped, false));

    ready(&mut process);
    assert_eq!(feed(&mut process, [Input::Down]), [Action::Ask(Command::Stop)]);
    assert_eq!(process.next_wake(), Some(START + STOP_GRACE));
    assert_eq!(feed(&mut process, [Input::Start, Input::Exited(Exit::Code(0))]), []);
    assert_eq!(process.state(), State::Stopped);
}

#[test]
fn a_kill_shows_at_once_and_counts_as_a_crash() {
    let mut process = client();
    ready(&mut process);
    assert_eq!(feed(&mut process, [Input::Kill]), [Action::Kill]);
    feed(&mut process, [Input::Waiting("lost its provider".into())]);
    assert_eq!((process.state(), process.reason()), (State::Stopping, "killed as asked"));
    feed(&mut process, [Input::Exited(Exit::Signal(9))]);
    assert_eq!(process.reason(), "killed by SIGKILL; starts again in 0.2 s");

    // Whoever asks for a new one meanwhile gets it at once, and whatever the policy is.
    let mut process = Process::new(Role::Client, 1, Restart::No);
    ready(&mut process);
    assert_eq!(feed(&mut process, [Input::Kill, Input::Start]), [Action::Kill]);
    assert!(process.comes_back());
    assert_eq!(process.reason(), "killed as asked, then starts again");
    assert_eq!(feed(&mut process, [Input::Exited(Exit::Signal(9))]), [Action::Spawn]);
}

#[test]
fn a_paused_process_stands_still_until_somebody_wants_something_of_it() {
    let paused = || {
        let mut process = client();
        ready(&mut process);
        assert_eq!(feed(&mut process, [Input::Pause]), [Action::Pause]);
        assert_eq!(process.state(), State::Paused);
        process
    };
    let mut process = paused();
    assert_eq!(feed(&mut process, [Input::Pause, Input::Listed]), []);
    assert_eq!((process.state(), process.reason()), (State::Paused, "stands still as asked"));
    assert_eq!((process.exists(), process.next_wake()), (true, None));
    assert_eq!(feed(&mut process, [Input::Resume]), [Action::Resume]);
    assert_eq!((process.state(), process.reason()), (State::Ready, "a probe came back"));

    assert_eq!(feed(&mut paused(), [Input::Start]), [Action::Resume]);
    for (wish, question) in [
        (Input::Stop, Command::Leave),
        (Input::Restart, Command::Leave),
        (Input::Down, Command::Stop),
    ] {
        let mut process = paused();
        assert_eq!(feed(&mut process, [wish]), [Action::Ask(question)]);
        assert_eq!(process.state(), State::Stopping);
        assert_eq!(feed(&mut process, [Input::Pause, Input::Resume]), [], "it is to end");
    }
    let mut process = paused();
    assert_eq!(feed(&mut process, [Input::Kill, Input::Pause, Input::Resume]), [Action::Kill]);
    assert_eq!(process.state(), State::Stopping);
    feed(&mut process, [Input::Exited(Exit::Signal(9))]);
    assert_eq!(process.state(), State::BackingOff);

    // Somebody else killed it. The next one goes.
    let mut process = paused();
    feed(&mut process, [Input::Exited(Exit::Signal(9))]);
    assert_eq!(process.reason(), "killed by SIGKILL; starts again in 0.2 s");
    let wake = process.next_wake().expect("it starts again");
    assert_eq!(process.wake(wake), Some(Action::Spawn));
    feed(&mut process, [Input::Spawned]);
    assert_eq!(process.state(), State::Starting);

    let mut idle = client();
    assert_eq!(feed(&mut idle, [Input::Pause, Input::Resume]), []);
    assert_eq!(idle.state(), State::Planned);
}

#[test]
fn a_wish_in_the_middle_of_another_is_kept() {
    let mut process = client();
    ready(&mut process);
    assert_eq!(feed(&mut process, [Input::Stop]), [Action::Ask(Command::Leave)]);
    assert_eq!(feed(&mut process, [Input::Restart]), []);
    assert_eq!(feed(&mut process, [Input::Exited(Exit::Code(0))]), [Action::Spawn]);
    assert_eq!(feed(&mut process, [Input::Spawned, Input::Restart]), [Action::Ask(Command::Leave)]);
    assert_eq!(feed(&mut process, [Input::LastRun, Input::Exited(Exit::Code(0))]), []);
    assert_eq!((process.state(), process.restarts()), (State::Stopped, 0));
}

/// What the world around a process does next.
#[derive(Clone, Debug)]
enum Step {
    Ask(Input),
    /// From now on processes can be made, or not.
    Spawning {
        works: bool,
    },
    Happen(Input),
    Pass(Duration),
}

fn step() -> impl Strategy<Value = Step> {
    let asked = prop_oneof![
        Just(Input::Start),
        Just(Input::Stop),
        Just(Input::Restart),
        Just(Input::Pause),
        Just(Input::Resume),
        Just(Input::Kill),
    ];
    let happens = prop_oneof![
        Just(Input::Listening(Endpoint::App)),
        Just(Input::Ready("so".into())),
        Just(Input::Waiting("no".into())),
        Just(Input::Listed),
        Just(Input::Unlisted),
        Just(fatal(FatalCode::Other)),
        Just(Input::Ending("so".into())),
        Just(Input::Exited(Exit::Code(0))),
        Just(Input::Exited(Exit::Code(1))),
    ];
    prop_oneof![
        4 => asked.prop_map(Step::Ask),
        4 => prop::bool::weighted(0.7).prop_map(|works| Step::Spawning { works }),
        4 => happens.prop_map(Step::Happen),
        2 => (0_u64..6000).prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
    ]
}

/// A process and the world around it, which does what it is asked when it is told to.
#[allow(clippy::struct_excessive_bools, reason = "they are independent of each other")]
struct World {
    process: Process,
    now: Time,
    alive: bool,
    /// SIGSTOP has reached it.
    still: bool,
    can_spawn: bool,
    killed: bool,
}

impl World {
    fn give(&mut self, input: Input) {
        let action = self.process.handle(self.now, input);
        self.act(action.as_ref());
    }

    /// Does what is wanted. As in a devnet, making a process comes to its end at once.
    fn act(&mut self, action: Option<&Action>) {
        match action {
            Some(Action::Spawn) => {
                assert!(!self.alive, "two processes of one node");
                self.alive = self.can_spawn;
                self.still = false;
                let failed = || Input::SpawnFailed("out of memory".into());
                self.give(if self.can_spawn { Input::Spawned } else { failed() });
            }
            Some(Action::Kill) => {
                assert!(self.alive, "a signal to nobody");
                self.killed = true;
            }
            Some(Action::Ask(_) | Action::Resume) => {
                assert!(self.alive, "a question to nobody");
                self.still = false;
            }
            Some(Action::Pause) => {
                assert!(self.alive, "a signal to nobody");
                self.still = true;
            }
            None => {}
        }
    }

    fn end(&mut self, exit: Exit) {
        if std::mem::take(&mut self.alive) {
            self.killed = false;
            self.give(Input::Exited(exit));
        }
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(wake) = self.process.next_wake().filter(|&wake| wake <= until) {
            self.now = self.now.max(wake);
            let action = self.process.wake(self.now);
            self.act(action.as_ref());
            let again = self.process.next_wake() == Some(wake);
            assert!(!again, "a wake-up that does nothing comes again for ever");
        }
        self.now = until;
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ask(input) => self.give(input),
            Step::Spawning { works } => self.can_spawn = works,
            Step::Happen(Input::Exited(exit)) => self.end(exit),
            Step::Happen(input) => {
                // The directory speaks of it also while it stands still.
                let is_of_others = matches!(input, Input::Listed | Input::Unlisted);
                if is_of_others || (self.alive && !self.still) {
                    self.give(input);
                }
            }
            Step::Pass(time) => self.pass(time),
        }
        self.check();
    }

    /// What is true at any time.
    fn check(&self) {
        let (state, reason) = (self.process.state(), self.process.reason());
        assert!(!reason.is_empty() && !reason.ends_with('.'), "{state}: {reason:?}");
        assert_eq!(self.process.exists(), self.alive, "{state}: {reason}");
        assert_eq!(state.is_running(), self.alive, "{state}: {reason}");
        assert_eq!(state == State::Paused, self.alive && self.still && !self.killed, "{state}");
        let waits =
            matches!(state, State::BackingOff) || (state == State::Stopping && !self.killed);
        assert!(!waits || self.process.next_wake().is_some(), "{state} for ever: {reason}");
    }

    /// Lets everything that is underway come to its end, with a process that works but never
    /// obeys.
    fn settle(&mut self) {
        for _ in 0..8 {
            if self.killed {
                self.end(Exit::Signal(9));
            }
            self.pass(LONGEST_BACK_OFF);
        }
        if self.alive && !self.still {
            self.give(Input::Listening(Endpoint::App));
            self.give(Input::Ready("so".into()));
        }
        self.check();
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_last_wish_comes_true(
        restart in prop::sample::select(vec![Restart::No, Restart::OnFailure, Restart::Always]),
        steps in prop::collection::vec(step(), 0..60),
        wish in prop::sample::select(vec![
            Input::Start, Input::Restart, Input::Resume, Input::Pause, Input::Stop, Input::Down,
        ]),
    ) {
        let process = Process::new(Role::Client, 1, restart);
        let mut world =
            World { process, now: START, alive: false, still: false, can_spawn: true, killed: false };
        for step in steps {
            world.step(step);
        }
        world.can_spawn = true;
        // One that is about to end, or has, can neither be paused nor resumed.
        let before = world.process.state();
        let runs = before.is_running() && before != State::Stopping;
        world.give(wish.clone());
        world.settle();
        let state = world.process.state();
        match wish {
            Input::Resume | Input::Pause if !runs => {}
            Input::Start | Input::Restart | Input::Resume => prop_assert_eq!(state, State::Ready),
            Input::Pause => prop_assert_eq!(state, State::Paused),
            Input::Stop => prop_assert_eq!(state, State::Stopped),
            _ => prop_assert!(matches!(state, State::Stopped | State::Failed), "{}", state),
        }
    }
}
