//! Numbers for names: an observer counts, people do not.

use std::collections::HashMap;

use anonymity::{MAX_NODES, NodeId};
use control::identity_name;

/// Names with their numbers. A name keeps its number, also when its node comes back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    numbers: HashMap<String, NodeId>,
    /// By number.
    given: Vec<String>,
    /// By the number of a process: the numbers of its identities. Thousands of packets a second are told
    /// of these, and to put their names together for each costs more than all else.
    identities: Vec<Vec<Option<NodeId>>>,
}

impl Names {
    /// The number of a name, a new one if it has none; none if there are too many names.
    pub(crate) fn number(&mut self, name: &str) -> Option<NodeId> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u16::try_from(self.given.len()).ok().filter(|number| *number < MAX_NODES)?;
        self.given.push(name.to_owned());
        self.numbers.insert(name.to_owned(), NodeId(number));
        Some(NodeId(number))
    }

    /// The number of an identity of a process that has a number.
    pub(crate) fn identity(&mut self, process: NodeId, number: u32) -> Option<NodeId> {
        let row = usize::from(process.0);
        // More identities than nodes get no number.
        let place = usize::try_from(number).ok().filter(|place| *place < MAX_NODES.into())?;
        if let Some(Some(known)) = self.identities.get(row).and_then(|row| row.get(place)) {
            return Some(*known);
        }
        let known = self.number(&identity_name(self.name(process), number))?;
        if self.identities.len() <= row {
            self.identities.resize(row + 1, Vec::new());
        }
        let row = &mut self.identities[row];
        if row.len() <= place {
            row.resize(place + 1, None);
        }
        row[place] = Some(known);
        Some(known)
    }

    /// The number of a name that has one.
    pub(crate) fn find(&self, name: &str) -> Option<NodeId> {
        self.numbers.get(name).copied()
    }

    /// The name of a number that was given out here.
    pub(crate) fn name(&self, number: NodeId) -> &str {
        self.given.get(usize::from(number.0)).map_or("?", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_and_there_are_only_so_many() {
        let mut names = Names::default();
        let alice = names.number("alice").expect("room");
        let bob = names.number("bob").expect("room");
        assert_ne!(alice, bob);
        assert_eq!(names.number("alice"), Some(alice));
        assert_eq!((names.name(bob), names.find("carol")), ("bob", None));
        assert_eq!(names.identity(alice, 7), Some(NodeId(2)));
        assert_eq!(names.identity(alice, 7), names.find(&identity_name("alice", 7)));
        assert_eq!(names.identity(alice, u32::MAX), None);
        let given = (0..=MAX_NODES).filter(|n| names.number(&n.to_string()).is_some()).count();
        assert_eq!(given, usize::from(MAX_NODES) - 3);
    }
}
