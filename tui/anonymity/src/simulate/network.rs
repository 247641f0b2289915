//! The network that is simulated: senders, mixnodes, providers, and packets on their way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::Setup;
use crate::event::{LinkEvent, NodeId, Observation, Passage, Role, Sighting};
use crate::observer::Observer;

/// On every link, as all packets have one size.
const PACKET_BYTES: u32 = 2413;

/// How long a provider keeps a packet before it pushes it: a commit to disk.
const FILING: Duration = Duration::from_millis(1);

/// One packet on one link, with what only the network knows of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Happening {
    /// What everybody sees.
    pub link: LinkEvent,
    /// What a mixnode knows that it comes from, if it has just left one.
    pub passage: Option<Passage>,
    /// The truth. An observer must not be told.
    pub known: Known,
}

/// The truth about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whose it is: a sender, or the provider that acknowledges.
    pub origin: NodeId,
    /// For whom it is.
    pub recipient: NodeId,
    /// Whether it carries a message.
    pub is_real: bool,
    /// Whether it acknowledges another.
    pub is_ack: bool,
}

impl Happening {
    /// Tells an observer what it may hear: the passage counts if the mixnode is corrupt.
    pub fn tell(&self, observer: &mut Observer) {
        if let Some(passage) = self.passage {
            observer.take(Observation::Passage(passage));
        }
        observer.take(Observation::Link(self.link));
    }
}

/// All packets on all links of a network, in the order of time, without end; none if it lacks something:
/// mixnodes, a provider, somebody who sends.
#[derive(Debug)]
pub struct Simulator {
    setup: Setup,
    is_possible: bool,
    rng: StdRng,
    /// Packets per second of all senders together.
    rate: f64,
    next_send: Duration,
    /// Of which packet it is when something happens. The number keeps the order of equal times.
    agenda: BinaryHeap<Reverse<(Duration, u64, usize)>>,
    sequence: u64,
    packets: Vec<Packet>,
    free: Vec<usize>,
    /// An acknowledgement that leaves right after a push.
    acknowledges: Option<(Duration, Known)>,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    known: Known,
    at: At,
    /// How it came there.
    came: Sighting,
}

#[derive(Clone, Copy, Debug)]
enum At {
    Mix { layer: u8 },
    Provider,
}

/// All nodes of a network, as they join.
pub(super) fn topology(setup: &Setup) -> impl Iterator<Item = Observation> {
    let joined = |node, role| Observation::Joined { t: Duration::ZERO, node, role };
    let numbers = |layer| (0..setup.width).map(move |number| (layer, number));
    let mixes = (1..=setup.layers).flat_map(numbers);
    let mixes = mixes.map(move |(layer, n)| joined(setup.mix(layer, n), Role::Mix { layer }));
    let providers = (0..setup.providers).map(move |n| joined(setup.provider(n), Role::Provider));
    let senders = (0..setup.senders).map(move |n| {
        joined(setup.sender(n), Role::Sender { provider: setup.provider(n % setup.providers) })
    });
    mixes.chain(providers).chain(senders)
}

impl Simulator {
    /// A network in which nothing has been sent yet.
    pub fn new(setup: &Setup, seed: u64) -> Self {
        let others = f64::from(setup.senders) * setup.rate;
        let rate = match &setup.conversation {
            Some(conversation) if !conversation.covered => others - setup.rate + conversation.rate,
            _ => others,
        };
        let senders = if setup.conversation.is_some() { 2 } else { 1 };
        let is_possible = setup.senders >= senders
            && setup.width > 0
            && setup.layers > 0
            && setup.providers > 0
            && rate > 0.0;
        let mut simulator = Self {
            setup: setup.clone(),
            is_possible,
            rng: StdRng::seed_from_u64(seed),
            rate,
            next_send: Duration::ZERO,
            agenda: BinaryHeap::new(),
            sequence: 0,
            packets: Vec::new(),
            free: Vec::new(),
            acknowledges: None,
        };
        simulator.next_send = simulator.exponential(rate.recip());
        simulator
    }

