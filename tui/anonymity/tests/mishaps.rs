//! What goes wrong in a live network: events late, lost or in disorder, packets that die, an observer that
//! looks away.

use std::time::Duration;

use anonymity::simulate::{Happening, Setup, Simulator};
use anonymity::{Adversary, Doubt, Finding, Observation, Observer, Role, Settings};

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
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
