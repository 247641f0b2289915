//! What each packet on a link means: one leaves here, one comes there.

use super::{Finding, Found, Observer, Place};
use crate::event::{Filed, LinkEvent, NodeId, Sighting};
use crate::masses::{MAX_TARGETS, SOURCES, UNKNOWN};
use crate::observer::inbox::Arrived;
use crate::observer::mix::Told;
use crate::posterior::Posterior;

impl Observer {
    pub(super) fn link(&mut self, event: &LinkEvent, found: Found<'_>) {
        let (src, dst) = (self.nodes.place(event.src), self.nodes.place(event.dst));
        if !self.adversary.follows() {
            if let (Place::Sender(_), Place::Mix(_)) = (src, dst) {
                self.figures.sent.add(event.t, 1.0, 1.0);
                found(Finding::Sent { sent: event.sighting() });
            }
            return;
        }
        match (src, dst) {
            (Place::Provider(_), Place::Sender(_)) => return self.pushed(event, found),
            (Place::Mix(from), Place::Mix(to)) if self.is_plain(from) && self.is_plain(to) => {
                self.trust.see_size(event.bytes);
                self.left(from, event);
                self.mixes[to].pool.arrive(event.t);
                self.masses.pass(from, to);
                return;
            }
            (Place::Mix(from), _) => self.depart(from, event),
            (Place::Sender(index) | Place::Provider(index), Place::Mix(_)) => {
                self.enter(index, event, found);
            }
            // Of a node that is not known, or is not known any more.
            (Place::Nowhere, Place::Mix(_)) => self.masses.send(UNKNOWN, None),
            _ => {
                self.trust.astray += 1;
                return;
            }
        }
        self.trust.see_size(event.bytes);
        match dst {
            Place::Mix(to) => self.arrive(to, event),
            Place::Provider(_) => self.come_out(event, found),
            Place::Sender(_) | Place::Nowhere => {
                self.trust.astray += 1;
                self.targets.lost(&self.masses.hand()[..MAX_TARGETS]);
            }
        }
    }

    /// Whether its packets are not told apart.
    fn is_plain(&self, row: usize) -> bool {
        self.mixes[row].held() == 0 && !self.adversary.is_corrupt(self.mixes[row].node)
    }

    fn enter(&mut self, index: usize, event: &LinkEvent, found: Found<'_>) {
        let is_sender = self.nodes.sources[index].is_sender();
        let target = is_sender.then(|| self.targets.sent(event.sighting())).flatten();
        if let Some(column) = target {
            // Of whoever had the column before.
            self.inboxes.values_mut().for_each(|inbox| inbox.forget_target(column));
        }
        self.masses.send(SOURCES + index, target);
        let rate = if is_sender { &mut self.figures.sent } else { &mut self.figures.acknowledged };
        rate.add(event.t, 1.0, 1.0);
        if is_sender {
            found(Finding::Sent { sent: event.sighting() });
        }
    }

    /// Counts a packet that leaves, and is not known.
    fn left(&mut self, row: usize, event: &LinkEvent) {
        if !self.mixes[row].pool.depart(event.t) {
            self.trust.from_nowhere += 1;
        }
    }

    fn depart(&mut self, row: usize, event: &LinkEvent) {
        let mix = &mut self.mixes[row];
        match mix.told(event.sighting()) {
            Told::Held(held) => {
                mix.pool.depart_known(event.t);
                return self.masses.carry(&held.vector);
            }
            Told::Other => {}
            Told::Nothing => {
                if mix.held() > 0 {
                    self.trust.untold += 1;
                    self.blur(row);
                }
            }
        }
        self.masses.depart(row);
        self.left(row, event);
    }

    /// Forgets which packet is which at a mixnode: any of them may be the next to leave.
    pub(super) fn blur(&mut self, row: usize) {
        for held in self.mixes[row].drop_all() {
            self.masses.carry(&held.vector);
            self.masses.arrive(row);
        }
    }

    fn arrive(&mut self, row: usize, event: &LinkEvent) {
        let mix = &mut self.mixes[row];
        mix.pool.arrive(event.t);
        if !self.adversary.is_corrupt(mix.node) {
            return self.masses.arrive(row);
        }
        if let Some(oldest) = mix.hold(event.sighting(), self.masses.hand()) {
            self.trust.untold += 1;
            self.targets.lost(&oldest.vector[..MAX_TARGETS]);
        }
    }

    fn come_out(&mut self, event: &LinkEvent, found: Found<'_>) {
        let hand = self.masses.hand();
        self.inboxes.entry(event.dst).or_default().add(event.sighting(), hand);
        let posterior =
            Posterior { sources: &self.nodes.sources, p: &hand[SOURCES..], unknown: hand[UNKNOWN] };
        let own_share = 1.0 - posterior.acknowledges();
        self.targets.came_out(event.dst, &hand[..MAX_TARGETS], own_share);
        self.figures.came_out(event.t, &posterior);
        found(Finding::CameOut { came: event.sighting(), posterior });
        self.settle(found);
    }

    fn pushed(&mut self, event: &LinkEvent, found: Found<'_>) {
        // One that is curious tells more than can be seen.
        if self.adversary.is_curious(event.src) {
            return;
        }
        let inbox = self.inboxes.entry(event.src).or_default();
        match inbox.pushed(event.t) {
            Some(arrived) => self.deliver(arrived, event.dst, found),
            None => self.trust.unpaired += 1,
        }
    }

    pub(super) fn filed(&mut self, filed: &Filed, found: Found<'_>) {
        let inbox = self.inboxes.entry(filed.came.dst).or_default();
        match inbox.filed(filed.came) {
            Some(arrived) => self.deliver(arrived, filed.recipient, found),
            None => self.trust.unpaired += 1,
        }
    }

    fn deliver(&mut self, arrived: Arrived, recipient: NodeId, found: Found<'_>) {
        let Arrived { came, vector } = &arrived;
        let came: Sighting = *came;
        self.targets.delivered(recipient, &vector[..MAX_TARGETS]);
        let posterior = Posterior {
            sources: &self.nodes.sources,
            p: &vector[SOURCES..],
            unknown: vector[UNKNOWN],
        };
        found(Finding::Delivered { came, recipient, posterior });
        self.inboxes.entry(came.dst).or_default().give_back(arrived);
    }
}