    /// From now on packets wait for another mean time at each mixnode; those that wait there stay as
    /// long as they were to.
    pub fn set_delay(&mut self, seconds: f64) {
        self.setup.delay = seconds;
    }

    fn exponential(&mut self, mean: f64) -> Duration {
        // 1 − u is never zero.
        let drawn = -(1.0 - self.rng.random::<f64>()).ln() * mean;
        // One that sends nothing sends after all time.
        Duration::try_from_secs_f64(drawn).unwrap_or(Duration::MAX)
    }

    /// A Poisson stream of all senders, each packet that of one of them with the share of his rate.
    fn send(&mut self) -> Happening {
        let t = self.next_send;
        let interval = self.exponential(self.rate.recip());
        self.next_send = t.saturating_add(interval);
        let known = self.draw_sender();
        self.enter(t, known)
    }

    fn draw_sender(&mut self) -> Known {
        let setup = &self.setup;
        let mut sender = self.rng.random_range(0..setup.senders);
        let mut is_real = false;
        if let Some(conversation) = setup.conversation {
            let drawn: f64 = self.rng.random();
            if conversation.covered {
                is_real = sender == conversation.from && drawn * setup.rate < conversation.rate;
            } else {
                is_real = drawn * self.rate < conversation.rate;
                if is_real {
                    sender = conversation.from;
                } else {
                    // One of the others.
                    let other = self.rng.random_range(0..setup.senders - 1);
                    sender = other + u16::from(other >= conversation.from);
                }
            }
        }
        let recipient = match setup.conversation {
            Some(conversation) if is_real => conversation.to,
            _ => sender,
        };
        let (origin, recipient) = (setup.sender(sender), setup.sender(recipient));
        Known { origin, recipient, is_real, is_ack: false }
    }

    /// A packet goes to the first layer.
    fn enter(&mut self, t: Duration, known: Known) -> Happening {
        let number = self.rng.random_range(0..self.setup.width);
        let link = link(t, known.origin, self.setup.mix(1, number));
        let packet = Packet { known, at: At::Mix { layer: 1 }, came: link.sighting() };
        let index = self.free.pop().unwrap_or(self.packets.len());
        if index < self.packets.len() {
            self.packets[index] = packet;
        } else {
            self.packets.push(packet);
        }
        let delay = self.exponential(self.setup.delay);
        self.plan(t.saturating_add(delay), index);
        Happening { link, passage: None, known }
    }

    fn plan(&mut self, t: Duration, packet: usize) {
        self.sequence += 1;
        self.agenda.push(Reverse((t, self.sequence, packet)));
    }

    /// A packet leaves a mixnode, or is pushed.
    fn go_on(&mut self, t: Duration, index: usize) -> Happening {
        let Packet { known, at, came } = self.packets[index];
        let here = came.dst;
        let (to, next) = match at {
            At::Provider => {
                self.free.push(index);
                if self.setup.acks && !known.is_ack {
                    let recipient = known.origin;
                    let known = Known { origin: here, recipient, is_real: false, is_ack: true };
                    self.acknowledges = Some((t, known));
                }
                return Happening { link: link(t, here, known.recipient), passage: None, known };
            }
            At::Mix { layer } if layer < self.setup.layers => {
                let number = self.rng.random_range(0..self.setup.width);
                (self.setup.mix(layer + 1, number), At::Mix { layer: layer + 1 })
            }
            At::Mix { .. } => {
                let sender = known.recipient.0 - self.setup.sender(0).0;
                (self.setup.provider(sender % self.setup.providers), At::Provider)
            }
        };
        let link = link(t, here, to);
        self.packets[index] = Packet { known, at: next, came: link.sighting() };
        let stays = match next {
            At::Mix { .. } => self.exponential(self.setup.delay),
            At::Provider => FILING,
        };
        self.plan(t.saturating_add(stays), index);
        Happening { link, passage: Some(Passage { came, left: link.sighting() }), known }
    }
}

