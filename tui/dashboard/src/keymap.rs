//! Which keys do what: those of the list of actions, unless the user has others.

use std::collections::BTreeMap;

use crate::action::{self, ACTIONS, Action, Context, Spec};
use crate::keys::Key;
use crate::symbols::Symbols;

/// The keys of every action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keymap {
    /// What the user has instead of the keys of the list, by the action's name.
    own: BTreeMap<&'static str, Vec<Key>>,
}

impl Keymap {
    /// The keys of the list but for those that are named here.
    pub(crate) fn new(own: BTreeMap<&'static str, Vec<Key>>) -> Self {
        Self { own }
    }

    /// The keys of an action, the one to show first. None if the user has taken them away.
    pub(crate) fn keys<'a>(&'a self, spec: &'a Spec) -> &'a [Key] {
        self.own.get(spec.name).map_or(spec.keys, Vec::as_slice)
    }

    /// What a key does in a context.
    pub(crate) fn bound(&self, context: Context, key: Key) -> Option<&'static Spec> {
        action::in_context(context).find(|spec| self.keys(spec).contains(&key))
    }

    /// The key to show for an action, as the screen writes it. Of several entries, that of the
    /// first that has any.
    pub(crate) fn label(&self, action: Action, symbols: &Symbols) -> String {
        let mut specs = ACTIONS.iter().filter(|spec| spec.action == action);
        let key = specs.find_map(|spec| self.keys(spec).first());
        key.map(|key| key.label(symbols)).unwrap_or_default()
    }
}
