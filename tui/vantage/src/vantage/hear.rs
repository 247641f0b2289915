//! Takes the event stream apart: what is public, what is on links, and what only the devnet knows.

use std::time::Duration;

use anonymity::{Finding, LinkEvent, Observation, Observer};
use contract::Time;
use control::{Envelope, NodeStatus, Passage, Snapshot, StreamEvent};

use super::{Vantage, since_start};
use crate::change::Change;
use crate::expected::Settings;
use crate::inside;
use crate::latest::Latest;

impl Vantage {
    /// The stream says something.
    pub fn hear(&mut self, envelope: &Envelope) {
        let now = since_start(envelope.t);
        match &envelope.event {
            StreamEvent::Snapshot(snapshot) => return self.begin(envelope.t, snapshot),
            StreamEvent::Node(status) => self.node(now, status),
            StreamEvent::Removed { node } => {
                self.public.remove(node);
                self.tell_changes(now);
            }
            StreamEvent::Links { src, links } => self.links(src, links),
            StreamEvent::Lost { links, .. } if *links > 0 => {
                self.observer.take(Observation::Lost { t: now, events: *links });
            }
            StreamEvent::Origins { packets } => self.truth.told(packets, &self.names),
            // Delays of two means together are no exponential ones.
            StreamEvent::Waits { .. } if self.is_changing(now) => {}
            StreamEvent::Waits { waits_us, .. } => self.truth.waited(waits_us),
            StreamEvent::Passages { node, passages } => self.confided(node, passages),
            _ => {}
        }
        self.advance(now);
    }

    /// The same of a snapshot alone, for whoever takes it out of its envelope.
    pub fn begin(&mut self, t: Time, snapshot: &Snapshot) {
        let now = since_start(t);
        self.snapshot(now, snapshot);
        self.advance(now);
    }

    fn snapshot(&mut self, now: Duration, snapshot: &Snapshot) {
        self.began.get_or_insert(now);
        let before = self.settings();
        let change =
            self.public.info().and_then(|info| Change::between(info, &snapshot.devnet, now));
        if change.is_some() {
            self.change = change;
        }
        self.public.snapshot(snapshot);
        self.tell_changes(now);
        let delay = self.settings().map(|settings| settings.hop_delay());
        let cover = |settings: Settings| (settings.rate_of_one(), settings.slot_cover);
        if let Some(watched) = &self.watched
            && before.map(cover) != self.settings().map(cover)
        {
            // Other rates: what was concluded from the old ones is void.
            self.watched = self.watch(watched.node, now);
        }
        if before.map(|before| before.hop_delay()) != delay {
            self.observer.set_delay(delay);
            self.truth.forget_waits();
        }
    }

    fn node(&mut self, now: Duration, status: &NodeStatus) {
        if self.public.node(status)
            && let Some(node) = self.names.find(&status.name)
        {
            self.observer.take(Observation::Died { t: now, node });
        }
        self.tell_changes(now);
    }

    fn tell_changes(&mut self, now: Duration) {
        for change in self.public.changes(now, &mut self.names) {
            self.observer.take(change);
        }
    }

    fn links(&mut self, process: &str, links: &[contract::LinkEvent]) {
        let Some(process) = self.names.number(process) else { return };
        for link in links {
            let from = match link.from {
                Some(number) => self.names.identity(process, number),
                None => Some(process),
            };
            let numbers = from.zip(self.names.number(&link.dst));
            let Some((from, to)) = numbers else { continue };
            let t = since_start(link.t);
            let event = LinkEvent { t, src: from, dst: to, bytes: link.bytes };
            let observation = Observation::Link(event);
            if self.observer.adversary().hears(&observation) {
                self.ticker.add(event);
                self.observer.take(observation);
            }
        }
    }

    /// A node that works for the observer tells what it knows.
    fn confided(&mut self, node: &str, passages: &[Passage]) {
        for passage in passages {
            let observation = inside::observation(node, passage, &mut self.names);
            if let Some(observation) = observation {
                self.observer.take(observation);
            }
        }
    }

    /// Whether packets of settings before the last change may be underway.
    fn is_changing(&self, now: Duration) -> bool {
        self.change.as_ref().is_some_and(|change| !change.is_over(now))
    }

    fn advance(&mut self, now: Duration) {
        if let Some(change) = self.change.as_mut().filter(|change| !change.is_out)
            && change.is_over(now)
        {
            change.is_out = true;
            self.observer.count_anew();
        }
        let Self { observer, suspects, watched, truth, names, latest, .. } = self;
        observer.advance(now, &mut |finding| match finding {
            Finding::CameOut { came, posterior } => {
                truth.came_out(came, &posterior, names);
                Latest::renew(latest, came, &posterior, names);
                if let Some(suspects) = suspects {
                    suspects.came_out(came.t, &posterior);
                }
            }
            Finding::Delivered { came, recipient, posterior } => {
                truth.delivered(came, names.name(recipient));
                if let Some(suspects) = suspects {
                    suspects.delivered(came.t, recipient, &posterior);
                }
            }
            Finding::Sent { sent } => {
                if let Some(watched) = watched.as_mut().filter(|watched| watched.node == sent.src) {
                    watched.sent(sent.t);
                }
            }
            Finding::Settled(_) => {}
        });
        if let Some(suspects) = &mut self.suspects {
            suspects.go_on(self.observer.now());
        }
        self.packet_bytes = observer_bytes(&self.observer).unwrap_or(self.packet_bytes);
    }
}

/// The size of the network's packets, if the observer has seen any.
fn observer_bytes(observer: &Observer) -> Option<u32> {
    observer.trust().sizes.last().copied()
}
