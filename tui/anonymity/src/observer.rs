//! The observer: takes in what was seen, follows packets both ways, and keeps the figures.
//!
//! It does not know which packet is which, and is not told by whoever feeds it. How good it was is for
//! [`Calibration`](crate::Calibration) to say, which is told the truth and knows nothing else.

mod inbox;
mod mix;
mod nodes;
mod packets;

use std::collections::BTreeMap;
use std::time::Duration;

use self::inbox::Inbox;
pub use self::inbox::MAX_STAY;
use self::mix::Mix;
pub use self::nodes::MAX_SOURCES;
use self::nodes::{Nodes, Place, Room};
use crate::adversary::Adversary;
use crate::event::{MAX_NODES, NodeId, Observation, Role, Sighting};
use crate::figures::Figures;
use crate::masses::{MAX_TARGETS, Masses, SOURCES, UNKNOWN};
use crate::order::{Order, Taken};
use crate::pool::{BALANCE_DELAYS, Pool, Recount};
use crate::posterior::Posterior;
use crate::targets::{Target, TargetId, Targets};
use crate::trust::{Doubt, Trust};

/// How long a disturbance is told of where nobody knows the delays.
const SETTLES_UNKNOWN: Duration = Duration::from_secs(60);

/// How an observer is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who it is.
    pub adversary: Adversary,
    /// How late an event may come: longer than processes wait before they tell.
    pub reorder: Duration,
    /// The mean delay of a hop, if all have the same. It is public, and lets the observer notice when it
    /// has counted wrongly.
    pub delay: Option<Duration>,
}

/// Something the observer found out.
#[derive(Clone, Debug)]
pub enum Finding<'a> {
    /// A sender sent a packet.
    Sent {
        /// When, from whom, to which mixnode.
        sent: Sighting,
    },
    /// A packet came out at a provider.
    CameOut {
        /// When, from which mixnode, to which provider.
        came: Sighting,
        /// Who may have sent it.
        posterior: Posterior<'a>,
    },
    /// It went on to somebody: a provider pushed it, or one that is curious told.
    Delivered {
        /// How it came to the provider.
        came: Sighting,
        /// To whom.
        recipient: NodeId,
        /// Who may have sent it.
        posterior: Posterior<'a>,
    },
    /// A packet that was followed will not be heard of any more.
    Settled(Target),
}

