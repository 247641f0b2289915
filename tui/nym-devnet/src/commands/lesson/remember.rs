//! What is remembered of lessons, with what is wrong with it told on the terminal.

use lessons::Progress;
use tutor::{Hold, Kept, Learnt, Store};

use crate::context::Context;
use crate::output::Output;

/// Where it is kept, and who is told.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    store: Store,
    output: Output,
}

impl Memory {
    pub(super) fn of(context: &Context) -> Self {
        Self { store: Store::new(context.state_dir.path()), output: context.output }
    }

    /// What is remembered.
    pub(super) fn read(&self) -> Progress {
        self.told(self.store.read())
    }

    /// Keeps a devnet for one lesson; none if another has it.
    pub(super) fn hold(&self, devnet: &str) -> Option<Hold> {
        self.store.hold(devnet)
    }

    /// Remembers something more.
    pub(super) fn add(&self, learnt: &Learnt) {
        self.told(self.store.change(|progress| learnt.add_to(progress)));
    }

    fn told(&self, kept: Kept) -> Progress {
        kept.complaints.iter().for_each(|complaint| self.output.note(complaint));
        kept.progress
    }
}
