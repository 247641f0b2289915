//! What an observer is told: packets on links, and what its accomplices add.
//!
//! A [`LinkEvent`] has no name of a packet and no kind: when, from whom, to whom, how many bytes. Only
//! whoever holds a mixnode or a provider learns more, of what passes through that node and of nothing
//! else. A packet is named there as the observer would name it, by where and when it was seen.

use std::time::Duration;

/// A node as the observer calls it: a number of the caller's choice, below [`MAX_NODES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// Numbers of nodes are an index: four layers of 33 mixnodes, a thousand senders, providers, and as
/// many again for those that came later.
pub const MAX_NODES: u16 = 4096;

/// One packet on one link, as it left `src`.
///
/// The link is taken to be instant: what little time it takes changes the order of what happens at its
/// other end too rarely to show. Packets are all that is told, one by one, also where a provider pushes
/// several at once; whatever else nodes say to each other tells nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkEvent {
    /// Since some start that is the same for all events.
    pub t: Duration,
    /// Who sent it.
    pub src: NodeId,
    /// Who it went to.
    pub dst: NodeId,
    /// On the link.
    pub bytes: u32,
}

/// Where and when a packet was seen: all that names it to an observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sighting {
    /// The same as its [`LinkEvent`]'s.
    pub t: Duration,
    /// Who sent it.
    pub src: NodeId,
    /// Who it went to.
    pub dst: NodeId,
}

impl LinkEvent {
    /// Its name.
    pub fn sighting(&self) -> Sighting {
        Sighting { t: self.t, src: self.src, dst: self.dst }
    }
}

/// A corrupt mixnode tells which packet became which. It knows that, for it took the layer off.
///
/// Both sightings are to the nanosecond those of the [`LinkEvent`]s, which is how they are found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// How it came to the mixnode.
    pub came: Sighting,
    /// How it left it.
    pub left: Sighting,
}

/// A curious provider tells for whom a packet is. It knows that, for it files it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filed {
    /// How it came to the provider.
    pub came: Sighting,
    /// In whose mailbox it is.
    pub recipient: NodeId,
}

/// What a node is to the observer, who knows the topology as everybody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends and receives: a client, or one identity of a crowd, whose mailbox is at `provider`.
    Sender {
        /// Its provider.
        provider: NodeId,
    },
    /// A mixnode.
    Mix {
        /// From 1.
        layer: u8,
    },
    /// Takes what leaves the last layer, pushes it to senders, and sends the acknowledgements that were
    /// prepared for it.
    Provider,
}

/// Whatever the observer is told, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A packet was on a link.
    Link(LinkEvent),
    /// A corrupt mixnode tells. Put off until the packet that left is seen on its link.
    Passage(Passage),
    /// A curious provider tells. Counts from when the packet came.
    Filed(Filed),
    /// A node joined the network, or has another role than before.
    Joined {
        /// When.
        t: Duration,
        /// Which.
        node: NodeId,
        /// What it is.
        role: Role,
    },
    /// A node left the network. Whatever waits at a mixnode that leaves is lost.
    Left {
        /// When.
        t: Duration,
        /// Which.
        node: NodeId,
    },
    /// A node died, and may be started anew: what waited there is lost.
    Died {
        /// When.
        t: Duration,
        /// Which.
        node: NodeId,
    },
    /// Events were lost before they could be told.
    Lost {
        /// When.
        t: Duration,
        /// How many.
        events: u64,
    },
}

impl Observation {
    /// When it counts.
    pub fn time(&self) -> Duration {
        match self {
            Self::Link(event) => event.t,
            Self::Passage(passage) => passage.left.t,
            Self::Filed(filed) => filed.came.t,
            Self::Joined { t, .. }
            | Self::Left { t, .. }
            | Self::Died { t, .. }
            | Self::Lost { t, .. } => *t,
        }
    }

    /// What comes first of two that have the same time: a node must be known when it sends, a passage
    /// when the packet leaves, and a packet must have come when it is filed.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Joined { .. } => 0,
            Self::Passage(_) => 1,
            Self::Link(_) => 2,
            Self::Filed(_) => 3,
            Self::Left { .. } | Self::Died { .. } | Self::Lost { .. } => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fifth field would have to be named here, and a name of a packet would need room.
    #[test]
    fn a_link_event_has_four_fields_and_no_room_for_more() {
        let event = LinkEvent { t: Duration::ZERO, src: NodeId(1), dst: NodeId(2), bytes: 3 };
        let LinkEvent { t, src, dst, bytes } = event;
        let _: (Duration, NodeId, NodeId, u32) = (t, src, dst, bytes);
        let fields = size_of::<(Duration, NodeId, NodeId, u32)>();
        assert_eq!(size_of::<LinkEvent>(), fields);
    }
}
