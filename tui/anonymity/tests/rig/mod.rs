//! A small network of which a test tells an observer, event by event.

use std::time::Duration;

use anonymity::{
    Adversary, Finding, LinkEvent, NodeId, Observation, Observer, Posterior, Role, Settings,
    Target, TargetId,
};

pub(crate) const MIX: NodeId = NodeId(0);
pub(crate) const LAST: NodeId = NodeId(1);
pub(crate) const PROVIDER: NodeId = NodeId(2);
pub(crate) const ALICE: NodeId = NodeId(10);
pub(crate) const BOB: NodeId = NodeId(11);
pub(crate) const CAROL: NodeId = NodeId(12);
pub(crate) const DAVE: NodeId = NodeId(13);

pub(crate) fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[track_caller]
pub(crate) fn assert_near(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-6, "{got} is not {expected}");
}

/// Two mixnodes one behind the other, a provider, four clients. Whatever is told is told in the order of
/// time, a millisecond apart.
pub(crate) struct Rig {
    pub(crate) observer: Observer,
    pub(crate) now: u64,
    /// Probabilities of the four clients, for each packet that came out.
    pub(crate) out: Vec<[f64; 4]>,
    pub(crate) delivered: Vec<(NodeId, [f64; 4])>,
    pub(crate) settled: Vec<Target>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let settings =
            Settings { adversary: Adversary::passive(), reorder: Duration::ZERO, delay: None };
        let observer = Observer::new(settings);
        let (out, delivered, settled) = (Vec::new(), Vec::new(), Vec::new());
        let mut rig = Self { observer, now: 0, out, delivered, settled };
        let clients = [ALICE, BOB, CAROL, DAVE];
        for (node, role) in [
            (MIX, Role::Mix { layer: 1 }),
            (LAST, Role::Mix { layer: 2 }),
            (PROVIDER, Role::Provider),
        ]
        .into_iter()
        .chain(clients.map(|client| (client, Role::Sender { provider: PROVIDER })))
        {
            rig.tell(|t| Observation::Joined { t, node, role });
        }
        rig
    }

    pub(crate) fn tell(&mut self, observation: impl FnOnce(Duration) -> Observation) {
        self.now += 1;
        self.observer.take(observation(at(self.now)));
        let four = |posterior: &Posterior<'_>| {
            [ALICE, BOB, CAROL, DAVE].map(|client| posterior.of(client))
        };
        self.observer.advance(at(self.now), &mut |finding| match finding {
            Finding::CameOut { posterior, .. } => self.out.push(four(&posterior)),
            Finding::Delivered { recipient, posterior, .. } => {
                self.delivered.push((recipient, four(&posterior)));
            }
            Finding::Settled(target) => self.settled.push(target),
            Finding::Sent { .. } => {}
        });
    }

    pub(crate) fn link(&mut self, src: NodeId, dst: NodeId) {
        self.tell(|t| Observation::Link(LinkEvent { t, src, dst, bytes: 2413 }));
    }

    pub(crate) fn target(&self, id: TargetId) -> &Target {
        self.observer.target(id).expect("it is followed")
    }

    /// What is known of a target, wherever it may be.
    pub(crate) fn mass(&self, id: TargetId) -> f64 {
        let waits: f64 = self.observer.whereabouts(id).iter().map(|(_, p)| p).sum();
        let target = self.target(id);
        target.out + target.lost + waits
    }
}
