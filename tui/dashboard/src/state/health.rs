//! How a process fares, in a glyph and a word: its state and its presence taken together.

use contract::Role;
use control::{DirectoryState, State};

use super::{Devnet, Moment, Node, Standing};

/// What a state looks like. The theme gives it a colour, the symbols a glyph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// It does its work.
    Ready,
    /// It comes up.
    Starting,
    /// It works, and something is not as it should be.
    Late,
    /// It comes back by itself.
    BackingOff,
    /// It runs, and the directory has forgotten it.
    Gone,
    /// It will not come back by itself.
    Failed,
    /// It stands still until somebody lets it go on.
    Paused,
    /// Somebody stopped it, or has not started it.
    Stopped,
}

/// How a process fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    /// What it looks like.
    pub(crate) mark: Mark,
    /// One word, or two.
    pub(crate) word: &'static str,
}

impl Devnet {
    /// How a process fares now.
    pub(crate) fn health(&self, node: &Node, now: Moment) -> Health {
        let state = node.status.state;
        let (mark, word) = match state {
            State::Paused => (Mark::Paused, state.word()),
            State::Planned | State::Stopping | State::Stopped => (Mark::Stopped, state.word()),
            State::Starting | State::Listening => (Mark::Starting, state.word()),
            State::BackingOff => (Mark::BackingOff, state.word()),
            State::Failed => (Mark::Failed, state.word()),
            State::Present | State::Ready => match self.standing(node, now) {
                Some(Standing::Late(_)) => (Mark::Late, "late"),
                Some(Standing::Gone(_) | Standing::Left(_)) => (Mark::Gone, "gone"),
                _ if state == State::Ready => (Mark::Ready, state.word()),
                _ => (Mark::Starting, state.word()),
            },
        };
        Health { mark, word }
    }

    /// What the presence of a process is worth; none if it does not announce itself, has not yet,
    /// or if the directory is not heard: its silence then says nothing about the process.
    pub(crate) fn standing(&self, node: &Node, now: Moment) -> Option<Standing> {
        let in_topology = matches!(node.status.role, Role::Mixnode | Role::Provider);
        if !in_topology || self.directory != DirectoryState::Live {
            return None;
        }
        let announcer =
            node.status.public_keys.iter().find_map(|key| self.presence.get(key.as_str()))?;
        Some(announcer.standing(now))
    }

    /// How many processes are ready, as a reader of the screen would count them.
    pub(crate) fn ready(&self, now: Moment) -> usize {
        self.nodes.iter().filter(|node| self.health(node, now).mark == Mark::Ready).count()
    }
}
