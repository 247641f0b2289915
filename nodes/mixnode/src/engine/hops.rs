//! Where packets of a layer may go: to the next one, and nowhere else.
//!
//! Nodes come and go, ports pass from one to another, and nobody's view of the network is the newest.
//! So an address is fine if it is, or was a short while ago, where it should be. Any other packet
//! waits while the topology is fetched, and is given up only if that does not help.

use std::collections::VecDeque;
use std::time::Duration;

use contract::Time;
use runtime::{Network, Place, Places};
use wire::NodeAddress;

use super::Waiting;
use crate::DropReason;

/// How long a packet is held whose next hop is not known where it should be.
pub const UNKNOWN_HOP_HOLD: Duration = Duration::from_secs(1);

/// How often the topology is fetched at most. A packet that is held is sure to see a newer view than
/// the one that it met.
const FETCH_INTERVAL: Duration = Duration::from_millis(250);

/// Most packets that are held: 2.5 MB. Beyond, the view that there is decides, so that whoever makes up
/// addresses does not fill the pool.
const MAX_HELD: usize = 1024;

/// What vanished before a node started it cannot know; packets made before that are on their way for
/// some seconds, and may name an address that has passed on since.
const SETTLING: Duration = Duration::from_secs(5);

/// Next hops, and packets that wait for theirs to be known.
#[derive(Debug)]
pub(super) struct Hops {
    /// Where packets may go; none if anywhere.
    allowed: Option<Place>,
    places: Places,
    /// When the first view of the network came, and the last.
    viewed: Option<(Time, Time)>,
    /// Packets that wait, in their order.
    held: VecDeque<Held>,
    /// How many of them, from the front, have not been looked at since the last view.
    unlooked: usize,
    /// When the topology was last asked for.
    asked: Option<Time>,
}

/// A packet whose delay is over.
#[derive(Debug)]
struct Held {
    since: Time,
    packet: Waiting,
}

/// Whether a packet may leave.
pub(super) enum Look {
    Allowed,
    /// It is to be held.
    Unsure,
    Refused(DropReason),
}

impl Hops {
    /// Of a node of `layer` in a network of `layers`.
    pub(super) fn new(layer: u8, layers: u8) -> Self {
        let next = if layer == layers { Place::Provider } else { Place::Layer(layer + 1) };
        Self::to(Some(next))
    }

    /// Of a node that sends packets wherever they want.
    pub(super) fn unchecked() -> Self {
        Self::to(None)
    }

    fn to(allowed: Option<Place>) -> Self {
        Self {
            allowed,
            places: Places::default(),
            viewed: None,
            held: VecDeque::new(),
            unlooked: 0,
            asked: None,
        }
    }

    /// Takes a new view of the network.
    pub(super) fn set_network(&mut self, now: Time, network: &Network) {
        self.places.update(now, network);
        let first = self.viewed.map_or(now, |(first, _)| first);
        self.viewed = Some((first, now));
        self.unlooked = self.held.len();
    }

    /// Whether a packet may go there now.
    pub(super) fn look(&self, now: Time, to: NodeAddress) -> Look {
        match self.allowed {
            Some(place) if !self.places.is(now, to.0, place) => {
                if self.held.len() < MAX_HELD {
                    Look::Unsure
                } else {
                    Look::Refused(self.refusal(now, now, to))
                }
            }
            _ => Look::Allowed,
        }
    }

    /// Keeps a packet until its next hop is known, but not for long.
    pub(super) fn hold(&mut self, since: Time, packet: Waiting) {
        self.held.push_back(Held { since, packet });
    }

    /// The next packet that was held and may leave, now that there is a new view.
    pub(super) fn next_known(&mut self, now: Time) -> Option<Waiting> {
        while self.unlooked > 0 {
            self.unlooked -= 1;
            let held = self.held.pop_front()?;
            if let Look::Allowed = self.look(now, held.packet.to) {
                return Some(held.packet);
            }
            // All are looked at, so that they are in their order again at the end.
            self.held.push_back(held);
        }
        None
    }

    /// The next packet that was held for too long, and why it is given up.
    pub(super) fn next_refused(&mut self, now: Time) -> Option<(DropReason, Waiting)> {
        let is_over = self.held.front()?.since + UNKNOWN_HOP_HOLD <= now;
        let held = if is_over { self.held.pop_front() } else { None }?;
        Some((self.refusal(now, held.since, held.packet.to), held.packet))
    }

    /// Whether the topology should be fetched for packets that came since it last was.
    pub(super) fn wants_topology(&mut self, now: Time) -> bool {
        let wants = self.next_fetch().is_some_and(|at| at <= now);
        if wants {
            self.asked = Some(now);
        }
        wants
    }

    /// When something is to be done for packets that are held.
    pub(super) fn next_wake(&self) -> Option<Time> {
        let over = self.held.front().map(|held| held.since + UNKNOWN_HOP_HOLD);
        over.into_iter().chain(self.next_fetch()).min()
    }

    /// Packets that are held.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    fn next_fetch(&self) -> Option<Time> {
        let newest = self.held.back()?.since;
        match self.asked {
            Some(asked) if newest <= asked => None,
            Some(asked) => Some(asked + FETCH_INTERVAL),
            None => Some(newest),
        }
    }

    /// Why a packet that came to leave `since` then cannot. It is only sure to be in the wrong layer if a
    /// newer view says so, and if nothing can have vanished unseen.
    fn refusal(&self, now: Time, since: Time, to: NodeAddress) -> DropReason {
        let is_sure = self
            .viewed
            .is_some_and(|(first, last)| last > since && now.saturating_since(first) >= SETTLING);
        if is_sure && self.places.knows(now, to.0) {
            DropReason::Layer
        } else {
            DropReason::UnknownHop
        }
    }
}
