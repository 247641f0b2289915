//! By hand, with three sources.

use super::*;
use crate::posterior::Source;
use crate::test_help::assert_near;

const BOB: NodeId = NodeId(1);

fn sources(serials: [u32; 3]) -> [Source; 3] {
    let node = |serial: u32| NodeId(u16::try_from(serial).expect("small"));
    serials.map(|serial| Source {
        node: node(serial),
        mailbox: Some(NodeId(0)),
        serial,
        is_gone: false,
    })
}

fn at(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// A packet for bob, one for another, and as many in general as make bob's no matter.
fn observe(suspects: &mut Suspects, sources: &[Source], t: u64, to_bob: [f64; 3]) {
    let general = Posterior { sources, p: &[1.0 / 3.0; 3], unknown: 0.0 };
    suspects.came_out(at(t), &general);
    suspects.delivered(at(t), NodeId(9), &general);
    suspects.delivered(at(t), BOB, &Posterior { p: &to_bob, ..general });
}

/// What all shares weigh: 1/φ each.
const ALL: f64 = 50.0 + 20.0 + 10.0 + 5.0 + 20.0 / 7.0 + 2.0 + 10.0 / 7.0 + 10.0 / 9.0;

/// ln of the mean over all shares of the product over all packets.
fn score(likelier: &[f64]) -> f64 {
    let product =
        |share: f64| -> f64 { likelier.iter().map(|x| 1.0 - share + share * x).product() };
    let likelihood = |share: f64| product(share).powf(LEAST.recip());
    (SHARES.iter().map(|share| likelihood(*share) / share).sum::<f64>() / ALL).ln()
}

#[test]
fn hints_add_up() {
    let sources = sources([1, 2, 3]);
    let mut suspects = Suspects::new(BOB, None);
    for t in 0..2 {
        observe(&mut suspects, &sources, t, [0.4, 0.5, 0.1]);
    }
    let ranking = suspects.ranking();
    let (alice, carol) = (score(&[1.5; 2]), score(&[0.3; 2]));
    assert_eq!(ranking.iter().map(|s| s.node).collect::<Vec<_>>(), [NodeId(2), NodeId(3)]);
    assert_near(ranking[0].score, alice, 1e-6);
    assert_near(ranking[1].score, carol, 1e-6);
    assert_near(ranking[0].odds(), (alice - carol).exp(), 1e-5);
    assert_eq!(suspects.packets(), 2);
}

/// More packets than factors are multiplied at once, and more than a number can hold as a product.
#[test]
fn many_hints_are_as_many_logarithms() {
    let sources = sources([1, 2, 3]);
    let mut suspects = Suspects::new(BOB, None);
    for t in 0..5000 {
        observe(&mut suspects, &sources, t, [0.0, 1.0, 0.0]);
    }
    let ranking = suspects.ranking();
    // The largest share is all that counts by then: 1 − 0.9 + 0.9·3.
    let expected = 5000.0 / LEAST * 2.8_f64.ln() - (0.9 * ALL).ln();
    assert_near(ranking[0].score, expected, 1e-3);
    // And the smallest for her: 0.98.
    let expected = 5000.0 / LEAST * 0.98_f64.ln() - (0.02 * ALL).ln();
    assert_near(ranking[1].score, expected, 1e-3);
    assert_near(ranking[0].probability, 1.0, 0.0);
    assert_near(ranking[1].probability, 0.0, 0.0);
}

/// Who sends most is in most packets, and is no more suspect for it, nor for having begun only now.
#[test]
fn who_sends_much_is_not_suspected_for_it() {
    let sources = sources([1, 2, 3]);
    let mut suspects = Suspects::new(BOB, None);
    for p in [[0.3, 0.1, 0.6], [0.1, 0.8, 0.1]] {
        let general = Posterior { sources: &sources, p: &p, unknown: 0.0 };
        for n in 0..1000 {
            suspects.came_out(at(0), &general);
            if n % 50 == 0 {
                suspects.delivered(at(0), BOB, &general);
            }
        }
    }
    for suspect in suspects.ranking() {
        assert!(suspect.score < 0.1, "{suspect:?}");
    }
}

#[test]
fn what_is_older_than_the_window_is_forgotten() {
    let sources = sources([1, 2, 3]);
    let mut suspects = Suspects::new(BOB, Some(at(60)));
    for t in 0..20 {
        observe(&mut suspects, &sources, t, [0.0, 1.0, 0.0]);
    }
    assert!(suspects.ranking()[0].odds() > 99.0);
    for t in 20..80 {
        observe(&mut suspects, &sources, t, [1.0 / 3.0; 3]);
    }
    // Up to a twelfth of the window goes with what is too old.
    assert!((55..=60).contains(&suspects.packets()), "{}", suspects.packets());
    assert_near(suspects.ranking()[0].probability, 0.5, 1e-6);
    assert!(suspects.slices.len() <= 12 && suspects.general.packets <= 60);
    // Nothing comes for long.
    suspects.go_on(at(1000));
    assert_eq!((suspects.packets(), suspects.slices.len()), (0, 1));
    assert_near(suspects.ranking()[0].probability, 0.5, 1e-12);
}

#[test]
fn without_a_window_nothing_is_forgotten() {
    let sources = sources([1, 2, 3]);
    let mut suspects = Suspects::new(BOB, None);
    observe(&mut suspects, &sources, 0, [0.0, 1.0, 0.0]);
    suspects.go_on(at(100_000));
    assert_eq!((suspects.packets(), suspects.slices.len()), (1, 1));
}

#[test]
fn there_is_room_for_so_many_hints() {
    let sources = sources([1, 2, 3]);
    let mut suspects = Suspects::new(BOB, None);
    for t in 0..MAX_HINTS / 3 + 10 {
        let t = u64::try_from(t).expect("few");
        observe(&mut suspects, &sources, t, [1.0 / 3.0; 3]);
    }
    assert_eq!(suspects.packets(), MAX_HINTS / 3);
    assert!(suspects.spare.len() <= 1);
}

#[test]
fn who_joins_later_is_not_suspected_for_another() {
    let mut suspects = Suspects::new(BOB, None);
    observe(&mut suspects, &sources([1, 2, 3]), 0, [0.0, 1.0, 0.0]);
    observe(&mut suspects, &sources([1, 4, 3]), 1, [1.0 / 3.0; 3]);
    let ranking = suspects.ranking();
    assert!(ranking.iter().all(|s| s.node != NodeId(2)));
    let newcomer = ranking.iter().find(|s| s.node == NodeId(4)).expect("it is there");
    assert_near(newcomer.score, 0.0, 1e-6);
}

#[test]
fn one_suspect_is_the_one_and_none_is_nobody() {
    let mut suspects = Suspects::new(BOB, None);
    assert_eq!(suspects.ranking(), []);
    let two = &sources([1, 2, 3])[..2];
    let packet = Posterior { sources: two, p: &[0.9, 0.1], unknown: 0.0 };
    suspects.came_out(at(0), &packet);
    suspects.delivered(at(0), BOB, &packet);
    assert_near(suspects.ranking()[0].probability, 1.0, 0.0);
}
