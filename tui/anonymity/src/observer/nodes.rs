//! Which node is what, and which column of the vectors is whose.

use crate::event::{MAX_NODES, NodeId, Role};
use crate::masses::{Masses, SOURCES};
use crate::posterior::Source;

/// Senders and providers at once, and those that have left but whose packets may be underway.
pub const MAX_SOURCES: usize = 1100;

/// A column in which less than this is left, in packets, is as good as empty.
const TRACE: f64 = 1e-6;

/// Where in the state a node has its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is not in the network.
    #[default]
    Nowhere,
    /// A sender, by its index among the sources.
    Sender(usize),
    /// A mixnode, by its row.
    Mix(usize),
    /// A provider, by its index among the sources.
    Provider(usize),
}

#[derive(Debug, Default)]
pub(crate) struct Nodes {
    places: Vec<Place>,
    pub(crate) sources: Vec<Source>,
    last_serial: u32,
}

/// What became of a source that joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Its index.
    At(usize),
    /// The same, and another's column has to be emptied for it.
    Instead(usize),
    /// There is no room.
    None,
}

impl Nodes {
    pub(crate) fn place(&self, node: NodeId) -> Place {
        self.places.get(usize::from(node.0)).copied().unwrap_or_default()
    }

    /// Of a node below [`MAX_NODES`].
    pub(crate) fn set(&mut self, node: NodeId, place: Place) {
        let index = usize::from(node.0.min(MAX_NODES - 1));
        if index >= self.places.len() {
            self.places.resize(index + 1, Place::Nowhere);
        }
        self.places[index] = place;
    }

    /// A sender or provider joins. One that comes back gets its column back.
    pub(crate) fn add_source(&mut self, node: NodeId, role: Role, masses: &Masses) -> Room {
        let mailbox = match role {
            Role::Sender { provider } => Some(provider),
            Role::Provider | Role::Mix { .. } => None,
        };
        let same = |source: &Source| source.node == node && source.is_sender() == mailbox.is_some();
        if let Some(index) = self.sources.iter().position(same) {
            self.sources[index].is_gone = false;
            self.sources[index].mailbox = mailbox;
            return Room::At(index);
        }
        self.last_serial += 1;
        let source = Source { node, mailbox, serial: self.last_serial, is_gone: false };
        let left = |index: usize| masses.waiting(SOURCES + index);
        let gone = (0..self.sources.len()).filter(|index| self.sources[*index].is_gone);
        let least = gone.map(|index| (index, left(index))).min_by(|a, b| a.1.total_cmp(&b.1));
        let is_full = self.sources.len() >= MAX_SOURCES;
        match least {
            Some((index, left)) if left < TRACE || is_full => {
                self.sources[index] = source;
                Room::Instead(index)
            }
            _ if is_full => Room::None,
            _ => {
                self.sources.push(source);
                Room::At(self.sources.len() - 1)
            }
        }
    }

    /// Senders that are in the network, each with the provider that has his mailbox.
    pub(crate) fn senders(&self) -> impl Iterator<Item = (NodeId, NodeId)> {
        let here = self.sources.iter().filter(|source| !source.is_gone);
        here.filter_map(|source| Some((source.node, source.mailbox?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: Role = Role::Sender { provider: NodeId(0) };

    #[test]
    fn columns_are_used_again() {
        let mut nodes = Nodes::default();
        let mut masses = Masses::default();
        masses.add_row();
        masses.widen(SOURCES + 3);
        assert_eq!(nodes.add_source(NodeId(1), SENDER, &masses), Room::At(0));
        assert_eq!(nodes.add_source(NodeId(2), SENDER, &masses), Room::At(1));
        masses.send(SOURCES, None);
        masses.arrive(0);
        for source in &mut nodes.sources {
            source.is_gone = true;
        }
        // The first has a packet underway.
        assert_eq!(nodes.add_source(NodeId(3), SENDER, &masses), Room::Instead(1));
        assert_eq!(nodes.add_source(NodeId(4), SENDER, &masses), Room::At(2));
        // It comes back, to another provider.
        let moved = Role::Sender { provider: NodeId(7) };
        assert_eq!(nodes.add_source(NodeId(1), moved, &masses), Room::At(0));
        assert_eq!(nodes.sources[0].mailbox, Some(NodeId(7)));
        assert_eq!(nodes.senders().count(), 3);
        assert_eq!(nodes.sources[0].serial, 1);
    }

    #[test]
    fn there_is_an_end_to_columns() {
        let mut nodes = Nodes::default();
        let mut masses = Masses::default();
        masses.add_row();
        masses.widen(SOURCES + MAX_SOURCES);
        for node in 0..MAX_SOURCES {
            let node = NodeId(u16::try_from(node).expect("few"));
            assert!(matches!(nodes.add_source(node, SENDER, &masses), Room::At(_)));
        }
        assert_eq!(nodes.add_source(NodeId(4000), SENDER, &masses), Room::None);
        masses.send(SOURCES + 7, None);
        masses.arrive(0);
        nodes.sources[7].is_gone = true;
        assert_eq!(nodes.add_source(NodeId(4000), SENDER, &masses), Room::Instead(7));
        assert_eq!(nodes.place(NodeId(MAX_NODES)), Place::Nowhere);
    }
}
