//! Numbers for names: an observer counts, people do not.

use std::collections::HashMap;

use anonymity::{MAX_NODES, NodeId};

/// Names with their numbers. A name keeps its number, also when its node comes back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    numbers: HashMap<String, NodeId>,
    names: Vec<String>,
}

impl Names {
    /// The number of a name, a new one if it has none; none if there are too many names.
    pub(crate) fn number(&mut self, name: &str) -> Option<NodeId> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u16::try_from(self.names.len()).ok().filter(|number| *number < MAX_NODES)?;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), NodeId(number));
        Some(NodeId(number))
    }

    /// The number of a name that has one.
    pub(crate) fn find(&self, name: &str) -> Option<NodeId> {
        self.numbers.get(name).copied()
    }

    /// The name of a number that was given out here.
    pub(crate) fn name(&self, number: NodeId) -> &str {
        self.names.get(usize::from(number.0)).map_or("?", String::as_str)
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
        let given = (0..=MAX_NODES).filter(|n| names.number(&n.to_string()).is_some()).count();
        assert_eq!(given, usize::from(MAX_NODES) - 2);
    }
}
