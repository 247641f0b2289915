//! How far a process that runs has come.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::{Endpoint, Role, Time};
use control::State;

/// A process that runs, and what is known of it.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) since: Time,
    pub(super) open: BTreeSet<Endpoint>,
    pub(super) listed: bool,
    /// When the directory said last that it heard it. When it was heard itself, if it is the
    /// directory.
    pub(super) heard: Option<Time>,
    /// How long that was ago when it was not listed any more.
    pub(super) unheard_for: Option<Duration>,
    pub(super) said: Said,
    /// It has said that it is ready.
    pub(super) was_ready: bool,
    pub(super) signal: Signal,
}

/// What was done to a process by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Nothing, or it goes on again.
    None,
    /// It was stopped where it stands.
    Paused,
    /// SIGKILL is on its way to it.
    Killed,
}

/// The latest word of a process about itself.
#[derive(Debug)]
pub(super) enum Said {
    Nothing,
    Waiting(String),
    Ready(String),
}

impl Running {
    /// A process that has just been made.
    pub(super) fn new(now: Time) -> Self {
        Self {
            since: now,
            open: BTreeSet::new(),
            listed: false,
            heard: None,
            unheard_for: None,
            said: Said::Nothing,
            was_ready: false,
            signal: Signal::None,
        }
    }

    /// Whether it has opened that many sockets, which are all of its own.
    pub(super) fn is_open(&self, sockets: usize) -> bool {
        self.open.len() >= sockets
    }

    /// It said that it is ready.
    pub(super) fn ready(&mut self, reason: String) {
        self.was_ready = true;
        self.said = Said::Ready(reason);
    }

    /// The directory lists it.
    pub(super) fn listed(&mut self, now: Time) {
        // What it waited for before it was listed is over.
        if !self.listed && matches!(self.said, Said::Waiting(_)) {
            self.said = Said::Nothing;
        }
        self.listed = true;
        self.heard = Some(now);
    }

    /// The directory does not list it, perhaps not any more.
    pub(super) fn unlisted(&mut self, now: Time) {
        if self.listed {
            self.unheard_for = self.heard.map(|heard| now.saturating_since(heard));
        }
        self.listed = false;
    }

    /// Its state, and why it is in that.
    pub(super) fn judge(&self, role: Role, sockets: usize) -> (State, String) {
        let waiting = |otherwise: &str| match &self.said {
            Said::Waiting(reason) => reason.clone(),
            Said::Nothing | Said::Ready(_) => otherwise.into(),
        };
        match (role, &self.said) {
            _ if self.signal == Signal::Killed => (State::Stopping, "killed as asked".into()),
            _ if self.signal == Signal::Paused => (State::Paused, "stands still as asked".into()),
            _ if !self.is_open(sockets) => {
                (State::Starting, waiting("has not opened its sockets yet"))
            }
            (Role::Mixnode | Role::Provider, said) if self.listed => match said {
                Said::Waiting(reason) => (State::Present, reason.clone()),
                Said::Nothing | Said::Ready(_) => (State::Ready, "the directory lists it".into()),
            },
            (Role::Mixnode | Role::Provider, _) => {
                (State::Listening, waiting(&not_listed(self.unheard_for)))
            }
            (Role::Directory, Said::Ready(_)) if !self.listed => {
                let reason = if self.heard.is_some() {
                    "it does not answer the supervisor any more"
                } else {
                    "it has not told the supervisor yet what it lists"
                };
                (State::Listening, reason.into())
            }
            (Role::Directory | Role::Client | Role::Crowd, Said::Ready(reason)) => {
                (State::Ready, reason.clone())
            }
            (Role::Client | Role::Crowd, Said::Waiting(reason)) if self.was_ready => {
                (State::Present, reason.clone())
            }
            // Without a socket there is nothing that it could listen on.
            _ if sockets == 0 => (State::Starting, waiting("has not said that it is ready")),
            _ => (State::Listening, waiting("has not said that it is ready")),
        }
    }
}

/// Why the directory does not list it. Told once, when it happens, so it is put such that it stays
/// true.
fn not_listed(unheard_for: Option<Duration>) -> String {
    match unheard_for.map(|duration| duration.as_secs()) {
        None => "the directory does not list it yet".into(),
        Some(0) => "the directory does not list it any more".into(),
        Some(seconds) => {
            format!("not listed any more: the directory had not heard it for {seconds} s")
        }
    }
}
