//! The devnet as an observer of its links has it, and what theory expected of its settings when.

use std::collections::VecDeque;
use std::time::Duration;

use contract::Time;
use control::{Envelope, Snapshot};
use vantage::{Expectation, Settings, Vantage, Who};

/// Settings that are remembered: one every half minute, over the hour that a curve goes back.
const MAX_CHANGES: usize = 120;

/// How often is asked whether settings have changed: to count all senders for each event would cost more than
/// to take it in.
const PAUSE: Duration = Duration::from_secs(1);

/// Settings, since when they hold, and what to expect of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    /// Since when, by the stream's clock.
    pub(crate) at: Time,
    /// The settings.
    pub(crate) settings: Settings,
    /// What theory expects of them.
    pub(crate) expected: Expectation,
}

/// What an observer sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    vantage: Vantage,
    changes: VecDeque<Change>,
    looked: Option<Time>,
    /// Who is to watch, as soon as all of its nodes are known.
    who: Who,
    /// Whose correspondents are looked for, as soon as that one is known.
    victim: Option<String>,
    /// Of whom it is asked whether that one sends, as soon as that one is known.
    client: Option<String>,
}

impl Watch {
    /// An observer that has seen nothing, with the eyes and the questions of this one: what happened
    /// meanwhile was missed, and packets that came then would be taken for lost.
    pub(super) fn anew(self) -> Self {
        let Self { who, victim, client, .. } = self;
        Self { who, victim, client, ..Self::default() }
    }

    /// A snapshot says how everything is.
    pub(super) fn begin(&mut self, t: Time, snapshot: &Snapshot) {
        self.vantage.begin(t, snapshot);
        self.looked = None;
        self.look(t);
    }

    /// The stream says something.
    pub(crate) fn hear(&mut self, envelope: &Envelope) {
        self.vantage.hear(envelope);
        self.look(envelope.t);
    }

    fn look(&mut self, now: Time) {
        if self.looked.is_some_and(|looked| now.saturating_since(looked) < PAUSE) {
            return;
        }
        self.looked = Some(now);
        if *self.vantage.who() != self.who {
            self.vantage.set_who(self.who.clone());
        }
        if let Some(victim) = &self.victim
            && self.vantage.looks_for() != Some(victim.as_str())
        {
            self.vantage.look_for_who_writes_to(victim);
        }
        if let Some(client) = &self.client
            && self.vantage.watches() != Some(client.as_str())
        {
            self.vantage.look_whether_it_sends(client);
        }
        let Some(settings) = self.vantage.settings() else { return };
        if self.changes.back().is_some_and(|change| change.settings == settings) {
            return;
        }
        if self.changes.len() == MAX_CHANGES {
            self.changes.pop_front();
        }
        let expected = self.vantage.expected(&settings);
        self.changes.push_back(Change { at: now, settings, expected });
    }

    /// Watches with other eyes; says whether all that they need is known.
    pub(crate) fn become_who(&mut self, who: Who) -> bool {
        let is_known = self.vantage.set_who(who.clone());
        if is_known {
            self.who = who;
        }
        is_known
    }

    /// Looks for whoever writes to this one, from now on; says whether that one is known.
    pub(crate) fn look_for(&mut self, victim: &str) -> bool {
        let is_known = self.vantage.look_for_who_writes_to(victim);
        if is_known {
            self.victim = Some(victim.to_owned());
        }
        is_known
    }

    /// Asks whether this one sends, from now on; says whether that one is known.
    pub(crate) fn ask_whether(&mut self, client: &str) -> bool {
        let is_known = self.vantage.look_whether_it_sends(client);
        if is_known {
            self.client = Some(client.to_owned());
        }
        is_known
    }

    /// The nodes that are to tell what only they know.
    pub(crate) fn accomplices(&self) -> Vec<String> {
        self.who.accomplices().map(str::to_owned).collect()
    }

    /// What it found out.
    pub(crate) fn vantage(&self) -> &Vantage {
        &self.vantage
    }

    /// Settings as they were, oldest first; the last are those of now.
    pub(crate) fn changes(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes.iter()
    }
}
