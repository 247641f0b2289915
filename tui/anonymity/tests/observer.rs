//! The observer by hand: small networks, event by event, and what goes wrong in a live one.

use std::time::Duration;

use anonymity::simulate::{Happening, Setup, Simulator};
use anonymity::{
    Adversary, Doubt, Finding, LinkEvent, MAX_NODES, MAX_WATCHED, NodeId, Observation, Observer,
    Role, Settings, Target, TargetId,
};

const MIX: NodeId = NodeId(0);
const LAST: NodeId = NodeId(1);
const PROVIDER: NodeId = NodeId(2);
const ALICE: NodeId = NodeId(10);
const BOB: NodeId = NodeId(11);
const CAROL: NodeId = NodeId(12);
const DAVE: NodeId = NodeId(13);

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[track_caller]
fn assert_near(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-6, "{got} is not {expected}");
}

/// Two mixnodes one behind the other, a provider, four clients. Whatever is told is told in the order of
/// time, a millisecond apart.
struct Rig {
    observer: Observer,
    now: u64,
    /// Probabilities of the four clients, for each packet that came out.
    out: Vec<[f64; 4]>,
    delivered: Vec<(NodeId, [f64; 4])>,
    settled: Vec<Target>,
}

impl Rig {
    fn new() -> Self {
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

    fn tell(&mut self, observation: impl FnOnce(Duration) -> Observation) {
        self.now += 1;
        self.observer.take(observation(at(self.now)));
        let four = |posterior: &anonymity::Posterior<'_>| {
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

    fn link(&mut self, src: NodeId, dst: NodeId) {
        self.tell(|t| Observation::Link(LinkEvent { t, src, dst, bytes: 2413 }));
    }

    fn target(&self, id: TargetId) -> &Target {
        self.observer.target(id).expect("it is followed")
    }

    /// What is known of a target, wherever it may be.
    fn mass(&self, id: TargetId) -> f64 {
        let waits: f64 = self.observer.whereabouts(id).iter().map(|(_, p)| p).sum();
        let target = self.target(id);
        target.out + target.lost + waits
    }
}

/// A, B and C come, one leaves, D comes, the others leave.
#[test]
fn by_hand() {
    let mut rig = Rig::new();
    let id = rig.observer.watch(ALICE);
    for client in [ALICE, BOB, CAROL] {
        rig.link(client, MIX);
    }
    rig.link(MIX, PROVIDER);
    rig.link(DAVE, MIX);
    for _ in 0..3 {
        rig.link(MIX, PROVIDER);
    }
    let (third, ninths) = (1.0 / 3.0, 2.0 / 9.0);
    assert_eq!(rig.out.len(), 4);
    for (got, expected) in rig.out[0].iter().zip([third, third, third, 0.0]) {
        assert_near(*got, expected);
    }
    for (got, expected) in rig.out[3].iter().zip([ninths, ninths, ninths, third]) {
        assert_near(*got, expected);
    }
    let target = rig.target(id);
    assert_near(target.bits, 1.974_938);
    assert_near(target.out, 1.0);
    assert!(target.is_settled && target.is_sound());
    assert_near(target.providers[&PROVIDER], 1.0);
    assert_eq!(rig.observer.trust().from_nowhere, 0);
}

#[test]
fn a_packet_is_somewhere() {
    let mut rig = Rig::new();
    let id = rig.observer.watch(ALICE);
    assert!(rig.target(id).sent.is_none());
    rig.link(BOB, MIX);
    rig.link(ALICE, MIX);
    rig.link(MIX, LAST);
    rig.link(CAROL, MIX);
    let at = rig.observer.whereabouts(id);
    assert_eq!(at.iter().map(|(node, _)| *node).collect::<Vec<_>>(), [MIX, LAST]);
    assert_near(at[0].1, 0.5);
    assert_near(rig.mass(id), 1.0);
    rig.link(LAST, PROVIDER);
    assert_near(rig.target(id).bits, 0.5);
    assert_near(rig.mass(id), 1.0);
}

/// What waited at a node that dies is lost, and what comes later has nothing to do with it.
#[test]
fn a_mixnode_dies() {
    let mut rig = Rig::new();
    let id = rig.observer.watch(ALICE);
    rig.link(ALICE, MIX);
    rig.link(BOB, MIX);
    rig.link(MIX, LAST);
    rig.tell(|t| Observation::Died { t, node: MIX });
    assert_near(rig.target(id).lost, 0.5);
    assert_near(rig.mass(id), 1.0);
    assert_eq!((rig.observer.trust().deaths, rig.observer.trust().died), (1, 1));
    rig.link(CAROL, MIX);
    rig.link(MIX, PROVIDER);
    assert_near(rig.out[0][2], 1.0);
    rig.link(LAST, PROVIDER);
    let target = rig.target(id);
    assert!(target.is_settled && !target.is_sound());
    assert!(matches!(rig.observer.doubts(at(1000))[..], [Doubt::Disturbed { .. }]));
    // It leaves for good: what goes there goes astray.
    rig.tell(|t| Observation::Left { t, node: MIX });
    rig.link(DAVE, MIX);
    assert_eq!(rig.observer.mixes().count(), 1);
    assert_eq!(rig.observer.trust().astray, 1);
}

/// Nothing is known of a packet that leaves a mixnode in which none should be: it was there before.
#[test]
fn packets_from_before() {
    let mut rig = Rig::new();
    rig.link(MIX, LAST);
    rig.link(ALICE, LAST);
    rig.link(LAST, PROVIDER);
    assert_eq!(rig.observer.trust().from_nowhere, 1);
    // If it is anybody's that is known, it is alice's.
    assert_near(rig.out[0][0], 1.0);
    assert!(
        matches!(rig.observer.doubts(at(1000))[..], [Doubt::Unknown { share }] if share > 0.49)
    );
}

#[test]
fn a_push_is_the_packet_that_came_first() {
    let mut rig = Rig::new();
    let id = rig.observer.watch(ALICE);
    for client in [ALICE, BOB] {
        rig.link(client, MIX);
        rig.link(MIX, PROVIDER);
    }
    rig.link(PROVIDER, CAROL);
    rig.link(PROVIDER, DAVE);
    rig.link(PROVIDER, DAVE);
    let recipients: Vec<_> = rig.delivered.iter().map(|(recipient, _)| *recipient).collect();
    assert_eq!(recipients, [CAROL, DAVE]);
    assert_near(rig.delivered[0].1[0], 1.0);
    assert_near(rig.delivered[1].1[1], 1.0);
    assert_near(rig.target(id).recipients[&CAROL], 1.0);
    assert_eq!(rig.observer.trust().unpaired, 1);
    // What was not pushed at once is for somebody who is not there.
    rig.link(ALICE, MIX);
    rig.link(MIX, PROVIDER);
    rig.now += 1000;
    rig.link(PROVIDER, BOB);
    assert_eq!(rig.delivered.len(), 2);
}

/// A packet of the provider's own hides no sender.
#[test]
fn an_acknowledgement_is_no_suspect() {
    let mut rig = Rig::new();
    rig.link(ALICE, MIX);
    rig.link(PROVIDER, MIX);
    rig.link(MIX, PROVIDER);
    assert_near(rig.out[0][0], 1.0);
    let (now, window) = (at(10), at(1000));
    let figures = rig.observer.figures();
    assert_near(figures.sender_bits.over(now, window).mean().expect("one"), 0.0);
    assert_near(figures.sender_bits.over(now, window).weight(), 0.5);
    assert_eq!(figures.acknowledged.over(now, window).count, 1);
}

#[test]
fn senders_and_requests_come_and_go() {
    let mut rig = Rig::new();
    let ids: Vec<_> = (0..=MAX_WATCHED).map(|_| rig.observer.watch(BOB)).collect();
    assert!(rig.observer.target(ids[0]).is_none());
    assert!(rig.observer.target(ids[MAX_WATCHED]).is_some());
    rig.link(ALICE, MIX);
    rig.tell(|t| Observation::Left { t, node: ALICE });
    assert_eq!(rig.observer.senders().collect::<Vec<_>>(), [BOB, CAROL, DAVE]);
    // She has left; her packet has not.
    rig.link(MIX, PROVIDER);
    assert_near(rig.out[0][0], 1.0);
    rig.tell(|t| Observation::Joined {
        t,
        node: NodeId(14),
        role: Role::Sender { provider: PROVIDER },
    });
    rig.link(NodeId(14), MIX);
    rig.link(MIX, PROVIDER);
    assert_near(rig.out[1][0], 0.0);
    assert_eq!(rig.observer.senders().count(), 4);
    // Somebody moves to another provider.
    let role = Role::Sender { provider: LAST };
    rig.tell(|t| Observation::Joined { t, node: BOB, role });
    assert_eq!(rig.observer.mailboxes(LAST).collect::<Vec<_>>(), [BOB]);
    assert_eq!(rig.observer.mailboxes(PROVIDER).count(), 3);
    // There is an end to numbers.
    rig.tell(|t| Observation::Joined { t, node: NodeId(MAX_NODES), role });
    assert_eq!((rig.observer.senders().count(), rig.observer.trust().refused), (4, 1));
}

/// Batches of processes come late and in any order.
#[test]
fn events_are_put_in_order() {
    let setup = Setup::classic(5, 2, 3);
    let all: Vec<Happening> = Simulator::new(&setup, 1).take(4000).collect();
    let bits = |reorder: Duration, lag: u64| {
        let mut observer = Observer::new(Settings {
            adversary: Adversary::passive(),
            reorder,
            delay: Some(at(200)),
        });
        let mut joined = setup_observations(&setup);
        joined.drain(..).for_each(|observation| observer.take(observation));
        // Each node tells what it sent when `lag` is over: by batches, node by node.
        let batch = |happening: &Happening| {
            (u64::try_from(happening.link.t.as_millis()).expect("soon") / lag, happening.link.src)
        };
        let mut told = all.clone();
        told.sort_by_key(batch);
        for happening in told {
            observer.take(Observation::Link(happening.link));
            let now = at((batch(&happening).0 + 1) * lag);
            observer.advance(now, &mut |_| {});
        }
        observer.advance(Duration::from_secs(10_000), &mut |_| {});
        let window = Duration::from_secs(3000);
        let last = all.last().expect("some").link.t;
        (observer.figures().sender_bits.over(last, window).mean(), observer.trust().clone())
    };
    let (in_order, trust) = bits(at(100), 1);
    assert_eq!(trust.late, 0);
    let (batches, trust) = bits(at(100), 100);
    assert_eq!(trust.late, 0);
    assert_eq!(batches, in_order);
    let (hasty, trust) = bits(at(0), 100);
    assert!(trust.late > 100 && hasty != in_order);
}

fn setup_observations(setup: &Setup) -> Vec<Observation> {
    let joined = |node, role| Observation::Joined { t: Duration::ZERO, node, role };
    let mixes = (1..=setup.layers)
        .flat_map(|layer| (0..setup.width).map(move |number| (layer, number)))
        .map(|(layer, number)| joined(setup.mix(layer, number), Role::Mix { layer }));
    let provider = setup.provider(0);
    let senders = (0..setup.senders).map(|n| joined(setup.sender(n), Role::Sender { provider }));
    mixes.chain([joined(provider, Role::Provider)]).chain(senders).collect()
}

/// Packets that die inside a mixnode, and events that are lost, are found out; without that a mixnode
/// would be thought to hold more and more.
#[test]
fn counts_mend_themselves() {
    let setup = Setup::classic(20, 2, 3);
    for mends in [true, false] {
        let mut observer = setup.observer();
        if !mends {
            observer.set_delay(None);
        }
        let mut dropped = 0;
        for happening in Simulator::new(&setup, 1) {
            let t = happening.link.t;
            if t > Duration::from_secs(300) {
                break;
            }
            // In the first minute one packet in a hundred is never seen to leave the first layer.
            let is_lost = t < Duration::from_secs(60)
                && happening.link.src < setup.mix(2, 0)
                && happening.link.t.as_nanos().is_multiple_of(100);
            if is_lost {
                dropped += 1;
            } else {
                happening.tell(&mut observer);
            }
            observer.advance(t, &mut |_| {});
        }
        assert!(dropped > 20, "{dropped}");
        let counted: u32 = observer.mixes().map(|(_, _, pool)| pool.count()).sum();
        let window = Duration::from_secs(60);
        let bits = observer.figures().sender_bits.over(observer.now(), window).mean();
        let is_right = (bits.expect("some came out") - 4.08).abs() < 0.05;
        if mends {
            assert!(counted < 60 && observer.trust().recounted > 20, "{counted} wait");
            assert!(is_right, "{bits:?}");
        } else {
            assert!(counted > 36 + 15, "{counted} wait");
        }
    }
}

/// Whoever tells that events were lost is believed, and figures come back.
#[test]
fn lost_events() {
    let setup = Setup::classic(10, 2, 3);
    let mut observer = setup.observer();
    observer.set_delay(None);
    let mut was_doubted = false;
    for happening in Simulator::new(&setup, 1).take(30_000) {
        let t = happening.link.t;
        // Nothing is heard for a tenth of a second.
        if t > Duration::from_secs(20) && t < at(20_100) {
            observer.take(Observation::Lost { t, events: 1 });
        } else {
            happening.tell(&mut observer);
        }
        observer.advance(t, &mut |_| {});
        was_doubted |= !observer.doubts(at(1000)).is_empty();
    }
    assert!(was_doubted && observer.trust().lost > 5);
    assert_eq!(observer.doubts(Duration::from_secs(60)), []);
    let bits = observer.figures().sender_bits.over(observer.now(), Duration::from_secs(60)).mean();
    assert!((bits.expect("some came out") - 3.07).abs() < 0.1, "{bits:?}");
}

#[test]
fn packets_of_two_sizes_can_be_told_apart() {
    let mut rig = Rig::new();
    rig.link(ALICE, MIX);
    // What a provider pushes is not mixed any more, whatever its size.
    rig.tell(|t| Observation::Link(LinkEvent { t, src: PROVIDER, dst: BOB, bytes: 80 }));
    assert_eq!(rig.observer.doubts(at(1000)), []);
    rig.tell(|t| Observation::Link(LinkEvent { t, src: BOB, dst: MIX, bytes: 1372 }));
    assert_eq!(rig.observer.doubts(at(1000)), [Doubt::Sizes { count: 2 }]);
    assert_eq!(rig.observer.trust().sizes, [1372, 2413]);
}

/// Times may be anything.
#[test]
fn the_end_of_time() {
    let mut rig = Rig::new();
    rig.link(ALICE, MIX);
    rig.observer.set_delay(Some(at(200)));
    rig.observer.advance(Duration::MAX, &mut |_| {});
    rig.observer.take(Observation::Died { t: Duration::MAX, node: MIX });
    rig.observer.advance(Duration::MAX, &mut |_| {});
    assert_eq!(rig.observer.trust().deaths + rig.observer.trust().recounted, 1);
    assert_eq!(rig.observer.figures().sent.over(Duration::MAX, Duration::MAX).count, 0);
    assert_eq!(rig.observer.now(), Duration::MAX);
}

/// Who sees one link cannot go on counting, and begins anew when it sees all again.
#[test]
fn an_observer_goes_blind_and_sees_again() {
    let setup = Setup::classic(10, 2, 3);
    let mut observer = setup.observer();
    let mut came_out = [0; 3];
    for (number, happening) in Simulator::new(&setup, 1).take(60_000).enumerate() {
        if number == 20_000 {
            observer.set_adversary(Adversary::OneLink(setup.sender(0), setup.mix(1, 0)));
        } else if number == 22_000 {
            observer.set_adversary(Adversary::passive());
            assert!(matches!(observer.doubts(at(1000))[..], [Doubt::Disturbed { .. }]));
        }
        happening.tell(&mut observer);
        observer.advance(happening.link.t, &mut |finding| {
            if let Finding::CameOut { .. } = finding {
                came_out[usize::from(number >= 20_000) + usize::from(number >= 22_000)] += 1;
            }
        });
    }
    assert!(came_out[0] > 3000 && came_out[1] == 0 && came_out[2] > 6000, "{came_out:?}");
    let bits = observer.figures().sender_bits.over(observer.now(), Duration::from_secs(60)).mean();
    assert!((bits.expect("some came out") - 3.07).abs() < 0.1, "{bits:?}");
    assert_eq!(observer.doubts(Duration::from_secs(60)), []);
}
