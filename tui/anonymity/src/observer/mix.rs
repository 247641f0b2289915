//! A mixnode as the observer sees it, and what it tells if it is corrupt.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::{NodeId, Passage, Sighting};
use crate::masses::UNKNOWN;
use crate::pool::Pool;

/// Packets that a corrupt mixnode is known to hold: as many as wait at one at most.
const MAX_HELD: usize = 8192;

/// Passages that were told and whose packets were not yet seen to leave: they come in order, so that
/// more than those of one moment are told of packets that are never seen.
const MAX_TOLD: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct Mix {
    pub(crate) node: NodeId,
    pub(crate) layer: u8,
    pub(crate) pool: Pool,
    /// Whether its row is free.
    pub(crate) is_gone: bool,
    /// Packets that can be told apart, since they came while it was corrupt, oldest first.
    held: VecDeque<Held>,
    told: VecDeque<Passage>,
}

/// A packet at a corrupt mixnode.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    came: Sighting,
    pub(crate) vector: Vec<f64>,
}

/// What a mixnode told of a packet that left.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// It was this one.
    Held(Held),
    /// One that had come before the mixnode was corrupt.
    Other,
    /// Nothing: it is honest, or what it told was lost.
    Nothing,
}

impl Mix {
    pub(crate) fn new(node: NodeId, layer: u8, t: Duration) -> Self {
        let (held, told) = (VecDeque::new(), VecDeque::new());
        Self { node, layer, pool: Pool::new(t), is_gone: false, held, told }
    }

    /// How a packet will leave.
    pub(crate) fn tell(&mut self, passage: Passage) {
        if self.told.len() >= MAX_TOLD {
            self.told.pop_front();
        }
        self.told.push_back(passage);
    }

    /// A packet came that can be told from others. Gives up the oldest if there are too many.
    pub(crate) fn hold(&mut self, came: Sighting, vector: &[f64]) -> Option<Held> {
        let oldest = if self.held.len() >= MAX_HELD { self.held.pop_front() } else { None };
        self.held.push_back(Held { came, vector: vector.to_vec() });
        oldest
    }

    /// Which packet left so.
    pub(crate) fn told(&mut self, left: Sighting) -> Told {
        let index = self.told.iter().position(|passage| passage.left == left);
        let Some(passage) = index.and_then(|index| self.told.remove(index)) else {
            return Told::Nothing;
        };
        let index = self.held.iter().position(|held| held.came == passage.came);
        index.and_then(|index| self.held.remove(index)).map_or(Told::Other, Told::Held)
    }

    /// How many can be told from others.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn drop_oldest(&mut self) -> Option<Held> {
        self.held.pop_front()
    }

    /// All of them, which are not told apart any more.
    pub(crate) fn drop_all(&mut self) -> VecDeque<Held> {
        std::mem::take(&mut self.held)
    }

    pub(crate) fn held_mass(&self, column: usize) -> f64 {
        self.held.iter().filter_map(|held| held.vector.get(column)).sum()
    }

    /// A column has become somebody else's.
    pub(crate) fn forget_source(&mut self, column: usize) {
        for held in &mut self.held {
            let lost = held.vector.get_mut(column).map_or(0.0, std::mem::take);
            held.vector[UNKNOWN] += lost;
        }
    }

    /// A target's column begins anew.
    pub(crate) fn forget_target(&mut self, column: usize) {
        for held in &mut self.held {
            held.vector[column] = 0.0;
        }
    }
}
