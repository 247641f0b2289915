//! What goes into the life of a process, and what comes out.

use contract::{Command, Endpoint, Fatal};

use crate::exit::Exit;

/// What a process is asked, or what happened to it.
#[derive(Clone, Debug)]
pub enum Input {
    /// Run it.
    Start,
    /// Let it leave; it is not started again.
    Stop,
    /// Let it leave, then run it again.
    Restart,
    /// Let it stand still where it is.
    Pause,
    /// Let it go on.
    Resume,
    /// End it at once; it is started again like after a crash.
    Kill,
    /// From now on it is not started again, whatever happens.
    LastRun,
    /// The devnet stops: end it without draining.
    Down,
    /// The process that was asked for is there.
    Spawned,
    /// The process that was asked for could not be made.
    SpawnFailed(String),
    /// It opened a socket.
    Listening(Endpoint),
    /// It said why it is not ready.
    Waiting(String),
    /// It said that it is ready, and what showed it.
    Ready(String),
    /// It said why it cannot go on.
    Fatal(Fatal),
    /// It said why it is ending.
    Ending(String),
    /// The directory lists it. Of the directory itself: it has told what it lists.
    Listed,
    /// The directory does not list it any more. Of the directory itself: nothing is heard of it.
    Unlisted,
    /// It ended.
    Exited(Exit),
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make a process. Answered with [`Input::Spawned`] or [`Input::SpawnFailed`] before anything
    /// else is asked.
    Spawn,
    /// Ask the process to end. One that stands still cannot hear that, so it goes on first.
    Ask(Command),
    /// SIGSTOP to the process and its group.
    Pause,
    /// SIGCONT to the process and its group.
    Resume,
    /// SIGKILL to the process and its group.
    Kill,
}