fn link(t: Duration, src: NodeId, dst: NodeId) -> LinkEvent {
    LinkEvent { t, src, dst, bytes: PACKET_BYTES }
}

impl Iterator for Simulator {
    type Item = Happening;

    fn next(&mut self) -> Option<Happening> {
        if !self.is_possible {
            return None;
        }
        if let Some((t, known)) = self.acknowledges.take() {
            return Some(self.enter(t, known));
        }
        match self.agenda.peek() {
            Some(Reverse((t, _, index))) if *t <= self.next_send => {
                let (t, index) = (*t, *index);
                self.agenda.pop();
                Some(self.go_on(t, index))
            }
            _ => Some(self.send()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::simulate::Conversation;

    #[test]
    fn packets_go_through_every_layer_in_the_order_of_time() {
        let setup = Setup { acks: true, providers: 2, ..Setup::classic(5, 2, 3) };
        let mut before = Duration::ZERO;
        let mut links = BTreeMap::new();
        for happening in Simulator::new(&setup, 1).take(20_000) {
            let LinkEvent { t, src, dst, .. } = happening.link;
            assert!(t >= before, "in order");
            before = t;
            assert_eq!(happening.passage.is_some(), src < setup.provider(0), "only of mixnodes");
            if let Some(Passage { came, left }) = happening.passage {
                assert!(left == happening.link.sighting() && came.dst == src && came.t < t);
            }
            *links.entry((rank(&setup, src), rank(&setup, dst))).or_insert(0_u32) += 1;
        }
        let ways: Vec<_> = links.keys().copied().collect();
        assert_eq!(ways, [(1, 2), (2, 3), (3, 4), (4, 1), (4, 5), (5, 1)]);
        let count = |way| f64::from(links[&way]);
        // Each packet of a sender is acknowledged, but for those underway.
        assert!((count((4, 1)) / count((5, 1)) - 1.0).abs() < 0.02, "{links:?}");
        assert!((count((4, 5)) / count((1, 2)) - 1.0).abs() < 0.02, "{links:?}");
    }

    /// Layers, then providers, then senders.
    fn rank(setup: &Setup, node: NodeId) -> u16 {
        if node < setup.provider(0) {
            1 + node.0 / setup.width
        } else if node < setup.sender(0) {
            4
        } else {
            5
        }
    }

    #[test]
    fn who_writes_sends_as_much_as_is_asked_for() {
        let covered = Conversation { from: 1, to: 2, rate: 1.0, covered: true };
        let open = Conversation { covered: false, ..covered };
        for (conversation, others, writer) in [(covered, 3.0, 3.0), (open, 3.0, 1.0)] {
            let setup = Setup { conversation: Some(conversation), ..Setup::classic(4, 1, 1) };
            let mut sent = [0.0; 4];
            let mut real = 0.0;
            let until = Duration::from_secs(2000);
            for happening in Simulator::new(&setup, 2).take_while(|h| h.link.t < until) {
                let sender = happening.link.src.0.checked_sub(setup.sender(0).0);
                if let Some(sender) = sender {
                    sent[usize::from(sender)] += 1.0 / 2000.0;
                    let is_to_bob = happening.known.recipient == setup.sender(2);
                    assert_eq!(happening.known.is_real, is_to_bob && sender == 1);
                    real += if happening.known.is_real { 1.0 / 2000.0 } else { 0.0 };
                }
            }
            for (number, rate) in sent.into_iter().enumerate() {
                let expected: f64 = if number == 1 { writer } else { others };
                assert!((rate - expected).abs() < 0.2, "{number}: {rate}");
            }
            assert!((real - 1.0_f64).abs() < 0.1, "{real}");
        }
    }
}
