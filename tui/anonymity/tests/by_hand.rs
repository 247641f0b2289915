//! The observer by hand: two mixnodes, a provider, four clients, event by event.

mod rig;

use std::collections::BTreeSet;
use std::time::Duration;

use anonymity::{
    Adversary, Doubt, Finding, LinkEvent, MAX_NODES, MAX_SOURCES, MAX_WATCHED, NodeId, Observation,
    Role,
};
use rig::{ALICE, BOB, CAROL, DAVE, LAST, MIX, PROVIDER, Rig, assert_near, at};

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
    assert_eq!(rig.settled.iter().filter(|settled| settled.id == id).count(), 1);
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
    // Somebody comes back, and to another one.
    rig.tell(|t| Observation::Joined { t, node: ALICE, role });
    assert_eq!(rig.observer.mailboxes(LAST).collect::<Vec<_>>(), [BOB, ALICE]);
    assert_eq!(rig.observer.senders().count(), 5);
    // There is an end to numbers.
    rig.tell(|t| Observation::Joined { t, node: NodeId(MAX_NODES), role });
    assert_eq!((rig.observer.senders().count(), rig.observer.trust().refused), (5, 1));
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

/// A mixnode that is honest again keeps its past to itself, but mixes what it has.
#[test]
fn a_mixnode_becomes_honest() {
    let mut rig = Rig::new();
    let corrupt = BTreeSet::from([MIX]);
    rig.observer.set_adversary(Adversary::Global { corrupt, curious: BTreeSet::new() });
    rig.link(ALICE, MIX);
    rig.link(BOB, MIX);
    rig.observer.set_adversary(Adversary::passive());
    rig.link(MIX, PROVIDER);
    assert_near(rig.out[0][0], 0.5);
    assert_near(rig.out[0][1], 0.5);
    assert_eq!(rig.observer.trust().untold, 0);
}

/// It tells of packets that it does not let go: there is an end to what is remembered of them.
#[test]
fn a_corrupt_mixnode_holds_more_than_it_can() {
    let mut rig = Rig::new();
    let corrupt = BTreeSet::from([MIX]);
    rig.observer.set_adversary(Adversary::Global { corrupt, curious: BTreeSet::new() });
    let id = rig.observer.watch(ALICE);
    rig.link(ALICE, MIX);
    let mut packets = 0;
    while rig.target(id).lost < 0.5 {
        assert_near(rig.mass(id), 1.0);
        rig.link(BOB, MIX);
        packets += 1;
        assert!(packets < 10_000, "all are remembered");
    }
    assert_near(rig.mass(id), 1.0);
    assert!(rig.observer.trust().untold > 0);
}

/// Who comes when all columns are taken gets that of somebody who has left, without his past.
#[test]
fn a_column_is_used_again() {
    let mut rig = Rig::new();
    let role = Role::Sender { provider: PROVIDER };
    // Four senders and a provider are there.
    for node in (100..).take(MAX_SOURCES - 5).map(NodeId) {
        rig.tell(|t| Observation::Joined { t, node, role });
    }
    let late = NodeId(4000);
    rig.tell(|t| Observation::Joined { t, node: late, role });
    assert_eq!(rig.observer.trust().refused, 1);
    rig.link(ALICE, MIX);
    rig.tell(|t| Observation::Left { t, node: ALICE });
    rig.tell(|t| Observation::Joined { t, node: late, role });
    rig.link(BOB, MIX);
    let mut given = None;
    rig.now += 1;
    let (t, src, dst) = (at(rig.now), MIX, PROVIDER);
    rig.observer.take(Observation::Link(LinkEvent { t, src, dst, bytes: 2413 }));
    rig.observer.advance(t, &mut |finding| {
        if let Finding::CameOut { posterior, .. } = finding {
            given = Some((posterior.of(late), posterior.of(BOB), posterior.unknown()));
        }
    });
    assert_eq!(given, Some((0.0, 1.0, 0.5)));
}

/// What comes out is somebody's; a packet that is followed later is not what went to him.
#[test]
fn a_target_is_not_the_one_before() {
    let mut rig = Rig::new();
    rig.observer.watch(ALICE);
    rig.link(ALICE, MIX);
    rig.link(MIX, PROVIDER);
    // All places for requests are taken anew.
    let ids: Vec<_> = (0..MAX_WATCHED).map(|_| rig.observer.watch(BOB)).collect();
    for _ in &ids {
        rig.link(BOB, MIX);
    }
    rig.link(PROVIDER, CAROL);
    for id in ids {
        assert!(rig.target(id).sent.is_some());
        assert!(rig.target(id).recipients.is_empty());
    }
}

/// Whoever says that events were lost is believed.
#[test]
fn told_of_lost_events() {
    let mut rig = Rig::new();
    rig.link(ALICE, MIX);
    rig.tell(|t| Observation::Lost { t, events: 7 });
    assert_eq!(rig.observer.trust().lost, 7);
    assert_eq!(rig.observer.doubts(at(1000)), [Doubt::Disturbed { at: at(rig.now) }]);
    rig.link(MIX, LAST);
    assert_eq!(rig.observer.trust().from_nowhere, 1);
}
