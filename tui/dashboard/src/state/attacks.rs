//! What somebody did to the devnet on purpose, and what came of it.

use std::collections::VecDeque;

use control::{AttackStatus, REMEMBERED_ATTACKS};

/// Attacks, oldest first: as many as the supervisor remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attacks(VecDeque<AttackStatus>);

impl Attacks {
    /// Those of a snapshot.
    pub(crate) fn new(all: Vec<AttackStatus>) -> Self {
        let mut attacks = Self::default();
        for status in all {
            attacks.hear(status);
        }
        attacks
    }

    /// One is new, or came further. An answer and the event of it may come in any order: what is over stays so.
    pub(crate) fn hear(&mut self, status: AttackStatus) {
        if let Some(known) = self.0.iter_mut().find(|known| known.id == status.id) {
            if known.end.is_none() || status.end.is_some() {
                *known = status;
            }
            return;
        }
        if self.0.len() == REMEMBERED_ATTACKS {
            self.0.pop_front();
        }
        self.0.push_back(status);
    }

    /// All that are known, the latest first.
    pub(crate) fn latest(&self) -> impl ExactSizeIterator<Item = &AttackStatus> {
        self.0.iter().rev()
    }
}