/// Takes what is found, in the order of time.
type Found<'a> = &'a mut dyn FnMut(Finding<'_>);

/// What can be inferred from packets on links.
#[derive(Clone, Debug)]
pub struct Observer {
    adversary: Adversary,
    reorder: Duration,
    delay: Option<Duration>,
    order: Order,
    nodes: Nodes,
    /// By row.
    mixes: Vec<Mix>,
    masses: Masses,
    inboxes: BTreeMap<NodeId, Inbox>,
    targets: Targets,
    figures: Figures,
    trust: Trust,
    /// Up to when events have counted.
    now: Duration,
    balanced: Duration,
}

impl Observer {
    /// An observer that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            adversary: settings.adversary,
            reorder: settings.reorder,
            delay: settings.delay,
            order: Order::default(),
            nodes: Nodes::default(),
            mixes: Vec::new(),
            masses: Masses::default(),
            inboxes: BTreeMap::new(),
            targets: Targets::default(),
            figures: Figures::default(),
            trust: Trust::default(),
            now: Duration::ZERO,
            balanced: Duration::ZERO,
        }
    }

    /// Is told something. It counts as soon as nothing earlier can come.
    pub fn take(&mut self, observation: Observation) {
        if self.adversary.hears(&observation) && self.order.add(observation) == Taken::TooLate {
            self.trust.late += 1;
            self.trust.disturb(self.now);
        }
    }

    /// Takes in all that was told and that nothing earlier can precede any more, and tells what it finds.
    pub fn advance(&mut self, now: Duration, found: Found<'_>) {
        let until = now.saturating_sub(self.reorder);
        while let Some(observation) = self.order.next(until) {
            self.go_on(observation.time());
            self.process(observation, found);
        }
        self.go_on(until);
        self.settle(found);
    }

    /// Time passes. Counts are looked at on the second, however often somebody asks for figures.
    fn go_on(&mut self, t: Duration) {
        self.now = self.now.max(t);
        let second = Duration::from_secs(self.now.as_secs());
        if second > self.balanced {
            self.balanced = second;
            self.balance(second);
        }
    }

    fn process(&mut self, observation: Observation, found: Found<'_>) {
        match observation {
            Observation::Link(event) => self.link(&event, found),
            Observation::Passage(passage) => {
                if let Place::Mix(row) = self.nodes.place(passage.came.dst) {
                    self.mixes[row].tell(passage);
                }
            }
            Observation::Filed(filed) => self.filed(&filed, found),
            Observation::Joined { t, node, role } => self.join(t, node, role),
            Observation::Left { t, node } => self.leave(t, node),
            Observation::Died { t, node } => self.die(t, node),
            Observation::Lost { t, events } => self.lose(t, events),
        }
    }

    fn join(&mut self, t: Duration, node: NodeId, role: Role) {
        let same = match (self.nodes.place(node), role) {
            (Place::Mix(row), Role::Mix { layer }) => self.mixes[row].layer == layer,
            (Place::Provider(_), Role::Provider) => true,
            (Place::Sender(index), Role::Sender { provider }) => {
                self.nodes.sources[index].mailbox = Some(provider);
                true
            }
            _ => false,
        };
        if same {
            return;
        }
        if node.0 >= MAX_NODES {
            self.trust.refused += 1;
            return;
        }
        self.leave(t, node);
        let place = match role {
            Role::Mix { layer } => {
                let free = self.mixes.iter().position(|mix| mix.is_gone);
                let row = free.unwrap_or_else(|| self.masses.add_row());
                let mix = Mix::new(node, layer, t);
                if row < self.mixes.len() {
                    self.mixes[row] = mix;
                } else {
                    self.mixes.push(mix);
                }
                Place::Mix(row)
            }
            Role::Sender { .. } | Role::Provider => {
                let index = match self.nodes.add_source(node, role, &self.masses) {
                    Room::At(index) => index,
                    Room::Instead(index) => {
                        self.forget_source(index);
                        index
                    }
                    Room::None => {
                        self.trust.refused += 1;
                        return;
                    }
                };
                self.masses.widen(SOURCES + self.nodes.sources.len());
                if role == Role::Provider { Place::Provider(index) } else { Place::Sender(index) }
            }
        };
        self.nodes.set(node, place);
    }

    fn forget_source(&mut self, index: usize) {
        self.masses.forget_source(SOURCES + index);
        self.mixes.iter_mut().for_each(|mix| mix.forget_source(SOURCES + index));
        self.inboxes.values_mut().for_each(|inbox| inbox.forget_source(SOURCES + index, UNKNOWN));
    }

    fn leave(&mut self, t: Duration, node: NodeId) {
        self.die(t, node);
        match self.nodes.place(node) {
            Place::Nowhere => return,
            Place::Mix(row) => self.mixes[row].is_gone = true,
            // Its packets may be underway: it stays a suspect.
            Place::Sender(index) | Place::Provider(index) => {
                self.nodes.sources[index].is_gone = true;
            }
        }
        self.inboxes.remove(&node);
        self.nodes.set(node, Place::Nowhere);
    }

    /// What waited at a node is gone.
    fn die(&mut self, t: Duration, node: NodeId) {
        if let Some(inbox) = self.inboxes.get_mut(&node) {
            inbox.clear();
        }
        let Place::Mix(row) = self.nodes.place(node) else { return };
        let waited = self.mixes[row].pool.count();
        if waited > 0 {
            self.trust.deaths += 1;
            self.trust.died += u64::from(waited);
            self.trust.disturb(t);
        }
        self.empty(row, t);
    }

    fn empty(&mut self, row: usize, t: Duration) {
        self.mixes[row].pool.clear(t);
        let lost = self.masses.clear(row);
        self.targets.lost(&lost);
        for held in self.mixes[row].drop_all() {
            self.targets.lost(&held.vector[..MAX_TARGETS]);
        }
    }

    /// Events were lost, so that counts are wrong. Where delays are known that is found out; where not,
    /// counting begins anew, and what waits leaves from nowhere.
    fn lose(&mut self, t: Duration, events: u64) {
        self.trust.lost += events;
        self.trust.disturb(t);
        for row in 0..self.mixes.len() {
            if self.delay.is_some() {
                self.mixes[row].pool.begin_balance(t);
            } else {
                self.empty(row, t);
            }
        }
    }

    /// Corrects what was miscounted.
    fn balance(&mut self, now: Duration) {
        let Some(delay) = self.delay.filter(|_| self.adversary.follows()) else { return };
        for row in 0..self.mixes.len() {
            let mix = &mut self.mixes[row];
            let before = mix.pool.count();
            let count = match mix.pool.balance(now, delay) {
                None => continue,
                Some(Recount::First(count)) => count,
                Some(Recount::Wrong(count)) => {
                    self.trust.recounted += u64::from(before.abs_diff(count));
                    self.trust.disturb(now);
                    count
                }
            };
            mix.pool.set_count(now, count);
            let known = u32::try_from(mix.held()).unwrap_or(u32::MAX);
            let lost = self.masses.set_count(row, count.saturating_sub(known));
            self.targets.lost(&lost);
            while self.mixes[row].held() > count as usize {
                if let Some(held) = self.mixes[row].drop_oldest() {
                    self.targets.lost(&held.vector[..MAX_TARGETS]);
                }
            }
        }
    }

    fn settle(&mut self, found: Found<'_>) {
        while let Some((column, target)) = self.targets.settle(self.now) {
            self.forget_target(column);
            if target.is_sound() {
                self.figures.packet_bits.add(self.now, target.bits, 1.0);
            }
            found(Finding::Settled(target));
        }
    }

    /// Nothing of it waits at mixnodes any more. At providers it does: somebody may get it yet.
    fn forget_target(&mut self, column: usize) {
        self.masses.forget_target(column);
        self.mixes.iter_mut().for_each(|mix| mix.forget_target(column));
    }

    /// Becomes another adversary, who knows what this one has found out. Between one that sees all links
    /// and one that sees one of them counting begins anew.
    pub fn set_adversary(&mut self, adversary: Adversary) {
        let goes_on = self.adversary.follows() && adversary.follows();
        self.adversary = adversary;
        for row in 0..self.mixes.len() {
            if !goes_on {
                self.empty(row, self.now);
            } else if !self.adversary.is_corrupt(self.mixes[row].node) {
                self.blur(row);
            }
        }
        if !goes_on {
            self.inboxes.values_mut().for_each(Inbox::clear);
            self.trust.disturb(self.now);
        }
    }

    /// The mean delay of a hop changed. While packets of both means wait, older ones can be told from newer
    /// ones, of which whoever sets it knows. What was counted while no delay was known counts as disturbed.
    pub fn set_delay(&mut self, delay: Option<Duration>) {
        if self.delay != delay {
            if self.delay.is_none() || delay.is_none() {
                self.trust.disturb(self.now);
            }
            self.delay = delay;
            self.count_anew();
        }
    }

    /// Packets of an earlier mean are out: from now on counts are compared with that of now.
    pub fn count_anew(&mut self) {
        let now = self.now;
        self.mixes.iter_mut().for_each(|mix| mix.pool.begin_balance(now));
    }

    /// Follows the next packet of this sender. Eight can be followed at once; the one that was asked for
    /// first is given up for a ninth.
    pub fn watch(&mut self, sender: NodeId) -> TargetId {
        let (id, column) = self.targets.watch(sender);
        self.forget_target(column);
        id
    }

    /// A packet that is followed; none if it was given up for another.
    pub fn target(&self, id: TargetId) -> Option<&Target> {
        self.targets.get(id).map(|(_, target)| target)
    }

    /// The probabilities that a packet that is followed waits at each mixnode.
    pub fn whereabouts(&self, id: TargetId) -> Vec<(NodeId, f64)> {
        let Some((column, _)) = self.targets.get(id) else { return Vec::new() };
        let at = |(row, mix): (usize, &Mix)| {
            let p = self.masses.at(row, column) + mix.held_mass(column);
            (p > 0.0).then_some((mix.node, p))
        };
        self.mixes.iter().enumerate().filter_map(at).collect()
    }

    /// The mixnodes with their layers and pools.
    pub fn mixes(&self) -> impl Iterator<Item = (NodeId, u8, &Pool)> {
        let here = self.mixes.iter().filter(|mix| !mix.is_gone);
        here.map(|mix| (mix.node, mix.layer, &mix.pool))
    }

    /// Senders that are in the network.
    pub fn senders(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.senders().map(|(sender, _)| sender)
    }

    /// Those whose mailbox is at this provider: among them the recipient hides of what comes out there,
    /// from who does not see it pushed.
    pub fn mailboxes(&self, provider: NodeId) -> impl Iterator<Item = NodeId> {
        let there = self.nodes.senders().filter(move |(_, mailbox)| *mailbox == provider);
        there.map(|(sender, _)| sender)
    }

    /// Who it is.
    pub fn adversary(&self) -> &Adversary {
        &self.adversary
    }

    /// Means over time.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// What the model has no place for.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What speaks against the figures of the `window` before now.
    pub fn doubts(&self, window: Duration) -> Vec<Doubt> {
        let settles = self.delay.map_or(SETTLES_UNKNOWN, |delay| delay.mul_f64(BALANCE_DELAYS));
        let unknown = self.figures.unknown.over(self.now, window).mean().unwrap_or(0.0);
        self.trust.doubts(self.now, settles, unknown)
    }

    /// Up to when events have counted.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Events that wait for earlier ones.
    pub fn waiting(&self) -> usize {
        self.order.waiting()
    }
}
